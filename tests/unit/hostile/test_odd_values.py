"""No value that a server puts into any field of any answer ends a command as a fault of dockpass itself."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime

import pytest
from fakerealm import PATH, FakeRealm, entry, jwt
from fakeregistry import Asked, Said
from hypothesis import given, settings
from jsonvalues import ODD_NUMBERS, json_values
from thorough import examples
from tokenactions import granted_actions

from dockpass.errors import DockpassError
from dockpass.probe.model import Probe, Verdict
from dockpass.probe.prober import probe
from dockpass.probe.question import ProbeContext, Question
from dockpass.references.credential import Credential
from dockpass.registry.claims import read_claims
from dockpass.registry.clock import date_in
from dockpass.registry.contents import Manifest
from dockpass.registry.forms import form_of, is_named, shows_registry, why_no_tag_list
from dockpass.registry.token import LONGEST_LIFE, SHORTEST_LIFE, read_token
from dockpass.registry.transport import Transport
from dockpass.runs.deploy import describe
from dockpass.secrets import Secret
from dockpass.units import about

LOGIN = Credential("myuser", Secret("canary-password-1"))
CLAIMS = ("iss", "sub", "aud", "exp", "nbf", "iat", "jti", "auth_type", "access")


async def asked_of(fake: FakeRealm) -> Probe:
    async with Transport() as transport:
        return await probe(Question(fake.host, PATH, LOGIN, "options"), ProbeContext(transport))


@pytest.mark.parametrize("number", [*ODD_NUMBERS, -(10**300), True, "9" * 400, None, [], {"a": 1}], ids=repr)
async def test_a_life_of_any_number_is_bounded_and_the_token_used(number: object) -> None:
    raw = json.dumps({"token": "opaque-canary", "expires_in": number}).encode()
    assert SHORTEST_LIFE <= read_token("registry.example", raw)[1] <= LONGEST_LIFE
    async with FakeRealm(token=lambda _: Said(200, raw)) as fake:
        found = await asked_of(fake)
    assert found.verdict("pull") is Verdict.GRANTED
    assert found.findings == ()


async def test_a_number_that_nothing_can_read_is_told_and_the_login_was_sent() -> None:
    raw = b'{"token": "opaque-canary", "expires_in": ' + b"9" * 5000 + b"}"
    async with FakeRealm(token=lambda _: Said(200, raw)) as fake:
        found = await asked_of(fake)
    assert found.login.words.startswith("sent; no usable answer: ")
    assert "a number that is out of range" in found.findings[0].message


@given(json_values())
def test_a_token_answer_may_hold_anything(value: object) -> None:
    for body in (
        value,
        {"token": value},
        {"token": "t", "expires_in": value, "issued_at": value, "scope": value},
    ):
        raw = json.dumps(body).encode()
        form_of(raw)
        with suppress(DockpassError):
            assert SHORTEST_LIFE <= read_token("registry.example", raw)[1] <= LONGEST_LIFE


@given(json_values())
def test_claims_may_hold_anything(value: object) -> None:
    payloads: list[object] = [value, *({name: value} for name in CLAIMS)]
    payloads += [{"access": [value]}, {"access": [entry("pull", meta=value)]}]
    payloads += [{"access": [{"type": value, "name": value, "actions": value}]}]
    payloads += [
        {"access": [entry("pull", meta={"tag_deny_access_patterns": {"push": value, "delete": [value]}})]}
    ]
    for payload in payloads:
        for header in ({"alg": "RS256"}, value):
            token = Secret(jwt(payload, header))
            claims = read_claims(token)
            granted_actions(token, PATH)
            if claims is not None and claims.life is not None:
                assert about(claims.life)


@given(json_values())
def test_a_list_of_tags_may_hold_anything(value: object) -> None:
    for body in (
        value,
        {"name": value, "tags": []},
        {"name": PATH, "tags": value},
        {"name": PATH, "tags": [value]},
    ):
        raw = json.dumps(body).encode()
        assert why_no_tag_list(raw, PATH, {}) or is_named(json.loads(raw)["name"], PATH)
        assert shows_registry({}, raw) is not False  # no JSON is a web page


@given(json_values())
def test_a_date_may_hold_anything(value: object) -> None:
    for header in (str(value)[:200], f"Mon, {value} Jan {value} 00:00:00 GMT"[:300], json.dumps(value)[:300]):
        date = date_in(header)
        assert date is None or date.tzinfo is UTC


class _Client:
    """Gives one answer for every manifest and every config."""

    def __init__(self, data: Mapping[str, object], config: Mapping[str, object]) -> None:
        self._data, self._config = data, config

    async def manifest(self, path: str, reference: str) -> Manifest:
        return manifest_of(self._data)

    async def config(self, path: str, digest: str) -> Mapping[str, object]:
        return self._config


def manifest_of(data: Mapping[str, object]) -> Manifest:
    digest = f"sha256:{hashlib.sha256(b'x').hexdigest()}"
    return Manifest(digest, "application/vnd.oci.image.manifest.v1+json", data, 1)


@settings(max_examples=examples(60))
@given(json_values())
async def test_what_deploy_reads_may_hold_anything(value: object) -> None:
    image = {"config": {"digest": "sha256:1", "size": value}, "layers": [{"size": value}, value]}
    shapes: list[Mapping[str, object]] = [image, {**image, "layers": value}, {**image, "config": value}]
    shapes += [
        {"manifests": value},
        {"manifests": [value]},
        {"manifests": [{"digest": value, "platform": value}]},
    ]
    shapes += [{"manifests": [{"platform": {"os": value, "architecture": value, "variant": value}}]}]
    configs: list[Mapping[str, object]] = [
        {"created": value, "os": value, "architecture": value, "config": value}
    ]
    configs += [{"config": {"Labels": value}}, {"config": {"Labels": {"a": value}}}]
    for data in shapes:
        for config in configs:
            client = _Client(data, config)
            try:
                found = await describe(client, "registry.example/a:1", manifest_of(data), "a", 0.0)  # type: ignore[arg-type]
            except DockpassError:
                continue
            assert 0 <= found.size < 2**80


@pytest.mark.parametrize("field", ["code", "message", "detail"])
@pytest.mark.parametrize(
    "value", [int("9" * 400), -1, 1e308, [[]], {"a": [1]}, None, True, "\x1b[2J"], ids=repr
)
async def test_a_refusal_may_hold_anything(field: str, value: object) -> None:
    def refuse(_: Asked) -> Said:
        return Said(401, {"errors": [{"code": "UNAUTHORIZED", "message": "no", field: value}]})

    async with FakeRealm(token=refuse) as fake:
        found = await asked_of(fake)
    assert found.login.state == "rejected"
    assert "\x1b" not in found.login.words


@pytest.mark.parametrize("length", ["9" * 400, "-1", "1e3", "0x10", "٣", "5, 6"])
async def test_a_length_that_is_none_is_told(length: str) -> None:
    import asyncio

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if await reader.readexactly(1) == b"\x16":  # a TLS greeting, where plain http is spoken
            writer.write(b"HTTP/1.0 400 Bad Request\r\n\r\n")
            writer.close()
            return
        await reader.readuntil(b"\r\n\r\n")
        writer.write(f"HTTP/1.1 200 OK\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{{}}".encode())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    host = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with Transport() as transport:
        found = await probe(Question(host, PATH, LOGIN, "options"), ProbeContext(transport, seconds=3))
    server.close()
    assert not found.reached
    assert all(finding.message.isprintable() for finding in found.findings)


def test_a_clock_of_any_year_is_told() -> None:
    from dockpass.registry.clock import skew_in_words

    now = datetime(2026, 1, 1, tzinfo=UTC)
    for header in (
        "Fri, 31 Dec 9999 23:59:59 -2359",
        "Mon, 01 Jan 0001 00:00:00 +2359",
        "Mon, 1 Jan 99999 0:0:0",
    ):
        assert skew_in_words(header, now).isprintable()
