"""The plan of a run, as the question before it shows it."""

from __future__ import annotations

from dockpass.errors import DockpassError
from dockpass.marks import GLYPH_EDITED, GLYPH_FAILED, GLYPH_LOOK
from dockpass.runs.plan import Plan
from dockpass.text import plural
from dockpass.ui.views.words import Line, cell, hanging

TITLE_WIDTH = 19


def refusal_lines(plan: Plan, width: int) -> list[Line]:
    """Return why a build cannot be started here, and what it would ask."""
    why, *ways_out = plan.refusal
    lines: list[Line] = [*hanging(((f"{GLYPH_FAILED} ", "bad"),), why, "text", width), ()]
    for each in ways_out:
        lines += [*hanging((), each, "text", width), ()]
    lines += hanging((), "Nothing was created, and nothing is sent.", "label", width)
    return lines


def plan_lines(
    plan: Plan, sentence: str, edits: int, width: int, *, refusal: DockpassError | None = None
) -> list[Line]:
    """Return why it logs in as it does, and each step with what it does; first why it may not run, if so."""
    lines: list[Line] = []
    if refusal is not None:
        words = f"{refusal.message} {refusal.hint}"
        lines += [*hanging(((f"{GLYPH_LOOK} ", "look"),), words, "look", width), ()]
    lines += [*hanging((), sentence, "text", width), ()]
    for phase in plan.phases:
        lines += hanging(((cell(phase.title, TITLE_WIDTH), "strong"),), phase.detail, "label", width)
    if plan.builder:
        lines += hanging(((cell("Builder", TITLE_WIDTH), "strong"),), plan.builder, "label", width)
    for number, asked in enumerate(plan.asks):
        title = "" if number else "Asks"
        lines += hanging(((cell(title, TITLE_WIDTH), "strong"),), asked, "label", width)
    if edits:
        words = f"with {plural(edits, 'edit')}, for this session only"
        lines += [(), *hanging(((f"{GLYPH_EDITED} ", "look"),), words, "look", width)]
    return lines
