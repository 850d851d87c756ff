"""The schema of the settings says what dockpass takes: neither more nor less."""

from __future__ import annotations

import tomllib
from dataclasses import fields
from pathlib import Path

import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from dockpass.actions import ACTIONS
from dockpass.keymap import checked_keys
from dockpass.settings import ENGINES, THEMES, Settings, load_settings
from dockpass.settings_schema import settings_schema

SCHEMA = settings_schema()
VALIDATOR = Draft202012Validator(SCHEMA)
IDS = sorted({action.id for action in ACTIONS})


def test_it_is_a_schema_with_every_setting_and_every_action() -> None:
    Draft202012Validator.check_schema(SCHEMA)
    assert list(SCHEMA["properties"]) == [each.name for each in fields(Settings)]
    assert sorted(SCHEMA["properties"]["keys"]["properties"]) == IDS


def test_the_defaults_hold() -> None:
    assert VALIDATOR.is_valid({name: each["default"] for name, each in SCHEMA["properties"].items()})


@pytest.mark.parametrize(
    "text",
    [
        'theme = "nord"\nengine = "embedded"\nstore = "/var/images"\ngitlab_version = "17.11.3-ee"\nreveal = false',
        '[keys]\nedit = "f7"\nimages = "ctrl+o,f8"\nhelp = "?"\ncopy = "+"\nreport = "ctrl+/"',
        '[[muted]]\ncheck = "DP-SEC-010"\nbecause = "a public key"\n[[muted]]\ncheck = "x"\nabout = "*"\nbecause = "y"',
        "",
        'them = "nord"',
        'theme = "nrod"',
        "theme = 1",
        'engine = "lxc"',
        'store = "images"',
        'gitlab_version = "new"',
        'reveal = "yes"',
        'keys = "f7"',
        '[keys]\nquitt = "x"',
        '[keys]\nedit = "escpae"',
        '[keys]\nedit = ""',
        '[keys]\nedit = "j"',
        '[keys]\nedit = "f7,ctrl+p"',
        '[keys]\nedit = "hyper+"',
        "[keys]\nedit = 7",
        'muted = "x"',
        '[[muted]]\ncheck = "x"',
        '[[muted]]\ncheck = "x"\nbecause = " "',
        '[[muted]]\ncheck = ""\nbecause = "x"',
        '[[muted]]\ncheck = "x"\nbecause = "y"\nuntil = "z"',
    ],
)
def test_it_takes_what_dockpass_takes(tmp_path: Path, text: str) -> None:
    path = tmp_path / "config.toml"
    path.write_text(text)
    assert VALIDATOR.is_valid(tomllib.loads(text)) == (not load_settings(path).problems)


VALUES = st.one_of(st.booleans(), st.integers(), st.text(max_size=8), st.sampled_from([*ENGINES, *THEMES]))


@given(st.dictionaries(st.sampled_from([*SCHEMA["properties"], "thme"]), VALUES, max_size=3))
def test_no_value_is_judged_otherwise(
    tmp_path_factory: pytest.TempPathFactory, found: dict[str, object]
) -> None:
    path = tmp_path_factory.getbasetemp() / "any.toml"
    path.write_text(tomli_w.dumps(found), encoding="utf-8")
    assert VALIDATOR.is_valid(found) == (not load_settings(path).problems)


PARTS = st.sampled_from(
    [
        "ctrl",
        "shift",
        "alt",
        "super",
        "a",
        "Z",
        "7",
        "j",
        "G",
        "up",
        "f1",
        "f24",
        "f25",
        "tab",
        "plus",
        "slash",
        *"+/?!-_#\\$*.[({|^",
        "escape",
        "esc",
        "",
        " ",
        "page_up",
        "pageup",
        "ctrl+i",
        "p",
    ]
)
KEYS = st.lists(st.lists(PARTS, min_size=1, max_size=3).map("+".join), min_size=1, max_size=2).map(",".join)


@given(KEYS)
def test_a_key_is_judged_as_on_the_screen(keys: str) -> None:
    _, problems = checked_keys({"tour_do": keys})
    clashes = [each for each in problems if "would both be" in each.words]
    assert VALIDATOR.is_valid({"keys": {"tour_do": keys}}) == (not problems or bool(clashes))
