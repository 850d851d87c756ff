"""What a probe claims where no registry answers, or a login cannot be judged: never more than was seen."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any

import pytest
from fakerealm import PATH, FakeRealm, grants
from fakeregistry import Asked, Said, refusal
from hostile import PRIVATE, Reply, World, bearer

from dockpass.auth.command import Command
from dockpass.auth.decide import decide
from dockpass.auth.facts import Facts, Options
from dockpass.cli.probe import exit_status, report_lines
from dockpass.probe.model import LoginState, Probe, Verdict
from dockpass.probe.plan import AccessReport, plan_access, requirements_of
from dockpass.probe.prober import probe
from dockpass.probe.question import ProbeContext, Question
from dockpass.probe.requirements import Ability, requirement_of
from dockpass.references.credential import Credential
from dockpass.registry.transport import Transport
from dockpass.secrets import Secret

PASSWORD = "canary-password-1"
LOGIN = Credential("myuser", Secret(PASSWORD))
PAGE = b"<!DOCTYPE html><html><head><title>Sign in &middot; Portal</title></head><body>x</body></html>"
VERSION = ("Docker-Distribution-Api-Version", "registry/2.0")

NO_REGISTRY = {
    "html": PAGE,
    "much html": PAGE + b" " * 300_000,
    "html with a mark in front": b"\xef\xbb\xbf\r\n" + PAGE,
    "utf-16 html": PAGE.decode().encode("utf-16"),
    "xml": b'<?xml version="1.0"?><ListBucketResult/>',
    "empty": b"",
    "blanks": b" \r\n",
    "text": b"OK",
    "object": b'{"status": "ok"}',
    "empty object": b"{}",
    "true": b"true",
    "list": b'["a"]',
    "tags without a name": b'{"tags": ["a"]}',
    "tags of nothing": b'{"tags": null}',
    "no tags": b'{"name": "web/backend"}',
    "tags that are a text": b'{"name": "web/backend", "tags": "latest"}',
    "tags that are numbers": b'{"name": "web/backend", "tags": [1, 2]}',
    "tags that are none": b'{"name": "web/backend", "tags": ["a b"]}',
    "another repository": b'{"name": "other/backend2", "tags": ["a"]}',
    "a name that is no text": b'{"name": 7, "tags": ["a"]}',
    "a key twice": b'{"name": "web/backend", "tags": ["a"], "tags": []}',
}


async def asked_of(host: str, credential: Credential | None = LOGIN) -> Probe:
    async with Transport() as transport:
        found = await probe(Question(host, PATH, credential, "it"), ProbeContext(transport))
    assert PASSWORD not in json.dumps(asdict(found))
    return found


def report(found: Probe, command: Command = Command.PUSH) -> AccessReport:
    """Make the report of one probe, as the command does."""
    options = Options(f"{found.host}/{found.repository}", "myuser", Secret(PASSWORD))
    facts = Facts({}, options=options, home="/nowhere", cwd="/")
    plan = plan_access(command, facts)
    probes = {plan.chosen: found}
    return AccessReport(plan, probes, requirements_of(plan, probes))


def status(found: Probe, command: Command = Command.PUSH) -> int:
    return exit_status(report(found, command))


def consistent(found: Probe) -> None:
    """Whatever became of a login, what is said of it and the list of requests agree."""
    sent = any(request.carried == "login" for request in found.requests)
    if found.login.state in {LoginState.ACCEPTED, LoginState.REJECTED, LoginState.UNKNOWN}:
        assert sent
    if found.login.state in {LoginState.UNSENT, LoginState.WITHHELD, LoginState.ANONYMOUS}:
        assert not sent
    told = "\n".join(report_lines(report(found)))
    assert ("login sent" in told) is sent
    assert ("sent; no usable answer" in told) is (found.login.state is LoginState.UNKNOWN)


@pytest.mark.parametrize("name", NO_REGISTRY)
@pytest.mark.parametrize("credential", [None, LOGIN], ids=["nobody", "login"])
async def test_whatever_answers_200_to_everything_grants_nothing(
    name: str, credential: Credential | None
) -> None:
    body = NO_REGISTRY[name]
    async with FakeRealm(ping=lambda _: Said(200, body), listing=lambda _: Said(200, body)) as fake:
        found = await asked_of(fake.host, credential)
        assert not any(asked.authorization for asked in fake.asked)
    assert not found.reached
    assert found.unreached == "not a registry"
    assert "granted" not in {str(result.verdict) for result in found.actions}
    assert [status(found, command) for command in Command if command is not Command.BUILD] == [1] * 4
    consistent(found)


@pytest.mark.parametrize("name", NO_REGISTRY)
async def test_what_says_that_it_is_a_registry_has_to_list_like_one(name: str) -> None:
    body = NO_REGISTRY[name]
    async with FakeRealm(ping=lambda _: Said(200, {}, (VERSION,)), listing=lambda _: Said(200, body)) as fake:
        found = await asked_of(fake.host)
    assert found.verdict("pull") in {Verdict.UNKNOWN, Verdict.NOT_PROBED}
    assert found.findings[0].id in {"list-odd", "not-a-registry"}
    assert status(found, Command.PULL) == 1


@pytest.mark.parametrize("name", NO_REGISTRY)
async def test_a_page_behind_basic_is_no_registry(name: str) -> None:
    body = NO_REGISTRY[name]

    def answer(asked: Asked) -> Said:
        wanted = ("WWW-Authenticate", 'Basic realm="intranet"')
        return Said(200, body) if asked.authorization else Said(401, PAGE, (wanted,))

    async with FakeRealm(ping=answer, listing=answer) as fake:
        found = await asked_of(fake.host)
    assert found.login.state is LoginState.UNKNOWN
    assert "granted" not in {str(result.verdict) for result in found.actions}
    assert status(found) == 1


@pytest.mark.parametrize("name", NO_REGISTRY)
@pytest.mark.parametrize("opaque", [True, False], ids=["opaque", "jwt"])
async def test_a_token_does_not_make_a_list_of_anything(name: str, opaque: bool) -> None:
    body = NO_REGISTRY[name]
    token = (lambda _: Said(200, {"token": "opaque-canary"})) if opaque else grants("pull", "push")
    async with FakeRealm(token=token, listing=lambda _: Said(200, body)) as fake:
        found = await asked_of(fake.host)
    assert found.login.state is LoginState.ACCEPTED
    assert found.verdict("pull") is Verdict.UNKNOWN
    assert found.exists is None
    assert status(found, Command.PULL) == 1
    consistent(found)


@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b'{"name": "web/backend", "tags": null}', ()),
        (b'{"name": "web/backend", "tags": [], "child": [], "manifest": {}}', ()),
        (b'{"name": "backend", "tags": ["a"]}', ()),  # mounted under a prefix
        (b'{"name": "proxy/web/backend", "tags": ["a"]}', ()),
        (b'{"tags": ["a"]}', (VERSION,)),
        (b'\n{"tags": ["a"], "name": "web/backend"}\n', (("Content-Type", "text/plain"),)),
        (b'{"name": "web/backend", "tags": ["a"]}', (("Content-Type", "text/html"),)),
    ],
)
@pytest.mark.parametrize("ping", [b"{}", b"", b"true"])
async def test_what_real_registries_send_is_a_list(
    body: bytes, headers: tuple[tuple[str, str], ...], ping: bytes
) -> None:
    async with FakeRealm(ping=lambda _: Said(200, ping), listing=lambda _: Said(200, body, headers)) as fake:
        found = await asked_of(fake.host, None)
    assert found.reached
    assert found.verdict("pull") is Verdict.GRANTED
    assert status(found, Command.PULL) == 0


@pytest.mark.parametrize(
    "answer",
    [
        Said(200, PAGE),
        Said(200, b""),
        Said(200, b"{}"),
        Said(200, b"[]"),
        Said(200, {"token": ""}),
        Said(200, {"token": 7}),
        Said(200, {"access_token": None, "token": ["x"]}),
        Said(200, b"x" * (300 << 10)),
        Said(204),
        Said(302, b"", (("Location", "https://elsewhere.example/login"),)),
        Said(302, b"", (("Location", "/auth?again"),)),
        Said(302),
        Said(400, b"bad"),
        Said(403, b"Forbidden"),
        Said(404, b"registry not enabled"),
        Said(405),
        Said(407),
        Said(413, PAGE),
        Said(418),
        Said(429, b"", (("Retry-After", "900"),)),
        Said(500),
        Said(503, PAGE),
        Said(200, {"errors": [{"code": "TOOMANYREQUESTS"}]}),
    ],
    ids=lambda said: f"{said.status} {str(said.body)[:20]}",
)
async def test_a_login_that_no_answer_judges_is_told_as_sent(answer: Said) -> None:
    async with FakeRealm(token=lambda _: answer) as fake:
        found = await asked_of(fake.host)
    assert found.login.state is LoginState.UNKNOWN
    assert found.login.words.startswith("sent; no usable answer: ")
    assert [status(found, command) for command in Command if command is not Command.BUILD] == [1] * 4
    consistent(found)
    async with FakeRealm(token=lambda _: answer) as fake:
        anonymous = await asked_of(fake.host, None)
    assert anonymous.verdict("pull") is Verdict.UNKNOWN
    assert status(anonymous, Command.PULL) == 1


@pytest.mark.parametrize(
    ("headers", "named"),
    [
        ((), "without saying how to log in"),
        (("",), "without saying how to log in"),
        (("Negotiate",), "Negotiate"),
        (("NTLM", "Negotiate"), "NTLM, Negotiate"),
        (('Digest realm="x", nonce="y"',), "Digest"),
        (("Bearer",), "Bearer"),
        (("???",), "???"),
    ],
)
@pytest.mark.parametrize("late", [False, True], ids=["at once", "at the list"])
async def test_a_challenge_that_cannot_be_met_is_named_and_fails(
    headers: tuple[str, ...], named: str, late: bool
) -> None:
    wanted = Said(401, b"", tuple(("WWW-Authenticate", header) for header in headers))
    async with FakeRealm(
        ping=lambda _: Said(200, {}, (VERSION,)) if late else wanted, listing=lambda _: wanted
    ) as fake:
        found = await asked_of(fake.host)
        assert not any(asked.authorization for asked in fake.asked)
    assert found.login.state is LoginState.UNSENT
    assert named in found.login.words
    assert status(found) == 1
    consistent(found)


async def test_a_token_server_that_is_not_there_got_no_login() -> None:
    wanted = ("WWW-Authenticate", 'Bearer realm="http://127.0.0.1:1/token",service="x"')
    async with FakeRealm(ping=lambda _: refusal(401, "UNAUTHORIZED", "", wanted)) as fake:
        found = await asked_of(fake.host)
    assert found.login.state is LoginState.UNSENT
    assert status(found) == 1
    consistent(found)


async def test_a_token_server_on_a_private_address_is_not_contacted(world: World) -> None:
    registry = await world.server("registry.example")
    inner = await world.server("inner.example", address=PRIVATE)
    registry.on("/v2/", bearer(f"{inner.url}/token"))
    inner.on("/token", Reply(200, {"token": "the-token"}))
    async with world.transport() as transport:
        found = await probe(Question(registry.host, PATH, LOGIN, "it"), ProbeContext(transport))
    assert inner.asked == []
    assert found.login.state is LoginState.UNSENT
    assert "address-refused" in {finding.id for finding in found.findings}


async def test_a_server_that_wants_a_scope_is_not_told_as_unjudged() -> None:
    def token(asked: Asked) -> Said:
        return grants("pull", "push")(asked) if "scope" in asked.query else Said(400, b"scope missing")

    async with FakeRealm(token=token) as fake:
        found = await asked_of(fake.host)
    assert found.login.state is LoginState.ACCEPTED
    assert status(found) == 0


@pytest.mark.parametrize("state", ["absent", "opaque"])
async def test_the_first_push_of_a_repository_is_no_gap(state: str) -> None:
    token = (lambda _: Said(200, {"token": "canary-opaque"})) if state == "opaque" else grants("pull", "push")
    async with FakeRealm(token=token, listing=lambda _: refusal(404, "NAME_UNKNOWN", "unknown")) as fake:
        found = await asked_of(fake.host)
    assert found.exists is False
    assert status(found, Command.PUSH) == 0


async def test_a_denial_in_a_404_is_no_first_push() -> None:
    denied = refusal(404, "DENIED", "no")
    async with FakeRealm(token=grants("pull", "push"), listing=lambda _: denied) as fake:
        found = await asked_of(fake.host)
    assert found.verdict("pull") is not Verdict.GRANTED
    assert status(found, Command.PUSH) == 1


@pytest.mark.parametrize(
    "answer", [Said(404, b'{"message": "no route"}'), Said(404, b"{}"), Said(500), Said(403, PAGE)]
)
@pytest.mark.parametrize("scheme", ["none", "basic"])
async def test_a_service_that_answers_v2_and_refuses_the_list_is_no_registry(
    answer: Said, scheme: str
) -> None:
    def ping(asked: Asked) -> Said:
        wanted = ("WWW-Authenticate", 'Basic realm="x"')
        return Said(200, {}) if scheme == "none" or asked.authorization else Said(401, b"", (wanted,))

    async with FakeRealm(ping=ping, listing=lambda _: answer) as fake:
        found = await asked_of(fake.host)
    assert not found.reached
    assert "granted" not in {str(result.verdict) for result in found.actions}
    assert status(found) == 1
    consistent(found)


@pytest.mark.parametrize("answer", [Said(500), Said(403, b"Forbidden"), Said(429), Said(407)])
@pytest.mark.parametrize("opaque", [True, False], ids=["opaque", "jwt"])
async def test_a_registry_that_cannot_be_read_is_not_told_as_readable(answer: Said, opaque: bool) -> None:
    token = (lambda _: Said(200, {"token": "opaque-canary"})) if opaque else grants("pull", "push")
    async with FakeRealm(token=token, listing=lambda _: answer) as fake:
        found = await asked_of(fake.host)
    assert found.verdict("pull") is Verdict.UNKNOWN
    assert status(found, Command.PULL) == 1


async def test_a_limited_token_is_a_login_that_was_accepted() -> None:
    refused = Said(401, {"details": "access token has insufficient scopes"})
    async with FakeRealm(token=lambda _: refused) as fake:
        found = await asked_of(fake.host)
    assert found.login.state is LoginState.ACCEPTED
    assert found.verdict("pull") is Verdict.REFUSED
    assert status(found) == 1


async def test_base_images_that_were_not_asked_for_are_not_claimed() -> None:
    images = tuple(f"web/base-{number}" for number in range(20))
    async with FakeRealm(token=grants("pull")) as fake, Transport() as transport:
        question = Question(fake.host, PATH, LOGIN, "it", also_pull=images)
        found = await probe(question, ProbeContext(transport))
    decided = decide(Command.BUILD, Facts({}, home="/", cwd="/"))
    need = requirement_of(decided, {decided.method: found}, (PATH, *images))  # type: ignore[union-attr]
    assert (need.standing, need.judged) == (Ability.UNKNOWN, False)
    few = requirement_of(decided, {decided.method: found}, (PATH, *images[:3]))  # type: ignore[union-attr]
    assert (few.standing, few.judged) == (Ability.CAN, True)


async def test_an_opaque_token_grants_nothing_and_nothing_is_wrong_with_it() -> None:
    async with FakeRealm() as fake:
        found = await asked_of(fake.host)
    assert found.verdict("push") is Verdict.NOT_VISIBLE
    assert status(found, Command.PUSH) == 0
    assert found.findings == ()


ABSENT = Said(404, {"errors": [{"code": "NAME_UNKNOWN", "message": "repository name not known"}]})
NO_LIST = Said(405, {"errors": [{"code": "UNSUPPORTED", "message": "unsupported"}]})
NO_PAGE = Said(404, b"404 page not found")
FREE = {"ping": lambda _: Said(200, {}, (VERSION,))}
BASIC_ASKED = refusal(401, "UNAUTHORIZED", "log in", ("WWW-Authenticate", 'Basic realm="fake"'))
BASIC = {"scheme": "basic", "ping": lambda asked: Said(200, {}) if asked.authorization else BASIC_ASKED}
JWT = {"token": grants("pull", "push", "delete")}
OPAQUE: dict[str, Any] = {}


@pytest.mark.parametrize(
    ("registry", "listing", "credential", "push", "pull", "cleanup"),
    [
        # a token that says what it is for, or one whose use the registry answered
        (JWT, None, LOGIN, 0, 0, 0),
        (JWT, ABSENT, LOGIN, 0, 0, 0),
        (OPAQUE, None, LOGIN, 0, 0, 0),
        (OPAQUE, ABSENT, LOGIN, 0, 1, 1),
        (OPAQUE, NO_LIST, LOGIN, 1, 1, 1),
        (OPAQUE, NO_PAGE, LOGIN, 1, 1, 1),
        (BASIC, None, LOGIN, 0, 0, 0),
        (BASIC, ABSENT, LOGIN, 0, 1, 1),
        (BASIC, NO_PAGE, LOGIN, 1, 1, 1),
        # no challenge: a login that nobody asks for is not judged, and none is no fault
        (FREE, None, LOGIN, 1, 0, 1),
        (FREE, ABSENT, LOGIN, 1, 1, 1),
        (FREE, None, None, 0, 0, 0),
        (FREE, ABSENT, None, 0, 1, 1),
    ],
)
async def test_what_is_not_visible_stops_a_command_where_nothing_shows_that_the_login_is_taken(
    registry: dict[str, Any],
    listing: Said | None,
    credential: Credential | None,
    push: int,
    pull: int,
    cleanup: int,
) -> None:
    more = {} if listing is None else {"listing": lambda _: listing}
    async with FakeRealm(**registry, **more) as fake:
        found = await asked_of(fake.host, credential)
    told = [status(found, command) for command in (Command.PUSH, Command.PULL, Command.CLEANUP)]
    assert told == [push, pull, cleanup], report_lines(report(found))
    consistent(found)


SECRET = "CutCanary-4f7Kq2-" + "x" * 30


@pytest.mark.parametrize(
    "body",
    [
        b"<html><title>" + b"!" * 190 + SECRET.encode() + b"</title></html>",
        b"!" * 190 + SECRET.encode(),
        json.dumps({"name": "!" * 70 + SECRET, "tags": []}).encode(),
    ],
)
@pytest.mark.parametrize("scheme", ["none", "bearer"])
async def test_words_of_an_answer_are_masked_before_they_are_cut(body: bytes, scheme: str) -> None:
    said = Said(200, body)
    ping = (lambda _: Said(200, {})) if scheme == "none" else None
    async with (
        FakeRealm(token=lambda _: said, ping=ping, listing=lambda _: said) as fake,
        Transport() as sent,
    ):
        means = ProbeContext(sent, redact=lambda text: text.replace(SECRET, "***"))
        found = await probe(Question(fake.host, PATH, LOGIN, "it"), means)
    assert "CutCanary" not in json.dumps(asdict(found))
