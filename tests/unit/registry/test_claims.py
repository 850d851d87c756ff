"""What a token says of itself is shown, and nothing in it can harm or mislead."""

from __future__ import annotations

import base64
import json

import pytest
from fakerealm import entry, jwt
from hypothesis import given
from hypothesis import strategies as st

from dockpass.registry.claims import LONGEST_TOKEN, MOST_ENTRIES, read_claims
from dockpass.secrets import Secret

PATH = "web/backend"


def claims(found: object, header: object = None) -> object:
    read = read_claims(Secret(jwt(found, header)))
    assert read is not None
    return read


def test_what_gitlab_puts_into_a_token_is_read() -> None:
    meta = {"tag_deny_access_patterns": {"push": ["^v"], "delete": ["^release-.*", "^v"]}}
    found = read_claims(
        Secret(
            jwt(
                {
                    "sub": "alice",
                    "aud": "container_registry",
                    "iat": 1000,
                    "exp": 1300,
                    "auth_type": "build",
                    "access": [entry("pull", "push", meta=meta)],
                }
            )
        )
    )
    assert found is not None
    assert (found.subject, found.audience, found.auth_type, found.life) == (
        "alice",
        "container_registry",
        "build",
        300,
    )
    assert found.actions(PATH) == {"pull", "push"}
    assert found.of(PATH)[0].deny_push == ("^v",)
    assert found.of(PATH)[0].deny_delete == ("^release-.*", "^v")
    assert found.odd == ()


@pytest.mark.parametrize(
    "token",
    ["", "opaque", "a.b", "a.b.c.d", "a.!!.c", "..", "a.ZXh0cmE.c", "a.é.c", "x" * (LONGEST_TOKEN + 1)],
)
def test_what_is_no_jwt_is_opaque(token: str) -> None:
    assert read_claims(Secret(token)) is None


def test_a_payload_that_is_nested_without_end_is_opaque() -> None:
    deep = base64.urlsafe_b64encode(b"[" * 20_000).decode()
    assert read_claims(Secret(f"a.{deep}.c")) is None


def test_padded_base64_is_read() -> None:
    payload = base64.urlsafe_b64encode(json.dumps({"sub": "ab"}).encode()).decode()
    assert payload.endswith("=")
    found = read_claims(Secret(f"e30.{payload}.c"))
    assert found is not None
    assert found.subject == "ab"


@pytest.mark.parametrize(
    ("payload", "header", "words"),
    [
        ({}, {"alg": "none"}, "it is not signed"),
        ({}, {}, "it is not signed"),
        ({}, ["x"], "its header cannot be read"),
        ({"access": "pull"}, None, "its access list is not a list"),
        ({"access": [7, {"type": "repository"}]}, None, "an entry that cannot be read"),
        ({"access": [entry()] * (MOST_ENTRIES + 1)}, None, "201 entries"),
        ({"access": [{**entry(), "actions": "pull"}]}, None, "an action that cannot be read"),
        ({"sub": 7}, None, "its sub is not text"),
        ({"exp": "soon"}, None, "its exp is not a time"),
        ({"exp": 1e300}, None, "its exp is not a time"),
        ({"iat": 100, "exp": 50}, None, "it expires before it was issued"),
    ],
)
def test_what_is_odd_is_said(payload: object, header: object, words: str) -> None:
    assert words in " ".join(claims(payload, header).odd)  # type: ignore[attr-defined]


def test_a_name_that_only_looks_like_the_one_asked_for_grants_nothing() -> None:
    names = ["web/back\x1b[31mend", "web/backend\u200b", "web/backend ", "WEB/backend", "web/backend/x"]
    found = read_claims(Secret(jwt({"access": [entry("pull", name=name) for name in names]})))
    assert found is not None
    assert not found.actions(PATH)


def test_an_action_is_never_made_by_cleaning() -> None:
    found = read_claims(Secret(jwt({"access": [entry("pu\x1b[1mll", "push")]})))
    assert found is not None
    assert found.actions(PATH) == {"push"}


def test_other_kinds_of_the_same_name_count_for_nothing() -> None:
    found = read_claims(Secret(jwt({"access": [{**entry("*"), "type": "registry"}]})))
    assert found is not None
    assert not found.actions(PATH)
    assert found.others(PATH) == ("registry web/backend: *",)


def test_escapes_are_inert() -> None:
    found = read_claims(Secret(jwt({"sub": "\x1b]0;owned\x07[@click=app.quit]x[/]", "auth_type": "\u202eb"})))
    assert found is not None
    assert "\x1b" not in found.subject + found.auth_type
    assert "\u202e" not in found.auth_type


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@given(
    st.dictionaries(st.sampled_from(["sub", "aud", "exp", "iat", "auth_type", "access", "x"]), json_values)
)
def test_no_claims_ever_raise(payload: dict[str, object]) -> None:
    found = read_claims(Secret(jwt(payload)))
    assert found is None or found.actions(PATH) == frozenset()


@given(st.text(max_size=200))
def test_no_token_ever_raises(token: str) -> None:
    assert read_claims(Secret(token)) is None or token.count(".") == 2
