"""What is drawn has no secret in it: masked before it is broken over lines, whatever view it comes from."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from dockpass.secrets import MASK, Redactor, Secret
from dockpass.text import mask_before_cutting
from dockpass.ui.text import content, contents
from dockpass.ui.views.words import REVEALED, Line, hanging, wrapped

TOKEN = "glpat-Zq7017xKw9Vb2Lm"
SENTENCES = (
    f"the job gets {TOKEN}-{TOKEN} from two references",
    "https://robot:Zq7014xKw9Vb2Lm@registry.example.com/web/base:1 is not a valid image",
    "the include https://robot:Zq7014xKw9Vb2Lm@gitlab.example.com/ci.yml was not loaded",
)
WIDTHS = (9, 14, 20, 33, 60, 200)


@pytest.fixture(autouse=True)
def _masking() -> Iterator[None]:
    mask_before_cutting(Redactor([Secret(TOKEN)]))
    try:
        yield
    finally:
        mask_before_cutting(None)


@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("sentence", SENTENCES)
def test_a_wrapped_text_shows_no_part_of_a_secret(sentence: str, width: int) -> None:
    pieces = ("Zq70", "17xK", "14xK", "w9Vb", "b2Lm")
    for lines in (
        hanging((("Why  ", "label"),), sentence, "text", width),
        wrapped(((sentence, "text"),), width),
    ):
        shown = contents(lines).plain.replace("\n", "").replace(" ", "")
        assert not [piece for piece in pieces if piece in shown]
        assert "•" in shown


@pytest.mark.parametrize("sentence", SENTENCES)
def test_a_line_that_fits_is_masked_as_it_is_drawn(sentence: str) -> None:
    line: Line = (("▲ ", "look"), (sentence, "text"))
    for drawn in (content(line), contents([line])):
        assert MASK in drawn.plain
        assert "Zq70" not in drawn.plain


def test_only_what_was_asked_for_is_drawn_as_it_is() -> None:
    assert content(((TOKEN, REVEALED),)).plain == TOKEN
