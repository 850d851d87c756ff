"""The keys of actions: how they are named, a person's own keys, checked, and the page of keys."""

from __future__ import annotations

import difflib
import unicodedata
from collections.abc import Iterator, Mapping
from typing import NamedTuple

from dockpass.actions import ACTIONS, PLACES, SCOPES, Action
from dockpass.text import clean

_NAMES = {
    "slash": "/",
    "question_mark": "?",
    "exclamation_mark": "!",
    "dollar_sign": "$",
    "less_than_sign": "<",
    "greater_than_sign": ">",
    "escape": "esc",
}
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
_MOVES = frozenset(
    {*"hjklgGz", "ctrl+d", "ctrl+u", "up", "down", "left", "right", "home", "end", "pageup", "pagedown"}
)
_TAKEN = {"ctrl+p": "opens the command palette", "ctrl+c": "copies in a field"}


MOVES = (
    ("j, k", "Go down or up, as with the arrow keys."),
    ("g, G", "Go to the first line or to the last, as with home and end."),
    ("ctrl+d/u", "Go half a page down or up; page down and page up go a whole one."),
    ("h, l", "Go sideways in long lines, as with the arrow keys."),
    ("z", "Wrap the long lines of a log; show those of a list or a text in full, or cut them again."),
    ("/", "Search, or filter the list of the screen."),
    ("n, N", "Go to the next match or to the previous one."),
    ("esc", "End the search."),
)
"""What moves in whatever scrolls; these keys cannot be rebound."""


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


class KeyProblem(NamedTuple):
    """What is wrong with the key of an action, in words."""

    action: str
    words: str


def checked_keys(own: Mapping[str, str]) -> tuple[dict[str, str], tuple[KeyProblem, ...]]:
    """Return the own keys that can hold, and what is wrong with the others.

    An action whose own key is wrong keeps its default one.
    """
    taken: dict[str, str] = {}
    problems = []
    for action_id, keys in own.items():
        problem = _problem(action_id, keys)
        if problem:
            problems.append(KeyProblem(action_id, problem))
        else:
            taken[action_id] = ",".join(normal(key) for key in keys.split(","))
    while clashes := list(_clashes(taken)):
        for place, key, ids in clashes:
            at_fault = [action_id for action_id in ids if action_id in taken]
            if not at_fault:
                continue  # already taken out for another place
            for action_id in at_fault:
                del taken[action_id]
            problems.append(KeyProblem(at_fault[0], _clash_words(place, key, ids, at_fault)))
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
            return f"keys: {action_id} has {name}, which is used to move in lists and in the log"
    return ""


def _meant(word: str, known: list[str]) -> str:
    close = difflib.get_close_matches(word, known, 1)
    return f"; did you mean {close[0]}?" if close else ""


def _key_names() -> list[str]:
    named = [normal(chr(code)) for code in range(33, 127) if not chr(code).isalnum()]
    return [*_SPECIAL, *(f"f{number}" for number in range(1, 25)), *named]


def _is_key(name: str) -> bool:
    return (len(name) == 1 and name.isalnum()) or name in _key_names()


def key_pattern() -> str:
    """Return the regular expression of the keys that an action can have, apart from clashes with others.

    It is one that JavaScript has too, as JSON Schema asks for; it lets all characters beyond ASCII pass.
    """
    signs = (chr(code) for code in range(33, 127) if not chr(code).isalnum() and chr(code) not in "+,")
    literal = [f"\\{sign}" if sign in r"\^$.*?()[]{}|/" else sign for sign in signs]
    names = [*sorted(_key_names(), key=len, reverse=True), *literal, "[0-9A-Za-z]", r"[^\x00-\x7f]"]
    modified = rf"(?:(?:{'|'.join(sorted(_MODIFIERS))})\+)*(?:{'|'.join(names)})"
    taken = [key.replace("+", r"\+") for key in sorted({*_MOVES, *_TAKEN})]
    one = rf"\s*(?!(?:{'|'.join(taken)})\s*(?:,|$))(?:{modified}|\+)\s*"
    return f"^{one}(?:,{one})*$"


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
    return f"keys: {' and '.join(ids)} would both be {shown_key(key)} in {SCOPES[place]}; {kept}"


def keys_page() -> str:
    """Return docs/keys.md."""
    lines = [
        "# Keys",
        "",
        'All keys, by screen. To rebind an action, add `id = "key"` under `[keys]` in the settings file,',
        'for example `edit = "f7"`; separate several keys with commas. An unknown id, an unknown key, or',
        "a key that would have two actions on one screen is reported, and the default key is used. `?`",
        "and the last line of the screen show the keys in effect.",
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
        "## In every list, text, log and dialog",
        "",
        "| key | what it does |",
        "|---|---|",
        *(f"| `{keys}` | {words} |" for keys, words in MOVES),
        "",
        "A click selects a row; a second click on it, or the key of `run` (`enter`), opens it.",
        "",
        "Where the rules of a cleanup are typed, `ctrl+t` reads the tags: what goes follows while you type.",
        "In a plan, `enter` changes the selected option, `u` takes it away, `y` copies the command line and",
        "`tab` goes to the steps and back.",
        "",
        "A question is answered with the key on its button; `n` and `esc` say no. A plan is run with",
        "`r`, a deletion is confirmed with `d`. The reasons and the list of a deletion scroll with the keys",
        "above, and `/` searches them; as `n` says no, go to the next match with `down` while you type.",
        "",
        "In an edit dialog `enter` saves, `ctrl+n` unsets the value, and `esc` cancels.",
        "",
        "`ctrl+p` opens the command palette. It finds every action, command, screen, variable, theme and",
        "recent repository by name.",
    ]
    return "\n".join(lines) + "\n"
