"""The Link header (RFC 8288), of which paging needs the next page only."""

from __future__ import annotations

import re

LONGEST = 8 << 10
_LINK = re.compile(r"<([^<>]*)>((?:\s*;\s*[A-Za-z*]+\s*=\s*(?:\"[^\"]*\"|[^\s;,\"]*))*)")
_NEXT = re.compile(r""";\s*rel\s*=\s*(?:"(?:[^"]*\s)?next(?:\s[^"]*)?"|next)\s*(?=;|$)""", re.IGNORECASE)


def next_page(header: str) -> str:
    """Return the target of the first link whose relation is `next`, or the empty string."""
    for target, parameters in _LINK.findall(header[:LONGEST]):
        if _NEXT.search(parameters):
            return str(target)
    return ""
