"""`only` and `except`: as GitLab's policies and their specs have it, and what a job has without them."""

from __future__ import annotations

from typing import Any

import pytest
from ciproject import view

BRANCH = ({"name": "main"}, "push")
FEATURE = ({"name": "feature/x"}, "push")
TAG = ({"type": "tag", "name": "v1.2"}, "push")
MERGE_REQUEST = ({"type": "merge_request", "name": "feature/x", "protected": False}, "merge_request_event")
SCHEDULE = ({"name": "main"}, "schedule")
RULES = "workflow: {rules: [{when: always}]}\n"
ACTIVE = "{kubernetes: active}"


def seen(job: str, pipeline: tuple[dict[str, Any], str], before: str = "", **context: Any) -> Any:
    ref, source = pipeline
    row = {
        "files": {".gitlab-ci.yml": f"{before}job:\n  script: x\n{job}"},
        "context": {"ref": ref, "pipeline_source": source, **context},
        "job": "job",
    }
    return view(row)


@pytest.mark.parametrize(
    ("job", "pipeline", "included"),
    [
        ("", BRANCH, True),
        ("", TAG, True),
        ("", SCHEDULE, True),
        ("", MERGE_REQUEST, False),
        ("  rules: [{when: always}]\n", MERGE_REQUEST, True),
        ("  only: [merge_requests]\n", MERGE_REQUEST, True),
        ("  only: [merge_request]\n", MERGE_REQUEST, True),
        ("  only: [merge_request_event]\n", MERGE_REQUEST, False),
        ("  only: [merge_requests]\n", BRANCH, False),
        ("  only: [feature/x]\n", MERGE_REQUEST, False),
        ("  only: [/feature/]\n", MERGE_REQUEST, False),
        ("  only: [tags]\n", TAG, True),
        ("  only: [tags]\n", BRANCH, False),
        ("  only: [branches]\n", TAG, False),
        ("  only: [v1.2]\n", TAG, True),
        ("  only: [main, deploy]\n", BRANCH, True),
        ("  only: [main, deploy]\n", FEATURE, False),
        ("  only: [main]\n", SCHEDULE, True),
        ("  only: [schedules]\n", SCHEDULE, True),
        ("  only: [schedule]\n", SCHEDULE, True),
        ("  only: [schedules]\n", BRANCH, False),
        ("  only: [pushes]\n", BRANCH, True),
        ("  only: [web]\n", ({}, "web"), True),
        ("  only: [apis]\n", ({}, "api"), True),
        ("  only: [external_pull_requests]\n", ({}, "external_pull_request_event"), True),
        ("  only: [security_orchestration_policies]\n", ({}, "security_orchestration_policy"), True),
        ("  only: [/^feature\\/.*$/]\n", FEATURE, True),
        ("  only: [/^FEATURE/i]\n", FEATURE, True),
        ("  only: [/^FEATURE/]\n", FEATURE, False),
        ("  only: [feature]\n", FEATURE, False),
        ("  only: []\n", BRANCH, False),
        ("  only:\n", MERGE_REQUEST, False),
        ("  only: [main@acme/app]\n", BRANCH, True),
        ("  only: [main@acme/other]\n", BRANCH, False),
        ("  only: [branches@Acme/app]\n", BRANCH, False),
        ("  only: {variables: [$X]}\n", BRANCH, True),
        ("  only: {variables: [$X]}\n", MERGE_REQUEST, False),
        ("  only: {refs: [merge_requests], variables: [$X]}\n", MERGE_REQUEST, True),
        ('  only: {variables: [$Y, $X == "1"]}\n', BRANCH, True),
        ("  only: {variables: [$Y]}\n", BRANCH, False),
        ("  only: {refs: [tags], variables: [$X]}\n", BRANCH, False),
        (f"  only: {ACTIVE}\n", BRANCH, None),
        (f"  only: {ACTIVE}\n", MERGE_REQUEST, False),
        ("  only: {changes: [src/*]}\n", BRANCH, None),
        ("  only: {changes: [src/*]}\n", TAG, True),
        ("  only: {changes: [src/*]}\n", SCHEDULE, True),
        ("  except: [main]\n", BRANCH, False),
        ("  except: [main]\n", FEATURE, True),
        ("  except: [main]\n", MERGE_REQUEST, False),
        ("  except: [tags]\n", TAG, False),
        ("  except: [schedules]\n", SCHEDULE, False),
        ("  except: {variables: [$X]}\n", BRANCH, False),
        ("  except: {refs: [tags], variables: [$Y]}\n", BRANCH, True),
        ("  except: {refs: [tags], variables: [$X]}\n", BRANCH, False),
        (f"  except: {ACTIVE}\n", BRANCH, None),
        ("  only: [branches]\n  except: [main]\n", FEATURE, True),
        ("  only: [branches]\n  except: [main]\n", BRANCH, False),
        ("  only: [tags]\n  when: manual\n", TAG, True),
    ],
)
def test_a_job_in_a_pipeline(job: str, pipeline: Any, included: bool | None) -> None:
    found = seen(job, pipeline, "variables: {X: '1'}\n", predefined={"CI_PROJECT_PATH": "acme/app"})
    assert not found.problems
    assert found.included is included


