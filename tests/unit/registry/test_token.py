import asyncio
import base64
import json
from typing import Any
from urllib.parse import parse_qs, parse_qsl

import pytest
from fakeregistry import FakeRegistry, Said, refusal
from tokenactions import granted_actions

from dockpass.errors import DockpassError, LoginRefused
from dockpass.references.credential import Credential
from dockpass.registry.token import Realm, Tokens, check_realm
from dockpass.registry.transport import Transport
from dockpass.secrets import Secret

SCOPE = ("repository:web/backend:pull",)
ME = Credential("myuser", Secret("pass:wörd"))


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


async def ask(
    fake: FakeRegistry, credential: Credential | None = ME, scopes: tuple[str, ...] = SCOPE
) -> Secret:
    async with Transport() as transport:
        tokens = Tokens(transport, fake.host, credential)
        return await tokens.get(Realm(f"{fake.url}/token?tenant=7", "the registry"), scopes)


async def test_a_request_names_service_and_scopes_and_keeps_the_realms_own_query(fake: FakeRegistry) -> None:
    token = await ask(fake, scopes=("repository:a/b:pull", "repository:c:pull,push"))
    (asked,) = fake.requests("GET", "/token")
    assert token.reveal() == "token-1"
    assert parse_qsl(asked.query) == [
        ("tenant", "7"),
        ("service", "the registry"),
        ("scope", "repository:a/b:pull"),
        ("scope", "repository:c:pull,push"),
        ("account", "myuser"),
    ]
    assert base64.b64decode(asked.authorization.removeprefix("Basic ")).decode() == "myuser:pass:wörd"


@pytest.mark.parametrize(
    "credential", [None, Credential("", Secret("x" * 9)), Credential("myuser", Secret(""))]
)
async def test_half_credentials_are_never_sent(fake: FakeRegistry, credential: Credential | None) -> None:
    await ask(fake, credential)
    (asked,) = fake.requests("GET", "/token")
    assert not asked.authorization
    assert "account" not in asked.query


async def test_an_identity_token_is_exchanged_at_the_realm_by_post(fake: FakeRegistry) -> None:
    fake.say("POST", "/token", Said(200, {"access_token": "new", "expires_in": 300}))
    found = await ask(fake, Credential("<token>", Secret(""), Secret("refresh-canary")))
    (asked,) = fake.asked
    form = parse_qs(asked.body.decode())
    assert found.reveal() == "new"
    assert form["grant_type"] == ["refresh_token"]
    assert form["refresh_token"] == ["refresh-canary"]
    assert form["service"] == ["the registry"]
    assert form["scope"] == list(SCOPE)
    assert form["client_id"]


@pytest.mark.parametrize("status", [404, 405])
async def test_a_realm_without_oauth2_is_asked_by_get(fake: FakeRegistry, status: int) -> None:
    fake.say("POST", "/token", Said(status))
    found = await ask(fake, Credential("me", Secret("pw-for-get"), Secret("refresh")))
    assert found.reveal() == "token-1"


async def test_wrong_credentials_are_told_in_the_token_servers_words(fake: FakeRegistry) -> None:
    fake.say("GET", "/token", refusal(401, "UNAUTHORIZED", "HTTP Basic: Access denied. \x1b[2J2FA is on."))
    with pytest.raises(LoginRefused) as caught:
        await ask(fake)
    assert "HTTP Basic: Access denied." in caught.value.words
    assert "\x1b" not in caught.value.message
    assert "two-factor" in caught.value.meaning


@pytest.mark.parametrize(
    "body",
    [
        b"not json",
        [1],
        {"token": 5},
        {"token": None},
        {"token": ""},
        {"token": "a\r\nX-Evil: 1"},
        {"token": "esc\x1b[2J"},
        {"token": "ümlaut"},
        {"token": " "},
        {"token": "two words"},
        {},
        b"[" * 50_000,
    ],
)
async def test_an_answer_without_a_usable_token_is_a_typed_error(fake: FakeRegistry, body: Any) -> None:
    fake.say("GET", "/token", Said(200, body))
    with pytest.raises(DockpassError) as caught:
        await ask(fake)
    assert caught.value.id == "token-unreadable"


async def test_an_endless_answer_is_not_read(fake: FakeRegistry) -> None:
    fake.say("GET", "/token", Said(200, b"x" * (1 << 20)))
    with pytest.raises(DockpassError, match="more than 64 KiB"):
        await ask(fake)


