import json

import pytest
from hypothesis import given
from jsonvalues import json_values

from dockpass.errors import ExitCode
from dockpass.registry.answer import Answer, Where, read_answer
from dockpass.registry.failures import error_of, login_refused
from dockpass.registry.forms import Form


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
        (b"\r\n413 Too Large\r\n\n  see the log\n", "", "413 Too Large see the log"),
        (body("DENIED", " no\n\tway \n"), "DENIED", "no way"),
        (b"", "", "its reason"),
        (b"[" * 100_000, "", "[" * 199 + "…"),
        (b"\xff\x1b[2Jbad", "", "\N{REPLACEMENT CHARACTER}bad"),
    ],
)
def test_an_answer_is_read_in_whatever_form_it_comes(raw: bytes, code: str, words: str) -> None:
    answer = read_answer(Where.REGISTRY, 403, raw, "its reason")
    assert (answer.code, answer.words) == (code, words)


@pytest.mark.parametrize(
    ("answer", "error_id", "meaning"),
    [
        (
            Answer(Where.REGISTRY, 401, "UNAUTHORIZED", "no"),
            "unauthorized",
            "not allowed to do this, or no login was sent",
        ),
        (
            Answer(Where.REGISTRY, 401, "UNAUTHORIZED", "no", "werf-cleanup"),
            "unauthorized",
            "The login werf-cleanup is not allowed",
        ),
        (
            Answer(Where.REGISTRY, 401, "UNAUTHORIZED", "no", ""),
            "unauthorized",
            "No credentials for this registry",
        ),
        (Answer(Where.REGISTRY, 403, "DENIED", "no", "me"), "denied", "Authenticated as me,"),
        (Answer(Where.TOKEN, 401, "UNAUTHORIZED", "no"), "unauthorized", "one of them is wrong"),
        (Answer(Where.TOKEN, 401, "", "You have 2FA enabled"), "unauthorized", "two-factor"),
        (Answer(Where.ANONYMOUS, 403, "DENIED", "no"), "unauthorized", "No credentials for this registry"),
        (Answer(Where.TOKEN, 403, "DENIED", "access forbidden"), "denied", "Authenticated, but"),
        (Answer(Where.REGISTRY, 403, "", "Forbidden"), "forbidden-by-other", "not in registry format"),
        (Answer(Where.REGISTRY, 404, "MANIFEST_UNKNOWN", ""), "not-found", "cannot see it"),
        (Answer(Where.REGISTRY, 405, "UNSUPPORTED", ""), "unsupported", "does not support this"),
        (Answer(Where.REGISTRY, 429, "", "Too Many Requests"), "rate-limited", "Too many requests"),
        (Answer(Where.REGISTRY, 503, "", ""), "registry-failed", "server failed"),
        (Answer(Where.REGISTRY, 418, "", ""), "registry-answered", ""),
        (Answer(Where.REGISTRY, 407, "", "Proxy Authentication Required"), "proxy-login", "no proxy is used"),
        (
            Answer(Where.REGISTRY, 413, "", "a web page", form=Form.PAGE),
            "too-large",
            "in front of the registry",
        ),
        (Answer(Where.REGISTRY, 413, "SIZE_INVALID", ""), "too-large", "The registry limits"),
        (Answer(Where.TOKEN, 404, "", "registry not enabled"), "registry-off", "switched off"),
        (
            Answer(Where.PING, 403, "", "a web page", form=Form.PAGE),
            "forbidden-by-other",
            "not in registry format",
        ),
        (Answer(Where.PING, 403, "DENIED", "your IP"), "denied", "before any login was sent"),
        (Answer(Where.REGISTRY, 403, "", "", form=Form.EMPTY), "denied", "without a reason"),
        (
            Answer(Where.REGISTRY, 403, "", "Your authorization token has expired. Reauthenticate"),
            "unauthorized",
            "password has expired",
        ),
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


def test_a_registry_without_deletion_is_told_only_where_something_was_deleted() -> None:
    answer = Answer(Where.REGISTRY, 405, "UNSUPPORTED", "")
    assert "switched off" in error_of("deletion of web:1", "registry.example", answer).message


def test_a_page_is_told_by_its_title() -> None:
    page = b"<html>\r\n<head><title>413 Request  Entity\nToo Large</title></head><body>nginx</body></html>"
    answer = read_answer(Where.REGISTRY, 413, page, "Request Entity Too Large")
    assert answer.in_words == "413: a web page (413 Request Entity Too Large)"
    assert read_answer(Where.REGISTRY, 413, b"\xef\xbb\xbf <!doctype html><p>x").words == "a web page"


@given(json_values())
def test_no_value_in_any_place_of_a_refusal_raises(value: object) -> None:
    for shape in (
        value,
        {"errors": value},
        {"errors": [value]},
        {"errors": [{"code": value, "message": value}]},
    ):
        for key in ("details", "message", "error"):
            bodies = [json.dumps(shape).encode(), json.dumps({key: value}).encode()]
            for raw in bodies:
                answer = read_answer(Where.REGISTRY, 403, raw, "", None, {"Retry-After": json.dumps(value)})
                assert "\x1b" not in error_of("look-up", "registry.example", answer).message


def test_a_refused_login_has_its_own_exit_status_words_and_meaning() -> None:
    refused = login_refused(
        "registry.example", "me\x1b", Answer(Where.REGISTRY, 401, "UNAUTHORIZED", "denied.")
    )
    assert refused.exit_code is ExitCode.LOGIN_REFUSED
    assert refused.message.startswith("registry.example refused the login of me")
    assert refused.message.endswith("401 UNAUTHORIZED: denied.")
    assert refused.words == "401 UNAUTHORIZED: denied."
    assert "one of them is wrong" in refused.meaning
    assert refused.message.isprintable()
