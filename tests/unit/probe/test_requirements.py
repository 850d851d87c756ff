"""What each command needs, joined with what its login has."""

from __future__ import annotations

from dataclasses import replace

import pytest

import probes
from dockpass.auth.command import Command, Method
from dockpass.auth.decide import decide
from dockpass.auth.decision import Decision, Refusal
from dockpass.auth.facts import Facts, Options, Source, SourceKind, Variable
from dockpass.probe.model import ActionResult, Login, LoginState, Probe, TokenFacts, Verdict
from dockpass.probe.requirements import NEEDS, Ability, Requirement, requirement_of
from dockpass.secrets import Secret

REPO = "registry.myhost.com/web/backend"
[BASE] = probes.job_token().values()


def decision(command: Command, **values: str) -> Decision:
    source = Source(SourceKind.PROCESS)
    variables = {name: Variable(name, Secret(value), source) for name, value in values.items()}
    found = decide(command, Facts(variables, Options(repo=REPO)))
    assert isinstance(found, Decision)
    return found


def job(command: Command, **more: str) -> Decision:
    return decision(command, CI_REGISTRY="registry.myhost.com", CI_JOB_TOKEN="canary", **more)


def probe_with(flavour: str = "GitLab", **verdicts: str) -> Probe:
    """A probe with these verdicts; `all` stands for `*`."""
    given = {"*": verdicts.pop("all", "refused"), **verdicts}
    actions = tuple(
        ActionResult(name, Verdict(verdict), "because", "web/backend") for name, verdict in given.items()
    )
    return replace(BASE, flavour=flavour, actions=actions, token=TokenFacts())


def need(decided: Decision, probe: Probe, **others: Probe) -> Requirement:
    more = {Method(name.replace("_", "-")): each for name, each in others.items()}
    return requirement_of(decided, {decided.method: probe, **more})


ALL = {"pull": "granted", "push": "granted", "delete": "granted"}


@pytest.mark.parametrize(
    ("command", "verdicts", "standing"),
    [
        (Command.PUSH, ALL, Ability.CAN),
        (Command.PUSH, {**ALL, "delete": "refused"}, Ability.CAN),
        (Command.PUSH, {**ALL, "push": "refused"}, Ability.CANNOT),
        (Command.PUSH, {**ALL, "push": "not-probed"}, Ability.UNKNOWN),
        (Command.PUSH, {**ALL, "push": "not-visible"}, Ability.UNKNOWN),
        (Command.PUSH, {**ALL, "pull": "refused", "push": "not-visible"}, Ability.CANNOT),
        (Command.PULL, {**ALL, "push": "refused"}, Ability.CAN),
        (Command.DEPLOY, {**ALL, "pull": "unknown"}, Ability.UNKNOWN),
        (Command.CLEANUP, ALL, Ability.CAN),
        (Command.CLEANUP, {**ALL, "delete": "refused"}, Ability.CANNOT),
        (Command.CLEANUP, {**ALL, "delete": "refused", "all": "granted"}, Ability.CAN),
        (Command.CLEANUP, {**ALL, "delete": "not-visible"}, Ability.UNKNOWN),
        (Command.CLEANUP, {**ALL, "pull": "refused"}, Ability.CANNOT),
    ],
)
def test_a_command_can_what_its_login_was_granted(
    command: Command, verdicts: dict[str, str], standing: Ability
) -> None:
    found = need(job(command), probe_with(**verdicts))
    assert found.standing is standing
    assert bool(found.way_out) is (standing is Ability.CANNOT)


@pytest.mark.parametrize(
    ("decided", "verdicts", "flavour", "words"),
    [
        (job(Command.CLEANUP), {"delete": "refused"}, "GitLab", "Set WERF_IMAGES_CLEANUP_PASSWORD"),
        (
            job(Command.CLEANUP, WERF_IMAGES_CLEANUP_PASSWORD="canary"),
            {"delete": "refused"},
            "GitLab",
            "scope api of a Maintainer",
        ),
        (job(Command.PUSH), {"push": "refused"}, "GitLab", "the job's own project only"),
        (job(Command.PULL), {"pull": "refused"}, "GitLab", "job token allowlist"),
        (decision(Command.PUSH), {"push": "refused"}, "GitLab", "write_registry"),
        (decision(Command.PUSH), {"push": "refused"}, "", "ask who runs registry.myhost.com"),
        (decision(Command.CLEANUP), {"delete": "refused"}, "", "--registry-username"),
    ],
)
def test_a_refusal_comes_with_the_way_out(
    decided: Decision, verdicts: dict[str, str], flavour: str, words: str
) -> None:
    found = need(decided, probe_with(flavour, **{**ALL, **verdicts}))
    assert words in found.way_out
    assert "canary" not in found.words + found.way_out


def test_a_login_at_hand_that_has_it_is_the_way_out() -> None:
    refused, full = probe_with(**{**ALL, "delete": "refused"}), probe_with(**ALL)
    found = need(job(Command.CLEANUP), refused, ambient=full)
    assert found.way_out.startswith("The login “docker's own” may")


@pytest.mark.parametrize(
    ("state", "reached", "standing", "words"),
    [
        (LoginState.REJECTED, True, Ability.CANNOT, "its login was not accepted"),
        (LoginState.WITHHELD, True, Ability.CANNOT, "its login was not sent"),
        (LoginState.NOT_PROBED, False, Ability.UNKNOWN, "does not answer as a registry"),
    ],
)
def test_a_login_that_got_nowhere_is_told_for_every_command(
    state: LoginState, reached: bool, standing: Ability, words: str
) -> None:
    probe = replace(probe_with(**ALL), login=Login(state, "words"), reached=reached)
    found = need(job(Command.PUSH), probe)
    assert found.standing is standing
    assert words in found.words


def test_a_login_that_was_not_probed_and_no_decision_are_told() -> None:
    assert "was not probed" in requirement_of(job(Command.PUSH), {}).words
    refusal = Refusal(Command.PUSH, "repo-required", "push needs a repository.", "Give --repo.")
    assert requirement_of(refusal, {}).standing is Ability.UNKNOWN


def test_tags_that_the_token_excludes_are_told_with_cleanup() -> None:
    probe = replace(probe_with(**ALL), token=TokenFacts("JWT", deny_delete=("^v",)))
    assert need(job(Command.CLEANUP), probe).words.endswith("not of tags like ^v")


@pytest.mark.parametrize(
    ("images", "others", "standing", "words"),
    [
        (None, (), Ability.UNKNOWN, "it is unknown which"),
        ((), (), Ability.UNKNOWN, "none of them is in this registry"),
        (("web/backend",), (), Ability.CAN, "of web/backend"),
        (("web/base",), ("granted",), Ability.CAN, "of web/base"),
        (("web/base",), ("refused",), Ability.CANNOT, "needs pull: refused"),
    ],
)
def test_a_build_needs_its_base_images(
    images: tuple[str, ...] | None, others: tuple[str, ...], standing: Ability, words: str
) -> None:
    read = tuple(ActionResult("pull", Verdict(each), "because", "web/base") for each in others)
    decided = decision(Command.BUILD)
    found = requirement_of(decided, {decided.method: replace(probe_with(**ALL), others=read)}, images)
    assert found.standing is standing
    assert words in found.words


def test_every_command_has_its_needs() -> None:
    assert set(NEEDS) == set(Command)
