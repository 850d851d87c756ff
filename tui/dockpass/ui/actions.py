"""Every action once: bindings, footer, help and the page of keys are made from this table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from textual.binding import Binding


@dataclass(frozen=True, slots=True)
class Action:
    """`keys` are Textual's names, separated by commas; `scope` is one of `SCOPES`."""

    id: str
    keys: str
    title: str
    help: str
    scope: str
    shown: bool = True


ACTIONS: tuple[Action, ...] = (
    Action("run", "enter", "run", "Run the selected command: first its plan, then the run.", "overview"),
    Action("edit", "e", "edit", "Change the selected variable or option, and see what follows.", "overview"),
    Action("unset", "u", "unset", "Unset the selected variable or option.", "overview"),
    Action("undo", "backspace", "undo", "Take the last edit back.", "overview"),
    Action("reveal", "r", "reveal", "Show one secret for ten seconds, after a question.", "overview", False),
    Action("access", "a", "access", "Ask the registry what the login may do there.", "overview"),
    Action("filter", "slash", "filter", "Show only variables and options that hold a text.", "overview"),
    Action("switch", "tab", "panel", "Go to the next panel.", "overview"),
    Action("readers", "c", "configs", "Compare how each tool reads docker's config.", "overview"),
    Action("images", "i", "images", "Look at the images of the embedded engine.", "overview"),
    Action(
        "copy", "y", "copy", "Copy the command line, secrets as $NAME; elsewhere what is shown.", "everywhere"
    ),
    Action("command_1", "1", "build", "Select build.", "overview", False),
    Action("command_2", "2", "push", "Select push.", "overview", False),
    Action("command_3", "3", "pull", "Select pull.", "overview", False),
    Action("command_4", "4", "cleanup", "Select cleanup.", "overview", False),
    Action("command_5", "5", "deploy", "Select deploy.", "overview", False),
    Action("tour_do", "space", "do it", "Do what the tour's step is about.", "sandbox", False),
    Action("tour_next", "n", "next", "Go to the tour's next step.", "sandbox", False),
    Action("tour_back", "p", "back", "Go to the tour's step before.", "sandbox", False),
    Action("tour", "t", "tour", "Leave the tour, or come back to it.", "sandbox"),
    Action("cancel", "x", "cancel", "Cancel the run.", "run"),
    Action("search", "slash", "search", "Show only log lines that hold a text.", "run"),
    Action("follow", "f", "follow", "Follow the end of the log, or stay.", "run"),
    Action("back", "escape", "overview", "Go back to the overview.", "run"),
    Action("probe", "enter", "probe", "Ask with the login of this command.", "access"),
    Action("compare", "c", "compare", "Ask with every login at hand, side by side.", "access"),
    Action("ask_push", "p", "push too", "Ask to push to a repository that is not there yet.", "access"),
    Action("accept", "t", "trust", "Accept a token server that has changed, after a question.", "access"),
    Action("panel", "tab", "panel", "Go to the next panel.", "access"),
    Action("leave", "escape", "overview", "Go back to the overview.", "access"),
    Action("ask", "a", "ask helpers", "Ask the credential helpers of the selected registry.", "readers"),
    Action("switch", "tab", "panel", "Go to the next panel.", "readers"),
    Action("back", "escape", "overview", "Go back to the overview.", "readers"),
    Action("remove", "d", "delete", "Take the selected name away, after a question.", "images"),
    Action("prune", "p", "prune", "Remove what no name reaches, after a question.", "images"),
    Action("reload", "r", "read again", "Read the image store again.", "images"),
    Action("switch", "tab", "panel", "Go to the next panel.", "images"),
    Action("back", "escape", "overview", "Go back to the overview.", "images"),
    Action("help", "question_mark", "help", "Show every key.", "everywhere"),
    Action("quit", "q", "quit", "Quit; a run is asked about, then stopped within 5 seconds.", "everywhere"),
)

RUN = ACTIONS[0]
SCOPES = {
    "overview": "Overview",
    "sandbox": "Overview of a sandbox",
    "run": "Run",
    "access": "Access",
    "readers": "Configs",
    "images": "Images",
    "everywhere": "Everywhere",
}
"""Where keys work, with a title each."""

_NAMES = {"slash": "/", "question_mark": "?", "escape": "esc", "backspace": "backspace", "enter": "enter"}


def bindings(scope: str, keys: Mapping[str, str] | None = None) -> list[Binding]:
    """Return the bindings of a scope; `keys` are a person's own keys by action id."""
    own = keys or {}
    return [
        Binding(
            own.get(action.id, action.keys),
            f"app.{action.id}" if action.id == "quit" else action.id,
            action.title,
            show=action.shown,
            key_display=None if action.id in own else key_name(action),
            tooltip=action.help,
            id=action.id,
            priority=action.id == "switch",
        )
        for action in ACTIONS
        if action.scope == scope and action.id != RUN.id
    ]


def row_binding(title: str) -> Binding:
    """Return the key that takes a row. It is the rows' own, so that it comes after the keys before it."""
    return Binding(RUN.keys, "select", title, key_display=key_name(RUN), tooltip=RUN.help, id=RUN.id)


def key_name(action: Action) -> str:
    """Return the key as a person reads it."""
    return _NAMES.get(action.keys, action.keys)


def keys_page() -> str:
    """Return docs/keys.md."""
    lines = [
        "# Keys",
        "",
        "Every key, by where it works. `[keys]` in the settings file gives an action another key",
        "by its id.",
        "",
    ]
    for scope, title in SCOPES.items():
        lines += [f"## {title}", "", "| key | id | what it does |", "|---|---|---|"]
        lines += [
            f"| `{key_name(action)}` | `{action.id}` | {action.help} |"
            for action in ACTIONS
            if action.scope == scope
        ]
        lines.append("")
    lines.append("`j`, `k`, `g` and `G` move in lists and in the log as in vi.")
    lines.append("`ctrl+p` opens the command palette, with themes and everything else.")
    return "\n".join(lines) + "\n"
