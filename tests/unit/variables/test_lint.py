"""What looks wrong about the variables of a job, by the cases and by neighbours of theirs."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ciproject import Files, config_of, definitions, ref_of
from hypothesis import given, settings
from hypothesis import strategies as st
from thorough import examples

from dockpass.doctor.examine import Found, examine
from dockpass.doctor.patients import of_files, of_jobs
from dockpass.doctor.table import TABLE
from dockpass.findings import Severity
from dockpass.text import clean
from dockpass.variables.gitlab.resolve import Situation
from dockpass.variables.gitlab.tree import YamlError
from dockpass.variables.pipeline import Loaded

CASES = Path(__file__).parents[2] / "cases" / "ci_variables.jsonl"
ROWS = [json.loads(line) for line in CASES.read_text(encoding="utf-8").splitlines() if line.strip()]
IDS = {
    "DP-EXP-001": "cut-by-expansion",
    "DP-EXP-003": "no-shell-syntax",
    "DP-EXP-004": "own-name",
    "DP-EXP-005": "refused",
    "DP-EXP-006": "open-brace",
    "DP-EXP-007": "file-changed",
    "DP-EXP-008": "undefined-reference",
    "DP-EXP-009": "own-name-over-settings",
    "DP-EXP-010": "compared-unexpanded",
    "DP-PRE-001": "predefined-overridden",
    "DP-PRE-004": "yaml-never-used",
    "DP-REG-005": "image-elsewhere",
    "DP-SCP-001": "absent-protected",
    "DP-SCP-002": "weaker-used",
    "DP-SCP-003": "absent-scope",
    "DP-SCP-004": "rule-on-protected",
    "DP-SCP-005": "scopes-of-equal-rank",
    "DP-SCP-006": "scope-of-no-job",
    "DP-SEC-009": "not-maskable",
    "DP-SEC-010": "not-masked",
    "DP-SEC-011": "secret-in-yaml",
    "DP-SEC-013": "debugging-on",
    "DP-YML-001": "changed-by-yaml",
    "DP-YML-002": "refused",
    "DP-YML-003": "merge-loses-variables",
    "DP-YML-004": "compared-unexpanded",
    "DP-YML-005": "empty-variables",
    "DP-YML-006": "not-loaded",
    "DP-YML-007": "trigger-variables",
}
"""What the cases call a finding, and what it is called here."""
JOBS = [row for row in ROWS if row["kind"] == "gitlab_job" and set(row.get("lint", ())) & set(IDS)]


def lint(loaded: Loaded, files: dict[str, str], jobs: tuple[str, ...]) -> tuple[Found, ...]:
    return examine((of_files(loaded, Files(files)), *of_jobs(loaded, jobs, "/", "/")), TABLE)


def ids_of(files: dict[str, str], context: dict[str, Any], job: str = "build") -> set[str]:
    ref = ref_of(context)
    loaded = Loaded(config_of(files), Situation(ref=ref, definitions=definitions(context, ref)))
    return {each.finding.id for each in lint(loaded, files, (job,))}


@pytest.mark.parametrize("row", JOBS, ids=lambda row: row["id"])
def test_the_findings_of_a_case(row: dict[str, Any]) -> None:
    found = ids_of(row["files"], row["context"], row["job"])
    assert {IDS[name] for name in row["lint"] if name in IDS} <= found


YAML = "build:\n  script: [env]\n"


@pytest.mark.parametrize(
    ("yaml", "project", "expected"),
    [
        (YAML, [{"key": "A_TOKEN", "value": "ab$cd-1234"}], {"cut-by-expansion", "not-masked"}),
        (YAML, [{"key": "A_TOKEN", "value": "ab$cd-1234", "raw": True, "masked": True}], set()),
        (YAML, [{"key": "A", "value": "x-$NOWHERE"}], {"undefined-reference"}),
        (YAML, [{"key": "A", "value": "${"}], {"open-brace", "cut-by-expansion"}),
        (YAML, [{"key": "A", "value": "v", "environment_scope": "prod"}], {"absent-scope"}),
        (
            "build: {environment: prod, script: [env]}\n",
            [{"key": "A", "value": "v", "environment_scope": "Prod"}],
            {"absent-scope", "scope-of-no-job"},
        ),
        (
            "build: {environment: prod, script: [env]}\n",
            [
                {"key": "A", "value": "v", "environment_scope": "pro*"},
                {"key": "A", "value": "w", "environment_scope": "p*d"},
            ],
            {"scopes-of-equal-rank"},
        ),
        (YAML, [{"key": "A", "value": "short", "masked": True}], {"not-maskable"}),
        (YAML, [{"key": "A", "value": "glpat-abcdefgh"}], {"not-masked"}),
        ("variables: {A: glpat-abcdefgh}\n" + YAML, [], {"secret-in-yaml"}),
        ("variables: {CI_DEBUG_TRACE: 'true'}\n" + YAML, [], {"debugging-on"}),
        ("variables: {A: 1}\n" + YAML, [{"key": "A", "value": "2"}], {"yaml-never-used"}),
        ("variables: {A: $A/x}\n" + YAML, [{"key": "A", "value": "2"}], {"own-name-over-settings"}),
        ("variables: {A: 1_000}\n" + YAML, [], {"changed-by-yaml"}),
        ("variables: {A: {value: 0x1F, description: d}}\n" + YAML, [], {"changed-by-yaml"}),
        ("build: {trigger: a/b, variables: {A: v}}\n", [], {"trigger-variables"}),
        ("include: {remote: 'https://example.com/a.yml'}\n" + YAML, [], {"not-loaded"}),
        ("variables: {A: v, B: $A}\n" + YAML, [], set()),
    ],
)
def test_neighbours(yaml: str, project: list[dict[str, Any]], expected: set[str]) -> None:
    context = {"project_variables": project, "predefined": {"CI_REGISTRY": "r.example"}}
    found = ids_of({".gitlab-ci.yml": yaml}, context) - {"registry-off", "token-missing"}
    assert found == expected


def test_each_finding_names_its_jobs_once() -> None:
    yaml = "a: {variables: {X: '$('}, script: [env]}\nb: {variables: {X: '$('}, script: [env]}\nc: {script: [env]}\n"
    loaded = Loaded(config_of({".gitlab-ci.yml": yaml}), Situation())
    found = lint(loaded, {".gitlab-ci.yml": yaml}, ("a", "b", "c"))
    assert [each.jobs for each in found if each.finding.id == "no-shell-syntax"] == [("a", "b")]


@settings(max_examples=examples(50))
@given(st.text(st.sampled_from("abA:{}[]&*<>$%'\"-\n \t!|#0_1.~,"), max_size=60))
def test_no_text_makes_it_fail(text: str) -> None:
    files = {".gitlab-ci.yml": f"{text}\n{YAML}"}
    try:
        loaded = Loaded(config_of(files), Situation())
    except YamlError:
        return
    found = lint(loaded, files, tuple(loaded.config.jobs or ()))
    ranks = [list(Severity).index(each.finding.severity) for each in found]
    assert ranks == sorted(ranks), "errors come first"
    assert all(each.finding.message and each.finding.about == clean(each.finding.about) for each in found)
