"""What a tall overview shows besides: the other commands, and what the doctor found."""

from __future__ import annotations

from collections.abc import Sequence

from dockpass.auth.decision import Decision, Refusal
from dockpass.findings import Finding
from dockpass.marks import OF_SEVERITY
from dockpass.ui.views.words import OF_LEVEL, Line, cell, hanging

TALL = 48
"""Lines of a terminal that has room for it."""


def roomy_lines(others: Sequence[Decision | Refusal], findings: Sequence[Finding], width: int) -> list[Line]:
    """Return a sentence for each other command, and one for each finding, the worst first."""
    lines: list[Line] = [(), (("The other commands", "heading"),)]
    for decided in others:
        words, role = (
            (decided.sentence, "label") if isinstance(decided, Decision) else (decided.message, "look")
        )
        lines += hanging(((cell(str(decided.command), 9), "strong"),), words, role, width)
    if findings:
        lines += [(), (("What the doctor found", "heading"),)]
    for found in findings:
        mark = ((f"{OF_SEVERITY[found.severity]} ", OF_LEVEL[found.severity]),)
        lines += hanging(mark, found.in_words, "label", width)
    return lines
