"""A new file: whole or not at all, never over another one, and with the mode that it is to have."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from dockpass.errors import UsageError
from dockpass.newfile import create, save_new


@pytest.fixture
def _usual_umask() -> Iterator[None]:
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.mark.usefixtures("_usual_umask")
@pytest.mark.parametrize(("private", "mode"), [(True, 0o600), (False, 0o644)])
def test_it_has_its_mode_and_the_text_as_it_is(tmp_path: Path, private: bool, mode: int) -> None:
    create(tmp_path / "a", "a\r\n\udcff", private=private)
    assert (tmp_path / "a").stat().st_mode & 0o777 == mode
    assert (tmp_path / "a").read_bytes() == b"a\r\n\xff"


@pytest.mark.parametrize("is_link", [False, True])
def test_what_is_there_stays(tmp_path: Path, is_link: bool) -> None:
    (tmp_path / "there").write_text("kept")
    path = tmp_path / ("link" if is_link else "there")
    if is_link:
        path.symlink_to("there")
    with pytest.raises(UsageError) as caught:
        save_new(path, "new")
    assert caught.value.id == "export-exists"
    assert path.read_text() == "kept"


def test_an_interrupt_leaves_no_half(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fchmod", interrupted)
    with pytest.raises(KeyboardInterrupt):
        save_new(tmp_path / "a", "text")
    assert not list(tmp_path.iterdir())
