"""What an engine's words mean."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockpass.engines.failurekinds import FAILURES, classify
from dockpass.engines.failures import Proof, failed, login_failed
from dockpass.errors import DockpassError, ExitCode, LoginRefused

CASES = [
    json.loads(line)
    for line in (Path(__file__).parents[2] / "cases" / "engine-failures.jsonl").read_text().splitlines()
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['engine']}: {case['where']}")
def test_words_of_engines_are_told_apart(case: dict[str, str]) -> None:
    assert classify(case["words"]).id == case["id"]


def test_the_cases_cover_every_kind_that_an_engine_reports() -> None:
    known = {failure.id for failure in FAILURES} - {"socket-permission"}
    assert known <= {case["id"] for case in CASES}


@pytest.mark.parametrize("kind", {failure.id: failure for failure in FAILURES}.values(), ids=lambda f: f.id)
def test_every_kind_says_what_it_means_and_what_to_do(kind: object) -> None:
    assert kind.meaning.endswith(".")
    assert kind.hint.endswith(".")


def test_a_program_that_does_the_work_itself_is_named_and_no_engine() -> None:
    for kind in (*FAILURES, classify("the moon")):
        own = kind.of_program("buildah")
        assert own.hint.endswith(".")
        assert not re.search(
            r"\bengine|Docker\b|daemon\.json|`docker |PROGRAM|podman", own.meaning + own.hint
        ), own
    error = failed("build", "dial tcp: lookup x: no such host", program="buildah")
    assert error.message.endswith("buildah cannot resolve the registry's name.")


def test_the_asked_reference_says_nothing_about_the_failure() -> None:
    name = "127.0.0.1:5000/team/unauthorized:401"
    words = f"manifest for {name} gone: the moon"
    assert classify(words, (name,)).id == "engine-failed"


def test_an_error_holds_the_engines_words_their_meaning_and_a_hint() -> None:
    error = failed("push of h/r:1", "no space left on device\n")
    assert error.message.startswith("The push of h/r:1 failed: no space left on device")
    assert "disk is full" in error.message
    assert "docker system df" in error.hint


def test_hostile_words_are_made_harmless() -> None:
    error = failed("pull", "un\x1b[31mauthorized\x07\u202e" + "x" * 5000)
    assert error.message.isprintable()
    assert len(error.message) < 1000


def test_refused_credentials_are_a_refused_login() -> None:
    error = failed("pull of h/r:1", "unauthorized: authentication required", Proof.SENT)
    assert isinstance(error, LoginRefused)
    assert error.exit_code is ExitCode.LOGIN_REFUSED
    assert error.words == "unauthorized: authentication required"
    assert "did not accept user name and password" in error.meaning


def test_without_credentials_the_same_words_mean_that_a_login_is_wanted() -> None:
    error = failed("pull of h/r:1", "no basic auth credentials", Proof.NONE_SENT)
    assert not isinstance(error, LoginRefused)
    assert "No credentials" in error.message


def test_after_an_accepted_login_the_same_words_mean_that_it_is_not_allowed() -> None:
    error = failed("push of h/r:1", "unauthorized: authentication required", Proof.ACCEPTED)
    assert error.id == "denied"
    assert "login was accepted" in error.message


@pytest.mark.parametrize("words", ["unauthorized: HTTP Basic: Access denied", "denied: access forbidden"])
def test_a_refused_login_names_registry_user_and_reason(words: str) -> None:
    error = login_failed("registry.test", "me", words)
    assert isinstance(error, LoginRefused)
    assert error.message == f"registry.test refused the login of me: {words}."
    assert error.meaning


def test_a_login_that_could_not_be_tried_is_no_refusal() -> None:
    error = login_failed("registry.test", "me", "dial tcp: lookup registry.test: no such host")
    assert not isinstance(error, LoginRefused)
    assert error.id == "name-unresolved"


@given(st.text())
def test_no_words_make_it_fail(words: str) -> None:
    assert isinstance(failed("push", words, Proof.SENT), DockpassError)
    assert isinstance(login_failed("h", "u", words), DockpassError)


def test_a_page_that_the_engine_quotes_is_told_by_its_title() -> None:
    page = r'"<html>\r\n<head><title>413 Request \"Entity\" Too Large</title></head>\r\n<body>nginx</body></html>\r\n"'
    words = (
        f"error parsing HTTP 413 response body: invalid character '<' looking for beginning of value: {page}"
    )
    error = failed("push of registry.example/a:1", words)
    assert error.id == "too-large"
    assert 'a web page (413 Request "Entity" Too Large)' in error.message
    assert "<html" not in error.message
    assert "client_max_body_size" in error.hint


def test_a_login_that_a_firewall_answered_is_not_told_as_refused_by_the_registry() -> None:
    words = "login attempt to http://127.0.0.1:5051/v2/ failed with status: 403 Forbidden"
    error = login_failed("127.0.0.1:5051", "me", words)
    assert not isinstance(error, LoginRefused)
    assert "a proxy or firewall" in error.message
