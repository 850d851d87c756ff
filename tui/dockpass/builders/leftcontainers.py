"""Working containers that podman and buildah leave in their storage when a build is ended in the middle.

A build is marked by a secret that no step mounts: buildah writes the options of a build beside each container
that it makes for it (`userdata/buildah.json`), and so tells whose a container is.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from pathlib import Path

from dockpass.builders.names import BuilderName
from dockpass.dockerconfig.helpers import HelperAnswer
from dockpass.text import plural

LARGEST_STATE = 4 << 20
"""Bytes of what buildah writes of a container."""
_STATES = "*-containers/*/userdata/buildah.json"
_ID = re.compile(r"[0-9a-f]{64}")


def new_mark() -> str:
    """Return the mark of a build, which no other one has."""
    return f"dockpass-{secrets.token_hex(16)}"


def mark_words(mark: str) -> tuple[str, ...]:
    """Return the options that mark a build."""
    return "--secret", f"id={mark},src=/dev/null"


def marked(storage: Path, mark: str) -> tuple[str, ...]:
    """Return the ids of the containers that a marked build has left."""
    found = []
    for state in storage.glob(_STATES):
        container = state.parts[-3]
        try:
            with state.open("rb") as file:
                is_ours = mark.encode() in file.read(LARGEST_STATE)
        except OSError:
            continue  # it is gone, or somebody else's
        if is_ours and _ID.fullmatch(container):
            found.append(container)
    return tuple(sorted(found))


def remove_marked(name: BuilderName, storage: str, mark: str, ask: Callable[..., HelperAnswer]) -> str:
    """Remove what a marked build has left; say what became of it, nothing where there was nothing.

    `storage` is where the images of podman or buildah are, `ask` calls the program.
    """
    left = marked(Path(storage), mark) if storage else ()
    if not left:
        return ""
    force = ("--force",) if name is BuilderName.PODMAN else ()
    ask("rm", *force, "--", *left)
    if not (stays := marked(Path(storage), mark)):
        return f"{plural(len(left), 'container')} of the build {'is' if len(left) == 1 else 'are'} removed"
    shown = " ".join(each[:12] for each in stays)
    return (
        f"{plural(len(stays), 'container')} of the build stayed in the storage of {name}: {name} rm {shown}"
    )
