"""Every image that dockpass makes, as docker, podman and skopeo take it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from clientprograms import Containers, Run, StartSandbox, skopeo
from logins import ANONYMOUS, Given
from notes import Notes
from sandboxclient import Client
from transfers import Place

from dockpass.sandbox.sample import BASE, PROJECT
from dockpass.sandbox.server import SandboxServer
from dockpass.sandbox.workshop import Workshop

pytestmark = [pytest.mark.engine, pytest.mark.xdist_group("engine")]

BUILDS: Mapping[str, tuple[str, Mapping[str, bytes]]] = {
    "nothing": ("FROM scratch\n", {}),
    "env-only": ("FROM scratch\nENV a=b\n", {}),
    "copy-only": ("FROM scratch\nCOPY a /\n", {"a": b"A"}),
    "copy-an-empty-directory": ("FROM scratch\nCOPY dir /dir/\n", {"dir/.keep": b""}),
    "copy-an-empty-file": ("FROM scratch\nCOPY a /\n", {"a": b""}),
    "the-same-twice": ("FROM scratch\nCOPY a /\nCOPY a /\nLABEL x=y\n", {"a": b"A"}),
    "workdir": ("FROM scratch\nWORKDIR /srv/deep\nUSER 1000\n", {}),
    "heredoc": ('FROM scratch\nCOPY <<E /a/\nhere\nE\nCMD ["/a"]\n', {}),
    "stages": (
        "FROM scratch AS one\nCOPY a /\nFROM one AS two\nENV x=y\nFROM two\nCOPY --from=one a /b\n",
        {"a": b"A"},
    ),
    "metadata": (
        "FROM scratch\nCOPY a /\nEXPOSE 80\nVOLUME /v\nHEALTHCHECK NONE\nSTOPSIGNAL 9\nMAINTAINER me\n",
        {"a": b"A"},
    ),
    "platform": ("FROM --platform=linux/arm64/v8 scratch\nCOPY a /\n", {"a": b"A"}),
}


def created(docker: Run, name: str) -> None:
    """Make a container of a pulled image, which starts nothing."""
    made = docker("create", "--pull", "never", name, "/none").out.strip()
    docker("rm", made)


def test_docker_podman_and_skopeo_take_every_image_of_the_sandbox(
    docker: Run, run: Run, containers: Containers, tmp_path: Path
) -> None:
    with Workshop(SandboxServer()) as workshop:
        server, owner = workshop.server, workshop.server.accounts.personal
        docker("login", "-u", owner.username, "--password-stdin", server.host, stdin=owner.secret.reveal())
        podman = containers("podman", server.host)
        tags = Client(server, owner).tags(PROJECT)
        references = [f"{server.host}/{BASE}", *(f"{workshop.repository}:{tag}" for tag in tags)]
        creds = f"{owner.username}:{owner.secret.reveal()}"
        try:
            docker("pull", "--all-tags", "--quiet", workshop.repository)
            docker("pull", "--quiet", references[0])
            for reference in (references[0], f"{workshop.repository}:multi", f"{workshop.repository}:v1.0.0"):
                created(docker, reference)
            for reference in references:
                assert docker("image", "inspect", reference).data[0]["RootFS"]["Layers"]
        finally:
            docker("image", "rm", "--force", *references)
        for tag in ("v1.0.0", "multi", "signed", "main"):
            name = f"{workshop.repository}:{tag}"
            podman("pull", "--tls-verify=false", f"--creds={creds}", name)
            skopeo(run, server, owner, "inspect", f"docker://{name}")
            skopeo(run, server, owner, "copy", "--all", f"docker://{name}", f"oci:{tmp_path / tag}:{tag}")


@pytest.mark.parametrize("kind", BUILDS)
def test_docker_podman_and_skopeo_take_what_the_embedded_engine_builds(
    kind: str,
    docker: Run,
    run: Run,
    containers: Containers,
    start_sandbox: StartSandbox,
    tmp_path: Path,
) -> None:
    sandbox = start_sandbox()
    owner, place = sandbox.accounts.personal, Place(tmp_path / "place")
    name, creds = f"{sandbox.host}/web/app:{kind}", f"{owner.username}:{owner.secret.reveal()}"
    engine = place.engine()
    dockerfile, files = BUILDS[kind]
    engine.build(replace(place.context(dockerfile, files), tags=(name,)), ANONYMOUS, Notes())
    digest = engine.push(name, Given(owner.credential), Notes())
    inspected = skopeo(run, sandbox, owner, "inspect", f"docker://{name}").data
    assert inspected["Digest"] == digest
    skopeo(run, sandbox, owner, "copy", f"docker://{name}", f"docker-archive:{tmp_path / 'a.tar'}:{name}")
    docker("login", "-u", owner.username, "--password-stdin", sandbox.host, stdin=owner.secret.reveal())
    docker("pull", "--quiet", name)
    try:
        (found,) = json.loads(docker("image", "inspect", name).out)
        assert found["RootFS"].get("Layers") or kind in {"nothing", "env-only"}
        if kind != "platform":
            created(docker, name)
    finally:
        docker("image", "rm", "--force", name)
    podman = containers("podman", sandbox.host)
    podman("pull", "--tls-verify=false", f"--creds={creds}", name)
