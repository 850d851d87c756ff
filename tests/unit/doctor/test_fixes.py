"""A fix is offered only if it was tried and mends the finding, and its effects are told."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from patients import cases, patients

from dockpass.doctor.examine import Found, examine
from dockpass.doctor.places import place_of
from dockpass.doctor.symptoms import explaining, firing_first
from dockpass.doctor.table import TABLE, check_of
from dockpass.doctor.trying import Tried, mended, tried_fixes

TOKEN = "glcbt-64_aaaaaaaaaaaaaaaaaaaa"
CASES = [case for case in cases() if (check := check_of(case["finding"])) and check.mend]


def found(given: dict[str, Any], directory: Path, name: str) -> Found:
    return next(each for each in examine(patients(given, directory), TABLE) if each.finding.id == name)


def tried(given: dict[str, Any], directory: Path, name: str) -> tuple[Tried, ...]:
    return tried_fixes(found(given, directory, name), TABLE)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["finding"])
def test_what_is_offered_mends_the_finding(case: dict[str, Any], tmp_path: Path) -> None:
    each = found(case["fires"], tmp_path, case["finding"])
    for fix in tried_fixes(each, TABLE):
        after = examine((mended(each.patient, fix.fix),), TABLE)
        told = {(other.finding.id, other.finding.about) for other in after}
        assert (each.finding.id, each.finding.about) not in told
        assert each.finding in fix.gone


def test_most_checks_with_a_fix_offer_one_for_their_example(tmp_path: Path) -> None:
    without = set()
    for number, case in enumerate(CASES):
        directory = tmp_path / str(number)
        directory.mkdir()
        if not tried(case["fires"], directory, case["finding"]):
            without.add(case["finding"])
    assert len(without) < len(CASES) / 3, without


def test_a_fix_tells_which_login_changes(tmp_path: Path) -> None:
    env = {"CI_REGISTRY": "r.example.com", "CI_JOB_TOKEN": TOKEN, "WERF_IGNORE_CI_DOCKER_AUTOLOGIN": "0"}
    given = {"env": env, "options": {"repo": "r.example.com/a/b"}}
    (only,) = tried(given, tmp_path, "ignore-value-looks-false")
    assert only.in_words == "unset WERF_IGNORE_CI_DOCKER_AUTOLOGIN"
    assert "push: docker's own → autologin as gitlab-ci-token at r.example.com" in only.effects


def test_a_fix_that_brings_another_finding_says_so(tmp_path: Path) -> None:
    given = {"env": {"CI_REGISTRY": "https://ghcr.io", "CI_JOB_TOKEN": TOKEN}}
    (only,) = tried(given, tmp_path, "registry-address")
    assert {finding.id for finding in only.gone} == {"registry-address"}


def test_a_fix_for_what_every_job_gets_finds_no_empty_name_of_a_job(tmp_path: Path) -> None:
    given = {"yaml": "variables: {CI_REGISTRY: r.example.com}\nb: {script: [env]}", "job": ""}
    (only,) = tried(given, tmp_path, "predefined-overridden")
    assert {finding.id for finding in only.gone} == {"predefined-overridden"}
    assert only.new == ()


def test_a_fix_that_leaves_the_finding_is_not_offered(tmp_path: Path) -> None:
    given = {"project": [{"key": "A_TOKEN", "value": "s3cret-word-42", "masked": True, "protected": True}]}
    given = {**given, "ref": {"name": "x", "protected": False}, "yaml": "b: {script: [env], inherit: {}}"}
    words = [each.in_words for each in tried(given, tmp_path, "absent-protected")]
    assert words == ["protect the branch x", "take off the flag Protected in the project's settings"]


def test_a_fix_is_tried_in_the_instance_of_a_matrix_that_has_the_finding(tmp_path: Path) -> None:
    yaml = "b: {parallel: {matrix: [{CLOUD: [aws, gcp]}]}, environment: $CLOUD, script: [env]}"
    project = [{"key": "A", "value": "s3cret-word-42", "environment_scope": "aws"}]
    given = {"yaml": yaml, "project": project, "job": "b: [gcp]"}
    words = [each.in_words for each in tried(given, tmp_path, "absent-scope")]
    assert "set its environment scope to * in the project's settings, scope aws" in words


@pytest.mark.parametrize(
    ("message", "name"),
    [
        ("Error: Cannot perform an interactive login from a non TTY device", "empty"),
        ("error parsing HTTP 403 response body: invalid character 'F' looking for", "forbidden-by-other"),
        ("http: server gave HTTP response to HTTPS client", "plain-http"),
        ("x509: certificate signed by unknown authority", "tls"),
        ("no basic auth credentials", "no-entry"),
        ("Warning: DOCKER_AUTH_CONFIG is set and takes precedence", "auth-config-wins"),
        ("invalid reference format: repository name must be lowercase", "repository-case"),
        ("remote error: HTTP Basic: Access denied. The provided password", "login-rejected"),
        ("toomanyrequests: You have reached your pull rate limit", "rate-limited"),
        ("denied: permission_denied: write_package", "may-not-push"),
        ("denied: access forbidden", "predefined-overridden"),
        ("denied: access forbidden", "no-entry"),
        ('error getting credentials - err: exec: "docker-credential-desktop"', "helper-missing"),
    ],
)
def test_an_error_message_leads_to_its_checks(message: str, name: str) -> None:
    assert any(name in check.names for check in explaining(message, TABLE))


def test_checks_that_fire_come_first(tmp_path: Path) -> None:
    seen = examine(patients({"env": {"CI_JOB_TOKEN": f"{TOKEN}\n"}}, tmp_path), TABLE)
    fired, others = firing_first(explaining("HTTP Basic: Access denied", TABLE), seen)
    assert "line-end" in {each.finding.id for each in fired}
    assert not {each.check.id for each in fired} & {check.id for check in others}
    assert explaining("everything is fine", TABLE) == ()


@pytest.mark.parametrize(
    ("given", "name", "place"),
    [
        ({"yaml": "a: {script: [env]}\nvariables: {N: 012}"}, "changed-by-yaml", ".gitlab-ci.yml:2"),
        (
            {"yaml": "variables: {CI_DEBUG_TRACE: 't'}\na: {script: [env]}"},
            "debugging-on",
            ".gitlab-ci.yml:1",
        ),
        (
            {"yaml": "b:\n  script:\n    - make\n    - docker login -u a -p $T r.example"},
            "password-in-arguments",
            ".gitlab-ci.yml:4",
        ),
        (
            {
                "yaml": ".x: &x\n  - make\n  - docker login -u a -p $T r.example\nb: {before_script: *x, script: [env]}"
            },
            "password-in-arguments",
            ".gitlab-ci.yml:3",
        ),
        (
            {
                "yaml": "include: /a.yml\nb: {script: [make]}",
                "files": {
                    "a.yml": "default:\n  before_script:\n    - |\n      make\n      docker login -u a -p $T r.example"
                },
            },
            "password-in-arguments",
            "a.yml:5",
        ),
        (
            {"yaml": "b:\n  script:\n    - make\n    - werf cleanup"},
            "cleanup-with-job-token",
            ".gitlab-ci.yml:4",
        ),
        (
            {
                "yaml": "b:\n  image: r.example/a\n  script:\n    - docker login -u a --password-stdin r.example"
            },
            "login-too-late",
            ".gitlab-ci.yml:4",
        ),
        ({"env": {"CI_JOB_TOKEN": f"{TOKEN}\n"}}, "line-end", ""),
        # The host and port of a repository are no file and line.
        ({"options": {"repo": "https://robot:x@127.0.0.1:5000/a"}}, "repository-invalid", ""),
    ],
)
def test_the_place_of_a_finding(given: dict[str, Any], name: str, place: str, tmp_path: Path) -> None:
    each = found(given, tmp_path, name)
    assert str(place_of(each.patient, each.finding)) == place
