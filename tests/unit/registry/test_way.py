"""The way to an origin is found once, and no origin gets another one's."""

from __future__ import annotations

import pytest

from dockpass.errors import DockpassError
from dockpass.registry.addresses import Guard
from dockpass.registry.policy import Policy
from dockpass.registry.proxies import proxies_of
from dockpass.registry.way import Ways

PROXIES = {"HTTP_PROXY": "http://proxy.example:3128", "NO_PROXY": "direct.example,10.0.0.1,a.bc"}


@pytest.fixture
def ways() -> Ways:
    return Ways(Policy(proxies=proxies_of(PROXIES)), Guard())


@pytest.mark.parametrize(
    ("first", "then"),
    [
        ("http://a.bc", "http://a.b"),
        ("http://a.bc", "http://a.b/v2/"),
        ("http://a.bc/v2/", "http://a.b/v2/"),
        ("http://a.bc?x=1", "http://a.b?x=1"),
        ("http://direct.example/v2/", "http://direct.example.org/v2/"),
        ("http://direct.example:80/v2/", "http://direct.exampl:80/v2/"),
        ("http://10.0.0.1/v2/", "http://10.0.0.12/v2/"),
    ],
)
def test_each_origin_has_its_own(ways: Ways, first: str, then: str) -> None:
    for _ in range(2):
        assert ways.to(first, foreign=False).address is None
        assert ways.to(then, foreign=False).address == "http://proxy.example:3128"


def test_what_a_server_names_is_checked_each_time(ways: Ways) -> None:
    for _ in range(2):
        with pytest.raises(DockpassError) as raised:
            ways.to("http://10.0.0.1/token", foreign=True)
        assert raised.value.id == "address-refused"
    assert ways.to("http://10.0.0.1/v2/", foreign=False).address is None
    for _ in range(2):
        with pytest.raises(DockpassError):
            ways.to("http://127.0.0.1/token", foreign=True)


def test_what_cannot_be_used_is_refused_each_time() -> None:
    ways = Ways(Policy(proxies=proxies_of({"HTTP_PROXY": "ftp://proxy.example"})), Guard())
    for _ in range(2):
        with pytest.raises(DockpassError):
            ways.to("http://a.example/v2/", foreign=False)
