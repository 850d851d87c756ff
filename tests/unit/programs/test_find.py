"""A program is found as a shell finds it, and what is none has the shell's status."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockpass.errors import NotExecutable, NotFound
from dockpass.programs.find import find


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, mode in (("tool", 0o755), ("text", 0o644), ("second/text", 0o755)):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("")
        (tmp_path / name).chmod(mode)
    (tmp_path / "directory").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_name_is_looked_for_in_path_and_what_cannot_be_run_is_passed_over(place: Path) -> None:
    environ = {"PATH": f"{place}:{place}/second"}
    assert find("tool", environ) == f"{place}/tool"
    assert find("text", environ) == f"{place}/second/text"
    assert find("./tool", {"PATH": ""}) == "./tool"
    assert find("tool", {"PATH": ""}) == "./tool"
    assert find("sh", {})


@pytest.mark.parametrize("name", ["text", "./text", "directory", "./directory"])
def test_what_is_there_and_no_program_is_126(place: Path, name: str) -> None:
    with pytest.raises(NotExecutable) as error:
        find(name, {"PATH": str(place)})
    assert error.value.exit_code == 126


@pytest.mark.parametrize("name", ["nothing", "./nothing", "", "tool/below", "a\0b", "x" * 5000, "\udcff"])
def test_what_is_not_there_is_127(place: Path, name: str) -> None:
    with pytest.raises(NotFound) as error:
        find(name, {"PATH": str(place)})
    assert error.value.exit_code == 127
    assert ("is empty" in error.value.message) == (not name)
