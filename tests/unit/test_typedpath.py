"""Whatever is typed for a path is one: nothing that is asked of it raises."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockpass.builders.options import parse_secrets
from dockpass.builders.session.ssh import parse_agents
from dockpass.errors import UsageError
from dockpass.session.scenario_files import Recent
from dockpass.typedpath import is_readable_file, is_there, typed_path

TEXTS = st.one_of(st.text(), st.text().map("~{}".format), st.text(min_size=1).map(lambda text: text * 3000))


@given(TEXTS)
def test_any_text_is_a_path(text: str) -> None:
    path = typed_path(Path("/nonexistent"), text)
    assert path.is_absolute()
    assert is_there(path) or not is_readable_file(path)


def test_home_is_found_where_it_is_known(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    assert typed_path(Path("/srv/app"), "~/x") == Path("/home/me/x")
    assert typed_path(Path("/srv/app"), "x") == Path("/srv/app/x")
    assert typed_path(Path("/srv/app"), "/x") == Path("/x")
    assert typed_path(Path("/srv/app"), "~nobody-here/x") == Path("/srv/app/~nobody-here/x")


def test_links_and_directories(tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(tmp_path / "nothing")
    assert (is_there(link), is_readable_file(link)) == (True, False)
    assert (is_there(tmp_path), is_readable_file(tmp_path)) == (True, False)


@pytest.mark.parametrize("path", ["~nobody-here/x", "x" * 5000, "a\0b"], ids=["home", "long", "nul"])
def test_a_secret_and_an_agent_that_are_not_there_are_told(tmp_path: Path, path: str) -> None:
    with pytest.raises(UsageError, match="no value"):
        parse_secrets([f"id=x,src={path}"], {}, tmp_path)
    with pytest.raises(UsageError, match="not the socket"):
        parse_agents([f"default={path}"], {})


def test_a_recent_scenario_whose_name_is_too_long_is_left_out(tmp_path: Path) -> None:
    there = tmp_path / "a.toml"
    there.write_text("")
    (tmp_path / "scenarios").write_text(f"/{'x' * 3000}\n{there}\n")
    assert Recent(tmp_path).paths() == (there,)
