"""What a probe finds out at registries of several kinds, and what it never does."""

from __future__ import annotations

import json
from dataclasses import asdict
from urllib.parse import parse_qs

import pytest
from fakerealm import PATH, FakeRealm, basic_of, entry, grants, jwt, scopes_of
from fakeregistry import Asked, Said, refusal

from dockpass.probe.model import LoginState, Probe, Verdict
from dockpass.probe.prober import probe
from dockpass.probe.question import ProbeContext, Question, Rejections
from dockpass.references.credential import Credential
from dockpass.registry.transport import Transport
from dockpass.secrets import Secret

USER, PASSWORD = "myuser", "canary-password-1"
LOGIN = Credential(USER, Secret(PASSWORD))
JOB = Credential("gitlab-ci-token", Secret("canary-job-1"))
LIST = f"/v2/{PATH}/tags/list"
DENIED = "HTTP Basic: Access denied. If you have 2FA enabled, use a token."


def gitlab(**values: object) -> FakeRealm:
    return FakeRealm(realm="/jwt/auth", service="container_registry", **values)  # type: ignore[arg-type]


async def asked_of(
    fake: FakeRealm,
    credential: Credential | None = LOGIN,
    *,
    push: bool = False,
    means: dict[str, object] | None = None,
    also: tuple[str, ...] = (),
) -> Probe:
    async with Transport() as transport:
        question = Question(fake.host, PATH, credential, "options", push, also)
        found = await probe(question, ProbeContext(transport, **(means or {})))  # type: ignore[arg-type]
    assert "canary" not in json.dumps(asdict(found))
    return found


def verdicts(found: Probe) -> dict[str, str]:
    return {result.asked: str(result.verdict) for result in found.actions}


def ids(found: Probe) -> list[str]:
    return [finding.id for finding in found.findings]


def paths(fake: FakeRealm) -> list[str]:
    return [f"{asked.path} {''.join(scopes_of(asked))}".strip() for asked in fake.asked]


async def test_gitlabs_job_token_pulls_pushes_and_deletes_but_is_not_everything() -> None:
    token = grants("pull", "push", "delete", auth_type="build", iat=1000, exp=1300)
    async with gitlab(token=token) as fake:
        found = await asked_of(fake, JOB, means={"now": lambda: 1100.0})
    assert found.login.state is LoginState.ACCEPTED
    assert verdicts(found) == {"pull": "granted", "push": "granted", "delete": "granted", "*": "refused"}
    assert found.result("push").evidence == "GitLab's token lists pull, push (token type build)"
    assert found.result("*").evidence == "GitLab's token lists nothing (token type build); * was asked for"
    assert (found.token.kind, found.token.auth_type, found.token.life) == ("JWT", "build", 300)
    assert found.exists is True


async def test_the_steps_are_one_request_for_each_action_and_every_one_is_listed() -> None:
    async with gitlab(token=grants("pull")) as fake:
        found = await asked_of(fake, JOB)
        assert paths(fake) == [
            "/v2/",
            "/jwt/auth",
            f"/jwt/auth repository:{PATH}:pull",
            LIST,
            f"/jwt/auth repository:{PATH}:pull,push",
            f"/jwt/auth repository:{PATH}:delete",
            f"/jwt/auth repository:{PATH}:*",
        ]
        sent = [(request.scope, request.carried) for request in found.requests if request.status]
    assert len(sent) == len(fake.asked)
    assert [carried for _, carried in sent] == ["nothing", "login", "login", "token", *["login"] * 3]
    assert all("account" not in request.url and "?service" not in request.url for request in found.requests)


async def test_credentials_go_to_the_realm_only_and_tokens_to_the_registry_only() -> None:
    async with gitlab(token=grants("pull")) as fake:
        await asked_of(fake)
    for asked in fake.asked:
        if asked.path == "/jwt/auth":
            assert asked.authorization == basic_of(USER, PASSWORD)
        else:
            assert asked.authorization == "" or asked.authorization.startswith("Bearer ")


async def test_a_wrong_password_is_sent_once_and_nothing_else_is() -> None:
    said = refusal(401, "UNAUTHORIZED", DENIED)
    async with gitlab(token=lambda _: said) as fake:
        found = await asked_of(fake)
        assert paths(fake) == ["/v2/", "/jwt/auth"]
    assert found.login.state is LoginState.REJECTED
    assert "wrong or expired secret" in found.login.words
    assert set(verdicts(found).values()) == {"not-probed"}
    assert "failed-logins-count" in ids(found)


