"""Which builder is taken, and why."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dockpass.builders.abilities import BY_SESSION, OF_BUILDAH, OF_CLASSIC, OF_EMBEDDED, OF_ENGINE, features
from dockpass.builders.base import BuilderInfo
from dockpass.builders.choice import choose
from dockpass.builders.names import AUTO, BuilderName
from dockpass.buildfiles.dockerfile import read_dockerfile
from dockpass.buildfiles.needs import Feature, Need
from dockpass.errors import UsageError

BUILDX = BuilderInfo(
    name=BuilderName.BUILDX,
    version="0.13.1",
    can=features(OF_ENGINE, "26.1.5"),
    runs_frontends=True,
    where="with Docker 26.1.5",
    stores_for="Docker",
)
OLD_BUILDX = replace(BUILDX, can=features(OF_ENGINE, "20.10.24"), where="with Docker 20.10.24")
NO_BUILDX = replace(BUILDX, version="", unusable="docker has no buildx plugin")
BUILDKIT = BuilderInfo(
    name=BuilderName.BUILDKIT,
    can=features(OF_ENGINE, "26.1.5") & BY_SESSION,
    runs_frontends=True,
    where="in Docker 26.1.5",
    stores_for="Docker",
)
OLD_BUILDKIT = replace(BUILDKIT, can=features(OF_ENGINE, "20.10.24") & BY_SESSION, where="in Docker 20.10.24")
PODMAN = BuilderInfo(name=BuilderName.PODMAN, version="4.3.1", can=features(OF_BUILDAH, "1.28.2"))
NEW_BUILDAH = BuilderInfo(name=BuilderName.BUILDAH, version="1.41.0", can=features(OF_BUILDAH, "1.41.0"))
CLASSIC = BuilderInfo(
    name=BuilderName.CLASSIC, can=OF_CLASSIC, where="of Docker 20.10.24", stores_for="Docker"
)
EMBEDDED = BuilderInfo(name=BuilderName.EMBEDDED, can=OF_EMBEDDED, stores_for="embedded")

PLAIN = "FROM alpine\nRUN make\n"
CACHE = "FROM alpine\nRUN --mount=type=cache,target=/c make\n"
HEREDOC = "FROM alpine\nRUN <<EOF\nmake\nEOF\n"
SYNTAX = f"# syntax=docker/dockerfile:1\n{HEREDOC}"
NO_RUN = "FROM alpine\nCOPY a /\n"


def taken(found: list[BuilderInfo], text: str, engine: str = "Docker", asked: str = AUTO) -> tuple[str, str]:
    choice = choose(found, read_dockerfile(text).needs, engine, asked)
    return choice.builder.name, choice.because


@pytest.mark.parametrize(
    ("found", "text", "engine", "wanted", "because"),
    [
        ([BUILDX, CLASSIC, EMBEDDED], PLAIN, "Docker", "buildx", "the first one here that can build it"),
        (
            [BUILDX, CLASSIC, EMBEDDED],
            HEREDOC,
            "Docker",
            "buildx",
            "Dockerfile:2 uses a heredoc, which needs BuildKit",
        ),
        ([OLD_BUILDX, CLASSIC, EMBEDDED], SYNTAX, "Docker", "buildx", "Dockerfile:1 names a syntax"),
        ([NO_BUILDX, CLASSIC, EMBEDDED], PLAIN, "Docker", "classic", "docker has no buildx plugin"),
        ([NO_BUILDX, PODMAN, CLASSIC], PLAIN, "Docker", "classic", "docker has no buildx plugin"),
        ([NO_BUILDX, BUILDKIT, CLASSIC], PLAIN, "Docker", "buildkit", "docker has no buildx plugin"),
        ([BUILDX, BUILDKIT, CLASSIC], HEREDOC, "Docker", "buildx", "Dockerfile:2 uses a heredoc"),
        ([NO_BUILDX, OLD_BUILDKIT, PODMAN, CLASSIC], CACHE, "Docker", "buildkit", "no buildx plugin"),
        (
            [NO_BUILDX, OLD_BUILDKIT, NEW_BUILDAH],
            HEREDOC,
            "Docker",
            "buildah",
            "lacks a heredoc (Dockerfile:2)",
        ),
        ([NO_BUILDX, PODMAN, CLASSIC], CACHE, "Docker", "podman", "its images are not the engine's"),
        ([NO_BUILDX, NEW_BUILDAH, CLASSIC], HEREDOC, "Docker", "buildah", "its images are not the engine's"),
        ([OLD_BUILDX, CLASSIC, NEW_BUILDAH], HEREDOC, "Docker", "buildah", "lacks a heredoc (Dockerfile:2)"),
        (
            [replace(PODMAN, stores_for="Podman"), CLASSIC],
            CACHE,
            "Podman",
            "podman",
            "the first one here that can build it",
        ),
        ([EMBEDDED], NO_RUN, "embedded", "embedded", "the first one here that can build it"),
        ([PODMAN, EMBEDDED], NO_RUN, "embedded", "embedded", "the first one here that can build it"),
    ],
)
def test_the_first_that_can_build_it_is_taken_the_engines_own_before_others(
    found: list[BuilderInfo], text: str, engine: str, wanted: str, because: str
) -> None:
    name, why = taken(found, text, engine)
    assert name == wanted
    assert because in why


def refusal(found: list[BuilderInfo], text: str, asked: str = AUTO, engine: str = "Docker") -> UsageError:
    with pytest.raises(UsageError) as error:
        taken(found, text, engine, asked)
    return error.value


def test_a_refusal_names_line_feature_and_who_could() -> None:
    error = refusal([NO_BUILDX, CLASSIC, EMBEDDED], HEREDOC)
    assert error.id == "needs-buildkit"
    assert error.message == (
        "Dockerfile:2 uses a heredoc, which the classic builder cannot do. Docker has no buildx plugin."
    )
    assert error.hint == (
        "Docker 23.0 or later, or Podman or Buildah with buildah 1.33 or later, can build it."
    )


def test_without_an_engine_podman_is_offered_and_not_taken() -> None:
    error = refusal([PODMAN, EMBEDDED], PLAIN, engine="embedded")
    assert error.id == "needs-engine"
    assert error.message.startswith("Dockerfile:2: `RUN` runs a command in a container")
    assert error.hint == "--builder podman can build it."
    assert "--engine docker" in refusal([EMBEDDED], PLAIN, engine="embedded").hint


def test_a_refusal_of_several_says_what_each_lacks() -> None:
    error = refusal([OLD_BUILDX, PODMAN, CLASSIC], "FROM a\nCOPY --link a /\nRUN <<EOF\nEOF\n")
    assert (
        "Dockerfile:2 uses --link and Dockerfile:3 uses a heredoc, which docker buildx 0.13.1 with Docker 20.10.24 cannot do."
        in error.message
    )
    assert "Podman build 4.3.1 lacks --link (Dockerfile:2)." in error.message


def test_a_builder_that_is_asked_for_and_cannot_is_refused_with_those_that_can() -> None:
    error = refusal([BUILDX, PODMAN, CLASSIC], HEREDOC, "classic")
    assert "classic builder cannot do" in error.message
    assert error.hint == "--builder buildx can build it."


def test_a_builder_that_is_asked_for_is_taken_whatever_comes_first() -> None:
    assert taken([BUILDX, PODMAN, CLASSIC], PLAIN, asked="podman") == ("podman", "you asked for it")


def test_a_builder_that_is_not_here_is_said_and_nothing_else_is_taken() -> None:
    error = refusal([NO_BUILDX, CLASSIC], PLAIN, "buildx")
    assert (error.id, error.message) == (
        "builder-missing",
        "--builder buildx cannot be used: docker has no buildx plugin.",
    )
    assert error.hint == "--builder classic can build it."


@pytest.mark.parametrize(
    ("asked", "engine"), [("buildkit", "Podman"), ("buildx", "Podman"), ("classic", "embedded")]
)
def test_a_builder_of_another_engine_is_said(asked: str, engine: str) -> None:
    error = refusal([PODMAN], PLAIN, asked, engine)
    assert error.message == (
        f"--builder {asked} cannot be used: it builds in a Docker Engine, and the engine here is {engine}."
    )
    assert error.hint == "--builder podman can build it."
    assert refusal([PODMAN], PLAIN, "kaniko").id == "builder-unknown"


def test_no_builder_at_all_is_said() -> None:
    assert refusal([NO_BUILDX], PLAIN).id == "no-builder"


def test_what_no_builder_can_yet_points_to_a_frontend() -> None:
    error = refusal([BUILDX, CLASSIC], "FROM a\nRUN --device=x make\n")
    assert "`# syntax=` line" in error.hint


def test_what_only_buildx_can_ask_for_is_said() -> None:
    needs = [Need(Feature.SECURITY, "Dockerfile:2")]
    with pytest.raises(UsageError) as error:
        choose([NO_BUILDX, BUILDKIT, CLASSIC], needs, "Docker", AUTO)
    assert "which BuildKit without buildx in Docker 26.1.5 cannot do" in error.value.message
    assert "with buildx" in error.value.hint


@pytest.mark.parametrize("feature", [Feature.NAMED_CONTEXT, Feature.CACHE_TO, Feature.PLATFORMS])
def test_contexts_caches_and_platforms_need_no_buildx(feature: Feature) -> None:
    needs = [Need(feature, str(feature))]
    assert choose([NO_BUILDX, BUILDKIT, CLASSIC], needs, "Docker", AUTO).builder is BUILDKIT
    with pytest.raises(UsageError) as error:
        choose([CLASSIC], needs, "Docker", AUTO)
    assert error.value.message.startswith(f"{feature} is given, which the classic builder cannot do")


def test_an_option_is_named_as_an_option() -> None:
    with pytest.raises(UsageError) as error:
        choose([CLASSIC], [Need(Feature.SECRET, "--secret")], "Docker", AUTO)
    assert error.value.message == "--secret is given, which the classic builder cannot do."


@pytest.mark.parametrize("text", [PLAIN, CACHE, HEREDOC])
def test_the_embedded_engine_names_the_command_that_it_cannot_run(text: str) -> None:
    with pytest.raises(UsageError) as refused:
        choose([EMBEDDED], read_dockerfile(text).needs, "embedded", AUTO)
    assert refused.value.message.startswith("Dockerfile:2: `RUN` runs a command in a container")
    assert "--builder buildah" in (refused.value.hint or "")
