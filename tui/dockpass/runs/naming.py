"""The name that an image has for the length of a push.

An engine pushes by name only. A name that was there before is what it was afterwards; one that was made for
the push is removed. Pushes to one name take turns, so that none takes another's name away. What a killed push
left is put right by the next push: a note beside the locks says what was there before.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from dockpass.errors import DockpassError
from dockpass.keeping import keep
from dockpass.references.reference import parse_reference
from dockpass.runs.events import LogKind, Phase
from dockpass.runs.job import Job
from dockpass.text import clean
from dockpass.turns import NoTurn, shared_place, turn

NOTE_PREFIX = "dockpass-name-"
LONGEST_NOTE = 4096
POLL_SECONDS = 0.05
MOST_NOTES = 100
MOST_WAITS = 200
"""For the short turn in which a name is removed: ten seconds."""


@dataclass(frozen=True, slots=True)
class _Note:
    """`name` was given to the image with the id `image`; until then it named `before`, if anything."""

    name: str
    image: str
    before: str | None
    engine: str  # a hash of its address, which may hold a password


class _Busy(Exception):
    """Another process has the turn."""


class Name:
    """One name during one push. `hold` makes sure that the image has it, again where it was taken away."""

    def __init__(self, job: Job, image: str, name: str) -> None:
        self._job = job
        self._image = image
        self._name = name
        self._before = job.engine().image_id(name)
        self._given = False

    def hold(self) -> None:
        """Give the image its name, unless it has it."""
        if self._before == self._image and not self._given:
            return
        _write_note(self._job, _Note(self._name, self._image, self._before, _engine(self._job)))
        with self._job.phase(Phase.TAG, f"{self._image[:19]} → {self._name}") as report:
            self._given = True
            self._job.engine().tag(self._image, self._name)
            report.detail = self._name

    def hold_again(self) -> bool:
        """Give it once more if nothing has the name now; tell whether that was so."""
        if self._job.engine().image_id(self._name) is not None:
            return False
        self._job.log(f"{self._name} was removed during the push; naming the image again", LogKind.NOTE)
        self._before, self._given = None, True  # whoever removed it meant it to be gone
        self.hold()
        return True

    def give_back(self) -> None:
        """Leave the name as it was."""
        if not self._given:
            return
        with self._job.closing_phase(Phase.UNTAG, self._name) as report:
            report.detail = _restore(self._job, self._name, self._before)
        _remove_note(self._name)


@contextmanager
def naming(job: Job, name: str) -> Iterator[None]:
    """Keep other pushes to this name waiting, those of other users too."""
    told = False

    def wait(path: Path) -> None:
        nonlocal told
        job.check()
        if not told:
            job.log(f"waiting for another push to {name} to end ({path} is locked)", LogKind.NOTE)
        told = True
        job.pause(POLL_SECONDS)

    with ExitStack() as held:
        try:
            held.enter_context(turn(name, wait))
        except NoTurn as error:
            job.log(f"other pushes to {name} are not held back: {error}", LogKind.WARNING)
        yield


def put_right(job: Job) -> None:
    """Give back the names that killed pushes of this user left at this engine. What fails is a warning."""
    for path in _notes():
        note = _read_note(path)
        if note is None or note.engine != _engine(job):
            continue
        try:
            with turn(note.name, _give_up):
                if path.exists():  # its owner has not come to its end meanwhile
                    _put_one_right(job, note)
        except (_Busy, NoTurn):
            continue  # its push goes on


def _put_one_right(job: Job, note: _Note) -> None:
    try:
        if job.engine().image_id(note.name) == note.image:
            done = _restore(job, note.name, note.before)
            job.log(f"a killed push had left the name {note.name}: {done}", LogKind.NOTE)
    except DockpassError as error:
        job.check()
        job.log(f"a killed push left the name {note.name}: {error.message}", LogKind.WARNING)
    _remove_note(note.name)


def _restore(job: Job, name: str, before: str | None) -> str:
    """Let the name be what it was; return what was done. An image's last name stays: see `Engine.untag`."""
    engine = job.engine()
    if before is not None:
        engine.tag(before, name)
        return f"{name} names {before[:19]} again"
    image = engine.image_id(name)
    waits = 0

    def wait(_path: Path) -> None:
        nonlocal waits
        waits += 1
        if waits > MOST_WAITS:
            raise _Busy
        job.pause(POLL_SECONDS)

    try:
        # Of two pushes that each see the other's name on one image, both would remove theirs, and docker
        # deletes an image with its last name.
        with turn(f"names of {image}", wait):
            removed = engine.untag(name)
    except (_Busy, NoTurn) as error:
        why = str(error) or "another process is changing the names of this image"
        job.log(f"{name} was kept: without a lock the image could be lost: {why}", LogKind.WARNING)
        return f"{name} kept"
    return f"{name} removed" if removed else f"{name} kept: it is the image's last name"


def _give_up(_path: Path) -> None:
    raise _Busy


def _engine(job: Job) -> str:
    return hashlib.sha256(job.engine().info().endpoint.encode()).hexdigest()[:32]


def _note_path(name: str) -> Path:
    return shared_place() / f"{NOTE_PREFIX}{os.getuid()}-{hashlib.sha256(name.encode()).hexdigest()[:32]}"


def _write_note(job: Job, note: _Note) -> None:
    try:
        keep(_note_path(note.name), json.dumps(asdict(note)).encode())
    except (OSError, NoTurn) as error:
        job.log(f"if this push is killed, it leaves the name {note.name}: {clean(str(error))}", LogKind.NOTE)


def _remove_note(name: str) -> None:
    with suppress(OSError, NoTurn):
        _note_path(name).unlink()


def _notes() -> list[Path]:
    try:
        return sorted(shared_place().glob(f"{NOTE_PREFIX}{os.getuid()}-*"))[:MOST_NOTES]
    except (OSError, NoTurn):
        return []


def _read_note(path: Path) -> _Note | None:
    """Return what a note of this user says; anything else that lies there is none."""
    try:
        file = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        status = os.fstat(file)
        if not stat.S_ISREG(status.st_mode) or status.st_uid != os.getuid() or status.st_mode & 0o077:
            return None
        found = json.loads(os.read(file, LONGEST_NOTE))
        note = _Note(**found)
        parse_reference(note.name)
        texts = (note.name, note.image, note.engine, note.before or "")
        return note if all(isinstance(text, str) for text in texts) else None
    except (OSError, ValueError, TypeError, RecursionError, DockpassError):
        return None
    finally:
        os.close(file)
