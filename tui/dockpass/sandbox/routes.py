"""Paths of the distribution specification: what a request is about, checked by the grammar of references."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from urllib.parse import unquote

from dockpass.auth.reference import is_digest, is_repository_path, is_tag
from dockpass.sandbox.answers import Refused, shown


class Kind(Enum):
    """What stands at a path."""

    BASE = "base"
    CATALOG = "catalog"
    TAGS = "tags"
    TAG = "tag"
    UPLOADS = "uploads"
    UPLOAD = "upload"
    BLOB = "blob"
    MANIFEST = "manifest"
    REFERRERS = "referrers"


@dataclass(frozen=True, slots=True)
class Route:
    """A valid path: `reference` is the tag, digest or upload that it names."""

    kind: Kind
    repository: str = ""
    reference: str = ""


# Names may hold the words tags, blobs and manifests too: the last ones in a path are the route's.
_SHAPES = (
    (Kind.TAGS, re.compile(r"(.*)/tags/list()", re.DOTALL)),
    (Kind.TAG, re.compile(r"(.*)/tags/reference/([^/]*)", re.DOTALL)),
    (Kind.UPLOADS, re.compile(r"(.*)/blobs/uploads/?()", re.DOTALL)),
    (Kind.UPLOAD, re.compile(r"(.*)/blobs/uploads/([^/]+)", re.DOTALL)),
    (Kind.BLOB, re.compile(r"(.*)/blobs/([^/]*)", re.DOTALL)),
    (Kind.MANIFEST, re.compile(r"(.*)/manifests/([^/]*)", re.DOTALL)),
    (Kind.REFERRERS, re.compile(r"(.*)/referrers/([^/]*)", re.DOTALL)),
)
_DIGESTS = frozenset({Kind.BLOB, Kind.REFERRERS})


def parse_path(raw_path: str) -> Route | None:
    """Parse the path of a request, percent-encoded as it came; None for no path of a registry.

    Raises `Refused` (NAME_INVALID, TAG_INVALID, DIGEST_INVALID) for names outside the grammar.
    """
    path = unquote(raw_path)
    if path in {"/v2", "/v2/"}:
        return Route(Kind.BASE)
    if path == "/v2/_catalog":
        return Route(Kind.CATALOG)
    if not path.startswith("/v2/"):
        return None
    rest = path.removeprefix("/v2/")
    for kind, shape in _SHAPES:
        found = shape.fullmatch(rest)
        if found:
            return _checked(Route(kind, found[1], found[2]))
    return None


def _checked(route: Route) -> Route:
    require_repository(route.repository)
    if route.kind in _DIGESTS or (route.kind is Kind.MANIFEST and ":" in route.reference):
        require_digest(route.reference)
    elif route.kind in {Kind.MANIFEST, Kind.TAG}:
        require_tag(route.reference)
    return route


def require_repository(name: str) -> str:
    """Return a repository's name, or refuse it."""
    if not is_repository_path(name):
        raise Refused(400, "NAME_INVALID", detail={"name": shown(name)})
    return name


def require_tag(tag: str) -> str:
    """Return a tag, or refuse it."""
    if not is_tag(tag):
        raise Refused(400, "TAG_INVALID", "this is no valid tag", {"tag": shown(tag)})
    return tag


def require_digest(digest: str) -> str:
    """Return a digest, or refuse it."""
    if not is_digest(digest):
        message = "this is no sha256 or sha512 digest"
        raise Refused(400, "DIGEST_INVALID", message, {"digest": shown(digest)})
    return digest
