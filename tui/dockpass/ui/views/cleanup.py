"""The plan of a cleanup: one line for each tag."""

from __future__ import annotations

from collections.abc import Sequence

from dockpass.marks import GLYPH_DONE, GLYPH_FAILED
from dockpass.runs.events import TagPlanned
from dockpass.ui.views.words import Line, Span

DELETES = "delete"


def plan_rows(tags: Sequence[TagPlanned]) -> list[Line]:
    """Return one line for each tag, whole, those that go first."""
    ordered = sorted(tags, key=lambda tag: tag.action != DELETES)
    names = min(max((len(tag.tag) for tag in tags), default=0), LONGEST_NAME)
    return [_row(tag, names) for tag in ordered]


LONGEST_NAME = 40
"""Cells of the column of tags; a longer name pushes its reason to the right."""


def _row(tag: TagPlanned, names: int) -> Line:
    goes = tag.action == DELETES
    mark: Span = (f"{GLYPH_FAILED} delete  ", "bad") if goes else (f"{GLYPH_DONE} keep    ", "good")
    return (mark, (f"{tag.tag:{names}}  ", "text" if goes else "label"), (tag.reason, "label"))


def plan_counts(tags: Sequence[TagPlanned]) -> str:
    """Return `26 to delete · 11 to keep`."""
    going = sum(tag.action == DELETES for tag in tags)
    return f"{going:,} to delete · {len(tags) - going:,} to keep"
