"""A person's own keys: what can hold holds, and what cannot is told with what is meant."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual.keys import _character_to_key
from textual.theme import BUILTIN_THEMES

from dockpass.actions import ACTIONS, PLACES, SCOPES
from dockpass.keymap import checked_keys, key_for, keys_of, normal
from dockpass.settings import THEMES
from dockpass.ui import themes

IDS = sorted({action.id for action in ACTIONS})
KEYS = st.sampled_from(
    [
        *"abcdeghijknpqrtuxyzGQ/?",
        "f1",
        "f7",
        "escape",
        "tab",
        "ctrl+e",
        "ctrl+i",
        "escpae",
        "",
        "a,b",
        "ctrl+p",
    ]
)


def clashes(own: dict[str, str]) -> list[tuple[str, str]]:
    """Places and keys that stand for two actions."""
    found = []
    for place, scopes in PLACES.items():
        keys = [
            key for action in ACTIONS if action.scope in scopes for key in keys_of(action, own).split(",")
        ]
        found += [(place, key) for key in set(keys) if keys.count(key) > 1]
    return found


def test_every_screen_that_an_action_opens_has_a_title_and_its_keys_a_screen() -> None:
    assert {action.scope for action in ACTIONS} <= SCOPES.keys()
    assert {action.opens for action in ACTIONS if action.opens} <= PLACES.keys()


@given(st.dictionaries(st.sampled_from([*IDS, "quitt", "runn"]), KEYS))
def test_what_is_taken_never_clashes_and_everything_else_is_told(own: dict[str, str]) -> None:
    taken, problems = checked_keys(own)
    assert clashes(taken) == []
    assert set(taken) <= set(IDS)
    left_out = set(own) - set(taken)
    assert all(any(name in problem.words for problem in problems) for name in left_out)
    assert bool(problems) == bool(left_out)


@pytest.mark.parametrize(
    ("own", "told"),
    [
        ({"quitt": "x"}, "there is no action quitt; did you mean quit?"),
        ({"runn": "x"}, "there is no action runn; did you mean run?"),
        ({"edit": "q"}, "edit and quit would both be q in Overview; edit keeps e"),
        ({"cancel": "?"}, "cancel and help would both be ? in Run; cancel keeps x"),
        ({"images": "ctrl+i"}, "switch and images would both be tab in Overview"),
        ({"undo": "escpae"}, "'escpae', which is no key; did you mean escape?"),
        ({"copy": "j"}, "j, which is used to move in lists"),
        ({"copy": "ctrl+p"}, "opens the command palette"),
        ({"edit": "f7", "unset": "f7"}, "edit and unset would both be f7"),
    ],
)
def test_what_is_wrong_with_a_key_is_told(own: dict[str, str], told: str) -> None:
    taken, problems = checked_keys(own)
    assert taken == {}
    assert len(problems) == 1
    assert told in problems[0].words
    assert problems[0].action in own


def test_two_actions_may_change_their_keys() -> None:
    own = {"access": "c", "readers": "a", "help": "f1", "filter": "?"}
    taken, problems = checked_keys(own)
    assert problems == ()
    assert taken == {**own, "filter": "question_mark"}
    assert key_for("filter", taken) == "?"


@pytest.mark.parametrize("code", [code for code in range(33, 127) if chr(code) not in "+,"])
def test_characters_are_named_as_the_screen_names_them(code: int) -> None:
    assert normal(chr(code)) == _character_to_key(chr(code))


def test_every_theme_that_there_is_can_be_named() -> None:
    assert set(THEMES) == {*BUILTIN_THEMES, *(theme.name for theme in themes.THEMES)}
