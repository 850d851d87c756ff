"""Writes a file that was not there before, whole or not at all."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from dockpass.errors import UsageError
from dockpass.text import clean

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def create(path: Path, text: str, *, private: bool) -> None:
    """Write a new file, with mode 0600 if it is private; raises `OSError`, and leaves nothing behind then."""
    handle = os.open(path, _NEW, 0o600 if private else 0o666)
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="", errors="surrogateescape") as file:
            if private:
                os.fchmod(file.fileno(), 0o600)
            file.write(text)
    except BaseException:
        with suppress(OSError):
            path.unlink()
        raise


def save_new(path: Path, text: str) -> None:
    """Write a new file that only its owner may read, or none at all.

    Raises `UsageError` where it exists already, and where it cannot be written whole.
    """
    shown = clean(str(path))
    try:
        create(path, text, private=True)
    except FileExistsError as error:
        raise UsageError(
            "export-exists", f"{shown} already exists.", "Remove it first, or give another name."
        ) from error
    except OSError as error:
        raise unwritable(shown, error) from error


def unwritable(shown: str, error: OSError) -> UsageError:
    """Return the error for a file that cannot be written."""
    return UsageError("export-file", f"{shown} cannot be written: {error.strerror}.", "Give another place.")
