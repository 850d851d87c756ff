"""The man page: every command with its options, made from the commands themselves."""

from __future__ import annotations

import inspect
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import click

from dockpass import __version__
from dockpass.cli.main import cli
from dockpass.logfile import LEVELS

COMMON = 4
"""An option that so many commands have, with the same words, is described once."""
STATUSES = Path(__file__).resolve().parents[1] / "docs" / "command-line.md"
ENVIRONMENT = {
    "DOCKPASS_CONFIG": "The settings file.",
    "DOCKPASS_STATE": "The directory of what is remembered between runs.",
    "DOCKPASS_LOG": "The log file.",
    "DOCKPASS_LOG_LEVEL": f"How much is logged: {', '.join(LEVELS)}; info by default.",
    "DOCKPASS_STORE": "The directory of the embedded engine's images.",
    "VISUAL, EDITOR": "The editor that the screen opens a file with.",
    "NO_COLOR": "Draw without colours.",
}
FILES = {
    "~/.config/dockpass/config.toml": "The settings.",
    "~/.local/state/dockpass/": "What is remembered between runs, and the log.",
    "~/.local/share/dockpass/images/": "The images of the embedded engine.",
}


class _Command(NamedTuple):
    path: str
    command: click.Command
    context: click.Context


class _Option(NamedTuple):
    names: str
    help: str


def man_page() -> str:
    """Return docs/dockpass.1."""
    commands = list(_walk(cli, click.Context(cli, info_name="dockpass", **cli.context_settings)))
    common = _common(commands)
    bare, *others = commands
    lines = [
        f'.TH DOCKPASS 1 "" "dockpass {__version__}" "User Commands"',
        ".nh",  # an option that is hyphenated cannot be copied or searched for
        ".ad l",
        ".SH NAME",
        r"dockpass \- show which credentials a registry command uses, and run it with them",
        ".SH SYNOPSIS",
        r".B dockpass \fR[\fIOPTION\fR]...",
        ".br",
        r".B dockpass \fICOMMAND\fR [\fIOPTION\fR]... [\fIARGUMENT\fR]...",
        ".SH DESCRIPTION",
        *_paragraphs(bare.command.help or ""),
        *_described(bare, common),
        ".SH COMMANDS",
        *(line for each in others for line in _section(each, common)),
        ".SH COMMON OPTIONS",
        "Each command above names those that it takes.",
        *(line for option in sorted(common) for line in _item(option.names, option.help)),
        ".SH EXIT STATUS",
        *(line for status, words in _statuses() for line in _item(status, words)),
        ".SH ENVIRONMENT",
        *(line for name, words in ENVIRONMENT.items() for line in _item(name, words)),
        ".SH FILES",
        "Where XDG_CONFIG_HOME, XDG_STATE_HOME and XDG_DATA_HOME are not set;",
        ".B dockpass paths",
        "shows where the files are.",
        *(line for name, words in FILES.items() for line in _item(name, words)),
        ".SH SEE ALSO",
        ".BR docker (1),",
        ".BR podman (1),",
        ".BR skopeo (1),",
        ".BR buildah (1)",
    ]
    return "\n".join(lines) + "\n"


def _common(commands: Sequence[_Command]) -> set[_Option]:
    """Return the options that many commands have; of one name only those with the most usual words."""
    counted = Counter(option for each in commands for option in set(_options(each)))
    found: dict[str, _Option] = {}
    for option, count in counted.most_common():
        if count >= COMMON:
            found.setdefault(_name(option), option)
    return set(found.values())


def _name(option: _Option) -> str:
    return re.split(r"[ ,]", option.names)[0]


def _both_names(option: _Option) -> str:
    """Return the name without its value, of a switch with an opposite both: `--protected, --unprotected`."""
    return option.names.replace(" / ", ", ") if " / " in option.names else _name(option)


def _walk(command: click.Command, context: click.Context) -> Iterator[_Command]:
    yield _Command(context.command_path, command, context)
    if isinstance(command, click.Group):
        for name in command.list_commands(context):
            below = command.get_command(context, name)
            if below is not None and not below.hidden:
                yield from _walk(below, click.Context(below, info_name=name, parent=context))


def _options(found: _Command) -> Iterator[_Option]:
    for each in found.command.get_params(found.context):
        record = each.get_help_record(found.context) if isinstance(each, click.Option) else None
        if record is not None and "--help" not in each.opts:
            yield _Option(*record)


def _section(found: _Command, common: set[_Option]) -> Iterator[str]:
    usage = " ".join(found.command.collect_usage_pieces(found.context))
    yield f'.SS "{_text(f"{found.path} {usage}")}"'
    yield from _paragraphs(found.command.help or "")
    yield from _described(found, common)


def _described(found: _Command, common: set[_Option]) -> Iterator[str]:
    """Yield the options of a command: its own with their words, the common ones by their names."""
    options = list(_options(found))
    for option in options:
        if option not in common:
            yield from _item(option.names, option.help)
    named = [_both_names(option) for option in options if option in common]
    if named:
        yield ".PP"
        yield _text(f"Common options: {', '.join(named)}.")


def _statuses() -> Iterator[tuple[str, str]]:
    """Yield the rows of the table of exit statuses in the page of the command line."""
    _, _, rest = STATUSES.read_text(encoding="utf-8").partition("## Exit statuses\n")
    rows = re.findall(r"^\| ([^|]+) \| ([^|]+) \|$", rest.partition("\n## ")[0], re.MULTILINE)
    return ((status, words.replace("`", "")) for status, words in rows if status != "status")


def _item(names: str, words: str) -> Iterable[str]:
    breakable = _text(names).replace("|", r"|\:")
    return ".TP", rf"\fB{breakable}\fR", _text(words) or r"\&"


def _paragraphs(help_text: str) -> Iterator[str]:
    """Yield the paragraphs of a help text; one that click does not rewrap keeps its lines."""
    for number, paragraph in enumerate(re.split(r"\n\s*\n", inspect.cleandoc(help_text))):
        if number:
            yield ".PP"
        kept, lines = paragraph.startswith("\b"), paragraph.removeprefix("\b").strip("\n").split("\n")
        yield from ([".nf", *map(_text, lines), ".fi"] if kept else [_text(" ".join(map(str.strip, lines)))])


def _text(text: str) -> str:
    """Return a text as roff takes it for one: no escape, no hyphen, no request at its beginning."""
    escaped = text.replace("\\", r"\e").replace("-", r"\-").replace('"', r"\(dq")
    return rf"\&{escaped}" if escaped.startswith((".", "'")) else escaped
