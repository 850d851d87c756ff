"""What would bring a variable or a job: each way with what it does to the logins."""

from __future__ import annotations

from collections.abc import Sequence

from dockpass.marks import GLYPH_METHOD
from dockpass.ui.views.words import Line, Span, hanging, method_role
from dockpass.variables.changes import Change
from dockpass.variables.gitlab.resolve import JobView
from dockpass.variables.logins import JobLogin, login_effects

Ways = Sequence[tuple[tuple[Change, ...], JobView]]
"""Changes, and the job after them."""


def way_lines(now: JobView, ways: Ways, width: int) -> list[Line]:
    """Return the ways under a heading; nothing where there is none."""
    lines: list[Line] = [(("What would bring it", "heading"),)] if ways else []
    for changes, view in ways:
        words = " and ".join(change.in_words() for change in changes)
        lines += hanging(((f"{GLYPH_METHOD} ", "good"),), words, "text", width)
        lines += _effects(now, view)
    return lines


def _effects(now: JobView, then: JobView) -> list[Line]:
    changed: dict[tuple[Line, Line], list[str]] = {}
    for before, after in login_effects(now, then, "/", "/"):
        changed.setdefault((_login(before), _login(after)), []).append(str(before.command))
    lines: list[Line] = []
    for (before_words, after_words), commands in changed.items():
        spans: list[Span] = [(f"    {', '.join(commands)} ", "label"), *before_words]
        if before_words != after_words:
            spans += [(" → ", "label"), *after_words]
        else:
            spans.append((" elsewhere", "label"))
        lines.append(tuple(spans))
    return lines


def _login(login: JobLogin) -> Line:
    if login.method is None:
        return (("no repository", "look"),)
    return ((login.method.label, method_role(login.method)),)
