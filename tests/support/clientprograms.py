"""The clients that people use, as programs in a home of the test's own, and an OCI layout to hand to them."""

from __future__ import annotations

import gzip
import io
import json
import os
import shutil
import subprocess
import tarfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from needed import missing
from sandboxclient import CONFIG, INDEX, LAYER, MANIFEST, digest_of
from servers import Missing, program

from dockpass.sandbox.accounts import Account
from dockpass.sandbox.server import SandboxServer

StartSandbox = Callable[..., SandboxServer]
Run = Callable[..., "Ended"]
Containers = Callable[[str, str], Run]

WHEELS = Path(__file__).parents[2] / ".judges/clients/bin"
REF_NAME = "org.opencontainers.image.ref.name"


@dataclass(frozen=True)
class Ended:
    """How a program ended."""

    status: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        return json.loads(self.out)


@dataclass(frozen=True)
class Home:
    """Where clients find nothing of the person's own."""

    directory: Path

    def variables(self, **more: str) -> dict[str, str]:
        """The whole environment of a client."""
        own = {"HOME": str(self.directory), "XDG_RUNTIME_DIR": str(self.directory)}
        return {**os.environ, **own, **more}

    def run(
        self,
        name: str,
        *arguments: str,
        stdin: str = "",
        fails: bool = False,
        environ: Mapping[str, str] | None = None,
    ) -> Ended:
        """Run a client; a failure fails the test unless it is expected."""
        ended = subprocess.run(
            [found(name), *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            timeout=100,
            env=self.variables(**(environ or {})),
        )
        assert (ended.returncode != 0) == fails, ended.stdout + ended.stderr
        return Ended(ended.returncode, ended.stdout, ended.stderr)


@contextmanager
def demanded() -> Iterator[None]:
    """Skip the test where a program is `Missing`; in CI it fails."""
    try:
        yield
    except Missing as reason:
        missing(str(reason))


def found(name: str) -> str:
    """Find a client's program; where it is missing the test is skipped, but never in CI."""
    with demanded():
        return program(name)


def found_in_wheel(name: str) -> str:
    """Find a client that a wheel brings: in PATH, or where `.ci/run` puts it."""
    path = shutil.which(name, path=f"{os.environ.get('PATH', '')}:{WHEELS}")
    return path or missing(f"{name} is not installed, nor in {WHEELS}")


def skopeo(run: Run, sandbox: SandboxServer, account: Account, *arguments: str, **named: Any) -> Ended:
    """Run skopeo with an account's credentials."""
    command, rest = arguments[0], arguments[1:]
    return run("skopeo", "--insecure-policy", command, *_options(account, command, *rest), *rest, **named)


def _options(account: Account, command: str, *arguments: str) -> list[str]:
    credentials = f"{account.username}:{account.secret.reveal()}"
    if command != "copy":
        return ["--tls-verify=false", f"--creds={credentials}"]
    sides = zip(("src", "dest"), arguments[-2:], strict=True)
    there = [side for side, place in sides if place.startswith("docker://")]
    return [f"--{side}-{what}" for side in there for what in ("tls-verify=false", f"creds={credentials}")]


def make_layout(root: Path, size: int = 3500) -> Path:
    """Make an OCI layout: an index `all` of images for two machines, and one of the images as `one`.

    Each image has one layer, of about `size` bytes that cannot be compressed.
    """
    (root / "blobs" / "sha256").mkdir(parents=True)
    (root / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')

    def put(media_type: str, raw: bytes, **more: object) -> dict[str, object]:
        digest = digest_of(raw)
        (root / "blobs" / "sha256" / digest.partition(":")[2]).write_bytes(raw)
        return {"mediaType": media_type, "digest": digest, "size": len(raw), **more}

    children = []
    for machine in ("amd64", "arm64"):
        archive = tar_of(Random(machine).randbytes(size))
        layer = put(f"{LAYER}+gzip", gzip.compress(archive))
        rootfs = {"type": "layers", "diff_ids": [digest_of(archive)]}
        config = put(CONFIG, json.dumps({"architecture": machine, "os": "linux", "rootfs": rootfs}).encode())
        image = {"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": [layer]}
        platform = {"os": "linux", "architecture": machine}
        children.append(put(MANIFEST, json.dumps(image).encode(), platform=platform))
    index = put(INDEX, json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": children}).encode())
    named = [
        {**index, "annotations": {REF_NAME: "all"}},
        {**children[0], "annotations": {REF_NAME: "one"}},
    ]
    (root / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": named}))
    return root


def tar_of(content: bytes) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        info = tarfile.TarInfo("file")
        info.size = len(content)
        archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def digest_in(layout: Path, name: str) -> str:
    """Return the digest of the entry called `name`."""
    listed = json.loads((layout / "index.json").read_text())["manifests"]
    return next(
        str(entry["digest"]) for entry in listed if entry.get("annotations", {}).get(REF_NAME) == name
    )
