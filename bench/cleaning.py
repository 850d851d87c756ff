"""Cleanup beside bare clients: reads of a plan and deletions, against docker-registry with files on disk."""

from __future__ import annotations

import asyncio
import hashlib
import json
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path

import aiohttp
from servers import program, registry

REPOSITORY = "bench/app"
KIND = "application/vnd.docker.distribution.manifest.v2+json"
DOCKPASS = str(Path(sys.executable).with_name("dockpass"))
WALK = """
local at = 0
local paths = {}
for line in io.lines("%s") do paths[#paths + 1] = line end
request = function()
  at = at %% #paths + 1
  return wrk.format("GET", paths[at], {["Accept"] = "%s"})
end
"""


def made(root: Path, tags: int) -> dict[str, str]:
    """Write a repository as docker-registry keeps it, one image a tag; return each tag's digest."""
    layer = _blob(root, b"a layer")
    digests = {}
    for number in range(tags):
        config = _blob(
            root, json.dumps({"architecture": "amd64", "os": "linux", "created": _day(number)}).encode()
        )
        manifest = {
            "schemaVersion": 2,
            "mediaType": KIND,
            "config": {
                "mediaType": "application/vnd.docker.container.image.v1+json",
                "size": (root / _place(config)).stat().st_size,
                "digest": config,
            },
            "layers": [
                {
                    "mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip",
                    "size": 7,
                    "digest": layer,
                }
            ],
        }
        digest = _blob(root, json.dumps(manifest).encode())
        home = root / "docker/registry/v2/repositories" / REPOSITORY
        named = f"_manifests/tags/t{number}"
        for link, aim in (
            (f"_manifests/revisions/{_split(digest)}", digest),
            (f"{named}/current", digest),
            (f"{named}/index/{_split(digest)}", digest),
            (f"_layers/{_split(config)}", config),
            (f"_layers/{_split(layer)}", layer),
        ):
            (home / link).mkdir(parents=True, exist_ok=True)
            (home / link / "link").write_text(aim)
        digests[f"t{number}"] = digest
    return digests


def _day(number: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(1_700_000_000 + number * 60))


def _blob(root: Path, data: bytes) -> str:
    digest = f"sha256:{hashlib.sha256(data).hexdigest()}"
    path = root / _place(digest)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return digest


def _place(digest: str) -> str:
    value = digest.removeprefix("sha256:")
    return f"docker/registry/v2/blobs/sha256/{value[:2]}/{value}/data"


def _split(digest: str) -> str:
    return digest.replace(":", "/")


def plans() -> Iterator[str]:
    """Measure whole plans beside what wrk reads of the same manifests and configs."""
    for tags in (1_000, 10_000, 50_000):
        with tempfile.TemporaryDirectory() as directory:
            storage = Path(directory, "storage")
            digests = made(storage, tags)
            with registry(storage=storage) as served:
                paths = Path(directory, "paths")
                paths.write_text("\n".join(_reads(storage, digests)))
                limit = _wrk(served.host, paths)
                began = time.perf_counter()
                plan = [
                    DOCKPASS,
                    "cleanup",
                    "--repo",
                    f"{served.host}/{REPOSITORY}",
                    "--keep-last",
                    "10",
                    "--dry-run",
                ]
                memory = _memory_of(plan)
                took = time.perf_counter() - began
                limit = (limit + _wrk(served.host, paths)) / 2
            rate = 2 * tags / took
            share = f"{rate:.0f} reads/s, wrk {limit:.0f}/s, share {rate / limit:.0%}; {memory:.0f} MB"
            yield f"cleanup plan, {tags:6,} tags  {took:8.2f} s    {share}"


def _reads(storage: Path, digests: dict[str, str]) -> Iterator[str]:
    for tag, digest in digests.items():
        yield f"/v2/{REPOSITORY}/manifests/{tag}"
        manifest = json.loads((storage / _place(digest)).read_text())
        yield f"/v2/{REPOSITORY}/blobs/{manifest['config']['digest']}"


def _wrk(host: str, paths: Path) -> float:
    script = paths.with_suffix(".lua")
    script.write_text(WALK % (paths, KIND))
    command = [program("wrk"), "-t1", "-c64", "-d8", "-s", str(script), f"http://{host}/"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return float(next(line for line in said.splitlines() if "Requests/sec" in line).split()[1])


def _memory_of(command: list[str]) -> float:
    """Run a command in a child of a small process, and return the most memory that it had in MB."""
    watcher = """
import resource, subprocess, sys
subprocess.run(sys.argv[1:], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""
    watched = [sys.executable, "-c", watcher, *command]
    return int(subprocess.run(watched, capture_output=True, text=True, check=True).stdout) / 1024


def deletions() -> Iterator[str]:
    """Measure deletions beside a bare client with 8 requests at once, each with a fresh copy of the files."""
    for tags, stay in ((700, 100), (2_500, 100)):
        with tempfile.TemporaryDirectory() as directory:
            storage = Path(directory, "made")
            digests = list(made(storage, tags).values())[:-stay]
            bare = _with_copy(storage, partial(_delete, digests))
            ours = _with_copy(storage, partial(_clean, stay))
        ratio = f"bare client {bare:.2f} s, ratio {ours / bare:.2f}, goal 1.2"
        yield f"deletion of {tags - stay:5,} of {tags:,}  {ours:8.2f} s    {ratio}"


def _with_copy(storage: Path, work: Callable[[str], None]) -> float:
    copy = storage.with_name("copy")
    shutil.copytree(storage, copy)
    try:
        with registry(storage=copy) as served:
            began = time.perf_counter()
            work(served.host)
            return time.perf_counter() - began
    finally:
        shutil.rmtree(copy)


def _clean(stay: int, host: str) -> None:
    command = [DOCKPASS, "cleanup", "--repo", f"{host}/{REPOSITORY}", "--keep-last", str(stay), "--yes"]
    subprocess.run(command, check=True, capture_output=True, timeout=600)


def _delete(digests: Iterable[str], host: str) -> None:
    asyncio.run(_delete_bare(digests, host))


async def _delete_bare(digests: Iterable[str], host: str) -> None:
    left = iter(digests)

    async def worker(client: aiohttp.ClientSession) -> None:
        for digest in left:
            async with client.delete(f"http://{host}/v2/{REPOSITORY}/manifests/{digest}") as answer:
                answer.raise_for_status()

    async with aiohttp.ClientSession() as client:
        await asyncio.gather(*(worker(client) for _ in range(8)))


def cleaning() -> Iterator[str]:
    """Measure deletions, then plans."""
    yield from deletions()
    yield from plans()
