"""Where `dockpass vars` takes a project's settings from: what was imported, or GitLab when asked to."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

from dockpass.cli.output import Output
from dockpass.cli.world import World
from dockpass.errors import DockpassError
from dockpass.findings import Severity
from dockpass.text import clean
from dockpass.variables.gitlab.model import Ref
from dockpass.variables.gitlabplace import find_place, known_place
from dockpass.variables.projectsettings import NO_SETTINGS, ProjectSettings, kept_settings
from dockpass.variables.snapshot import gaps


def settings_of(world: World, remote: str, ref: Ref, given: Mapping[str, Any]) -> ProjectSettings:
    """Return the settings for a ref: read from GitLab where that is asked for, else what is kept.

    `remote` is the address of the clone's git remote, which names the project where `given` does not.
    """
    if given["no_snapshot"] and not given["from_gitlab"]:
        return NO_SETTINGS
    if given["from_gitlab"]:
        return fresh_settings(world, given["project"], remote, ref, given)
    place = known_place(given["project"], remote, world.environ)
    return kept_settings(world.paths.state, place, time.time())


def fresh_settings(
    world: World, project: str | None, remote: str, ref: Ref | None, given: Mapping[str, Any]
) -> ProjectSettings:
    """Read the settings of a project from GitLab: the one that is named, else the git remote's."""
    from dockpass.cli.gitlab_import import ask_gitlab, keep
    from dockpass.gitlabapi.taking import Asked

    place = find_place(project, remote, world.environ)
    before = kept_settings(world.paths.state, place, time.time())
    agreed = before.snapshot is not None
    taken = ask_gitlab(world, place, Asked(ref), given, Output(world.redactor), agreed=agreed)
    told = taken.notes
    try:
        keep(world, place, taken.snapshot)
    except DockpassError as error:
        told = (*told, f"what GitLab said is not kept: {error.message.rstrip('.')}")
    merged = taken.lint.merged if taken.lint and taken.lint.valid else None
    return ProjectSettings(snapshot=taken.snapshot, fresh=True, merged=merged, told=told)


def settings_notes(settings: ProjectSettings, ref: Ref) -> Iterator[tuple[Severity, str]]:
    """Yield what a person should know of the settings."""
    if headline := settings.headline():
        more = "" if settings.fresh else "; --from-gitlab fetches the values, --no-snapshot leaves all out"
        yield Severity.NOTE, f"{headline}{more}"
    yield from ((Severity.WARNING, warning) for warning in settings.warnings(ref))


def settings_json(settings: ProjectSettings) -> dict[str, Any] | None:
    """Return what the JSON says of the settings; None where none were imported."""
    snapshot = settings.snapshot
    if snapshot is None:
        return None
    return {
        "server": clean(snapshot.server, 300),
        "project": clean(snapshot.project, 1024),
        "taken": round(snapshot.taken),
        "values": settings.fresh,
        "unknown": list(gaps(snapshot.levels)),
    }