async def test_a_web_page_from_the_token_server_rejects_no_login() -> None:
    async with gitlab(token=lambda _: Said(401, b"<html><title>Sign in</title></html>")) as fake:
        found = await asked_of(fake)
    assert found.login.state is LoginState.UNKNOWN


async def test_after_two_rejections_no_other_login_is_sent() -> None:
    rejections = Rejections()
    async with gitlab(token=lambda _: refusal(401, "UNAUTHORIZED", DENIED)) as fake:
        states = [
            (await asked_of(fake, LOGIN, means={"rejections": rejections})).login.state for _ in range(4)
        ]
        assert len(fake.requests("GET", "/jwt/auth")) == 2
    assert states == [*[LoginState.REJECTED] * 2, *[LoginState.NOT_PROBED] * 2]


async def test_a_repository_that_is_not_there_is_asked_to_push_only_on_request() -> None:
    def absent(_: Asked) -> Said:
        return refusal(404, "NAME_UNKNOWN", "repository name not known")

    async with gitlab(token=grants("pull", "push"), listing=absent) as fake:
        found = await asked_of(fake)
        assert not any("push" in path for path in paths(fake))
        assert found.exists is False
        assert found.verdict("push") is Verdict.NOT_PROBED
        assert not found.has_side_effects
        asked = await asked_of(fake, push=True)
    assert asked.verdict("push") is Verdict.GRANTED
    assert asked.has_side_effects


async def test_a_listing_that_is_refused_shows_no_repository_either() -> None:
    async with gitlab(token=grants("push")) as fake:
        found = await asked_of(fake)
        assert not fake.requests("GET", LIST)
    assert found.verdict("pull") is Verdict.REFUSED
    assert found.verdict("push") is Verdict.NOT_PROBED
    assert found.exists is None


async def test_a_token_server_that_cuts_actions_down_to_none_refuses() -> None:
    async with FakeRealm(token=grants()) as fake:
        found = await asked_of(fake)
    assert found.login.state is LoginState.ACCEPTED
    assert verdicts(found) == {"pull": "refused", "push": "not-probed", "delete": "refused", "*": "refused"}
    assert found.result("pull").evidence == "the token lists nothing; pull was asked for"


async def test_docker_hubs_limited_token_is_accepted_and_refused_by_action() -> None:
    def token(asked: Asked) -> Said:
        scopes = "".join(scopes_of(asked))
        if scopes and not scopes.endswith(":pull"):
            return Said(401, {"details": "access token has insufficient scopes"})
        return grants("pull")(asked)

    async with FakeRealm(token=token) as fake:
        rejections = Rejections()
        found = await asked_of(fake, means={"rejections": rejections})
    assert found.login.state is LoginState.ACCEPTED
    assert verdicts(found) == {"pull": "granted", "push": "refused", "delete": "refused", "*": "refused"}
    assert "not allowed to do this" in found.result("push").evidence
    assert rejections.counts == {}


@pytest.mark.parametrize(
    ("listing", "pull"),
    [
        (Said(200, {"name": PATH, "tags": ["a"]}), "granted"),
        (refusal(403, "DENIED", "denied"), "refused"),
        (refusal(404, "NAME_UNKNOWN", "unknown"), "unknown"),
    ],
)
async def test_an_opaque_token_shows_nothing_but_what_was_really_read(listing: Said, pull: str) -> None:
    async with FakeRealm(listing=lambda _: listing) as fake:
        found = await asked_of(fake, push=True)
    assert verdicts(found) == {
        "pull": pull,
        "push": "not-visible",
        "delete": "not-visible",
        "*": "not-visible",
    }
    assert found.token.kind == "opaque"
    assert "only a real push shows it" in found.result("push").evidence


async def test_github_refuses_a_scope_at_its_realm() -> None:
    def token(asked: Asked) -> Said:
        if "delete" in "".join(scopes_of(asked)):
            return refusal(403, "DENIED", "requested access to the resource is denied")
        return Said(200, {"token": "opaque-canary"})

    async with FakeRealm(token=token) as fake:
        found = await asked_of(fake)
    assert found.verdict("delete") is Verdict.REFUSED
    assert found.verdict("push") is Verdict.NOT_VISIBLE


