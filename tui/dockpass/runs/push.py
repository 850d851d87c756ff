"""Push: name the local image, push it, take the name away again."""

from __future__ import annotations

import fcntl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from dockpass.auth.reference import Reference
from dockpass.engines.base import program_of
from dockpass.errors import DockpassError
from dockpass.runs.events import LogKind, Phase
from dockpass.runs.job import Job
from dockpass.runs.lastbuild import last_build
from dockpass.runs.login import opened_engine
from dockpass.runs.references import references_of_run
from dockpass.text import clean


def push(job: Job) -> Callable[[], str]:
    """Prepare to push the local image under each of the run's references; raises where there is none."""
    references = references_of_run(job)
    opened_engine(job)
    for reference in references:
        _local_image(job, reference)
    return partial(_push, job, references)


def _push(job: Job, references: tuple[Reference, ...]) -> str:
    digests = [_push_one(job, reference) for reference in references]
    return "pushed " + ", ".join(
        f"{reference}@{digest}" if digest else str(reference)
        for reference, digest in zip(references, digests, strict=True)
    )


def _push_one(job: Job, reference: Reference) -> str:
    name = str(reference)
    image = _local_image(job, reference, told=True)
    with _named(job, image, name), job.phase(Phase.PUSH, name) as report:
        digest = job.engine().push(name, job.config, job)
        report.detail = digest
    return digest


def _local_image(job: Job, reference: Reference, *, told: bool = False) -> str:
    """Return the id of the image to push; `told` where the log has it already."""
    engine, asked = job.engine(), job.request.image
    if asked:
        if found := engine.image_id(asked):
            return found
        raise DockpassError(
            "image-missing",
            f"There is no local image {clean(asked)}.",
            f"`{program_of(engine.info())} images` lists what is there; `dockpass build --tag` makes one.",
        )
    if found := engine.image_id(str(reference)):
        return found
    built = last_build(job.services.state, job.services.cwd)
    if built and (found := engine.image_id(built)):
        if not told:
            job.log(f"pushing what was last built in {job.services.cwd}: {built}", LogKind.NOTE)
        return found
    raise DockpassError(
        "image-missing",
        f"There is nothing to push: no local image {reference}, and "
        + (
            f"{built}, last built in {job.services.cwd}, is gone."
            if built
            else f"nothing was built by dockpass in {job.services.cwd}."
        ),
        "Name the image with --image, or run `dockpass build` first.",
    )


@contextmanager
def _named(job: Job, image: str, name: str) -> Iterator[None]:
    """Give the image the name for as long as the push lasts; leave a name that was there as it was."""
    engine = job.engine()
    before = engine.image_id(name)
    if before == image:
        yield
        return
    with job.phase(Phase.TAG, f"{image[:19]} → {name}") as report:
        engine.tag(image, name)
        report.detail = name
    try:
        yield
    finally:
        _give_back(job, name, before)


def _give_back(job: Job, name: str, before: str | None) -> None:
    with job.closing_phase(Phase.UNTAG, name) as report:
        if before is None:
            with _no_other_untags(job.services.state):
                removed = job.engine().untag(name)
            report.detail = f"{name} removed" if removed else f"{name} kept: it is the image's last name"
        else:
            job.engine().tag(before, name)
            report.detail = f"{name} names {before[:19]} again"


@contextmanager
def _no_other_untags(state: Path) -> Iterator[None]:
    """Keep out other pushes of this person.

    Docker deletes an image with its last name, and cannot be asked to keep the last one: of two pushes
    that each see the other's name, both would remove theirs.
    """
    try:
        state.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = (state / "untag.lock").open("ab")
    except OSError as error:
        raise DockpassError(
            "state-unwritable",
            f"The name was kept: {clean(str(error))}, and without a lock the image could be lost.",
            "Set DOCKPASS_STATE to a directory that can be written, or remove the name with `docker rmi`.",
        ) from error
    with lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