async def test_access_token_is_preferred_over_token(fake: FakeRegistry) -> None:
    fake.say("GET", "/token", Said(200, {"token": "a", "access_token": "b"}))
    assert (await ask(fake)).reveal() == "b"


@pytest.mark.parametrize(
    ("expires_in", "kept_for"),
    [(300, 295), (None, 55), (-5, 55), (0, 55), (10**18, 3595), ("300", 55), (True, 55), (2.5, 55)],
)
async def test_a_token_is_kept_as_long_as_is_sane(
    fake: FakeRegistry, expires_in: object, kept_for: float
) -> None:
    clock = Clock()
    fake.say("GET", "/token", Said(200, {"token": "x", "expires_in": expires_in}))
    async with Transport() as transport:
        tokens, realm = Tokens(transport, fake.host, ME, clock), Realm(f"{fake.url}/token", "s")
        for seconds, requests in ((0, 1), (kept_for - 1, 1), (2, 2)):
            clock.now += seconds
            await tokens.get(realm, SCOPE)
            assert len(fake.requests("GET", "/token")) == requests


async def test_many_waiting_requests_ask_for_one_token(fake: FakeRegistry) -> None:
    async with Transport() as transport:
        tokens, realm = Tokens(transport, fake.host, ME), Realm(f"{fake.url}/token", "s")
        found = await asyncio.gather(*(tokens.get(realm, SCOPE) for _ in range(20)))
        other = await tokens.get(realm, ("repository:other:pull",))
    assert {token.reveal() for token in found} == {"token-1"}
    assert other.reveal() == "token-2"


@pytest.mark.parametrize(
    ("host", "scheme", "realm"),
    [
        ("registry.example", "https", "http://auth.example/token"),
        ("registry.example", "https", "http://127.0.0.1/token"),
        ("127.0.0.1:5000", "https", "http://127.0.0.1/token"),
        ("127.0.0.1:5000", "http", "http://auth.example/token"),
        ("registry.example", "https", "https://user:pw@evil.example/"),
        ("registry.example", "https", "https://evil.example/#fragment"),
        ("registry.example", "https", "file:///etc/passwd"),
        ("registry.example", "https", "ftp://auth.example/"),
        ("registry.example", "https", "javascript:alert(1)"),
        ("registry.example", "https", "/relative"),
        ("registry.example", "https", "https://[broken/"),
        ("registry.example", "https", "https://auth.example:notaport/"),
        ("registry.example", "https", ""),
    ],
)
def test_a_realm_that_must_not_get_credentials_is_refused(host: str, scheme: str, realm: str) -> None:
    with pytest.raises(DockpassError) as caught:
        check_realm(host, scheme, {"realm": realm})
    assert caught.value.id == "realm-refused"


@pytest.mark.parametrize(
    ("host", "scheme", "realm"),
    [
        ("registry.example", "https", "https://auth.elsewhere.example/token"),
        ("localhost:5000", "http", "http://127.0.0.1:5001/token"),
        ("[::1]:5000", "http", "http://localhost:5001/token"),
    ],
)
def test_a_realm_elsewhere_is_normal(host: str, scheme: str, realm: str) -> None:
    assert check_realm(host, scheme, {"realm": realm, "service": "s"}) == Realm(realm, "s")


def jwt(claims: object) -> Secret:
    body = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return Secret(f"e30.{body}.c2ln")


def test_granted_actions_are_those_of_exactly_this_repository() -> None:
    access = [
        {"type": "repository", "name": "web/backend", "actions": ["pull", 5, "push\x1b[2J"]},
        {"type": "repository", "name": "web", "actions": ["delete"]},
        {"type": "registry", "name": "web/backend", "actions": ["*"]},
        "junk",
    ]
    assert granted_actions(jwt({"access": access}), "web/backend") == {"pull"}
    assert granted_actions(jwt({"access": []}), "web/backend") == frozenset()


@pytest.mark.parametrize("token", ["opaque", "a.b", "a.!!!.c", "a.bm90IGpzb24.c", f"a.{'W1tb' * 30000}.c"])
def test_an_opaque_token_has_no_visible_actions(token: str) -> None:
    assert granted_actions(Secret(token), "web") is None


@pytest.mark.parametrize("claims", [[1], {"access": 5}, {"access": [{"name": "web", "actions": 7}]}])
def test_claims_of_wrong_types_are_no_actions(claims: object) -> None:
    assert not granted_actions(jwt(claims), "web")
