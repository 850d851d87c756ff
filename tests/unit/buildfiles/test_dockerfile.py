"""What is pulled by the build of a Dockerfile."""

from __future__ import annotations

from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockpass.builders.abilities import OF_CLASSIC
from dockpass.buildfiles.contexts import parse_contexts
from dockpass.buildfiles.dockerfile import read_dockerfile
from dockpass.buildfiles.platforms import BuildPlatform
from dockpass.errors import UsageError
from dockpass.references.reference import parse_reference
from dockpass.text import clean

STAGES = """\
FROM golang:1 AS Build
FROM node:2 AS web
FROM alpine:3
COPY --from=build /a /a
COPY --from=1 /b /b
"""

CASES: list[tuple[str, str, dict[str, str], str | None, list[str]]] = [
    ('one image', 'FROM alpine', {}, None, ['alpine']),
    ('lower case and a comment', '# hello\nfrom alpine:3 as base\n', {}, None, ['alpine:3']),
    ('a digest',
     'FROM alpine@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa', {}, None,
     ['alpine@sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa']),
    ('scratch is nothing', 'FROM scratch', {}, None, []),
    ('a flag', 'FROM --platform=linux/amd64 alpine:3', {}, None, ['alpine:3']),
    ('the same image twice is one', 'FROM alpine\nFROM alpine', {}, None, ['alpine']),
    ('stages are no images', STAGES, {}, None, ['golang:1', 'node:2', 'alpine:3']),
    ('a stage that comes later is an image',
     'FROM alpine\nCOPY --from=b x y\nFROM r.io/b AS b', {}, None,
     ['r.io/b']),
    ('a stage of its own name is an image', 'FROM alpine AS alpine', {}, None, ['alpine']),
    ('a number in FROM is an image', 'FROM alpine\nFROM 0', {}, None, ['0']),
    ('up to the target by name', STAGES, {}, 'web', ['node:2']),
    ('up to the target by name in another case', STAGES, {}, 'BUILD', ['golang:1']),
    ('copy from an image',
     'FROM alpine\nCOPY --chown=1:1 --from=r.io/tools:1 /a /b', {}, None,
     ['alpine', 'r.io/tools:1']),
    ('a flag behind the words is none',
     'FROM alpine\nRUN echo --mount=from=r.io/x\nCOPY a --from=r.io/y', {}, None,
     ['alpine']),
    ('mount from an image',
     'FROM alpine\nRUN --mount=type=bind,from=r.io/tools:1,target=/t x', {}, None,
     ['alpine', 'r.io/tools:1']),
    ('mount from a stage',
     'FROM a AS one\nFROM b\nRUN --mount=type=bind,from=one,target=/t x', {}, None,
     ['a', 'b']),
    ('mount without from', 'FROM alpine\nRUN --mount=type=cache,target=/c x', {}, None, ['alpine']),
    ("an argument's default", 'ARG TAG=3.9\nFROM alpine:$TAG', {}, None, ['alpine:3.9']),
    ('an argument that is given', 'ARG TAG=3.9\nFROM alpine:${TAG}', {'TAG': '4'}, None, ['alpine:4']),
    ('an argument without a default that is given',
     'ARG TAG\nFROM alpine:$TAG', {'TAG': '4'}, None,
     ['alpine:4']),
    ('an argument of an argument',
     'ARG R=r.io\nARG I=$R/a\nFROM ${I}:1', {'R': 'q.io'}, None,
     ['q.io/a:1']),
    ('two arguments in a line', 'ARG A=r.io B=x\nFROM $A/$B', {}, None, ['r.io/x']),
    ('quoted defaults', 'ARG A="r.io" B=\'x\'\nFROM $A/$B', {}, None, ['r.io/x']),
    ('a quoted default with a blank', 'ARG A="a b"\nFROM alpine', {}, None, ['alpine']),
    ('single quotes keep the dollar', "ARG A='$B'\nFROM ${A:+alpine}", {}, None, ['alpine']),
    ('default if unset', 'FROM ${BASE:-alpine}:3', {}, None, ['alpine:3']),
    ('default if empty', 'ARG B=\nFROM ${B:-alpine}', {}, None, ['alpine']),
    ('no default if empty without a colon', 'ARG B=\nFROM alpine${B-x}', {}, None, ['alpine']),
    ('default if unset without a colon', 'FROM alpine${B-3}', {}, None, ['alpine3']),
    ('another word if set', 'ARG DEBUG=1\nFROM alpine${DEBUG:+-debug}', {}, None, ['alpine-debug']),
    ('nothing if unset', 'FROM alpine${DEBUG:+-debug}', {}, None, ['alpine']),
    ('nothing if empty', 'ARG DEBUG=\nFROM alpine${DEBUG:+-debug}', {}, None, ['alpine']),
    ('a default in a default', 'ARG R=r.io\nFROM ${B:-${R}/${I:-app}}:1', {}, None, ['r.io/app:1']),
    ('required and there', 'ARG B=alpine\nFROM ${B:?needed}', {}, None, ['alpine']),
    ('quotes around the image', 'ARG B=alpine\nFROM "$B:3"', {}, None, ['alpine:3']),
    ('an argument of a stage is not for FROM',
     'FROM alpine\nARG T=1\nFROM busybox:${T:-2}', {}, None,
     ['busybox:2']),
    ('a continued line', 'FROM \\\n  alpine:3 \\\n  AS base\n', {}, None, ['alpine:3']),
    ('a word over two lines', 'FROM al\\\npine', {}, None, ['alpine']),
    ('a comment in a continued line', 'FROM \\\n# why\n\n  alpine', {}, None, ['alpine']),
    ('blanks behind the continuation', 'FROM \\  \n alpine', {}, None, ['alpine']),
    ('an escaped escape does not continue',
     'FROM alpine\nRUN echo \\\\\nFROM busybox', {}, None,
     ['busybox']),
    ('a backtick escapes',
     '# escape=`\nFROM `\n  alpine\nRUN dir c:\\\nFROM busybox', {}, None,
     ['busybox']),
    ('a directive below a comment is a comment',
     '# hello\n# escape=`\nFROM \\\nalpine', {}, None,
     ['alpine']),
    ('windows line ends', 'FROM alpine\r\nCOPY --from=r.io/x a b\r\n', {}, None, ['alpine', 'r.io/x']),
    ('a byte order mark', '\ufeffFROM alpine', {}, None, ['alpine']),
    ('a heredoc is no instruction',
     'FROM alpine\nRUN <<EOF\nFROM evil\nEOF\nCOPY --from=r.io/x a b', {}, None,
     ['alpine', 'r.io/x']),
    ('a quoted heredoc', "FROM alpine\nRUN cat <<'EOF' >x\nFROM evil\nEOF\nFROM b", {}, None, ['b']),
    ('a heredoc with a blank in its name',
     "FROM alpine\nRUN cat <<'E O' >x\nFROM x\nE O\n", {}, None,
     ['alpine']),
    ('a heredoc with tabs', 'FROM alpine\nRUN <<-EOF\n\tFROM evil\n\tEOF\nFROM b', {}, None, ['b']),
    ('two heredocs', 'FROM alpine\nCOPY <<A <<B /\nFROM x\nA\nFROM y\nB\nFROM z', {}, None, ['z']),
    ('an end with a blank is no end', 'FROM alpine\nRUN <<EOF\nFROM x\nEOF \nEOF\n', {}, None, ['alpine']),
    ('a shift is no heredoc', 'FROM alpine\nRUN echo $((1<<2))\nFROM b', {}, None, ['b']),
    ('a quoted one is no heredoc', 'FROM alpine\nRUN echo "a <<EOF b"\nFROM b', {}, None, ['b']),
    ('tabs between the words', 'FROM\talpine\tAS\tx', {}, None, ['alpine']),
]  # fmt: skip


