"""What is pulled by the build of a Dockerfile."""

from __future__ import annotations

from textwrap import dedent

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockpass.auth.reference import parse_reference
from dockpass.buildfiles.dockerfile import read_dockerfile
from dockpass.text import clean

STAGES = """\
FROM golang:1 AS Build
FROM node:2 AS web
FROM alpine:3
COPY --from=build /a /a
COPY --from=1 /b /b
"""

CASES: list[tuple[str, str, dict[str, str], str | None, list[str]]] = [
    ("one image", "FROM alpine", {}, None, ["alpine"]),
    ("lower case and a comment", "# hello\nfrom alpine:3 as base\n", {}, None, ["alpine:3"]),
    ("a digest", f"FROM alpine@sha256:{'a' * 64}", {}, None, [f"alpine@sha256:{'a' * 64}"]),
    ("scratch is nothing", "FROM scratch", {}, None, []),
    ("a flag", "FROM --platform=linux/amd64 alpine:3", {}, None, ["alpine:3"]),
    ("the same image twice is one", "FROM alpine\nFROM alpine", {}, None, ["alpine"]),
    ("stages are no images", STAGES, {}, None, ["golang:1", "node:2", "alpine:3"]),
    ("a stage from a stage", "FROM alpine AS a\nFROM A AS b\nFROM b", {}, None, ["alpine"]),
    ("a stage that comes later is an image", "FROM alpine\nCOPY --from=b x y\nFROM r.io/b AS b", {}, None,
     ["alpine", "b", "r.io/b"]),
    ("a stage of its own name is an image", "FROM alpine AS alpine", {}, None, ["alpine"]),
    ("a number in FROM is an image", "FROM alpine\nFROM 0", {}, None, ["alpine", "0"]),
    ("up to the target by name", STAGES, {}, "web", ["golang:1", "node:2"]),
    ("up to the target by name in another case", STAGES, {}, "BUILD", ["golang:1"]),
    ("up to the target by number", STAGES, {}, "0", ["golang:1"]),
    ("copy from an image", "FROM alpine\nCOPY --chown=1:1 --from=r.io/tools:1 /a /b", {}, None,
     ["alpine", "r.io/tools:1"]),
    ("a flag behind the words is none",
     "FROM alpine\nRUN echo --mount=from=r.io/x\nCOPY a --from=r.io/y", {}, None,
     ["alpine"]),
    ("mount from an image", "FROM alpine\nRUN --mount=type=bind,from=r.io/tools:1,target=/t x", {}, None,
     ["alpine", "r.io/tools:1"]),
    ("mount from a stage", "FROM a AS one\nFROM b\nRUN --mount=type=bind,from=one,target=/t x", {}, None,
     ["a", "b"]),
    ("mount without from", "FROM alpine\nRUN --mount=type=cache,target=/c x", {}, None, ["alpine"]),
    ("an argument's default", "ARG TAG=3.9\nFROM alpine:$TAG", {}, None, ["alpine:3.9"]),
    ("an argument that is given", "ARG TAG=3.9\nFROM alpine:${TAG}", {"TAG": "4"}, None, ["alpine:4"]),
    ("an argument without a default that is given", "ARG TAG\nFROM alpine:$TAG", {"TAG": "4"}, None,
     ["alpine:4"]),
    ("an argument of an argument", "ARG R=r.io\nARG I=$R/a\nFROM ${I}:1", {"R": "q.io"}, None,
     ["q.io/a:1"]),
    ("two arguments in a line", "ARG A=r.io B=x\nFROM $A/$B", {}, None, ["r.io/x"]),
    ("quoted defaults", "ARG A=\"r.io\" B='x'\nFROM $A/$B", {}, None, ["r.io/x"]),
    ("a quoted default with a blank", 'ARG A="a b"\nFROM alpine', {}, None, ["alpine"]),
    ("single quotes keep the dollar", "ARG A='$B'\nFROM ${A:+alpine}", {}, None, ["alpine"]),
    ("default if unset", "FROM ${BASE:-alpine}:3", {}, None, ["alpine:3"]),
    ("default if empty", "ARG B=\nFROM ${B:-alpine}", {}, None, ["alpine"]),
    ("no default if empty without a colon", "ARG B=\nFROM alpine${B-x}", {}, None, ["alpine"]),
    ("default if unset without a colon", "FROM alpine${B-3}", {}, None, ["alpine3"]),
    ("another word if set", "ARG DEBUG=1\nFROM alpine${DEBUG:+-debug}", {}, None, ["alpine-debug"]),
    ("nothing if unset", "FROM alpine${DEBUG:+-debug}", {}, None, ["alpine"]),
    ("nothing if empty", "ARG DEBUG=\nFROM alpine${DEBUG:+-debug}", {}, None, ["alpine"]),
    ("a default in a default", "ARG R=r.io\nFROM ${B:-${R}/${I:-app}}:1", {}, None, ["r.io/app:1"]),
    ("required and there", "ARG B=alpine\nFROM ${B:?needed}", {}, None, ["alpine"]),
    ("quotes around the image", 'ARG B=alpine\nFROM "$B:3"', {}, None, ["alpine:3"]),
    ("an argument of a stage is not for FROM", "FROM alpine\nARG T=1\nFROM busybox:${T:-2}", {}, None,
     ["alpine", "busybox:2"]),
    ("a continued line", "FROM \\\n  alpine:3 \\\n  AS base\n", {}, None, ["alpine:3"]),
    ("a word over two lines", "FROM al\\\npine", {}, None, ["alpine"]),
    ("a comment in a continued line", "FROM \\\n# why\n\n  alpine", {}, None, ["alpine"]),
    ("blanks behind the continuation", "FROM \\  \n alpine", {}, None, ["alpine"]),
    ("an escaped escape does not continue", "FROM alpine\nRUN echo \\\\\nFROM busybox", {}, None,
     ["alpine", "busybox"]),
    ("a backtick escapes", "# escape=`\nFROM `\n  alpine\nRUN dir c:\\\nFROM busybox", {}, None,
     ["alpine", "busybox"]),
    ("a directive below a comment is a comment", "# hello\n# escape=`\nFROM \\\nalpine", {}, None,
     ["alpine"]),
    ("windows line ends", "FROM alpine\r\nCOPY --from=r.io/x a b\r\n", {}, None, ["alpine", "r.io/x"]),
    ("a byte order mark", "\ufeffFROM alpine", {}, None, ["alpine"]),
    ("a heredoc is no instruction",
     "FROM alpine\nRUN <<EOF\nFROM evil\nEOF\nCOPY --from=r.io/x a b", {}, None,
     ["alpine", "r.io/x"]),
    ("a quoted heredoc", "FROM alpine\nRUN cat <<'EOF' >x\nFROM evil\nEOF\nFROM b", {}, None,
     ["alpine", "b"]),
    ("a heredoc with a blank in its name", "FROM alpine\nRUN cat <<'E O' >x\nFROM x\nE O\n", {}, None,
     ["alpine"]),
    ("a heredoc with tabs", "FROM alpine\nRUN <<-EOF\n\tFROM evil\n\tEOF\nFROM b", {}, None,
     ["alpine", "b"]),
    ("two heredocs", "FROM alpine\nCOPY <<A <<B /\nFROM x\nA\nFROM y\nB\nFROM z", {}, None,
     ["alpine", "z"]),
    ("an end with a blank is no end", "FROM alpine\nRUN <<EOF\nFROM x\nEOF \nEOF\n", {}, None,
     ["alpine"]),
    ("a shift is no heredoc", "FROM alpine\nRUN echo $((1<<2))\nFROM b", {}, None, ["alpine", "b"]),
    ("a quoted one is no heredoc", 'FROM alpine\nRUN echo "a <<EOF b"\nFROM b', {}, None,
     ["alpine", "b"]),
    ("a heredoc that never ends is none", "FROM alpine\nRUN x <<EOF\nFROM b", {}, None, ["alpine", "b"]),
    ("tabs between the words", "FROM\talpine\tAS\tx", {}, None, ["alpine"]),
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
    ("text", "finding", "where", "words"),
    [
        ("ARG BASE\n\nFROM $BASE", "arg-unset", "Dockerfile:3", "give it with --build-arg BASE=VALUE"),
        ("FROM alpine:${TAG}", "arg-unset", "Dockerfile:1", "there is no ARG TAG before the first FROM"),
        ("FROM ${B:?needed}", "arg-unset", "Dockerfile:1", "B has no value"),
        ("FROM alpine:$GIVEN", "arg-unset", "Dockerfile:1", "GIVEN is given, but there is no ARG GIVEN"),
        ("FROM", "from-invalid", "Dockerfile:1", "names no image"),
        ("FROM alpine # comment", "from-invalid", "Dockerfile:1", "nothing may stand behind it"),
        ("FROM ALPINE", "image-invalid", "Dockerfile:1", "upper-case"),
        ("FROM https://r.io/a", "image-invalid", "Dockerfile:1", "scheme"),
        ("ARG V=12.1\nFROM alpine:${V%.*}", "from-unknown", "Dockerfile:2", "not read here"),
        ("FROM ${B", "from-unknown", "Dockerfile:1", "${B is not known"),
        ("FROM app-$TARGETARCH", "from-unknown", "Dockerfile:1", "TARGETARCH has a value in BuildKit only"),
        ("ARG UNKNOWN=1\nFROM alpine:$UNKNOWN", "from-unknown", "Dockerfile:2", "the value of UNKNOWN"),
        ("ARG UNKNOWN\nARG T=v$UNKNOWN\nFROM alpine:$T", "from-unknown", "Dockerfile:3", "the value of T"),
        (
            "FROM alpine\nCOPY --from=$X a b",
            "copy-from-variable",
            "Dockerfile:2",
            "variables are not replaced",
        ),
        ("FROM alpine\nCOPY --from=5 a b", "stage-unknown", "Dockerfile:2", "there is no stage 5"),
        ("RUN x", "no-from", "Dockerfile", "no FROM"),
        ("", "no-from", "Dockerfile", "no FROM"),
    ],
)
def test_what_cannot_be_known_is_a_finding_with_its_line(
    text: str, finding: str, where: str, words: str
) -> None:
    read = read_dockerfile(text, args={"GIVEN": "1", "UNKNOWN": None})
    assert [(found.id, found.where) for found in read.findings] == [(finding, where)]
    assert words in read.findings[0].message


