"""The probe against docker-registry with its token server, with htpasswd and open; and as a program."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from images import Pusher
from program import Program
from servers import CLEANUP_PASSWORD, JOB_TOKEN, PASSWORD, USER, Registry

from dockpass.probe.model import LoginState, Probe
from dockpass.probe.prober import probe
from dockpass.probe.question import ProbeContext, Question
from dockpass.references.credential import Credential
from dockpass.registry.transport import Transport
from dockpass.secrets import Secret

pytestmark = pytest.mark.registry

StartRegistry = Callable[..., Registry]
PATH = "web/backend"
ME = Credential(USER, Secret(PASSWORD))
JOB = Credential("gitlab-ci-token", Secret(JOB_TOKEN))
SECRETS = (PASSWORD, JOB_TOKEN, CLEANUP_PASSWORD)


async def asked(registry: Registry, credential: Credential | None, *, push: bool = False) -> Probe:
    async with Transport() as transport:
        return await probe(Question(registry.host, PATH, credential, "it", push), ProbeContext(transport))


def verdicts(found: Probe) -> list[str]:
    return [str(result.verdict) for result in found.actions]


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    made = Program(tmp_path)
    yield made
    made.remove()


async def test_what_the_token_server_grants_is_what_the_probe_tells(start_registry: StartRegistry) -> None:
    registry = start_registry("token")
    Pusher(registry, PATH).image("main")
    assert verdicts(await asked(registry, ME)) == ["granted", "granted", "granted", "refused"]
    assert verdicts(await asked(registry, JOB)) == ["granted", "granted", "refused", "refused"]
    nobody = await asked(registry, None)
    assert (nobody.login.state, verdicts(nobody)[0]) == (LoginState.ANONYMOUS, "refused")
    wrong = await asked(registry, Credential(USER, Secret("canary-wrong")))
    assert wrong.login.state is LoginState.REJECTED
    assert registry.tokens is not None
    assert [user for user, _ in registry.tokens.requests].count(f"refused {USER}") == 1


async def test_a_probe_makes_no_repository(start_registry: StartRegistry) -> None:
    registry = start_registry("token")
    found = await asked(registry, ME)
    assert found.exists is False
    assert verdicts(found) == ["granted", "not-probed", "granted", "refused"]
    assert not list(registry.directory.glob("data/**/web"))


@pytest.mark.parametrize("auth", ["htpasswd", "none"])
async def test_without_tokens_only_reading_is_seen(start_registry: StartRegistry, auth: str) -> None:
    registry = start_registry(auth)
    Pusher(registry, PATH).image("main")
    found = await asked(registry, ME)
    assert verdicts(found) == ["granted", "not-visible", "not-visible", "not-visible"]
    state = LoginState.ACCEPTED if auth == "htpasswd" else LoginState.NOT_NEEDED
    assert found.login.state is state


def test_the_program_compares_logins_and_says_what_each_command_needs(
    start_registry: StartRegistry, program: Program
) -> None:
    registry = start_registry("token")
    Pusher(registry, PATH).image("main")
    variables = {
        "CI_REGISTRY": registry.host,
        "CI_JOB_TOKEN": JOB_TOKEN,
        "WERF_IMAGES_CLEANUP_PASSWORD": CLEANUP_PASSWORD,
    }
    arguments = ["probe", "cleanup", "--repo", f"{registry.host}/{PATH}", "--compare"]
    told = program.run(*arguments, "--json", **variables)
    assert told.returncode == 0, told.stderr
    found = json.loads(told.stdout)
    granted = {each["method"]: [result["verdict"] for result in each["actions"]] for each in found["probes"]}
    assert granted["autologin"] == ["granted", "granted", "refused", "refused"]
    assert granted["cleanup-token"] == ["granted", "granted", "granted", "refused"]
    standing = {need["command"]: need["standing"] for need in found["needs"]}
    assert standing == {
        "build": "not known",
        "push": "can",
        "pull": "can",
        "cleanup": "can",
        "deploy": "can",
    }
    words = program.run(*arguments, **variables)
    assert "✓ can" in words.stdout
    written = told.stdout + told.stderr + words.stdout + words.stderr + program.written()
    assert not any(secret in written for secret in SECRETS)
    assert program.left == []


def test_the_exit_status_says_what_the_command_may(start_registry: StartRegistry, program: Program) -> None:
    registry = start_registry("token")
    Pusher(registry, PATH).image("main")
    job = {"CI_REGISTRY": registry.host, "CI_JOB_TOKEN": JOB_TOKEN}
    repo = ["--repo", f"{registry.host}/{PATH}"]
    assert program.run("probe", "push", *repo, **job).returncode == 0
    refused = program.run("probe", "cleanup", *repo, **job)
    assert refused.returncode == 1
    assert "WERF_IMAGES_CLEANUP_PASSWORD" in refused.stdout
    assert program.run("probe", *repo, **{**job, "CI_JOB_TOKEN": "canary-wrong-one"}).returncode == 3
    foreign = program.run("probe", *repo, **{**job, "CI_REGISTRY": "registry.example"})
    assert foreign.returncode == 5
    assert "--allow-foreign-registry" in foreign.stderr
    assert registry.tokens is not None
    before = len(registry.tokens.requests)
    allowed = program.run(
        "probe", *repo, "--allow-foreign-registry", **{**job, "CI_REGISTRY": "registry.example"}
    )
    assert allowed.returncode == 0
    assert len(registry.tokens.requests) > before


def test_a_cleanup_marks_the_tags_that_the_token_protects_and_keeps_them(
    start_registry: StartRegistry, program: Program
) -> None:
    registry = start_registry("token")
    assert registry.tokens is not None
    registry.tokens.deny_delete = ("^release-", "(a+)+")
    pusher = Pusher(registry, PATH)
    old = datetime.now(UTC) - timedelta(days=90)
    for number, tag in enumerate(("release-1", "feature-1", "main")):
        pusher.image(tag, created=old + timedelta(days=number), labels={"tag": tag})
    arguments = ["cleanup", "--repo", f"{registry.host}/{PATH}", "--keep-last", "1", "--yes"]
    variables = {"CI_REGISTRY": registry.host, "WERF_IMAGES_CLEANUP_PASSWORD": CLEANUP_PASSWORD}
    ended = program.run(*arguments, **variables)
    assert ended.returncode == 0, ended.stderr
    assert "protected by the registry's tag rules: ^release-" in ended.stdout + ended.stderr
    assert "(a+)+ is not evaluated here: it would take too long" in ended.stderr
    again = program.run(*arguments, "--dry-run", **variables)
    assert "feature-1" not in again.stdout
    assert "release-1" in again.stdout
    told = program.run("probe", "cleanup", *arguments[1:3], **variables)
    assert "not of tags like ^release-" in told.stdout


def test_a_token_of_another_gitlab_needs_a_word_for_its_realm(
    start_registry: StartRegistry, program: Program
) -> None:
    registry = start_registry("token")
    Pusher(registry, PATH).image("main")
    job = {"CI_REGISTRY": registry.host, "CI_JOB_TOKEN": JOB_TOKEN, "CI_SERVER_HOST": "gitlab.example"}
    repo = ["--repo", f"{registry.host}/{PATH}"]
    stopped = program.run("probe", *repo, **job)
    assert stopped.returncode == 5
    assert "--allow-realm 127.0.0.1" in stopped.stdout
    assert registry.tokens is not None
    assert all(user != "gitlab-ci-token" for user, _ in registry.tokens.requests)
    assert program.run("probe", *repo, "--allow-realm", "127.0.0.1", **job).returncode == 0


def test_a_changed_realm_stops_the_program_until_it_is_accepted(
    start_registry: StartRegistry, program: Program
) -> None:
    registry = start_registry("token")
    Pusher(registry, PATH).image("main")
    job = {"CI_REGISTRY": registry.host, "CI_JOB_TOKEN": JOB_TOKEN}
    repo = ["--repo", f"{registry.host}/{PATH}"]
    state = program.directory / "state"
    state.mkdir()
    known = {"version": 1, "realms": {registry.host: "https://gitlab.example/jwt/auth"}}
    (state / "realms.json").write_text(json.dumps(known))
    stopped = program.run("probe", *repo, **job)
    assert stopped.returncode == 5
    assert "https://gitlab.example/jwt/auth" in stopped.stdout
    assert registry.tokens is not None
    assert all(user != "gitlab-ci-token" for user, _ in registry.tokens.requests)
    listed = program.run("cleanup", *repo, "--dry-run", "--keep-last", "1", **job)
    assert listed.returncode == 5
    assert "--accept-realm" in listed.stderr
    assert program.run("probe", *repo, "--accept-realm", **job).returncode == 0
    assert program.run("cleanup", *repo, "--dry-run", "--keep-last", "1", **job).returncode == 0
