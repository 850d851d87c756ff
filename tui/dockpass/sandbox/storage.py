"""Repositories: which blobs and manifests are visible where, and which tags name them.

The index lives in memory and in a journal, one JSON line a change, which is replayed at the start. One
thread uses a storage: every change is whole before anybody else looks.
"""

from __future__ import annotations

import fcntl
import os
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from dockpass.errors import DockpassError
from dockpass.sandbox.answers import Refused
from dockpass.sandbox.blobs import BlobStore
from dockpass.sandbox.journal import Change, append, read_journal, write_journal
from dockpass.sandbox.leftovers import LOCK
from dockpass.sandbox.manifests import Manifest, read_manifest
from dockpass.text import clean, plural

JOURNAL = "index.jsonl"


@dataclass(slots=True)
class _Repository:
    blobs: set[str] = field(default_factory=set)
    manifests: dict[str, Manifest] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    referrers: dict[str, dict[str, None]] = field(default_factory=dict)
    sorted_tags: list[str] | None = None
    had_manifests: bool = False

    def tag_names(self) -> list[str]:
        if self.sorted_tags is None:
            self.sorted_tags = sorted(self.tags)
        return self.sorted_tags


class Storage:
    """What a registry holds, in one directory; `notes` say what was found wrong there."""

    def __init__(self, directory: Path) -> None:
        self.notes: list[str] = []
        self._lock = claim(directory)
        try:
            self.content = BlobStore(directory)
            self._repositories: dict[str, _Repository] = {}
            self._links: Counter[str] = Counter()
            path = directory / JOURNAL
            self._load(path)
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

    def repositories(self) -> list[str]:
        """Return the names of those that ever had a manifest, sorted."""
        return sorted(name for name, found in self._repositories.items() if found.had_manifests)

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
        """Return at most `count` tags behind `last`, sorted, and whether there are more.

        Raises `Refused` (NAME_UNKNOWN) where no manifest was ever pushed.
        """
        found = self._repositories.get(repository)
        if found is None or not found.had_manifests:
            raise Refused(404, "NAME_UNKNOWN", detail={"name": repository})
        return _page(found.tag_names(), count, last)

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

    def put_manifest(self, repository: str, manifest: Manifest, tags: Iterable[str] = ()) -> None:
        """Add a manifest whose content is in place, and let each of `tags` name it."""
        changes: list[Change] = []
        if self.manifest(repository, manifest.digest) != manifest:
            changes.append(("manifest", repository, manifest.digest, manifest.media_type))
        changes += [("tag", repository, tag, manifest.digest) for tag in tags]
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

    def _record(self, *changes: Change) -> None:
        append(self._journal, changes)
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
        manifest = read_manifest(self.content.read(digest), digest, media_type)
        if digest not in repository.manifests:
            self._links[digest] += 1
        repository.manifests[digest] = manifest
        repository.had_manifests = True
        if manifest.subject:
            repository.referrers.setdefault(manifest.subject, {})[digest] = None

    def _unlink(self, digest: str) -> None:
        self._links[digest] -= 1
        if self._links[digest] <= 0:
            del self._links[digest]

    def _load(self, path: Path) -> None:
        """Take over what the journal leaves of its changes, as far as the content is still there."""
        changes, unread = read_journal(path)
        usable = [change for change in changes if self._load_one(change)]
        if unread:
            self.notes.append(
                f"{plural(unread, 'line')} of {clean(str(path))} cannot be read and was left out."
            )
        if len(usable) < len(changes):
            lost = plural(len(changes) - len(usable), "entry", "entries")
            self.notes.append(f"The content of {lost} in {clean(str(path))} is gone; left out.")
        write_journal(path, usable)

    def _load_one(self, change: Change) -> bool:
        kind, name, key = change[:3]
        if kind == "blob" and not self.content.has(key):
            return False
        if kind == "tag" and change[3] not in self._repositories.get(name, _Repository()).manifests:
            return False
        try:
            self._apply(change)
        except (OSError, Refused):
            return False
        return True


def _page(names: list[str], count: int | None, last: str) -> tuple[list[str], bool]:
    start = bisect_right(names, last) if last else 0
    end = len(names) if count is None else start + count
    return names[start:end], count is not None and count > 0 and end < len(names)


def claim(directory: Path) -> int:
    """Make the directory this process's own, for as long as the returned descriptor is open.

    Raises `DockpassError` for a directory that holds another program's files, or that is in use.
    """
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
            f"The sandbox cannot keep its files in {where}: {error.strerror or error}.",
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
