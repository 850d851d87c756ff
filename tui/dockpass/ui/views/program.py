"""What is shown before a program runs: what may be typed, and the plan."""

from __future__ import annotations

from collections.abc import Sequence

from dockpass.marks import GLYPH_EDITED, GLYPH_LOOK
from dockpass.programs.also import Foreseen
from dockpass.programs.planned import Planned
from dockpass.programs.task import names_in_words
from dockpass.programs.typed import TypedLine
from dockpass.text import clean, plural
from dockpass.ui.views.words import Line, cell, from_home, hanging
from dockpass.ui.widgets.panel import Row

TITLE_WIDTH = 14


def line_rows(recent: Sequence[str], examples: Sequence[str]) -> list[Row]:
    """Return the lines that were typed before and the examples; the id of a row is its line."""
    rows: list[Row] = []
    for title, lines in (("RECENT", recent), ("EXAMPLES", [each for each in examples if each not in recent])):
        if lines:
            rows += [(None, ((title, "heading"),)), *((line, ((clean(line), "text"),)) for line in lines)]
    return rows


def typed_words(typed: TypedLine) -> str:
    """Return what is said of a line while it is typed."""
    return f"{GLYPH_LOOK} {typed.problem or typed.note}" if typed.problem or typed.note else ""


def plan_lines(plan: Planned, edits: int, as_command: str, width: int) -> list[Line]:
    """Return the plan: login, rule, config, what is carried over, and what may win anyway."""
    lines: list[Line] = []
    for title, words in (*plan.rows, *((("as a command", as_command),) if as_command else ())):
        lines += hanging(((cell(title.capitalize(), TITLE_WIDTH), "strong"),), words, "label", width)
    for words in plan.warnings:
        lines += hanging(((f"{GLYPH_LOOK} ", "look"),), words, "look", width)
    if edits:
        words = f"{plural(edits, 'edit')} of this session: for the login only, not for the program"
        lines += hanging(((f"{GLYPH_EDITED} ", "look"),), words, "look", width)
    return lines


def also_lines(found: Foreseen, home: str, width: int) -> list[Line]:
    """Return what the person's docker config has for the hosts that are typed, and which others it names."""
    if found.problem:
        return hanging(((f"{GLYPH_LOOK} ", "look"),), found.problem, "look", width)
    lines: list[Line] = []
    for host, words in found.hosts:
        lines += hanging(((f"{host}  ", "strong"),), from_home(words, home), "text", width)
    if found.others:
        lines += hanging((("also in your config  ", "label"),), ", ".join(found.others), "label", width)
    return lines


def unknown_lines(names: Sequence[str], width: int) -> list[Line]:
    """Return which variables of a job have no value here."""
    return [
        *hanging((), "The program gets the variables of the job. These have no value here:", "text", width),
        (),
        *hanging((), names_in_words(names), "strong", width),
    ]
