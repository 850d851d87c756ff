"""A44 and A46: whose certificate is taken, and where a job's token goes."""

from __future__ import annotations

import asyncio
import io
import ssl
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from fakeengine import Answer, FakeEngine
from fakeregistry import FakeRegistry
from hostile import ELSEWHERE, Authority, Hostile, Reply, World, bearer
from program import Program

from dockpass.auth.command import Command
from dockpass.auth.decide import decide
from dockpass.auth.decision import Decision
from dockpass.auth.facts import Facts
from dockpass.cli.allowing import policy_of
from dockpass.cli.output import Output
from dockpass.dockerconfig.places import Place
from dockpass.dockerconfig.temporary import TemporaryConfig
from dockpass.errors import DockpassError, UsageError
from dockpass.references.credential import Logins
from dockpass.registry.client import RegistryClient
from dockpass.registry.policy import Policy, RealmRule
from dockpass.registry.transport import Transport
from dockpass.runs import events as ev
from dockpass.runs.contact import servers_of
from dockpass.runs.request import RunRequest
from dockpass.runs.run import Run, start_run
from dockpass.runs.services import Services
from dockpass.secrets import Redactor
from dockpass.variables.gather import gather

LIST = "/v2/web/tags/list"
TAGS = Reply(200, {"name": "web", "tags": ["v1"]})


async def served(world: World, context: ssl.SSLContext | None, name: str = "registry.example") -> Hostile:
    """An open registry; without a context it speaks plain http."""
    server = await world.server(name, tls=context is not None, context=context)
    server.on("/v2/", Reply())
    server.on(LIST, TAGS)
    return server


@pytest.fixture
def stranger(tmp_path: Path) -> Authority:
    """A CA that nobody trusts."""
    directory = tmp_path / "stranger"
    directory.mkdir()
    return Authority(directory)


async def refused(world: World, server: Hostile, **policy: object) -> DockpassError:
    with pytest.raises(DockpassError) as caught:
        await (await world.client(server.host, **policy)).tags("web")
    return caught.value


async def test_a44_a_certificate_that_is_not_the_registrys_is_refused(
    world: World, stranger: Authority
) -> None:
    for context in (
        stranger.context("registry.example"),
        world.authority.context("registry.example", days=-1),
        world.authority.context("other.example"),
        world.authority.context("127.0.1.1"),
    ):
        server = await served(world, context)
        for policy in ({}, {"insecure_registries": frozenset({server.host})}):
            error = await refused(world, server, **policy)
            assert error.id == "tls"
            assert "registry.example" in error.message
        assert not server.asked


async def test_a44_only_the_one_registry_that_is_named_goes_unchecked(
    world: World, stranger: Authority
) -> None:
    server = await served(world, stranger.context("other.example"))
    named = frozenset({server.host})
    assert await (await world.client(server.host, skip_tls_verify=named)).tags("web") == ["v1"]
    for near in ("registry.example", "registry.example:1", f"x.{server.host}", f"{server.host}0"):
        assert (await refused(world, server, skip_tls_verify=frozenset({near}))).id == "tls"


async def test_a44_leniency_with_a_registry_is_none_with_its_realm(world: World, stranger: Authority) -> None:
    realm = await world.server("auth.example", context=stranger.context("auth.example"))
    plain = await world.server("plain.example", tls=False)
    server = await served(world, stranger.context("registry.example"))
    lenient = {"skip_tls_verify": frozenset({server.host}), "insecure_registries": frozenset({server.host})}
    server.on("/v2/", bearer(f"{realm.url}/token"))
    assert (await refused(world, server, **lenient)).id == "tls"
    server.on("/v2/", bearer(f"{plain.url}/token"))
    assert (await refused(world, server, **lenient)).id == "realm-refused"
    assert not realm.asked
    assert not plain.asked


async def test_a44_plain_http_is_for_exactly_the_registry_that_is_named(world: World) -> None:
    server = await served(world, None)
    realm = await world.server("auth.example", tls=False)
    realm.on("/token", Reply(200, {"token": "the-token"}))
    assert (await refused(world, server)).id == "not-tls"
    assert (await refused(world, server, insecure_registries=frozenset({"registry.example"}))).id == "not-tls"
    lenient = frozenset({server.host})
    assert await (await world.client(server.host, insecure_registries=lenient)).tags("web") == ["v1"]
    server.on("/v2/", bearer(f"{realm.url}/token"))
    assert (await refused(world, server, insecure_registries=lenient)).id == "realm-refused"
    assert not realm.asked
    both = lenient | {realm.host}
    assert await (await world.client(server.host, insecure_registries=both)).tags("web") == ["v1"]


