"""A secret is never printed by accident, and the redactor knows the forms in which it travels."""

from __future__ import annotations

import base64
import copy
import json
import pickle
import traceback
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockpass import secrets
from dockpass.secrets import MASK, TOKEN_PREFIXES, Redactor, Secret, mask_tokens, mask_userinfo
from dockpass.variables.token_kind import UNKNOWN_KIND, kind_of

VALUE = 'p$w/"ö+canary-0123456789'


def test_no_text_form_of_a_secret_shows_it() -> None:
    secret = Secret(VALUE)
    shown = [repr(secret), str(secret), f"{secret}", f"{secret!r:>40}", repr([secret])]
    assert not [text for text in shown if VALUE in text]
    assert secret.reveal() == VALUE


def test_a_traceback_does_not_show_a_secret() -> None:
    with pytest.raises(ValueError) as caught:
        raise ValueError(Secret(VALUE))
    assert VALUE not in "".join(traceback.format_exception(caught.value))


def test_a_secret_is_compared_by_value_and_not_pickled() -> None:
    assert Secret("a") == Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert not Secret("")
    with pytest.raises(TypeError):
        pickle.dumps(Secret("a"))
    with pytest.raises(TypeError):
        copy.deepcopy(Secret("a"))


@pytest.mark.parametrize(
    "form",
    [
        VALUE,
        quote(VALUE, safe=""),
        json.dumps(VALUE),
        base64.b64encode(VALUE.encode()).decode(),
        base64.urlsafe_b64encode(f"myuser:{VALUE}".encode()).decode(),
        base64.b64encode(f"myuser:{VALUE}".encode()).decode().rstrip("="),
    ],
)
def test_every_form_in_which_a_secret_travels_is_masked(form: str) -> None:
    redact = Redactor()
    redact.learn(Secret(VALUE), "myuser")
    assert "canary" not in redact(f"sent: {form} and more")
    assert form.strip('"') not in redact(f"sent: {form} and more")
    assert MASK in redact(form)


def test_a_short_secret_is_masked_as_a_word_only() -> None:
    redact = Redactor([Secret("test")])
    assert redact("testing the test: test") == f"testing the {MASK}: {MASK}"


def test_a_secret_of_one_or_two_characters_would_mask_everything_and_is_left() -> None:
    assert Redactor([Secret("a"), Secret("")])("a banana") == "a banana"


def test_each_line_of_a_long_secret_and_each_part_of_a_token_is_masked() -> None:
    token = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.c2lnbmF0dXJlLWNhbmFyeQ"
    redact = Redactor([Secret("first line of it\nsecond line of it"), Secret(token)])
    assert redact("x second line of it y") == f"x {MASK} y"
    assert redact(f"payload {token.split('.')[1]}") == f"payload {MASK}"


PLAIN = st.characters(min_codepoint=33, max_codepoint=126)


@given(st.text(PLAIN, min_size=8, max_size=40), st.text(PLAIN, max_size=20), st.text(PLAIN, max_size=20))
def test_a_secret_of_eight_characters_never_comes_through(value: str, before: str, after: str) -> None:
    assert value not in Redactor([Secret(value)])(before + value + after)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("robot:pa%2fss@127.0.0.1:5000/a is no registry", f"{MASK}@127.0.0.1:5000/a is no registry"),
        ("FROM: robot:pass@registry:5000/x", f"FROM: {MASK}@registry:5000/x"),
        ("“robot:pass@registry.example”", f"“{MASK}@registry.example”"),
        ("/builds/https:/robot:pass@host.example/a", f"/builds/https:/{MASK}@host.example/a"),
        ("/builds/robot:pass@host.example", f"/builds/{MASK}@host.example"),
        ("repo=robot:pass@[::1]:5000/a", f"repo={MASK}@[::1]:5000/a"),
        ("robot:p@ss/w@rd@registry.example/a and b", f"{MASK}@registry.example/a and b"),
        (":pass@registry.example/a", f"{MASK}@registry.example/a"),
    ],
)
def test_a_login_in_an_address_without_a_scheme_is_masked(text: str, shown: str) -> None:
    assert mask_userinfo(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        f"registry:5000/a/b:1@sha256:{'a' * 64}",
        f"app:1.0@sha256:{'a' * 64}",
        f"localhost/app:1.0@sha512:{'a' * 128}",
        "git@host.example:group/project.git",
        "12:30:45 me@host.example logged in",
        "npm alias:left-pad@1.3.0",
        "ssh://git@host.example/x",
    ],
)
def test_what_is_no_login_stays(text: str) -> None:
    assert mask_userinfo(text) == text


