"""Push: name the local image, push it, take the name away again."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from dockpass.errors import DockpassError
from dockpass.references.reference import Reference
from dockpass.runs.events import LogKind, Phase
from dockpass.runs.job import Job
from dockpass.runs.localimage import find_local_image
from dockpass.runs.login import opened_engine
from dockpass.runs.naming import Name, naming, put_right
from dockpass.runs.references import references_of_run

MOST_TRIES = 3


def push(job: Job) -> Callable[[], str]:
    """Prepare to push the local image under each of the run's references; raises where there is none."""
    references = references_of_run(job)
    opened_engine(job)
    for reference in references:
        _local_image(job, reference)
    return partial(_push, job, references)


def _push(job: Job, references: tuple[Reference, ...]) -> str:
    put_right(job)
    digests = [_push_one(job, reference) for reference in references]
    return "pushed " + ", ".join(
        f"{reference}@{digest}" if digest else str(reference)
        for reference, digest in zip(references, digests, strict=True)
    )


def _push_one(job: Job, reference: Reference) -> str:
    text = str(reference)
    with naming(job, text):
        name = Name(job, _local_image(job, reference, told=True), text)
        try:
            name.hold()
            with job.phase(Phase.PUSH, text) as report:
                report.detail = digest = _pushed(job, name, text)
        finally:
            name.give_back()
    return digest


def _pushed(job: Job, name: Name, reference: str) -> str:
    """Push; where others at this engine remove the name meanwhile, name the image and push once more."""
    for _ in range(MOST_TRIES - 1):
        try:
            return job.engine().push(reference, job.config, job)
        except DockpassError:
            job.check()
            if not name.hold_again():
                raise
    return job.engine().push(reference, job.config, job)


def _local_image(job: Job, reference: Reference, *, told: bool = False) -> str:
    """Return the id of the image to push; `told` where the log has it already."""
    found = find_local_image(job.engine(), job.request.image, str(reference), job.services)
    if found.is_last_build and not told:
        job.log(f"pushing what was last built in {job.services.cwd}: {found.id}", LogKind.NOTE)
    return found.id