async def test_a44_dockers_own_directories_of_certificates_are_used(
    world: World, stranger: Authority, tmp_path: Path
) -> None:
    context = stranger.context("registry.example")
    context.verify_mode = ssl.CERT_REQUIRED
    context.load_verify_locations(stranger.file)
    server = await served(world, context)
    directory = tmp_path / "certs.d" / server.host
    directory.mkdir(parents=True)
    (directory / "ca.crt").write_bytes(stranger.file.read_bytes())
    (directory / "notes.txt").write_text("none of docker's")
    policy = {"certificate_directories": (tmp_path / "certs.d", tmp_path / "none"), "ca_file": None}
    assert (await refused(world, server, **policy)).id in {"tls", "registry-unreadable", "connection-refused"}
    certificate, key = stranger.files("me.example")
    (directory / "client.cert").write_bytes(certificate.read_bytes())
    assert (await refused(world, server, **policy)).id == "client-certificate"
    (directory / "client.key").write_bytes(key.read_bytes())
    assert await (await world.client(server.host, **policy)).tags("web") == ["v1"]
    other = await served(world, stranger.context("other.example"), "other.example")
    assert (await refused(world, other, **policy)).id == "tls"


@pytest.mark.parametrize(
    "content", [None, b"", b"junk", b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"]
)
async def test_a44_a_ca_file_that_is_none_is_named(
    world: World, tmp_path: Path, content: bytes | None
) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_bytes(content)
    server = await served(world, world.authority.context("registry.example"))
    error = await refused(world, server, ca_file=file)
    assert isinstance(error, UsageError)
    assert "ca.pem" in error.message


OPTIONS: dict[str, object] = {"ca_file": None, "realms": (), "insecure": (), "unverified": ()}


@pytest.mark.parametrize("name", ["insecure", "unverified", "realms"])
@pytest.mark.parametrize(
    "host",
    [
        "",
        "*",
        "http://a.example",
        "a.example/x",
        "me@a.example",
        "a b",
        "a.example:0",
        "a\x1b[2J",
        "docker.io",
    ],
)
def test_a44_an_option_names_one_host(name: str, host: str) -> None:
    with pytest.raises(UsageError) as caught:
        policy_of({**OPTIONS, name: (host,)}, Path("/h"), Path("/c"))
    assert caught.value.message.isprintable()


def test_a44_the_options_become_the_policy() -> None:
    given = {
        "ca_file": "ca.pem",
        "realms": ("Auth.example",),
        "insecure": ("A.example:5000",),
        "unverified": ("b",),
    }
    policy = policy_of(given, Path("/h"), Path("/c"))
    assert policy.ca_file == Path("/c/ca.pem")
    assert policy.allows_plain("a.example:5000")
    assert not policy.allows_plain("a.example")
    assert policy.skips_verification("b:443")
    assert policy.realm_rule is not None
    assert policy.realm_rule.agreed == {"auth.example"}
    assert policy.certificate_directories == (Path("/etc/docker/certs.d"), Path("/h/.docker/certs.d"))
    assert len(list(policy.warnings("a.example:5000"))) == 1
    assert list(policy.warnings("c.example")) == []


class Screen(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_a44_the_warning_is_red_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    for stream, red in ((Screen(), True), (io.StringIO(), False)):
        monkeypatch.setattr("sys.stderr", stream)
        Output(Redactor()).warn(["the certificate of a.example is not checked"])
        assert ("\x1b[31m" in stream.getvalue()) is red


@pytest.mark.parametrize("option", ["--insecure-registry", "--skip-tls-verify-registry"])
async def test_a44_a_run_says_what_is_unsafe_about_it(tmp_path: Path, option: str) -> None:
    program = Program(tmp_path)
    try:
        async with FakeRegistry() as fake:
            fake.image("v1")
            words = ("deploy", "--repo", f"{fake.host}/web", "--tag", "v1", option)
            for host, told in ((fake.host, True), ("other.example", False)):
                ended = await asyncio.to_thread(program.run, *words, host)
                assert ended.returncode == 0, ended.stderr
                assert (f"▲ {fake.host} may speak plain http" in ended.stderr) is (
                    told and "insecure" in option
                )
                assert ("not verified" in ended.stderr) is (told and "skip" in option)
    finally:
        program.remove()


# A job's token


TOKEN = "canary-job-token-0123456789"
JOB_BASIC = b"Z2l0bGFiLWNpLXRva2VuOm"


@pytest.fixture
def engine() -> Iterator[FakeEngine]:
    made = FakeEngine()
    made.on("POST /auth", Answer(body={"Status": "Login Succeeded"}))
    made.on("POST /images/create", Answer(stream=lambda: [{"status": "done"}]))
    yield made
    made.stop()


class Runs:
    """Starts runs whose clients see the world's names only."""

    def __init__(self, world: World, directory: Path, engine: FakeEngine) -> None:
        self._world, self._directory, self._engine = world, directory, engine

    def _make(self, host: str, logins: Logins, policy: Policy) -> RegistryClient:
        from hostile import kind

        trusting = replace(policy, ca_file=self._world.authority.file)
        return RegistryClient(
            host, logins, transport=Transport(trusting, lookup=self._world.names, kind=kind)
        )

    async def run(
        self, command: Command, server: Hostile, *, answers: tuple[bool, ...] = (), **values: str
    ) -> tuple[ev.Ended, Run]:
        variables = gather(
            {
                "CI_REGISTRY": server.host,
                "CI_REGISTRY_IMAGE": f"{server.host}/web",
                "CI_JOB_TOKEN": TOKEN,
                **values,
            }
        )
        facts = Facts(variables, home=str(self._directory), cwd=str(self._directory))
        decision = decide(command, facts)
        assert isinstance(decision, Decision)
        assert not decision.warnings or command is Command.CLEANUP
        environ = {"DOCKER_HOST": self._engine.url, "HOME": str(self._directory), "PATH": "/usr/bin:/bin"}
        services = Services(
            environ | values,
            self._directory,
            self._directory,
            self._directory,
            create_config=lambda entries, environ: TemporaryConfig.create(
                entries, environ=environ, where=(Place(self._directory, "the test"),)
            ),
            make_registry=self._make,
        )
        run = start_run(RunRequest(command, facts, decision, tags=("v1",), confirmed=True), services)
        ended = await asyncio.to_thread(self._follow, run, list(answers))
        return ended, run

    def _follow(self, run: Run, answers: list[bool]) -> ev.Ended:
        last = None
        for event in run.feed.follow():
            if isinstance(event, ev.Asked):
                run.answer(answers.pop(0) if answers else False)
            last = event
        run.wait(20)
        assert isinstance(last, ev.Ended)
        return last


@pytest.fixture
def runs(world: World, tmp_path: Path, engine: FakeEngine) -> Runs:
    return Runs(world, tmp_path, engine)


def environ_of(server: Hostile, engine: FakeEngine) -> dict[str, str]:
    return {"CI_SERVER_HOST": server.name, "CI_SERVER_URL": server.url, "DOCKER_HOST": engine.url}


@pytest.mark.parametrize("command", [Command.DEPLOY, Command.CLEANUP, Command.PULL])
async def test_a46_a_job_token_goes_to_no_realm_but_the_ci_servers(
    world: World, runs: Runs, engine: FakeEngine, command: Command
) -> None:
    evil = await world.server("auth.evil.example", address=ELSEWHERE)
    gitlab = await world.server("gitlab.example")
    server = await world.server("registry.evil.example")
    server.on("/v2/", bearer(f"{evil.url}/token"))
    ended, _ = await runs.run(command, server, **environ_of(gitlab, engine))
    assert ended.id == "realm-not-agreed"
    assert ended.exit_code == 5
    assert "gitlab.example" in ended.message
    assert not evil.asked
    assert JOB_BASIC not in server.seen
    assert "POST /auth" not in [f"{asked.method} {asked.path}" for asked in engine.asked]


async def test_a46_a_registry_that_wants_the_token_itself_is_asked_about_too(
    world: World, runs: Runs, engine: FakeEngine
) -> None:
    gitlab = await world.server("gitlab.example")
    server = await world.server("registry.evil.example")
    server.on("/v2/", Reply(401, b"", (("WWW-Authenticate", 'Basic realm="x"'),)))
    ended, _ = await runs.run(Command.DEPLOY, server, **environ_of(gitlab, engine))
    assert ended.id == "realm-not-agreed"
    assert not any(asked.authorization for asked in server.asked)


@pytest.mark.parametrize("command", [Command.DEPLOY, Command.PULL])
async def test_a46_the_persons_word_lets_it_go(
    world: World, runs: Runs, engine: FakeEngine, command: Command
) -> None:
    realm = await world.server("auth.other.example", address=ELSEWHERE)
    realm.on("/token", Reply(200, {"token": "the-token"}))
    gitlab = await world.server("gitlab.example")
    server = await world.server("registry.other.example")
    server.on("/v2/", bearer(f"{realm.url}/token"), bearer(f"{realm.url}/token"), Reply())
    manifest = {"schemaVersion": 2, "config": {}, "layers": []}
    server.on("/v2/web/manifests/v1", Reply(200, manifest))
    ended, run = await runs.run(command, server, answers=(True,), **environ_of(gitlab, engine))
    questions = [event for event in run.feed.since(0).events if isinstance(event, ev.Asked)]
    assert [event.question for event in questions] == ["Send the login to auth.other.example?"]
    assert ended.id != "realm-not-agreed"
    if command is Command.PULL:
        assert "POST /auth" in [f"{asked.method} {asked.path}" for asked in engine.asked]
        assert not realm.asked
    else:
        assert realm.asked


@pytest.mark.parametrize("command", [Command.DEPLOY, Command.PULL])
async def test_a46_the_ci_servers_own_realm_is_taken_unasked(
    world: World, runs: Runs, engine: FakeEngine, command: Command
) -> None:
    gitlab = await world.server("gitlab.example")
    gitlab.on("/jwt/auth", Reply(200, {"token": "the-token"}))
    server = await world.server("registry.other.example")
    server.on("/v2/", bearer(f"{gitlab.url}/jwt/auth"))
    server.on("/v2/web/manifests/v1", Reply(404, {"errors": [{"code": "MANIFEST_UNKNOWN"}]}))
    ended, run = await runs.run(command, server, **environ_of(gitlab, engine))
    assert ended.id != "realm-not-agreed"
    assert not any(isinstance(event, ev.Asked) for event in run.feed.since(0).events)
    if command is Command.DEPLOY:
        assert gitlab.asked
    else:
        assert engine.last("/auth")


def test_a46_two_names_of_the_ci_server_that_differ_allow_no_realm() -> None:
    both = {"CI_SERVER_HOST": "gitlab.example", "CI_SERVER_URL": "https://GitLab.example:8443/sub"}
    assert servers_of(Facts(gather(both))) == {"gitlab.example"}
    differing = {**both, "CI_SERVER_HOST": "evil.example"}
    servers = servers_of(Facts(gather(differing)))
    assert servers == {"evil.example", "gitlab.example"}
    for realm in ("evil.example", "gitlab.example", "registry.gitlab.example"):
        assert "different servers" in RealmRule(servers=servers).why_not("registry.gitlab.example", realm)
        assert RealmRule(frozenset({realm}), servers).why_not("registry.gitlab.example", realm) == ""
    assert servers_of(Facts()) == frozenset()


def test_a_ci_server_whose_name_is_not_known_is_not_named() -> None:
    one = RealmRule(servers=frozenset({""})).why_not("registry.gitlab.example", "registry.gitlab.example")
    assert one == "it is not known which CI server made the token"
    two = RealmRule(servers=frozenset({"", "gitlab.example"})).why_not(
        "registry.gitlab.example", "evil.example"
    )
    assert two == "the CI's variables name different servers (gitlab.example, and one that is not known)"


async def test_a46_nor_is_the_persons_yes_to_one_realm_a_yes_to_another(
    world: World, runs: Runs, engine: FakeEngine
) -> None:
    first = await world.server("auth.other.example", address=ELSEWHERE)
    second = await world.server("auth.third.example", address=ELSEWHERE)
    server = await world.server("registry.example")
    server.on("/v2/", bearer(f"{first.url}/token"), bearer(f"{second.url}/token"))
    gitlab = await world.server("gitlab.example")
    ended, _ = await runs.run(Command.DEPLOY, server, answers=(True, False), **environ_of(gitlab, engine))
    assert ended.id == "realm-not-agreed"
    assert "auth.third.example" in ended.message
    assert not first.asked
    assert not second.asked
