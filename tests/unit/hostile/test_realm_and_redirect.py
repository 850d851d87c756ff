"""A01 to A14: where a registry sends its clients, and what goes there."""

from __future__ import annotations

from pathlib import Path

import pytest
from hostile import BASIC, ELSEWHERE, PASSWORD, PRIVATE, PUBLIC, Hostile, Reply, World, bearer, moved

from dockpass.errors import DockpassError
from dockpass.registry.client import RegistryClient
from dockpass.registry.policy import RealmRule
from dockpass.registry.proxies import proxies_of
from dockpass.registry.site import same_site

LIST = "/v2/web/tags/list"
TAGS = Reply(200, {"name": "web", "tags": ["v1"]})
TOKEN = Reply(200, {"token": "the-token"})


async def refused(client: RegistryClient) -> DockpassError:
    """List the tags, which has to fail, and say nothing of the password."""
    with pytest.raises(DockpassError) as caught:
        await client.tags("web")
    assert PASSWORD not in caught.value.message + caught.value.hint
    return caught.value


async def registry(world: World, realm: str) -> Hostile:
    """A public https registry that sends for tokens to `realm`."""
    server = await world.server("registry.example")
    server.on("/v2/", bearer(realm))
    return server


async def test_a01_a_realm_of_plain_http_at_an_https_registry_is_never_asked(world: World) -> None:
    evil = await world.server("auth.example", address=ELSEWHERE, tls=False)
    server = await registry(world, f"{evil.url}/token")
    error = await refused(await world.client(server.host))
    assert error.id == "realm-refused"
    assert "not https" in error.message
    assert not evil.asked
    assert "auth.example" not in world.names.asked


@pytest.mark.parametrize(
    "host",
    [
        "169.254.169.254",
        "[::ffff:169.254.169.254]",
        "[2002:a9fe:a9fe::]",
        "[64:ff9b::a9fe:a9fe]",
        "[64:ff9b:1::a9fe:a9fe]",
        "[2001:0:4136:e378:8000:63bf:5601:5601]",
        "0.0.0.0",
        "[::]",
        "127.0.0.1",
        "127.0.2.1",
        "[::1]",
        "10.0.0.1",
        "172.16.0.1",
        "192.168.1.1",
        "100.64.0.1",
        "224.0.0.1",
        "[ff02::1]",
        "[fe80::1]",
        "[fe80::1%25eth0]",
        "[fc00::1]",
        "[fec0::1]",
        "240.0.0.1",
        "255.255.255.255",
        "2852039166",
        "0xa9fea9fe",
        "0XA9FEA9FE",
        "0251.0376.0251.0376",
        "169.254.43518",
        "127.1",
        "0177.0.0.1",
        "127.0.0.1.",
        "127.0.0.0x1",
        "%31%32%37.0.0.1",
        "auth..example",
    ],
)
async def test_a02_a_realm_at_an_address_that_is_not_public_is_refused_before_a_connection(
    world: World, host: str
) -> None:
    server = await registry(world, f"https://{host}/token")
    error = await refused(await world.client(server.host))
    assert error.id in {"address-refused", "realm-refused"}
    assert world.names.asked == ["registry.example"]


@pytest.mark.parametrize("addresses", [[PRIVATE], [PUBLIC, PRIVATE], ["169.254.169.254"], ["::1"]])
async def test_a02_a_name_that_leads_to_such_an_address_is_refused_too(
    world: World, addresses: list[str]
) -> None:
    inside = await world.server("inside.example", address=PRIVATE)
    world.names.addresses["inside.example"] = addresses
    server = await registry(world, f"{inside.url}/token")
    error = await refused(await world.client(server.host))
    assert error.id == "address-refused"
    assert "inside.example" in error.message
    assert not inside.asked


async def test_a02_a_registry_in_a_private_network_may_name_a_realm_there_but_not_on_loopback(
    world: World,
) -> None:
    realm = await world.server("auth.internal.example", address="127.0.2.2")
    realm.on("/token", TOKEN)
    server = await world.server("registry.internal.example", address=PRIVATE)
    server.on("/v2/", bearer(f"{realm.url}/token"))
    server.on(LIST, TAGS)
    assert await (await world.client(server.host)).tags("web") == ["v1"]
    server.on("/v2/", bearer("https://127.0.0.1:1/token"))
    assert (await refused(await world.client(server.host))).id == "address-refused"


