"""What a text is that should be a docker config, and what is wrong with an `auth`."""

from __future__ import annotations

import base64
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockpass.configtext import Shape, about_auth, problems_in, shape_of


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


GOOD = json.dumps({"auths": {"r.io": {"auth": b64("user:secretpass99")}}})


@pytest.mark.parametrize(
    ("text", "shape"),
    [
        (GOOD, Shape.CONFIG),
        ("{}", Shape.CONFIG),
        (f" \n{GOOD}\n", Shape.CONFIG),
        ('{"credHelpers": {"r.io": "pass"}}', Shape.CONFIG),
        ("/builds/g/p.tmp/DOCKER_AUTH_CONFIG", Shape.PATH),
        ("~/.docker/config.json", Shape.PATH),
        (r"C:\builds\g\p.tmp\DOCKER_AUTH_CONFIG", Shape.PATH),
        (b64(GOOD), Shape.BASE64),
        (b64(GOOD).rstrip("="), Shape.BASE64),
        (base64.encodebytes(GOOD.encode()).decode(), Shape.BASE64),
        (b64(b64(GOOD)), Shape.BASE64),
        (b64("user:secretpass99"), Shape.BASE64_LOGIN),
        (json.dumps(GOOD), Shape.JSON_STRING),
        (GOOD.replace('"', '\\"'), Shape.ESCAPED),
        ("\ufeff" + GOOD, Shape.BOM),
        (f"'{GOOD}'", Shape.QUOTED),
        (GOOD.replace('"', "'"), Shape.SINGLE_QUOTES),
        (GOOD.replace('"', "”"), Shape.TYPOGRAPHIC_QUOTES),
        (GOOD.replace("}}}", "},}}"), Shape.TRAILING_COMMA),
        ("auths:\n  r.io:\n    auth: dTpw\n", Shape.YAML),
        (json.dumps({"r.io": {"auth": "dTpw"}}), Shape.NO_AUTHS),
        (json.dumps({"auths": {"auths": {"r.io": {"auth": "dTpw"}}}}), Shape.NESTED),
        (json.dumps({"config": {"auths": {"r.io": {"auth": "dTpw"}}}}), Shape.NESTED),
        (json.dumps({"auths": {"auth": "dTpw"}}), Shape.NO_HOST),
        (json.dumps({"auths": {"r.io": "dTpw"}}), Shape.BARE_ENTRY),
        ("[]", Shape.NO_OBJECT),
        ('{"auths":{', Shape.NO_JSON),
        ("nonsense", Shape.NO_JSON),
    ],
)
def test_shape(text: str, shape: Shape) -> None:
    assert shape_of(text) is shape


@pytest.mark.parametrize(
    ("auth", "words"),
    [
        (b64("user:secretpass99"), None),
        ("", None),
        (b64("user:secretpass99\n"), "line break after the password"),
        (b64("user:secretpass99\r\n"), "line break after the password"),
        (b64("user: secretpass99"), "contains a space"),
        (b64(":secretpass99"), "has no user name"),
        (b64("user:"), "has no password"),
        (b64("user"), "without a colon"),
        (b64(b64("user:secretpass99")), "Base64-encoded twice"),
        (b64("user:user:secretpass99"), "user name twice"),
        (b64("user:" + b64("user:secretpass99")), "in place of the password"),
        (b64('"user:secretpass99"'), "quotes around user:password"),
        ("user:secretpass99", "must be Base64-encoded"),
        ("Basic " + b64("user:secretpass99"), "starts with Basic or Bearer"),
        (b64("user:secretpass9").rstrip("="), "without padding"),
        (base64.urlsafe_b64encode("u\xfcser:?>?>~~\xff".encode()).decode(), "URL-safe"),
        ("$DOCKER_AUTH", "unexpanded variable reference"),
        ("[MASKED]", "placeholder"),
        ("dXNl cjpw", "contains a space"),
        ("%%%", "not valid Base64"),
    ],
)
def test_auth(auth: str, words: str | None) -> None:
    advice = about_auth(auth)
    if words is None:
        assert advice is None
    else:
        assert advice is not None
        assert words in advice.is_
        assert advice.do


@given(st.text(max_size=60), st.text("Aa0+/=_- \n:", max_size=60))
def test_any_text_is_looked_at(text: str, auth: str) -> None:
    for problem in problems_in(text):
        assert problem.is_
        assert problem.do
    about_auth(auth)
    about_auth(text)


def test_a_password_in_a_key_is_not_repeated() -> None:
    text = json.dumps({"auths": {"https://u:Canary-4f7K@r.io/v1/": {"auth": b64("u")}}})
    (problem,) = problems_in(text)
    assert "Canary" not in problem.in_words