async def test_basic_shows_only_what_was_really_done() -> None:
    def ping(asked: Asked) -> Said:
        if asked.authorization == basic_of(USER, PASSWORD):
            return Said(200, {})
        return refusal(
            401, "UNAUTHORIZED", "authentication required", ("WWW-Authenticate", 'Basic realm="x"')
        )

    async with FakeRealm(scheme="basic", ping=ping) as fake:
        found = await asked_of(fake)
        wrong = await asked_of(fake, Credential(USER, Secret("canary-wrong")))
    assert found.login.state is LoginState.ACCEPTED
    assert verdicts(found) == {
        "pull": "granted",
        "push": "not-visible",
        "delete": "not-visible",
        "*": "not-visible",
    }
    assert wrong.login.state is LoginState.REJECTED
    assert len(fake.asked) == 3 + 2


async def test_an_expired_password_of_amazon_is_told_as_that() -> None:
    def ping(asked: Asked) -> Said:
        if asked.authorization:
            return Said(403, b"Your authorization token has expired. Reauthenticate and try again.")
        return refusal(401, "UNAUTHORIZED", "no basic auth", ("WWW-Authenticate", 'Basic realm="x"'))

    async with FakeRealm(scheme="basic", ping=ping) as fake:
        found = await asked_of(fake)
    assert found.login.state is LoginState.REJECTED
    assert "The password has expired." in found.login.words


async def test_without_a_login_the_probe_is_anonymous_and_stops_at_a_refusal() -> None:
    async with gitlab(token=lambda _: refusal(403, "DENIED", "access forbidden")) as fake:
        found = await asked_of(fake, None)
        assert all(not asked.authorization for asked in fake.asked)
        assert len(fake.asked) == 2
    assert found.login.state is LoginState.ANONYMOUS
    assert verdicts(found) == {
        "pull": "refused",
        "push": "not-probed",
        "delete": "not-probed",
        "*": "not-probed",
    }


async def test_a_public_repository_is_read_without_a_login() -> None:
    async with FakeRealm(token=grants("pull")) as fake:
        found = await asked_of(fake, None)
    assert found.verdict("pull") is Verdict.GRANTED
    assert found.verdict("delete") is Verdict.REFUSED


async def test_a_registry_without_any_login_is_told_as_that() -> None:
    async with FakeRealm(ping=lambda _: Said(200, {})) as fake:
        found = await asked_of(fake)
        assert all(not asked.authorization for asked in fake.asked)
    assert found.login.state is LoginState.NOT_NEEDED
    assert found.verdict("pull") is Verdict.GRANTED
    assert found.verdict("delete") is Verdict.NOT_VISIBLE


async def test_a_registry_that_asks_for_a_login_only_at_a_repository_is_answered() -> None:
    async with FakeRealm(ping=lambda _: Said(200, {}), token=grants("pull")) as fake:

        def listing(asked: Asked) -> Said:
            return (
                Said(200, {"name": PATH, "tags": []})
                if asked.authorization
                else refusal(401, "U", "", fake.challenge)
            )

        fake.listing = listing
        found = await asked_of(fake)
    assert found.login.state is LoginState.ACCEPTED
    assert found.verdict("pull") is Verdict.GRANTED


async def test_half_a_login_is_never_sent() -> None:
    async with FakeRealm() as fake:
        found = await asked_of(fake, Credential("", Secret(PASSWORD)))
        assert paths(fake) == ["/v2/"]
    assert found.login.state is LoginState.WITHHELD
    assert "user name is empty" in found.login.words


async def test_an_identity_token_goes_to_the_realm_by_post_and_the_answers_scope_counts() -> None:
    def token(asked: Asked) -> Said:
        scope = parse_qs(asked.body.decode()).get("scope", [""])[0]
        return Said(200, {"access_token": "opaque-canary", "scope": scope.replace(",push", "")})

    async with FakeRealm(token=token) as fake:
        found = await asked_of(fake, Credential("<token>", Secret(""), Secret("canary-refresh")))
        posts = [asked for asked in fake.asked if asked.method == "POST"]
    assert all(b"refresh_token=canary-refresh" in asked.body for asked in posts)
    assert not any("canary-refresh" in asked.authorization + asked.query for asked in fake.asked)
    assert found.verdict("pull") is Verdict.GRANTED
    assert found.verdict("push") is Verdict.REFUSED


