"""The tour's panel, as lines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dockpass.keymap import key_for
from dockpass.marks import GLYPH_DONE, GLYPH_NOT_REACHED, GLYPH_NOW
from dockpass.ui.tour import Step
from dockpass.ui.views.words import Line, Span


def tour_title(number: int, count: int, step: Step) -> str:
    """Return the title of the panel."""
    return f"Tour {number} of {count}: {step.title}"


def tour_keys(number: int, count: int, step: Step, own: Mapping[str, str]) -> str:
    """Return the keys that lead on from here, as they hold."""
    keys = [f"{key_for('tour_do', own)} does it"] if step.runs or step.program else []
    keys += [f"{key_for('tour_next', own)} next"] if number < count else []
    keys += [f"{key_for('tour_back', own)} back"] if number > 1 else []
    return " · ".join([*keys, f"{key_for('tour', own)} leave"])


def tour_lines(step: Step, done: Sequence[bool], number: int, so_far: str = "") -> list[Line]:
    """Return the text of a step, and how far the tour is; `so_far` says what a step still needs."""
    marks: list[Span] = []
    for at, is_done in enumerate(done, 1):
        if at == number:
            marks.append((f"{GLYPH_NOW} ", "accent"))
        elif at < number and is_done:
            marks.append((f"{GLYPH_DONE} ", "good"))
        else:
            marks.append((f"{GLYPH_NOT_REACHED} ", "absent"))
    is_over = done[number - 1] and number > 1
    state: Span = ("  done", "good") if is_over else (so_far and f"  {so_far}", "look")
    return [((step.text, "text"),), (*marks, state)]
