"""What is wrong in a settings file is told with the line that says it."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockpass.settings import load_settings


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
        (
            "read_onyl = true",
            1,
            "read_onyl = true is no setting; did you mean read_only? read_only counts as true",
        ),
        (
            'store = """/a\nreveal = 1\n"""\nreveal = 1\n',
            4,
            "reveal = 1 is neither true nor false; reveal counts as false",
        ),
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
    path.write_text('theme = "nord"\nengine = \n')
    (problem,) = load_settings(path).problems
    assert "line 2" in problem


def test_a_file_in_which_everything_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("".join(f"x{number} = 1\n" for number in range(3000)))
    problems = load_settings(path).problems
    assert len(problems) == 3000
    assert problems[-1].startswith(f"{path}:3000: there is no setting x2999")
