"""Finds a program as a shell does, before anything is created for it."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path

from dockpass.errors import NotExecutable, NotFound
from dockpass.text import clean


def find(name: str, environ: Mapping[str, str]) -> str:
    """Return the path of a program; a name without a slash is looked for in the directories of PATH.

    Raises `NotFound` or `NotExecutable`.
    """
    shown = clean(name, 200)
    if "/" in name:
        places = [name]
    else:
        directories = environ.get("PATH", os.defpath).split(os.pathsep) if name else []
        places = [os.path.join(directory or os.curdir, name) for directory in directories]  # noqa: PTH118
    refused = ""
    for place in places:
        why = _why_not(place)
        if why == "":
            return place
        refused = refused or (f"{clean(place)} {why}" if why else "")
    if refused:
        raise not_executable(f"{refused}.", "Name a program that you may run.")
    where = f"There is no {shown}." if "/" in name else f"There is no {shown} in PATH."
    raise NotFound(
        "program-not-found",
        where if name else "The name of the program is empty.",
        "Check how it is spelled; aliases and functions of a shell are not found.",
    )


def not_executable(message: str, hint: str) -> NotExecutable:
    """Return the error for a program that is there and cannot be started."""
    return NotExecutable("program-not-executable", message, hint)


def _why_not(place: str) -> str | None:
    """Return why a file is no program, an empty text if it is one, and None if it is not found."""
    try:
        status = Path(place).stat()
    except (OSError, ValueError) as error:
        return "may not be looked at" if isinstance(error, PermissionError) else None
    if stat.S_ISDIR(status.st_mode):
        return "is a directory"
    return "" if os.access(place, os.X_OK) else "is not executable"