@pytest.mark.parametrize(
    ("text", "args", "target", "images"), [case[1:] for case in CASES], ids=[c[0] for c in CASES]
)
def test_the_images_of_a_dockerfile(
    text: str, args: dict[str, str], target: str | None, images: list[str]
) -> None:
    read = read_dockerfile(text, args=args, target=target)
    assert [image.reference for image in read.base_images] == images


def test_an_image_says_where_it_is_named() -> None:
    read = read_dockerfile(
        "# c\nARG T=1\nFROM \\\n  r.io/a:$T\nCOPY --from=r.io/b \\\n a b\n", file="app.Dockerfile"
    )
    assert [image.origin for image in read.base_images] == ["app.Dockerfile:3", "app.Dockerfile:5"]
    assert read.is_whole
    assert not read.findings


@pytest.mark.parametrize(
    ("text", "text_of_image", "where", "words"),
    [
        ("ARG BASE\n\nFROM $BASE", "$BASE", "Dockerfile:3", "give it with --build-arg BASE=VALUE"),
        ("FROM alpine:${TAG}", "alpine:${TAG}", "Dockerfile:1", "no ARG TAG before the first FROM"),
        ("FROM ${B:?needed}", "${B:?needed}", "Dockerfile:1", "B has no value"),
        ("FROM alpine:$GIVEN", "alpine:$GIVEN", "Dockerfile:1", "GIVEN is given, but there is no ARG GIVEN"),
        ("ARG UNKNOWN=1\nFROM alpine:$UNKNOWN", "alpine:$UNKNOWN", "Dockerfile:2", "the value of UNKNOWN"),
        ("ARG UNKNOWN\nARG T=v$UNKNOWN\nFROM alpine:$T", "alpine:$T", "Dockerfile:3", "the value of T"),
        ("ARG BASE\nFROM $BASE AS x\nFROM alpine", "$BASE", "Dockerfile:2", "BASE has no value"),
    ],
)
def test_an_image_that_is_not_known_is_named_with_the_reason(
    text: str, text_of_image: str, where: str, words: str
) -> None:
    read = read_dockerfile(text, args={"GIVEN": "1", "UNKNOWN": None})
    assert [(found.text, found.origin) for found in read.unknown] == [(text_of_image, where)]
    assert words in read.unknown[0].because
    assert [found.id for found in read.findings] == ["image-unknown"]
    assert read.refusal is None
    assert not read.is_whole