async def test_a02_a_public_registry_with_one_private_address_counts_as_public(world: World) -> None:
    inside = await world.server("inside.example", address=PRIVATE)
    server = await registry(world, f"{inside.url}/token")
    world.names.addresses["registry.example"] = [PUBLIC, PRIVATE]
    assert (await refused(await world.client(server.host))).id == "address-refused"
    assert not inside.asked


async def test_a02_the_realm_on_the_registrys_own_host_and_port_is_always_taken(world: World) -> None:
    server = await world.server("registry.example", address="127.0.0.9")
    server.on("/v2/", bearer(f"{server.url}/token"))
    server.on("/token", TOKEN)
    server.on(LIST, TAGS)
    assert await (await world.client(server.host)).tags("web") == ["v1"]


async def test_a03_an_unknown_realm_is_named_and_gets_nothing_until_it_is_agreed_to(world: World) -> None:
    realm = await world.server("auth.other.example", address=ELSEWHERE)
    realm.on("/token", TOKEN)
    server = await registry(world, f"{realm.url}/token")
    server.on(LIST, TAGS)
    client = await world.client(server.host, realm_rule=RealmRule())
    for _ in range(2):
        error = await refused(client)
        assert error.id == "realm-not-agreed"
        assert "auth.other.example" in error.message
    assert not realm.asked
    agreed = RealmRule(agreed=frozenset({"auth.other.example"}))
    assert await (await world.client(server.host, realm_rule=agreed)).tags("web") == ["v1"]
    assert realm.asked


async def test_a03_a_realm_that_is_named_only_later_is_withheld_from_too(world: World) -> None:
    realm = await world.server("auth.other.example", address=ELSEWHERE)
    server = await world.server("registry.example")
    server.on("/v2/", Reply())
    for challenge in (bearer(f"{realm.url}/token"), Reply(401, b"", (("WWW-Authenticate", "Basic"),))):
        server.on(LIST, challenge)
        rule = RealmRule(servers=frozenset({"gitlab.other.example"}))
        error = await refused(await world.client(server.host, realm_rule=rule))
        assert error.id == "realm-not-agreed"
    assert not realm.asked
    assert BASIC.encode() not in server.seen


async def test_a03_without_credentials_there_is_nothing_to_withhold(world: World) -> None:
    realm = await world.server("auth.other.example", address=ELSEWHERE)
    realm.on("/token", TOKEN)
    server = await registry(world, f"{realm.url}/token")
    server.on(LIST, TAGS)
    assert await (await world.client(server.host, None, realm_rule=RealmRule())).tags("web") == ["v1"]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("registry.gitlab.com", "gitlab.com", True),
        ("registry-1.docker.io", "auth.docker.io", True),
        ("registry.example.co.uk", "auth.example.co.uk", True),
        ("registry.co.uk", "evil.co.uk", False),
        ("registry.example", "auth.example", False),
        ("registry.example.com", "example.com.evil.com", False),
        ("registry.example.com", "evilexample.com", False),
        ("10.0.0.1", "10.1.0.1", False),
        ("10.0.0.1", "10.0.0.1", True),
        ("localhost", "localhost", True),
        ("localhost", "127.0.0.1", True),
        ("localhost", "10.0.0.1", False),
        ("localhost", "localhost.evil.example", False),
        ("a", "b", False),
        ("registry.corp.local", "auth.corp.local", True),
        ("registry.example.com.", "auth.example.com", True),
        ("a..example.com", "b..example.com", False),
        ("com", "example.com", False),
        ("one.github.io", "two.github.io", False),
        ("one.pages.dev", "two.pages.dev", False),
        ("one.gov.uk", "two.gov.uk", False),
        ("one.com.au", "two.com.au", False),
        ("one.azurecr.io", "two.azurecr.io", False),
        ("one.azurecr.io", "data.one.azurecr.io", True),
        ("azurecr.io", "one.azurecr.io", False),
        ("1.dkr.ecr.eu-west-1.amazonaws.com", "2.dkr.ecr.eu-west-1.amazonaws.com", False),
        ("1.dkr.ecr.eu-west-1.amazonaws.com", "evil.amazonaws.com", False),
        ("us-docker.pkg.dev", "europe-docker.pkg.dev", False),
        ("gcr.io", "eu.gcr.io", False),
        ("eu.gcr.io", "us.gcr.io", False),
        ("one.jfrog.io", "two.jfrog.io", False),
        ("registry.cn-hangzhou.aliyuncs.com", "dockerauth.cn-hangzhou.aliyuncs.com", True),
    ],
)
def test_a03_a_site_is_a_domain_that_somebody_registered(one: str, other: str, same: bool) -> None:
    assert same_site(one, other) is same
    assert same_site(other, one) is same


