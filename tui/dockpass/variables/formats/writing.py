"""Variables written in the formats of other programs, so that their own reader gives the same values back.

A value that a format cannot hold is left out, with the reason; nothing is written that is read otherwise.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from dockpass.text import clean
from dockpass.unknown import Unknown
from dockpass.variables.formats.catalogue import read
from dockpass.variables.gitlab.model import Definition, Value

MASKED = "[MASKED]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """One variable to be written. `value` is None for a secret that is not to be written.

    `definition` has flags and scope, where a format holds them.
    """

    name: str
    value: Value | None = field(repr=False)
    definition: Definition | None = None


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A variable that was not written, and the reason in clean words."""

    name: str
    why: str


@dataclass(frozen=True, slots=True)
class Export:
    """The text, and what is not in it. `masked` are the secrets that were left out because nobody asked."""

    text: str = field(repr=False)
    count: int = 0
    masked: tuple[str, ...] = ()
    left_out: tuple[LeftOut, ...] = ()


class _CannotHold(Exception):
    """The format has no spelling for this value; the message says why."""


_NAME = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_BARE = re.compile(r"[\w.,:/@%+=-]*", re.ASCII)


def _line(name: str, value: str) -> str:
    """`NAME=value` with nothing around the value."""
    return f"{name}={value}"


def _quoted(name: str, value: str) -> str:
    """`NAME='value'`, for readers that take every character between single quotes."""
    return f"{name}={value}" if _BARE.fullmatch(value) else f"{name}='{value}'"


def _double_quoted(name: str, value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\r", "\\r")
    return f"{name}={value}" if _BARE.fullmatch(value) else f'{name}="{escaped}"'


def _node(name: str, value: str) -> str:
    quote = next((each for each in "'`\"" if each not in value), "")
    if not _BARE.fullmatch(value) and not quote:
        raise _CannotHold("it has every kind of quotes")
    return f"{name}={value}" if _BARE.fullmatch(value) else f"{name}={quote}{value}{quote}"


def _shell(name: str, value: str) -> str:
    quoted = value.replace("'", "'\"'\"'")
    return f"export {name}='{quoted}'"


def _heredoc(name: str, value: str) -> str:
    if "\n" not in value:
        return f"{name}={value}"
    mark = "EOF"
    while mark in value.split("\n"):
        mark += "_"
    return f"{name}<<{mark}\n{value}\n{mark}"


def _yaml_line(name: str, value: str) -> str:
    return f"{_json_text(name)}: {_json_text(value)}"


def _json_text(text: str) -> str:
    """Quote a text so that it is a text in YAML too."""
    return json.dumps(text, ensure_ascii=True)


@dataclass(frozen=True, slots=True)
class Writer:
    """How a format is written: line by line, or as a whole. `comment` begins a comment, where it has any."""

    means: str
    line: Callable[[str, str], str] | None = None
    whole: Callable[[Sequence[Written]], str] | None = None
    comment: str = ""
    end: str = "\n"
    head: str = ""


def _gitlab_json(variables: Sequence[Written]) -> str:
    return json.dumps([_api_row(each) for each in variables], indent=2) + "\n"


def _api_row(each: Written) -> dict[str, Any]:
    definition = each.definition
    row = {"key": each.name, "value": each.value if isinstance(each.value, str) else None}
    return row | {
        "variable_type": "file" if definition is not None and definition.file else "env_var",
        "protected": definition is not None and definition.protected,
        "masked": each.value is None or (definition is not None and definition.masked),
        "hidden": not isinstance(each.value, str),
        "raw": definition is not None and definition.raw,
        "environment_scope": definition.scope if definition is not None else "*",
        "description": None,
    }


def _gcl(variables: Sequence[Written]) -> str:
    found: dict[str, Any] = {}
    for each in variables:
        if isinstance(each.value, str):
            kind = "file" if each.definition is not None and each.definition.file else "variable"
            found[each.name] = {"type": kind, "values": {"*": each.value}}
    masked = "".join(f"# {each.name}: {MASKED}\n" for each in variables if each.value is None)
    text = yaml.safe_dump(found, default_style='"', sort_keys=False, allow_unicode=False) if found else ""
    return masked + text


WRITERS: Mapping[str, Writer] = {
    "docker": Writer("docker's --env-file", _line, comment="#"),
    "compose": Writer("Compose's .env", _quoted, comment="#"),
    "python-dotenv": Writer(".env for python-dotenv", _double_quoted, comment="#"),
    "node-dotenv": Writer(".env for node's dotenv", _node, comment="#"),
    "godotenv": Writer(".env for godotenv", _quoted, comment="#"),
    "shell": Writer("export lines of a shell", _shell, comment="#"),
    "env0": Writer("as env -0 prints it", _line, end="\0"),
    "gitlab-report": Writer("a dotenv report of GitLab's", _line),
    "gitlab-json": Writer("variables as GitLab's API has them", whole=_gitlab_json),
    "gitlab-yaml": Writer("the variables: of a YAML file", _yaml_line, comment="#", head="variables:\n"),
    "gitlab-ci-local": Writer("gitlab-ci-local's file of a project", whole=_gcl, comment="#"),
    "act-secrets": Writer("act's .secrets", _quoted, comment="#"),
    "flat-yaml": Writer("a flat YAML map, as act reads it", _yaml_line, comment="#"),
    "github-env": Writer("a file for GITHUB_ENV", _heredoc),
}
"""Every format that can be written, by its name."""


def write(name: str, variables: Iterable[Written]) -> Export:
    """Write variables in a format. Raises `KeyError` for a format that cannot be written."""
    writer = WRITERS[name]
    kept: list[Written] = []
    left_out: list[LeftOut] = []
    masked: list[str] = []
    for each in variables:
        why = _why_not(name, writer, each)
        if why:
            left_out.append(LeftOut(clean(each.name, 255), why))
            continue
        if each.value is None:
            masked.append(each.name)
        kept.append(each)
    count = sum(isinstance(each.value, str) for each in kept)
    return Export(_text(writer, kept), count, tuple(masked), tuple(left_out))


def _why_not(name: str, writer: Writer, each: Written) -> str:
    """Return why a format cannot hold a variable: its own reader would not give the same back."""
    if isinstance(each.value, Unknown):
        return "its value is not known here"
    if not _NAME.fullmatch(each.name):
        return "it is not a valid name"
    if each.value is None:
        return ""
    try:
        text = _text(writer, [each])
        text.encode("utf-8", "surrogateescape")
    except _CannotHold as error:
        return str(error)
    except UnicodeEncodeError:
        return "it has characters that UTF-8 cannot hold"
    reading = read(name, text)
    same = [entry.value for entry in reading.entries] == [each.value]
    same_name = [entry.key.upper() for entry in reading.entries] == [each.name.upper()]
    return "" if same and same_name else "the format cannot hold its value"


def _text(writer: Writer, variables: Sequence[Written]) -> str:
    if writer.whole is not None:
        return writer.whole(variables)
    lines: list[str] = []
    indent = "  " if writer.head else ""
    for each in variables:
        if isinstance(each.value, str) and writer.line is not None:
            lines.append(f"{indent}{writer.line(each.name, each.value)}{writer.end}")
        elif each.value is None and writer.comment:
            lines.append(f"{indent}{writer.comment} {each.name}={MASKED}{writer.end}")
    return writer.head + "".join(lines)
