"""The edits that are offered really lead to the method, and there are no fewer."""

from __future__ import annotations

import time
from dataclasses import replace

import pytest

from dockpass.auth.command import Command, Method
from dockpass.auth.facts import BaseImage, Facts, Options, Source, SourceKind, Variable
from dockpass.auth.whynot import why_not
from dockpass.secrets import Secret

REPO = "registry.myhost.com/web/backend"
JOB = {"CI_REGISTRY": "registry.myhost.com", "CI_JOB_TOKEN": "token-of-the-job"}


def facts(repo: str = REPO, base: tuple[str, ...] | None = None, **values: str) -> Facts:
    variables = {name: Variable(name, value, Source(SourceKind.PROCESS)) for name, value in values.items()}
    images = None if base is None else tuple(BaseImage(name) for name in base)
    return Facts(variables, Options(repo=repo), images, "/home/dev", "/srv/app")


def offered(command: Command, given: Facts) -> dict[Method, list[str]]:
    return {found.method: [edit.in_words() for edit in found.changes] for found in why_not(command, given)}


def test_a_job_that_pushes_is_offered_the_three_ways_out() -> None:
    assert offered(Command.PUSH, facts(**JOB)) == {
        Method.EXTERNAL: ["set WERF_DOCKER_CONFIG"],
        Method.OPTIONS: ["give --registry-username", "give --registry-password"],
        Method.CLEANUP_TOKEN: [],
        Method.AMBIENT: ["set WERF_IGNORE_CI_DOCKER_AUTOLOGIN to 1"],
    }


def test_a_shell_is_told_what_a_job_has() -> None:
    assert offered(Command.PUSH, facts())[Method.AUTOLOGIN] == [
        "set CI_REGISTRY to registry.myhost.com",
        "set CI_JOB_TOKEN",
    ]


def test_what_beats_the_method_is_taken_away_first() -> None:
    given = facts(**JOB, WERF_DOCKER_CONFIG="/etc/docker", WERF_IGNORE_CI_DOCKER_AUTOLOGIN="1")
    assert offered(Command.PUSH, given)[Method.AUTOLOGIN] == [
        "unset WERF_DOCKER_CONFIG",
        "unset WERF_IGNORE_CI_DOCKER_AUTOLOGIN",
    ]


def test_cleanup_is_offered_its_own_token() -> None:
    assert offered(Command.CLEANUP, facts(**JOB))[Method.CLEANUP_TOKEN] == [
        "set WERF_IMAGES_CLEANUP_PASSWORD"
    ]


def test_a_build_is_offered_another_base_image() -> None:
    given = facts(base=("quay.io/o/i:1",), **JOB)
    assert offered(Command.BUILD, given)[Method.AUTOLOGIN] == ["give --from"]


def test_docker_hub_is_never_offered_as_the_jobs_registry() -> None:
    for found in why_not(Command.BUILD, facts(base=("alpine:3",), CI_JOB_TOKEN="token-of-the-job")):
        assert "docker.io" not in " ".join(edit.in_words() for edit in found.changes)


@pytest.mark.parametrize(
    ("command", "repo", "method", "words"),
    [
        (Command.PUSH, REPO, Method.CLEANUP_TOKEN, "only cleanup"),
        (Command.PUSH, "eu.gcr.io/p/a", Method.AUTOLOGIN, "eu.gcr.io is Google's"),
        (Command.CLEANUP, "eu.gcr.io/p/a", Method.CLEANUP_TOKEN, "eu.gcr.io is Google's"),
    ],
)
def test_what_is_impossible_is_said_with_the_reason(
    command: Command, repo: str, method: Method, words: str
) -> None:
    found = next(found for found in why_not(command, facts(repo, **JOB)) if found.method is method)
    assert not found.possible
    assert found.because.startswith("not available: ")
    assert words in found.because


def test_a_long_way_is_found_too() -> None:
    given = facts(
        base=("alpine:3",),
        WERF_DOCKER_CONFIG="/c",
        WERF_IGNORE_CI_DOCKER_AUTOLOGIN="1",
        CI_REGISTRY="eu.gcr.io",
    )
    options = Options(REPO, "me", Secret("password"))
    assert offered(Command.BUILD, replace(given, options=options))[Method.AUTOLOGIN] == [
        "unset WERF_DOCKER_CONFIG",
        "unset WERF_IGNORE_CI_DOCKER_AUTOLOGIN",
        "set CI_JOB_TOKEN",
        "drop --registry-username",
        "give --from",
        "set CI_REGISTRY",
    ]


def test_a_build_whose_registry_is_at_google_is_offered_the_registry_of_its_base_image() -> None:
    given = facts(
        base=("registry.myhost.com/base:1",), CI_REGISTRY="eu.gcr.io", CI_JOB_TOKEN="token-of-the-job"
    )
    assert offered(Command.BUILD, given)[Method.AUTOLOGIN] == ["set CI_REGISTRY to registry.myhost.com"]


def test_credentials_that_a_build_could_not_use_come_with_an_image() -> None:
    assert offered(Command.BUILD, facts(base=()))[Method.OPTIONS] == [
        "give --registry-username",
        "give --registry-password",
        "give --from",
    ]


def test_all_five_commands_are_searched_at_once_without_a_pause() -> None:
    given = facts(base=("quay.io/o/i:1",), WERF_DOCKER_CONFIG="/c", WERF_IGNORE_CI_DOCKER_AUTOLOGIN="1")
    begin = time.process_time()
    for command in Command:
        why_not(command, given)
    assert time.process_time() - begin < 0.2  # it takes about 5 ms


def test_without_a_repository_there_is_nothing_to_compare_with() -> None:
    assert why_not(Command.PUSH, facts(repo="")) == ()


def test_a_secret_is_never_in_the_words_of_an_edit() -> None:
    for command in Command:
        for found in why_not(command, facts(base=("registry.myhost.com/a:1",), **JOB)):
            assert not [edit for edit in found.changes if "example" in edit.in_words().split()]
            assert not [edit for edit in found.changes if isinstance(edit.value, Secret) and not edit.example]
