"""Pull each of the run's references."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from dockpass.references.reference import Reference
from dockpass.runs.events import Phase
from dockpass.runs.job import Job
from dockpass.runs.references import references_of_run


def pull(job: Job) -> Callable[[], str]:
    """Prepare to pull each of the run's references."""
    return partial(_pull, job, references_of_run(job))


def _pull(job: Job, references: tuple[Reference, ...]) -> str:
    done = []
    for reference in references:
        name = str(reference)
        with job.phase(Phase.PULL, name) as report:
            digest = job.engine().pull(name, job.config, job)
            report.detail = digest
        done.append(f"{name}@{digest}" if digest else name)
    return "pulled " + ", ".join(done)
