"""What a Dockerfile needs, with the line of each, and who can do it."""

from __future__ import annotations

import pytest

from dockpass.builders.abilities import OF_BUILDAH, OF_CLASSIC, OF_EMBEDDED, OF_ENGINE, features, missing
from dockpass.builders.base import BuilderInfo
from dockpass.builders.names import BuilderName
from dockpass.buildfiles.contexts import parse_contexts
from dockpass.buildfiles.dockerfile import read_dockerfile
from dockpass.buildfiles.needs import Feature, Need

ROWS = [
    ("RUN make", {Feature.RUN}),
    ("RUN --mount=type=cache,target=/c make", {Feature.RUN, Feature.MOUNT_CACHE}),
    ("RUN --mount=target=/c,type=SECRET make", {Feature.RUN, Feature.MOUNT_SECRET}),
    ("RUN --mount=target=/c make", {Feature.RUN, Feature.MOUNT_BIND}),
    (
        "RUN --mount=type=bind,target=/c --mount=type=ssh make",
        {Feature.RUN, Feature.MOUNT_BIND, Feature.MOUNT_SSH},
    ),
    ("RUN --mount=type=tmpfs,target=/c make", {Feature.RUN, Feature.MOUNT_TMPFS}),
    ('RUN --mount="type=cache,target=/c" make', {Feature.RUN, Feature.MOUNT_CACHE}),
    ("RUN --mount=target=/c,Z make", {Feature.RUN, Feature.MOUNT_BIND, Feature.MOUNT_OF_BUILDAH}),
    (
        "RUN --mount=type=cache,target=/c,relabel=shared make",
        {Feature.RUN, Feature.MOUNT_CACHE, Feature.MOUNT_OF_BUILDAH},
    ),
    ("RUN --network=none make", {Feature.RUN, Feature.NETWORK}),
    ("RUN --security=insecure make", {Feature.RUN, Feature.SECURITY}),
    ("RUN --device=vendor.com/x make", {Feature.RUN, Feature.DEVICE}),
    ("RUN <<EOF\nmake\nEOF", {Feature.RUN, Feature.HEREDOC}),
    ("run <<-EOF\n\tmake\n\tEOF", {Feature.RUN, Feature.HEREDOC}),
    ("COPY <<EOF /etc/x\ntext\nEOF", {Feature.HEREDOC}),
    ("RUN cat << EOF", {Feature.RUN}),
    ("COPY --link a /", {Feature.LINK}),
    ("COPY --link=true a /", {Feature.LINK}),
    ("COPY --link=false a /", {Feature.LINK}),
    ("ADD --keep-git-dir=false a /", {Feature.KEEP_GIT_DIR}),
    ("ADD --link a /", {Feature.LINK}),
    ("COPY --chmod=755 a /", {Feature.CHMOD}),
    ("COPY --parents a/b /", {Feature.PARENTS}),
    ("COPY --exclude=*.md a /", {Feature.EXCLUDE}),
    ("COPY --from=x --chown=1 a /", set()),
    ("ADD --checksum=sha256:0 https://example.com/a /", {Feature.CHECKSUM, Feature.ADD_URL}),
    ("ADD https://example.com/a /", {Feature.ADD_URL}),
    ("ADD https://example.com/a.git /", {Feature.ADD_GIT}),
    ("ADD https://example.com/a.git#v1 /", {Feature.ADD_GIT}),
    ("ADD git@example.com:a/b.git /", {Feature.ADD_GIT}),
    ("ADD --keep-git-dir=true https://example.com/a.git /", {Feature.ADD_GIT, Feature.KEEP_GIT_DIR}),
    ("ADD --unpack=true a.tar /", {Feature.UNPACK}),
    ("ONBUILD RUN --mount=type=cache,target=/c make", set()),
    ("LABEL a=--link", set()),
    ("# RUN --mount=type=cache make", set()),
]


@pytest.mark.parametrize(("line", "wanted"), ROWS, ids=[row[0][:40] for row in ROWS])
def test_what_an_instruction_needs_is_known_with_its_line(line: str, wanted: set[Feature]) -> None:
    needs = read_dockerfile(f"FROM alpine AS x\n\n{line}\n").needs
    assert {need.feature for need in needs} == wanted
    assert {need.where for need in needs} <= {"Dockerfile:3"}


