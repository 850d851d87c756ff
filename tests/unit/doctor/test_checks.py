"""Every check fires where it should and keeps quiet beside that, and every finding is one of the table."""

from __future__ import annotations

import ast
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from patients import cases, patients

import dockpass
from dockpass.doctor.examine import findings
from dockpass.doctor.table import TABLE

CASES = cases()
CASES_OF_PROBLEMS = Path(__file__).parents[2] / "cases" / "problems.toml"


def found(given: dict[str, Any], directory: Path) -> set[str]:
    return {
        name
        for patient in patients(given, directory)
        for check, finding in findings(patient, TABLE)
        for name in ((finding.id,) if finding.id in check.names else check.names)
    }


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["finding"])
def test_it_fires(case: dict[str, Any], tmp_path: Path) -> None:
    assert case["finding"] in found(case["fires"], tmp_path)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["finding"])
def test_it_keeps_quiet(case: dict[str, Any], tmp_path: Path) -> None:
    assert case["finding"] not in found(case["quiet"], tmp_path)


def test_every_finding_of_every_check_has_a_case_that_fires_and_one_that_does_not() -> None:
    names = {case["finding"] for case in CASES if case["fires"] and case["quiet"]}
    assert {check.id: lacking for check in TABLE if (lacking := {*check.names} - names)} == {}
    assert names <= {name for check in TABLE for name in check.names}


def test_ids_and_names_are_unique() -> None:
    ids = [check.id for check in TABLE]
    assert len(ids) == len(set(ids))


def written_ids() -> Iterator[tuple[str, str]]:
    """Yield the ids of findings that the rooms of variables and the doctor write out."""
    root = Path(dockpass.__file__).parent
    for path in (*root.glob("variables/**/*.py"), *root.glob("doctor/*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            named = isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Finding" and node.args
            if named and isinstance(node.args[0], ast.Constant):
                yield node.args[0].value, path.name


def test_no_finding_is_lost() -> None:
    """A finding that no check names would be found and not told."""
    named = {name for check in TABLE for name in check.names}
    assert sorted({found for found in written_ids() if found[0] not in named}) == []
    assert len(list(written_ids())) > 60


def test_every_problem_that_people_report_is_told_or_says_why_not() -> None:
    rows = tomllib.loads(CASES_OF_PROBLEMS.read_text(encoding="utf-8"))["problem"]
    ids = {check.id for check in TABLE}
    assert len(rows) > 40
    assert {row["is"] for row in rows if not {*row["told"]} <= ids} == set()
    assert {row["is"] for row in rows if not row["told"] and not row.get("also")} == set()
