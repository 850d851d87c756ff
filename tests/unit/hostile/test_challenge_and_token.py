"""A15 to A23: challenges that do not fit, and tokens that are none or say too much."""

from __future__ import annotations

import base64
import json
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from urllib.parse import parse_qs, urlsplit

import pytest
from hostile import BASIC, Hostile, Reply, World, bearer
from tokenactions import granted_actions

from dockpass.errors import DockpassError
from dockpass.registry.clock import skew_in_words
from dockpass.registry.scopes import beyond, parse_scope
from dockpass.registry.session import Session
from dockpass.registry.token import LONGEST_LIFE, SHORTEST_LIFE, Tokens, check_realm
from dockpass.secrets import Secret

LIST = "/v2/web/tags/list"
TAGS = Reply(200, {"name": "web", "tags": ["v1"]})


async def tokens_at(world: World, *answers: Reply) -> Hostile:
    """A registry that is its own token server."""
    server = await world.server("registry.example")
    server.on("/v2/", bearer(f"{server.url}/token"))
    server.on("/token", *answers)
    server.on(LIST, TAGS)
    return server


async def failed(world: World, server: Hostile) -> DockpassError:
    with pytest.raises(DockpassError) as caught:
        await (await world.client(server.host)).tags("web")
    assert caught.value.message.isprintable()
    assert len(caught.value.message) < 2000
    return caught.value


# Challenges


@pytest.mark.parametrize(
    "headers",
    [
        [b'Basic realm="x", Bearer realm="URL",service="s"'],
        [b'Basic realm="x"', b'Bearer realm="URL",service="s"'],
        [b'Negotiate, NTLM, Bearer realm="URL"'],
        [b"Negotiate", b'BEARER REALM="URL"'],
        [b"Bearer realm=URL,service=s"],
        [b'Bearer error="a \\"quoted, realm=\\"https://evil.example\\"\\" word",realm="URL"'],
        [b'Bearer realm="URL",scope="",service=""'],
        [b'Bearer realm="URL",realm="https://evil.example/token"'],
        [b'Bearer service="\xff\xfe",realm="URL"'],
        [b'Bearer realm="URL",scope="repository:web:pull",error="insufficient_scope"'],
    ],
)
async def test_a15_a_usable_challenge_is_found_among_others(world: World, headers: list[bytes]) -> None:
    server = await tokens_at(world, Reply(200, {"token": "the-token"}))
    url = f"{server.url}/token".encode()
    lines = tuple(("WWW-Authenticate", header.replace(b"URL", url)) for header in headers)
    server.on("/v2/", Reply(401, b"", lines))
    assert await (await world.client(server.host)).tags("web") == ["v1"]
    assert server.requests("/token")[0].authorization == BASIC
    assert "evil.example" not in world.names.asked


@pytest.mark.parametrize(
    "header",
    [
        b"Bearer",
        b'Bearer realm=""',
        b'Bearer service="x"',
        b"Negotiate",
        b",,,,,",
        b'"',
        b'Bearer realm="unclosed',
        b"\xff\xfe\xfd",
        b"A," * 3000,
        b"Bearer realm=\\",
        b"",
    ],
)
async def test_a15_a_challenge_that_cannot_be_used_is_a_typed_error(world: World, header: bytes) -> None:
    server = await tokens_at(world)
    server.on("/v2/", Reply(401, b"", (("WWW-Authenticate", header),)))
    assert (await failed(world, server)).id in {"challenge-unusable", "realm-refused"}
    assert not server.requests("/token")


@pytest.mark.parametrize("lines", [[b"x" * (1 << 20)], [b"Negotiate"] * 10_000])
async def test_a15_headers_without_measure_are_a_typed_error(world: World, lines: list[bytes]) -> None:
    server = await tokens_at(world)
    server.on("/v2/", Reply(401, b"", tuple(("WWW-Authenticate", line) for line in lines)))
    assert (await failed(world, server)).id in {"registry-unreadable", "challenge-unusable"}


@pytest.mark.parametrize(
    ("scope", "shown"),
    [
        ("repository:other:pull,push,delete", "repository:other:delete,pull,push"),
        ("registry:catalog:*", "registry:catalog:*"),
        ("repository:web:*", "repository:web:*"),
        ("repository:web:pull", ""),
        ("*", ""),
        ("::", ""),
        (" ", ""),
    ],
)
async def test_a16_what_the_challenge_would_like_is_shown_and_never_asked_for(
    world: World, scope: str, shown: str
) -> None:
    server = await tokens_at(world, Reply(200, {"token": "the-token"}))
    challenge = bearer(f"{server.url}/token", f',scope="{scope}"')
    server.on("/v2/", challenge)
    server.on(LIST, challenge)
    with pytest.raises(DockpassError) as caught:
        await (await world.client(server.host)).tags("web")
    asked = [parse_qs(urlsplit(request.target).query)["scope"] for request in server.requests("/token")]
    assert asked == [["repository:web:pull"]] * 2
    assert ("It also asked for" in caught.value.hint) is bool(shown)
    assert shown in caught.value.hint


