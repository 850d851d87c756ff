import asyncio
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from fakeregistry import FakeRegistry, Said

from dockpass.errors import DockpassError
from dockpass.references.address import is_loopback
from dockpass.registry.transport import Transport, origin

LIMIT = 1 << 10
AUTHORIZED = {"Authorization": "Basic Y2FuYXJ5OmNhbmFyeQ=="}


def moved(location: str, status: int = 307) -> Said:
    return Said(status, headers=(("Location", location),))


async def get(url: str, *, leaves: bool = False, limit: int = LIMIT) -> tuple[int, bytes]:
    async with Transport() as transport:
        found = await transport.request("GET", url, headers=AUTHORIZED, limit=limit, leaves_origin=leaves)
        return found.status, found.body


async def test_it_says_who_it_is_and_asks_for_uncompressed_answers(fake: FakeRegistry) -> None:
    await get(f"{fake.url}/v2/")
    (asked,) = fake.asked
    assert asked.headers["User-Agent"].startswith("dockpass/")
    assert asked.headers["Accept-Encoding"] == "identity"


async def test_no_cookie_netrc_or_proxy_is_used(
    fake: FakeRegistry, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login canary password canary\n")
    (tmp_path / ".netrc").chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    fake.say("GET", "/v2/", Said(200, b"", (("Set-Cookie", "session=1"),)))
    async with Transport() as transport:
        for _ in range(2):
            await transport.request("GET", f"{fake.url}/v2/", limit=LIMIT)
    assert len(fake.asked) == 2
    for asked in fake.asked:
        assert not asked.authorization
        assert "Cookie" not in asked.headers


async def test_a_redirect_within_the_origin_is_followed_with_authorization(fake: FakeRegistry) -> None:
    fake.say("GET", "/a", moved("/b"))
    fake.say("GET", "/b", Said(200, b"there"))
    assert await get(f"{fake.url}/a") == (200, b"there")
    assert fake.asked[-1].authorization == AUTHORIZED["Authorization"]


async def test_another_origin_is_not_followed_unless_it_is_allowed(
    fake: FakeRegistry, other: FakeRegistry
) -> None:
    fake.say("GET", "/a", moved(f"{other.url}/b"))
    with pytest.raises(DockpassError, match="another origin"):
        await get(f"{fake.url}/a")
    assert not other.asked


async def test_authorization_never_reaches_another_origin(fake: FakeRegistry, other: FakeRegistry) -> None:
    fake.say("GET", "/a", moved(f"{other.url}/b"))
    other.say("GET", "/b", moved(f"{fake.url}/c"))
    fake.say("GET", "/c", Said(200, b"blob"))
    assert await get(f"{fake.url}/a", leaves=True) == (200, b"blob")
    assert not other.asked[0].authorization
    assert not fake.asked[-1].authorization  # it has been given up on the way


async def test_redirects_have_an_end(fake: FakeRegistry) -> None:
    fake.say("GET", "/a", moved("/a"))
    with pytest.raises(DockpassError, match="redirects more than 3 times"):
        await get(f"{fake.url}/a")
    assert len(fake.asked) == 4


@pytest.mark.parametrize(
    "location",
    [
        "//evil.example/x",
        "https://evil.example",
        "http://[broken/",
        "file:///etc/passwd",
        "http://:0/",
        "ftp://x/",
    ],
)
async def test_a_location_that_leads_elsewhere_or_nowhere_is_refused(
    fake: FakeRegistry, location: str
) -> None:
    fake.say("GET", "/a", moved(location))
    with pytest.raises(DockpassError) as caught:
        await get(f"{fake.url}/a")
    assert caught.value.id == "answer-refused"
    assert len(fake.asked) == 1


@pytest.mark.parametrize("location", ["http://storage.example/blob", "ftp://storage.example/b", "http://[x/"])
async def test_a_blob_leaves_its_registry_only_for_https(fake: FakeRegistry, location: str) -> None:
    fake.say("GET", "/a", moved(location))
    with pytest.raises(DockpassError) as caught:
        await get(f"{fake.url}/a", leaves=True)
    assert caught.value.id == "answer-refused"


async def test_a_redirect_without_location_is_the_answer(fake: FakeRegistry) -> None:
    fake.say("GET", "/a", Said(302))
    assert (await get(f"{fake.url}/a"))[0] == 302


async def test_a_post_is_never_repeated_elsewhere(fake: FakeRegistry) -> None:
    fake.say("POST", "/a", moved("/b"))
    async with Transport() as transport:
        found = await transport.request("POST", f"{fake.url}/a", data={"secret": "x"}, limit=LIMIT)
    assert found.status == 307
    assert len(fake.asked) == 1


async def test_a_body_over_the_limit_is_refused_and_one_at_the_limit_is_not(fake: FakeRegistry) -> None:
    fake.say("GET", "/a", Said(200, b"x" * LIMIT), Said(200, b"x" * (LIMIT + 1)))
    assert len((await get(f"{fake.url}/a"))[1]) == LIMIT
    with pytest.raises(DockpassError, match="more than 1 KiB"):
        await get(f"{fake.url}/a")


async def test_a_compressed_answer_is_refused(fake: FakeRegistry) -> None:
    fake.say("GET", "/a", Said(200, b"\x1f\x8bbomb", (("Content-Encoding", "gzip"),)))
    with pytest.raises(DockpassError, match="compressed"):
        await get(f"{fake.url}/a")


async def test_a_refused_connection_says_so() -> None:
    with pytest.raises(DockpassError) as caught:
        await get("http://127.0.0.1:1/")
    assert caught.value.id == "connection-refused"
    assert "127.0.0.1:1" in caught.value.message


async def test_a_name_that_does_not_exist_says_so() -> None:
    with pytest.raises(DockpassError) as caught:
        await get("https://registry.invalid/")
    assert caught.value.id == "name-unresolved"


async def test_garbage_and_silence_are_no_answers() -> None:
    async def garbage(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"\x00\x1b[2J not http\r\n\r\n")
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(garbage, "127.0.0.1", 0)
    async with server:
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(DockpassError) as caught:
            await get(f"http://127.0.0.1:{port}/")
    assert "\x1b" not in caught.value.message


async def test_plain_http_where_tls_is_spoken_is_told_apart(fake: FakeRegistry) -> None:
    with pytest.raises(DockpassError) as caught:
        await get(f"https://{fake.host}/v2/")
    assert caught.value.id == "not-tls"


async def test_a_server_that_hangs_up_on_tls_does_not_speak_it() -> None:
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0)
    async with server:
        with pytest.raises(DockpassError) as caught:
            await get(f"https://127.0.0.1:{server.sockets[0].getsockname()[1]}/v2/")
    assert caught.value.id == "not-tls"


