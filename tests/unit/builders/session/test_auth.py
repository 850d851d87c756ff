"""What BuildKit gets when it asks for logins, and how often a registry is asked."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sessionclient import Answer, asking

from dockpass.builders.session import auth as auth_module
from dockpass.builders.session.auth import SERVICE, SessionAuth, needed_scopes
from dockpass.builders.session.channel import Status
from dockpass.builders.session.wire import decode, encode, number, repeated, text
from dockpass.dockerconfig.runconfig import RunConfig
from dockpass.dockerconfig.temporary import write_config
from dockpass.errors import DockpassError, LoginRefused
from dockpass.references.credential import Credential
from dockpass.secrets import Redactor, Secret

TOKENS, BASIC, NOBODY = "tokens.example", "basic.example:5000", "other.example"
PASSWORD, TOKEN = "canary-password-4711", "canary-token-4711"


@dataclass
class FakeClient:
    """A registry that writes down what it is asked."""

    host: str
    refuses: bool = False
    denies: str = ""
    asked: list[str] = field(default_factory=list)

    @property
    def uses_tokens(self) -> bool:
        return self.host in {TOKENS, "docker.io"}

    async def login(self) -> None:
        self.asked.append("login")
        if self.refuses:
            raise LoginRefused("unauthorized", "basic.example did not accept the login of me.")

    async def token(self, scopes: str) -> tuple[Secret, float] | None:
        self.asked.append(scopes)
        if self.refuses:
            raise LoginRefused("unauthorized", "tokens.example did not accept the login of me.")
        if scopes == self.denies:
            raise DockpassError("denied", f"{scopes} is denied")
        return (Secret(TOKEN), 42.7) if self.uses_tokens else None

    def check_realm(self, realm: str, _service: str) -> None:
        if realm != "https://realm.example":
            raise DockpassError("realm-differs", f"{realm} is another token server")


@dataclass
class World:
    """A session's logins, and the registries behind them."""

    auth: SessionAuth
    clients: dict[str, FakeClient]
    told: list[str] = field(default_factory=list)

    async def ask(self, method: str, message: bytes) -> Answer:
        async with asking(self.auth.methods()) as client:
            return await client.call(f"{SERVICE}{method}", message)

    async def fetch(self, host: str = TOKENS, *scopes: str, realm: str = "https://realm.example") -> Answer:
        wanted = scopes or ("repository:team/base:pull",)
        return await self.ask("FetchToken", encode((2, host), (3, realm), (4, "x")) + repeated(5, wanted))

    async def credentials(self, host: str) -> Answer:
        return await self.ask("Credentials", encode((1, host)))


@pytest.fixture
def world(tmp_path: Path) -> World:
    tmp_path.chmod(0o700)
    login = Credential("me", Secret(PASSWORD))
    write_config(tmp_path, {TOKENS: login, BASIC: login, "https://index.docker.io/v1/": login})
    clients: dict[str, FakeClient] = {}

    @asynccontextmanager
    async def contact(host: str) -> AsyncIterator[FakeClient]:
        yield clients.setdefault(host, FakeClient(host))

    config = RunConfig(tmp_path, Redactor())
    told: list[str] = []
    auth = SessionAuth(config, contact, frozenset({TOKENS}), told.append)  # type: ignore[arg-type]
    return World(auth, clients, told)


async def test_a_token_is_given_and_the_password_stays(world: World) -> None:
    authority = await world.ask("GetTokenAuthority", encode((1, TOKENS), (2, b"salt")))
    assert len(decode(authority.messages[0])[1][0]) == 32  # type: ignore[arg-type]
    answer = await world.fetch()
    found = decode(answer.messages[0])
    assert (text(found, 1), number(found, 2)) == (TOKEN, 42)
    asked = await world.credentials(TOKENS)
    assert asked.status == Status.FAILED_PRECONDITION
    assert asked.messages == []
    assert PASSWORD.encode() not in b"".join((*answer.messages, *authority.messages, asked.words.encode()))
    assert world.auth.given_logins == {TOKENS}
    assert world.told == ["gave the engine a token for tokens.example (repository:team/base:pull)"]
    assert world.auth._config.redactor is not None
    assert TOKEN not in world.auth._config.redactor(f"said {TOKEN}")


async def test_an_authority_cannot_be_proven_and_is_another_one_in_each_build(world: World) -> None:
    first = await world.ask("GetTokenAuthority", encode((1, TOKENS)))
    assert (await world.ask("GetTokenAuthority", encode((1, TOKENS)))).messages == first.messages
    other = SessionAuth(world.auth._config, world.auth._contact, frozenset(), print)
    assert (await World(other, {}).ask("GetTokenAuthority", encode((1, TOKENS)))).messages != first.messages
    verified = await world.ask("VerifyTokenAuthority", encode((1, TOKENS), (2, b"payload")))
    assert verified.status == Status.UNIMPLEMENTED


async def test_without_a_login_the_engine_is_left_to_ask_anonymously(world: World) -> None:
    assert (await world.ask("GetTokenAuthority", encode((1, NOBODY)))).status == Status.UNAVAILABLE
    assert (await world.fetch(NOBODY)).status == Status.UNAVAILABLE
    answer = await world.credentials(NOBODY)
    assert (answer.status, answer.messages) == (Status.OK, [b""])
    assert world.clients == {}
    assert world.auth.given_logins == set()