def test_the_known_images_stand_beside_the_one_that_is_not() -> None:
    read = read_dockerfile("ARG BASE\nFROM golang:1.22 AS b\nFROM $BASE\n")
    assert [image.reference for image in read.base_images] == ["golang:1.22"]
    assert [image.text for image in read.unknown] == ["$BASE"]


@pytest.mark.parametrize(
    ("text", "kind", "where"),
    [
        ("FROM alpine AS a\nFROM A", "reference-invalid", "Dockerfile:2"),
        ("FROM alpine\nRUN x <<EOF\nFROM b", "heredoc-open", "Dockerfile:2"),
        ("FROM", "parse", "Dockerfile:1"),
        ("FROM alpine # comment", "parse", "Dockerfile:1"),
        ("FROM https://r.io/a", "reference-invalid", "Dockerfile:1"),
        ("ARG B=\nFROM alpine AS a\nFROM $B AS b\nFROM a", "base-empty", "Dockerfile:3"),
        ("FROM ${B", "substitution", "Dockerfile:1"),
        ("FROM alpine\nCOPY --from=$X a b", "variable", "Dockerfile:2"),
        ("FROM alpine\nCOPY --from=5 a b", "stage-unknown", "Dockerfile:2"),
        (
            "FROM a AS one\nCOPY --from=two / /\nFROM b AS two\nCOPY --from=one / /",
            "circular",
            "Dockerfile:4",
        ),
        ("FROM alpine AS a\nCOPY --from=a / /\nFROM busybox", "circular", "Dockerfile:2"),
        ("# escape=x\nFROM alpine", "directive-invalid", "Dockerfile:1"),
        ("FROM --platform=a/b/c/d alpine", "platform-invalid", "Dockerfile:1"),
        ("FROM alpine\nNOPE x", "parse", "Dockerfile:2"),
        ("RUN x", "parse", "Dockerfile:1"),
        ("ARG A", "no-stages", "Dockerfile"),
        ("", "no-instructions", "Dockerfile"),
    ],
)
def test_what_buildkit_refuses_is_refused_with_its_line(text: str, kind: str, where: str) -> None:
    found = read_dockerfile(text).refusal
    assert found is not None
    assert (found.id, found.about) == (kind, where)


def test_an_unknown_target_is_refused_and_the_stages_are_named() -> None:
    for target in ("nope", "0"):
        found = read_dockerfile(STAGES, target=target).refusal
        assert found is not None
        assert found.id == "target-unknown"
        assert "build, web" in found.message


def test_the_classic_builder_pulls_every_stage_up_to_the_target() -> None:
    read = read_dockerfile("FROM r.io/dev AS dev\nFROM alpine AS prod\nFROM r.io/last\n", target="prod")
    assert [image.reference for image in read.base_images] == ["alpine"]
    assert [image.reference for image in read.classic] == ["r.io/dev"]


def test_the_frontend_is_an_image_too() -> None:
    text = "# syntax=registry.myhost.com/df:1 x\nFROM alpine"
    assert [each.reference for each in read_dockerfile(text).base_images] == [
        "registry.myhost.com/df:1",
        "alpine",
    ]
    given = read_dockerfile(text, args={"BUILDKIT_SYNTAX": "r.io/own"}).base_images
    assert [each.reference for each in given] == ["r.io/own", "alpine"]


def test_named_contexts_stand_for_images_and_stages() -> None:
    text = "FROM alpine:3 AS base\nFROM busybox\nCOPY --from=base / /\nCOPY --from=src / /\n"
    contexts = parse_contexts(
        ["base=docker-image://r.io/b:1", "docker.io/library/busybox=docker-image://q", "src=."]
    )
    read = read_dockerfile(text, contexts=contexts)
    assert {image.reference for image in read.base_images} == {"r.io/b:1", "q"}
    text = "FROM alpine AS base\nCOPY --from=r.io/tool / /\n"
    read = read_dockerfile(text, contexts=parse_contexts(["alpine=docker-image://q"]))
    assert {image.reference for image in read.base_images} == {"q", "r.io/tool"}
    read = read_dockerfile(text, contexts=parse_contexts(["base=docker-image://q"]))
    assert {image.reference for image in read.base_images} == {"q"}
    for wrong in ("x", "=y", "x=", "UP PER=y", "x=docker-image://A B"):
        with pytest.raises(UsageError):
            parse_contexts([wrong])


