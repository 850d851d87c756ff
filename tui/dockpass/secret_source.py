"""Where a value is in place of the value itself: `env:NAME` or `file:PATH`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from dockpass.errors import UsageError
from dockpass.secrets import Secret
from dockpass.text import clean
from dockpass.textfile import read_bytes_of, text_of

FORMS = "env:NAME or file:PATH"
LONGEST = 1 << 16
_HINT = f"Type the value itself, or {FORMS}."


def parse_source(text: str) -> tuple[str, str] | None:
    """Return `env` or `file` and what it names; None for a text that is no such reference."""
    kind, colon, rest = text.partition(":")
    return (kind, rest) if colon and rest and kind in {"env", "file"} else None


def from_environ(name: str, environ: Mapping[str, str], error_id: str, hint: str) -> Secret:
    """Return the value of a variable; raises `UsageError` where it is not set, or empty."""
    if not environ.get(name):
        raise UsageError(error_id, f"The variable {clean(name, 80)} is not set.", hint)
    return Secret(environ[name])


def from_file(name: str, home: Path, cwd: Path, kind: str, hint: str, longest: int) -> tuple[bytes, str]:
    """Return what a file holds, at most one byte more than `longest`, and its clean name.

    `~/` is the home directory. Raises `UsageError` with an id that begins with `kind`.
    """
    path = home / name[2:] if name.startswith("~/") else cwd / name
    return read_bytes_of(path, kind, hint, longest), clean(str(path), 200)


def value_of(text: str, environ: Mapping[str, str], home: Path, cwd: Path) -> Secret:
    """Return a value that was typed, or the one that a reference names; it stays in memory.

    One line end at the end of a file is not part of its value. Raises `UsageError` where a reference gives
    nothing; no value is ever in its words.
    """
    source = parse_source(text)
    if source is None:
        return Secret(text)
    kind, rest = source
    if kind == "env":
        return from_environ(rest, environ, "value-source-missing", _HINT)
    raw, shown = from_file(rest, home, cwd, "value-source", _HINT, LONGEST)
    if len(raw) > LONGEST:
        raise UsageError("value-source-large", f"{shown} is larger than 64 KiB.", _HINT)
    value = text_of(raw, shown, "value-source", _HINT)
    value = value.removesuffix("\n").removesuffix("\r")
    if not value:
        raise UsageError("value-source-empty", f"{shown} is empty.", _HINT)
    return Secret(value)
