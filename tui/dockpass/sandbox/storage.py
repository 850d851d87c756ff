"""Repositories: which blobs and manifests are visible where, and which tags name them.

The index lives in memory and in a journal, one JSON line a change, which is replayed at the start. One
thread uses a storage: every change is whole before anybody else looks.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias

from dockpass.auth.reference import is_digest, is_repository_path, is_tag
from dockpass.errors import DockpassError
from dockpass.sandbox.answers import Refused
from dockpass.sandbox.blobs import BlobStore
from dockpass.sandbox.manifests import Manifest, read_manifest
from dockpass.text import clean, plural

JOURNAL = "index.jsonl"
LOCK = "sandbox.lock"

Change: TypeAlias = Sequence[str]
"""`blob|unblob REPO DIGEST`, `manifest REPO DIGEST TYPE`, `unmanifest REPO DIGEST`, `tag REPO TAG DIGEST`,
`untag REPO TAG`."""


@dataclass(slots=True)
class _Repository:
    blobs: set[str] = field(default_factory=set)
    manifests: dict[str, Manifest] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    referrers: dict[str, dict[str, None]] = field(default_factory=dict)
    sorted_tags: list[str] | None = None

    def tag_names(self) -> list[str]:
        if self.sorted_tags is None:
            self.sorted_tags = sorted(self.tags)
        return self.sorted_tags


class Storage:
    """What a registry holds, in one directory; `notes` say what was found wrong there."""

    def __init__(self, directory: Path) -> None:
        self.notes: list[str] = []
        self._lock = _claim(directory)
        try:
            self.content = BlobStore(directory)
            self._repositories: dict[str, _Repository] = {}
            self._links: Counter[str] = Counter()
            path = directory / JOURNAL
            self._replay(path)
            self._compact(path)
            self.content.remove_all_but(self._links.keys())
            self._journal = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
        except BaseException:
            os.close(self._lock)
            raise

    def close(self) -> None:
        """Let go of the directory."""
        os.close(self._journal)
        os.close(self._lock)

    # Reading

    def knows(self, repository: str) -> bool:
        """Tell whether anything was ever pushed there."""
        return repository in self._repositories

    def repositories(self) -> list[str]:
        """Return the names, sorted."""
        return sorted(self._repositories)

    def has_blob(self, repository: str, digest: str) -> bool:
        """Tell whether the blob is visible in this repository."""
        found = self._repositories.get(repository)
        return found is not None and digest in found.blobs

    def manifest(self, repository: str, reference: str) -> Manifest | None:
        """Return the manifest of a tag or digest."""
        found = self._repositories.get(repository)
        if found is None:
            return None
        return found.manifests.get(reference if ":" in reference else found.tags.get(reference, ""))

    def tags(self, repository: str, count: int | None = None, last: str = "") -> tuple[list[str], bool]:
        """Return at most `count` tags behind `last`, sorted, and whether there are more."""
        return _page(self._get(repository).tag_names(), count, last)

    def catalog(self, count: int | None = None, last: str = "") -> tuple[list[str], bool]:
        """Return at most `count` repositories behind `last`, sorted, and whether there are more."""
        return _page(self.repositories(), count, last)

    def tags_of(self, repository: str, digest: str) -> list[str]:
        """Return the tags that name this digest."""
        found = self._repositories.get(repository) or _Repository()
        return sorted(tag for tag, named in found.tags.items() if named == digest)

    def referrers(self, repository: str, subject: str) -> list[Manifest]:
        """Return the manifests that are about `subject`, in the order of their arrival."""
        found = self._repositories.get(repository)
        if found is None:
            return []
        return [found.manifests[digest] for digest in found.referrers.get(subject, ())]

    # Changing

    def link_blob(self, repository: str, digest: str) -> None:
        """Make content that is in place visible in a repository."""
        if not self.has_blob(repository, digest):
            self._record(("blob", repository, digest))

    def unlink_blob(self, repository: str, digest: str) -> None:
        """Take a blob out of a repository; its content goes with the last link."""
        self._record(("unblob", repository, digest))
        self.drop_unlinked(digest)

    def put_manifest(self, repository: str, manifest: Manifest, tag: str = "") -> None:
        """Add a manifest whose content is in place, and let `tag` name it."""
        changes: list[Change] = []
        if self.manifest(repository, manifest.digest) != manifest:
            changes.append(("manifest", repository, manifest.digest, manifest.media_type))
        if tag:
            changes.append(("tag", repository, tag, manifest.digest))
        self._record(*changes)

    def remove_manifest(self, repository: str, digest: str) -> None:
        """Remove a manifest with every tag on it."""
        tags = self.tags_of(repository, digest)
        self._record(*(("untag", repository, tag) for tag in tags), ("unmanifest", repository, digest))
        self.drop_unlinked(digest)

    def remove_tag(self, repository: str, tag: str) -> None:
        """Remove one tag and nothing else."""
        self._record(("untag", repository, tag))

    def drop_unlinked(self, digest: str) -> None:
        """Remove content that no repository shows."""
        if digest not in self._links:
            self.content.remove(digest)

    # The index

    def _get(self, repository: str) -> _Repository:
        found = self._repositories.get(repository)
        if found is None:
            raise Refused(404, "NAME_UNKNOWN", detail={"name": repository})
        return found

    def _record(self, *changes: Change) -> None:
        lines = b"".join(_line(change) for change in changes)
        _append(self._journal, lines)
        for change in changes:
            self._apply(change)

    def _apply(self, change: Change) -> None:
        kind, name, key = change[:3]
        repository = self._repositories.setdefault(name, _Repository())
        if kind == "blob":
            repository.blobs.add(key)
            self._links[key] += 1
        elif kind == "unblob":
            repository.blobs.discard(key)
            self._unlink(key)
        elif kind == "manifest":
            self._add_manifest(repository, key, change[3])
        elif kind == "unmanifest":
            gone = repository.manifests.pop(key)
            repository.referrers.get(gone.subject, {}).pop(key, None)
            self._unlink(key)
        elif kind == "tag":
            if key not in repository.tags:
                repository.sorted_tags = None
            repository.tags[key] = change[3]
        else:
            repository.sorted_tags = None
            repository.tags.pop(key, None)

    def _add_manifest(self, repository: _Repository, digest: str, media_type: str) -> None:
        if digest not in repository.manifests:
            self._links[digest] += 1
        manifest = read_manifest(self.content.read(digest), digest, media_type)
        repository.manifests[digest] = manifest
        if manifest.subject:
            repository.referrers.setdefault(manifest.subject, {})[digest] = None

    def _unlink(self, digest: str) -> None:
        self._links[digest] -= 1
        if self._links[digest] <= 0:
            del self._links[digest]

    # The journal

    def _replay(self, path: Path) -> None:
        lost = 0
        for line in path.read_bytes().splitlines() if path.exists() else ():
            change = _read(line)
            if change is None or not self._holds(change):
                lost += 1
                continue
            self._apply(change)
        if lost:
            self.notes.append(
                f"{plural(lost, 'line')} of {clean(str(path))} cannot be used and was left out:"
                " unreadable, or about content that is not there."
            )

    def _holds(self, change: Change) -> bool:
        """Tell whether a change that was read can be made: what it is about is there."""
        kind, name, key = change[:3]
        repository = self._repositories.get(name) or _Repository()
        if kind == "manifest":
            return self._is_manifest(key, change[3])
        if kind == "blob":
            return key not in repository.blobs and self.content.has(key)
        if kind == "tag":
            return change[3] in repository.manifests
        kept: Iterable[str] = {
            "unblob": repository.blobs,
            "unmanifest": repository.manifests,
            "untag": repository.tags,
        }[kind]
        return key in kept

    def _is_manifest(self, digest: str, media_type: str) -> bool:
        try:
            read_manifest(self.content.read(digest), digest, media_type)
        except (OSError, Refused):
            return False
        return True

    def _compact(self, path: Path) -> None:
        """Write the journal anew, without what was undone later."""
        changes: list[Change] = []
        for name, repository in self._repositories.items():
            changes += [("blob", name, digest) for digest in sorted(repository.blobs)]
            changes += [
                ("manifest", name, digest, manifest.media_type)
                for digest, manifest in repository.manifests.items()
            ]
            changes += [("tag", name, tag, digest) for tag, digest in repository.tags.items()]
        part = path.with_suffix(".part")
        part.write_bytes(b"".join(map(_line, changes)))
        part.replace(path)


_FIELDS = {"blob": 3, "unblob": 3, "manifest": 4, "unmanifest": 3, "tag": 4, "untag": 3}


def _read(line: bytes) -> Change | None:
    """Return the change that a line tells; None for anything that this program would not write."""
    try:
        change = json.loads(line)
    except (ValueError, RecursionError):
        return None
    if not isinstance(change, list) or not all(isinstance(part, str) for part in change):
        return None
    if not change or len(change) != _FIELDS.get(change[0]) or not is_repository_path(change[1]):
        return None
    if not (is_tag if change[0].endswith("tag") else is_digest)(change[2]):
        return None
    return change


def _line(change: Change) -> bytes:
    return json.dumps(change).encode() + b"\n"


def _append(journal: int, lines: bytes) -> None:
    """Write whole lines or none: half a line would take the next one with it."""
    if lines and (written := os.write(journal, lines)) != len(lines):
        os.ftruncate(journal, os.fstat(journal).st_size - written)
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def _page(names: list[str], count: int | None, last: str) -> tuple[list[str], bool]:
    start = bisect_right(names, last) if last else 0
    end = len(names) if count is None else start + count
    return names[start:end], count is not None and count > 0 and end < len(names)


def _claim(directory: Path) -> int:
    """Make the directory this process's own, for as long as the returned descriptor is open."""
    where = clean(str(directory))
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not (directory / LOCK).exists() and any(directory.iterdir()):
            raise DockpassError(
                "sandbox-directory-foreign",
                f"{where} holds files that no sandbox has put there.",
                "Name an empty directory, or one that does not exist yet.",
            )
        lock = os.open(directory / LOCK, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise DockpassError(
            "sandbox-directory",
            f"The sandbox cannot keep its images in {where}: {error.strerror or error}.",
            "Name a directory that you may write to.",
        ) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(lock)
        raise DockpassError(
            "sandbox-directory-in-use",
            f"Another sandbox uses {where} at this moment.",
            "Stop that one, or name another directory.",
        ) from error
    return lock
