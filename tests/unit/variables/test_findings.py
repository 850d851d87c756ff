"""What looks wrong is found, and what is right is left alone."""

from __future__ import annotations

import pytest

from dockpass.auth.facts import Facts, Options, Source, SourceKind
from dockpass.secrets import Secret
from dockpass.variables.findings import find_findings
from dockpass.variables.gather import variable

JOB = {
    "CI_REGISTRY": "registry.myhost.com:5050",
    "CI_REGISTRY_IMAGE": "registry.myhost.com:5050/web/backend",
    "CI_JOB_TOKEN": "glcbt-64_abcdefghijklmnop",
    "WERF_DOCKER_CONFIG": "./.docker",
}


def found(options: Options | None = None, **values: str) -> set[tuple[str, str]]:
    source = Source(SourceKind.PROCESS)
    variables = {name: variable(name, value, source) for name, value in values.items()}
    return {(each.id, each.about) for each in find_findings(Facts(variables, options or Options()))}


def test_a_healthy_job_has_no_finding() -> None:
    assert found(Options("r.io/a", "me", Secret("a good password")), **JOB) == set()


@pytest.mark.parametrize(
    ("name", "value", "finding"),
    [
        ("CI_JOB_TOKEN", "", "empty"),
        ("CI_JOB_TOKEN", "abcdefgh\n", "line-end"),
        ("CI_JOB_TOKEN", "abcdefgh\r\n", "line-end"),
        ("CI_JOB_TOKEN", " abcdefgh", "blanks"),
        ("CI_JOB_TOKEN", "abcdefgh\t", "blanks"),
        ("CI_JOB_TOKEN", '"abcdefgh"', "quoted"),
        ("CI_JOB_TOKEN", "“abcdefgh”", "quoted"),
        ("CI_JOB_TOKEN", "abc", "weak"),
        ("CI_JOB_TOKEN", "[MASKED]", "placeholder"),
        ("CI_JOB_TOKEN", "****", "placeholder"),
        ("CI_JOB_TOKEN", "<your_token>", "placeholder"),
        ("CI_JOB_TOKEN", "$OTHER", "not-expanded"),
        ("CI_JOB_TOKEN", "${OTHER}", "not-expanded"),
        ("CI_JOB_TOKEN", "abc\u200bdefgh", "unseen"),
        ("CI_JOB_TOKEN", "abc\udce9defgh", "unseen"),
        ("CI_JOB_TOKEN", "Bearer abcdefgh", "encoded"),
        ("CI_JOB_TOKEN", "glpat-abcdefghij", "not-a-job-token"),
        ("WERF_IMAGES_CLEANUP_PASSWORD", JOB["CI_JOB_TOKEN"], "same-token"),
        ("CI_REGISTRY", "https://registry.myhost.com:5050", "registry-address"),
        ("CI_REGISTRY", "registry.myhost.com:5050/web", "registry-address"),
        ("CI_REGISTRY", "", "registry-off"),
        ("CI_REGISTRY_IMAGE", "registry.other.com/web/backend", "image-elsewhere"),
        ("CI_REGISTRY_IMAGE", "registry.myhost.com/web/backend", "image-elsewhere"),
        ("WERF_DOCKER_CONFIG", "~/.docker", "tilde"),
        ("DOCKER_CONFIG", "~/.docker", "tilde"),
        ("DOCKER_AUTH_CONFIG", '{"auths": {}}', "auth-config"),
    ],
)
def test_what_looks_wrong(name: str, value: str, finding: str) -> None:
    expected = "CI_REGISTRY" if finding == "registry-off" else name
    assert (finding, expected) in found(**{**JOB, name: value})


def test_options_are_looked_at_too() -> None:
    options = Options("r.io/a", "me:you", Secret("password\n"))
    assert found(options) == {("user-colon", "--registry-username"), ("line-end", "--registry-password")}


def test_no_finding_shows_a_secret() -> None:
    source = Source(SourceKind.PROCESS)
    values = {
        "CI_JOB_TOKEN": " canary \n",
        "CI_REGISTRY": "https://me:canary@r.io",
        "DOCKER_AUTH_CONFIG": "canary",
    }
    variables = {name: variable(name, value, source) for name, value in values.items()}
    for each in find_findings(Facts(variables, Options("r.io/a", "me", Secret("canary ")))):
        assert "canary" not in f"{each.in_words}"
        assert each.message.isprintable()
