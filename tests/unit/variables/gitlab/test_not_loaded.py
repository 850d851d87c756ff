"""What may be in an include that is not loaded is left open: it is neither an error nor an answer."""

from __future__ import annotations

import pytest
from ciproject import MAIN, config_of

from dockpass.variables.gitlab.config import NOT_LOADED
from dockpass.variables.gitlab.model import Unknown
from dockpass.variables.gitlab.resolve import JobView, Situation, view_job

INCLUDE = "include: [{project: acme/ci, file: base.yml}]\nvariables: {HERE: '1'}\n"


def view_of(job: str, *, include: bool = True) -> JobView:
    config = config_of({MAIN: (INCLUDE if include else "variables: {HERE: '1'}\n") + f"build: {job}\n"})
    found = config.job("build")
    assert found is not None
    return view_job(config, Situation(), found)


@pytest.mark.parametrize(
    "job",
    [
        "{extends: .base}",
        "{extends: [.base, .other], script: [x]}",
        "{variables: {A: a}}",
        "{script: [x], rules: !reference [.rules, all]}",
        "{script: [x], rules: [!reference [.rules, all]]}",
        "{script: [x], rules: [!reference [.rules, all], {if: $HERE}]}",
        "{script: [x], rules: [{if: !reference [.rules, if], when: never}, {if: $HERE}]}",
        "{script: [x], rules: [{changes: !reference [.rules, changes]}]}",
        "{script: [x], rules: [{if: $HERE, when: !reference [.rules, when]}]}",
    ],
)
def test_whether_a_job_is_in_the_pipeline_is_open(job: str) -> None:
    view = view_of(job)
    assert view.problems == ()
    assert view.included is None
    assert view_of(job, include=False).problems, "it is an error where everything is loaded"


@pytest.mark.parametrize(
    ("job", "included"),
    [
        ("{extends: .base, rules: [{if: $HERE}]}", True),
        ("{extends: .base, rules: [{if: $NO}]}", False),
        ("{script: [x], rules: [{if: $HERE}, !reference [.rules, all]]}", True),
        ("{script: !reference [.base, script]}", True),
    ],
)
def test_what_is_written_here_decides(job: str, included: bool) -> None:
    view = view_of(job)
    assert view.problems == ()
    assert view.included is included


def test_a_value_that_may_be_in_an_include_is_unknown() -> None:
    view = view_of(
        "{script: [x], variables: {A: !reference [.v, A], B: {value: !reference [.v, B]}, C: $A-c, D: d}}"
    )
    values = {name: view.variables[name].value for name in "ABCD"}
    assert values == {"A": Unknown(NOT_LOADED), "B": Unknown(NOT_LOADED), "C": values["C"], "D": "d"}
    assert isinstance(values["C"], Unknown)
    assert view_of("{script: [x], variables: !reference [.v, variables]}").problems == ()


@pytest.mark.parametrize(
    ("job", "message"),
    [
        ("{script: [x], extends: build}", "build: circular dependency detected in `extends`"),
        ("{script: [x], variables: {A: [1]}}", "jobs:build:variables:A variable definition must be either a string or a hash"),
        ("{script: [x], rules: [5]}", "jobs:build:rules config should be an array of hashes"),
    ],
)  # fmt: skip
def test_what_no_include_can_mend_is_an_error_still(job: str, message: str) -> None:
    assert [each.message for each in view_of(job).problems] == [message]


@pytest.mark.parametrize("pattern", ["[1]", "{a: b}", "2026-01-01", "true", "5"])
def test_a_pattern_that_is_no_string_settles_nothing(pattern: str) -> None:
    view = view_of(f"{{script: [x], rules: [{{exists: [{pattern}]}}]}}", include=False)
    assert view.included is None


def test_a_glob_that_is_too_large_settles_nothing() -> None:
    for glob in ("{a,b}" * 30, "a" * 5000):
        config = config_of({MAIN: f"build: {{script: [x], rules: [{{exists: ['{glob}']}}]}}"})
        job = config.job("build")
        assert job is not None
        view = view_job(config, Situation(paths=lambda: ("a",)), job)
        assert view.included is None
        assert view.rules is not None
        assert view.rules.rules[0].clauses[0].why == "one of its patterns is too large to be tried"


def test_an_include_with_too_many_wildcards_is_not_loaded() -> None:
    path = "a" * 200 + ".yml"
    config = config_of(
        {MAIN: f"include: '{'*a' * 100}b.yml'\nbuild: {{script: [x]}}\n", path: "x: {script: [y]}"}
    )
    assert [each.kind for each in config.not_loaded] == ["local"]
    assert not config.problems
    assert list(config.jobs or ()) == ["build"]
