"""What helps: every key with what it does, and the rules of a cleanup in words."""

from __future__ import annotations

from collections.abc import Mapping

from dockpass.actions import ACTIONS, PLACES, SCOPES, Action
from dockpass.cleanup.rules import parse_rules
from dockpass.errors import UsageError
from dockpass.keymap import key_name
from dockpass.runs.planning import rules_in_words
from dockpass.ui.views.words import Line, cell, hanging

KEY_WIDTH = 11
NOT_NOW = "Not in read-only mode."

RULES_MEAN = (
    "keep-last=N keeps the newest N tags, older-than=30d deletes only older ones, match=REGEX only tags"
    " that match, keep=REGEX never tags that match. You see the plan before anything is deleted."
)


def rules_preview(text: str) -> list[Line]:
    """Return what a line of rules means, or what is wrong with it."""
    try:
        return [((rules_in_words(parse_rules(text)), "text"),)]
    except UsageError as error:
        return [((error.message, "bad"),), ((error.hint, "label"),)]


def action_help(action: Action, *, read_only: bool) -> str:
    """Return what an action does, and whether it is not done in read-only mode."""
    if not read_only or action.act is None:
        return action.help
    return f"{action.help} {'Read-only mode: the plan only.' if action.asks_first else NOT_NOW}"


def help_lines(scope: str, own: Mapping[str, str], width: int, *, read_only: bool = False) -> list[Line]:
    """Return every key that holds with what it does: those of this screen first."""
    here = [each for each in SCOPES if each in PLACES[scope]]
    lines: list[Line] = []
    for each in [*here, *(other for other in SCOPES if other not in here)]:
        lines += [*([()] if lines else []), ((SCOPES[each].upper(), "heading"),)]
        for action in ACTIONS:
            if action.scope == each:
                off = read_only and action.act is not None
                name = f"({key_name(action, own)})" if off else key_name(action, own)
                head = ((cell(name, KEY_WIDTH) + " ", "absent" if off else "accent"),)
                words = action_help(action, read_only=read_only)
                lines += hanging(head, words, "label" if off else "text", width)
    palette = ((cell("ctrl+p", KEY_WIDTH) + " ", "accent"),)
    words = "Command palette: find every action, command, screen, variable and theme by name."
    return [*lines, (), *hanging(palette, words, "text", width)]
