"""How a row about a job is run: it is resolved, and every field of what the row expects is compared."""

from __future__ import annotations

from typing import Any

from ciproject import CONTEXT, view

from dockpass.variables.gitlab.includes import Problem
from dockpass.variables.gitlab.resolve import JobView
from dockpass.variables.gitlab.tree import YamlError

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
_ROW = {
    *("id", "kind", "title", "confidence", "source", "note", "lint", "conflict"),
    *("files", "context", "job", "matrix", "job_instance", "expected"),
}


def run_gitlab_job(row: dict[str, Any]) -> None:
    expected = row["expected"]
    assert not expected.keys() - _FIELDS, "a field that nothing compares"
    assert not row.keys() - _ROW, "a part of the row that nothing looks at"
    assert not row["context"].keys() - CONTEXT, "a part of the context that nothing looks at"
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
    if "job_instance" in row:
        assert variables["CI_JOB_NAME"].value == row["job_instance"]
    if "environment" in expected:
        assert found.environment == expected["environment"]


KINDS = {"gitlab_job": run_gitlab_job}
