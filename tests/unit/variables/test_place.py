"""The place is recognised for its label."""

from __future__ import annotations

import pytest

from dockpass.auth.facts import Facts, Source, SourceKind, Variable
from dockpass.variables.place import Place, PlaceKind, detect_place

JOB = {
    "CI": "true",
    "GITLAB_CI": "true",
    "CI_JOB_ID": "7",
    "CI_BUILDS_DIR": "/builds",
    "CI_PROJECT_DIR": "/builds/web/backend",
    "CI_PROJECT_PATH": "web/backend",
    "CI_JOB_NAME": "build-image",
    "CI_COMMIT_REF_NAME": "main",
    "CI_COMMIT_REF_PROTECTED": "true",
}


def place(values: dict[str, str], *, here: bool = True) -> Place:
    variables = {name: Variable(name, value, Source(SourceKind.PROCESS)) for name, value in values.items()}
    return detect_place(Facts(variables), lambda path: here)


def test_a_gitlab_job_says_project_job_ref_and_protection() -> None:
    assert place(JOB) == Place(
        PlaceKind.GITLAB, "GitLab job", "web/backend", "build-image", "main", protected=True
    )


@pytest.mark.parametrize(("value", "protected"), [("true", True), ("false", False), ("", None), ("1", None)])
def test_protection_is_known_or_not(value: str, protected: bool | None) -> None:
    assert place({**JOB, "CI_COMMIT_REF_PROTECTED": value}).protected is protected


def test_a_pasted_dump_is_not_the_job() -> None:
    without_runner = {name: value for name, value in JOB.items() if name != "CI_BUILDS_DIR"}
    for found in (place(without_runner), place(JOB, here=False), place({"CI_JOB_ID": "7"})):
        assert found.kind is PlaceKind.PASTED
        assert "expired" in found.remark


@pytest.mark.parametrize(
    ("values", "kind", "label"),
    [
        ({"GITLAB_CI": "false", "CI": "true", "CI_JOB_ID": "1"}, PlaceKind.GITLAB_LOCAL, "gitlab-ci-local"),
        ({"GITHUB_ACTIONS": "true", "CI": "true"}, PlaceKind.GITHUB, "GitHub Actions"),
        ({"GITHUB_ACTIONS": "true", "ACT": "true"}, PlaceKind.ACT, "act"),
        ({"JENKINS_URL": "https://j", "CI": "true"}, PlaceKind.JENKINS, "Jenkins"),
        ({"CIRCLECI": "true", "CI": "true"}, PlaceKind.OTHER_CI, "CircleCI"),
        ({"TF_BUILD": "True"}, PlaceKind.OTHER_CI, "Azure Pipelines"),
        ({"BUILDKITE": "true"}, PlaceKind.OTHER_CI, "Buildkite"),
        ({"CI": "true"}, PlaceKind.OTHER_CI, "CI"),
        ({"CI": ""}, PlaceKind.SHELL, "shell"),
        ({}, PlaceKind.SHELL, "shell"),
        ({"CI_REGISTRY": "r.io", "CI_JOB_TOKEN": "t"}, PlaceKind.SHELL, "shell"),
    ],
)
def test_the_other_places(values: dict[str, str], kind: PlaceKind, label: str) -> None:
    found = place(values)
    assert (found.kind, found.label) == (kind, label)


def test_a_workflow_says_repository_and_ref() -> None:
    found = place(
        {
            "GITHUB_ACTIONS": "true",
            "GITHUB_REPOSITORY": "me/App",
            "GITHUB_JOB": "push",
            "GITHUB_REF_NAME": "v1",
        }
    )
    assert (found.project, found.job, found.ref, found.protected) == ("me/App", "push", "v1", None)


def test_what_a_place_says_of_itself_is_cleaned() -> None:
    assert "\x1b" not in place({**JOB, "CI_JOB_NAME": "a\x1b[2Jb"}).job
