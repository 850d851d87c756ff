"""A47 to A54: names that look like others, answers that never come or are two, and addresses that reach further."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Iterator
from urllib.parse import parse_qs, urlsplit

import pytest
from hostile import BASIC, ELSEWHERE, ME, PUBLIC, Hostile, Reply, World, bearer, moved
from logins import ANONYMOUS, Given

from dockpass.engines.embedded.remote import Remote
from dockpass.errors import DockpassError
from dockpass.references.credential import Credential
from dockpass.references.reference import parse_repository
from dockpass.registry.addresses import in_ascii
from dockpass.registry.client import RegistryClient
from dockpass.registry.policy import RealmRule
from dockpass.registry.slow_body import Pace
from dockpass.registry.token import with_query
from dockpass.registry.transport import TRANSFER_TIMEOUT
from dockpass.secrets import Secret

LIST = "/v2/web/tags/list"
UPLOADS = "/v2/web/blobs/uploads/"
TAGS = Reply(200, {"name": "web", "tags": ["v1"]})
TOKEN = Reply(200, {"token": "the-token"})
SOON = Pace(answer=0.5, silence=0.5)
CYRILLIC = "rеgistry.example"
PUNYCODE = "xn--rgistry-7gg.example"


async def plain(world: World, reply: Reply) -> Hostile:
    """A registry without a login that answers so to the listing of `web`."""
    server = await world.server("registry.example")
    server.on("/v2/", Reply())
    server.on(LIST, reply)
    return server


async def refused(client: RegistryClient) -> DockpassError:
    with pytest.raises(DockpassError) as caught:
        await client.tags("web")
    assert caught.value.message.isprintable()
    return caught.value


async def outcome(client: RegistryClient) -> str:
    """List the tags; return them, or that it ended in a typed error."""
    try:
        return ",".join(await client.tags("web"))
    except DockpassError:
        return "refused"


async def transferred(world: World, server: Hostile, pace: Pace, method: str = "GET") -> bytes:
    """Read the listing as blobs are read: without a limit on the whole time."""
    async with (
        world.transport(pace) as transport,
        transport.stream(method, server.url + LIST, timeout=TRANSFER_TIMEOUT) as stream,
    ):
        return b"".join([chunk async for chunk in stream.chunks()])


# Names that look like others


async def test_a47_a_realm_that_looks_like_the_registry_is_shown_as_it_is_spelled(world: World) -> None:
    server = await world.server("registry.example")
    server.on("/v2/", bearer(f"https://{CYRILLIC}:{server.port}/token"))
    error = await refused(await world.client(server.host))
    assert error.id == "realm-refused"
    assert PUNYCODE in error.message
    assert CYRILLIC not in error.message
    assert world.names.asked == ["registry.example"]


async def test_a47_its_punycode_is_another_domain_than_the_registrys(world: World) -> None:
    evil = await world.server(PUNYCODE, address=ELSEWHERE)
    evil.on("/token", TOKEN)
    server = await world.server("registry.example")
    server.on("/v2/", bearer(f"{evil.url}/token"))
    error = await refused(await world.client(server.host, realm_rule=RealmRule()))
    assert error.id == "realm-not-agreed"
    assert PUNYCODE in error.message
    assert not evil.asked


async def test_a47_so_is_the_host_of_a_redirect(world: World) -> None:
    server = await plain(world, moved(f"https://{CYRILLIC}/x".encode()))
    error = await refused(await world.client(server.host))
    assert PUNYCODE in error.message
    assert CYRILLIC not in error.message


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        ("https://registry.example/é", "https://registry.example/xn--9ca"),
        (f"https://me@{CYRILLIC}:1/x", f"https://me@{PUNYCODE}:1/x"),
        ("a" * 70 + "é", "a" * 70 + "\\xe9"),
        ("registry.example", "registry.example"),
        ("\ud800", "\\ud800"),
    ],
)
def test_a47_letters_of_other_alphabets_never_stay(address: str, shown: str) -> None:
    assert in_ascii(address) == shown


# A realm that brings parameters of its own


@pytest.mark.parametrize("credential", [ME, None, Credential("", Secret(""), Secret("identity-token"))])
async def test_a48_a_realm_does_not_choose_the_scope(world: World, credential: Credential | None) -> None:
    more = "scope=repository:other:*&Scope=x&%73cope=registry:catalog:*&service=evil&account=root&offline_token=1"
    server = await world.server("registry.example")
    server.on("/v2/", bearer(f"{server.url}/token?tenant=a&{more}"))
    for method in ("GET", "POST"):
        server.on("/token", TOKEN, method=method)
    server.on(LIST, TAGS)
    assert await (await world.client(server.host, credential)).tags("web") == ["v1"]
    (asked,) = server.requests("/token")
    form = asked.body.decode() if asked.method == "POST" else ""
    found = parse_qs(f"{urlsplit(asked.target).query}&{form}")
    assert found["scope"] == ["repository:web:pull"]
    assert set(found["service"]) <= {"hostile", "evil"}
    assert found["tenant"] == ["a"]
    assert found.get("account", ["myuser"]) == ["myuser"]
    assert "Scope" not in found
    assert "offline_token" not in found


def test_a48_the_service_is_named_once() -> None:
    url = "https://auth.example/token?service=theirs"
    assert with_query(url, [("service", "ours")]) == "https://auth.example/token?service=ours"
    assert with_query(url, [("service", "")]) == url


# Answers that never end


async def test_a49_a_body_that_trickles_is_ended(world: World) -> None:
    server = await plain(world, Reply(pieces=[b"{"], hangs=True))
    seconds = itertools.count(0.0, 130.0)  # each look at the clock is two minutes later
    with pytest.raises(DockpassError) as caught:
        await transferred(world, server, Pace(clock=lambda: next(seconds)))
    assert caught.value.id == "answer-refused"
    assert "1024 bytes a second" in caught.value.message


async def test_a49_one_that_falls_silent_too(world: World) -> None:
    server = await plain(world, Reply(pieces=[b"{"], hangs=True))
    with pytest.raises(DockpassError) as caught:
        await transferred(world, server, SOON)
    assert caught.value.id == "timeout"


async def test_a49_a_body_that_is_merely_slow_is_read(world: World) -> None:
    server = await plain(world, Reply(pieces=[b"x" * (1 << 20)]))
    seconds = itertools.count(0.0, 1.0)
    assert len(await transferred(world, server, Pace(grace=0, clock=lambda: next(seconds)))) == 1 << 20


@pytest.mark.parametrize(
    ("received", "waited", "trickles"),
    [(0, 120.0, False), (0, 120.1, True), (121 << 10, 121.0, False), ((121 << 10) - 1, 121.0, True)],
)
def test_a49_the_time_of_grace_comes_first(received: int, waited: float, trickles: bool) -> None:
    assert Pace().is_trickle(received, waited) is trickles


BODY = b'{"name": "web", "tags": ["v1"]}'


@pytest.mark.parametrize(
    "length", [b"1000", b"99999999999999999999999", b"-1", b"+31", b"0x1f", b"31, 31", b"5"]
)
async def test_a50_a_length_that_is_not_the_bodys_gives_no_tags(world: World, length: bytes) -> None:
    server = await plain(
        world, Reply(raw=b"HTTP/1.1 200 OK\r\nContent-Length: " + length + b"\r\n\r\n" + BODY)
    )
    assert (await refused(await world.client(server.host))).id in {"answer-refused", "registry-unreadable"}


async def test_a50_what_is_sent_beyond_it_answers_no_other_request(world: World) -> None:
    second = b"HTTP/1.1 200 OK\r\nContent-Length: 31\r\n\r\n" + BODY.replace(b"v1", b"v6")
    raw = b"HTTP/1.1 200 OK\r\nContent-Length: 31\r\n\r\n" + BODY + second
    server = await plain(world, Reply(raw=raw))
    client = await world.client(server.host)
    assert [await client.tags("web") for _ in range(3)] == [["v1"]] * 3
    assert len(server.requests(LIST)) == 3


def interim() -> Iterator[bytes]:
    """More than anybody would read in half a second."""
    return itertools.repeat(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" * 100)


@pytest.mark.parametrize("method", ["GET", "PUT"])
async def test_a51_interim_answers_without_end_are_no_answer(world: World, method: str) -> None:
    server = await plain(world, Reply(pieces=interim(), headless=True))
    server.on(LIST, Reply(pieces=interim(), headless=True), method="PUT")

    async def body() -> AsyncIterator[bytes]:
        for _ in range(3):
            yield b"x"

    async with world.transport(SOON) as transport:
        with pytest.raises(DockpassError) as caught:
            async with transport.stream(
                method,
                server.url + LIST,
                data=body if method == "PUT" else None,
                headers={"Content-Length": "3"},
            ):
                pass
    assert caught.value.id == "timeout"


def chunked(*pieces: bytes) -> Iterator[bytes]:
    yield b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    yield from pieces[:-1]
    yield from itertools.repeat(pieces[-1], 100)


@pytest.mark.parametrize(
    "pieces",
    [
        (b"1\r\nx\r\n" * 1000,),
        (b"1;", b"x" * 10_000),
        (b"1;a=b\r\nx\r\n" * 1000,),
        (b"0\r\n", b"X-Trailer: " + b"x" * 1000 + b"\r\n"),
        (b"0\r\nX-Trailer: ", b"x" * 10_000),
        (b"0" * 10_000,),
        (b"ffffffffffffffffffff\r\n", b"x"),
        (b"-1\r\n", b"x"),
    ],
    ids=["tiny", "extension", "extensions", "trailers", "trailer", "size", "huge", "negative"],
)
async def test_a52_chunks_that_are_no_body_are_a_typed_error(world: World, pieces: tuple[bytes, ...]) -> None:
    server = await plain(world, TAGS)
    server.on("/v2/", Reply(pieces=chunked(*pieces), headless=True))
    client = RegistryClient(server.host, ANONYMOUS, transport=world.transport(SOON))
    async with client:
        error = await refused(client)
    assert error.id in {"answer-refused", "registry-unreadable", "timeout"}


@pytest.mark.parametrize(
    "lines",
    [
        b"Location: /x\r\n X-Evil: 1",
        b"Location: /x\rX-Evil: 1",
        b"Location: /x\nX-Evil: 1",
        b"Location: /x\x00X-Evil: 1",
        b"Location : /x",
        b"Location: /x%0d%0aX-Evil:%201",
        b"Location: /x\xc4\x8d\xc4\x8aX-Evil: 1",
        b"Link: </v2/web/tags/list?last=\rX-Evil: 1>; rel=next",
        b"Link: </v2/web/tags/list?last=%0d%0aX-Evil:%201>; rel=next",
        b"Content-Length: 31\r\nContent-Length: 3",
        b"Content-Length: 3\r\nTransfer-Encoding: chunked",
        b'WWW-Authenticate: Bearer realm="https://registry.example/token\r\n X-Evil: 1"',
    ],
)
@pytest.mark.parametrize("status", [b"200", b"307", b"401"])
async def test_a53_split_headers_never_become_headers_of_ours(
    world: World, lines: bytes, status: bytes
) -> None:
    server = await world.server("registry.example")
    server.on("/v2/", Reply(401, b"", (("WWW-Authenticate", "Basic"),)))
    server.on(LIST, Reply(raw=b"HTTP/1.1 " + status + b" Answer\r\n" + lines + b"\r\n\r\n" + BODY))
    assert await outcome(await world.client(server.host)) in {"v1", "refused"}
    assert not any("x-evil" in asked.headers for asked in server.asked)
    assert server.seen.count(b"\r\n\r\n") == len(server.asked)


@pytest.mark.parametrize("service", ["x\\\r\\\nX-Evil: 1", "x&scope=repository:other:*", "x%0d%0aX-Evil: 1"])
async def test_a53_nor_does_the_name_of_a_service(world: World, service: str) -> None:
    server = await world.server("registry.example")
    header = f'Bearer realm="{server.url}/token",service="{service}"'
    server.on("/v2/", Reply(401, b"", (("WWW-Authenticate", header),)))
    server.on("/token", TOKEN)
    server.on(LIST, TAGS)
    assert await outcome(await world.client(server.host)) in {"v1", "refused"}
    for asked in server.requests("/token"):
        assert parse_qs(urlsplit(asked.target).query)["scope"] == ["repository:web:pull"]
        assert "x-evil" not in asked.headers


# Uploads


async def opened(world: World, location: str) -> tuple[str, Hostile]:
    """Open an upload to `web` whose answer goes on at `location`; return where, and the server."""
    server = await world.server("registry.example", address=PUBLIC)
    server.on("/v2/", Reply(401, b"", (("WWW-Authenticate", "Basic"),)))
    server.on(UPLOADS, Reply(202, b"", (("Location", location.replace("SELF", server.url)),)), method="POST")
    async with world.transport() as transport:
        remote = Remote(parse_repository(f"{server.host}/web"), Given(ME), transport)
        return (await remote.start_upload()).target, server


@pytest.mark.parametrize(
    "location",
    [
        "/v2/other/blobs/uploads/1",
        "/v2/other/web/blobs/uploads/1",
        "/v2/WEB/blobs/uploads/1",
        "/v2/web/../other/blobs/uploads/1",
        "SELF/v2/web/../other/blobs/uploads/1",
        "SELF/v2/web/%2e%2e/other/blobs/uploads/1?state=x",
        "/v2/%6fther/blobs/uploads/1",
        "/v2//other/blobs/uploads/",
        "https://evil.example/v2/web/blobs/uploads/1",
        f"/v2/other/blobs/uploads/{BASIC}",
    ],
)
async def test_a54_an_upload_never_goes_on_in_another_repository(world: World, location: str) -> None:
    with pytest.raises(DockpassError) as caught:
        await opened(world, location)
    assert caught.value.id == "answer-refused"
    assert "another" in caught.value.message
    assert BASIC.partition(" ")[2] not in caught.value.message


@pytest.mark.parametrize(
    "location",
    [
        "/v2/web/blobs/uploads/1?state=x",
        "SELF/v2/web/blobs/uploads/1",
        "/artifacts-uploads/namespaces/a/uploads/1",
    ],
)
async def test_a54_one_of_the_same_repository_or_of_the_registrys_own_kind_does(
    world: World, location: str
) -> None:
    target, server = await opened(world, location)
    assert server.url + target == location.replace("SELF", server.url) or target == location
