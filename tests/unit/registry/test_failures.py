import json

import pytest

from dockpass.errors import ExitCode
from dockpass.registry.failures import ANONYMOUSLY, Answer, error_of, login_refused, read_answer


def body(code: str, message: str) -> bytes:
    return json.dumps({"errors": [{"code": code, "message": message, "detail": None}]}).encode()


@pytest.mark.parametrize(
    ("raw", "code", "words"),
    [
        (body("DENIED", "access forbidden"), "DENIED", "access forbidden"),
        (b'{"details": "incorrect username or password"}', "", "incorrect username or password"),
        (b'{"error": "invalid_grant", "error_description": "expired"}', "", "expired"),
        (b'{"errors": []}', "", '{"errors": []}'),
        (b'{"errors": [5]}', "", '{"errors": [5]}'),
        (b'{"errors": [{"code": 5, "message": null}]}', "5", ""),
        (b"Forbidden", "", "Forbidden"),
        (b"", "", "its reason"),
        (b"[" * 100_000, "", "[" * 199 + "…"),
        (b"\xff\x1b[2Jbad", "", "\N{REPLACEMENT CHARACTER}bad"),
    ],
)
def test_an_answer_is_read_in_whatever_form_it_comes(raw: bytes, code: str, words: str) -> None:
    answer = read_answer("registry", 403, raw, "its reason")
    assert (answer.code, answer.words) == (code, words)


@pytest.mark.parametrize(
    ("answer", "error_id", "meaning"),
    [
        (Answer("registry", 401, "UNAUTHORIZED", "no"), "unauthorized", "This login may not do it"),
        (
            Answer("registry", 401, "UNAUTHORIZED", "no", "werf-cleanup"),
            "unauthorized",
            "werf-cleanup may not",
        ),
        (Answer("registry", 401, "UNAUTHORIZED", "no", ""), "unauthorized", "No login is known"),
        (Answer("registry", 403, "DENIED", "no", "me"), "denied", "knows me,"),
        (Answer("registry", 403, "", "Forbidden", ""), "forbidden-by-other", "no registry's answer"),
        (Answer("token server", 401, "UNAUTHORIZED", "no"), "unauthorized", "secret is wrong"),
        (Answer("token server", 401, "", "You have 2FA enabled"), "unauthorized", "two-factor"),
        (Answer(ANONYMOUSLY, 403, "DENIED", "no"), "unauthorized", "No login is known"),
        (Answer(ANONYMOUSLY, 401, "", "no"), "unauthorized", "No login is known"),
        (Answer("token server", 403, "DENIED", "access forbidden"), "denied", "knows who asks"),
        (Answer("registry", 403, "", "Forbidden"), "forbidden-by-other", "no registry's answer"),
        (Answer("registry", 404, "MANIFEST_UNKNOWN", ""), "not-found", "may not see it"),
        (Answer("registry", 405, "UNSUPPORTED", ""), "unsupported", "switched off"),
        (Answer("registry", 429, "", "Too Many Requests"), "rate-limited", "too many requests"),
        (Answer("registry", 503, "", ""), "registry-failed", "has a problem"),
        (Answer("registry", 418, "", ""), "registry-answered", ""),
    ],
)
def test_a_refusal_means_something_by_place_status_and_code(
    answer: Answer, error_id: str, meaning: str
) -> None:
    error = error_of("listing of web", "registry.example", answer)
    assert error.id == error_id
    assert error.message.startswith("The listing of web failed at registry.example: ")
    assert meaning in error.message
    assert error.hint
    assert error.answer is answer


def test_a_refused_login_has_its_own_exit_status_words_and_meaning() -> None:
    refused = login_refused("registry.example", "me\x1b", Answer("registry", 401, "UNAUTHORIZED", "denied."))
    assert refused.exit_code is ExitCode.LOGIN_REFUSED
    assert refused.message.startswith("registry.example refused the login of me")
    assert refused.message.endswith("401 UNAUTHORIZED: denied.")
    assert refused.words == "401 UNAUTHORIZED: denied."
    assert "secret is wrong" in refused.meaning
    assert refused.message.isprintable()
