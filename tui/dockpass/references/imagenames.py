"""Names of images as a build normalises them: host, `library/`, tag.

`reference` is stricter about what a request may be sent to; here the question is what BuildKit asks for.
"""

from __future__ import annotations

import re

from dockpass.references.address import DOCKER_HUB_HOST
from dockpass.references.grammar import COMPONENT, HOST_NAME, IMAGE_ID, LONGEST_NAME, TAG, split_host

_NAME = re.compile(rf"(?:(?:{HOST_NAME}|\[[0-9A-Fa-f:]+\])(?::[0-9]+)?/)?{COMPONENT}(?:/{COMPONENT})*")
_DIGEST = re.compile(r"sha256:[a-f0-9]{64}|sha384:[a-f0-9]{96}|sha512:[a-f0-9]{128}")


def normalised(image: str) -> str:
    """Return `host/path:tag@digest` for what docker takes as a reference; empty for anything else."""
    name, at, digest = image.partition("@")
    if IMAGE_ID.fullmatch(image) or (at and not _DIGEST.fullmatch(digest)):
        return ""
    head, slash, last = name.rpartition("/")
    last, colon, tag = last.partition(":")
    if colon and not TAG.fullmatch(tag):
        return ""
    host, path = _split(head + slash + last)
    full = f"{host}/{path}"
    if not _NAME.fullmatch(full) or len(full) > LONGEST_NAME:
        return ""
    return full + (f":{tag}" if tag else "" if at else ":latest") + at + digest


def familiar(image: str) -> str:
    """Return the short form under which a named context replaces an image; empty for no reference."""
    full = normalised(image)
    short = full.removeprefix(f"{DOCKER_HUB_HOST}/")
    official = short.removeprefix("library/")
    if full != short and "/" not in official:
        short = official
    return short.removesuffix(":latest")


def _split(name: str) -> tuple[str, str]:
    host, path = split_host(name)
    if host in {"", "index.docker.io"}:
        host = DOCKER_HUB_HOST
    return host, f"library/{path}" if host == DOCKER_HUB_HOST and "/" not in path else path
