"""Settings are checked when they are read, and written without loss."""

from __future__ import annotations

import logging
import tomllib
from pathlib import Path

import pytest

from dockpass.errors import DockpassError
from dockpass.logfile import start_log
from dockpass.secrets import Redactor, Secret
from dockpass.settings import Settings, load_settings, save_setting


def test_without_a_file_the_defaults_hold(tmp_path: Path) -> None:
    loaded = load_settings(tmp_path / "none.toml")
    assert loaded.settings == Settings()
    assert set(loaded.sources.values()) == {"default"}
    assert loaded.problems == ()


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ('them = "x"', "there is no setting them; did you mean theme?"),
        ('engine = "lxc"', "engine is one of auto, docker"),
        ("keys = 1", "keys is a table"),
        ("theme = ", "Invalid value"),
        ('theme = "dockpas-dark"', "no such theme; did you mean dockpass-dark?"),
        ('theme = "x"', "theme is 'x', and there is no such theme; `dockpass settings --schema` lists them"),
        ('theme = ""', "theme is the name of a theme"),
        ('[keys]\nquitt = "x"', "keys: there is no action quitt; did you mean quit?"),
        ('[keys]\nedit = "q"', "keys: edit and quit would both b"),
    ],
)
def test_what_is_wrong_is_said_with_the_file_and_the_default_is_used(
    tmp_path: Path, text: str, problem: str
) -> None:
    path = tmp_path / "config.toml"
    path.write_text(text)
    loaded = load_settings(path)
    assert loaded.settings == Settings()
    assert str(path) in loaded.problems[0]
    assert problem in loaded.problems[0]


def test_a_change_keeps_every_other_setting(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "config.toml"
    save_setting(path, "reveal", False)
    save_setting(path, "theme", "dockpass-light")
    assert tomllib.loads(path.read_text()) == {"reveal": False, "theme": "dockpass-light"}
    assert path.stat().st_mode & 0o777 == 0o600
    assert [found.name for found in path.parent.iterdir()] == ["config.toml"]


FILE = """# my settings
engine = "docker"   # the one at work

# what I like
theme = "dockpass-dark" # dark
reveal = false

[keys]  # mine
edit = "f7"
"""


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_change_keeps_comments_order_and_line_ends(tmp_path: Path, end: str) -> None:
    path = tmp_path / "config.toml"
    path.write_bytes(FILE.replace("\n", end).encode())
    save_setting(path, "theme", "nord")
    assert path.read_bytes().decode() == FILE.replace("\n", end).replace('"dockpass-dark"', '"nord"')
    assert load_settings(path).settings.keys == {"edit": "f7"}


def test_a_new_setting_goes_before_the_tables(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text('# mine\n[keys]\nedit = "f7" # so\n')
    save_setting(path, "theme", "nord")
    loaded = load_settings(path)
    assert loaded.problems == ()
    assert (loaded.settings.theme, loaded.settings.keys) == ("nord", {"edit": "f7"})
    assert "# mine" in path.read_text()
    assert "# so" in path.read_text()


def test_a_link_to_the_settings_stays_one(tmp_path: Path) -> None:
    (tmp_path / "dotfiles").mkdir()
    target, path = tmp_path / "dotfiles" / "dockpass.toml", tmp_path / "config.toml"
    target.write_text("# kept\nreveal = true\n")
    path.symlink_to(target)
    save_setting(path, "theme", "nord")
    assert path.is_symlink()
    assert "# kept" in target.read_text()


def test_a_file_that_cannot_be_read_is_not_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "config.toml"
    path.write_text("theme = ")
    with pytest.raises(DockpassError):
        save_setting(path, "theme", "x")
    assert path.read_text() == "theme = "


def test_the_log_file_is_private_redacted_and_made_when_something_is_logged(tmp_path: Path) -> None:
    path = tmp_path / "state" / "dockpass.log"
    start_log(path, Redactor([Secret("canary-secret")]))
    assert not path.exists()
    logger = logging.getLogger("dockpass.test")
    try:
        raise ValueError("with canary-secret \x1b[2J")
    except ValueError:
        logger.exception("failed")
    text = path.read_text()
    assert path.stat().st_mode & 0o777 == 0o600
    assert "ValueError" in text
    assert "canary" not in text
    assert "\x1b" not in text


def test_a_log_that_cannot_be_written_is_no_failure(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    start_log(tmp_path / "file" / "dockpass.log", Redactor())
    logging.getLogger("dockpass.test").warning("to nowhere")
    assert capsys.readouterr().err == ""
