"""Makes the plan that a person reads before a run. Pure but for the current git branch."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from dockpass.auth.command import Command
from dockpass.auth.decision import WarningId
from dockpass.auth.facts import SourceKind, Variable
from dockpass.auth.rules import READ_BY_RULES
from dockpass.cleanup.options import CleanupOptions
from dockpass.cleanup.rules import span_text
from dockpass.references.address import host_of_registry
from dockpass.registry.proxies import NONE, proxies_of
from dockpass.runs.events import Phase
from dockpass.runs.login import ENGINE_COMMANDS
from dockpass.runs.plan import Plan, PlannedPhase
from dockpass.runs.request import RunRequest, hosts_of_run
from dockpass.runs.services import Services
from dockpass.runs.tags import default_tag
from dockpass.secrets import Secret
from dockpass.text import clean


def make_plan(request: RunRequest, services: Services) -> Plan:
    """Say what a run will create, who logs in where, what it does and what it removes."""
    phases = (
        PlannedPhase(Phase.CREATE_CONFIG, "Create the config", _created(request)),
        PlannedPhase(Phase.LOGIN, "Log in", _login(request) + _way(request, services)),
        *_work(request, _target(request, services)),
        PlannedPhase(Phase.REMOVE_CONFIG, "Remove the config", "then verify that it is gone"),
    )
    return Plan(
        title=_target(request, services),
        phases=phases,
        confirm=_confirmation(request, services),
        foreign=_foreign(request),
        command_line=(*command_line(request, services.environ), *_proxy_words(services)),
    )


def command_line(request: RunRequest, environ: Mapping[str, str]) -> tuple[str, ...]:
    """Return the same run as words of a command line, quoted for a shell, every secret as `$NAME`.

    `environ` is the process environment, in which the command line would be typed.
    """
    options = request.facts.options
    words = ["dockpass", str(request.command)]
    words += _option("--repo", options.repo)
    words += _option("--registry-username", options.registry_username)
    if options.registry_password:
        words += ["--registry-password-stdin"]
    for tag in request.tags:
        words += _option("--tag", tag)
    words += _option("--image", request.image or request.build.image)
    words += _build_words(request)
    words += _cleanup_words(request.cleanup)
    words += _edit_words(request, environ)
    return (*_secret_words(request), *words)


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


def _login(request: RunRequest) -> str:
    decision = request.decision
    if not decision.login:
        return clean(f"none; the entry of {decision.config_dir} is used where there is one")
    who = "by the engine" if request.command in ENGINE_COMMANDS else "by dockpass"
    secret = "the given password" if decision.secret_from == "option" else decision.secret_from  # noqa: S105
    return clean(f"{decision.username} with {secret} at {', '.join(decision.login)}, {who}")


def _way(request: RunRequest, services: Services) -> str:
    """Say by which proxy the registries are asked, and who follows another one."""
    ways = dict.fromkeys(filter(None, map(services.policy.way_to, hosts_of_run(request))))
    if not ways:
        return ""
    by_engine = request.command in ENGINE_COMMANDS
    return f", {', '.join(ways)}" + "; Docker and Podman use their daemon's own proxy" * by_engine


def _proxy_words(services: Services) -> list[str]:
    """Return the option that leaves the proxies of the environment unused, where it was given."""
    unused = services.policy.proxies == NONE != proxies_of(services.environ)
    return ["--no-proxy"] if unused else []


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
                PlannedPhase(Phase.UNTAG, "Remove the tag", "the local name, if it was not there"),
            )
        case Command.PULL:
            return (PlannedPhase(Phase.PULL, "Pull", target),)
        case Command.CLEANUP:
            return _cleanup_work(request.cleanup)
        case Command.DEPLOY:
            return (PlannedPhase(Phase.INSPECT, "Look up", f"manifest and image of {target}"),)


def _cleanup_work(options: CleanupOptions) -> tuple[PlannedPhase, ...]:
    listing = PlannedPhase(Phase.LIST, "List the tags", "with digest and age of each")
    if options.dry_run:
        return (listing,)
    return (
        listing,
        PlannedPhase(Phase.CONFIRM, "Ask", "with everything that would go"),
        PlannedPhase(Phase.DELETE, "Delete", rules_in_words(options)),
    )


def rules_in_words(options: CleanupOptions) -> str:
    """Return what the rules of a cleanup let go."""
    rules = []
    if options.match is not None:
        rules.append(f"tags like {clean(options.match)}")
    if options.keep_last is not None:
        rules.append(f"all but the newest {options.keep_last}")
    if options.older_than is not None:
        rules.append(f"older than {options.older_than / 86400:g} days")
    if not rules:
        return "nothing: no rule says what may go"
    kept = f", never {', '.join(clean(keep) for keep in options.keep)}" if options.keep else ""
    return "; ".join(rules) + kept + ", nothing younger than 2 hours"


def _confirmation(request: RunRequest, services: Services) -> str | None:
    if request.command is Command.PUSH:
        return f"Push {_target(request, services)}?"
    if request.command is Command.CLEANUP and not request.cleanup.dry_run:
        return f"List the tags of {_target(request, services)}, and ask before anything is deleted?"
    return None


def _foreign(request: RunRequest) -> str | None:
    decision = request.decision
    if not decision.warns(WarningId.FOREIGN_REGISTRY):
        return None
    registry = request.facts.text("CI_REGISTRY")
    sent = f"{decision.secret_from} would be sent to {', '.join(decision.login)}. "
    if host_of_registry(registry) not in decision.login:
        shown = clean(registry) or "not set"
        return f"{sent}CI_REGISTRY is {shown}, so this token was not made for that registry."
    found = next(notice for notice in decision.warnings if notice.id is WarningId.FOREIGN_REGISTRY)
    return f"{sent}That is not plainly its registry: {found.message}."


def _option(name: str, value: str | None) -> list[str]:
    return [name, shlex.quote(clean(value))] if value else []


def _build_words(request: RunRequest) -> list[str]:
    build, words = request.build, []
    for name, value in (
        ("--file", build.file),
        ("--config", build.config),
        ("--context", build.context),
        ("--target", build.target),
        ("--platform", build.platform),
    ):
        words += _option(name, value)
    for name, value in build.args.items():
        words += _option("--build-arg", f"{name}={value}")
    for pair in build.contexts:
        words += _option("--build-context", pair)
    return words


def _cleanup_words(options: CleanupOptions) -> list[str]:
    words = []
    if options.keep_last is not None:
        words += ["--keep-last", str(options.keep_last)]
    if options.older_than is not None:
        words += ["--older-than", span_text(options.older_than)]
    words += _option("--match", options.match)
    for keep in options.keep:
        words += _option("--keep", keep)
    return [*words, "--dry-run"] if options.dry_run else words


def _edit_words(request: RunRequest, environ: Mapping[str, str]) -> list[str]:
    words: list[str] = []
    for variable in _edited(request):
        if isinstance(variable.value, str):
            words += ["--set", shlex.quote(f"{variable.name}={clean(variable.value)}")]
    for name in sorted(READ_BY_RULES & set(environ) - set(request.facts.variables)):
        words += ["--unset", name]
    return words


def _secret_words(request: RunRequest) -> list[str]:
    """Secrets that were changed here go by the environment, for arguments stand in the process list."""
    words = [
        f'{variable.name}="${variable.name}"'
        for variable in _edited(request)
        if isinstance(variable.value, Secret)
    ]
    if request.facts.options.registry_password:
        words = ["printf", "%s", '"$REGISTRY_PASSWORD"', "|", *words]
    return words


def _edited(request: RunRequest) -> list[Variable]:
    changed = {SourceKind.SET, SourceKind.EDIT}
    return [found for found in request.facts.variables.values() if found.source.kind in changed]
