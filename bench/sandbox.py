"""The sandbox's registry: a long list of tags, and 1 GB up and down with the memory it took."""

from __future__ import annotations

import http.client
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

TAGS = 5_000
BLOB, PIECE = 1 << 30, 1 << 20
REPOSITORY = "/v2/bench/app"
EMPTY = b"{}"
MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"


class Sandbox:
    """A running `dockpass sandbox`, and the login of its job."""

    def __init__(self, process: subprocess.Popen[str], job: dict[str, str]) -> None:
        self._process = process
        login = f"{job['CI_REGISTRY_USER']}:{job['CI_REGISTRY_PASSWORD']}"
        self._login = {"Authorization": f"Basic {b64encode(login.encode()).decode()}"}
        self._connection = http.client.HTTPConnection(job["CI_REGISTRY"], timeout=120)

    def memory(self) -> float:
        """Return the most memory that the process ever had, in MB."""
        lines = Path(f"/proc/{self._process.pid}/status").read_text(encoding="utf-8").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1000

    def ask(self, method: str, target: str, body: object = None, **headers: str) -> bytes:
        """Send a request on one connection that stays; return the body of the answer."""
        sent = self._login | {name.replace("_", "-"): value for name, value in headers.items()}
        self._connection.request(method, target, body, sent)  # type: ignore[arg-type]
        answer = self._connection.getresponse()
        said = answer.read()
        if answer.status >= 300:
            raise RuntimeError(f"{method} {target}: {answer.status} {said[:300]!r}")
        return said

    def download(self, target: str) -> tuple[int, str]:
        """Return the size and the digest of a blob, read piece by piece."""
        self._connection.request("GET", target, headers=self._login)
        answer = self._connection.getresponse()
        count, found = 0, sha256()
        while piece := answer.read(PIECE):
            count += len(piece)
            found.update(piece)
        return count, f"sha256:{found.hexdigest()}"


@contextmanager
def sandbox() -> Iterator[Sandbox]:
    """Run a sandbox whose registry takes a login with every request."""
    with tempfile.TemporaryDirectory() as home:
        environ = {"PATH": os.environ["PATH"], "HOME": home, "DOCKPASS_STATE": f"{home}/state"}
        command = [
            str(Path(sys.executable).with_name("dockpass")),
            "sandbox",
            "--json",
            "--flavour",
            "distribution",
        ]
        process = subprocess.Popen(
            command, env=environ, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        try:
            assert process.stdout is not None
            yield Sandbox(process, json.loads(process.stdout.readline()))
        finally:
            process.terminate()
            process.wait(20)


def sandbox_work() -> Iterator[str]:
    """Measure the list of tags, and a large blob."""
    with sandbox() as server:
        yield _tags(server)
    with sandbox() as server:
        yield from _blob(server)


def _tags(server: Sandbox) -> str:
    digest = f"sha256:{sha256(EMPTY).hexdigest()}"
    server.ask("POST", f"{REPOSITORY}/blobs/uploads/?digest={digest}", EMPTY)
    config = {"mediaType": "application/vnd.oci.image.config.v1+json", "digest": digest, "size": len(EMPTY)}
    manifest = {"schemaVersion": 2, "mediaType": MANIFEST_TYPE, "config": config, "layers": []}
    raw = json.dumps(manifest).encode()
    for number in range(TAGS):
        server.ask("PUT", f"{REPOSITORY}/manifests/v{number:05d}", raw, Content_Type=MANIFEST_TYPE)
    took = []
    for _ in range(7):
        began = time.perf_counter()
        found = json.loads(server.ask("GET", f"{REPOSITORY}/tags/list"))["tags"]
        took.append(time.perf_counter() - began)
        if len(found) != TAGS:
            raise RuntimeError(f"{len(found)} tags were listed")
    return f"{'list of 5,000 tags':<26} {statistics.median(took) * 1000:8.1f} ms   goal 100 ms"


def _blob(server: Sandbox) -> Iterator[str]:
    piece, found = os.urandom(PIECE), sha256()
    for _ in range(BLOB // PIECE):
        found.update(piece)
    digest = f"sha256:{found.hexdigest()}"
    server.ask("GET", "/v2/")
    before = server.memory()
    began = time.perf_counter()
    pieces = (piece for _ in range(BLOB // PIECE))
    target = f"{REPOSITORY}/blobs/uploads/?digest={digest}"
    server.ask("POST", target, pieces, Content_Length=str(BLOB), Content_Type="application/octet-stream")
    pushed = time.perf_counter()
    if server.download(f"{REPOSITORY}/blobs/{digest}") != (BLOB, digest):
        raise RuntimeError("another blob came back")
    pulled = time.perf_counter()
    grown = server.memory() - before
    yield f"{'push of a 1 GB blob':<26} {pushed - began:8.2f} s"
    memory = f"memory grew by {grown:.1f} MB to {server.memory():.0f} MB"
    yield f"{'pull of a 1 GB blob':<26} {pulled - pushed:8.2f} s    {memory}"
