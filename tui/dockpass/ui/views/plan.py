"""The plan of a run, as the question before it shows it."""

from __future__ import annotations

from dockpass.runs.plan import Plan
from dockpass.text import plural
from dockpass.ui.views.words import GLYPH_EDITED, Line, cell, hanging

TITLE_WIDTH = 19


def plan_lines(plan: Plan, sentence: str, edits: int, width: int) -> list[Line]:
    """Return why it logs in as it does, and each step with what it does."""
    lines: list[Line] = [*hanging((), sentence, "text", width), ()]
    for phase in plan.phases:
        lines += hanging(((cell(phase.title, TITLE_WIDTH), "strong"),), phase.detail, "label", width)
    if edits:
        hold = "which holds" if edits == 1 else "which hold"
        lines += [(), *hanging(((f"{GLYPH_EDITED} ", "look"),), _with(edits, hold), "look", width)]
    return lines


def _with(edits: int, hold: str) -> str:
    return f"with {plural(edits, 'edit')}, {hold} for this session only"
