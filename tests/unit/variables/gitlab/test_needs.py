"""What a job needs: a pipeline without one of those is none."""

from __future__ import annotations

import pytest
from ciproject import MAIN, config_of

from dockpass.variables.gitlab.predefined import Project, predefined
from dockpass.variables.gitlab.resolve import JobView, Situation
from dockpass.variables.pipeline import Loaded


def seen(yaml: str) -> JobView:
    situation = Situation(definitions=tuple(predefined(Project(), Situation().ref, "push")))
    return Loaded(config_of({MAIN: yaml}), situation).view("a")


LEFT_OUT = "b: {script: x, rules: [{if: $NEVER}]}\n"
TAGGED = "b: {script: x, only: [tags]}\n"
MISSING = "'a' job needs 'b' job, but 'b' does not exist in the pipeline."


@pytest.mark.parametrize("other", [LEFT_OUT, TAGGED])
@pytest.mark.parametrize("needs", ["[b]", "[{job: b}]", "[{job: b, artifacts: true}, c]"])
def test_a_needed_job_that_is_left_out_leaves_no_pipeline(other: str, needs: str) -> None:
    found = seen(f"{other}c: {{script: x}}\na:\n  script: x\n  needs: {needs}\n")
    assert found.included is False
    assert found.problems[0].message.startswith(MISSING)
    assert found.problems[0].place.line == 5


@pytest.mark.parametrize(
    "yaml",
    [
        LEFT_OUT + "a: {script: x, needs: [{job: b, optional: true}]}\n",
        LEFT_OUT + "a: {script: x, needs: []}\n",
        LEFT_OUT + "a: {script: x, needs: [{pipeline: $UP, job: b}, {project: g/p, job: b, ref: main}]}\n",
        LEFT_OUT + "a: {script: x, needs: [b], rules: [{when: always, needs: [c]}]}\nc: {script: x}\n",
        "b: {script: x}\na: {script: x, needs: [b]}\n",
        "b: {script: x, parallel: 2}\na: {script: x, needs: ['b 1/2']}\n",
        "b: {script: x, parallel: {matrix: [{P: [one, two]}]}}\na: {script: x, needs: ['b: [one]', b]}\n",
        "a: {script: x, needs: [{job: gone, optional: true}]}\n",
        "include: [{remote: 'https://example.com/a.yml'}]\na: {script: x, needs: [b], dependencies: [b]}\n",
    ],
)
def test_needs_that_are_met_or_optional_or_elsewhere(yaml: str) -> None:
    found = seen(yaml)
    assert found.problems == ()
    assert found.included is True


def test_a_needed_job_that_may_be_left_out_is_no_problem_yet() -> None:
    yaml = "b: {script: x, rules: [{changes: [f]}]}\na: {script: x, needs: [b]}\n"
    assert seen(yaml).problems == ()


@pytest.mark.parametrize(
    ("job", "message"),
    [
        ("needs: [gone]", "a job: undefined need: gone"),
        ("needs: [{job: gone}]", "a job: undefined need: gone"),
        ("needs: [.hidden]", "a job: undefined need: .hidden"),
        ("dependencies: [gone]", "a job: undefined dependency: gone"),
    ],
)
def test_a_need_that_no_job_is(job: str, message: str) -> None:
    found = seen(f".hidden: {{script: x}}\na: {{script: x, {job}}}\n")
    assert [each.message for each in found.problems] == [message]
    assert found.included is False
