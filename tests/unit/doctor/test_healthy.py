"""Healthy environments and projects have no findings but notes."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from patients import patients

from dockpass.doctor.examine import examine
from dockpass.doctor.table import TABLE
from dockpass.findings import Severity

WORD = st.from_regex(r"[a-z][a-z0-9]{2,11}", fullmatch=True)
BODY = st.from_regex(r"[A-Za-z0-9_-]{20}", fullmatch=True)
HOST = st.builds(
    lambda name, port: f"registry.{name}.example.org{port}", WORD, st.sampled_from(["", ":5050"])
)


@st.composite
def jobs(draw: st.DrawFn) -> dict[str, Any]:
    """The environment of a GitLab job as a runner gives it."""
    host, path, body = draw(HOST), f"{draw(WORD)}/{draw(WORD)}", draw(BODY)
    token, branch = f"glcbt-64_{body}", draw(WORD)
    env = {
        "CI": "true",
        "GITLAB_CI": "true",
        "CI_JOB_ID": "4711",
        "CI_BUILDS_DIR": "/builds",
        "CI_JOB_STARTED_AT": "2027-01-15T07:59:00Z",
        "CI_JOB_TIMEOUT": "3600",
        "CI_JOB_TOKEN": token,
        "CI_REGISTRY": host,
        "CI_REGISTRY_IMAGE": f"{host}/{path}",
        "CI_REGISTRY_USER": "gitlab-ci-token",
        "CI_REGISTRY_PASSWORD": token,
        "CI_PROJECT_PATH": path,
        "CI_COMMIT_BRANCH": branch,
        "CI_COMMIT_REF_NAME": branch,
        "CI_DISPOSABLE_ENVIRONMENT": "true",
        "DOCKER_HOST": "tcp://docker:2376",
        "DOCKER_TLS_CERTDIR": "/certs",
        "PATH": "/usr/bin:/bin",
    }
    if draw(st.booleans()):
        env |= {"CI_DEPLOY_USER": "gitlab+deploy-token-7", "CI_DEPLOY_PASSWORD": f"gldt-{draw(BODY)}"}
    if draw(st.booleans()):
        env["WERF_IMAGES_CLEANUP_PASSWORD"] = f"glpat-{draw(BODY)}"
    return {"env": env, "froms": [f"{host}/{path}/base:1"]}


@st.composite
def projects(draw: st.DrawFn) -> dict[str, Any]:
    """A project with a masked secret, a protected branch and an ordinary job."""
    name, stage = draw(WORD).upper(), draw(WORD)
    yaml = f"""
variables: {{APP: {stage}x, IMAGE: "$CI_REGISTRY_IMAGE/$APP"}}
build:
  image: docker:27
  script: ["printf %s $CI_REGISTRY_PASSWORD | docker login -u $CI_REGISTRY_USER --password-stdin $CI_REGISTRY"]
  rules: [{{if: "$CI_COMMIT_BRANCH"}}]
"""
    project = [{"key": f"{name}_TOKEN", "value": f"{draw(BODY)}9aZ", "masked": True, "protected": True}]
    predefined = {
        "CI_REGISTRY": "registry.example.org",
        "CI_REGISTRY_IMAGE": "registry.example.org/web/backend",
    }
    return {"yaml": yaml, "project": project, "predefined": predefined}


def alarms(given: dict[str, Any]) -> list[str]:
    with tempfile.TemporaryDirectory() as directory:
        found = examine(patients(given, Path(directory)), TABLE)
    return [each.finding.id for each in found if each.finding.severity is not Severity.NOTE]


@settings(max_examples=15, deadline=None)
@given(jobs())
def test_a_healthy_job_gives_no_alarm(environment: dict[str, Any]) -> None:
    assert alarms(environment) == []


@settings(max_examples=15, deadline=None)
@given(projects())
def test_a_healthy_project_gives_no_alarm(project: dict[str, Any]) -> None:
    assert alarms(project) == []
