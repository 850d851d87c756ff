"""Paths of the distribution specification: what a request is about, checked by the grammar of references."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import Enum
from urllib.parse import unquote

from dockpass.references.reference import is_digest, is_repository_path, is_tag
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

ALGORITHMS = ("sha256", "sha512")


def parse_path(raw_path: str) -> Route | None:
    """Parse the path of a request, percent-encoded as it came; None for no path of a registry.

    Raises `Refused` for names outside the grammar: NAME_INVALID and DIGEST_INVALID with 400, and
    MANIFEST_UNKNOWN with 404 for a tag. No manifest can have such a tag: the specification's own suite asks
    for 404, and the routes of Distribution and of GitLab's fork do not match. (Both list a TAG_INVALID,
    once a matter of schema 1, and do not send it for this.)
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
    elif route.kind in {Kind.MANIFEST, Kind.TAG} and not is_tag(route.reference):
        detail = {"reference": shown(route.reference)}
        raise Refused(404, "MANIFEST_UNKNOWN", "this is not a valid tag", detail)
    return route


def require_repository(name: str) -> str:
    """Return a repository's name, or refuse it."""
    if not is_repository_path(name):
        raise Refused(400, "NAME_INVALID", detail={"name": shown(name)})
    return name


def require_tag(tag: str) -> str:
    """Return a tag that a manifest is to get, or refuse it, as zot does."""
    if not is_tag(tag):
        raise Refused(400, "MANIFEST_INVALID", "this is not a valid tag", {"tag": shown(tag)})
    return tag


def require_algorithm(name: str) -> str:
    """Return the name of an algorithm of digests, or refuse it (spec.md, "Pushing blobs")."""
    if name not in ALGORITHMS:
        message = f"digests are by {' or '.join(ALGORITHMS)} here"
        raise Refused(400, "DIGEST_INVALID", message, {"digest-algorithm": shown(name)})
    return name


def require_digest(digest: str) -> str:
    """Return a digest, or refuse it."""
    if not is_digest(digest):
        message = "this is no sha256 or sha512 digest"
        raise Refused(400, "DIGEST_INVALID", message, {"digest": shown(digest)})
    return digest
