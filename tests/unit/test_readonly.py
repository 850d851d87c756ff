"""Read-only mode: what switches it on, and that nothing in doubt leaves it off."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockpass.errors import ExitCode, NotAllowed
from dockpass.readonly import VARIABLE, Act, ReadOnly, find_read_only
from dockpass.settings import load_settings


@pytest.mark.parametrize("value", ["1", "true", "yes", "TRUE", "on", "flase", "  x"])
def test_any_other_value_of_the_variable_switches_it_on(value: str) -> None:
    assert find_read_only({VARIABLE: value}, asked=False, set_in="")


@pytest.mark.parametrize("value", ["", "0", "false", "False", "no", "off", " OFF "])
def test_these_values_leave_it_off(value: str) -> None:
    assert not find_read_only({VARIABLE: value}, asked=False, set_in="")


@given(st.booleans(), st.sampled_from(["", "0", "1"]), st.sampled_from(["", "/etc/config.toml"]))
def test_each_is_enough_and_all_are_named(asked: bool, value: str, set_in: str) -> None:
    found = find_read_only({VARIABLE: value}, asked=asked, set_in=set_in)
    assert bool(found) == (asked or value == "1" or bool(set_in))
    refusal = found.forbids(Act.RUN)
    assert (refusal is not None) == bool(found)
    if refusal is not None:
        assert ("--read-only" in refusal.hint) == asked
        assert (VARIABLE in refusal.hint) == (value == "1")
        assert ("/etc/config.toml" in refusal.hint) == bool(set_in)


@pytest.mark.parametrize("act", Act)
def test_a_refusal_says_what_is_not_done_and_how_to_leave_the_mode(act: Act) -> None:
    with pytest.raises(NotAllowed) as raised:
        find_read_only({}, asked=True, set_in="").refuse(act)
    assert raised.value.message == f"In read-only mode {act}."
    assert raised.value.hint == "To leave the mode, omit --read-only."
    assert raised.value.exit_code == ExitCode.NOT_ALLOWED
    ReadOnly().refuse(act)


@pytest.mark.parametrize(
    ("text", "is_on", "is_problem"),
    [
        ("read_only = true", True, False),
        ("read_only = false", False, False),
        ("", False, False),
        ("read_only = 1", True, True),
        ('read_only = "yes"', True, True),
        ("read_only = 0", True, True),
        ("readonly = true", True, True),
        ("read-only = true", True, True),
        ("Read_Only = true", True, True),
        ("read_onyl = true", True, True),
        ("raed_only = 1", True, True),
        ("red-only = true\ntheme = ", True, True),
        ("read_onyl = false", False, True),
        ("readers = true", False, True),
        ("readonly = false", False, True),
        ("read_only = true\ntheme = ", True, True),
        ("theme =\n  'read-only' = true", True, True),
        ("# read_only = true\ntheme = ", False, True),
    ],
)
def test_a_setting_in_doubt_counts_as_on_and_is_told(
    tmp_path: Path, text: str, is_on: bool, is_problem: bool
) -> None:
    path = tmp_path / "config.toml"
    path.write_text(text)
    loaded = load_settings(path)
    assert loaded.settings.read_only is is_on
    assert bool(loaded.problems) == is_problem
    if is_on:
        assert loaded.sources["read_only"] == str(path)


@pytest.mark.parametrize(
    ("text", "is_shown", "is_problem"),
    [
        ("reveal = false", False, False),
        ("reveal = true", True, False),
        ("", True, False),
        ("reveal = 0", False, True),
        ('reveal = "false"', False, True),
        ('reveal = "yes"', False, True),
        ("Reveal = false", False, True),
        ("reveall = false", False, True),
        ("revael = 0", False, True),
        ("revert = false", True, True),
        ("Reveal = true", True, True),
        ("reveal = false\ntheme = ", False, True),
        ("# reveal = false\ntheme = ", True, True),
    ],
)
def test_secrets_stay_hidden_where_the_setting_is_in_doubt(
    tmp_path: Path, text: str, is_shown: bool, is_problem: bool
) -> None:
    path = tmp_path / "config.toml"
    path.write_text(text)
    loaded = load_settings(path)
    assert loaded.settings.reveal is is_shown
    assert bool(loaded.problems) == is_problem
    assert not loaded.settings.read_only
