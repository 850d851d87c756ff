"""Build the image that a Dockerfile or a werf.yaml describes."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from dockpass.buildfiles.find import refused
from dockpass.engines.base import BuildRequest
from dockpass.errors import UsageError
from dockpass.references.reference import parse_reference
from dockpass.runs.events import LogKind, Phase
from dockpass.runs.job import Job
from dockpass.runs.lastbuild import remember_build
from dockpass.runs.login import opened_engine
from dockpass.runs.sources import sources_of_build
from dockpass.system import reason


def build(job: Job) -> Callable[[], str]:
    """Prepare to build, unless this engine cannot; what is built here is remembered for the next push."""
    request = _build_request(job)
    opened_engine(job).check_build(request)
    return partial(_build, job, request)


def _build(job: Job, request: BuildRequest) -> str:
    with job.phase(Phase.BUILD, str(request.dockerfile)) as report:
        image_id = job.engine().build(request, job.config, job)
        report.detail = image_id
    try:
        remember_build(job.services.state, job.services.cwd, image_id)
    except OSError as error:
        job.not_kept(reason(error))
    names = f", named {', '.join(request.tags)}" if request.tags else ""
    return f"built {image_id}{names}"


def _build_request(job: Job) -> BuildRequest:
    sources = sources_of_build(job.services.cwd, job.request.build)
    for finding in sources.findings:
        job.log(f"{finding.about}: {finding.message}", LogKind.WARNING)
    if sources.refusal is not None:
        raise refused(sources.refusal)
    if sources.unsupported:
        raise UsageError(
            "build-unsupported",
            sources.unsupported,
            "Build it with werf itself, or describe the image with `dockerfile:`.",
        )
    if sources.unknown:
        found = sources.unknown[0]
        raise UsageError(
            "base-unknown",
            f"{found.origin}: {found.text} is not known: {found.because}.",
            "Give what is missing, for example with --build-arg.",
        )
    if sources.dockerfile is None or sources.context is None:
        raise UsageError(
            "no-build-file",
            f"There is no Dockerfile and no werf.yaml in {job.services.cwd}.",
            "Name one with --file or --config, or the directory with --context.",
        )
    return BuildRequest(
        context=sources.context,
        dockerfile=sources.dockerfile,
        tags=tuple(str(parse_reference(tag)) for tag in job.request.tags),
        target=sources.target,
        build_args=sources.args,
        needs_buildkit=sources.needs_buildkit,
        platform=sources.platform,
        contexts=sources.contexts,
        named_root=job.services.cwd,
    )
