"""Makes the plan that a person reads before a run. Pure but for the current git branch."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from dockpass.auth.command import Command
from dockpass.builders.choice import BuilderChoice
from dockpass.buildfiles.find import BuildSources
from dockpass.buildfiles.needs import needs_in_words
from dockpass.cleanup.options import CleanupOptions
from dockpass.cleanup.rules import check_patterns
from dockpass.errors import UsageError
from dockpass.runs.asked import asked_in_words, hosts_of_run
from dockpass.runs.builder import Builders, chosen_builder, needs_of_build
from dockpass.runs.events import Phase
from dockpass.runs.foreign import foreign_question
from dockpass.runs.lines import command_line
from dockpass.runs.login import ENGINE_COMMANDS
from dockpass.runs.plan import Plan, PlannedPhase
from dockpass.runs.references import references_of_request
from dockpass.runs.request import BuildOptions, RunRequest
from dockpass.runs.services import Services
from dockpass.runs.sources import require_buildable, sources_of_build
from dockpass.runs.tags import default_tag
from dockpass.text import clean
from dockpass.units import exact_span


def make_plan(
    request: RunRequest,
    services: Services,
    builders: Builders | None = None,
    sources: Callable[[Path, BuildOptions], BuildSources] = sources_of_build,
    *,
    is_looking: bool = False,
) -> Plan:
    """Say what a run will create, who logs in where, what it does and what it removes.

    `builders` are what a survey found, None where there was none; `is_looking` tells that it goes on.
    `sources` reads the build file.
    """
    chosen: BuilderChoice | None = None
    refusal: tuple[str, ...] = ()
    found: BuildSources | None = None
    is_build = request.command is Command.BUILD
    try:
        if is_build:
            found = sources(services.cwd, request.build)
            if builders is not None:
                chosen = chosen_builder(builders, found.needs, request.build)
            require_buildable(found, request, services.cwd)
        elif request.command is Command.CLEANUP:
            check_patterns(request.cleanup)
        else:
            references_of_request(request, services)
    except UsageError as error:
        refusal = tuple(clean(each) for each in (error.message, error.hint) if each)
    phases = (
        PlannedPhase(Phase.CREATE_CONFIG, "Create the config", _created(request)),
        PlannedPhase(Phase.LOGIN, "Log in", _login(request, chosen) + _way(request, services)),
        *_work(request, _target(request, services)),
        PlannedPhase(Phase.REMOVE_CONFIG, "Remove the config", "then verify that it is gone"),
    )
    return Plan(
        title=_target(request, services),
        phases=phases,
        confirm=_confirmation(request, services),
        foreign=foreign_question(request),
        command_line=command_line(request, services),
        builder=chosen.in_words if chosen else "",
        waits_for_builder=is_build and is_looking and not refusal,
        needs=needs_in_words(needs_of_build(found.needs, request.build)) if found else "",
        asks=tuple(asked_in_words(request)) if is_build else (),
        refusal=refusal,
    )


def _target(request: RunRequest, services: Services) -> str:
    if request.command is Command.BUILD:
        return clean(request.build.file or request.build.config or str(services.cwd))
    if request.command is Command.CLEANUP:
        return clean(request.decision.repo)
    tags = request.tags or (default_tag(services.cwd, request.facts, services.environ).tag,)
    return clean(f"{request.decision.repo}:{', '.join(tags)}")


def _created(request: RunRequest) -> str:
    keys = request.decision.login or hosts_of_run(request)
    what = ", ".join(keys) or "no registry"
    return clean(f"a directory of mode 0700 with config.json of mode 0600, for {what}")


def _login(request: RunRequest, chosen: BuilderChoice | None) -> str:
    decision = request.decision
    if not decision.login:
        return clean(f"none; the entry of {decision.config_dir} is used where there is one")
    secret = "the given password" if decision.secret_from == "option" else decision.secret_from  # noqa: S105
    return clean(f"{decision.username} with {secret} at {', '.join(decision.login)}{_by(request, chosen)}")


def _by(request: RunRequest, chosen: BuilderChoice | None) -> str:
    """Say who logs in; for a build that depends on the builder."""
    if request.command is Command.BUILD and chosen is None:
        return ""
    itself = chosen is not None and chosen.builder.asks_itself
    return ", by the engine" if request.command in ENGINE_COMMANDS and not itself else ", by dockpass"


def _way(request: RunRequest, services: Services) -> str:
    """Say by which proxy the registries are asked, and who follows another one."""
    ways = dict.fromkeys(filter(None, map(services.policy.way_to, hosts_of_run(request))))
    if not ways:
        return ""
    by_engine = request.command in ENGINE_COMMANDS
    return f", {', '.join(ways)}" + "; Docker and Podman use their daemon's own proxy" * by_engine


def _work(request: RunRequest, target: str) -> tuple[PlannedPhase, ...]:
    match request.command:
        case Command.BUILD:
            images = [clean(image.reference) for image in request.facts.base_images or ()]
            images += [f"{image.text}, which is not known" for image in request.facts.unknown_images]
            pulled = f"pulls {', '.join(images)}" if images else "pulls nothing"
            return (PlannedPhase(Phase.BUILD, "Build", pulled),)
        case Command.PUSH:
            return (
                PlannedPhase(Phase.TAG, "Tag", f"the local image as {target}"),
                PlannedPhase(Phase.PUSH, "Push", target),
                PlannedPhase(Phase.UNTAG, "Remove the tag", "the local name, unless it existed before"),
            )
        case Command.PULL:
            return (PlannedPhase(Phase.PULL, "Pull", target),)
        case Command.CLEANUP:
            return _cleanup_work(request.cleanup, target)
        case Command.DEPLOY:
            return (PlannedPhase(Phase.INSPECT, "Look up", f"manifest and image of {target}"),)


def _cleanup_work(options: CleanupOptions, repo: str) -> tuple[PlannedPhase, ...]:
    listing = PlannedPhase(Phase.LIST, "List the tags", f"of {repo}, with digest and age of each")
    if options.dry_run:
        return (listing,)
    return (
        listing,
        PlannedPhase(Phase.CONFIRM, "Ask", "with everything that would be deleted"),
        PlannedPhase(Phase.DELETE, "Delete", rules_in_words(options)),
    )


def rules_in_words(options: CleanupOptions) -> str:
    """Return which tags the rules of a cleanup delete."""
    rules = []
    if options.match is not None:
        rules.append(f"match {clean(options.match)}")
    if options.keep_last is not None:
        rules.append(f"are not among the newest {options.keep_last}")
    if options.older_than is not None:
        rules.append(f"are older than {exact_span(options.older_than)}")
    if not rules:
        return "nothing: no rule selects any tag"
    rules += [f"do not match {clean(keep)}" for keep in options.keep]
    return f"tags that {_and(rules)}; none younger than 2 hours"


def _and(parts: Sequence[str]) -> str:
    if len(parts) == 1:
        return parts[0]
    return f"{', '.join(parts[:-1])}{',' if len(parts) > 2 else ''} and {parts[-1]}"


def _confirmation(request: RunRequest, services: Services) -> str | None:
    if request.command is Command.PUSH:
        return f"Push {_target(request, services)}?"
    if request.command is Command.CLEANUP and not request.cleanup.dry_run:
        return "List the tags, and ask before anything is deleted?"
    return None