def test_a16_only_what_goes_beyond_the_plan_is_shown() -> None:
    assert beyond("repository:a:pull", "repository:a:pull,delete") == ""
    assert beyond("repository:a:pull,push", "repository:a:pull") == "repository:a:push"
    assert beyond("repository:\x1b[2J:pull", "") == "repository::pull"
    assert len(beyond(" ".join(f"repository:r{number}:pull" for number in range(10_000)), "")) < 400


@pytest.mark.parametrize(
    ("text", "name", "actions"),
    [
        ("repository:localhost:5000/web/app:pull,push", "localhost:5000/web/app", {"pull", "push"}),
        ("repository:web:pull", "web", {"pull"}),
        ("repository(plugin):a/b:*", "a/b", {"*"}),
        ("registry:catalog:*", "catalog", {"*"}),
    ],
)
def test_a17_a_name_may_hold_the_colon_of_its_port(text: str, name: str, actions: set[str]) -> None:
    found = parse_scope(text)
    assert found
    assert (found.name, found.actions) == (name, actions)
    assert granted_actions(jwt([{"type": found.kind, "name": name, "actions": sorted(actions)}]), name) in (
        actions,
        None if found.kind == "repository" else frozenset(),
    )


# The body of a token


def nested(depth: int) -> bytes:
    return b'{"token":' + b"[" * depth + b"]" * depth + b"}"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"not json",
        b"[]",
        b"null",
        b"true",
        b'"token"',
        b'{"token": 5}',
        b'{"token": null}',
        b'{"token": ""}',
        b'{"token": ["a"]}',
        b'{"token": {"a": 1}}',
        b'{"access_token": 7, "token": "good"}',
        b'{"token": "a", "token": "b"}',
        b'{"token": "a", "expires_in": NaN}',
        b'{"token": "a", "expires_in": 1e999}',
        b'{"token": "a", "expires_in": ' + b"9" * 5000 + b"}",
        b'\xff\xfe{"token": "a"}',
        nested(30_000),
        b'{"token": "\xc3\xbc"}',
        b'{"token": "\\ud800"}',
    ],
)
async def test_a18_a_body_without_a_token_is_a_typed_error(world: World, body: bytes) -> None:
    server = await tokens_at(world, Reply(200, body))
    assert (await failed(world, server)).id == "token-unreadable"
    assert not server.requests(LIST)


async def test_a18_of_two_tokens_the_access_token_is_taken_always(world: World) -> None:
    server = await tokens_at(world, Reply(200, b'{"token": "one", "access_token": "other"}'))
    await (await world.client(server.host)).tags("web")
    assert server.requests(LIST)[0].authorization == "Bearer other"


async def test_a18_a_body_without_end_is_cut_off_in_bounded_memory(world: World) -> None:
    sent = 0

    def pieces() -> Iterator[bytes]:
        nonlocal sent
        for _ in range(1600):  # 100 MiB
            sent += 1 << 16
            yield b"x" * (1 << 16)

    server = await tokens_at(world, Reply(200, pieces=pieces()))
    tracemalloc.start()
    try:
        error = await failed(world, server)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert "more than 64 KiB" in error.message
    assert peak < 24 << 20
    assert sent < 50 << 20


async def test_a18_a_compressed_answer_is_never_inflated(world: World) -> None:
    import gzip

    bomb = gzip.compress(b'{"token": "' + b"x" * (32 << 20) + b'"}')
    for encoding in ("gzip", "deflate", "br", "GZIP", "gzip, gzip", "identity, gzip"):
        server = await tokens_at(world, Reply(200, bomb, (("Content-Encoding", encoding),)))
        assert (await failed(world, server)).id == "answer-refused"
        assert server.asked[-1].headers["accept-encoding"] == "identity"


@pytest.mark.parametrize(
    "token", ["a\r\nX-Evil: 1", "a\nb", "a\rb", "\x1b[2Jtoken", "a\x00b", "a\x7fb", "a\x9bb", "\u202eevil"]
)
async def test_a19_a_token_with_controls_is_never_sent_nor_shown(world: World, token: str) -> None:
    server = await tokens_at(world, Reply(200, {"token": token}))
    error = await failed(world, server)
    assert error.id == "token-unreadable"
    assert token not in error.message
    assert not server.requests(LIST)


@pytest.mark.parametrize(
    "more",
    [
        {"expires_in": -1},
        {"expires_in": 0},
        {"expires_in": 10**18},
        {"expires_in": "3600"},
        {"expires_in": None},
        {"expires_in": True},
        {"issued_at": "1970-01-01T00:00:00Z"},
        {"issued_at": "2999-01-01T00:00:00Z", "expires_in": 300},
        {"issued_at": "yesterday"},
        {"issued_at": 5},
    ],
)
async def test_a20_a_token_is_kept_for_a_sane_time_whatever_is_said_of_it(
    world: World, more: dict[str, object]
) -> None:
    server = await tokens_at(world, Reply(200, {"token": jwt([], exp=1).reveal(), **more}))
    now = 1000.0
    realm = check_realm(server.host, "https", {"realm": f"{server.url}/token"})
    async with world.transport() as transport:
        tokens = Tokens(transport, server.host, None, lambda: now)
        for seconds, requests in ((0.0, 1), (SHORTEST_LIFE / 2, 1), (LONGEST_LIFE, 2)):
            now += seconds
            await tokens.get(realm, ("repository:web:pull",))
            assert len(server.requests("/token")) == requests


