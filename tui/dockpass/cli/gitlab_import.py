"""The work of `dockpass vars import gitlab`: ask the person, ask the server, keep what may be kept."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator, Mapping
from typing import Any

import click

from dockpass.cli.facts_options import require_one_ref
from dockpass.cli.output import Output, is_terminal
from dockpass.cli.readonly import refuse_if_read_only
from dockpass.cli.table import columns
from dockpass.cli.world import World
from dockpass.errors import Cancelled, NotAllowed, UsageError
from dockpass.gitlabapi.taking import Asked, Taken, gitlab_client, take
from dockpass.gitlabapi.token import Token, find_token
from dockpass.marks import GLYPH_FAILED, GLYPH_LOOK
from dockpass.readonly import Act
from dockpass.registry.policy import Policy
from dockpass.registry.proxies import proxies_for
from dockpass.registry.retry import telling
from dockpass.secret_names import is_secret_name
from dockpass.secrets import Secret
from dockpass.system import refused_by_system
from dockpass.text import clean, cut
from dockpass.variables.clone import Clone, find_clone
from dockpass.variables.gitlab.model import Level, Ref, RefType
from dockpass.variables.gitlabplace import PROJECT, GitlabPlace, find_place, origin_of, ref_of_job
from dockpass.variables.snapshot import Extent, Reach, Snapshot, summary
from dockpass.variables.snapshotfile import forget_snapshot, keep_snapshot
from dockpass.variables.token_kind import looks_secret

_MOST_SHOWN = 12


def import_gitlab(world: World, given: Mapping[str, Any]) -> int:
    """Import, keep and tell; return the exit status."""
    refuse_if_read_only(world, Act.WRITE)
    output = Output(world.redactor)
    place = find_place(given["project"], origin_of(world.cwd, world.environ), world.environ)
    if given["forget"]:
        of = f"{clean(place.project, 200)} at {clean(place.host, 200)}"
        output.say(
            [f"removed what was kept of {of}" if _forget(world, place) else f"nothing is kept of {of}"]
        )
        return 0
    asked = Asked(_ref(world, place, given), given["pipeline"])
    taken = ask_gitlab(world, place, asked, given, output, agreed=False)
    if given["as_json"]:
        output.json(import_json(taken))
    else:
        output.words(import_lines(taken))
    output.say(f"{GLYPH_LOOK} {note}" for note in taken.notes)
    path = keep(world, place, taken.snapshot)
    output.say([f"kept in {clean(path)}: names and flags, no values"])
    return 0


def ask_gitlab(
    world: World,
    place: GitlabPlace,
    asked: Asked,
    given: Mapping[str, Any],
    output: Output,
    *,
    agreed: bool,
) -> Taken:
    """Read the settings of a project, once the person has agreed to the server.

    The redactor learns the token, and each value that is a secret.
    """
    prompt = (lambda: _typed(place)) if is_terminal() else None
    token = find_token(given["token_from"], place, world.environ, world.home, world.cwd, prompt)
    world.redactor.learn(token.secret)
    proxies = proxies_for(world.environ, world.redactor, unused=given["no_proxy"])
    policy = Policy(proxies=proxies, ca_file=world.cwd / given["ca_file"] if given["ca_file"] else None)
    if not (agreed or given["yes"]):
        _confirm(output, place, token, policy)

    def tell(what: str) -> None:
        output.progress(f"asking {clean(place.host, 100)} for {what}")

    async def work() -> Taken:
        async with gitlab_client(place, token, policy) as client:
            return await take(client, asked, time.time(), tell)

    with telling(lambda wait: output.say([wait.in_words])):
        taken = asyncio.run(work())
    world.redactor.learn_all(
        Secret(each.value)
        for each in taken.snapshot.definitions
        if isinstance(each.value, str)
        and (each.masked or is_secret_name(each.key) or looks_secret(each.value))
    )
    return taken


def keep(world: World, place: GitlabPlace, snapshot: Snapshot) -> str:
    """Keep the snapshot without its values; return the file."""
    refuse_if_read_only(world, Act.WRITE)
    try:
        return str(keep_snapshot(world.paths.state, place, snapshot))
    except OSError as error:
        raise refused_by_system(error) from error


def _forget(world: World, place: GitlabPlace) -> bool:
    if place.is_by_number:
        raise UsageError(
            "gitlab-project-number",
            f"What is kept of project {place.project} is kept by its path.",
            "Give --project GROUP/PROJECT.",
        )
    try:
        return forget_snapshot(world.paths.state, place)
    except OSError as error:
        raise refused_by_system(error) from error


def _confirm(output: Output, place: GitlabPlace, token: Token, policy: Policy) -> None:
    way = policy.way_to(place.host)
    output.say(
        [
            f"server   {clean(place.url, 200)}{', ' + way if way else ''}",
            f"project  {clean(place.project, 200)}: {place.because}",
            f"token    from {token.origin}",
        ]
    )
    if not is_terminal():
        raise NotAllowed(
            "gitlab-not-confirmed",
            f"{clean(place.host, 200)} was not asked: the token goes there only after your yes, and this is"
            " no terminal.",
            "If that is the right server, give --yes.",
        )
    if not output.ask(f"Read the settings of this project from {clean(place.host, 200)} with this token?"):
        raise Cancelled("Cancelled. Nothing was sent.")


def _typed(place: GitlabPlace) -> str:
    return str(click.prompt(f"Token for {clean(place.host, 200)}", hide_input=True, err=True))


def _ref(world: World, place: GitlabPlace, given: Mapping[str, Any]) -> Ref | None:
    """Return the ref that is named, else the one checked out in a clone of this project."""
    require_one_ref(given)
    if given["tag"]:
        return Ref(type=RefType.TAG, name=given["tag"], protected=None)
    if given["ref"]:
        return Ref(name=given["ref"], protected=None)
    clone = find_clone(world.cwd, world.environ)
    if given["pipeline"] is not None or clone is None or not _is_of(clone, place, world.environ):
        return None
    return clone.ref or ref_of_job(world.environ)


def _is_of(clone: Clone, place: GitlabPlace, environ: Mapping[str, str]) -> bool:
    own, named = (clone.project.path or environ.get(PROJECT, "")).lower(), place.project.lower()
    return own == named or own.endswith(f"/{named}")


def import_lines(taken: Taken) -> Iterator[str]:
    """Yield what was read: the summary, then a line for each level and list. Pure; no value is in it."""
    snapshot = taken.snapshot
    yield summary(snapshot)
    yield ""
    rows = [_level_row(snapshot, each) for each in reversed(snapshot.levels)]
    rows += [
        _names_row("protected branches", snapshot.protected_branches),
        _names_row("protected tags", snapshot.protected_tags),
        _names_row("environments", snapshot.environments),
        ("configuration", *_lint_row(taken)),
    ]
    yield from columns(rows)
    if taken.lint is not None:
        yield from (f"  {GLYPH_FAILED} {clean(error, 300)}" for error in taken.lint.errors[:_MOST_SHOWN])
        yield from (f"  {GLYPH_LOOK} {clean(warning, 300)}" for warning in taken.lint.warnings[:_MOST_SHOWN])


def _level_row(snapshot: Snapshot, reach: Reach) -> tuple[str, str]:
    count = f"{snapshot.count(reach):,}"
    if reach.extent is Extent.NOTHING:
        return reach.label, f"not readable: {reach.why}"
    if reach.extent is Extent.NAMES:
        return reach.label, f"{count}, names and flags only: {reach.why}"
    protected = sum(
        each.protected and (each.level, each.origin) == (reach.level, reach.origin)
        for each in snapshot.definitions
    )
    flags = f", {protected:,} of them protected" if protected and reach.level is not Level.PIPELINE else ""
    return reach.label, f"{count}{flags}"


def _names_row(label: str, names: tuple[str, ...] | None) -> tuple[str, str]:
    return label, "not readable" if names is None else _listed(names)


def _listed(names: tuple[str, ...]) -> str:
    shown = ", ".join(clean(name, 80) for name in names[:_MOST_SHOWN])
    more = f" and {len(names) - _MOST_SHOWN:,} more" if len(names) > _MOST_SHOWN else ""
    return cut(f"{shown}{more}", 400) or "none"


def _lint_row(taken: Taken) -> tuple[str]:
    ref = clean(taken.snapshot.ref.name, 100)
    if taken.lint is None:
        return (f"not told for {ref}: {taken.no_lint}",)
    said = "valid" if taken.lint.valid else "invalid"
    if taken.lint.jobs is None:
        return (f"{said} on {ref}",)
    return (f"{said} on {ref}, whose pipeline has: {_listed(taken.lint.jobs)}",)


def import_json(taken: Taken) -> dict[str, Any]:
    """Return the object of `--json`. No value is in it."""
    snapshot, lint = taken.snapshot, taken.lint
    return {
        "server": clean(snapshot.server, 300),
        "project": clean(snapshot.project, 1024),
        "version": snapshot.version or None,
        "taken": round(snapshot.taken),
        "summary": summary(snapshot),
        "ref": {
            "type": snapshot.ref.type,
            "name": clean(snapshot.ref.name, 255),
            "protected": snapshot.protection_of(snapshot.ref),
        },
        "levels": [level_json(snapshot, each) for each in snapshot.levels],
        "protected_branches": _names_json(snapshot.protected_branches),
        "protected_tags": _names_json(snapshot.protected_tags),
        "environments": _names_json(snapshot.environments),
        "configuration": {
            "valid": None if lint is None else lint.valid,
            "jobs": None if lint is None else _names_json(lint.jobs),
            "errors": [] if lint is None else [clean(each, 500) for each in lint.errors],
            "warnings": [] if lint is None else [clean(each, 500) for each in lint.warnings],
            "why": taken.no_lint or None,
        },
        "notes": list(taken.notes),
    }


def level_json(snapshot: Snapshot, reach: Reach) -> dict[str, Any]:
    """Return a level: how many variables, and how much of it could be read."""
    nothing = reach.extent is Extent.NOTHING
    return {
        "level": reach.level.name.lower(),
        "origin": clean(reach.origin, 255) or None,
        "extent": reach.extent,
        "variables": None if nothing else snapshot.count(reach),
        "why": reach.why or None,
    }


def _names_json(names: tuple[str, ...] | None) -> list[str] | None:
    return None if names is None else [clean(name, 255) for name in names]