@pytest.mark.parametrize("method", ["FetchToken", "Credentials"])
async def test_a_refused_login_is_sent_once_however_often_buildkit_asks(world: World, method: str) -> None:
    host = TOKENS if method == "FetchToken" else BASIC
    world.clients[host] = FakeClient(host, refuses=True)
    for _ in range(15):
        answer = await (world.fetch() if method == "FetchToken" else world.credentials(host))
        assert answer.status == Status.FAILED_PRECONDITION
        assert answer.messages == []
    assert len(world.clients[host].asked) == 1
    assert isinstance(world.auth.problem_of(f"{host}/any/thing:1"), LoginRefused)
    assert world.auth.problem_of(f"{NOBODY}/any/thing:1") is None
    assert PASSWORD not in answer.words
    assert world.auth.given_logins == set()


async def test_a_repository_that_is_denied_is_no_reason_against_another_one(world: World) -> None:
    world.clients[TOKENS] = FakeClient(TOKENS, denies="repository:team/cache:pull")
    for _ in range(3):
        assert (await world.fetch(TOKENS, "repository:team/cache:pull")).status == Status.FAILED_PRECONDITION
    assert (await world.fetch(TOKENS, "repository:team/base:pull")).status == Status.OK
    assert world.clients[TOKENS].asked == ["repository:team/cache:pull", "repository:team/base:pull"]
    problem = world.auth.problem_of(f"{TOKENS}/team/cache:1")
    assert problem is not None
    assert problem.id == "denied"
    assert world.auth.problem_of(f"{TOKENS}/team/base:1") is None


async def test_a_config_that_was_broken_meanwhile_is_said(tmp_path: Path, world: World) -> None:
    (tmp_path / "config.json").write_text("{")
    for answer in (await world.fetch(), await world.credentials(BASIC)):
        assert answer.status == Status.FAILED_PRECONDITION
    problem = world.auth.problem_of(f"{TOKENS}/a:1")
    assert problem is not None
    assert problem.id == "run-config-unreadable"


async def test_a_registry_without_tokens_sees_the_login_before_the_engine_gets_it(world: World) -> None:
    for _ in range(3):
        found = decode((await world.credentials(BASIC)).messages[0])
        assert (text(found, 1), text(found, 2)) == ("me", PASSWORD)
    assert world.clients[BASIC].asked == ["login"]
    assert world.auth.given_logins == {BASIC}
    assert world.told == ["gave the engine the login for basic.example:5000, which takes no tokens"]


async def test_the_login_is_not_given_without_end(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auth_module, "MOST_TIMES", 2)
    statuses = [(await world.credentials(BASIC)).status for _ in range(4)]
    assert statuses == [Status.OK, Status.OK, *[Status.RESOURCE_EXHAUSTED] * 2]


async def test_an_engine_that_was_sent_to_another_token_server_gets_no_token(world: World) -> None:
    answer = await world.fetch(realm="https://elsewhere.example")
    assert answer.status == Status.FAILED_PRECONDITION
    assert world.clients[TOKENS].asked == []


async def test_docker_hub_is_known_by_the_host_that_serves_it(world: World) -> None:
    answer = await world.fetch("registry-1.docker.io")
    assert text(decode(answer.messages[0]), 1) == TOKEN
    assert list(world.clients) == ["docker.io"]


async def test_an_identity_token_is_a_secret_without_a_user(tmp_path: Path, world: World) -> None:
    (tmp_path / "config.json").unlink()
    write_config(tmp_path, {BASIC: Credential("", Secret(""), Secret("canary-identity"))})
    found = decode((await world.credentials(BASIC)).messages[0])
    assert (text(found, 1), text(found, 2)) == ("", "canary-identity")


@pytest.mark.parametrize(
    ("asked", "scopes"),
    [
        (["repository:a/b:pull"], "repository:a/b:pull"),
        (["repository:a/b:pull,push,delete", "repository:a/b:pull"], "repository:a/b:pull"),
        (["repository:a:pull repository:b:*"], "repository:a:pull repository:b:pull"),
        (["repository:host:5000/a:pull"], "repository:host:5000/a:pull"),
        (["repository:a:push", "registry:catalog:*", "repository::pull", "odd", ""], ""),
        ([], ""),
    ],
)
def test_a_build_gets_tokens_for_pull_only(asked: list[str], scopes: str) -> None:
    assert needed_scopes(asked) == scopes


@pytest.mark.parametrize(
    ("asked", "scopes"),
    [
        ("repository:team/cache:pull,push", "repository:team/cache:pull,push"),
        ("repository:team/cache:push,pull,delete", "repository:team/cache:pull,push"),
        ("repository:team/cache:*", "repository:team/cache:pull,push"),
        ("repository:team/cache:pull", "repository:team/cache:pull"),
        ("repository:team/cache2:pull,push", "repository:team/cache2:pull"),
        ("repository:team:pull,push", "repository:team:pull"),
    ],
)
def test_only_where_a_cache_is_exported_a_token_is_for_push_too(asked: str, scopes: str) -> None:
    assert needed_scopes([asked], {"team/cache"}) == scopes


def test_scopes_are_bounded() -> None:
    assert len(needed_scopes(f"repository:r{each}:pull" for each in range(1000)).split()) == 32