async def test_an_identity_token_without_oauth_is_no_guess_at_the_registry() -> None:
    async with gitlab(token=lambda _: Said(404, b"not found")) as fake:
        found = await asked_of(fake, Credential("<token>", Secret(""), Secret("canary-refresh")))
        assert len(fake.requests("POST", "/jwt/auth")) == 1
    assert found.login.state is LoginState.UNKNOWN
    assert "not support OAuth2" in found.login.words


async def test_a_scope_that_the_registry_would_like_is_told_and_not_asked_for() -> None:
    async with FakeRealm(token=grants("pull", "*")) as fake:
        name, value = fake.challenge
        wanted = (name, f'{value},scope="registry:catalog:* repository:other:*"')
        fake.ping = lambda _: refusal(401, "UNAUTHORIZED", "", wanted)
        found = await asked_of(fake)
        assert not any("catalog" in asked.query or "other" in asked.query for asked in fake.asked)
    assert "scope-of-server" in ids(found)


async def test_with_basic_base_images_are_listed_too() -> None:
    def ping(asked: Asked) -> Said:
        wanted = ("WWW-Authenticate", 'Basic realm="x"')
        return Said(200, {}) if asked.authorization else refusal(401, "UNAUTHORIZED", "", wanted)

    async with FakeRealm(scheme="basic", ping=ping) as fake:
        found = await asked_of(fake, also=("web/base",))
    assert [(each.repository, each.verdict) for each in found.others] == [("web/base", Verdict.GRANTED)]


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_a_server_in_trouble_is_not_asked_again(status: int) -> None:
    async with gitlab(token=lambda _: Said(status, b"busy")) as fake:
        found = await asked_of(fake)
        assert len(fake.asked) == 2
    assert found.login.state is LoginState.UNKNOWN


async def test_a_403_that_is_no_registrys_answer_says_nothing_of_the_login() -> None:
    async with gitlab(token=lambda _: Said(403, b"Forbidden")) as fake:
        found = await asked_of(fake)
    assert found.login.state is LoginState.UNKNOWN
    assert "a proxy, a firewall or an IP ban" in found.login.words


async def test_what_is_no_registry_gets_nothing() -> None:
    async with FakeRealm(ping=lambda _: Said(404, b"<html>")) as fake:
        found = await asked_of(fake)
        assert paths(fake) == ["/v2/"]
    assert not found.reached
    assert ids(found) == ["not-a-registry"]


async def test_no_answer_is_a_finding() -> None:
    async with Transport() as transport:
        found = await probe(Question("127.0.0.1:1", PATH, LOGIN, "options"), ProbeContext(transport))
    assert not found.reached
    assert found.requests[0].status == 0
    assert ids(found) == ["connection-refused"]


async def test_a_registry_that_does_not_trust_its_token_server_is_told() -> None:
    error = ("WWW-Authenticate", 'Bearer realm="{}/auth",service="fake",error="invalid_token"')
    async with FakeRealm(token=grants("pull")) as fake:
        challenge = (error[0], error[1].format(fake.url))
        fake.listing = lambda _: refusal(401, "UNAUTHORIZED", "authentication required", challenge)
        found = await asked_of(fake)
    assert found.verdict("pull") is Verdict.REFUSED
    message = next(each.message for each in found.findings if each.id == "token-not-trusted")
    assert "(invalid_token)" in message


async def test_another_realm_at_the_repository_is_a_finding_and_gets_nothing() -> None:
    evil = ("WWW-Authenticate", 'Bearer realm="https://evil.example/t",service="fake"')
    async with FakeRealm(token=grants("pull"), listing=lambda _: refusal(401, "U", "", evil)) as fake:
        found = await asked_of(fake)
    assert "realm-differs" in ids(found)
    assert not any("evil" in request.url for request in found.requests)


@pytest.mark.parametrize(
    "realm",
    ["http://evil.example/t", "https://u:p@evil.example/t", "file:///etc/passwd", "javascript:1"],
)
async def test_a_realm_that_must_not_get_credentials_gets_nothing(realm: str) -> None:
    challenge = ("WWW-Authenticate", f'Bearer realm="{realm}",service="x"')
    async with FakeRealm(ping=lambda _: refusal(401, "UNAUTHORIZED", "", challenge)) as fake:
        found = await asked_of(fake)
        assert paths(fake) == ["/v2/"]
    assert found.login.state is LoginState.WITHHELD
    assert ids(found) == ["realm-refused"]


