"""What an answer means, by where it came from, status, code, words and kind of registry."""

from __future__ import annotations

import pytest

from dockpass.registry.answer import Answer, Where
from dockpass.registry.failures import error_of
from dockpass.registry.flavour import Flavour, flavour_of
from dockpass.registry.forms import Form
from dockpass.registry.meanings import ROWS, judge

F, W = Flavour, Where


@pytest.mark.parametrize(
    ("where", "status", "code", "words", "flavour", "in_form", "expected"),
    [
        (W.PING, 404, "", "<html>", F.OTHER, False, "not-a-registry"),
        (W.PING, 403, "", "Forbidden", F.OTHER, False, "forbidden-by-other"),
        (W.PING, 200, "", "", F.OTHER, True, "not-a-registry"),
        (W.PING, 403, "DENIED", "client with IP is not allowed", F.OTHER, True, "refused-at-first"),
        (W.PING, 404, "", "registry not enabled", F.OTHER, False, "registry-off"),
        (W.LOGIN, 200, "", "a web page", F.OTHER, False, "no-token"),
        (W.LIST, 413, "", "", F.OTHER, False, "too-large"),
        (W.LOGIN, 401, "UNAUTHORIZED", "HTTP Basic: Access denied", F.GITLAB, True, "gitlab-credentials"),
        (W.LOGIN, 403, "DENIED", "access forbidden", F.GITLAB, True, "gitlab-no-registry-ability"),
        (W.LOGIN, 404, "", "registry not enabled", F.GITLAB, True, "registry-off"),
        (W.LOGIN, 401, "", "incorrect username or password", F.HUB, True, "credentials"),
        (W.LOGIN, 403, "DENIED", "denied", F.GHCR, True, "credentials"),
        (W.SCOPE, 401, "", "access token has insufficient scopes", F.HUB, True, "limited-token"),
        (W.SCOPE, 403, "DENIED", "Pushing to protected repository path forbidden", F.GITLAB, True, "protected-repository"),
        (W.SCOPE, 403, "DENIED", "denied", F.GHCR, True, "denied-by-realm"),
        (W.SCOPE, 403, "", "blocked", F.GHCR, False, "forbidden-by-other"),
        (W.ANONYMOUS, 403, "DENIED", "access forbidden", F.GITLAB, True, "needs-login"),
        (W.ANONYMOUS, 401, "", "", F.OTHER, True, "needs-login"),
        (W.LOGIN, 404, "", "", F.OTHER, False, "no-token-server"),
        (W.LOGIN, 400, "", "", F.OTHER, True, "scope-not-understood"),
        (W.LIST, 401, "UNAUTHORIZED", "authentication required", F.OTHER, True, "not-allowed"),
        (W.LIST, 403, "DENIED", "Permission denied", F.GOOGLE, True, "not-allowed"),
        (W.LIST, 403, "", "Your authorization token has expired. Reauthenticate", F.ECR, False, "ecr-expired"),
        (W.LIST, 404, "NAME_UNKNOWN", "", F.OTHER, True, "absent"),
        (W.LIST, 404, "NAME_UNKNOWN", "", F.ECR, True, "ecr-absent"),
        (W.LIST, 404, "", "not found", F.OTHER, False, "no-listing"),
        (W.LIST, 429, "", "Too Many Requests", F.HUB, False, "rate-limited"),
        (W.LOGIN, 200, "TOOMANYREQUESTS", "", F.HUB, True, "rate-limited"),
        (W.LOGIN, 407, "", "", F.OTHER, False, "proxy-login"),
        (W.LOGIN, 502, "", "Bad Gateway", F.GITLAB, False, "server-failed"),
        (W.LIST, 418, "", "", F.OTHER, False, "odd-answer"),
    ],
)  # fmt: skip
def test_every_answer_has_its_meaning(
    where: Where, status: int, code: str, words: str, flavour: Flavour, in_form: bool, expected: str
) -> None:
    form = (Form.ERRORS if code else Form.OBJECT) if in_form else Form.TEXT
    assert judge(Answer(where, status, code, words, form=form), flavour).id == expected


def test_every_row_says_what_it_means() -> None:
    for row in ROWS:
        assert row.judgement.meaning.endswith(".") or row.judgement.id == "registry-answered"
        assert row.judgement.hint == "" or row.judgement.hint.endswith(".")


def test_a_proxy_login_is_told_as_one_that_no_proxy_in_use_asked_for() -> None:
    """Where a proxy is used, its 407 is an error of the transport and never comes here."""
    found = judge(Answer(W.LOGIN, 407, "", ""))
    assert "although no proxy is used" in found.meaning


@pytest.mark.parametrize(
    ("wait", "meaning"),
    [
        (None, "Too many requests."),
        (30.0, "asks to wait 30 seconds."),
        (900.0, "asks to wait 15 minutes, longer than dockpass waits"),
        (1e10, "asks to wait more than a year"),
    ],
)
def test_a_wait_that_a_server_asks_for_is_told(wait: float | None, meaning: str) -> None:
    answer = Answer(W.LIST, 429, "", "", wait=wait)
    assert meaning in judge(answer).meaning
    assert meaning in error_of("lookup of a", "reg.example", answer).message


@pytest.mark.parametrize(
    ("host", "realm", "service", "expected"),
    [
        ("registry.myhost.com", "https://gitlab.myhost.com/jwt/auth", "container_registry", F.GITLAB),
        ("registry.myhost.com", "https://gitlab.myhost.com/jwt/auth", "other", F.OTHER),
        ("docker.io", "https://auth.docker.io/token", "registry.docker.io", F.HUB),
        ("ghcr.io", "https://ghcr.io/token", "ghcr.io", F.GHCR),
        ("europe-docker.pkg.dev", "", "", F.GOOGLE),
        ("123456789012.dkr.ecr.eu-west-1.amazonaws.com", "", "", F.ECR),
        ("dkr.ecr.evil.example", "", "", F.OTHER),
    ],
)
def test_the_kind_of_registry_is_known_by_what_it_names(
    host: str, realm: str, service: str, expected: Flavour
) -> None:
    assert flavour_of(host, realm, service) is expected
