"""Images for tests of the embedded engine's transfers, and a registry's answers cut short on purpose."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from logins import ANONYMOUS
from notes import Notes

import dockpass
from dockpass.engines.base import BuildRequest
from dockpass.engines.embedded.engine import EmbeddedEngine, open_embedded
from dockpass.engines.embedded.manifest import Manifest
from dockpass.engines.embedded.store import Store
from dockpass.registry.transport import Transport


@dataclass
class Place:
    """A store, and a context to build from. `now` is what the clock says, in seconds since 1970."""

    root: Path
    environ: Mapping[str, str] = field(default_factory=dict)
    pauses: list[float] = field(default_factory=list)
    now: float = 1_790_000_000.0

    @property
    def store(self) -> Store:
        """The image store."""
        return Store(self.root / "images")

    def engine(self) -> EmbeddedEngine:
        """Return an engine of one run, which notes its pauses and makes none."""

        async def sleep(seconds: float) -> None:
            self.pauses.append(seconds)

        return open_embedded(
            self.store.root, "the test", self.environ, lambda: Transport(sleep=sleep), lambda: self.now
        )

    def context(self, dockerfile: str, files: Mapping[str, bytes] | None = None) -> BuildRequest:
        """Write a context and return its build."""
        work = self.root / "work"
        work.mkdir(parents=True, exist_ok=True)
        for name, content in (files or {}).items():
            path = work / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        (work / "Dockerfile").write_text(dockerfile)
        return BuildRequest(work, work / "Dockerfile")

    def image(self, name: str, *sizes: int) -> Manifest:
        """Build an image with a layer of random bytes for each size, and name it."""
        files = {f"data{number}": os.urandom(size) for number, size in enumerate(sizes)}
        lines = ["FROM scratch", *(f"COPY {each} /" for each in files)]
        engine = self.engine()
        engine.tag(engine.build(self.context("\n".join(lines), files), ANONYMOUS, Notes()), name)
        entry = self.store.find(name)
        assert entry is not None
        found = self.store.manifest(entry.descriptor)
        assert isinstance(found, Manifest)
        return found

    def state(self) -> dict[str, str]:
        """Return what is in the store, but for locks: paths with a digest of their contents."""
        root = self.store.root
        files = (path for path in root.rglob("*") if path.is_file() and not path.name.endswith(".lock"))
        return {str(path.relative_to(root)): digest_of(path.read_bytes()) for path in files}

    def names(self) -> list[str]:
        """Return the names of all images."""
        return [each.name for each in self.store.entries()]

    def is_whole(self, name: str) -> bool:
        """Tell whether an image is there with every blob, by their bytes."""
        entry = self.store.find(name)
        found = self.store.manifest(entry.descriptor) if entry else None
        return isinstance(found, Manifest) and all(map(self.store.is_sound, found.blobs))


def digest_of(raw: bytes) -> str:
    """Return a digest."""
    return f"sha256:{hashlib.sha256(raw).hexdigest()}"


def in_own_process(script: str, *arguments: str, **options: object) -> subprocess.Popen[str]:
    """Start Python code with the very modules that the tests import."""
    path = os.pathsep.join([str(Path(dockpass.__file__).parents[1]), str(Path(__file__).parent)])
    environ = {**os.environ, "PYTHONPATH": path}
    return subprocess.Popen(
        [sys.executable, "-c", script, *arguments],
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,  # type: ignore[call-overload]
    )


def document(data: object) -> bytes:
    """Return JSON as a registry stores it."""
    return json.dumps(data, separators=(",", ":")).encode()