async def test_more_than_was_asked_for_is_odd_and_not_counted() -> None:
    def token(asked: Asked) -> Said:
        access = [entry("pull", "delete", "*"), entry("*", name="other/one")] if scopes_of(asked) else []
        if "delete" in "".join(scopes_of(asked)):
            access = []
        return Said(200, {"token": jwt({"sub": "x", "access": access})})

    async with FakeRealm(token=token) as fake:
        found = await asked_of(fake)
    assert found.verdict("delete") is Verdict.REFUSED
    assert {"more-than-asked", "token-for-others"} <= set(ids(found))


async def test_protected_tags_are_read_from_the_token() -> None:
    meta = {"tag_deny_access_patterns": {"delete": ["^release-"], "push": []}}

    def token(asked: Asked) -> Said:
        access = [entry("pull", "push", "delete", meta=meta)] if scopes_of(asked) else []
        return Said(200, {"token": jwt({"sub": "x", "access": access})})

    async with gitlab(token=token) as fake:
        found = await asked_of(fake)
    assert found.token.deny_delete == ("^release-",)


async def test_clocks_that_differ_are_told() -> None:
    async with FakeRealm(token=grants("pull")) as fake:
        found = await asked_of(fake, means={"now": lambda: 1_000_000.0})
    [finding] = [each for each in found.findings if each.id == "clock-skew"]
    assert "ahead of this machine's" in finding.message


async def test_a_token_that_cannot_be_sent_ends_the_probe_in_words() -> None:
    async with FakeRealm(token=lambda _: Said(200, {"token": "a\r\nb"})) as fake:
        found = await asked_of(fake)
    assert "token-unreadable" in ids(found)


async def test_an_echoed_password_is_masked_and_escapes_are_inert() -> None:
    def token(asked: Asked) -> Said:
        return refusal(401, "UNAUTHORIZED", f"\x1b]52;c;x\x07[@click=app.quit] {asked.authorization}")

    async with FakeRealm(token=token) as fake:
        found = await asked_of(fake)
    assert "\x1b" not in json.dumps(asdict(found))
    assert basic_of(USER, PASSWORD)[6:] not in json.dumps(asdict(found))


async def test_base_images_are_read_with_the_same_login() -> None:
    async with gitlab(token=grants("pull")) as fake:
        found = await asked_of(fake, also=("web/base",))
    assert [(each.repository, each.verdict) for each in found.others] == [("web/base", Verdict.GRANTED)]


async def test_a_slow_answer_ends_in_time() -> None:
    import asyncio

    stopped = asyncio.Event()

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await stopped.wait()
        writer.close()

    server = await asyncio.start_server(hang, "127.0.0.1", 0)
    host = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with Transport() as transport:
        found = await probe(Question(host, PATH, LOGIN, "options"), ProbeContext(transport, seconds=0.05))
    stopped.set()
    server.close()
    assert ids(found) == ["timeout"]


@pytest.mark.parametrize("connects", [False, True], ids=["no connection", "no answer"])
async def test_a_login_counts_as_sent_once_its_connection_stands(connects: bool) -> None:
    import asyncio
    import socket

    stopped = asyncio.Event()

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await stopped.wait()
        writer.close()

    full = socket.create_server(("127.0.0.1", 0), backlog=0)
    fillers = [socket.socket() for _ in range(3)]
    for filler in fillers:  # a queue of connections that nobody takes: the next one is not answered
        filler.setblocking(False)
        filler.connect_ex(full.getsockname())
    server = await asyncio.start_server(hang, "127.0.0.1", 0)
    place = (server.sockets[0] if connects else full).getsockname()
    realm = ("WWW-Authenticate", f'Bearer realm="http://127.0.0.1:{place[1]}/auth",service="x"')
    async with (
        FakeRealm(ping=lambda _: refusal(401, "UNAUTHORIZED", "no", realm)) as fake,
        Transport() as transport,
    ):
        question = Question(fake.host, PATH, LOGIN, "options")
        found = await probe(question, ProbeContext(transport, seconds=0.5))
    stopped.set()
    for each in (server, full, *fillers):
        each.close()
    assert found.login.state is (LoginState.UNKNOWN if connects else LoginState.UNSENT)
    assert [request.carried for request in found.requests][-1] == ("login" if connects else "nothing")