def test_a_syntax_line_is_a_need_of_its_own() -> None:
    needs = read_dockerfile("# escape=`\n# syntax=docker/dockerfile:1\nFROM alpine\n").needs
    assert needs == (Need(Feature.SYNTAX, "Dockerfile:2"),)
    assert needs[0].in_words == "Dockerfile:2 names a syntax"


def test_a_platform_argument_in_from_is_a_need_unless_it_is_given() -> None:
    assert read_dockerfile("FROM --platform=$BUILDPLATFORM alpine\n").needs == (
        Need(Feature.PLATFORM_ARG, "Dockerfile:1"),
    )
    assert read_dockerfile("ARG TARGETARCH=arm\nFROM alpine:$TARGETARCH\n").needs == ()


def test_a_command_counts_only_in_a_stage_that_is_built_and_a_flag_everywhere() -> None:
    text = "FROM a AS unused\nRUN --mount=type=cache,target=/c make\nFROM scratch\nCOPY a /\n"
    assert [need.feature for need in read_dockerfile(text).needs] == [Feature.MOUNT_CACHE]


def test_a_named_context_is_a_need() -> None:
    found = read_dockerfile("FROM alpine\n", contexts=parse_contexts(["alpine=docker-image://x"]))
    assert found.needs[0].in_words == "--build-context is given"


def info(can: frozenset[Feature], *, runs_frontends: bool = False) -> BuilderInfo:
    return BuilderInfo(name=BuilderName.BUILDX, can=can, runs_frontends=runs_frontends)


OLD, NEW = features(OF_ENGINE, "20.10.24+dfsg1"), features(OF_ENGINE, "26.1.5+dfsg1")
PODMAN_4, BUILDAH_NEW = features(OF_BUILDAH, "1.28.2"), features(OF_BUILDAH, "1.41.0")
TABLE = [
    (Feature.RUN, {"classic", "old", "new", "podman 4", "buildah"}),
    (Feature.SYNTAX, {"old", "new", "podman 4", "buildah", "embedded"}),
    (Feature.PLATFORM_ARG, {"old", "new", "podman 4", "buildah", "embedded"}),
    (Feature.ADD_URL, {"classic", "old", "new", "podman 4", "buildah"}),
    (Feature.CHMOD, {"old", "new", "podman 4", "buildah", "embedded"}),
    (Feature.MOUNT_CACHE, {"old", "new", "podman 4", "buildah"}),
    (Feature.MOUNT_SECRET, {"old", "new", "podman 4", "buildah"}),
    (Feature.HEREDOC, {"new", "buildah", "embedded"}),
    (Feature.LINK, {"new", "buildah"}),
    (Feature.NETWORK, {"new", "buildah"}),
    (Feature.CHECKSUM, {"new", "buildah"}),
    (Feature.ADD_GIT, {"new", "buildah"}),
    (Feature.PARENTS, {"buildah"}),
    (Feature.EXCLUDE, {"buildah"}),
    (Feature.NAMED_CONTEXT, {"new", "podman 4", "buildah", "embedded"}),
    (Feature.DEVICE, set()),
]


@pytest.mark.parametrize(("feature", "able"), TABLE, ids=[str(row[0]) for row in TABLE])
def test_who_can_do_what(feature: Feature, able: set[str]) -> None:
    builders = {
        "classic": OF_CLASSIC,
        "embedded": OF_EMBEDDED,
        "old": OLD,
        "new": NEW,
        "podman 4": PODMAN_4,
        "buildah": BUILDAH_NEW,
    }
    assert {name for name, can in builders.items() if feature in can} == able


def test_a_frontend_reads_what_the_engine_cannot_but_options_are_the_engines_matter() -> None:
    needs = [
        Need(Feature.SYNTAX, "D:1"),
        Need(Feature.HEREDOC, "D:3"),
        Need(Feature.NAMED_CONTEXT, "--build-context"),
    ]
    assert [each.where for each in missing(needs, info(OLD, runs_frontends=True))] == ["--build-context"]
    assert [each.where for each in missing(needs[1:], info(OLD, runs_frontends=True))] == [
        "D:3",
        "--build-context",
    ]


@pytest.mark.parametrize("version", ["dev", "", "master-abc"])
def test_an_engine_without_a_number_is_taken_for_a_new_one(version: str) -> None:
    assert features(OF_ENGINE, version) == frozenset(OF_ENGINE)
