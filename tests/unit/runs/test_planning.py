"""A plan says what a run does; its command line is the same run, without any secret."""

from __future__ import annotations

import shlex
from dataclasses import replace

import pytest

from dockpass.auth.command import Command
from dockpass.auth.facts import Edit, EditKind
from dockpass.builders.base import BuilderInfo
from dockpass.builders.names import BuilderName
from dockpass.builders.survey import Found
from dockpass.buildfiles.needs import Feature
from dockpass.cleanup.options import CleanupOptions
from dockpass.commandline import is_pasteable
from dockpass.runs.builder import Builders
from dockpass.runs.events import Phase
from dockpass.runs.lines import command_line
from dockpass.runs.planning import make_plan
from dockpass.runs.request import BuildOptions
from dockpass.secrets import Secret

from .conftest import JOB, JOB_TOKEN, REPO, Bench, make_facts, make_request


def test_the_plan_of_a_push_names_every_step(bench: Bench) -> None:
    request = make_request(Command.PUSH, make_facts(bench.services.home, **JOB), tags=("1.0",))
    plan = make_plan(request, bench.services)
    assert [planned.phase for planned in plan.phases] == [
        Phase.CREATE_CONFIG,
        Phase.LOGIN,
        Phase.TAG,
        Phase.PUSH,
        Phase.UNTAG,
        Phase.REMOVE_CONFIG,
    ]
    assert plan.phases[1].detail == ("gitlab-ci-token with CI_JOB_TOKEN at registry.example, by the engine")
    assert plan.confirm == f"Push {REPO}:1.0?"
    assert plan.foreign is None


def test_a_foreign_registry_is_a_question_of_its_own(bench: Bench) -> None:
    facts = make_facts(bench.services.home, repo="other.example/app", **JOB)
    plan = make_plan(make_request(Command.PULL, facts, tags=("1",)), bench.services)
    assert plan.foreign is not None
    assert "CI_JOB_TOKEN would be sent to other.example" in plan.foreign


def test_a_cleanup_without_a_rule_says_that_nothing_goes(bench: Bench) -> None:
    request = make_request(Command.CLEANUP, make_facts(bench.services.home, **JOB))
    deletion = make_plan(request, bench.services).phases[-2]
    assert deletion.detail.startswith("nothing")


def test_a_dry_run_deletes_nothing_and_asks_nothing(bench: Bench) -> None:
    request = make_request(
        Command.CLEANUP,
        make_facts(bench.services.home, **JOB),
        cleanup=CleanupOptions(keep_last=3, dry_run=True),
    )
    plan = make_plan(request, bench.services)
    assert plan.confirm is None
    assert Phase.DELETE not in {planned.phase for planned in plan.phases}


def test_the_command_line_has_edits_and_no_secret(bench: Bench) -> None:
    facts = make_facts(bench.services.home, **JOB)
    for edit in (
        Edit(EditKind.SET, "WERF_IMAGES_CLEANUP_PASSWORD", Secret("canary-cleanup")),
        Edit(EditKind.SET, "CI_REGISTRY", "it's.example"),
        Edit(EditKind.GIVE, "registry-username", "my user"),
        Edit(EditKind.GIVE, "registry-password", Secret("canary-password")),
    ):
        facts = facts.edited(edit)
    services = replace(bench.services, environ={**JOB, "WERF_DOCKER_CONFIG": "/etc/docker"})
    line = " ".join(command_line(make_request(Command.PUSH, facts, tags=("1.0",)), services))
    assert line == (
        'printf %s "${REGISTRY_PASSWORD:?}" | '
        'WERF_IMAGES_CLEANUP_PASSWORD="${WERF_IMAGES_CLEANUP_PASSWORD:?}" '
        f"dockpass push --repo {REPO} --registry-username 'my user' --registry-password-stdin --tag 1.0 "
        "--set 'CI_REGISTRY=it'\"'\"'s.example' --set WERF_IMAGES_CLEANUP_PASSWORD --unset WERF_DOCKER_CONFIG"
    )
    assert "canary" not in line
    assert JOB_TOKEN not in line


def test_a_secret_that_differs_from_the_environments_is_asked_for_by_another_name(bench: Bench) -> None:
    facts = make_facts(bench.services.home, **JOB)
    facts = facts.edited(Edit(EditKind.SET, "CI_JOB_TOKEN", Secret("canary-other")))
    services = replace(bench.services, environ=JOB)
    line = " ".join(command_line(make_request(Command.PUSH, facts, tags=("1.0",)), services))
    assert line.startswith('CI_JOB_TOKEN="${NEW_CI_JOB_TOKEN:?}" dockpass push ')
    assert line.endswith(" --set CI_JOB_TOKEN")
    assert "canary" not in line


