"""What this machine says of the file of a GitHub event."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockpass.variables.here import this_machine


@pytest.mark.parametrize(
    ("text", "head"),
    [
        ('{"pull_request": {"head": {"repo": {"full_name": "alice/app", "fork": true}}}}', "alice/app"),
        ('{"pull_request": {"head": {"repo": null}}}', ""),
        ('{"pull_request": {"head": {"repo": {"full_name": 7}}}}', ""),
        ('{"ref": "refs/heads/main"}', ""),
        ('["pull_request"]', ""),
        ("[" * 100_000, ""),
        ("no json", ""),
        ("", ""),
    ],
)
def test_a_pull_request_s_repository_is_read_from_its_event(text: str, head: str, tmp_path: Path) -> None:
    (tmp_path / "event.json").write_text(text)
    assert this_machine().head_of(str(tmp_path / "event.json")) == head


def test_without_an_event_nothing_is_known(tmp_path: Path) -> None:
    assert [this_machine().head_of(path) for path in ("", str(tmp_path / "none"), str(tmp_path))] == [""] * 3
