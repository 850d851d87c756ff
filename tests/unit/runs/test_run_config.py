"""What a run sends is read from its temporary config: changed there, the changed login is sent."""

from __future__ import annotations

import ast
import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from fakeengine import Answer, FakeEngine
from plainserver import Give, Got, PlainServer
from transfers import Place

import dockpass
from dockpass.auth.command import Command
from dockpass.dockerconfig.runconfig import RIVALS
from dockpass.engines.docker import open_engine
from dockpass.engines.endpoint import Endpoint
from dockpass.runs import run as run_module
from dockpass.runs.events import Ended
from dockpass.runs.run import start_run
from dockpass.secrets import Secret

from .conftest import Bench, make_facts, make_request

ENGINE_COMMANDS = (Command.BUILD, Command.PUSH, Command.PULL)
WORK = [
    *((command, "embedded") for command in ENGINE_COMMANDS),
    *((command, "docker") for command in ENGINE_COMMANDS),
    (Command.CLEANUP, "none"),
    (Command.DEPLOY, "none"),
]
BEFORE, AFTER = "before:canary-before-1", "after:canary-after-2"


def encoded(login: str) -> str:
    return base64.b64encode(login.encode()).decode()


def entry(host: str, login: str) -> str:
    return json.dumps({"auths": {host: {"auth": encoded(login)}}})


@dataclass
class Trial:
    """A run against a registry that notes what it is sent. `sent` begins once the config was changed."""

    bench: Bench
    host: str
    command: Command
    engine: str
    fake: FakeEngine
    got: list[Got]
    ended: Ended | None = None
    since: tuple[int, int] = (0, 0)
    directory: Path = field(default_factory=Path)

    def run(self, change: Callable[[Path], object], *, login: bool) -> None:
        """Run with the login `BEFORE`, and change the config when the login step is done."""
        home, options = self.bench.services.home, {}
        if not login:
            (home / ".docker").mkdir()
            (home / ".docker" / "config.json").write_text(entry(self.host, BEFORE))
        base = (f"{self.host}/web/base:1",) if self.command is Command.BUILD else None
        facts = make_facts(home, f"{self.host}/web/app" if base is None else None, base)
        if login:
            user, _, password = BEFORE.partition(":")
            given = replace(facts.options, registry_username=user, registry_password=Secret(password))
            facts = replace(facts, options=given)
            facts = replace(facts, variables=make_facts(home, CI_REGISTRY=self.host).variables)
        if self.command is Command.BUILD:
            (self.bench.services.cwd / "Dockerfile").write_text(f"FROM {self.host}/web/base:1\n")
        else:
            options = {"tags": ("1",)}
        log_in = run_module.log_in

        def then_change(job: object, *given: object) -> None:
            log_in(job, *given)  # type: ignore[arg-type]
            self.directory = job.config.directory  # type: ignore[attr-defined]
            self.since = (len(self.got), len(self.fake.asked))
            change(self.directory / "config.json")

        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(run_module, "log_in", then_change)
            run = start_run(make_request(self.command, facts, **options), self.bench.services)
            assert run.wait(20)
        events = run.feed.since(0).events
        assert isinstance(events[-1], Ended)
        assert "canary" not in repr(events)
        self.ended = events[-1]
        assert self.bench.left == []

    def sent(self) -> set[str]:
        """Return the logins that the registry was sent, or the engine for it; empty text is anonymous."""
        if self.engine != "docker":
            asked = [got for got in self.got[self.since[0] :] if got.path != "/v2/"]
            return {got.authorization.removeprefix("Basic ") for got in asked}
        found = set()
        for asked in self.fake.asked[self.since[1] :]:
            if "X-Registry-Auth" in asked.headers:
                found.add(self._login(asked.decoded("X-Registry-Auth")))
            if "X-Registry-Config" in asked.headers:
                found |= {self._login(each) for each in asked.decoded("X-Registry-Config").values()} or {""}
        return found

    def _login(self, header: dict[str, str]) -> str:
        return encoded(f"{header['username']}:{header['password']}") if header else ""


def registry(_server: PlainServer, got: Got) -> Give:
    """Ask for Basic credentials on /v2/, and have nothing."""
    if got.path == "/v2/" and not got.authorization:
        return Give(401, {"errors": []}, {"WWW-Authenticate": 'Basic realm="here"'})
    if got.path == "/v2/":
        return Give(200, {})
    return Give(404, {"errors": [{"code": "MANIFEST_UNKNOWN", "message": "unknown"}]})


@pytest.fixture
def trial(bench: Bench, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Trial]:
    command, engine = request.param
    fake = FakeEngine()
    with PlainServer(registry) as server:
        name = f"{server.host}/web/app:1"
        place = Place(tmp_path / "place")
        image = {"Id": "sha256:" + "1" * 64, "RepoTags": [name, "other:1"], "RepoDigests": []}
        fake.on(f"GET /images/{name}/json", Answer(body=image))
        fake.on("POST /auth", Answer(body={"Status": "Login Succeeded"}))
        for path in ("/images/create", f"/images/{server.host}/web/app/push", "/build"):
            fake.on(f"POST {path}", Answer(stream=lambda: [{"error": "as asked"}]))
        if engine == "embedded" and command is Command.PUSH:
            place.image(name, 100)

        def open_it(*_: object) -> object:
            return place.engine() if engine == "embedded" else open_engine(Endpoint(fake.url, "the test"))

        bench.services = replace(bench.services, open_engine=open_it)  # type: ignore[arg-type]
        yield Trial(bench, server.host, command, engine, fake, server.got)
    fake.stop()


