"""Where a value is in place of the value itself: `env:NAME` or `file:PATH`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from dockpass.errors import UsageError
from dockpass.secrets import Secret
from dockpass.text import clean
from dockpass.textfile import read_bytes_of, text_of

FORMS = "env:NAME or file:PATH"
LONGEST = 1 << 16
_HINT = f"Type the value itself, or {FORMS}."


def parse_source(text: str, kinds: Collection[str] = ("env", "file")) -> tuple[str, str] | None:
    """Return the kind of a reference and what it names; None for a text that is no such reference."""
    kind, colon, rest = text.partition(":")
    return (kind, rest) if colon and rest and kind in kinds else None


def path_of(name: str, home: Path, cwd: Path) -> Path:
    """Return the file that a reference names; `~/` is the home directory."""
    return home / name[2:] if name.startswith("~/") else cwd / name


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
        if not environ.get(rest):
            raise UsageError("value-variable-missing", f"The variable {clean(rest, 80)} is not set.", _HINT)
        return Secret(environ[rest])
    path = path_of(rest, home, cwd)
    raw, shown = read_bytes_of(path, "value-source", _HINT, LONGEST), clean(str(path), 200)
    if len(raw) > LONGEST:
        raise UsageError("value-source-large", f"{shown} is larger than 64 KiB.", _HINT)
    value = text_of(raw, shown, "value-source", _HINT)
    value = value.removesuffix("\n").removesuffix("\r")
    if not value:
        raise UsageError("value-source-empty", f"{shown} is empty.", _HINT)
    return Secret(value)
