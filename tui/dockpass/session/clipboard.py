"""The clipboard: a program of the desktop where there is one; else whoever calls asks the terminal (OSC 52).

A program gets the text on stdin, never as an argument, and of the environment only what it finds the desktop
with. A secret is taken back after a while, unless something else was copied meanwhile; a terminal's own
clipboard cannot be read, so there nothing is taken back.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum, auto
from pathlib import Path

SECONDS_KEPT = 45.0
"""How long a secret is offered."""
_MOST_SECONDS = 1.0
_FOR_DESKTOP = (
    *("PATH", "HOME", "LANG", "DISPLAY", "XAUTHORITY", "WAYLAND_DISPLAY", "XDG_RUNTIME_DIR"),
    *("XDG_SESSION_TYPE", "DBUS_SESSION_BUS_ADDRESS", "__CF_USER_TEXT_ENCODING"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A program that copies. `needs` is the variable without which it has no desktop to copy to.

    `local` tells that it always means the desktop of this machine, which a person on ssh does not see.
    """

    copy: tuple[str, ...]
    paste: tuple[str, ...]
    needs: str = ""
    local: bool = False

    @property
    def name(self) -> str:
        """The program that copies."""
        return self.copy[0]


TOOLS = (
    Tool(copy=("wl-copy",), paste=("wl-paste", "--no-newline"), needs="WAYLAND_DISPLAY", local=True),
    Tool(
        copy=("xclip", "-selection", "clipboard"),
        paste=("xclip", "-selection", "clipboard", "-o"),
        needs="DISPLAY",
    ),
    Tool(copy=("xsel", "--clipboard", "--input"), paste=("xsel", "--clipboard", "--output"), needs="DISPLAY"),
    Tool(copy=("pbcopy",), paste=("pbpaste",), local=True),
)


@dataclass(frozen=True, slots=True)
class Copied:
    """How a text was copied: by a program, or by none, so that the terminal has to be asked.

    `failed` says which program was tried in vain, and why.
    """

    by: str = ""
    failed: str = ""

    def in_words(self, what: str) -> str:
        """Say how it was copied; `what` stands for the text."""
        if self.by:
            return f"copied with {self.by}: {what}"
        before = f"{self.failed}; " if self.failed else ""
        return f"{before}sent to the terminal's clipboard: {what}"


def find_program(name: str, environ: Mapping[str, str]) -> Path | None:
    """Return a program in an absolute directory of PATH, if there is one."""
    from dockpass.dockerconfig import helpers  # only who copies pays for it

    return helpers.find_program(name, environ)


def _run(words: Sequence[str], environ: Mapping[str, str], given: bytes | None) -> bytes:
    """Run a program; return its output where it is given nothing. Raises `OSError` and subprocess errors.

    A program that copies goes on in the background with the text: its outputs are not waited for.
    """
    pipe = subprocess.PIPE if given is None else subprocess.DEVNULL
    ended = subprocess.run(
        words,
        input=given,
        stdin=subprocess.DEVNULL if given is None else None,
        stdout=pipe,
        stderr=subprocess.DEVNULL,
        env=dict(environ),
        timeout=_MOST_SECONDS,
        check=True,
        start_new_session=True,
    )
    return ended.stdout or b""


class TakenBack(Enum):
    """What became of a secret in the clipboard: `NOTHING` where it was not there any more."""

    EMPTIED = auto()
    NOTHING = auto()
    FAILED = auto()


Run = Callable[[Sequence[str], Mapping[str, str], bytes | None], bytes]


@dataclass(slots=True)
class Clipboard:
    """Copies, and takes back what it copied last if that was a secret."""

    find: Callable[[str, Mapping[str, str]], Path | None] = find_program
    run: Run = _run
    platform: str = sys.platform
    _secret: bytes = field(default=b"", repr=False)
    _tool: Tool | None = None

    def copy(self, text: str, environ: Mapping[str, str], *, secret: bool = False) -> Copied:
        """Copy with the first program that can; nothing is copied where there is none, or where it fails.

        A secret that was copied before is still taken back where this text does not replace it.
        """
        raw = text.encode("utf-8", "surrogateescape")
        failed = ""
        for tool in TOOLS:
            words = self._words(tool, tool.copy, environ)
            if words is None:
                continue
            try:
                self.run(words, _desktop(environ), raw)
            except subprocess.TimeoutExpired:
                failed = failed or f"{tool.name} did not answer"
            except (OSError, subprocess.SubprocessError):
                failed = failed or f"{tool.name} failed"
            else:
                if tool is not self._tool:
                    self.take_back(environ)
                self._secret, self._tool = (raw, tool) if secret else (b"", None)
                return Copied(by=tool.name)
        return Copied(failed=failed)

    @property
    def holds_secret(self) -> bool:
        """Whether a secret is offered that can be taken back."""
        return bool(self._secret)

    def take_back(self, environ: Mapping[str, str]) -> TakenBack:
        """Empty the clipboard if the secret is in it still."""
        raw, tool = self._secret, self._tool
        self._secret, self._tool = b"", None
        if not raw or tool is None:
            return TakenBack.NOTHING
        paste, copy = (self._words(tool, words, environ) for words in (tool.paste, tool.copy))
        if paste is None or copy is None:
            return TakenBack.FAILED
        try:
            if self.run(paste, _desktop(environ), None) != raw:
                return TakenBack.NOTHING
            self.run(copy, _desktop(environ), b"")
        except (OSError, subprocess.SubprocessError):
            return TakenBack.FAILED
        return TakenBack.EMPTIED

    def _words(self, tool: Tool, words: Sequence[str], environ: Mapping[str, str]) -> list[str] | None:
        """Return a program's command line; None if it is not installed, or this session has no desktop."""
        if tool.needs and not environ.get(tool.needs):
            return None
        if tool.local and environ.get("SSH_CONNECTION"):
            return None
        if tool.name == "pbcopy" and self.platform != "darwin":
            return None
        program = self.find(words[0], environ)
        return None if program is None else [str(program), *words[1:]]


def _desktop(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the part of the environment that leads to the desktop; no secret of a job is in it."""
    return {name: environ[name] for name in _FOR_DESKTOP if name in environ}
