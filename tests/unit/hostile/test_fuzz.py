"""Readers of what others send: whatever comes, an answer or a typed error, in few steps and little memory."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from bounds import measured
from hypothesis import given
from hypothesis import strategies as st
from notes import Notes
from tokenactions import granted_actions

from dockpass.dockerconfig.configfile import FileState, read_config
from dockpass.engines.stream import LONGEST_LINE, LONGEST_SHOWN, Reporter, StreamError, objects
from dockpass.errors import DockpassError, UsageError
from dockpass.references.address import host_name
from dockpass.references.credential import Credential
from dockpass.references.grammar import LONGEST_NAME
from dockpass.references.reference import is_digest, is_repository_path, is_tag, parse_reference
from dockpass.registry.addresses import Guard, is_literal, kind_of, why_no_host
from dockpass.registry.challenge import LONGEST_HEADER, MOST_CHALLENGES, choose, parse_challenges
from dockpass.registry.clock import skew_in_words
from dockpass.registry.links import next_page
from dockpass.registry.retry import asked_to_wait
from dockpass.registry.scopes import beyond, parse_scope
from dockpass.registry.site import same_site
from dockpass.registry.strictjson import NotJson, strict_json
from dockpass.registry.token import (
    LONGEST_LIFE,
    SHORTEST_LIFE,
    Realm,
    Tokens,
    basic,
    check_realm,
)
from dockpass.registry.transport import Response, Sent, Transport, may_leave, origin, resolve
from dockpass.registry.uploads import upload_location
from dockpass.secrets import Secret
from dockpass.text import clean

NOW = datetime(2026, 1, 1, tzinfo=UTC)

# Text in which what a grammar is made of is common, with characters that nobody expects.
pieces = st.sampled_from(
    [
        *'",=;<>\\ \t\r\n\0\x1b\x9b/:@.-_[]%#?*{}',
        "Bearer", "Basic", "realm", "https://", "rel", "next", "sha256:", "repository:", "\u202e", "\ud800", "é",
        "a", "Z", "0", "9" * 30, "xn--", "localhost", "127.0.0.1", "::ffff:", "0x7f",
    ]
)  # fmt: skip
texts = st.one_of(st.lists(pieces, max_size=60).map("".join), st.text(max_size=200))
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=20,
)
bodies = st.one_of(
    st.binary(max_size=300),
    json_values.map(lambda value: json.dumps(value).encode()),
    texts.map(lambda text: text.encode("utf-8", "surrogatepass")),
)


def attempt(call: Callable[[], Any], kind: type[Exception] = DockpassError) -> tuple[Any, Any]:
    """Return what a call gives, or its error of this kind; any other error is a fault."""
    try:
        return call(), None
    except kind as error:
        return None, error


def is_told(error: DockpassError, error_id: str) -> bool:
    """Tell whether an error has this id and inert words."""
    return error.id == error_id and inert(error.message) and inert(error.hint)


def inert(text: str) -> bool:
    return clean(text, 1 << 20) == text


@given(st.lists(texts, max_size=5))
def test_challenges(headers: list[str]) -> None:
    found = parse_challenges(headers)
    assert len(found) <= MOST_CHALLENGES
    chosen = choose(found)
    if not chosen:
        return
    assert chosen.scheme in {"bearer", "basic"}
    realm, error = attempt(lambda: check_realm("registry.example", "https", chosen.parameters))
    if error:
        assert is_told(error, "realm-refused")
    else:
        assert realm.url.lower().startswith("https://")
        assert "@" not in realm.url.partition("?")[0].split("/")[2]


@given(texts)
def test_references(text: str) -> None:
    found, error = attempt(lambda: parse_reference(text), UsageError)
    if error:
        assert is_told(error, "reference-invalid")
        return
    assert parse_reference(str(found)) == found
    assert is_repository_path(found.path)
    assert len(found.path) <= LONGEST_NAME + len("library/")
    assert found.tag is None or is_tag(found.tag)
    assert found.digest is None or is_digest(found.digest)


@given(bodies)
def test_config_files(content: bytes) -> None:
    directory = Path(_config_directory())
    (directory / "config.json").write_bytes(content)
    found = read_config(directory)
    assert found.state in {FileState.READ, FileState.BROKEN}
    for finding in found.findings:
        assert inert(finding.message)
        assert inert(finding.hint)
    for entry in found.entries.values():
        if credential := entry.credential:
            _, error = attempt(lambda credential=credential: basic(credential))
            assert error is None or is_told(error, "credential-unusable")


_made: list[str] = []


def _config_directory() -> str:
    return _made[0]


@pytest.fixture(autouse=True, scope="module")
def _directory(tmp_path_factory: pytest.TempPathFactory) -> None:
    _made[:] = [str(tmp_path_factory.mktemp("fuzz"))]


class _Answers(Transport):
    """A transport that answers every request with one body."""

    def __init__(self, body: bytes) -> None:
        super().__init__()
        self._body = body

    async def request(self, method: str, url: str, **_options: Any) -> Response:
        sent = Sent(Secret(""), Secret(""))
        return Response(200, {}, (), self._body, url, "", sent)


@given(bodies | json_values.map(lambda value: json.dumps({"token": value, "expires_in": value}).encode()))
def test_tokens(body: bytes) -> None:
    now = 1000.0
    tokens = Tokens(_Answers(body), "registry.example", None, lambda: now)

    async def ask() -> Secret:
        return await tokens.get(Realm("https://registry.example/token", "x"), ("repository:web:pull",))

    token, error = attempt(lambda: asyncio.run(ask()))
    if error:
        assert is_told(error, "token-unreadable")
        return
    assert token.reveal().isascii()
    assert token.reveal().isprintable()
    (kept,) = tokens._kept.values()
    assert SHORTEST_LIFE - 6 < kept.until - now <= LONGEST_LIFE


@given(texts, texts)
def test_claims(token: str, repository: str) -> None:
    found = granted_actions(Secret(token), repository)
    assert found is None or all(inert(action) for action in found)


@given(st.lists(bodies, max_size=8), st.integers(1, 40))
def test_engine_streams(lines: list[bytes], size: int) -> None:
    raw = b"\n".join(lines)
    notes = Notes()
    reporter = Reporter(notes, lambda: 0.0)

    def read() -> None:
        for event in objects([raw[at : at + size] for at in range(0, len(raw), size)]):
            reporter.take(event)
        reporter.finish()

    _, error = attempt(read, StreamError)
    assert error is None or inert(str(error))
    assert all(inert(line) for line in notes.lines)
    assert not reporter.digest or is_digest(reporter.digest)


@given(texts)
def test_links(header: str) -> None:
    found = next_page(header)
    target = resolve("https://registry.example/v2/", found)
    if target is not None:
        assert origin(target).startswith(("http://", "https://"))
        may_leave("https://registry.example/v2/", target)


@given(texts)
def test_locations(location: str) -> None:
    sent = Sent(Secret(""), Secret(""))
    response = Response(202, {"Location": location}, (), b"", "https://registry.example/v2/a", "", sent)
    target, error = attempt(lambda: upload_location(response, "a"))
    if error:
        assert is_told(error, "answer-refused")
    else:
        assert origin(target) == "https://registry.example:443"


@given(texts)
def test_waits_and_dates(header: str) -> None:
    asked = asked_to_wait({"Retry-After": header}, lambda: NOW)
    assert asked is None or 0.0 <= asked <= 1e10
    assert inert(skew_in_words(header, NOW))


@given(bodies)
def test_json(body: bytes) -> None:
    found, error = attempt(lambda: strict_json(body), NotJson)
    if error:
        assert inert(str(error))
    else:
        assert json.loads(json.dumps(found, allow_nan=False)) == found


@given(texts)
def test_hosts(host: str) -> None:
    why = why_no_host(host)
    assert not why or why.startswith("it ")
    if is_literal(host):
        assert isinstance(kind_of(host), str)
    _, error = attempt(lambda: Guard().check(host, 443))
    assert error is None or is_told(error, "address-refused")
    same_site(host_name(host), "registry.example")


@given(texts, texts)
def test_scopes(asked: str, planned: str) -> None:
    assert inert(beyond(asked, planned))
    found = parse_scope(asked)
    assert found is None or (found.kind and found.name and found.actions)


@given(texts, texts)
def test_credentials(username: str, password: str) -> None:
    found, error = attempt(lambda: basic(Credential(username, Secret(password))))
    assert is_told(error, "credential-unusable") if error else found.startswith("Basic ")


LONG = 200_000
WORST: tuple[str, ...] = (
    "a" * LONG,
    "a," * LONG,
    '"' * LONG,
    'Bearer realm="' + "\\" * LONG,
    'a="' * LONG,
    "<" * LONG,
    "<>;" * LONG,
    '<x>;rel="' + " a" * LONG,
    ";rel=" * LONG,
    " " * LONG,
    "a-" * LONG,
    "a__" * LONG,
    "a:" * LONG,
    "://" * LONG,
    "a.b" * LONG + "!",
    "a" * LONG + "@",
    "\x1b[" * LONG,
    "\x1b]" * LONG,
    "9" * LONG,
    "[" * LONG,
    '{"a":' * LONG,
    "repository:a:pull " * (LONG // 10),
)

READERS: tuple[Callable[[str], object], ...] = (
    lambda text: parse_challenges([text]),
    parse_reference,
    is_tag,
    is_repository_path,
    next_page,
    lambda text: resolve("https://registry.example/", text),
    lambda text: asked_to_wait({"Retry-After": text}, lambda: NOW),
    lambda text: strict_json(text.encode()),
    lambda text: granted_actions(Secret(f"a.{text}.b"), "web"),
    lambda text: beyond(text, text[:1000]),
    why_no_host,
    clean,
    lambda text: list(objects([text.encode()])),
    lambda text: skew_in_words(text, NOW),
)


@pytest.mark.parametrize("number", range(len(READERS)))
def test_long_texts_take_neither_many_steps_nor_much_memory(number: int) -> None:
    for text in WORST:
        with measured() as cost, suppress(DockpassError, NotJson):
            READERS[number](text)
        assert cost.calls <= 12 * len(text) + 1000
        assert cost.megabytes < 64


def test_many_long_headers_are_cut() -> None:
    with measured() as cost:
        found = parse_challenges(["a " * LONG] * 200)
    assert cost.calls <= 2 * 200 * LONGEST_HEADER
    assert cost.megabytes < 64
    assert len(found) <= MOST_CHALLENGES
    assert LONGEST_HEADER < LONG


def test_a_stream_without_line_ends_is_cut() -> None:
    with measured() as cost:
        for event in objects(b"x" * (1 << 16) for _ in range(512)):
            assert len(str(event)) <= LONGEST_SHOWN + 100
    assert cost.calls <= 100_000
    assert cost.megabytes < 16
    assert LONGEST_LINE <= 1 << 20