@pytest.mark.parametrize(("hours", "words"), [(1, "60 minutes ahead of"), (-1, "60 minutes behind"), (0, "")])
async def test_a20_a_clock_that_is_an_hour_off_hinders_nothing_and_is_said(
    world: World, hours: int, words: str
) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC)
    server = await tokens_at(world, Reply(200, {"token": "the-token"}))
    date = ("Date", format_datetime(now + timedelta(hours=hours)))
    challenge = bearer(f"{server.url}/token")
    accepted = Reply(200, {})
    server.on("/v2/", Reply(401, b"", (*challenge.headers, date)), accepted)
    from hostile import ME

    async with world.transport() as transport:
        session = Session(server.host, ME, transport, now=lambda: now)
        said = await session.login()
    assert said.startswith("accepted by")
    assert (words in said) if words else ("clock" not in said)


@pytest.mark.parametrize("date", ["", "garbage", "Mon, 99 Foo 9999 99:99:99 GMT", "0", "Thu, 01 Jan 0000"])
def test_a20_a_date_that_is_none_says_nothing(date: str) -> None:
    assert skew_in_words(date, datetime.now(UTC)) == ""


def jwt(access: object, **claims: object) -> Secret:
    payload = base64.urlsafe_b64encode(json.dumps({"access": access, **claims}).encode()).decode()
    return Secret(f"eyJhbGciOiJub25lIn0.{payload}.")


@pytest.mark.parametrize(
    "token",
    [
        "opaque",
        "..",
        "a.b",
        "a.b.c.d",
        "a.%%%.c",
        "a.=====.c",
        "a." + "A" * 300_000 + ".c",
        f"a.{base64.urlsafe_b64encode(nested(20_000)).decode()}.c",
        "a." + base64.urlsafe_b64encode(b'{"access":[],"access":[{}]}').decode() + ".c",
        "a." + base64.urlsafe_b64encode(b"[1]").decode() + ".c",
    ],
)
def test_a21_a_token_that_cannot_be_read_is_opaque(token: str) -> None:
    assert granted_actions(Secret(token), "web") is None


@pytest.mark.parametrize(
    "access",
    [
        None,
        "all",
        5,
        {"type": "repository"},
        [None, 1, "x", []],
        [{"type": "repository", "name": ["web"], "actions": ["pull"]}],
        [{"type": "repository", "name": "web", "actions": "pull"}],
        [{"type": "repository", "name": "web", "actions": [1, None, {"a": 1}]}],
        [{"type": "repository", "name": "web2", "actions": ["pull"]}],
        [{"type": "repository", "name": "web/", "actions": ["pull"]}],
        [{"type": "repository", "name": "WEB", "actions": ["pull"]}],
        [{"type": "registry", "name": "web", "actions": ["*"]}],
    ],
)
def test_a21_actions_count_only_in_the_right_form_for_the_exact_name(access: object) -> None:
    assert granted_actions(jwt(access), "web") == frozenset()


def test_a21_what_is_shown_of_them_is_inert() -> None:
    access = [{"type": "repository", "name": "web", "actions": ["\x1b]0;x\x07pull", "[bold]push", "a" * 999]}]
    found = granted_actions(jwt(access), "web")
    assert found is not None
    assert all(action.isprintable() and len(action) <= 40 for action in found)


async def test_a22_claims_beyond_what_was_asked_for_change_nothing(world: World) -> None:
    token = jwt([{"type": "repository", "name": name, "actions": ["*"]} for name in ("web", "other")])
    server = await tokens_at(world, Reply(200, {"token": token.reveal()}))
    server.on("/v2/other/tags/list", Reply(200, {"name": "other", "tags": ["v1"]}))
    client = await world.client(server.host)
    await client.tags("web")
    await client.tags("other")
    asked = [parse_qs(urlsplit(request.target).query)["scope"] for request in server.requests("/token")]
    assert asked == [["repository:web:pull"], ["repository:other:pull"]]


async def test_a23_fewer_actions_than_asked_are_read_and_the_refusal_is_told(world: World) -> None:
    token = jwt([{"type": "repository", "name": "web", "actions": ["pull"]}])
    assert granted_actions(token, "web") == {"pull"}
    server = await tokens_at(world, Reply(200, {"token": token.reveal()}))
    denied = {"errors": [{"code": "DENIED", "message": "requested access to the resource is denied"}]}
    digest = "sha256:" + "a" * 64
    server.on(f"/v2/web/manifests/{digest}", Reply(403, denied), method="DELETE")
    with pytest.raises(DockpassError) as caught:
        await (await world.client(server.host)).delete_digest("web", digest)
    assert caught.value.id == "denied"
    assert "what this login may do" in caught.value.hint
