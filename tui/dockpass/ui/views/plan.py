"""The plan of a run, as the question before it shows it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dockpass.marks import GLYPH_EDITED, GLYPH_FAILED
from dockpass.runs.options import RunOption
from dockpass.runs.plan import Plan
from dockpass.text import clean, plural
from dockpass.ui.views.words import Line, cell, fitted, hanging, shorten

TITLE_WIDTH = 19
LONGEST_LINE = 4000
FINDING_OUT = "finding out which builder can build it …"

NAME_WIDTH = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class OptionRow:
    """An option with its value as it is typed, secrets masked, and what holds where it has none."""

    option: RunOption
    text: str
    otherwise: str


def option_rows(rows: Sequence[OptionRow], width: int) -> list[tuple[str, Line]]:
    """Return a row for each option: its name, its value, or what holds without one."""
    room = max(width - NAME_WIDTH, 8)
    return [
        (
            row.option.title,
            (
                (cell(row.option.title, NAME_WIDTH), "strong" if row.text else "label"),
                (fitted(row.text, room), "text") if row.text else (shorten(row.otherwise, room), "absent"),
            ),
        )
        for row in rows
    ]


def stopped_lines(reasons: Sequence[str], width: int) -> list[Line]:
    """Return why a run cannot be started as it is, and what could be done."""
    why, *ways_out = reasons
    lines: list[Line] = [*hanging(((f"{GLYPH_FAILED} ", "bad"),), why, "text", width), ()]
    for each in filter(None, ways_out):
        lines += [*hanging((), each, "text", width), ()]
    return lines


def plan_lines(plan: Plan, sentence: str, edits: int, width: int) -> list[Line]:
    """Return the command line for it, why it logs in as it does, and each step with what it does."""
    lines: list[Line] = []
    if plan.command_line:
        line = clean(" ".join(plan.command_line), LONGEST_LINE)
        lines += [*hanging(((cell("As a command", TITLE_WIDTH), "label"),), line, "accent", width), ()]
    lines += [*hanging((), sentence, "text", width), ()]
    for phase in plan.phases:
        lines += hanging(((cell(phase.title, TITLE_WIDTH), "strong"),), phase.detail, "label", width)
    if builder := FINDING_OUT if plan.waits_for_builder else plan.builder:
        lines += hanging(((cell("Builder", TITLE_WIDTH), "strong"),), builder, "label", width)
    for number, asked in enumerate(plan.asks):
        title = "" if number else "Asks"
        lines += hanging(((cell(title, TITLE_WIDTH), "strong"),), asked, "label", width)
    if plan.needs:
        lines += hanging(((cell("Needs", TITLE_WIDTH), "strong"),), plan.needs, "label", width)
    if edits:
        words = f"with {plural(edits, 'edit')}, for this session only"
        lines += [(), *hanging(((f"{GLYPH_EDITED} ", "look"),), words, "look", width)]
    return lines