async def test_a04_a_realm_that_changes_gets_no_credentials(world: World) -> None:
    realm = await world.server("auth.example")
    other = await world.server("auth.other.example", address=ELSEWHERE)
    realm.on("/token", TOKEN)
    server = await registry(world, f"{realm.url}/token")
    server.on(LIST, bearer(f"{other.url}/token"))
    error = await refused(await world.client(server.host))
    assert error.id == "realm-differs"
    assert not other.asked


@pytest.mark.parametrize(
    "realm",
    [
        "https://user:pw@evil.example/",
        "https://@evil.example/",
        "https://registry.example:secret@evil.example/t",
        "https://evil.example/#x",
        "file:///etc/passwd",
        "ftp://evil.example/",
        "javascript:alert(1)",
        "//evil.example/",
        "/token",
        "https://",
        "https:///token",
        "https://evil.example:0/",
        "https://evil.example:99999/",
        "https://[evil/",
        "https://evil.example\\@registry.example/",
        "https://evil.example/\x1b]0;owned\x07",
        "https://evil。example/",
    ],
)
async def test_a05_a_realm_that_is_no_plain_https_address_is_refused_and_shown_inert(
    world: World, realm: str
) -> None:
    await world.server("evil.example", address=ELSEWHERE)
    server = await world.server("registry.example")
    raw = b'Bearer realm="' + realm.replace("\\", "\\\\").encode() + b'",service="x"'
    server.on("/v2/", Reply(401, b"", (("WWW-Authenticate", raw),)))
    error = await refused(await world.client(server.host))
    assert error.message.isprintable()
    assert world.names.asked == ["registry.example"]


async def test_a06_a_token_server_that_redirects_elsewhere_is_not_followed(world: World) -> None:
    evil = await world.server("evil.example", address=ELSEWHERE)
    evil.on("/token", TOKEN)
    realm = await world.server("auth.example")
    server = await registry(world, f"{realm.url}/token")
    for status in (301, 302, 303, 307, 308):
        realm.on("/token", moved(f"{evil.url}/token", status))
        error = await refused(await world.client(server.host))
        assert "another origin" in error.message
    assert not evil.asked
    assert [asked.authorization for asked in realm.asked] == [BASIC] * 5


async def test_a06_nor_is_it_from_https_to_http_on_the_same_host(world: World) -> None:
    realm = await world.server("auth.example")
    plain = await world.server("auth.example", tls=False)
    server = await registry(world, f"{realm.url}/token")
    realm.on("/token", moved(f"{plain.url}/token"))
    await refused(await world.client(server.host))
    assert not plain.asked


async def test_a06_an_identity_token_is_not_posted_again_either(world: World) -> None:
    from dockpass.references.credential import Credential
    from dockpass.secrets import Secret

    evil = await world.server("evil.example", address=ELSEWHERE)
    realm = await world.server("auth.example")
    realm.on("/token", moved(f"{evil.url}/token"), method="POST")
    server = await registry(world, f"{realm.url}/token")
    client = await world.client(server.host, Credential("", Secret(""), Secret(PASSWORD)))
    await refused(client)
    assert not evil.asked


async def test_a07_no_token_old_or_fresh_reaches_the_host_of_a_redirect(world: World) -> None:
    evil = await world.server("evil.example", address=ELSEWHERE)
    realm = await world.server("auth.example")
    realm.on("/token", TOKEN)
    server = await registry(world, f"{realm.url}/token")
    challenge = bearer(f"{realm.url}/token")
    digest = "sha256:" + "a" * 64
    for path in (LIST, "/v2/web/manifests/v1", f"/v2/web/blobs/{digest}"):
        server.on(path, moved(f"{evil.url}{path}"))
        evil.on(path, challenge)
    client = await world.client(server.host)
    for call in (client.tags("web"), client.manifest("web", "v1"), client.config("web", digest)):
        with pytest.raises(DockpassError):
            await call
    assert [asked.path for asked in evil.asked] == [f"/v2/web/blobs/{digest}"]
    assert not any(asked.authorization for asked in evil.asked)
    assert b"the-token" not in evil.seen


