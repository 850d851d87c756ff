"""The full references of a run: its repository with each tag, or the default one."""

from __future__ import annotations

from dockpass.errors import UsageError
from dockpass.references.reference import Reference, Repository, parse_repository, quoted, wrong_tag
from dockpass.runs.events import LogKind
from dockpass.runs.job import Job
from dockpass.runs.request import RunRequest
from dockpass.runs.services import Services
from dockpass.runs.tags import default_tag


def references_of_run(job: Job) -> tuple[Reference, ...]:
    """Return one reference for each tag asked for; raises `UsageError` for an invalid tag."""
    if job.request.tags:
        return tuple(tagged(job, tag) for tag in dict.fromkeys(job.request.tags))
    services = job.services
    found = default_tag(services.cwd, job.facts, services.environ)
    job.log(f"no tag given: {found.tag}, from {found.origin}", LogKind.NOTE)
    return (tagged(job, found.tag),)


def tagged(job: Job, tag: str) -> Reference:
    """Return the run's repository with `tag`."""
    return with_tag(job.repository, tag)


def with_tag(repository: Repository, tag: str) -> Reference:
    """Return a repository with a tag; raises `UsageError` for an invalid one."""
    if why := wrong_tag(tag):
        raise UsageError(
            "tag-invalid", f"{quoted(tag)} is not a valid tag: it {why}.", "Give a tag such as 1.2.0."
        )
    return Reference(repository.host, repository.path, tag)


def references_of_request(request: RunRequest, services: Services) -> tuple[Reference, ...]:
    """Return the references of a run before it begins; raises `UsageError` for an invalid tag."""
    repository = parse_repository(request.decision.repo)
    tags = request.tags or (default_tag(services.cwd, request.facts, services.environ).tag,)
    return tuple(with_tag(repository, tag) for tag in dict.fromkeys(tags))
