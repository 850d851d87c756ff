"""What a decision says: the sentence, the reasons and the warnings."""

from __future__ import annotations

import pytest

from dockpass.auth.command import Command
from dockpass.auth.decide import decide, decide_to_run
from dockpass.auth.decision import Decision, Outcome, Refusal, RuleId, WarningId
from dockpass.auth.facts import BaseImage, Facts, Options, Source, SourceKind, Variable
from dockpass.auth.rules import CI_RULES, RULES
from dockpass.secrets import Secret

REPO = "registry.myhost.com/web/backend"
JOB = {"CI_REGISTRY": "registry.myhost.com", "CI_JOB_TOKEN": "canary-token"}
BOTH = Options(REPO, "myuser", Secret("canary-password"))


def facts(
    options: Options | None = None, base: tuple[str, ...] | None = None, **values: str | Secret
) -> Facts:
    variables = {name: Variable(name, value, Source(SourceKind.PROCESS)) for name, value in values.items()}
    images = None if base is None else tuple(BaseImage(name) for name in base)
    return Facts(variables, options or Options(REPO), images, "/home/dev", "/srv/app")


def decided(command: Command, given: Facts) -> Decision:
    found = decide(command, given)
    assert isinstance(found, Decision)
    return found


@pytest.mark.parametrize(
    ("command", "given", "sentence"),
    [
        (
            Command.PUSH,
            facts(**JOB),
            "push logs in to registry.myhost.com as gitlab-ci-token with CI_JOB_TOKEN,"
            " because CI_REGISTRY and CI_JOB_TOKEN are set, and no earlier rule applies.",
        ),
        (
            Command.BUILD,
            facts(base=("registry.myhost.com/base:1",), **JOB),
            "build logs in to registry.myhost.com as gitlab-ci-token with CI_JOB_TOKEN, because"
            " CI_REGISTRY and CI_JOB_TOKEN are set and a base image is in that registry, and no earlier rule applies.",
        ),
        (
            Command.PULL,
            facts(BOTH, **JOB),
            "pull logs in to registry.myhost.com as myuser with the given password,"
            " because both are given, and only an external config would override them.",
        ),
        (
            Command.CLEANUP,
            facts(WERF_IMAGES_CLEANUP_PASSWORD="canary"),
            "cleanup logs in to registry.myhost.com as werf-cleanup with WERF_IMAGES_CLEANUP_PASSWORD,"
            " because WERF_IMAGES_CLEANUP_PASSWORD is set and no earlier rule applies.",
        ),
        (
            Command.DEPLOY,
            facts(WERF_DOCKER_CONFIG="./.docker"),
            "deploy does not log in: it uses the external docker config in /srv/app/.docker,"
            " because WERF_DOCKER_CONFIG is set, which overrides everything else.",
        ),
        (
            Command.PUSH,
            facts(),
            "push does not log in: it uses docker's own config in /home/dev/.docker,"
            " because nothing else is given: CI_REGISTRY and CI_JOB_TOKEN are not set.",
        ),
        (
            Command.PUSH,
            facts(**JOB, WERF_IGNORE_CI_DOCKER_AUTOLOGIN="1"),
            "push does not log in: it uses docker's own config in /home/dev/.docker,"
            " because WERF_IGNORE_CI_DOCKER_AUTOLOGIN is set to “1”.",
        ),
    ],
)
def test_the_sentence(command: Command, given: Facts, sentence: str) -> None:
    assert decided(command, given).sentence == sentence


def outcomes(found: Decision) -> dict[str, str]:
    return {str(step.rule): str(step.outcome) for step in found.trace}


def test_a_switch_turns_both_tokens_off_and_says_why() -> None:
    found = decided(Command.CLEANUP, facts(Options("eu.gcr.io/p/a"), **JOB, WERF_IMAGES_CLEANUP_PASSWORD="c"))
    assert outcomes(found) == {
        **dict.fromkeys(RuleId, "not-met"),
        "google": "holds",
        **dict.fromkeys(CI_RULES, "off"),
        "ambient": "chosen",
    }
    off = next(step for step in found.trace if step.rule is RuleId.AUTOLOGIN)
    assert off.because == "turned off, because eu.gcr.io is Google's, where a CI token is not valid"


def test_what_comes_after_the_chosen_rule_is_not_reached_even_if_it_would_hold() -> None:
    found = decided(Command.PUSH, facts(BOTH, **JOB, WERF_IGNORE_CI_DOCKER_AUTOLOGIN="1"))
    assert list(outcomes(found).values()) == ["not-met", "chosen", *["not-reached"] * (len(RULES) - 2)]


def test_both_switches_are_said_to_hold() -> None:
    found = decided(Command.PUSH, facts(Options("eu.gcr.io/p/a"), **JOB, WERF_IGNORE_CI_DOCKER_AUTOLOGIN="1"))
    assert outcomes(found)["google"] == outcomes(found)["ignore"] == Outcome.HOLDS


def test_every_rule_has_words_for_people_and_a_source() -> None:
    assert [rule.id for rule in RULES] == list(RuleId)
    for rule in RULES:
        assert rule.sentence.endswith(".")
        assert rule.title
        assert rule.source
        assert rule.reads
        assert rule.commands
    assert next(rule for rule in RULES if rule.id is RuleId.CLEANUP_TOKEN).commands == {Command.CLEANUP}


def warned(command: Command, given: Facts) -> set[str]:
    return {str(notice.id) for notice in decided(command, given).warnings}


