"""Names of images as docker normalises them: host, `library/`, tag.

The grammar is the distribution project's.

`reference` is stricter in what it sends anything to; here the question is what a build asks for.
"""

from __future__ import annotations

import re

HUB = "docker.io"

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
_NAME = re.compile(
    rf"(?:(?:{_LABEL}(?:\.{_LABEL})*|\[[0-9A-Fa-f:]+\])(?::[0-9]+)?/)?"
    r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*(?:/[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*)*"
)
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}")
_DIGEST = re.compile(r"sha256:[a-f0-9]{64}|sha384:[a-f0-9]{96}|sha512:[a-f0-9]{128}")
_IDENTIFIER = re.compile(r"[a-f0-9]{64}")
_LONGEST = 255


def normalised(image: str) -> str:
    """Return `host/path:tag@digest` for what docker takes as a reference; empty for anything else."""
    name, at, digest = image.partition("@")
    if _IDENTIFIER.fullmatch(image) or (at and not _DIGEST.fullmatch(digest)):
        return ""
    head, slash, last = name.rpartition("/")
    last, colon, tag = last.partition(":")
    if colon and not _TAG.fullmatch(tag):
        return ""
    host, path = _split(head + slash + last)
    full = f"{host}/{path}"
    if not _NAME.fullmatch(full) or len(full) > _LONGEST:
        return ""
    return full + (f":{tag}" if tag else "" if at else ":latest") + at + digest


def familiar(image: str) -> str:
    """Return the short form under which a named context replaces an image; empty for no reference."""
    full = normalised(image)
    short = full.removeprefix(f"{HUB}/")
    official = short.removeprefix("library/")
    if full != short and "/" not in official:
        short = official
    return short.removesuffix(":latest")


def _split(name: str) -> tuple[str, str]:
    first, slash, rest = name.partition("/")
    named = bool(slash) and ("." in first or ":" in first or first == "localhost" or first != first.lower())
    host, path = (first, rest) if named else (HUB, name)
    if host == "index.docker.io":
        host = HUB
    return host, f"library/{path}" if host == HUB and "/" not in path else path
