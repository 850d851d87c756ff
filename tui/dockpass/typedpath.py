"""Paths as a person types them: whatever is typed, asking about it raises nothing."""

from __future__ import annotations

import os
from pathlib import Path


def typed_path(cwd: Path, text: str) -> Path:
    """Return the path that a text means in a directory. `~` and `~name` lead home, where that is known."""
    try:
        return cwd / Path(text).expanduser()
    except RuntimeError:  # there is nobody of that name
        return cwd / text


def is_there(path: Path) -> bool:
    """Tell whether there is anything, a link that leads nowhere included; False where one may not look."""
    return os.path.lexists(path)


def is_readable_file(path: Path) -> bool:
    """Tell whether there is a file, behind links too; False where one may not look."""
    return os.path.isfile(path)  # noqa: PTH113 - that of a Path raises for a name that is too long
