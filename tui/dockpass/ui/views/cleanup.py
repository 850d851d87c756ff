"""The plan of a cleanup: one line for each tag."""

from __future__ import annotations

from collections.abc import Sequence

from dockpass.runs.events import TagPlanned
from dockpass.ui.views.words import GLYPH_DONE, GLYPH_FAILED, Line, Span, cell, shorten

DELETES = "delete"


def plan_rows(tags: Sequence[TagPlanned], width: int) -> list[Line]:
    """Return one line for each tag, those that go first; the names are whole where there is room."""
    ordered = sorted(tags, key=lambda tag: tag.action != DELETES)
    longest = max((len(tag.tag) for tag in tags), default=0)
    names = min(longest, max(width // 2, 20))
    return [_row(tag, names, width) for tag in ordered]


def _row(tag: TagPlanned, names: int, width: int) -> Line:
    goes = tag.action == DELETES
    mark: Span = (f"{GLYPH_FAILED} delete  ", "bad") if goes else (f"{GLYPH_DONE} keep    ", "good")
    reason = shorten(tag.reason, max(width - len(mark[0]) - names - 2, 12))
    return (mark, (cell(tag.tag, names) + "  ", "text" if goes else "label"), (reason, "label"))


def plan_counts(tags: Sequence[TagPlanned]) -> str:
    """Return `26 delete · 11 keep`."""
    going = sum(tag.action == DELETES for tag in tags)
    return f"{going:,} delete · {len(tags) - going:,} keep"
