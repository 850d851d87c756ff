"""The embedded engine beside skopeo and docker: whole processes, in turn, with the memory that each took."""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

ROUNDS = 5
LAYERS, LAYER_BYTES = 4, 50_000_000
FILES = 20_000


class Cost(NamedTuple):
    """Seconds, and the most memory in MB."""

    seconds: float
    memory: float


def cost(command: list[str], environ: Mapping[str, str], cwd: Path) -> Cost:
    """Run a program to its end."""
    began = time.perf_counter()
    with tempfile.TemporaryFile() as said:
        child = subprocess.Popen(command, env=dict(environ), cwd=cwd, stdout=said, stderr=said)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
        if child.returncode:
            said.seek(0)
            raise RuntimeError(said.read().decode()[-500:])
    return Cost(time.perf_counter() - began, usage.ru_maxrss / 1000)


def embedded_work() -> Iterator[str]:
    """Measure pull and push of 200 MB, and the build of a context of 20,000 files."""
    with ExitStack() as stack:
        place = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        yield from _transfers(stack, place)
        yield from _builds(stack, place)


def _transfers(stack: ExitStack, place: Path) -> Iterator[str]:
    from servers import program, registry

    skopeo = program("skopeo")
    host = stack.enter_context(registry(storage=place / "storage")).host
    ours = _Ours(place / "ours")
    _make_image(ours)
    ours.run("push", "--repo", f"{host}/bench/app", "--tag", "1", "--image", "bench.invalid/app:1")
    pulls: dict[str, list[Cost]] = {"dockpass": [], "skopeo": []}
    pushes: dict[str, list[Cost]] = {"dockpass": [], "skopeo": []}
    for turn in range(ROUNDS):
        ours = _Ours(place / f"pulled{turn}")
        pulls["dockpass"].append(ours.run("pull", "--repo", f"{host}/bench/app", "--tag", "1"))
        layout = place / f"layout{turn}"
        copy = [skopeo, "copy", "--src-tls-verify=false", f"docker://{host}/bench/app:1", f"oci:{layout}:1"]
        pulls["skopeo"].append(cost(copy, os.environ, place))
        # Each push goes to a registry that has nothing yet, so that none can mount or skip a blob.
        with registry(storage=place / f"ours{turn}-storage") as empty:
            repo = ["--repo", f"{empty.host}/bench/app", "--tag", "1", "--image", f"{host}/bench/app:1"]
            pushes["dockpass"].append(ours.run("push", *repo))
        with registry(storage=place / f"skopeo{turn}-storage") as empty:
            target = f"docker://{empty.host}/bench/app:1"
            copy = [skopeo, "copy", "--dest-tls-verify=false", f"oci:{layout}:1", target]
            pushes["skopeo"].append(cost(copy, os.environ, place))
        shutil.rmtree(layout)
        shutil.rmtree(ours.home)
    yield _line("pull of 200 MB", pulls, "skopeo")
    yield _line("push of 200 MB", pushes, "skopeo")


def _builds(stack: ExitStack, place: Path) -> Iterator[str]:
    from servers import engine, program

    context = place / "context"
    for number in range(FILES):
        path = context / f"d{number // 100:03d}" / f"f{number:05d}"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(os.urandom(500) + b"x" * 524)
    (context / "Dockerfile").write_text("FROM scratch\nCOPY . /\n")
    address = stack.enter_context(engine())
    builds: dict[str, list[Cost]] = {"dockpass": [], "docker": []}
    for turn in range(3):
        ours = _Ours(place / f"built{turn}")
        builds["dockpass"].append(ours.run("build", "--context", str(context)))
        shutil.rmtree(ours.home)
        docker = [program("docker"), "-H", address, "build", "--no-cache", "-q", str(context)]
        environ = {"PATH": os.environ["PATH"], "HOME": str(place), "DOCKER_BUILDKIT": "0"}
        builds["docker"].append(cost(docker, environ, place))
    yield _line(f"build of {FILES:,} files", builds, "docker")


class _Ours:
    """dockpass with the embedded engine, and a store of its own."""

    def __init__(self, home: Path) -> None:
        self.home = home
        home.mkdir()
        self._environ = {
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "DOCKPASS_STORE": str(home / "images"),
            "DOCKPASS_STATE": str(home / "state"),
        }

    def run(self, command: str, *arguments: str) -> Cost:
        """Call a command."""
        dockpass = str(Path(sys.executable).with_name("dockpass"))
        return cost([dockpass, command, "--engine", "embedded", *arguments], self._environ, self.home)


def _make_image(ours: _Ours) -> None:
    files = [f"data{number}" for number in range(LAYERS)]
    for name in files:
        (ours.home / name).write_bytes(os.urandom(LAYER_BYTES))
    lines = ["FROM scratch", *(f"COPY {name} /{name}" for name in files)]
    (ours.home / "Dockerfile").write_text("\n".join(lines) + "\n")
    ours.run("build", "--tag", "bench.invalid/app:1")


def _line(what: str, costs: Mapping[str, list[Cost]], peer: str) -> str:
    mine, theirs = (statistics.median(each.seconds for each in costs[who]) for who in ("dockpass", peer))
    memory = max(each.memory for each in costs["dockpass"])
    ratio = f"{peer} {theirs:.2f} s, ratio {mine / theirs:.2f}, goal 1.00"
    return f"{what:<26} {mine:8.2f} s    {ratio}; memory {memory:.0f} MB, goal 120"
