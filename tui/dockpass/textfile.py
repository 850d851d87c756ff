"""Reading a small text file that a person named: bounded, and what is wrong is said with file and line."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from dockpass.errors import UsageError
from dockpass.secrets import without_value
from dockpass.text import clean

LARGEST_FILE = 1 << 20

_DESCRIPTORS = ("/dev/fd/", "/proc/self/fd/", "/dev/stdin")


def read_bytes_of(path: Path, kind: str, hint: str, largest: int = LARGEST_FILE) -> bytes:
    """Return what a file holds, at most one byte more than `largest`.

    Raises `UsageError` with an id that begins with `kind`: `-missing`, `-unreadable`, `-kind`. A shell's
    `<(command)` is read too; another pipe is not, for nobody may ever write to it.
    """
    shown = clean(str(path))
    try:
        return _read(path, kind, shown, hint, largest)
    except (OSError, ValueError) as error:
        missing = isinstance(error, OSError) and error.errno in {errno.ENOENT, errno.ENOTDIR}
        shown = without_value(shown) if missing else shown  # a variable that stands where a file belongs
        why = (error.strerror if isinstance(error, OSError) else None) or str(error)
        raise UsageError(
            f"{kind}-{'missing' if missing else 'unreadable'}",
            f"{shown} {'does not exist' if missing else f'cannot be read: {clean(why)}'}.",
            hint,
        ) from error


def read_text_file(path: Path, kind: str, hint: str) -> str:
    """Return the text of a UTF-8 file of at most 1 MiB, without a byte order mark.

    Raises `UsageError` with an id that begins with `kind`: `-missing`, `-unreadable`, `-kind`, `-large`,
    `-binary`. A shell's `<(command)` is read too; another pipe is not, for nobody may ever write to it.
    """
    return text_of(read_bytes_of(path, kind, hint), clean(str(path)), kind, hint)


def text_of(raw: bytes, shown: str, kind: str, hint: str) -> str:
    """Return bytes as a text; raises `UsageError` with `-large` or `-binary` as `read_text_file` does."""
    if len(raw) > LARGEST_FILE:
        raise UsageError(f"{kind}-large", f"{shown} is larger than 1 MiB.", hint)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        raise _binary(kind, shown, line, f"byte {error.start} is not UTF-8", hint) from error
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise _binary(kind, shown, line, "it holds a NUL character", hint)
    return text


def _read(path: Path, kind: str, shown: str, hint: str, largest: int) -> bytes:
    mode = path.stat().st_mode
    named_by_shell = stat.S_ISFIFO(mode) and str(path).startswith(_DESCRIPTORS)
    if not (stat.S_ISREG(mode) or named_by_shell):
        what = "a directory, not a file" if stat.S_ISDIR(mode) else "not a regular file"
        raise UsageError(f"{kind}-kind", f"{shown} is {what}.", hint)
    flags = 0 if named_by_shell else os.O_NONBLOCK  # a file that was swapped for a pipe cannot block
    with os.fdopen(os.open(path, os.O_RDONLY | os.O_CLOEXEC | flags), "rb") as file:
        return file.read(largest + 1)


def _binary(kind: str, shown: str, line: int, why: str, hint: str) -> UsageError:
    return UsageError(f"{kind}-binary", f"{shown}, line {line}: {why}, so this is not a text file.", hint)
