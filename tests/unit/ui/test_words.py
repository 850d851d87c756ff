"""Words of the screen."""

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.cells import cell_len

from dockpass.runs.events import ImageDescribed
from dockpass.secrets import Secret
from dockpass.text import clean
from dockpass.ui.screens.revealed import Revealed
from dockpass.ui.views.run import image_lines
from dockpass.ui.views.words import cell, cells, end_of, fitted, from_home, length, plain, shorten, wrapped

NAMES = st.text(st.sampled_from("ab /-部署é\u0301한🚀…"), max_size=60)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("/home/ann/.docker/config.json", "~/.docker/config.json"),
        ("/home/ann", "~"),
        ("read from /home/ann/a, and not /home/ann/b.", "read from ~/a, and not ~/b."),
        ("(/home/ann/a)", "(~/a)"),
        ("unix:///home/ann/run.sock", "unix:///home/ann/run.sock"),
        ("/home/anna/.docker", "/home/anna/.docker"),
        ("/home/ann.old/x", "/home/ann.old/x"),
        ("/srv/home/ann/x", "/srv/home/ann/x"),
        ("in /home/ann.", "in ~."),
    ],
)
def test_paths_in_the_home_are_shortened_and_no_others(text: str, shown: str) -> None:
    assert from_home(text, "/home/ann") == shown


@pytest.mark.parametrize("home", ["", "/"])
def test_without_a_home_nothing_is_shortened(home: str) -> None:
    assert from_home("/root/x", home) == "/root/x"


@given(NAMES, st.integers(1, 40))
@example("デプロイ環境", 8)
@example("部署", 1)
def test_a_column_is_as_wide_as_it_says_whatever_stands_in_it(text: str, width: int) -> None:
    assert cell_len(cell(text, width)) == width
    for shortened in (fitted(text, width), end_of(text, width), shorten(text, width)):
        assert cells(shortened) == cell_len(shortened) <= max(width, 1)
    if cell_len(text) <= width:
        assert fitted(text, width) == end_of(text, width) == shorten(text, width) == text


@given(NAMES, st.integers(2, 40))
def test_a_wrapped_line_has_room_and_loses_no_character(text: str, width: int) -> None:
    lines = wrapped(((text, "text"),), width)
    assert all(length(line) <= width for line in lines)
    assert "".join(plain(lines)).replace(" ", "") == text.replace(" ", "")


@given(NAMES, st.integers(2, 30))
def test_a_revealed_secret_is_whole_and_no_line_is_wider_than_its_room(text: str, width: int) -> None:
    lines = Revealed("TOKEN", Secret(text), 15)._lines(width)
    assert "".join(part for line in lines for part, _ in line) == clean(text)
    assert all(length(line) <= width for line in lines)


@given(st.lists(NAMES.map(clean), max_size=4))
def test_no_name_of_an_images_label_is_cut(names: list[str]) -> None:
    labels = tuple((name, "x") for name in names)
    image = ImageDescribed(0.0, "r.example/a:1", "sha256:0", "", "", "", (), 1, labels)
    lines = image_lines(image)
    assert len({cells(line[0][0]) for line in lines}) == 1
    for line, name in zip(lines[-len(names) :] if names else [], names, strict=True):
        assert line[0][0].startswith(f"label {name}")
