"""Build the image that a Dockerfile or a werf.yaml describes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

from dockpass.builders.base import Builder
from dockpass.builders.names import BuilderName
from dockpass.builders.options import contents_of, parse_secrets
from dockpass.buildfiles.find import BuildSources
from dockpass.engines.base import BuildExtras, BuildRequest
from dockpass.errors import Cancelled, DockpassError
from dockpass.references.address import host_of_reference
from dockpass.references.reference import parse_reference
from dockpass.runs.asked import asked_in_words
from dockpass.runs.builder import Builders, chosen_builder
from dockpass.runs.contact import contact
from dockpass.runs.events import LogKind, Phase
from dockpass.runs.job import Job
from dockpass.runs.lastbuild import remember_build
from dockpass.runs.login import opened_engine
from dockpass.runs.sources import require_buildable, sources_of_build
from dockpass.system import reason
from dockpass.text import clean

_BY_BUILDKIT = frozenset({BuilderName.BUILDX, BuilderName.BUILDKIT})
_OWN_BUILDER, _OWN_PLATFORM = "BUILDX_BUILDER", "DOCKER_DEFAULT_PLATFORM"


def build(job: Job) -> Callable[[], str]:
    """Prepare to build, unless no builder can; what is built here is remembered for the next push."""
    sources = sources_of_build(job.services.cwd, job.request.build)
    request = _build_request(job, sources)
    builder = _opened_builder(job, sources)
    builder.check(request)
    return partial(_build, job, builder, request)


def _build(job: Job, builder: Builder, request: BuildRequest) -> str:
    local = _local_bases(job, builder)
    with job.phase(Phase.BUILD, str(request.dockerfile)) as report:
        image_id = builder.build(request, job.config, job)
        report.detail = image_id
    # An engine may ask the registry all the same; then its builder says so, and nothing is claimed.
    local = tuple(each for each in local if host_of_reference(each) not in builder.given_logins)
    try:
        remember_build(job.services.state, job.services.cwd, image_id)
    except OSError as error:
        job.not_kept(reason(error))
    names = f", named {', '.join(request.tags)}" if request.tags else ""
    pushed = " and pushed" if request.extras.push else ""
    return f"built{pushed} {image_id}{names}{_without_login(local)}"


def _opened_builder(job: Job, sources: BuildSources) -> Builder:
    """Choose the builder, say why, and make it known to the run; raises `UsageError` where none can."""
    services, engine = job.services, opened_engine(job)
    environ = services.run_environ(job.facts)
    found = services.find_builders(engine.info(), environ, services.home)
    builders = Builders(engine=engine.info().name, found=found)
    chosen = chosen_builder(builders, sources.needs, job.request.build)
    taken = next(each for each in found if each.info is chosen.builder)
    job.log(f"built by {chosen.in_words}", LogKind.NOTE)
    for note in unused_variables(chosen.builder.name, environ, sources.platform):
        job.log(note, LogKind.NOTE)
    for asked in asked_in_words(job.request):
        job.log(asked, LogKind.NOTE)
    job.builder = builder = taken.open(engine, environ, job.guard, partial(contact, job))
    job.sections = taken.sections
    job.on_cancel(builder.cut)
    return builder


def unused_variables(name: BuilderName, environ: Mapping[str, str], platform: str) -> Iterator[str]:
    """Yield which variables of docker's builds are not used, though they are set."""
    if name in _BY_BUILDKIT and environ.get(_OWN_BUILDER):
        yield f"{_OWN_BUILDER} is not used: the build runs in this engine's own BuildKit"
    if name in {*_BY_BUILDKIT, BuilderName.CLASSIC} and not platform and (own := environ.get(_OWN_PLATFORM)):
        yield f"{_OWN_PLATFORM} is not used: --platform {clean(own, 80)} builds for that platform"


def _local_bases(job: Job, builder: Builder) -> tuple[str, ...]:
    """Return the base images that the builder takes from the local store, without asking anybody."""
    if job.request.build.pull:
        return ()
    bases = dict.fromkeys(image.reference for image in job.facts.base_images or ())
    return tuple(each for each in bases if _has_locally(builder, each))


def _has_locally(builder: Builder, reference: str) -> bool:
    """Tell whether a base image is there; where that cannot be told, nothing is claimed."""
    try:
        return builder.has_locally(reference)
    except Cancelled:
        raise
    except DockpassError:
        return False


def _without_login(local: Sequence[str]) -> str:
    if not local:
        return ""
    them = "it" if len(local) == 1 else "them"
    return f"; {', '.join(local)} came from the local store, so no login was used for {them} (--pull asks)"


def _extras_of(job: Job) -> BuildExtras:
    build, services = job.request.build, job.services
    secrets = parse_secrets(build.secrets, services.run_environ(job.facts), services.cwd)
    for secret in secrets:
        for content in contents_of(secret):
            services.redactor.learn(content)
    return BuildExtras(
        secrets=secrets,
        ssh=build.ssh,
        cache_from=build.cache_from,
        cache_to=build.cache_to,
        push=build.push,
        pull=build.pull,
        network=build.network,
    )


def _build_request(job: Job, sources: BuildSources) -> BuildRequest:
    for finding in sources.findings:
        job.log(f"{finding.about}: {finding.message}", LogKind.WARNING)
    dockerfile, context = require_buildable(sources, job.request, job.services.cwd)
    return BuildRequest(
        context=context,
        dockerfile=dockerfile,
        tags=tuple(str(parse_reference(tag)) for tag in job.request.tags),
        target=sources.target,
        build_args=sources.args,
        platform=sources.platform,
        contexts=sources.contexts,
        named_root=job.services.cwd,
        extras=_extras_of(job),
        accepted=frozenset(job.request.decision.login),
    )
