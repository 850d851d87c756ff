"""A rule that cannot be read ends every pipeline, as in GitLab: whichever job has it, and whether it is reached."""

from __future__ import annotations

import json

import pytest
from ciproject import MAIN, config_of

from dockpass.variables.gitlab.resolve import Situation, view_job

BROKEN = [
    "$CI_COMMIT_TAG =~ /^v\\d+",
    "$A = 'b'",
    "${A} == 'b'",
    "$A == 'b' &&",
    "($A == 'b'",
    "$A == 'b')",
    "$A $B",
    "$A =~ /(/",
    "",
    "   ",
    5,
    True,
]
HEALTHY = ["$A", "$A == 'b' && ($B || $C)", "$A =~ /^v\\d+/", "$A =~ $B", "null", "null == null", '"text"']


def problems_of(rules: object, *, of: str = "other", workflow: object = None) -> list[str]:
    jobs = {"build": {"script": ["x"]}, "other": {"script": ["x"]}}
    jobs[of]["rules"] = rules  # type: ignore[assignment]
    top = {"workflow": {"rules": workflow}} if workflow else {}
    config = config_of({MAIN: json.dumps({"variables": {"A": "b"}, **top, **jobs})})
    build = config.job("build")
    assert build is not None
    return [each.message for each in view_job(config, Situation(), build).problems]


@pytest.mark.parametrize("broken", BROKEN)
def test_a_rule_that_cannot_be_read_is_refused_for_every_job(broken: object) -> None:
    refused = ["jobs:other:rules:rule if invalid expression syntax"]
    assert problems_of([{"if": broken}]) == refused
    assert problems_of([{"if": "$A"}, {"if": broken, "when": "never"}]) == refused, (
        "after the rule that decides"
    )
    assert problems_of([[{"if": broken}]]) == refused, "in a nested list"
    assert problems_of([{"if": broken}], of="build") == ["jobs:build:rules:rule if invalid expression syntax"]


@pytest.mark.parametrize("broken", BROKEN)
def test_a_broken_rule_of_the_workflow_is_refused(broken: object) -> None:
    found = problems_of([{"when": "always"}], workflow=[{"if": "$A"}, {"if": broken}])
    assert found == ["workflow:rules:rule if invalid expression syntax"]


@pytest.mark.parametrize("healthy", HEALTHY)
def test_a_rule_that_can_be_read_is_not(healthy: str) -> None:
    assert problems_of([{"if": healthy}]) == []


def test_an_if_without_a_value_is_none() -> None:
    config = config_of({MAIN: "build: {script: [x], rules: [{if: , when: manual}]}"})
    job = config.job("build")
    assert job is not None
    view = view_job(config, Situation(), job)
    assert (view.problems, view.included, view.when) == ((), True, "manual")


@pytest.mark.parametrize("broken", BROKEN)
def test_a_broken_rule_of_an_include_is_refused(broken: object) -> None:
    included = [{"local": "a.yml", "rules": [{"if": "$A"}, {"if": broken}]}]
    files = {MAIN: json.dumps({"include": included, "build": {"script": ["x"]}}), "a.yml": "{}"}
    assert [each.message for each in config_of(files).problems] == [
        "include:rule if invalid expression syntax"
    ]


def test_an_input_that_is_not_filled_in_is_no_broken_rule() -> None:
    assert problems_of([{"if": "$[[ inputs.when ]] == 'x'"}]) == []


def test_no_job_is_in_a_pipeline_that_is_refused() -> None:
    broken = "build: {script: [x]}\nother: {script: [x], rules: [{if: '$A ='}]}"
    for text, included, refused in ((broken, False, 1), ("build: {script: [x]}", True, 0)):
        config = config_of({MAIN: text})
        job = config.job("build")
        assert job is not None
        view = view_job(config, Situation(), job)
        assert (view.included, len(view.refusals)) == (included, refused)
