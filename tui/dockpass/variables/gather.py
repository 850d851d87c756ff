"""Gather variables: the process environment, then env files, then `--set`, then `--unset`."""

from __future__ import annotations

import io
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path

from dockpass.auth.facts import Source, SourceKind, Variable
from dockpass.errors import UsageError
from dockpass.secrets import Secret
from dockpass.text import clean
from dockpass.variables.secret_names import is_secret_name

LARGEST_FILE = 1 << 20


def gather(
    process: Mapping[str, str],
    *,
    env_files: Sequence[Path] = (),
    sets: Sequence[str] = (),
    unsets: Sequence[str] = (),
    clean_env: bool = False,
) -> dict[str, Variable]:
    """Return the variables by name, each with its source; raises `UsageError` for a bad source."""
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
    """Make a variable, whose value is a secret if its name says so."""
    return Variable(name, Secret(value) if is_secret_name(name) else value, source)


def read_env_file(path: Path) -> dict[str, Variable]:
    """Read `NAME=value` lines; nothing in them is expanded. Raises `UsageError` with line and reason."""
    from dotenv.parser import parse_stream

    text = _read(path)
    found: dict[str, Variable] = {}
    for binding in parse_stream(io.StringIO(text)):
        line = binding.original.line + _leading_blank_lines(binding.original.string)
        if binding.error or (binding.key is not None and binding.value is None):
            why = (
                "is not NAME=value" if binding.error else f"names {clean(binding.key or '')} without a value"
            )
            raise UsageError(
                "env-file-line",
                f"{clean(str(path))}, line {line}: the line {why}.",
                "Write NAME=value, and quote a value that has blanks or line ends.",
            )
        if binding.key is not None and binding.value is not None:
            source = Source(SourceKind.ENV_FILE, f"{clean(str(path))}:{line}")
            found[binding.key] = variable(binding.key, binding.value, source)
    return found


def _read(path: Path) -> str:
    shown = clean(str(path))
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise UsageError("env-file-kind", f"{shown} is not a file.", "Name a file of NAME=value lines.")
        if status.st_size > LARGEST_FILE:
            raise UsageError("env-file-large", f"{shown} is larger than 1 MiB.", "Name an env file.")
        raw = path.read_bytes()
    except OSError as error:
        raise UsageError(
            "env-file-unreadable",
            f"{shown} cannot be read: {clean(error.strerror or str(error))}.",
            "Check the path after --env-file.",
        ) from error
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise _binary(shown, line, f"byte {error.start} is not UTF-8") from error
    if "\0" in text:
        raise _binary(shown, text.count("\n", 0, text.index("\0")) + 1, "it holds a NUL character")
    return text


def _binary(shown: str, line: int, why: str) -> UsageError:
    return UsageError(
        "env-file-binary", f"{shown}, line {line}: {why}, so this is no text file.", "Name an env file."
    )


def _leading_blank_lines(text: str) -> int:
    return text[: len(text) - len(text.lstrip())].count("\n")


def _assignment(text: str) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise UsageError(
            "set-invalid", f"--set {clean(name)}: this is not NAME=VALUE.", "Write --set NAME=VALUE."
        )
    return name, value
