"""The Link header (RFC 8288), of which paging needs the next page only."""

from __future__ import annotations

import re
from urllib.parse import unquote, urlsplit

from dockpass.registry.transport import origin, resolve

LONGEST = 8 << 10
_LINK = re.compile(r"<([^<>]*)>((?:\s*;\s*[A-Za-z*]+(?:\s*=\s*(?:\"[^\"]*\"|[^\s;,\"]*))?)*)")
_NEXT = re.compile(r""";\s*rel\s*=\s*(?:"(?:[^"]*\s)?next(?:\s[^"]*)?"|next)\s*(?=;|$)""", re.IGNORECASE)


def next_page(header: str) -> str:
    """Return the target of the first link whose relation is `next`, or the empty string."""
    for target, parameters in _LINK.findall(header[:LONGEST]):
        if _NEXT.search(parameters):
            return str(target)
    return ""


def is_odd(header: str) -> bool:
    """Tell whether a header may mean a next page that `next_page` does not find.

    It is not odd if all of it is links, each with a relation, and none speaks of the next.
    """
    links = [parameters.lower() for _, parameters in _LINK.findall(header[:LONGEST])]
    rest = _LINK.sub("", header[:LONGEST]).strip(" ,\t")
    return bool(rest) or any("rel" not in found or "next" in found for found in links)


def leads_to(url: str, location: str, path: str) -> str | None:
    """Return the address that `location` means in an answer from `url`; None unless it is `path` there."""
    target = resolve(url, location)
    if target is None or origin(target) != origin(url) or not has_path(target, path):
        return None
    return target


def has_path(url: str, path: str) -> bool:
    """Tell whether an address has this path, in whatever spelling."""
    return unquote(urlsplit(url).path) == unquote(path)
