"""Texts with more variables than there can be are read up to there, and large JSON is known for what it is."""

from __future__ import annotations

import json

import pytest

from dockpass.variables.formats import reading
from dockpass.variables.formats.catalogue import read
from dockpass.variables.formats.detect import propose


@pytest.mark.parametrize(
    ("name", "text", "line"),
    [
        ("docker", "A=1\nB=2\nC=3\nD=4\n", 4),
        ("docker", "A\nB\nC\nD\n", 4),
        ("shell", "export A=1\nexport B=2\nexport C=3\nexport D=4\n", 4),
        ("env0", "A=1\0B=2\0C=3\0D=4\0", 1),
        ("gitlab-json", json.dumps([{"key": key, "value": "1"} for key in "ABCD"], indent=0), 15),
        ("gitlab-yaml", "variables:\n  A: 1\n  B: 2\n  C: 3\n  D: 4\n", 5),
        ("gitlab-ci-local", "A: 1\nB: 2\nC: 3\nD: 4\n", 4),
        ("python-dotenv", "A=1\nB=2\nC=3\nD=4\n", 4),
    ],
)
def test_more_variables_than_there_can_be(
    monkeypatch: pytest.MonkeyPatch, name: str, text: str, line: int
) -> None:
    monkeypatch.setattr(reading, "MOST_VARIABLES", 3)
    monkeypatch.setattr("dockpass.variables.formats.catalogue.MOST_VARIABLES", 3)
    found = read(name, text)
    assert [each.key for each in (*found.entries, *found.names)] == ["A", "B", "C"]
    assert (found.problems[0].line, found.problems[0].message) == (
        line,
        "There are more than 3 variables; the rest was not read.",
    )


def test_json_is_known_by_its_first_row_though_it_is_larger_than_what_is_looked_at() -> None:
    rows = [{"key": f"KEY_{number}", "value": "x" * 200, "environment_scope": "*"} for number in range(6000)]
    text = json.dumps(rows)
    assert len(text) > 1 << 20
    assert propose(text).format == "gitlab-json"
    assert len(read("gitlab-json", text).entries) == 6000
    assert propose('[{"name": "A", "value": "b"}').format == "gh-json"
    assert propose('["a", {"key": "b"}]').format == "env"
