"""What the embedded engine builds, pushes and exports, taken by docker and skopeo."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from clientprograms import Containers
from logins import ANONYMOUS
from notes import Notes
from servers import Registry, program
from transfers import Place

from dockpass.engines.embedded.export import export
from engine import Images, tiny_program

pytestmark = [pytest.mark.engine, pytest.mark.registry, pytest.mark.xdist_group("engine")]


def test_podman_pulls_what_was_pushed(
    tmp_path: Path, start_registry: Callable[..., Registry], containers: Containers
) -> None:
    place, host = Place(tmp_path / "place"), start_registry("none").host
    podman, name, engine = containers("podman", host), f"{host}/team/app:1", place.engine()
    engine.build(
        replace(place.context("FROM scratch\nCOPY a /\n", {"a": b"A"}), tags=(name,)), ANONYMOUS, Notes()
    )
    digest = engine.push(name, ANONYMOUS, Notes())
    podman("pull", "--tls-verify=false", name)
    assert podman("image", "inspect", "--format", "{{.Digest}}", name).out.strip() == digest


def skopeo(*arguments: str) -> dict[str, object]:
    ended = subprocess.run([program("skopeo"), *arguments], capture_output=True, text=True, timeout=60)
    assert ended.returncode == 0, ended.stderr
    found: dict[str, object] = json.loads(ended.stdout)
    return found


def test_what_is_built_is_pulled_run_and_inspected(
    tmp_path: Path, docker_host: str, start_registry: Callable[..., Registry]
) -> None:
    place, images = Place(tmp_path), Images(docker_host)
    name = f"{start_registry('none').host}/team/app:1"
    context = place.context(
        'FROM scratch\nCOPY tiny /\nLABEL a=b\nCMD ["/tiny"]\n', {"tiny": tiny_program("it runs\n")}
    )
    (context.context / "tiny").chmod(0o755)
    engine = place.engine()
    engine.build(replace(context, tags=(name,)), ANONYMOUS, Notes())
    digest = engine.push(name, ANONYMOUS, Notes())
    images.docker("pull", name)
    try:
        assert images.docker("run", "--rm", "--network=none", name) == "it runs"
    finally:
        images.forget(name)
    inspected = skopeo("inspect", "--tls-verify=false", f"docker://{name}")
    assert (inspected["Digest"], inspected["Labels"]) == (digest, {"a": "b"})
    export(place.store, name, tmp_path / "out")
    index = json.loads((tmp_path / "out" / "index.json").read_text())
    tag = index["manifests"][0]["annotations"]["org.opencontainers.image.ref.name"]
    assert skopeo("inspect", f"oci:{tmp_path / 'out'}:{tag}")["Digest"] == digest