@pytest.mark.parametrize(
    ("name", "today"),
    [
        ("WERF_CLEANUP_REGISTRY_PASSWORD", "WERF_IMAGES_CLEANUP_PASSWORD"),
        ("WERF_CLEANUP_IMAGES_PASSWORD", "WERF_IMAGES_CLEANUP_PASSWORD"),
        ("DAPP_DIMG_CLEANUP_REGISTRY_PASSWORD", "WERF_IMAGES_CLEANUP_PASSWORD"),
        ("DAPP_DOCKER_CONFIG", "WERF_DOCKER_CONFIG"),
    ],
)
def test_a_former_name_is_told_with_the_name_of_today(name: str, today: str) -> None:
    found = decided(Command.CLEANUP, facts(**{name: "canary"}))
    notice = next(notice for notice in found.warnings if notice.id is WarningId.OLD_VARIABLE)
    assert name in notice.message
    assert today in notice.message
    assert "canary" not in notice.message


def test_a_former_name_of_the_cleanup_password_does_not_bother_a_push() -> None:
    assert not warned(Command.PUSH, facts(WERF_CLEANUP_REGISTRY_PASSWORD="c"))


@pytest.mark.parametrize("registry", [" ", "/", "https://", "registry.other.com", "registry.myhost.com:5000"])
def test_a_token_never_goes_unasked_where_the_registry_is_another_or_none(registry: str) -> None:
    given = facts(CI_REGISTRY=registry, CI_JOB_TOKEN="t", WERF_IMAGES_CLEANUP_PASSWORD="c")
    assert "token-to-foreign-registry" in warned(Command.PUSH, given)
    assert "token-to-foreign-registry" in warned(Command.CLEANUP, given)


@pytest.mark.parametrize("registry", ["https://registry.myhost.com/", "REGISTRY.myhost.com"])
def test_the_same_registry_written_otherwise_is_not_foreign(registry: str) -> None:
    assert not warned(Command.PUSH, facts(CI_REGISTRY=registry, CI_JOB_TOKEN="t"))


def test_a_build_of_unknown_images_is_explained_with_a_warning() -> None:
    found = decided(Command.BUILD, facts(**JOB))
    assert found.method == "ambient"
    assert [notice.id for notice in found.warnings] == ["no-build-file"]
    assert "which base images the build pulls is not known" in found.sentence


def test_credentials_for_a_build_of_unknown_images_are_not_used() -> None:
    assert warned(Command.BUILD, facts(BOTH)) == {"options-unused", "no-build-file"}


def test_an_external_config_beats_credentials_that_nothing_would_use() -> None:
    assert warned(Command.BUILD, facts(BOTH, (), WERF_DOCKER_CONFIG="/c")) == {"options-ignored"}


def test_what_is_no_reference_is_pulled_from_nowhere() -> None:
    found = decided(Command.BUILD, facts(BOTH, ("evil\x1b[31m.com/x", "r.io/UPPER", "quay.io/o/i:1")))
    assert found.login == ("quay.io",)


def test_a_value_that_is_kept_secret_is_not_quoted() -> None:
    hidden = Secret("https://me:canary@registry.myhost.com")
    given = facts(base=("quay.io/o/i:1",), CI_REGISTRY=hidden, CI_JOB_TOKEN="t", WERF_DOCKER_CONFIG=hidden)
    for command in Command:
        assert "canary" not in repr([step.because for step in decided(command, given).trace])
    found = decided(Command.BUILD, facts(base=("quay.io/o/i:1",), CI_REGISTRY=hidden, CI_JOB_TOKEN="t"))
    assert "no base image is in the host in CI_REGISTRY" in found.sentence


@pytest.mark.parametrize(
    ("options", "variables", "message"),
    [
        (Options("https://evil@good"), {}, "--repo: “https://evil@good” is not a valid reference"),
        (Options(), {"CI_REGISTRY_IMAGE": "r.io/Web"}, "CI_REGISTRY_IMAGE: “r.io/Web”"),
        (Options("r.io/a:v1"), {}, "it has the tag v1"),
        (Options("-oX"), {}, "the part “-oX”"),
    ],
)
def test_a_repository_that_is_none_is_refused_with_its_origin(
    options: Options, variables: dict[str, str], message: str
) -> None:
    found = decide(Command.PUSH, facts(options, **variables))
    assert isinstance(found, Refusal)
    assert found.id == "repo-invalid"
    assert message in found.message
    assert found.hint


def test_a_repository_that_is_missing_is_asked_for() -> None:
    found = decide(Command.PULL, facts(Options()))
    assert isinstance(found, Refusal)
    assert found.id == "repo-required"
    for way in ("--repo", "CI_REGISTRY_IMAGE", "--set", "--env-file", "--job"):
        assert way in found.hint
    assert "WERF" not in found.hint


@pytest.mark.parametrize("name", ["WERF_REPO", "WERF_IMAGES_REPO"])
def test_a_repository_of_werfs_is_named_with_the_way_to_give_it(name: str) -> None:
    found = decide(Command.PUSH, facts(Options(), **{name: "registry.example.com/a"}))
    assert isinstance(found, Refusal)
    assert f'{name} is not read here: give it as --repo "${name}".' in found.hint


def test_of_a_job_without_a_config_of_its_own_no_directory_of_this_machine_is_named() -> None:
    elsewhere = Facts({}, Options("registry.myhost.com/app"), None, "/home/dev", "/srv/app", elsewhere=True)
    found = decided(Command.PUSH, elsewhere)
    assert found.config_dir is None
    assert found.config_of_runner
    assert "it uses docker's config of the job's runner or image (not known here), because" in found.sentence
    assert "/home/dev" not in found.sentence
    to_run = decide_to_run(Command.PUSH, elsewhere)
    assert isinstance(to_run, Decision)
    assert to_run.config_dir == "/home/dev/.docker"
    assert not to_run.elsewhere