def test_a_build_for_several_platforms_pulls_what_each_of_them_pulls() -> None:
    text = "FROM base/$TARGETARCH AS one\nFROM --platform=$BUILDPLATFORM tools\nCOPY --from=one /a /\n"
    read = read_dockerfile(text, platform="linux/amd64, linux/arm64,linux/amd64")
    assert {image.reference for image in read.base_images} == {"tools", "base/amd64", "base/arm64"}
    assert read.is_whole


@pytest.mark.parametrize(
    "platform", ["linux/amd64,", ",", "linux/amd64,a/b/c/d", "linux/amd64,,linux/arm64", " "]
)
def test_one_platform_of_several_that_is_none_is_refused(platform: str) -> None:
    with pytest.raises(UsageError) as raised:
        read_dockerfile("FROM a\n", platform=platform)
    assert raised.value.id == "platform-invalid"


@pytest.mark.parametrize(
    ("platform", "image"),
    [("", "a:amd64-"), ("linux/arm64", "a:arm64-"), ("arm", "a:arm-v7"), ("linux/aarch64/v8", "a:arm64-")],
)
def test_platform_arguments_are_those_of_the_target(platform: str, image: str) -> None:
    text = "FROM a:${TARGETARCH}-${TARGETVARIANT}x${BUILDARCH}"
    read = read_dockerfile(text, platform=platform, machine=BuildPlatform("linux", "amd64"))
    assert [each.reference for each in read.base_images] == [f"{image}xamd64"]


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("RUN --mount=type=secret,id=x y", "Dockerfile:2 uses RUN --mount=type=secret"),
        ("RUN --network=none y", "Dockerfile:2 uses RUN --network"),
        ("COPY --link a b", "Dockerfile:2 uses --link"),
        ("COPY --chmod=644 a b", "Dockerfile:2 uses --chmod"),
        ("ADD --checksum=sha256:1 a b", "Dockerfile:2 uses ADD --checksum"),
        ("RUN <<EOF\nx\nEOF", "Dockerfile:2 uses a heredoc"),
        ("FROM --platform=$BUILDPLATFORM alpine", "Dockerfile:2 uses a platform argument in FROM"),
        ("COPY --chown=1 --from=0 a b", ""),
        ("RUN mount --mount", ""),
        ("FROM --platform=linux/arm64 alpine", ""),
    ],
)
def test_what_the_classic_builder_lacks_is_named_with_its_place(line: str, what: str) -> None:
    needs = read_dockerfile(f"FROM alpine\n{line}\n").needs
    lacks = [need.in_words for need in needs if need.feature not in OF_CLASSIC]
    assert lacks == ([what] if what else [])


def test_a_dockerfile_of_real_life() -> None:
    text = dedent("""\
        ARG REGISTRY=registry.myhost.com
        ARG GO_VERSION=1.22

        FROM ${REGISTRY}/base/golang:${GO_VERSION} AS build
        WORKDIR /src
        RUN --mount=type=cache,target=/go \\
            # build it
            go build \\
                -o /out/app ./...

        FROM build AS test
        RUN go test ./...

        FROM gcr.io/distroless/static
        COPY --from=build /out/app /app
        COPY --from=busybox:1.36 /bin/sh /bin/sh
        ENTRYPOINT ["/app"]
        """)
    read = read_dockerfile(text, args={"GO_VERSION": "1.23"})
    assert [image.reference for image in read.base_images] == [
        "registry.myhost.com/base/golang:1.23",
        "gcr.io/distroless/static",
        "busybox:1.36",
    ]
    assert read.stages == ("build", "test", "")


FRAGMENTS = (
    "FROM |ARG |COPY --from=|RUN --mount=from=|a|r.io/b:1|$|${|}|:-|A|=|\\|\n|\"|'|<<E|\nE\n| AS |"
    "# escape=`\n|`| |\t|\x1b|0"
)
fragment = st.sampled_from(FRAGMENTS.split("|"))


@given(st.lists(fragment, max_size=24).map("".join), st.none() | st.text(max_size=3))
def test_any_text_is_read_into_valid_images_and_clean_findings(text: str, target: str | None) -> None:
    read = read_dockerfile(text, target=target, args={"A": "x", "B": None})
    for image in read.base_images:
        assert parse_reference(image.reference)
    for found in (*read.findings, *([read.refusal] if read.refusal else [])):
        assert clean(found.message) == found.message
