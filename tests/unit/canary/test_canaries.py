"""The search that the other tests of this directory rest on finds what it should."""

from __future__ import annotations

import pytest
from canaries import ODD, PIECE, Aviary, all_spelled, spellings

AVIARY = Aviary()
CANARY = AVIARY("an input")


@pytest.mark.parametrize("name", spellings(""))
def test_every_spelling_is_found(name: str) -> None:
    assert AVIARY.find(f"… {spellings(CANARY.value)[name]} …")


@pytest.mark.parametrize("case", [str.upper, str.lower])
def test_so_it_is_in_another_case(case: object) -> None:
    assert AVIARY.find(case(CANARY.value))  # type: ignore[operator]


def test_a_piece_is_found_and_less_is_not() -> None:
    first, last = CANARY.halves
    assert AVIARY.find(first[3 : 3 + PIECE])
    assert AVIARY.find(last[-PIECE:])
    assert not AVIARY.find(f"{first[: PIECE - 1]} {ODD} {last[: PIECE - 1]}")


def test_another_secret_is_told_apart() -> None:
    assert not AVIARY.find(all_spelled(Aviary()("another input").value))
