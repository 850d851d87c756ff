"""A build as BuildKit's own API takes it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dockpass.builders.session.wire import all_bytes, decode, encode, text
from dockpass.builders.solve import image_of, needs_control, solve_message
from dockpass.buildfiles.contexts import parse_contexts
from dockpass.engines.base import BuildExtras, BuildRequest

DIGEST = "sha256:" + "1" * 64


def request(**given: object) -> BuildRequest:
    return BuildRequest(Path("/srv/app"), Path("/srv/app/docker/Dockerfile.web"), **given)  # type: ignore[arg-type]


def pairs(raw: bytes, place: int) -> dict[str, str]:
    """Read a map of texts."""
    entries = [decode(each) for each in all_bytes(decode(raw), place)]
    return {text(each, 1): text(each, 2) for each in entries}


@pytest.mark.parametrize(
    ("given", "needs"),
    [
        ({}, False),
        ({"platform": "linux/arm64"}, False),
        ({"extras": BuildExtras(cache_from=("a/b",))}, False),
        ({"platform": "linux/amd64,linux/arm64"}, True),
        ({"contexts": parse_contexts(["x=y"])}, True),
        ({"extras": BuildExtras(cache_to=("type=inline",))}, True),
    ],
)
def test_only_what_the_engines_api_has_no_words_for_goes_to_buildkit(
    given: dict[str, object], needs: bool
) -> None:
    assert needs_control(request(**given)) is needs


def test_a_build_has_all_that_it_was_asked_for() -> None:
    extras = BuildExtras(
        cache_from=("cache.example/a:1", "type=registry,ref=cache.example/b,x=y"),
        cache_to=("type=registry,ref=cache.example/c,mode=max", "type=inline"),
        pull=True,
        network="host",
    )
    contexts = ["alpine:3=docker-image://base.example/a:1", "src=../src", "git=https://a/b.git"]
    made = request(
        tags=("registry.example/app:1", "registry.example/app:2"),
        target="web",
        build_args={"A": "b=c", "EMPTY": ""},
        platform="linux/amd64,linux/arm64",
        contexts=parse_contexts(contexts),
        extras=extras,
    )
    raw = solve_message(made, "the-session", "the-build")
    fields = decode(raw)
    assert [text(fields, place) for place in (1, 3, 5, 6, 9)] == [
        "the-build",
        "moby",
        "the-session",
        "dockerfile.v0",
        "network.host",
    ]
    assert pairs(raw, 4) == {"name": "registry.example/app:1,registry.example/app:2"}
    attributes = pairs(raw, 7)
    assert json.loads(attributes.pop("cache-imports")) == [
        {"Type": "registry", "Attrs": {"ref": "cache.example/a:1"}},
        {"Type": "registry", "Attrs": {"ref": "cache.example/b", "x": "y"}},
    ]
    assert attributes == {
        "filename": "Dockerfile.web",
        "image-resolve-mode": "pull",
        "target": "web",
        "platform": "linux/amd64,linux/arm64",
        "force-network-mode": "host",
        "build-arg:A": "b=c",
        "build-arg:EMPTY": "",
        "context:alpine:3": "docker-image://base.example/a:1",
        "context:src": "local:named:src",
        "context:git": "https://a/b.git",
    }
    caches = decode(all_bytes(fields, 8)[0])
    exports = [(text(decode(each), 1), pairs(each, 2)) for each in all_bytes(caches, 4)]
    assert exports == [("registry", {"ref": "cache.example/c", "mode": "max"}), ("inline", {})]
    assert [text(decode(each), 1) for each in all_bytes(caches, 5)] == ["registry", "registry"]


def test_a_plain_build_says_no_more_than_it_has_to() -> None:
    raw = solve_message(request(), "s", "r")
    assert pairs(raw, 7) == {"filename": "Dockerfile.web", "image-resolve-mode": "local"}
    assert not {4, 8, 9} & decode(raw).keys()


@pytest.mark.parametrize(
    ("value", "image"), [(DIGEST, DIGEST), ("sha256:short", ""), ("", ""), ("\x1b[2J", "")]
)
def test_only_a_digest_names_the_image(value: str, image: str) -> None:
    entry = encode((1, "containerimage.digest"), (2, value))
    other = encode((1, encode((1, "other"), (2, DIGEST))))
    assert image_of(other + encode((1, entry))) == image
    assert image_of(b"") == ""
