"""Words of the screen."""

import pytest

from dockpass.ui.views.words import from_home


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
