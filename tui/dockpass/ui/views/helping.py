"""What helps: every key with what it does, and the rules of a cleanup in words."""

from __future__ import annotations

from dockpass.errors import UsageError
from dockpass.runs.planning import rules_in_words
from dockpass.runs.rules import parse_rules
from dockpass.ui.actions import ACTIONS, SCOPES, key_name
from dockpass.ui.views.words import Line, cell

RULES_MEAN = (
    "keep-last=N keeps the newest N, older-than=30d deletes only what is older, match=REGEX only tags"
    " like it, keep=REGEX never tags like it. What would go is shown before anything is deleted."
)


def rules_preview(text: str) -> list[Line]:
    """Return what a line of rules means, or what is wrong with it."""
    try:
        return [((rules_in_words(parse_rules(text)), "text"),)]
    except UsageError as error:
        return [((error.message, "bad"),), ((error.hint, "label"),)]


def help_lines() -> list[Line]:
    """Return every key with what it does, by where it works."""
    lines: list[Line] = []
    for scope in SCOPES:
        lines += [*([()] if lines else []), ((scope.upper(), "heading"),)]
        lines += [
            ((cell(key_name(action), 11), "accent"), (action.help, "text"))
            for action in ACTIONS
            if action.scope == scope
        ]
    return [
        *lines,
        (),
        (("ctrl+p", "accent"), ("     The command palette: themes and everything else.", "text")),
    ]
