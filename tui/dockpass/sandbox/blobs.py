"""Blobs on disk, named by their digest: hashed while they are written, moved into place whole."""

from __future__ import annotations

import hashlib
import shutil
import uuid
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, Protocol

from dockpass.sandbox.answers import Refused

CHUNK = 1 << 20
MOST_UPLOADS = 1000


class Hash(Protocol):
    """What hashlib's objects do."""

    def update(self, data: bytes, /) -> None: ...
    def hexdigest(self) -> str: ...
    def copy(self) -> Hash: ...


class Mark(NamedTuple):
    """A state of an upload that it can go back to."""

    offset: int
    hash: Hash


@dataclass(slots=True)
class Upload:
    """One upload session. `offset` is the number of bytes so far; `busy` while a request writes to it."""

    id: str
    repository: str
    path: Path
    hash: Hash
    offset: int = 0
    busy: bool = False

    def append(self, data: bytes) -> None:
        """Write `data` behind what is there."""
        with self.path.open("ab") as file:
            file.write(data)
        self.hash.update(data)
        self.offset += len(data)

    def mark(self) -> Mark:
        """Remember the present state."""
        return Mark(self.offset, self.hash.copy())

    def back_to(self, mark: Mark) -> None:
        """Forget what came after `mark`."""
        with self.path.open("r+b") as file:
            file.truncate(mark.offset)
        self.offset, self.hash = mark


class BlobStore:
    """The files below one directory. Used by one thread; what is in place is never changed."""

    def __init__(self, directory: Path) -> None:
        self._blobs = directory / "blobs"
        self._parts = directory / "uploads"
        self._uploads: dict[str, Upload] = {}
        shutil.rmtree(self._parts, ignore_errors=True)  # sessions do not outlive the server
        for path in (self._blobs, self._parts):
            path.mkdir(parents=True, exist_ok=True)

    def path(self, digest: str) -> Path:
        """Return where the content of a valid digest belongs."""
        algorithm, _, value = digest.partition(":")
        return self._blobs / algorithm / value[:2] / value

    def has(self, digest: str) -> bool:
        """Tell whether the content is there."""
        return self.path(digest).is_file()

    def size(self, digest: str) -> int:
        """Return the number of bytes of content that is there."""
        return self.path(digest).stat().st_size

    def read(self, digest: str) -> bytes:
        """Return small content, a manifest's, whole."""
        return self.path(digest).read_bytes()

    def write(self, raw: bytes, algorithm: str = "sha256") -> str:
        """Store small content, a manifest's; return its digest."""
        digest = f"{algorithm}:{hashlib.new(algorithm, raw).hexdigest()}"
        if not self.has(digest):
            part = self._parts / uuid.uuid4().hex
            part.write_bytes(raw)
            self._place(part, digest)
        return digest

    def remove(self, digest: str) -> None:
        """Remove content that nothing refers to any more."""
        self.path(digest).unlink(missing_ok=True)

    def remove_all_but(self, digests: Collection[str]) -> None:
        """Remove content that no repository knows: a server that was killed may have left some."""
        for path in self._blobs.glob("*/*/*"):
            if f"{path.parent.parent.name}:{path.name}" not in digests:
                path.unlink(missing_ok=True)

    def begin(self, repository: str) -> Upload:
        """Open an upload session; the oldest idle one ends where there are too many."""
        if len(self._uploads) >= MOST_UPLOADS:
            idle = next((upload for upload in self._uploads.values() if not upload.busy), None)
            if idle is None:
                raise Refused(429, "TOOMANYREQUESTS", f"{MOST_UPLOADS} uploads are under way")
            self.discard(idle)
        upload = Upload(str(uuid.uuid4()), repository, Path(), hashlib.sha256())
        upload.path = self._parts / upload.id
        upload.path.touch()
        self._uploads[upload.id] = upload
        return upload

    def upload(self, repository: str, upload_id: str) -> Upload | None:
        """Return a session of this repository."""
        found = self._uploads.get(upload_id)
        return found if found and found.repository == repository else None

    def discard(self, upload: Upload) -> None:
        """End a session without a blob."""
        self._uploads.pop(upload.id, None)
        upload.path.unlink(missing_ok=True)

    def finish(self, upload: Upload, digest: str) -> None:
        """End a session with the blob in place; its digest has been checked."""
        self._uploads.pop(upload.id, None)
        self._place(upload.path, digest)

    def _place(self, part: Path, digest: str) -> None:
        path = self.path(digest)
        path.parent.mkdir(parents=True, exist_ok=True)
        part.replace(path)


def hash_of(upload: Upload, algorithm: str) -> str:
    """Return the digest of what was uploaded; anything but sha256 reads the file once more."""
    if algorithm == "sha256":
        return f"sha256:{upload.hash.hexdigest()}"
    with upload.path.open("rb") as file:
        return f"{algorithm}:{hashlib.file_digest(file, algorithm).hexdigest()}"
