"""A55: a proxy on the way, with a login and without one, and what it can and cannot do by lying."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

import pytest
from forwardproxy import ForwardProxy
from hostile import BASIC, ELSEWHERE, PASSWORD, Authority, Hostile, Reply, World, bearer, moved

from dockpass.errors import DockpassError
from dockpass.registry.client import RegistryClient
from dockpass.registry.proxies import Proxies, proxies_of
from dockpass.registry.slow_body import Pace

LOGIN = "bob:proxy-c@nary"
ENCODED = base64.b64encode(LOGIN.encode())
LIST = "/v2/web/tags/list"
TAGS = Reply(200, {"name": "web", "tags": ["v1"]})


def proxies(proxy: ForwardProxy, *, login: str = "", no_proxy: str = "", scheme: str = "http") -> Proxies:
    address = f"{scheme}://{login.replace('c@n', 'c%40n')}{'@' * bool(login)}{proxy.host}"
    return proxies_of({"HTTPS_PROXY": address, "HTTP_PROXY": address, "NO_PROXY": no_proxy})


def routes(*servers: Hostile) -> dict[str, str]:
    return {server.host: f"{server.address}:{server.port}" for server in servers}


async def registry(world: World, realm: str = "", *, tls: bool = True) -> Hostile:
    server = await world.server("registry.example", tls=tls)
    server.on("/v2/", bearer(realm) if realm else Reply(401, b"", (("WWW-Authenticate", "Basic"),)))
    server.on(LIST, TAGS)
    return server


async def failing(client: RegistryClient) -> DockpassError:
    with pytest.raises(DockpassError) as caught:
        await client.tags("web")
    said = caught.value.message + caught.value.hint
    assert PASSWORD not in said
    assert "nary" not in said
    assert ENCODED.decode() not in said
    assert said.isprintable()
    return caught.value


@pytest.mark.parametrize("login", ["", LOGIN])
async def test_a55_registry_token_server_and_storage_are_asked_by_the_proxy(world: World, login: str) -> None:
    realm = await world.server("auth.registry.example")
    realm.on("/token", Reply(200, {"token": "the-token"}))
    storage = await world.server("storage.example", address=ELSEWHERE)
    storage.on("/blob", Reply(200, b"the blob"))
    server = await registry(world, f"{realm.url}/token")
    server.on("/v2/web/blobs/x", moved(f"{storage.url}/blob"))
    with ForwardProxy(routes(server, realm, storage), login) as proxy:
        used = proxies(proxy, login=login)
        assert await (await world.client(server.host, proxies=used)).tags("web") == ["v1"]
        async with world.transport(proxies=used) as transport:
            blob = await transport.request(
                "GET", f"{server.url}/v2/web/blobs/x", leaves_origin=True, limit=1 << 10
            )
        assert blob.body == b"the blob"
        assert {asked.target for asked in proxy.asked} == {server.host, realm.host, storage.host}
        assert {asked.method for asked in proxy.asked} == {"CONNECT"}
        assert b"\r\nauthorization" not in proxy.seen.lower()
        assert PASSWORD.encode() not in proxy.seen
        assert BASIC.split()[1].encode() not in proxy.seen
    assert not world.names.asked
    for each in (server, realm, storage):
        assert b"proxy-authorization" not in each.seen.lower()
        assert ENCODED not in each.seen


@pytest.mark.parametrize("login", ["", LOGIN])
async def test_a55_plain_http_is_asked_in_absolute_form(world: World, login: str) -> None:
    server = await registry(world, tls=False)
    with ForwardProxy(routes(server), login) as proxy:
        client = await world.client(
            server.host, proxies=proxies(proxy, login=login), insecure_registries=frozenset({server.host})
        )
        assert await client.tags("web") == ["v1"]
        assert f"{server.url}/v2/" in {asked.target for asked in proxy.asked}
    assert [asked for asked in server.asked if "proxy-authorization" in asked.headers] == []


async def test_a55_what_no_proxy_names_is_asked_directly(world: World) -> None:
    server = await registry(world)
    with ForwardProxy(routes(server)) as proxy:
        client = await world.client(server.host, proxies=proxies(proxy, no_proxy="*.other, .example"))
        assert await client.tags("web") == ["v1"]
        assert proxy.asked == []


async def test_a55_a_proxy_that_speaks_tls_itself_is_checked(world: World, authority: Authority) -> None:
    server = await registry(world)
    listens = authority.context("127.0.0.1")
    with ForwardProxy(routes(server), LOGIN, listens=listens) as proxy:
        used = proxies(proxy, login=LOGIN, scheme="https")
        assert await (await world.client(server.host, proxies=used)).tags("web") == ["v1"]
        untrusted = await world.client(server.host, proxies=used, ca_file=None)
        assert (await failing(untrusted)).id == "proxy-tls"
        unchecked = frozenset({server.host})
        assert (
            await failing(await world.client(server.host, proxies=used, skip_tls_verify=unchecked))
        ).id == "proxy-unverified"


@pytest.mark.parametrize("given", ["", "bob:wrong"])
@pytest.mark.parametrize("tls", [True, False])
async def test_a55_a_login_that_the_proxy_wants_is_asked_for_in_words(
    world: World, given: str, tls: bool
) -> None:
    server = await registry(world, tls=tls)
    with ForwardProxy(routes(server), LOGIN) as proxy:
        client = await world.client(
            server.host, proxies=proxies(proxy, login=given), insecure_registries=frozenset({server.host})
        )
        error = await failing(client)
        assert error.id == "proxy-login"
        assert f"The proxy {proxy.host} asks for a login" in error.message
        assert ("does not accept the login" in error.hint) == bool(given)
        assert "wrong" not in error.message
        assert base64.b64encode(given.encode()).decode() not in error.message or not given
    assert server.asked == []


@pytest.mark.parametrize(
    ("lie", "expected", "words"),
    [
        ("502", "proxy-refused", "answered in place of {host}: 502"),
        ("503", "proxy-refused", "answered in place of {host}: 503"),
        ("403", "proxy-refused", "answered in place of {host}: 403"),
        ("302", "proxy-refused", "answered in place of {host}: 302"),
        ("html", "not-tls", "through the proxy"),
        ("hangup", "not-tls", "through the proxy"),
        ("tls", "tls", "through the proxy"),
    ],
)
async def test_a55_a_tunnel_that_is_none_gets_no_credentials(
    world: World, tmp_path: Any, lie: str, expected: str, words: str
) -> None:
    server = await registry(world)
    stranger = Authority(tmp_path)
    with ForwardProxy(routes(server), LOGIN, lie, stranger.context("registry.example")) as proxy:
        error = await failing(await world.client(server.host, proxies=proxies(proxy, login=LOGIN)))
        said = words.format(host=server.host)
        assert (error.id, said in error.message) == (expected, True), error.message
        assert proxy.host in error.message
        assert b"\r\nauthorization" not in proxy.seen.lower()
    assert server.asked == []


@pytest.mark.parametrize("status", ["502", "503", "504", "403", "407"])
async def test_a55_a_page_in_place_of_plain_http_is_the_proxys(world: World, status: str) -> None:
    server = await registry(world, tls=False)
    with ForwardProxy(routes(server), "", status) as proxy:
        client = await world.client(
            server.host, proxies=proxies(proxy), insecure_registries=frozenset({server.host})
        )
        error = await failing(client)
        assert error.id in {"proxy-refused", "proxy-login"}
        assert f"The proxy {proxy.host}" in error.message
        assert status in error.message


async def test_a55_a_proxy_that_hangs_is_given_up(world: World) -> None:
    server = await registry(world)
    with ForwardProxy(routes(server), "", "hang") as proxy:
        async with world.transport(Pace(answer=0.2), proxies=proxies(proxy)) as transport:
            with pytest.raises(DockpassError) as caught:
                await transport.request("GET", f"{server.url}/v2/", limit=1 << 10)
        assert caught.value.id == "timeout"
        assert f"through the proxy {proxy.host}" in caught.value.message


@pytest.mark.parametrize("lie", ["", "right>wrong"])
async def test_a55_what_a_proxy_rewrites_is_refused_by_its_digest(world: World, lie: str) -> None:
    server = await registry(world, tls=False)
    raw = b'{"schemaVersion": 2, "layers": [], "config": "right"}'
    digest = f"sha256:{hashlib.sha256(raw).hexdigest()}"
    server.on(f"/v2/web/manifests/{digest}", Reply(200, raw))
    with ForwardProxy(routes(server), "", lie) as proxy:
        client = await world.client(
            server.host, proxies=proxies(proxy), insecure_registries=frozenset({server.host})
        )
        if lie:
            with pytest.raises(DockpassError, match="digest"):
                await client.manifest("web", digest)
        else:
            assert (await client.manifest("web", digest)).digest == digest


async def test_a55_a_proxy_that_is_not_there_is_named(world: World) -> None:
    server = await registry(world)
    with ForwardProxy({}) as proxy:
        gone = proxies(proxy, login=LOGIN)
    error = await failing(await world.client(server.host, proxies=gone))
    assert error.id == "proxy-unreachable"
    assert "HTTPS_PROXY" in error.hint


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("http://nowhere.example:3128", "proxy-unreachable"),
        ("https://nowhere.example:3128", "proxy-unreachable"),
        ("http://a..b:1", "proxy-unreachable"),
        ("x" * 300, "proxy-unreachable"),
        ("http://1:99", "proxy-invalid"),
        ("http://\u2028x:1", "proxy-invalid"),
        ("http://p:port", "proxy-invalid"),
    ],
)
@pytest.mark.parametrize("tls", [True, False])
async def test_a55_a_proxy_that_cannot_be_found_is_at_fault_and_not_the_registry(
    world: World, address: str, expected: str, tls: bool
) -> None:
    server = await registry(world, tls=tls)
    plain = frozenset({server.host})
    used = proxies_of({"HTTPS_PROXY": address, "HTTP_PROXY": address})
    error = await failing(await world.client(server.host, proxies=used, insecure_registries=plain))
    assert error.id == expected, error.message
    assert "PROXY" in error.message + error.hint
    assert server.asked == []


@pytest.mark.parametrize("scheme", ["socks5", "socks5h", "foo"])
async def test_a55_a_proxy_of_another_kind_is_refused_and_not_passed_by(world: World, scheme: str) -> None:
    server = await registry(world)
    with ForwardProxy(routes(server)) as proxy:
        client = await world.client(server.host, proxies=proxies(proxy, scheme=scheme, login=LOGIN))
        error = await failing(client)
        assert error.id == "proxy-scheme"
        assert scheme in error.message
    assert server.asked == []


async def test_a55_where_the_proxy_lies_does_not_open_addresses_of_its_kind(world: World) -> None:
    inside = await world.server("inside.example", address="127.0.0.9")
    server = await registry(world, f"https://127.0.0.9:{inside.port}/token")
    world.names.addresses["proxy.example"] = ["127.0.0.1"]
    with ForwardProxy(routes(server)) as proxy:
        used = proxies_of({"HTTPS_PROXY": f"http://proxy.example:{proxy.host.rpartition(':')[2]}"})
        error = await failing(await world.client(server.host, proxies=used))
        assert error.id == "address-refused"
        assert proxy.asked
    assert inside.asked == []


async def test_a55_a_registry_cannot_send_to_the_proxy_itself(world: World) -> None:
    with ForwardProxy({}) as proxy:
        port = proxy.host.rpartition(":")[2]
        world.names.addresses["proxy.registry.example"] = ["127.0.0.1"]
        used = proxies_of({"HTTPS_PROXY": f"http://proxy.registry.example:{port}"})
        async with world.transport(proxies=used) as transport:
            with pytest.raises(DockpassError, match="proxy itself"):
                await transport.request(
                    "GET", f"https://proxy.registry.example:{port}/", limit=1, foreign=True
                )
        assert proxy.asked == []
