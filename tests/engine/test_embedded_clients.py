"""What the embedded engine builds, pushes and exports, taken by docker and skopeo."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from notes import Notes
from servers import Registry, program
from transfers import Place

from dockpass.engines.embedded.export import export
from engine import CAN_RUN, Images, tiny_program

pytestmark = [pytest.mark.engine, pytest.mark.registry, pytest.mark.xdist_group("engine")]


@pytest.fixture
def podman(tmp_path: Path) -> Callable[..., str]:
    """Run podman with images of the test's own."""
    root = tmp_path / "containers"
    root.mkdir()
    (root / "storage.conf").write_text(
        f'[storage]\ndriver = "vfs"\ngraphroot = "{root}/graph"\nrunroot = "{root}/run"\n'
    )
    own = {"CONTAINERS_STORAGE_CONF": f"{root}/storage.conf", "STORAGE_DRIVER": "vfs", "HOME": str(tmp_path)}

    def run(*arguments: str) -> str:
        command = [program("podman"), *arguments]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=60, env=os.environ | own)
        assert ended.returncode == 0, ended.stderr
        return ended.stdout.strip()

    return run


def test_podman_pulls_what_was_pushed(
    tmp_path: Path, start_registry: Callable[..., Registry], podman: Callable[..., str]
) -> None:
    (tmp_path / "policy.json").write_text('{"default": [{"type": "insecureAcceptAnything"}]}')
    place = Place(tmp_path / "place")
    name = f"{start_registry('none').host}/team/app:1"
    engine = place.engine()
    engine.build(replace(place.context("FROM scratch\nCOPY a /\n", {"a": b"A"}), tags=(name,)), {}, Notes())
    digest = engine.push(name, None, Notes())
    podman("pull", "--tls-verify=false", f"--signature-policy={tmp_path / 'policy.json'}", name)
    assert podman("image", "inspect", "--format", "{{.Digest}}", name) == digest


def skopeo(*arguments: str) -> dict[str, object]:
    ended = subprocess.run([program("skopeo"), *arguments], capture_output=True, text=True, timeout=60)
    assert ended.returncode == 0, ended.stderr
    found: dict[str, object] = json.loads(ended.stdout)
    return found


@pytest.mark.skipif(not CAN_RUN, reason="no program for this machine")
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
    engine.build(replace(context, tags=(name,)), {}, Notes())
    digest = engine.push(name, None, Notes())
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
