"""Every action once: bindings, footer, palette, help and the page of keys are made from this table.

A person's own keys are checked here too, before anything is drawn.
"""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from dockpass.text import clean


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """`keys` are Textual's names, separated by commas; `scope` is one of `SCOPES`."""

    id: str
    keys: str
    title: str
    help: str
    scope: str
    shown: bool = True


def _action(id: str, keys: str, title: str, help: str, scope: str, shown: bool = True) -> Action:  # noqa: A002
    return Action(id=id, keys=keys, title=title, help=help, scope=scope, shown=shown)


ACTIONS: tuple[Action, ...] = (
    _action("run", "enter", "run", "Run the selected command: first its plan, then the run.", "overview"),
    _action("clear", "escape", "clear filter", "Clear the filter.", "overview"),
    _action("edit", "e", "edit", "Change the selected variable or option, and see what follows.", "overview"),
    _action("unset", "u", "unset", "Unset the selected variable or option.", "overview"),
    _action("undo", "backspace", "undo", "Take the last edit back.", "overview"),
    _action("reveal", "r", "reveal", "Show one secret for ten seconds, after a question.", "overview", False),
    _action("access", "a", "access", "Ask the registry what the login may do there.", "overview"),
    _action("filter", "slash", "filter", "Show only variables and options that hold a text.", "overview"),
    _action("switch", "tab", "panel", "Go to the next panel.", "overview"),
    _action("readers", "c", "configs", "Compare how each tool reads docker's config.", "overview"),
    _action("images", "i", "images", "Look at the images of the embedded engine.", "overview"),
    _action(
        "copy", "y", "copy", "Copy the command line, secrets as $NAME; elsewhere what is shown.", "everywhere"
    ),
    _action("command_1", "1", "build", "Select build.", "overview", False),
    _action("command_2", "2", "push", "Select push.", "overview", False),
    _action("command_3", "3", "pull", "Select pull.", "overview", False),
    _action("command_4", "4", "cleanup", "Select cleanup.", "overview", False),
    _action("command_5", "5", "deploy", "Select deploy.", "overview", False),
    _action("tour_do", "space", "do it", "Do what the tour's step is about.", "sandbox", False),
    _action("tour_next", "n", "next", "Go to the tour's next step.", "sandbox", False),
    _action("tour_back", "p", "back", "Go to the tour's step before.", "sandbox", False),
    _action("tour", "t", "tour", "Leave the tour, or come back to it.", "sandbox"),
    _action("cancel", "x", "cancel", "Cancel the run.", "run"),
    _action("search", "slash", "search", "Show only log lines that hold a text.", "run"),
    _action("follow", "f", "follow", "Follow the end of the log, or stay.", "run"),
    _action("back", "escape", "overview", "Go back to the overview; a search is cleared first.", "run"),
    _action("probe", "enter", "probe", "Ask with the login of this command.", "access"),
    _action("compare", "c", "compare", "Ask with every login at hand, side by side.", "access"),
    _action("ask_push", "p", "push too", "Ask to push to a repository that is not there yet.", "access"),
    _action("accept", "t", "trust", "Accept a token server that has changed, after a question.", "access"),
    _action("panel", "tab", "panel", "Go to the next panel.", "access"),
    _action("leave", "escape", "overview", "Go back to the overview.", "access"),
    _action("ask", "a", "ask helpers", "Ask the credential helpers of the selected registry.", "readers"),
    _action("switch", "tab", "panel", "Go to the next panel.", "readers"),
    _action("back", "escape", "overview", "Go back to the overview.", "readers"),
    _action("remove", "d", "delete", "Take the selected name away, after a question.", "images"),
    _action("prune", "p", "prune", "Remove what no name reaches, after a question.", "images"),
    _action("reload", "r", "read again", "Read the image store again.", "images"),
    _action("filter", "slash", "filter", "Show only images that hold a text.", "images"),
    _action("switch", "tab", "panel", "Go to the next panel.", "images"),
    _action("back", "escape", "overview", "Go back to the overview; a filter is cleared first.", "images"),
    _action("help", "question_mark", "help", "Show every key.", "everywhere"),
    _action("quit", "q", "quit", "Quit; a run is asked about, then stopped within 5 seconds.", "everywhere"),
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

PLACES = {
    "overview": ("overview", "sandbox", "everywhere"),
    **{scope: (scope, "everywhere") for scope in ("run", "access", "readers", "images")},
}
"""The scopes whose keys work at the same time; a key may stand for one action in each place only."""

_NAMES = {"slash": "/", "question_mark": "?", "escape": "esc"}
_REPLACED = {
    "solidus": "slash",
    "reverse_solidus": "backslash",
    "commercial_at": "at",
    "hyphen_minus": "minus",
    "plus_sign": "plus",
    "low_line": "underscore",
}
"""As Textual names characters."""
_SAME = {"ctrl+i": "tab", "ctrl+m": "enter", "ctrl+h": "backspace"}
"""What a terminal cannot tell apart."""
_SPECIAL = (
    *("enter", "tab", "escape", "space", "backspace", "delete", "insert"),
    *("up", "down", "left", "right", "home", "end", "pageup", "pagedown"),
)
_MODIFIERS = frozenset({"ctrl", "shift", "alt", "super", "hyper", "meta"})
_MOVES = frozenset({*"jkgG", "up", "down", "left", "right", "home", "end", "pageup", "pagedown"})
_TAKEN = {"ctrl+p": "opens the command palette", "ctrl+c": "copies in a field"}


def keys_of(action: Action, own: Mapping[str, str]) -> str:
    """Return the keys of an action as they hold, separated by commas."""
    return own.get(action.id, action.keys)


def key_name(action: Action, own: Mapping[str, str] | None = None) -> str:
    """Return the keys that hold as a person reads them."""
    keys = keys_of(action, own or {})
    return ", ".join(_NAMES.get(key, key) for key in map(normal, keys.split(",")))


def shown_key(key: str) -> str:
    """Return one key as a person reads it."""
    return _NAMES.get(key, key)


def key_for(action_id: str, own: Mapping[str, str]) -> str:
    """Return the keys of an action by its id, as a person reads them."""
    return key_name(next(action for action in ACTIONS if action.id == action_id), own)


def normal(key: str) -> str:
    """Return a key by Textual's name of it: `slash` for `/`."""
    *modifiers, last = key.strip().split("+") if key.strip() != "+" else ["+"]
    if len(last) == 1 and not last.isalnum():
        name = unicodedata.name(last, "").lower().replace("-", "_").replace(" ", "_")
        last = _REPLACED.get(name, name)
    whole = "+".join([*modifiers, last])
    return _SAME.get(whole, whole)


def checked_keys(own: Mapping[str, str]) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return the own keys that can hold, and what is wrong with the others.

    An action whose own key is wrong keeps its default one.
    """
    taken: dict[str, str] = {}
    problems = []
    for action_id, keys in own.items():
        problem = _problem(action_id, keys)
        if problem:
            problems.append(problem)
        else:
            taken[action_id] = ",".join(normal(key) for key in keys.split(","))
    while clashes := list(_clashes(taken)):
        for place, key, ids in clashes:
            at_fault = [action_id for action_id in ids if action_id in taken]
            if not at_fault:
                continue  # already taken out for another place
            for action_id in at_fault:
                del taken[action_id]
            problems.append(_clash_words(place, key, ids, at_fault))
    return taken, tuple(problems)


def _problem(action_id: str, keys: str) -> str:
    known = [action.id for action in ACTIONS]
    if action_id not in known:
        return f"keys: there is no action {clean(action_id, 60)}{_meant(action_id, known)}"
    for key in keys.split(","):
        name = normal(key)
        *modifiers, last = name.split("+")
        if not _is_key(last) or not set(modifiers) <= _MODIFIERS:
            return f"keys: {action_id} has {clean(key, 40)!r}, which is no key{_meant(last, _key_names())}"
        if name in _TAKEN:
            return f"keys: {action_id} has {name}, which {_TAKEN[name]}"
        if name in _MOVES:
            return f"keys: {action_id} has {name}, which moves in lists and in the log"
    return ""


def _meant(word: str, known: list[str]) -> str:
    close = difflib.get_close_matches(word, known, 1)
    return f"; did you mean {close[0]}?" if close else ""


def _key_names() -> list[str]:
    named = [normal(chr(code)) for code in range(33, 127) if not chr(code).isalnum()]
    return [*_SPECIAL, *(f"f{number}" for number in range(1, 25)), *named]


def _is_key(name: str) -> bool:
    return (len(name) == 1 and name.isalnum()) or name in _key_names()


def _clashes(own: Mapping[str, str]) -> Iterator[tuple[str, str, list[str]]]:
    """Yield each key that stands for more than one action in a place, with the place and the actions."""
    for place, scopes in PLACES.items():
        by_key: dict[str, list[str]] = {}
        for action in ACTIONS:
            if action.scope in scopes:
                for key in keys_of(action, own).split(","):
                    by_key.setdefault(key, []).append(action.id)
        yield from ((place, key, ids) for key, ids in by_key.items() if len(ids) > 1)


def _clash_words(place: str, key: str, ids: list[str], at_fault: list[str]) -> str:
    kept = ", ".join(f"{action_id} keeps {key_for(action_id, {})}" for action_id in at_fault)
    return f"keys: {' and '.join(ids)} would both have {shown_key(key)} in {SCOPES[place]}; {kept}"


def keys_page() -> str:
    """Return docs/keys.md."""
    lines = [
        "# Keys",
        "",
        "Every key, by where it works. `[keys]` in the settings file gives an action another key",
        'by its id, for example `edit = "f7"`; several are separated by commas. A key that stands for two',
        "actions in one place, an id or a key that there is not, is told, and the default key is used.",
        "`?` and the last line of the screen show the keys that hold.",
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
    lines += [
        "`j`, `k`, `g` and `G` move in lists, texts and the log as in vi; `h` and `l` go sideways in",
        "the log.",
        "A click selects a row; a second click on it, or `enter`, takes it.",
        "",
        "A question is answered by the key that stands on its button, `n` and `esc` say no. A deletion is",
        "confirmed by `d`, where its plan is by `y`; its list scrolls with the same keys, and `/` searches",
        "in it.",
        "",
        "`ctrl+p` opens the command palette. It finds every action, command and screen, every variable to",
        "edit, and every theme, by name.",
    ]
    return "\n".join(lines) + "\n"
