"""What helps: every key with what it does, and the rules of a cleanup in words."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dockpass.actions import ACTIONS, PLACES, RUN, SCOPES, Action
from dockpass.cleanup.rules import parse_rules
from dockpass.errors import UsageError
from dockpass.keymap import MOVES, key_name
from dockpass.runs.planning import rules_in_words
from dockpass.ui.views.words import Line, cell, hanging

KEY_WIDTH = 11
NOT_NOW = "Not in read-only mode."

RULES_MEAN = (
    "keep-last=N keeps the newest N images, older-than=30d deletes only older ones, match=REGEX only tags"
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


@dataclass(frozen=True, slots=True)
class PanelHelp:
    """The panel that has the keys: its id, its title, and what enter does in it, if it does anything."""

    id: str
    title: str
    enter: str = ""


def help_lines(
    scope: str,
    own: Mapping[str, str],
    width: int,
    *,
    read_only: bool = False,
    panel: PanelHelp | None = None,
) -> list[Line]:
    """Return every key with what it does: those of the panel first, then of this screen, then all others."""
    here = [each for each in SCOPES if each in PLACES[scope]]
    within = [each for each in ACTIONS if panel and each.scope in here and each.within == panel.id]
    lines: list[Line] = []
    if panel is not None:
        lines.append(((f"PANEL {panel.title.upper()}", "heading"),))
        if panel.enter == RUN.help:
            lines += _action_lines(RUN, own, width, read_only=read_only)
        elif panel.enter:
            lines += _key_lines(key_name(RUN, own), panel.enter, width)
        for action in within:
            lines += _action_lines(action, own, width, read_only=read_only)
        for keys, words in MOVES:
            lines += _key_lines(keys, words, width)
    for each in [*here, *(other for other in SCOPES if other not in here)]:
        lines += [*([()] if lines else []), ((SCOPES[each].upper(), "heading"),)]
        for action in ACTIONS:
            if action.scope == each and action not in within and not (action is RUN and panel):
                lines += _action_lines(action, own, width, read_only=read_only)
    words = "Command palette: find every action, command, screen, variable, theme and repository by name."
    return [*lines, (), *_key_lines("ctrl+p", words, width)]


def _key_lines(keys: str, words: str, width: int) -> list[Line]:
    return hanging(((cell(keys, KEY_WIDTH) + " ", "accent"),), words, "text", width)


def _action_lines(action: Action, own: Mapping[str, str], width: int, *, read_only: bool) -> list[Line]:
    off = read_only and action.act is not None
    name = f"({key_name(action, own)})" if off else key_name(action, own)
    head = ((cell(name, KEY_WIDTH) + " ", "absent" if off else "accent"),)
    return hanging(head, action_help(action, read_only=read_only), "label" if off else "text", width)