async def test_a07_a_blobs_storage_on_an_internal_host_is_refused(world: World) -> None:
    inside = await world.server("inside.example", address=PRIVATE)
    server = await world.server("registry.example")
    server.on("/v2/", Reply())
    digest = "sha256:" + "a" * 64
    server.on(f"/v2/web/blobs/{digest}", moved(f"{inside.url}/blob"), moved("https://169.254.169.254/blob"))
    client = await world.client(server.host)
    for _ in range(2):
        with pytest.raises(DockpassError) as caught:
            await client.config("web", digest)
        assert caught.value.id == "address-refused"
    assert not inside.asked


async def test_a08_another_port_of_the_same_host_is_another_origin(world: World) -> None:
    server = await world.server("registry.example")
    other = await world.server("registry.example")
    server.on("/v2/", Reply())
    server.on(LIST, moved(f"{other.url}{LIST}"))
    error = await refused(await world.client(server.host))
    assert "another origin" in error.message
    assert not other.asked


async def test_a09_redirects_end_after_three(world: World) -> None:
    server = await world.server("registry.example")
    server.on("/v2/", Reply())
    hops = [f"/hop/{number}" for number in range(11)]
    server.on(LIST, moved(hops[0]))
    for here, there in zip(hops, [*hops[1:], LIST], strict=True):
        server.on(here, moved(there))
    error = await refused(await world.client(server.host))
    assert "more than 3 times" in error.message
    assert len(server.asked) == 1 + 4


@pytest.mark.parametrize(
    "location",
    [
        b"//evil.example/x",
        b"///evil.example/x",
        b"\\\\evil.example\\x",
        b"https:evil.example/x",
        b"https://registry.example@evil.example/x",
        b"/x\x00y",
        b"/x y",
        "/ünï".encode(),
        b"https://evil.example:443:443/",
    ],
)
async def test_a10_a_location_is_resolved_within_the_registry_or_refused(
    world: World, location: bytes
) -> None:
    await world.server("evil.example", address=ELSEWHERE)
    server = await world.server("registry.example")
    server.on("/v2/", Reply())
    server.on(LIST, moved(location))
    await refused(await world.client(server.host))
    assert set(world.names.asked) == {"registry.example"}


async def test_a10_a_missing_one_ends_it_and_a_relative_one_is_followed(world: World) -> None:
    server = await world.server("registry.example")
    server.on("/v2/", Reply())
    server.on(LIST, Reply(302))
    client = await world.client(server.host)
    assert "302" in (await refused(client)).message
    server.on("/v2/web/manifests/v1", moved("../other/v1"))
    server.on("/v2/web/other/v1", Reply(200, {"schemaVersion": 2}))
    assert (await client.manifest("web", "v1")).data == {"schemaVersion": 2}
    server.on(LIST, moved("../other/list"))
    server.on("/v2/web/other/list", TAGS)
    assert "it redirects to" in (await refused(client)).message


async def test_a10_a_line_end_in_it_makes_no_header_of_our_request(world: World) -> None:
    server = await world.server("registry.example")
    server.on("/v2/", Reply())
    server.on(LIST, Reply(raw=b"HTTP/1.1 302 Found\r\nLocation: /x\rX-Evil: 1\r\nContent-Length: 0\r\n\r\n"))
    await refused(await world.client(server.host))
    server.on(LIST, moved("/x%0d%0aX-Evil:%201"))
    await refused(await world.client(server.host))
    assert not any("x-evil" in asked.headers for asked in server.asked)


@pytest.mark.parametrize(
    "location",
    [
        "http://registry.example/upload",
        "https://169.254.169.254/latest",
        "https://inside.example/upload",
        "//evil.example/upload",
        "https://registry.example:1/upload",
        "https://me@registry.example/upload",
        "",
    ],
)
async def test_a11_an_upload_that_goes_on_elsewhere_is_refused(world: World, location: str) -> None:
    from dockpass.registry.uploads import upload_location

    server = await world.server("registry.example")
    server.on("/v2/web/blobs/uploads/", Reply(202, b"", (("Location", location),)), method="POST")
    async with world.transport() as transport:
        url = f"{server.url}/v2/web/blobs/uploads/"
        response = await transport.request("POST", url, limit=1 << 10)
        with pytest.raises(DockpassError) as caught:
            upload_location(response, "web")
    assert caught.value.id == "answer-refused"


async def test_a11_one_that_goes_on_at_the_registry_is_resolved(world: World) -> None:
    from dockpass.registry.uploads import upload_location

    server = await world.server("registry.example")
    path = "/v2/web/blobs/uploads/"
    server.on(path, Reply(202, b"", (("Location", "/v2/web/blobs/uploads/1?state=x"),)), method="POST")
    async with world.transport() as transport:
        response = await transport.request("POST", f"{server.url}{path}", limit=1 << 10)
    assert upload_location(response, "web") == f"{server.url}/v2/web/blobs/uploads/1?state=x"


