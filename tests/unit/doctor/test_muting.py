"""A muted finding is told as muted, with the reason, and everything else counts as before."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from patients import patients

from dockpass.doctor.examine import Found, examine
from dockpass.doctor.muting import mute_of, muting
from dockpass.doctor.table import TABLE
from dockpass.errors import DockpassError
from dockpass.settings import Mute, load_settings, remove_mute, save_mute


@pytest.fixture
def found(tmp_path: Path) -> Found:
    """`CI_JOB_TOKEN` ends with a line break."""
    env = {"CI_REGISTRY": "registry.example.com", "CI_JOB_TOKEN": "s3cret-word-42\n"}
    everything = examine(patients({"env": env}, tmp_path), TABLE)
    return next(each for each in everything if each.check.name == "line-end")


@pytest.mark.parametrize(
    ("mute", "mutes"),
    [
        (Mute("DP-SEC-002", "checked"), True),
        (Mute("line-end", "checked"), True),
        (Mute("line-end", "checked", "CI_JOB_TOKEN"), True),
        (Mute("line-end", "checked", "CI_*"), True),
        (Mute("line-end", "checked", "CI_REGISTRY*"), False),
        (Mute("blanks", "checked"), False),
        (Mute("DP-SEC-00", "checked"), False),
    ],
)
def test_what_a_mute_is_for(found: Found, mute: Mute, mutes: bool) -> None:
    assert (muting(found, [Mute("other", "x"), mute]) == mute) is mutes


def test_the_settings_need_a_check_and_a_reason(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text('[[muted]]\ncheck = "DP-SEC-002"\nabout = "A"\nbecause = "checked"\n')
    loaded = load_settings(path)
    assert (loaded.settings.muted, loaded.problems) == ((Mute("DP-SEC-002", "checked", "A"),), ())
    for wrong in (
        'muted = "DP-SEC-002"',
        '[[muted]]\ncheck = "DP-SEC-002"',
        '[[muted]]\ncheck = "DP-SEC-002"\nbecause = " "',
        '[[muted]]\ncheck = "DP-SEC-002"\nbecause = "x"\nuntil = "y"',
        '[[muted]]\ncheck = 2\nbecause = "x"',
        '[muted]\ncheck = "DP-SEC-002"\nbecause = "x"',
        "muted = [1]",
        "muted = {}",
        '[[muted]]\ncheck = "DP-SEC-002"\nbecause = "x"\n[[muted]]\ncheck = "DP-SEC-003"',
    ):
        path.write_text(wrong)
        loaded = load_settings(path)
        assert (loaded.settings.muted, len(loaded.problems)) == ((), 1), wrong
        with pytest.raises(DockpassError, match="was not changed, because muted"):
            save_mute(path, Mute("line-end", "x"))
        assert path.read_text() == wrong


def test_a_mute_is_written_and_the_rest_of_the_file_stays(tmp_path: Path) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(
        '# mine\ntheme = "nord"\n\n[[muted]]  # known\ncheck = "DP-SEC-002"\nbecause = "checked"\n\n[keys]\nedit = "f7"\n'
    )
    kept, new = Mute("DP-SEC-002", "checked"), Mute("line-end", 'a "quoted" reason', "CI_JOB_TOKEN")
    save_mute(path, new)
    loaded = load_settings(path)
    assert (loaded.settings.muted, loaded.problems) == ((kept, new), ())
    assert loaded.settings.theme == "nord"
    assert dict(loaded.settings.keys) == {"edit": "f7"}
    assert "# mine" in path.read_text()
    assert "# known" in path.read_text()
    remove_mute(path, kept)
    assert load_settings(path).settings.muted == (new,)
    remove_mute(path, new)
    assert load_settings(path).settings.muted == ()
    assert "# mine" in path.read_text()


@pytest.mark.parametrize(
    "there",
    [
        'muted = [{check = "DP-SEC-002", because = "checked"}]\n',
        '[[muted]]\ncheck = "DP-SEC-002"\nbecause = "checked"\nabout = "*"\n',
    ],
)
def test_what_came_to_the_file_meanwhile_stays(tmp_path: Path, there: str) -> None:
    path = tmp_path / "settings.toml"
    path.write_text(there)
    new = Mute("line-end", "x", "CI_JOB_TOKEN")
    save_mute(path, new)
    assert load_settings(path).settings.muted == (Mute("DP-SEC-002", "checked"), new)
    remove_mute(path, new)
    assert load_settings(path).settings.muted == (Mute("DP-SEC-002", "checked"),)


@pytest.mark.parametrize(
    "about", ["", "CI_JOB_TOKEN", "ci/[web].yml", "build[0]", "a*", "?", "[!a]", "[[", "]"]
)
def test_a_finding_is_muted_by_what_is_written_for_it_and_no_other_is(found: Found, about: str) -> None:
    one = replace(found, finding=replace(found.finding, about=about))
    mute = mute_of(one, "checked")
    assert muting(one, [mute]) == mute
    if about:
        other = replace(found, finding=replace(found.finding, about=f"{about}x"))
        assert muting(other, [mute]) is None