def test_a_secret_of_which_nothing_is_seen_masks_nothing_else() -> None:
    redactor = Redactor([Secret("\x1b[0m")])
    assert redactor("straße: 1 of 2") == "straße: 1 of 2"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("glpat-abcdefghijklmnopqrsT", f"glpat-{MASK}"),
        ("no job 'glcbt-64_ABCDEFGHIJKLMNOPQRST'", f"no job 'glcbt-{MASK}'"),
        ("docker login -pgldt-AbCdEfGhIjKlMnOpQrSt host", f"docker login -pgldt-{MASK} host"),
        ("x=ghp_0123456789abcdefghijABCDEFGHIJ012345 y", f"x=ghp_{MASK} y"),
        ("dckr_pat_AbCdEfGhIjKlMnOpQrStUvWxYz0", f"dckr_pat_{MASK}"),
        ("glpat-AbCdEfGhIjKlMnOpQrSt.01.0w1abcdef", f"glpat-{MASK}"),
        ("a eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.abc_def-ghijk b", f"a eyJ{MASK} b"),
        ("ya29.a0AfB_byAbCdEfGhIjKlMnOp", f"ya29.{MASK}"),
        ("eyJhbGciOiJub25lIn0.eyJzdWIiOiIxMjM0In0.", f"eyJ{MASK}"),
    ],
)
def test_what_has_the_form_of_a_token_is_masked_though_nobody_knows_it(text: str, shown: str) -> None:
    assert mask_tokens(text) == shown
    assert Redactor()(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "glpat-… or gldt-…",
        "glpat-short",
        "registry.example/group/gldt-migration-of-2024:v1",
        "eyJhbGciOiJIUzI1NiJ9",
        "build/glwt-something-quite-long-name",
    ],
)
def test_names_that_begin_like_a_token_stay(text: str) -> None:
    assert Redactor()(text) == text


@given(
    prefix=st.sampled_from(TOKEN_PREFIXES),
    body=st.from_regex(r"[a-z0-9]{4}[A-Z][A-Za-z0-9_-]{15,40}", fullmatch=True),
)
def test_every_prefix_of_a_token_is_masked_and_names_its_kind(prefix: str, body: str) -> None:
    assert mask_tokens(f"'{prefix}{body}'") == f"'{prefix}{MASK}'"
    assert kind_of(Secret(prefix + body)) is not UNKNOWN_KIND


def test_many_secrets_are_learned_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    sorted_anew: list[int] = []
    sought = secrets._Sought.of

    def counted(parts: frozenset[str], tokens: frozenset[str], raw: frozenset[bytes]) -> secrets._Sought:
        sorted_anew.append(len(parts))
        return sought(parts, tokens, raw)

    monkeypatch.setattr(secrets._Sought, "of", counted)
    values = [f"canary-{number}-{'x' * (number % 5)}" for number in range(50)]
    redact = Redactor()
    redact.learn_all(map(Secret, values))
    assert len(sorted_anew) == 1
    assert "canary" not in redact(" ".join([*values, base64.b64encode(values[3].encode()).decode()]))
    redact.learn_all(map(Secret, values))
    assert len(sorted_anew) == 1, "nothing new"
