"""Secrets are told by their names, and their kinds by their shapes."""

from __future__ import annotations

import pytest

from dockpass.secret_names import is_secret_name
from dockpass.secrets import Secret
from dockpass.variables.token_kind import describe_secret, looks_secret


@pytest.mark.parametrize(
    "name",
    [
        "CI_JOB_TOKEN",
        "ci_job_token",
        "WERF_IMAGES_CLEANUP_PASSWORD",
        "WERF_CLEANUP_REGISTRY_PASSWORD",
        "CI_REGISTRY_PASSWORD",
        "CI_DEPLOY_PASSWORD",
        "CI_REPOSITORY_URL",
        "CI_JOB_JWT_V2",
        "DOCKER_AUTH_CONFIG",
        "GITHUB_TOKEN",
        "AWS_SECRET_ACCESS_KEY",
        "SSH_PRIVATE_KEY",
        "NPM_AUTH",
        "MYSQL_PWD",
        "REGISTRY_PASS",
        "NEXUS_PSW",
        "GITHUB_PAT",
        "OPENAI_API_KEY",
        "SENTRY_DSN",
    ],
)
def test_a_name_of_a_secret(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "CI_REGISTRY",
        "CI_REGISTRY_USER",
        "WERF_DOCKER_CONFIG",
        "WERF_IGNORE_CI_DOCKER_AUTOLOGIN",
        "PWD",
        "OLDPWD",
        "PATH",
        "SSH_AUTH_SOCK",
        "AUTHOR",
        "XAUTHORITY",
        "CI_COMMIT_AUTHOR",
        "COMPASS",
        "KEYBOARD",
        "GOOGLE_APPLICATION_CREDENTIALS",
    ],
)
def test_a_name_of_something_else(name: str) -> None:
    assert not is_secret_name(name)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ("glcbt-64_abcdefghijklmnopq", "26 characters, GitLab job token"),
        ("glpat-abcdefghij", "16 characters, GitLab personal, project or group token"),
        ("gldt-abcdefghij", "15 characters, GitLab deploy token"),
        ("ghp_abcdefghij", "14 characters, GitHub personal access token"),
        ("ghs_abcdefghij", "14 characters, GitHub installation token"),
        ("dckr_pat_abcdef", "15 characters, Docker Hub personal token"),
        ("eyJhbGciOiJ9.eyJzdWIiOjF9.c2ln", "30 characters, JWT"),
        ("glcbt-eyJhbGciOiJ9.eyJzdWIiOjF9.c2ln", "36 characters, GitLab job token"),
        ("abcdefghijklmnopqrstuvwxyz", "26 characters"),
        ("x", "1 character"),
    ],
)
def test_a_secret_is_described_by_length_and_kind(value: str, words: str) -> None:
    assert describe_secret(Secret(value)) == words


@pytest.mark.parametrize("value", ["https://me:pw@r.io", "postgres://u:p@db/x", "glpat-abc"])
def test_a_value_that_looks_like_a_secret(value: str) -> None:
    assert looks_secret(value)


@pytest.mark.parametrize(
    "value", ["", "registry.myhost.com:5000", "https://r.io/a@b", "ssh://me@host", "tcp://127.0.0.1:2375"]
)
def test_a_value_that_does_not(value: str) -> None:
    assert not looks_secret(value)
