"""What is wrong with the image store, or with a blob that should go into it."""

from __future__ import annotations

import shutil
from contextlib import suppress
from pathlib import Path

from dockpass.engines.embedded.manifest import Descriptor
from dockpass.errors import DockpassError
from dockpass.text import clean


def wrong_blob(blob: Descriptor, how: str) -> DockpassError:
    """Return the error for a blob whose bytes are not those that its descriptor promises."""
    return DockpassError(
        "blob-wrong",
        f"The blob {blob.digest[:19]} {how}. Nothing of it was kept.",
        "Try again. If it happens again, the registry or a proxy in front of it alters blobs.",
    )


def damaged(path: Path, how: str = "does not match its digest") -> DockpassError:
    """Return the error for a part of the store that somebody or something changed."""
    return DockpassError(
        "store-damaged",
        f"The image store is damaged: {clean(str(path))} {how}.",
        "Pull or build the image again; that restores it.",
    )


def unwritable(
    path: Path, error: OSError, did: str = "written", rest: str = "What was there before is unchanged."
) -> DockpassError:
    """Return the error for a store that the disk or its rights keep from working."""
    free = ""
    with suppress(OSError):
        free = f" ({shutil.disk_usage(path.parent).free >> 20:,} MiB are free there)"
    return DockpassError(
        "store-unwritable",
        f"The image store cannot be {did} at {clean(str(path))}: {error.strerror or error}{free}. {rest}",
        "Free some space, or name another directory with DOCKPASS_STORE.",
    )
