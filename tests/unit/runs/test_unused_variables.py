"""Which variables of docker's builds are said to be of no use."""

from __future__ import annotations

import pytest

from dockpass.builders.names import BuilderName
from dockpass.runs.build import unused_variables

SET = {"BUILDX_BUILDER": "mine", "DOCKER_DEFAULT_PLATFORM": "linux/arm64"}


@pytest.mark.parametrize(
    ("name", "platform", "named"),
    [
        (BuilderName.BUILDX, "", ["BUILDX_BUILDER", "DOCKER_DEFAULT_PLATFORM"]),
        (BuilderName.BUILDKIT, "linux/amd64", ["BUILDX_BUILDER"]),
        (BuilderName.CLASSIC, "", ["DOCKER_DEFAULT_PLATFORM"]),
        (BuilderName.PODMAN, "", []),
        (BuilderName.EMBEDDED, "", []),
    ],
)
def test_a_variable_that_docker_would_use_is_named(
    name: BuilderName, platform: str, named: list[str]
) -> None:
    assert [note.partition(" ")[0] for note in unused_variables(name, SET, platform)] == named
    assert list(unused_variables(name, dict.fromkeys(SET, ""), platform)) == []


def test_what_the_platform_is_built_with_is_said() -> None:
    *_, note = unused_variables(BuilderName.BUILDX, SET, "")
    assert note == "DOCKER_DEFAULT_PLATFORM is not used: --platform linux/arm64 builds for that platform"
