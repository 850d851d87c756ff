"""The lines of Rules for jobs with `only` and `except`."""

from __future__ import annotations

import pytest
from ciproject import MAIN, config_of

from dockpass.ui.views.rules import JobState, job_row, trace_lines
from dockpass.ui.views.words import Line
from dockpass.variables.gitlab.model import MERGE_REQUEST, PUSH, Ref, RefType
from dockpass.variables.gitlab.predefined import Project, predefined
from dockpass.variables.gitlab.resolve import Situation
from dockpass.variables.pipeline import Loaded

YAML = """\
plain: {script: x}
tagged: {script: x, only: [tags]}
quiet: {script: x, except: {refs: [/^feature/], variables: [$SKIP]}}
let: {script: x, only: [branches], except: [main]}
asks: {script: x, only: {kubernetes: active}}
"""


def lines(job: str, ref: Ref, source: str) -> tuple[str, list[str]]:
    situation = Situation(ref=ref, definitions=tuple(predefined(Project(), ref, source)))
    loaded = Loaded(config_of({MAIN: YAML}), situation, source)
    view = loaded.view(job)
    row = _text(job_row(JobState(name=job, stage="test", view=view), 60))
    return row, [" ".join(_text(each).split()) for each in trace_lines(loaded, view, 76)]


def _text(line: Line) -> str:
    return "".join(text for text, _ in line).rstrip()


FEATURE = Ref(name="feature/x", protected=False)
REQUEST = Ref(type=RefType.MERGE_REQUEST, name="feature/x", protected=False)


@pytest.mark.parametrize(
    ("job", "row", "said"),
    [
        ("plain", "always", ["plain is in the pipeline on feature/x: it has no rules, when: on_success."]),
        (
            "tagged",
            "only",
            [
                "tagged is left out: its only does not match on feature/x.",
                "",
                "✗ only refs tags .gitlab-ci.yml:2",
                "the pipeline is for the branch feature/x, started by push",
            ],
        ),
        (
            "quiet",
            "except",
            [
                "quiet is left out: its except matches on feature/x.",
                "",
                "✓ except refs /^feature/ .gitlab-ci.yml:3",
                "the pipeline is for the branch feature/x, started by push",
                "✗ except variables $SKIP",
                "SKIP not set nothing sets it",
            ],
        ),
        (
            "let",
            "always",
            ["let is in the pipeline on feature/x: its only and except let it in, when: on_success."],
        ),
        (
            "asks",
            "not known here",
            ["asks may be in the pipeline: only or except compares what is not known here."],
        ),
    ],
)
def test_a_job_on_a_branch(job: str, row: str, said: list[str]) -> None:
    shown, found = lines(job, FEATURE, PUSH)
    assert shown.endswith(row)
    assert found[: len(said)] == said


def test_a_job_in_a_merge_request() -> None:
    shown, found = lines("plain", REQUEST, MERGE_REQUEST)
    assert shown.endswith("default only")
    words = "a job with neither rules nor only runs for branches and tags, not for merge requests."
    assert found[0] == f"plain is left out: {words}"
