"""Every error id is in the table that docs/errors.md is made from, and every id in it is raised somewhere."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from dockpass.error_ids import all_errors

TOOLS = Path(__file__).parents[2] / "tools"


@pytest.fixture
def raised(monkeypatch: pytest.MonkeyPatch) -> dict[str, frozenset[int]]:
    monkeypatch.syspath_prepend(str(TOOLS))
    import error_sites

    return error_sites.error_ids()


def listed() -> list[str]:
    return [error_id for errors in all_errors().values() for error_id in errors]


def test_every_id_that_is_raised_is_listed(raised: dict[str, frozenset[int]]) -> None:
    missing = set(raised) - set(listed())
    assert not missing, "add what they mean to tui/dockpass/error_ids.py, then run `make docs`"


def test_every_listed_id_is_raised_somewhere(raised: dict[str, frozenset[int]]) -> None:
    assert not set(listed()) - set(raised)


def test_an_error_is_made_in_one_place(monkeypatch: pytest.MonkeyPatch) -> None:
    """One id, one function; where a script can meet an id with two exit statuses, one function for each."""
    monkeypatch.syspath_prepend(str(TOOLS))
    import error_sites

    several = {error_id: places for error_id, places in error_sites.makers().items() if len(places) > 1}
    assert not several


def test_every_id_is_listed_once_with_a_sentence() -> None:
    assert len(listed()) == len(set(listed()))
    for errors in all_errors().values():
        for meaning in errors.values():
            assert meaning[0].isupper() or meaning.startswith("--")
            assert meaning.endswith(".")


def test_the_scan_sees_literals_in_calls_and_in_constructors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(TOOLS))
    import ast

    import error_sites

    text = """
class Mine(NotAllowed):
    def __init__(self):
        super().__init__("mine", "It is mine.")

def f():
    raise UsageError("yours", "It is yours.")
"""
    classes = error_sites._statuses([ast.parse(text)])
    assert set(error_sites._raised(ast.parse(text), classes)) == {
        ("mine", 5, "Mine.__init__"),
        ("yours", 2, "f"),
    }
    assert "error_sites" in sys.modules
