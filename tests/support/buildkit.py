"""A real BuildKit as judge of what a build pulls and of what an ignore file leaves out.

It comes from a later suite of the machine's own package sources, is unpacked beside the system, and runs in
namespaces of its own, in which every name leads to a registry that has every image.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import guard
from servers import Missing

SUITE = "trixie"
PACKAGES = ("docker.io", "docker-buildx", "docker-cli", "containerd", "busybox-static", "oras")
_METADATA = re.compile(r"^\[(?:(?:\S+ )?internal|context [^\]]+)\] load metadata for (\S+)$")
_LATER = re.compile(
    r"did not complete|cache key|network bridge|no match for platform|not found$|failed to resolve"
)
"""What goes wrong after the images were found."""

PLUGINS = "usr/libexec/docker/cli-plugins"
_BUILDX = f"{PLUGINS}/docker-buildx"


class BuildKit:
    """The running judge."""

    def __init__(self, top: Path, root: Path, daemon: int) -> None:
        self._top = top
        self._root = root
        self._daemon = daemon

    def images(self, dockerfile: str, *options: str) -> tuple[frozenset[str], str]:
        """Return the images that a build asks for, and the error for which it is refused."""
        with tempfile.TemporaryDirectory(dir=self._top) as folder:
            file = Path(folder, "Dockerfile")
            file.write_bytes(dockerfile.encode())
            context = Path(folder, "context")
            context.mkdir()
            said = self._build("--progress=rawjson", "--pull", "-f", str(file), *options, str(context)).stderr
        found = {match[1] for name in _vertices(said) if (match := _METADATA.match(name))}
        error = next((line for line in reversed(said.splitlines()) if line.startswith("ERROR")), "")
        refused = "" if _LATER.search(error) and "could not be found" not in error else error
        return frozenset(found), refused

    def files(self, context: Path, dockerfile: Path) -> list[str] | None:
        """Return the files that `COPY . /` brings over; None where the build is refused."""
        with tempfile.TemporaryDirectory(dir=self._top) as out:
            done = self._build(
                "--progress=plain", "-f", str(dockerfile), "-o", f"type=local,dest={out}", str(context)
            )
            if done.returncode:
                return None
            return sorted(str(path.relative_to(out)) for path in Path(out).rglob("*") if not path.is_dir())

    def _build(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        home = self._top / "home"
        environ = {
            "PATH": "/usr/bin:/bin",
            "HOME": str(home),
            "DOCKER_CONFIG": str(home),
            "BUILDX_CONFIG": str(home),
            "DOCKER_HOST": f"unix://{self._top}/docker.sock",
            "BUILDX_NO_DEFAULT_ATTESTATIONS": "1",
        }
        enter = ["nsenter", "-t", str(self._daemon), "--net", "--mount"]
        command = [*enter, str(self._root / _BUILDX), "build", *arguments]
        return subprocess.run(
            command, env=environ, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL
        )


@contextmanager
def buildkit(top: Path, root: Path) -> Iterator[BuildKit]:
    """Start the judge from unpacked packages; raises `Missing` with the reason where that is not possible."""
    for name in ("unshare", "nsenter", "ip", "runc"):
        if shutil.which(name) is None:
            raise Missing(f"{name} is not installed, which the BuildKit of these tests needs")
    if os.geteuid() != 0:
        raise Missing("the BuildKit of these tests needs root for its namespaces")
    with (top / "log").open("wb") as log:
        command = [
            "unshare",
            "--net",
            "--mount",
            sys.executable,
            str(Path(__file__).with_name("buildkitworld.py")),
        ]
        world = guard.start([*command, str(top), str(root)], log, remove=top)
    try:
        yield BuildKit(top, root, _daemon(top, world))
    finally:
        guard.stop(world)


def unpacked(top: Path) -> Path:
    """Get the packages of the later suite and unpack them in `top`; raises `Missing` where that is not possible."""
    for name in ("apt-get", "dpkg"):
        if shutil.which(name) is None:
            raise Missing(f"{name} is not installed, which the newer engine of these tests comes with")
    release = Path("/etc/os-release").read_text()
    own = re.search(r"VERSION_CODENAME=(\S+)", release)
    etc = Path("/etc/apt")
    lists = [etc / "sources.list", *sorted((etc / "sources.list.d").glob("debian*"))]
    sources = next((file for file in lists if own and file.is_file() and own[1] in file.read_text()), None)
    if own is None or sources is None:
        raise Missing("there are no Debian package sources, from which the BuildKit of these tests comes")
    for part in ("lists/partial", "cache/archives/partial", "debs", "root"):
        (top / part).mkdir(parents=True, exist_ok=True)
    renamed = top / f"apt{sources.suffix}"
    renamed.write_text(sources.read_text().replace(own[1], SUITE))
    options = [f"-oDir::Etc::sourcelist={renamed}", "-oDir::Etc::sourceparts=/dev/null"]
    options += [f"-oDir::State::Lists={top / 'lists'}", f"-oDir::Cache={top / 'cache'}"]
    try:
        for words in (["update"], ["download", *PACKAGES]):
            subprocess.run(
                ["apt-get", "-qq", *options, *words],
                check=True,
                cwd=top / "debs",
                capture_output=True,
                timeout=240,
            )
        for package in (top / "debs").glob("*.deb"):
            subprocess.run(["dpkg", "-x", str(package), str(top / "root")], check=True, timeout=120)
    except (subprocess.SubprocessError, OSError) as error:
        raise Missing(f"the BuildKit of these tests cannot be got: {error}") from error
    return top / "root"


def _daemon(top: Path, world: subprocess.Popen[bytes]) -> int:
    for _ in range(240):
        if (top / "docker.sock").is_socket():
            return int((top / "daemon").read_text())
        if world.poll() is not None:
            break
        time.sleep(0.25)
    raise Missing(f"the BuildKit of these tests did not start: {(top / 'log').read_text()[-800:]}")


def _vertices(text: str) -> Iterator[str]:
    """Yield the names in rawjson progress, whose objects may go over several lines."""
    decoder, at = json.JSONDecoder(), text.find("{")
    while at >= 0:
        try:
            event, at = decoder.raw_decode(text, at)
        except ValueError:
            at += 1
        else:
            yield from (vertex["name"] for vertex in event.get("vertexes") or ())
        at = text.find("{", at)
