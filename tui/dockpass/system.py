"""What the operating system refuses, in words that name the place."""

from __future__ import annotations

import errno
import os

from dockpass.errors import DockpassError
from dockpass.text import clean

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
_CLOSED = frozenset({errno.EROFS, errno.EACCES, errno.EPERM})


def reason(error: OSError) -> str:
    """Return why, and where if that is known: `Read-only file system: /home/me/.local`."""
    words = clean(error.strerror or str(error) or type(error).__name__)
    path = error.filename if error.filename2 is None else error.filename2
    return f"{words}: {clean(os.fsdecode(path))}" if isinstance(path, str | bytes) and path else words


def refused_by_system(error: OSError) -> DockpassError:
    """Return the failure of work that could not be done for this reason."""
    hint = "Look at what is there."
    if error.errno in _FULL:
        hint = "Free some space there."
    elif error.errno in _CLOSED:
        hint = "Make it writable, or use another place; `dockpass paths` says what lies where."
    return DockpassError("system", f"The system refused: {reason(error)}.", hint)
