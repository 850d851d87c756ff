"""Gather variables: the process environment, then env files, then `--set`, then `--unset`."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from pathlib import Path

from dockpass.auth.facts import Source, SourceKind, Variable
from dockpass.errors import UsageError
from dockpass.secrets import Secret
from dockpass.text import clean
from dockpass.textfile import read_text_file
from dockpass.variables.secret_names import is_secret_name
from dockpass.variables.token_kind import looks_secret

_HINT = "Name a text file of NAME=value lines with --env-file."


def gather(
    process: Mapping[str, str],
    *,
    env_files: Sequence[Path] = (),
    sets: Sequence[str] = (),
    unsets: Sequence[str] = (),
    clean_env: bool = False,
) -> dict[str, Variable]:
    """Return the variables by name, each with its source; raises `UsageError` for a bad source.

    Values stay as they are, also with bytes that are no UTF-8 (Python's surrogate escapes).
    """
    variables: dict[str, Variable] = {}
    if not clean_env:
        source = Source(SourceKind.PROCESS)
        variables = {name: variable(name, value, source) for name, value in process.items()}
    for path in env_files:
        variables |= read_env_file(path)
    for assignment in sets:
        name, value = _assignment(assignment)
        variables[name] = variable(name, value, Source(SourceKind.SET))
    for name in unsets:
        variables.pop(name, None)
    return variables


def variable(name: str, value: str, source: Source) -> Variable:
    """Make a variable, whose value is a secret if its name says so or the value looks like one."""
    is_secret = is_secret_name(name) or looks_secret(value)
    return Variable(name, Secret(value) if is_secret else value, source)


def read_env_file(path: Path) -> dict[str, Variable]:
    """Read `NAME=value` lines; nothing in them is expanded, and the last of two lines wins.

    Raises `UsageError` with file, line and reason; a value is never repeated in it.
    """
    from dotenv.parser import parse_stream

    text = read_text_file(path, "env-file", _HINT)
    shown = clean(str(path))
    found: dict[str, Variable] = {}
    for binding in parse_stream(io.StringIO(text)):
        line = binding.original.line + _leading_blank_lines(binding.original.string)
        if binding.error:
            raise _bad_line(shown, line, "the line is not NAME=value")
        if binding.key is None:
            continue
        if not _is_name(binding.key):
            raise _bad_line(shown, line, f"“{clean(binding.key, 80)}” is not a variable's name")
        if binding.value is None:
            raise _bad_line(shown, line, f"{clean(binding.key, 80)} has no = and no value")
        source = Source(SourceKind.ENV_FILE, f"{shown}:{line}")
        found[binding.key] = variable(binding.key, binding.value, source)
    return found


def _bad_line(shown: str, line: int, why: str) -> UsageError:
    return UsageError(
        "env-file-line",
        f"{shown}, line {line}: {why}.",
        "Write NAME=value, and quote a value that has line ends; a quote has to be closed.",
    )


def _is_name(name: str) -> bool:
    return name.isascii() and name.isprintable() and " " not in name


def _leading_blank_lines(text: str) -> int:
    return text[: len(text) - len(text.lstrip())].count("\n")


def _assignment(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name or not _is_name(name):
        raise UsageError(
            "set-invalid", f"--set {clean(name, 80)}: this is not NAME=VALUE.", "Write --set NAME=VALUE."
        )
    return name, value
