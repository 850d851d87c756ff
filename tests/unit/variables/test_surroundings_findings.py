"""Findings about configs in variables, registries that were overwritten, variables nobody reads, dead tokens."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import UTC, datetime

import pytest

from dockpass.auth.facts import Facts, Options, Source, SourceKind, Variable
from dockpass.findings import Finding
from dockpass.secrets import Secret
from dockpass.variables.findings import find_findings
from dockpass.variables.here import Here, Lies

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC).timestamp()
PLACES = {
    "/home/me/.docker": Lies.DIRECTORY,
    "/home/me/.docker/config.json": Lies.FILE,
    "/locked": Lies.UNREADABLE,
    "/empty": Lies.DIRECTORY,
    "/builds/acme/shop": Lies.DIRECTORY,
}
HERE = Here(lambda: NOW, lambda path: PLACES.get(path, Lies.NOTHING), lambda _: NOW - 7200)
JOB = {
    "GITLAB_CI": "true",
    "CI": "true",
    "CI_JOB_ID": "1",
    "CI_BUILDS_DIR": "/builds",
    "CI_PROJECT_DIR": "/builds/acme/shop",
    "CI_SERVER_HOST": "gitlab.myhost.com",
    "CI_REGISTRY": "registry.myhost.com",
    "CI_REGISTRY_IMAGE": "registry.myhost.com/acme/shop",
    "CI_REGISTRY_USER": "gitlab-ci-token",
    "CI_REGISTRY_PASSWORD": "glcbt-64_abcdefghijklmnop",
    "CI_JOB_TOKEN": "glcbt-64_abcdefghijklmnop",
    "CI_JOB_STARTED_AT": "2026-11-27T11:55:00Z",
    "CI_JOB_TIMEOUT": "3600",
}


def ids(values: Mapping[str, str], kind: SourceKind = SourceKind.PROCESS, **options: str) -> dict[str, str]:
    """Findings by id, with what they are about, for variables of one source."""
    found = findings(values, kind, **options)
    assert all(each.hint for each in found if each.id not in {"auth-config", "weak", "unseen"})
    return {each.id: each.about for each in found}


def findings(
    values: Mapping[str, str], kind: SourceKind = SourceKind.PROCESS, **options: str
) -> tuple[Finding, ...]:
    secrets = ("TOKEN", "PASSWORD", "AUTH_CONFIG")
    source = Source(kind, "/tmp/job.env:1" if kind is SourceKind.ENV_FILE else "")
    variables = {
        name: Variable(name, Secret(value) if name.endswith(secrets) else value, source)
        for name, value in values.items()
    }
    given = Options(
        options.get("repo"),
        options.get("user"),
        Secret(options["password"]) if "password" in options else None,
    )
    return find_findings(Facts(variables, given, None, "/home/me", "/work"), HERE)


def jwt(expires: float) -> str:
    body = base64.urlsafe_b64encode(json.dumps({"exp": expires}).encode()).decode().rstrip("=")
    return f"glcbt-eyJhbGciOiJSUzI1NiJ9.{body}.c2ln"


@pytest.mark.parametrize(
    "values",
    [
        JOB,
        {},
        {"HOME": "/home/me", "PATH": "/bin", "DOCKER_CONFIG": "/home/me/.docker"},
        JOB | {"CI_JOB_TOKEN": jwt(NOW + 600), "CI_REGISTRY_PASSWORD": jwt(NOW + 600)},
        JOB
        | {"CI_REGISTRY": "gitlab.myhost.com:5050", "CI_REGISTRY_IMAGE": "gitlab.myhost.com:5050/acme/shop"},
        JOB | {"WERF_REPO": "registry.myhost.com/acme/shop"},
        JOB
        | {
            "CI_REGISTRY": "registry.gitlab.com",
            "CI_REGISTRY_IMAGE": "registry.gitlab.com/a/b",
            "CI_SERVER_HOST": "gitlab.com",
        },
        JOB | {"WERF_IMAGES_CLEANUP_PASSWORD": "glpat-abcdefghijklmnopqrst"},
    ],
)
def test_nothing_is_found_where_nothing_is_wrong(values: dict[str, str]) -> None:
    assert ids(values) == {}


@pytest.mark.parametrize(
    ("name", "value", "finding"),
    [
        ("DOCKER_CONFIG", "~/.docker", "tilde"),
        ("WERF_DOCKER_CONFIG", "~", "tilde"),
        ("DOCKER_CONFIG", "/home/me/.docker/config.json", "names-a-file"),
        ("WERF_DOCKER_CONFIG", "/gone/config.json", "names-a-file"),
        ("DOCKER_CONFIG", "/gone", "not-there"),
        ("DOCKER_CONFIG", "/locked", "unreadable"),
        ("DOCKER_CONFIG", "/empty", "no-config-json"),
        ("DOCKER_CONFIG", "$HOME/.docker", "not-expanded"),
        ("WERF_DOCKER_CONFIG", '{"auths": {}}', "holds-a-config"),
        ("DOCKER_AUTH_CONFIG", "/builds/g/p.tmp/DOCKER_AUTH_CONFIG", "auth-config-path"),
        ("DOCKER_AUTH_CONFIG", base64.b64encode(b'{"auths": {}}').decode(), "auth-config-base64"),
        ("DOCKER_AUTH_CONFIG", '{"auths": {"r.io": {"auth": "dTpwCg=="}}}', "auth-value"),
        (
            "DOCKER_AUTH_CONFIG",
            '{"auths": {"r.io": {"username": "u", "password": "secretpass99\\r\\n"}}}',
            "auth-value",
        ),
        ("DOCKER_AUTH_CONFIG", '{"auths": {"r.io": {"identitytoken": "secretpass99 "}}}', "auth-value"),
        ("WERF_REPO", "other.example/x", "not-read"),
        ("WERF_INSECURE_REGISTRY", "true", "not-read"),
    ],
)
def test_a_variable_that_does_not_do_what_it_seems_to(name: str, value: str, finding: str) -> None:
    assert ids(JOB | {name: value}).get(finding) == name


def test_a_password_that_auth_overrides_is_not_told() -> None:
    entry = '{"auths": {"r.io": {"auth": "dTpzZWNyZXRwYXNz", "password": "other "}}}'
    assert "auth-value" not in ids(JOB | {"DOCKER_AUTH_CONFIG": entry})


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("CI_JOB_TOKEN", "secretpass99\n", "ends with a line break, which is sent as part of it"),
        ("DOCKER_CONFIG", "/builds/docker ", "begins or ends with a blank, which is part of the value"),
        (
            "CI_REGISTRY",
            "r.example\n",
            "ends with a line break, which is left out here, but not by other programs",
        ),
    ],
)
def test_what_becomes_of_a_blank_is_told(name: str, value: str, words: str) -> None:
    assert words in [found.message for found in findings(JOB | {name: value}) if found.about == name]


@pytest.mark.parametrize(
    ("registry", "image"),
    [
        ("docker.io", "index.docker.io/bob/app"),
        ("https://index.docker.io/v1/", "docker.io/bob/app"),
        ("ghcr.io", "ghcr.io/bob/app"),
        ("123456789012.dkr.ecr.eu-west-1.amazonaws.com", "123456789012.dkr.ecr.eu-west-1.amazonaws.com/app"),
        ("bob.azurecr.io", "bob.azurecr.io/app"),
    ],
)
def test_registry_variables_of_another_service(registry: str, image: str) -> None:
    bob = {"CI_REGISTRY_USER": "bob", "CI_REGISTRY_PASSWORD": "secretpass99"}
    found = ids(JOB | {"CI_REGISTRY": registry, "CI_REGISTRY_IMAGE": image} | bob)
    assert found.get("registry-overwritten") == "CI_REGISTRY"
    given = ids(
        JOB | {"CI_REGISTRY": registry, "CI_REGISTRY_IMAGE": image} | bob, user="bob", password="secretpass99"
    )
    assert "registry-overwritten" not in given


def test_a_login_of_ones_own_in_the_registry_variables() -> None:
    bob = {"CI_REGISTRY_USER": "bob", "CI_REGISTRY_PASSWORD": "secretpass99"}
    assert ids(JOB | bob).get("login-overwritten") == "CI_REGISTRY_USER"


@pytest.mark.parametrize(
    ("values", "finding"),
    [
        ({"CI_JOB_TOKEN": jwt(NOW - 60)}, "job-token-dead"),
        ({"CI_JOB_STARTED_AT": "2026-11-27T09:00:00Z"}, "job-token-dead"),
        ({"CI_JOB_STARTED_AT": "2026-11-25T09:00:00Z", "CI_JOB_TIMEOUT": "864000"}, "job-token-old"),
        ({"CI_JOB_STARTED_AT": "not a date"}, None),
        ({"CI_PROJECT_DIR": "/builds/other/place"}, "job-token-old"),
    ],
)
def test_a_token_of_a_job_that_has_ended(values: dict[str, str], finding: str | None) -> None:
    found = {each for each in ids(JOB | values) if each.startswith("job-token")}
    assert found == ({finding} if finding else set())


def test_a_token_from_a_file() -> None:
    values = {"CI_REGISTRY": "registry.myhost.com", "CI_JOB_TOKEN": "glcbt-64_abcdefgh"}
    assert "job-token-old" in ids(values, SourceKind.ENV_FILE)
