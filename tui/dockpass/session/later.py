"""What a session needs only when a person asks for it; each part is loaded with its first use."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dockpass.errors import DockpassError
from dockpass.runs.request import BuildOptions, RunRequest
from dockpass.runs.services import Services

if TYPE_CHECKING:
    from dockpass.buildfiles.find import BuildSources
    from dockpass.dockerconfig.readers.situation import Situation
    from dockpass.engines.embedded.store import Store
    from dockpass.probe.plan import AccessReport
    from dockpass.programs.shown import ShownProgram
    from dockpass.programs.task import Task
    from dockpass.runs.run import Run
    from dockpass.session.desk import Desk
    from dockpass.variables.clone import Clone
    from dockpass.variables.projectsettings import ProjectSettings


def real_situation(environ: Mapping[str, str], home: Path) -> Situation:
    """Return what readers of docker's config see on this machine."""
    from dockpass.dockerconfig.readers.situation import Situation

    return Situation(environ, home, os.getuid())


def what_stops(request: RunRequest, services: Services) -> DockpassError | None:
    """Return why a run would end before its login; None where nothing stops it. No registry is asked."""
    from dockpass.session import readiness

    return readiness.what_stops(request, services)


def new_desk(usual_version: str = "") -> Desk:
    """Return a desk at which nothing was looked at yet; `usual_version` is the text of the setting."""
    from dockpass.session.desk import Desk
    from dockpass.variables.gitlab.versions import version_of

    return Desk(usual_version=version_of(usual_version))


def nothing_kept() -> ProjectSettings:
    """Return that nothing was imported before."""
    from dockpass.variables.projectsettings import NO_SETTINGS

    return NO_SETTINGS


def find_clone(cwd: Path, environ: Mapping[str, str]) -> Clone | None:
    """Return the clone around a directory; None where there is none."""
    from dockpass.variables import clone

    return clone.find_clone(cwd, environ)


def find_kept(cwd: Path, environ: Mapping[str, str], state: Path) -> ProjectSettings:
    """Return what an earlier import keeps of the project that the git remote names; sends nothing."""
    from dockpass.session import desk

    return desk.find_kept(cwd, environ, state)


def store_in(root: Path = Path("/nonexistent")) -> Store:
    """Return the embedded engine's store of images in a directory, which need not be there."""
    from dockpass.engines.embedded.store import Store

    return Store(root)


def start_run(request: RunRequest, services: Services) -> Run:
    """Start a run and return at once."""
    from dockpass.runs import run

    return run.start_run(request, services)


def start_program(task: Task, services: Services) -> ShownProgram:
    """Start a program whose output is captured, and return at once."""
    from dockpass.programs.captured import start_captured

    return start_captured(task, services)


def find_program(name: str, environ: Mapping[str, str]) -> str:
    """Return the path of a program; raises `DockpassError` where there is none."""
    from dockpass.programs.find import find

    return find(name, environ)


async def probe_access(*arguments: Any, **options: Any) -> AccessReport:
    """Ask a registry what a login may do."""
    from dockpass.probe import plan

    return await plan.probe_access(*arguments, **options)


def sources_of_build(cwd: Path, build: BuildOptions) -> BuildSources:
    """Return what a build comes from and pulls; raises `UsageError`."""
    from dockpass.runs import sources

    return sources.sources_of_build(cwd, build)
