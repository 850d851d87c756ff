"""An interactive shell whose start-up files cannot undo the environment: it is set again after them. Pure.

The prompt says whose login the shell has. What each shell reads at its start is in its manual.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from dockpass.programs.environment import ProgramEnvironment, printed

_UNSAFE = re.compile(r"[^A-Za-z0-9.:_-]")
_OF_POSIX = frozenset({"sh", "dash", "ash", "ksh", "mksh", "busybox"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ShellStart:
    """The words of the shell, more variables for it, and files for the config's directory."""

    argv: Sequence[str]
    variables: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)


def shell_start(path: str, directory: Path, environment: ProgramEnvironment, host: str) -> ShellStart:
    """Return how to start the shell `path`; one that is not known starts as it is."""
    name = PurePosixPath(path).name
    marker = f"(dockpass {_UNSAFE.sub('', host)}) " if host else "(dockpass) "
    given, lines = environment.variables, list(printed(environment))
    if name == "bash":
        own = "[ -f ~/.bashrc ] && . ~/.bashrc"
        return ShellStart(
            argv=[path, "--rcfile", str(directory / "rc")],
            files={"rc": _text(own, *lines, f'PS1="{marker}$PS1"')},
        )
    if name == "zsh":
        return _zsh(path, directory, given.get("ZDOTDIR", ""), lines, marker)
    if name == "fish":
        rc = _text(*_fish(environment), _FISH_PROMPT.format(marker=marker))
        return ShellStart(
            argv=[path, "-C", f"source {_fish_quoted(str(directory / 'rc'))}"], files={"rc": rc}
        )
    if name in _OF_POSIX:
        own_env = given.get("ENV", "")
        own = f"[ -f {shlex.quote(own_env)} ] && . {shlex.quote(own_env)}" if own_env else ""
        again = f"export ENV={shlex.quote(own_env)}" if own_env else "unset ENV"
        rc = _text(own, again, *lines, f'PS1="{marker}${{PS1:-$ }}"')
        return ShellStart(argv=[path], variables={"ENV": str(directory / "rc")}, files={"rc": rc})
    return ShellStart(argv=[path])


def _zsh(path: str, directory: Path, own: str, lines: list[str], marker: str) -> ShellStart:
    """zsh looks for each of its files in ZDOTDIR, which is the person's own while they are read."""
    ours = shlex.quote(str(directory / "zsh"))
    theirs = shlex.quote(own) if own else '"$HOME"'
    env = _text(
        f"ZDOTDIR={theirs}",
        '[ -f "$ZDOTDIR/.zshenv" ] && . "$ZDOTDIR/.zshenv"',
        "_dockpass_zdotdir=$ZDOTDIR",
        f"ZDOTDIR={ours}",
    )
    rc = _text(
        "ZDOTDIR=$_dockpass_zdotdir",
        "unset _dockpass_zdotdir",
        '[ -f "$ZDOTDIR/.zshrc" ] && . "$ZDOTDIR/.zshrc"',
        *lines,
        f'PROMPT="{marker}$PROMPT"',
    )
    return ShellStart(
        argv=[path],
        variables={"ZDOTDIR": str(directory / "zsh")},
        files={"zsh/.zshenv": env, "zsh/.zshrc": rc},
    )


_FISH_PROMPT = """functions -q fish_prompt; and functions -c fish_prompt _dockpass_prompt
function fish_prompt
    echo -n '{marker}'
    functions -q _dockpass_prompt; and _dockpass_prompt
end"""


def _fish(environment: ProgramEnvironment) -> Iterator[str]:
    for name, value in environment.set.items():
        yield f"set -gx {name} {_fish_quoted(value)}"
    for name in environment.removed:
        yield f"set -e {_fish_quoted(name)}"


def _fish_quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _text(*lines: str) -> str:
    return "".join(f"{line}\n" for line in lines if line)
