"""Whether GitLab would save a value as masked (`app/models/concerns/ci/maskable.rb`)."""

from __future__ import annotations

import re

SHORTEST_MASKED = 8

_EXPANDED = re.compile(r"[a-zA-Z0-9_+=/@:.~-]*")
_BLANK = re.compile(r"[ \t\r\n\f\v]")


def why_not_maskable(value: str, *, raw: bool) -> str:
    """Return why GitLab refuses to mask a value, in words that follow “because”; empty where it masks it.

    `raw` tells that the variable is not expanded: then any character but a blank may be in it.
    """
    if len(value) < SHORTEST_MASKED:
        return f"it is shorter than {SHORTEST_MASKED} characters"
    if "\n" in value or "\r" in value:
        return "it has several lines"
    if _BLANK.search(value):
        return "it has blanks"
    if not raw and not _EXPANDED.fullmatch(value):
        return "it is expanded, and has other characters than letters, digits and _ + = / @ : . ~ -"
    return ""