def test_workflow_rules_take_the_default_away_and_leave_what_is_written() -> None:
    assert seen("", MERGE_REQUEST, RULES).included is True
    assert seen("  except: [main]\n", MERGE_REQUEST, RULES).included is True
    assert seen("  only: {variables: [$CI]}\n", MERGE_REQUEST, RULES).included is False


def test_an_include_that_is_not_loaded_may_have_the_rules_of_the_workflow() -> None:
    before = "include: [{remote: 'https://example.com/ci.yml'}]\n"
    found = seen("", MERGE_REQUEST, before)
    assert found.included is None
    assert "may be in an include" in found.policies[0].clauses[0].why
    assert seen("", BRANCH, before).included is True


def test_a_project_that_is_not_known_leaves_its_path_open() -> None:
    assert seen("  only: [main@acme/app]\n", BRANCH).included is None
    assert seen("  only: [main@acme/app]\n", FEATURE).included is False


def test_only_comes_with_extends_and_is_merged_as_a_mapping() -> None:
    before = ".base: {only: {refs: [tags], variables: [$CI]}}\n"
    assert seen("  extends: .base\n", BRANCH, before).included is False
    assert seen("  extends: .base\n", TAG, before).included is True
    assert seen("  extends: .base\n  only: {refs: [branches]}\n", BRANCH, before).included is True


def test_what_a_default_lets_in_has_no_variables_of_rules_and_every_job_has_no_policy() -> None:
    row = {"files": {".gitlab-ci.yml": "job: {script: x}\n"}, "job": ""}
    ref, source = MERGE_REQUEST
    found = view(row | {"context": {"ref": ref, "pipeline_source": source}})
    assert (found.policies, found.included) == ((), True)


@pytest.mark.parametrize(
    ("job", "message"),
    [
        ("  only: main\n", "jobs:job:only has to be either an array of conditions or a hash"),
        ("  except: {}\n", "jobs:job:except config can't be blank"),
        ("  only: {ref: [main]}\n", "jobs:job:only config contains unknown keys: ref"),
        ("  only: {variables: ['$X = 1']}\n", "jobs:job:only variables invalid expression syntax"),
        ("  only: {variables: $X}\n", "jobs:job:only variables should be an array of strings"),
        ("  only: {changes: src}\n", "jobs:job:only changes should be an array of strings"),
        ("  only: {kubernetes: yes}\n", "jobs:job:only kubernetes unknown value: true"),
        ("  only: {kubernetes: [active]}\n", "jobs:job:only kubernetes unknown value: a list"),
        ("  except: {kubernetes: {a: b}}\n", "jobs:job:except kubernetes unknown value: a mapping"),
        (
            "  only: ['/^(?!main)/']\n",
            "jobs:job:only config should be an array of strings or regular expressions using re2 syntax",
        ),
        (
            "  only: {refs: [1]}\n",
            "jobs:job:only refs should be an array of strings or regular expressions using re2 syntax",
        ),
        (
            "  only: [main]\n  except: [tags]\n  rules: [{when: always}]\n",
            "jobs:job config key may not be used with `rules`: only, except",
        ),
    ],
)
def test_what_gitlab_refuses(job: str, message: str) -> None:
    assert [each.message for each in seen(job, BRANCH).problems] == [message]


@pytest.mark.parametrize("kind", ["only", "except"])
@pytest.mark.parametrize("part", ["refs", "kubernetes", "variables", "changes"])
def test_no_form_of_a_value_makes_it_fail(kind: str, part: str) -> None:
    values = ("[[a]]", "[{a: b}]", "{a: [b]}", "[null]", "1", "2020-01-01", "''", "!reference [x, y]")
    found = [seen(f"  {kind}: {{{part}: {value}}}\n", BRANCH) for value in values]
    assert [each.name for each in found] == ["job"] * len(values)


@pytest.mark.parametrize("changes", ["[src/*]", "{paths: [src/*]}"])
@pytest.mark.parametrize(
    ("pipeline", "included"),
    [(BRANCH, None), (MERGE_REQUEST, None), (TAG, True), (SCHEDULE, True), (({}, "web"), True)],
)
def test_rules_changes_hold_where_nothing_was_pushed(
    changes: str, pipeline: Any, included: bool | None
) -> None:
    assert seen(f"  rules: [{{changes: {changes}}}]\n", pipeline).included is included


def test_a_pipeline_source_of_the_same_name_is_not_what_started_it() -> None:
    found = seen(
        "  only: [schedules]\n",
        BRANCH,
        project_variables=[{"key": "CI_PIPELINE_SOURCE", "value": "schedule"}],
    )
    assert found.included is False


@pytest.mark.parametrize(
    ("pattern", "included"),
    [("a/*.nope", True), ("**/*.nope", False), ("*.nope", False), ("a/nope", False), ("a/[x]", True)],
)
def test_gitlab_gives_up_comparing_many_files_and_says_yes(
    monkeypatch: pytest.MonkeyPatch, pattern: str, included: bool
) -> None:
    monkeypatch.setattr("dockpass.variables.gitlab.rules.MOST_COMPARISONS", 2)
    files = {".gitlab-ci.yml": f"job: {{script: x, rules: [{{exists: ['{pattern}']}}]}}\n"}
    files |= dict.fromkeys(("a/1", "a/2", "b/3"), "")
    assert view({"files": files, "context": {}, "job": "job"}).included is included
