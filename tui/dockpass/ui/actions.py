"""Bindings for Textual, from the table of actions."""

from __future__ import annotations

from textual.binding import Binding
from textual.widget import Widget

from dockpass.actions import ACTIONS, RUN, Action
from dockpass.keymap import key_name

OF_APP = frozenset({"quit", "report"})
"""Actions that every screen does alike."""
WITHIN = {(action.scope, action.id): action.within for action in ACTIONS if action.within}
"""The panel that must have the keys for an action, by its place and its id."""
FIRST_RANK = {"switch", "filter", "search"}
"""Actions whose keys work before the focused widget gets them."""


def action_string(action: Action) -> str:
    """Return what Textual runs for an action."""
    if action.opens:
        return f"open('{action.opens}')"
    if action.panel:
        return f"go_to_panel({action.panel})"
    return f"app.{action.id}" if action.id in OF_APP else action.id


def bindings(scope: str) -> list[Binding]:
    """Return the bindings of a scope; a person's own keys are laid over them by their ids."""
    return [
        Binding(
            action.keys,
            action_string(action),
            action.title,
            show=action.shown,
            key_display=key_name(action),
            tooltip=action.help,
            id=action.id,
            priority=action.id in FIRST_RANK,
        )
        for action in ACTIONS
        if action.scope == scope and action.id != RUN.id
    ]


def enter_of(widget: Widget) -> str:
    """Return what the key that chooses a row does in a widget; empty where it has no rows to choose."""
    return next((binding.tooltip for _, binding in widget._bindings if binding.id == RUN.id), "")


def row_binding(title: str, words: str = RUN.help) -> Binding:
    """Return the key that chooses a row; `words` say what that does.

    It is the rows' own, so that it comes after the keys before it.
    """
    return Binding(RUN.keys, "select", title, key_display=key_name(RUN), tooltip=words, id=RUN.id)