async def test_a12_the_urls_of_a_layer_are_never_fetched(world: World) -> None:
    from dockpass.cleanup.inventory import survey

    inside = await world.server("inside.example", address=PRIVATE)
    server = await world.server("registry.example")
    server.on("/v2/", Reply())
    server.on(LIST, TAGS)
    layer = {"digest": "sha256:" + "a" * 64, "size": 1, "urls": [f"{inside.url}/layer", "file:///etc/passwd"]}
    server.on("/v2/web/manifests/v1", Reply(200, {"schemaVersion": 2, "config": layer, "layers": [layer]}))
    (found,) = await survey(await world.client(server.host), "web", lambda _done, _total: None)
    assert found.tag == "v1"
    assert not inside.asked
    assert world.names.asked == ["registry.example"]


async def test_a13_netrc_is_read_for_nobody(
    world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    storage = await world.server("storage.example", address=ELSEWHERE)
    realm = await world.server("auth.example")
    server = await registry(world, f"{realm.url}/token")
    hosts = ("registry.example", "auth.example", "storage.example")
    netrc = tmp_path / ".netrc"
    netrc.write_text("".join(f"machine {host} login evil password netrc-canary\n" for host in hosts))
    netrc.chmod(0o600)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("NETRC", str(netrc))
    digest = "sha256:" + "a" * 64
    realm.on("/token", TOKEN)
    server.on(f"/v2/web/blobs/{digest}", moved(f"{storage.url}/blob"))
    storage.on("/blob", Reply(200, {}))
    client = await world.client(server.host, None)
    with pytest.raises(DockpassError, match="digest"):
        await client.config("web", digest)
    assert [asked.authorization for asked in server.asked] == ["", "Bearer the-token"]
    assert [asked.authorization for asked in (*realm.asked, *storage.asked)] == ["", ""]


async def test_a14_the_transport_itself_reads_no_environment(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = await world.server("proxy.example", tls=False)
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, proxy.url)
        monkeypatch.setenv(name.lower(), proxy.url)
    server = await world.server("registry.example")
    server.on("/v2/", Reply())
    server.on(LIST, TAGS)
    assert await (await world.client(server.host)).tags("web") == ["v1"]
    assert not proxy.asked


def page(status: int) -> Reply:
    return Reply(status, b"<html>log in to the proxy</html>", (("Content-Type", "text/html"),))


@pytest.mark.parametrize("status", [401, 403, 407])
async def test_a14_a_configured_proxy_that_refuses_is_named_as_the_proxy(world: World, status: int) -> None:
    proxy = await world.server("proxy.example", tls=False)
    server = await world.server("registry.example")
    plain = await world.server("plain.example", tls=False)
    proxy.on(server.host, page(status), method="CONNECT")
    proxy.on(f"{plain.url}/v2/", page(status))
    address = proxy.url.replace("//", "//me:proxy-canary@")
    proxies = proxies_of({"HTTPS_PROXY": address, "HTTP_PROXY": address})
    async with world.transport(proxies=proxies) as transport:
        for url in (server.url, plain.url):
            with pytest.raises(DockpassError) as caught:
                await transport.request("GET", f"{url}/v2/", headers={"Authorization": BASIC}, limit=1 << 10)
            assert caught.value.id == ("proxy-login" if status == 407 else "proxy-refused")
            assert f"proxy {proxy.host}" in caught.value.message
            assert str(status) in caught.value.message
            assert "proxy-canary" not in caught.value.message
    assert not server.asked
    assert not plain.asked


async def test_a14_a_proxy_gets_neither_password_nor_token_for_an_https_registry(world: World) -> None:
    proxy = await world.server("proxy.example", tls=False)
    proxy.on("registry.example:443", page(407), method="CONNECT")
    client = await world.client("registry.example", proxies=proxies_of({"HTTPS_PROXY": proxy.url}))
    assert (await refused(client)).id == "proxy-login"
    assert [asked.method for asked in proxy.asked] == ["CONNECT"]
    assert PASSWORD.encode() not in proxy.seen
    assert b"authorization" not in proxy.seen.lower()


async def test_a14_a_407_without_a_proxy_is_told_as_that(world: World) -> None:
    server = await world.server("registry.example")
    server.on("/v2/", page(407))
    error = await refused(await world.client(server.host))
    assert error.id == "proxy-login"
    assert "although no proxy is used" in error.message
