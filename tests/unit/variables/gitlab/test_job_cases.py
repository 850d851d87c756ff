"""Every job of `tests/cases/ci_variables.jsonl` resolves as GitLab and its runner resolve it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ciproject import view

from dockpass.variables.gitlab.includes import Problem
from dockpass.variables.gitlab.resolve import JobView
from dockpass.variables.gitlab.tree import YamlError

_LINES = (Path(__file__).parents[3] / "cases" / "ci_variables.jsonl").read_text(encoding="utf-8").splitlines()
_ROWS = [row for line in _LINES if (row := json.loads(line))["kind"] == "gitlab_job"]
_FIELDS = {
    "variables",
    "absent",
    "sent_to_runner",
    "sources",
    "files",
    "job_included",
    "environment",
    "error",
}


@pytest.mark.parametrize("row", _ROWS, ids=[row["id"] for row in _ROWS])
def test_job(row: dict[str, Any]) -> None:
    expected = row["expected"]
    assert not expected.keys() - _FIELDS, "a field that nothing compares"
    try:
        found = view(row)
    except YamlError as error:
        found = JobView(name="", included=None, variables={}, absent={}, problems=(Problem(error.message),))
    said = [problem.message for problem in found.problems]
    if "error" in expected:
        assert any(expected["error"].lower() in message.lower() for message in said), said
    else:
        assert not said
    variables = found.variables
    assert {key: variables[key].value for key in expected.get("variables", {})} == expected.get(
        "variables", {}
    )
    assert not [key for key in expected.get("absent", ()) if key in variables]
    for field, values in (
        ("sent_to_runner", {key: each.gitlab_value for key, each in variables.items()}),
        ("sources", {key: each.winner.source for key, each in variables.items()}),
        ("files", {key: each.content for key, each in variables.items()}),
    ):
        wanted = expected.get(field, {})
        assert {key: values[key] for key in wanted} == wanted, field
    if "job_included" in expected:
        assert found.included is expected["job_included"]
    if "environment" in expected:
        assert found.environment == expected["environment"]
