"""What is wrong in a settings file is told with the line that says it."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockpass.settings import load_settings
from dockpass.settings_lines import MOST_LINES, line_of


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        ('them = "x"', 1, "there is no setting them; did you mean theme?"),
        ('# mine\n\nengine = "auto"\ntheme = "dockpass-drak"', 4, "did you mean dockpass-dark?"),
        ('# theme = "nord"\ntheme = "nrod" # theme', 2, "did you mean nord?"),
        ('[keys]\nedit = "f7"\nquitt = "x"', 3, "there is no action quitt; did you mean quit?"),
        ('keys.edit = "f7"\nkeys.quitt = "x"', 2, "no action quitt"),
        ('reveal = true\nkeys = {edit = "f7", quitt = "x"}', 2, "no action quitt"),
        ('[keys]\nedit = "f7"\nundo = "escpae"', 3, "did you mean escape?"),
        ('[keys]\nimages = "f7"\nedit = "q"', 3, "edit and quit would both be q"),
        ('[keys]\r\n"edit" = "j"\r\n', 2, "edit has j, which is used to move"),
        ("[keys]\nedit = 1", 1, "keys is a table of action = key"),
        ("[old]\nreveal = 1", 1, "there is no setting old"),
        ('[[muted]]\ncheck = "A"\nbecause = "x"\n\n[[muted]]\ncheck = "B"', 5, "needs a check and a reason"),
        ('store = """\ntheme = 1\n"""\n', 1, "store is the absolute path"),
        ('store = """/a\nreveal = 1\n"""\nreveal = 1\n', 4, "reveal is true or false"),
    ],
)
def test_the_line_is_told(tmp_path: Path, text: str, line: int, words: str) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(text.encode())
    (problem,) = load_settings(path).problems
    assert problem.startswith(f"{path}:{line}: ")
    assert words in problem


def test_what_is_no_toml_is_told_with_its_line(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('theme = "nord"\nreveal = \n')
    (problem,) = load_settings(path).problems
    assert "line 2" in problem


def test_of_a_very_long_file_no_line_is_told(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("#\n" * MOST_LINES + "reveal = 1\n")
    assert load_settings(path).problems == (f"{path}: reveal is true or false",)


TEXTS = st.text(st.sampled_from("abc =\"#[]'\\\n"), max_size=20)
STATEMENTS = st.lists(
    st.one_of(
        st.just(""),
        TEXTS.map(lambda text: f"# {text}".replace("\n", " ")),
        TEXTS.map(lambda text: f"'''\n{text}\nwanted = 1'''".replace("''''", "''' '")),
    ),
    max_size=6,
)


@given(STATEMENTS)
def test_no_comment_and_no_text_is_taken_for_a_setting(before: list[str]) -> None:
    import tomllib

    lines = [f"a{at} = {text}" if text.startswith("'''") else text for at, text in enumerate(before)]
    text = "\n".join([*lines, "wanted = 2", "last = 3"])
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return  # the texts ended each other
    assert text.split("\n")[line_of(text, ("wanted",)) - 1] == "wanted = 2"
    assert line_of(text, ("missing",)) == 0