async def test_a_certificate_of_an_unknown_authority_is_refused(tls_server: int) -> None:
    with pytest.raises(DockpassError) as caught:
        await get(f"https://127.0.0.1:{tls_server}/v2/")
    assert caught.value.id == "tls"


@pytest.fixture
async def tls_server(tmp_path: Path) -> AsyncIterator[int]:
    from tokenserver import self_signed_files

    certificate, key = self_signed_files(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=context)
    async with server:
        yield server.sockets[0].getsockname()[1]


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("127.0.0.1:5000", True),
        ("127.8.9.1", True),
        ("[::1]:5000", True),
        ("localhost:5000", True),
        ("LOCALHOST", True),
        ("localhost.evil.example", False),
        ("127.0.0.1.evil.example", False),
        ("registry.local", False),
        ("10.0.0.1:5000", False),
        ("[broken", False),
        ("", False),
    ],
)
def test_loopback_is_this_machine_only(host: str, local: bool) -> None:
    assert is_loopback(host) is local


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("https://a.example/x", "https://A.example:443/y", True),
        ("http://a.example", "http://a.example:80", True),
        ("https://a.example", "http://a.example", False),
        ("https://a.example", "https://a.example:8443", False),
        ("https://a.example", "https://a.example.evil.example", False),
    ],
)
def test_an_origin_is_scheme_host_and_port(one: str, other: str, same: bool) -> None:
    assert (origin(one) == origin(other)) is same
