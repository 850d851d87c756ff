"""Writes a file that was not there before, for its owner only, whole or not at all."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

from dockpass.errors import UsageError
from dockpass.text import clean

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def save_new(path: Path, text: str) -> None:
    """Write a new file that only its owner may read, or none at all.

    Raises `UsageError` where it is there already, and where it cannot be written whole.
    """
    shown = clean(str(path))
    try:
        handle = os.open(path, _NEW, 0o600)
    except FileExistsError as error:
        raise UsageError(
            "export-exists", f"{shown} is there already.", "Remove it first, or give another name."
        ) from error
    except OSError as error:
        raise unwritable(shown, error) from error
    try:
        with os.fdopen(handle, "w", encoding="utf-8", newline="", errors="surrogateescape") as file:
            os.fchmod(file.fileno(), 0o600)
            file.write(text)
    except OSError as error:
        with suppress(OSError):
            path.unlink()
        raise unwritable(shown, error) from error


def unwritable(shown: str, error: OSError) -> UsageError:
    """Return the error for a file that cannot be written."""
    return UsageError("export-file", f"{shown} cannot be written: {error.strerror}.", "Give another place.")
