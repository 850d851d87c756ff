"""Which logins are at hand for a registry, and that probing them keeps every secret to itself."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from fakerealm import FakeRealm, grants
from fakeregistry import Asked, Said, refusal

from dockpass.auth.command import Command, Method
from dockpass.auth.facts import BaseImage, Facts, Options, Source, SourceKind, Variable
from dockpass.dockerconfig.resolve import Resolution
from dockpass.errors import NotAllowed, UsageError
from dockpass.probe.model import LoginState, Verdict
from dockpass.probe.plan import plan_access, probe_access
from dockpass.references.credential import Credential
from dockpass.runs.services import Services
from dockpass.secret_names import is_secret_name
from dockpass.secrets import Secret
from dockpass.unknown import Unknown

JOB_TOKEN, CLEANUP = "canary-job-token-0123456789", "canary-cleanup-0123456789"


def facts_of(home: Path, host: str | None, **values: str) -> Facts:
    source = Source(SourceKind.PROCESS)
    variables = {
        name: Variable(name, Secret(value) if is_secret_name(name) else value, source)
        for name, value in values.items()
    }
    repo = None if host is None else f"{host}/web/backend"
    return Facts(variables, Options(repo=repo), None, str(home), str(home))


def services_of(home: Path, entry: Credential | None = None) -> Services:
    def resolve(directory: Path, hosts: object, environ: object) -> Resolution:
        [host] = hosts  # type: ignore[misc]
        return Resolution({} if entry is None else {host: entry}, ())

    return Services({}, home, home, home / "state", resolve_entries=resolve)


def there(facts: Facts, command: Command = Command.PUSH) -> list[Method]:
    return list(plan_access(command, facts).comparable)


def test_the_logins_at_hand_are_those_that_are_set(tmp_path: Path) -> None:
    host = "registry.example"
    assert there(facts_of(tmp_path, host)) == [Method.AMBIENT]
    job = facts_of(tmp_path, host, CI_REGISTRY=host, CI_JOB_TOKEN=JOB_TOKEN)
    assert there(job) == [Method.AUTOLOGIN, Method.AMBIENT]
    both = facts_of(
        tmp_path, host, CI_REGISTRY=host, CI_JOB_TOKEN=JOB_TOKEN, WERF_IMAGES_CLEANUP_PASSWORD=CLEANUP
    )
    assert there(both, Command.CLEANUP) == [Method.CLEANUP_TOKEN, Method.AUTOLOGIN, Method.AMBIENT]
    options = Options(f"{host}/web/backend", "someone", Secret("canary-option-1"))
    assert there(replace(both, options=options))[0] is Method.OPTIONS
    external = facts_of(tmp_path, host, WERF_DOCKER_CONFIG="/conf")
    assert there(external)[0] is Method.EXTERNAL


def test_every_method_is_a_candidate(tmp_path: Path) -> None:
    plan = plan_access(Command.PUSH, facts_of(tmp_path, "registry.example"))
    assert sorted(found.method for found in plan.candidates) == sorted(Method)


def test_tokens_are_not_at_hand_at_google_nor_without_a_registry(tmp_path: Path) -> None:
    google = facts_of(tmp_path, "gcr.io", CI_REGISTRY="gcr.io", CI_JOB_TOKEN=JOB_TOKEN)
    assert there(google) == [Method.AMBIENT]
    nowhere = facts_of(tmp_path, "registry.example", CI_JOB_TOKEN=JOB_TOKEN)
    assert there(nowhere) == [Method.AMBIENT]


async def test_nothing_is_asked_with_a_value_that_is_not_known(tmp_path: Path) -> None:
    host = "registry.example"
    facts = facts_of(tmp_path, host, CI_REGISTRY=host)
    masked = Variable("CI_JOB_TOKEN", Unknown("masked in the log", is_set=True), Source(SourceKind.ENV_FILE))
    facts = replace(facts, variables={**facts.variables, "CI_JOB_TOKEN": masked})
    plan = plan_access(Command.PUSH, facts)
    assert plan.chosen is Method.AUTOLOGIN
    assert plan.login(Method.AUTOLOGIN).absent == "CI_JOB_TOKEN is not known here (masked in the log)"
    assert plan.comparable == (Method.AMBIENT,)
    with pytest.raises(UsageError) as caught:
        await probe_access(plan, facts, services_of(tmp_path), (Method.AUTOLOGIN,))
    assert caught.value.id == "value-unknown"
    assert "--set CI_JOB_TOKEN" in caught.value.hint
    image = Variable("CI_REGISTRY_IMAGE", Unknown("hidden", is_set=True), Source(SourceKind.ENV_FILE))
    nowhere = replace(facts_of(tmp_path, None), variables={"CI_REGISTRY_IMAGE": image})
    with pytest.raises(UsageError) as caught:
        plan_access(Command.PUSH, nowhere)
    assert caught.value.id == "value-unknown"


def test_a_build_asks_about_its_base_images(tmp_path: Path) -> None:
    job = {"CI_REGISTRY": "registry.example", "CI_JOB_TOKEN": JOB_TOKEN}
    images = ("alpine", "registry.example/web/base:1", "registry.example/web/tools")
    plan = plan_access(
        Command.BUILD, replace(facts_of(tmp_path, None, **job), base_images=tuple(map(BaseImage, images)))
    )
    assert str(plan.repository) == "registry.example/web/base"
    assert plan.images == ("web/base", "web/tools")
    with pytest.raises(UsageError) as caught:
        plan_access(Command.BUILD, replace(facts_of(tmp_path, None), base_images=()))
    assert caught.value.id == "nothing-to-probe"


async def test_a_foreign_registry_is_not_asked_without_a_word(tmp_path: Path) -> None:
    async with FakeRealm(token=grants("pull")) as fake:
        facts = facts_of(tmp_path, fake.host, CI_REGISTRY="registry.example", CI_JOB_TOKEN=JOB_TOKEN)
        plan = plan_access(Command.PUSH, facts)
        with pytest.raises(NotAllowed):
            await probe_access(plan, facts, services_of(tmp_path), (Method.AUTOLOGIN,))
        assert fake.asked == []
        # The login of docker's own config is no token of the job, and needs no word.
        await probe_access(plan, facts, services_of(tmp_path), (Method.AMBIENT,))
        assert fake.asked
        report = await probe_access(
            plan, facts, services_of(tmp_path), (Method.AUTOLOGIN,), foreign_allowed=True
        )
    assert report.probes[Method.AUTOLOGIN].login.state is LoginState.ACCEPTED


@pytest.mark.parametrize("method", [Method.AUTOLOGIN, Method.CLEANUP_TOKEN])
def test_a_registry_that_is_not_known_is_not_called_another_one(tmp_path: Path, method: Method) -> None:
    tokens = {"CI_JOB_TOKEN": JOB_TOKEN, "WERF_IMAGES_CLEANUP_PASSWORD": CLEANUP}
    facts = facts_of(tmp_path, "registry.example", **tokens)
    unknown = Variable("CI_REGISTRY", Unknown("set by GitLab", is_set=True), Source(SourceKind.JOB))
    plan = plan_access(Command.CLEANUP, replace(facts, variables={**facts.variables, "CI_REGISTRY": unknown}))
    foreign = plan.foreign((method,))
    assert "would go to registry.example, and the value of CI_REGISTRY is not known here." in foreign


def test_every_token_at_hand_is_told_why_it_may_be_foreign(tmp_path: Path) -> None:
    facts = facts_of(
        tmp_path,
        "registry.example",
        CI_REGISTRY="registry.example",
        CI_REGISTRY_IMAGE="elsewhere.example/web",
        CI_JOB_TOKEN=JOB_TOKEN,
        WERF_IMAGES_CLEANUP_PASSWORD=CLEANUP,
    )
    plan = plan_access(Command.CLEANUP, facts)
    assert plan.chosen is Method.CLEANUP_TOKEN
    for method in (Method.CLEANUP_TOKEN, Method.AUTOLOGIN):
        assert "not the host of CI_REGISTRY_IMAGE (elsewhere.example)" in plan.foreign((method,))


async def test_each_login_is_asked_with_its_own_credentials(tmp_path: Path) -> None:
    own = Credential("alice", Secret("canary-own-password-1"))

    def token(asked: Asked) -> Said:
        import base64

        user = base64.b64decode(asked.authorization[6:]).decode().partition(":")[0]
        allowed = {"gitlab-ci-token": ("pull", "push"), "werf-cleanup": ("pull", "delete")}
        return grants(*allowed.get(user, ("pull",)))(asked)

    async with FakeRealm(token=token) as fake:
        values = {"CI_JOB_TOKEN": JOB_TOKEN, "WERF_IMAGES_CLEANUP_PASSWORD": CLEANUP}
        facts = facts_of(tmp_path, fake.host, CI_REGISTRY=fake.host, **values)
        plan = plan_access(Command.CLEANUP, facts)
        report = await probe_access(plan, facts, services_of(tmp_path, own), plan.comparable)
    found = report.probes
    assert found[Method.AUTOLOGIN].verdict("delete") is Verdict.REFUSED
    assert found[Method.CLEANUP_TOKEN].verdict("delete") is Verdict.GRANTED
    assert found[Method.AMBIENT].username == "alice"
    assert report.requests == sum(len(each.requests) for each in found.values())
    text = json.dumps([asdict(each) for each in found.values()]) + str(report.needs) + str(report.notes)
    assert "canary" not in text


async def test_a_password_that_comes_back_in_an_answer_is_masked(tmp_path: Path) -> None:
    async with FakeRealm(token=lambda _: refusal(401, "UNAUTHORIZED", f"no such token: {JOB_TOKEN}")) as fake:
        facts = facts_of(tmp_path, fake.host, CI_REGISTRY=fake.host, CI_JOB_TOKEN=JOB_TOKEN)
        services = services_of(tmp_path)
        plan = plan_access(Command.PUSH, facts)
        report = await probe_access(plan, facts, services, (Method.AUTOLOGIN,))
    assert "canary" not in json.dumps(asdict(report.probes[Method.AUTOLOGIN]))
    assert "••••" in report.probes[Method.AUTOLOGIN].login.words


async def test_two_refused_logins_keep_the_third_from_being_sent(tmp_path: Path) -> None:
    async with FakeRealm(token=lambda _: refusal(401, "UNAUTHORIZED", "no")) as fake:
        values = {"CI_JOB_TOKEN": JOB_TOKEN, "WERF_IMAGES_CLEANUP_PASSWORD": CLEANUP}
        facts = facts_of(tmp_path, fake.host, CI_REGISTRY=fake.host, **values)
        own = Credential("alice", Secret("canary-own-password-1"))
        plan = plan_access(Command.PUSH, facts)
        report = await probe_access(plan, facts, services_of(tmp_path, own), plan.comparable)
        assert len(fake.requests("GET", "/auth")) == 2
    states = [probe.login.state for probe in report.probes.values()]
    assert states == [LoginState.REJECTED, LoginState.REJECTED, LoginState.NOT_PROBED]


async def test_a_token_goes_to_no_server_but_the_jobs_own_until_somebody_agrees(tmp_path: Path) -> None:
    async with FakeRealm(token=grants("pull")) as fake:
        values = {"CI_REGISTRY": fake.host, "CI_JOB_TOKEN": JOB_TOKEN, "CI_SERVER_HOST": "gitlab.example"}
        facts = facts_of(tmp_path, fake.host, **values)
        plan = plan_access(Command.PUSH, facts)
        report = await probe_access(plan, facts, services_of(tmp_path), (Method.AUTOLOGIN,))
        assert [asked.path for asked in fake.asked] == ["/v2/"]
        assert report.probes[Method.AUTOLOGIN].login.state is LoginState.WITHHELD
        assert report.unagreed == "127.0.0.1"
        agreed = frozenset({report.unagreed})
        report = await probe_access(plan, facts, services_of(tmp_path), (Method.AUTOLOGIN,), agreed=agreed)
    assert report.probes[Method.AUTOLOGIN].login.state is LoginState.ACCEPTED
    assert report.unagreed == ""


async def test_a_realm_of_another_domain_needs_agreement_whatever_the_login(tmp_path: Path) -> None:
    own = Credential("alice", Secret("canary-own-password-1"))
    async with FakeRealm() as fake:
        challenge = ("WWW-Authenticate", 'Bearer realm="https://login.elsewhere.example/t",service="x"')
        fake.ping = lambda _: refusal(401, "UNAUTHORIZED", "", challenge)
        facts = facts_of(tmp_path, fake.host)
        plan = plan_access(Command.PUSH, facts)
        report = await probe_access(plan, facts, services_of(tmp_path, own), (Method.AMBIENT,))
    assert report.unagreed == "login.elsewhere.example"
    assert not (tmp_path / "state" / "realms.json").exists()


async def test_a_changed_realm_is_reported_for_a_later_yes(tmp_path: Path) -> None:
    async with FakeRealm(token=grants("pull")) as fake:
        facts = facts_of(tmp_path, fake.host, CI_REGISTRY=fake.host, CI_JOB_TOKEN=JOB_TOKEN)
        services = services_of(tmp_path)
        (tmp_path / "state").mkdir()
        known = {"realms": {fake.host: "https://gitlab.example/jwt/auth"}}
        (tmp_path / "state" / "realms.json").write_text(json.dumps(known))
        plan = plan_access(Command.PUSH, facts)
        report = await probe_access(plan, facts, services, (Method.AUTOLOGIN,))
    assert report.changed is not None
    assert report.changed.before == "https://gitlab.example/jwt/auth"
    assert report.probes[Method.AUTOLOGIN].login.state is LoginState.WITHHELD