@pytest.mark.parametrize(
    ("args", "words"),
    [
        ({"VERSION": "1.2"}, "--build-arg VERSION=1.2"),
        ({"NPM_TOKEN": "canary-npm"}, '--build-arg NPM_TOKEN="${NPM_TOKEN:?}"'),
        ({"CI_JOB_TOKEN": JOB_TOKEN}, "--build-arg CI_JOB_TOKEN"),
        ({"ADDRESS": "https://bob:canary-word@git.example/x"}, '--build-arg ADDRESS="${ADDRESS:?}"'),
    ],
)
def test_a_build_argument_that_is_secret_is_not_in_the_line(
    bench: Bench, args: dict[str, str], words: str
) -> None:
    request = make_request(
        Command.BUILD, make_facts(bench.services.home, **JOB), build=BuildOptions(args=args)
    )
    line = " ".join(command_line(request, replace(bench.services, environ=JOB)))
    assert words in line
    assert "canary" not in line


def test_a_hostile_value_stays_one_word_of_the_command_line_as_it_is(bench: Bench) -> None:
    hostile = "x; rm -rf ~ $(id) `id`\n\x1b]0;t\x07"
    facts = make_facts(bench.services.home, **JOB)
    request = replace(make_request(Command.PUSH, facts, tags=("1.0",)), image=hostile)
    line = " ".join(command_line(request, bench.services))
    words = shlex.split(line)
    assert words[words.index("--image") + 1] == hostile
    assert not is_pasteable(line)
    assert is_pasteable(line.replace("\x1b", "").replace("\x07", ""))


def with_builder(name: BuilderName, can: frozenset[Feature]) -> Builders:
    info = BuilderInfo(name=name, can=can, stores_for="Docker")
    return Builders(engine="Docker", found=[Found(info, lambda *_: None)])  # type: ignore[arg-type, return-value]


def test_the_plan_of_a_build_tells_builder_login_and_registries(bench: Bench) -> None:
    (bench.services.cwd / "Dockerfile").write_text("FROM registry.example/base:1\nRUN <<EOF\nEOF\n")
    facts = make_facts(bench.services.home, None, ("registry.example/base:1", "alpine"), **JOB)
    request = make_request(Command.BUILD, facts)
    builders = with_builder(BuilderName.BUILDX, frozenset(Feature))
    plan = make_plan(request, bench.services, builders)
    assert plan.builder == "docker buildx: Dockerfile:2 uses a heredoc, which needs BuildKit"
    assert plan.phases[1].detail.endswith("at registry.example, by dockpass")
    assert plan.asks == (
        "registry.example: base image registry.example/base:1; as gitlab-ci-token",
        "docker.io: base image alpine; without a login",
    )
    assert plan.refusal == ()


@pytest.mark.parametrize(
    ("text", "waits"),
    [("FROM registry.example/base:1\n", True), ("FROM registry.example/base:1 AS\n", False)],
)
def test_only_a_build_that_nothing_stops_waits_for_its_builder(bench: Bench, text: str, waits: bool) -> None:
    (bench.services.cwd / "Dockerfile").write_text(text)
    facts = make_facts(bench.services.home, None, ("registry.example/base:1",), **JOB)
    plan = make_plan(make_request(Command.BUILD, facts), bench.services, is_looking=True)
    assert plan.waits_for_builder is waits
    assert plan.phases[1].detail == "gitlab-ci-token with CI_JOB_TOKEN at registry.example"
    push = make_request(Command.PUSH, make_facts(bench.services.home, **JOB), tags=("1",))
    assert not make_plan(push, bench.services, is_looking=True).waits_for_builder


def test_the_plan_of_a_build_that_no_builder_can_do_is_refused(bench: Bench) -> None:
    (bench.services.cwd / "Dockerfile").write_text("FROM scratch\nRUN <<EOF\nEOF\n")
    request = make_request(Command.BUILD, make_facts(bench.services.home, None, ()))
    plan = make_plan(request, bench.services, with_builder(BuilderName.CLASSIC, frozenset({Feature.RUN})))
    assert plan.refusal[0] == "Dockerfile:2 uses a heredoc, which the classic builder cannot do."
    assert "Docker 23.0 or later, or Podman" in plan.refusal[1]
    assert plan.builder == ""


def test_a_pushed_name_and_a_cache_are_among_the_registries_that_are_asked(bench: Bench) -> None:
    facts = make_facts(bench.services.home, None, ("registry.example/base:1",), **JOB)
    build = BuildOptions(push=True, cache_from=("type=registry,ref=cache.example/c", "type=inline"))
    request = make_request(Command.BUILD, facts, build=build, tags=("registry.example/app:1",))
    assert make_plan(request, bench.services).asks == (
        "registry.example: base image registry.example/base:1, push registry.example/app:1; as gitlab-ci-token",
        "cache.example: cache cache.example/c; without a login",
    )