every_command = pytest.mark.parametrize("trial", WORK, indirect=True, ids="-".join)


@pytest.mark.parametrize("login", [True, False], ids=["own-login", "found-entry"])
@every_command
def test_a_login_that_is_changed_in_the_config_is_the_one_that_is_sent(trial: Trial, login: bool) -> None:
    trial.run(lambda file: file.write_text(entry(trial.host, AFTER)), login=login)
    assert trial.sent() == {encoded(AFTER)}


@every_command
def test_what_is_in_the_config_is_sent_unchanged(trial: Trial) -> None:
    trial.run(lambda file: None, login=True)
    assert trial.sent() == {encoded(BEFORE)}


@pytest.mark.parametrize("left", ["{}", '{"auths": {}}', entry("other.example", AFTER), "dummy"])
@every_command
def test_without_an_entry_in_the_config_the_registry_is_asked_anonymously(trial: Trial, left: str) -> None:
    text = entry("dockpass.invalid", "nobody:nothing") if left == "dummy" else left
    trial.run(lambda file: file.write_text(text), login=True)
    if trial.engine == "docker" and trial.command is Command.BUILD and "other.example" in left:
        assert trial.sent() == {encoded(AFTER)}  # for other.example: the engine gets every entry
    else:
        assert trial.sent() == {""}


def as_directory(file: Path) -> None:
    file.unlink()
    file.mkdir()


@pytest.mark.parametrize(
    "spoil",
    [
        Path.unlink,
        as_directory,
        lambda file: file.write_text('{"auths": '),
        lambda file: file.write_text("[]"),
        lambda file: file.write_text('{"credsStore": "secretservice"}'),
        lambda file: file.write_bytes(b"\xff\xfe{}"),
    ],
    ids=["removed", "directory", "broken", "list", "helper", "bytes"],
)
@every_command
def test_a_config_that_cannot_be_read_ends_the_run_with_its_path(
    trial: Trial, spoil: Callable[[Path], object]
) -> None:
    trial.run(spoil, login=True)
    assert trial.ended is not None
    assert trial.ended.id == "run-config-unreadable"
    assert str(trial.directory) in trial.ended.message
    assert trial.sent() <= {encoded(BEFORE)}
    assert not [got for got in trial.got[trial.since[0] :] if got.path != "/v2/"]


def test_a_helper_gets_the_runs_config_and_nothing_that_would_win_over_it(
    bench: Bench, tmp_path: Path
) -> None:
    programs, noted = tmp_path / "bin", tmp_path / "environ"
    programs.mkdir()
    helper = programs / "docker-credential-test"
    helper.write_text(
        f"#!/bin/sh\nenv > {noted}\nls $DOCKER_CONFIG/config.json >> {noted} &&"
        ' echo \'{"Username": "alice", "Secret": "canary-of-alice"}\'\n'
    )
    helper.chmod(0o700)
    docker = bench.services.home / ".docker"
    docker.mkdir()
    (docker / "config.json").write_text('{"credHelpers": {"registry.example": "test"}}')
    rivals = dict.fromkeys(RIVALS - {"WERF_DOCKER_CONFIG"}, "/elsewhere")
    facts = make_facts(bench.services.home, PATH=f"{programs}:/usr/bin:/bin", **rivals)
    _, events = bench.run(Command.PULL, facts, tags=("1",))
    assert [sent.username for sent in bench.engine.sent if sent] == ["alice"]
    seen = dict(line.partition("=")[::2] for line in noted.read_text().splitlines() if "=" in line)
    assert Path(seen["DOCKER_CONFIG"]).parent == bench.directory / "runtime"
    assert not RIVALS & seen.keys()
    assert "canary" not in repr(events)


def sources(*rooms: str) -> dict[str, ast.Module]:
    root = Path(dockpass.__file__).parent
    return {
        str(path.relative_to(root)): ast.parse(path.read_text())
        for room in rooms
        for path in (root / room).rglob("*.py")
    }


def test_only_the_writer_of_the_config_is_given_a_decisions_secret() -> None:
    readers = {
        name
        for name, tree in sources("runs", "engines", "registry").items()
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and node.attr == "secret"
    }
    assert readers == {"runs/entries.py"}


def test_no_engine_client_or_command_is_given_a_login_in_its_signature() -> None:
    """But what a registry's session needs inside, and the writer of the config with its port."""
    allowed = {
        "runs/entries.py",
        "runs/services.py",
        "engines/auth_headers.py",  # only writes headers, once the engine has read the login
        "engines/docker.py",
        "registry/session.py",
        "registry/token.py",
        "registry/proxies.py",
    }
    importing = {
        name
        for name, tree in sources("runs", "engines", "registry").items()
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and any(alias.name == "Credential" for alias in node.names)
    }
    assert importing <= allowed
    public = [
        f"{name}: {node.name}"
        for name, tree in sources("engines").items()
        if name != "engines/auth_headers.py"
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
        for argument in (*node.args.args, *node.args.kwonlyargs)
        if argument.annotation and {"Credential", "Secret"} & set(_names(argument.annotation))
    ]
    assert public == []


def _names(annotation: ast.expr) -> Iterator[str]:
    for node in ast.walk(annotation):
        if isinstance(node, ast.Name):
            yield node.id