@pytest.mark.parametrize(
    "text", ["ARG BASE\nFROM $BASE", "FROM r.io/$X:1", "FROM ALPINE", "FROM a-$TARGETARCH", "RUN x"]
)
def test_an_image_that_is_not_known_is_left_out_and_the_reading_is_not_whole(text: str) -> None:
    read = read_dockerfile(text)
    assert read.base_images == ()
    assert not read.is_whole


def test_an_unknown_target_is_a_finding_that_names_the_stages() -> None:
    read = read_dockerfile(STAGES, target="nope")
    assert read.findings[0].id == "target-unknown"
    assert "build, web" in read.findings[0].message


@pytest.mark.parametrize(
    ("line", "what"),
    [
        ("RUN --mount=type=secret,id=x y", "Dockerfile:2 uses --mount"),
        ("RUN --network=none y", "Dockerfile:2 uses --network"),
        ("COPY --link a b", "Dockerfile:2 uses --link"),
        ("COPY --chmod=644 a b", "Dockerfile:2 uses --chmod"),
        ("ADD --checksum=sha256:1 a b", "Dockerfile:2 uses --checksum"),
        ("RUN <<EOF\nx\nEOF", "Dockerfile:2 uses a heredoc"),
        ("FROM --platform=$BUILDPLATFORM alpine", "Dockerfile:2 uses $BUILDPLATFORM"),
        ("COPY --chown=1 --from=0 a b", ""),
        ("RUN mount --mount", ""),
        ("FROM --platform=linux/arm64 alpine", ""),
    ],
)
def test_what_needs_buildkit_is_named_with_its_place(line: str, what: str) -> None:
    assert read_dockerfile(f"FROM alpine\n{line}\n").needs_buildkit == what


def test_a_named_syntax_needs_buildkit() -> None:
    assert (
        read_dockerfile("# syntax=docker/dockerfile:1\nFROM alpine").needs_buildkit
        == "Dockerfile:1 names a syntax"
    )


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
    for found in read.findings:
        assert clean(found.message) == found.message
