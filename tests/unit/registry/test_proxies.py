"""Which proxy a request takes: Go's own table of cases, and more; any row that is appended is read."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockpass.errors import UsageError
from dockpass.registry.proxies import NONE, Proxy, proxies_of

CASES = [
    json.loads(line)
    for line in (Path(__file__).parents[2] / "cases/proxies.jsonl").read_text().splitlines()
    if line.strip()
]


def whole(proxy: Proxy | None) -> str | None:
    """Return the address as Go prints it, login and all."""
    if proxy is None or proxy.credential is None:
        return proxy and proxy.address
    scheme, _, host = proxy.address.partition("://")
    user, password = (
        quote(each, safe="") for each in (proxy.credential.username, proxy.credential.password.reveal())
    )
    return f"{scheme}://{user}{':' if password else ''}{password}@{host}"


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['env']} {case['url']}")
def test_a_proxy_is_chosen_as_go_does(case: dict[str, Any]) -> None:
    proxies = proxies_of(case["env"])
    if case.get("error"):
        with pytest.raises(UsageError, match="PROXY"):
            proxies.of(case["url"])
    else:
        assert whole(proxies.of(case["url"])) == case["proxy"]


@pytest.mark.parametrize("value", ["http://%zz@p", "http://u:p%@p", "\x1b[31m"])
def test_what_is_no_address_is_told_and_not_shown(value: str) -> None:
    proxies = proxies_of({"https_proxy": value})
    assert proxies.of("https://registry.example/v2/") is None
    assert proxies.problems == ("https_proxy is not a proxy address: no proxy is used for https",)


@pytest.mark.parametrize(
    "value", ["http://user:pa ss@p", "http://p:port", "//p", "foo bar", ":3128", "http:p:1", "p:70000", "p:0"]
)
def test_where_go_fails_nobody_goes_directly(value: str) -> None:
    proxies = proxies_of({"https_proxy": value})
    with pytest.raises(UsageError, match="https_proxy is not a proxy address") as caught:
        proxies.of("https://registry.example/v2/")
    assert "pa ss" not in str(caught.value)
    assert proxies.of("https://localhost/v2/") is None


def test_a_password_is_never_shown() -> None:
    proxy = proxies_of({"HTTPS_PROXY": "http://bob:s3cr%40t@proxy.example:3128"}).https
    assert proxy is not None
    assert str(proxy) == "http://••••@proxy.example:3128"
    assert "s3cr" not in repr(proxy)
    assert proxy.place == ("proxy.example", 3128)
    assert proxy.headers == {"Proxy-Authorization": "Basic Ym9iOnMzY3JAdA=="}


@given(
    st.dictionaries(st.sampled_from(["HTTP_PROXY", "https_proxy", "NO_PROXY", "no_proxy"]), st.text()),
    st.text(),
)
def test_nothing_in_an_environment_raises(environ: dict[str, str], more: str) -> None:
    proxies = proxies_of(environ | {"HTTPS_PROXY": f"http://{more}"})
    for url in ("https://registry.example/v2/", "http://10.0.0.1:5000/v2/", "https://[2001:db8::1]/"):
        with suppress(UsageError):
            found = proxies.of(url)
            assert found is None or (str(found) and found.place is not None)


@given(st.sampled_from(["localhost", "127.0.0.1", "127.9.9.9", "[::1]"]), st.integers(1, 65535))
def test_this_machine_is_never_asked_by_a_proxy(host: str, port: int) -> None:
    proxies = proxies_of({"HTTP_PROXY": "p", "HTTPS_PROXY": "p"})
    assert {proxies.of(f"{scheme}://{host}:{port}/v2/") for scheme in ("http", "https")} == {None}


def test_without_any_there_is_none() -> None:
    assert proxies_of({}) == NONE
