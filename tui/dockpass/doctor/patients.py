"""Patients made of a project's jobs and of its files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from dockpass.auth.facts import Facts, Options
from dockpass.doctor.check import Patient
from dockpass.variables.gitlab.includes import Files
from dockpass.variables.gitlab.resolve import JobView
from dockpass.variables.logins import facts_of
from dockpass.variables.pipeline import Loaded


def of_jobs(
    loaded: Loaded,
    names: Iterable[str],
    home: str,
    cwd: str,
    options: Options | None = None,
    seen: JobView | None = None,
) -> Iterator[Patient]:
    """Yield the variables of each job; the empty name stands for what every job gets.

    `seen` is one of them that was resolved already.
    """
    for name in names:
        view = seen if seen is not None and seen.name == name else loaded.view(name)
        yield Patient(facts=facts_of(view, home, cwd, options), view=view, loaded=loaded)


def of_project(loaded: Loaded, files: Files, seen: JobView, home: str, cwd: str) -> Iterator[Patient]:
    """Yield the files, then the job that was resolved; where that is every job, each of them."""
    yield of_files(loaded, files)
    names = (seen.name,) if seen.name else tuple(loaded.config.jobs or ()) or ("",)
    yield from of_jobs(loaded, names, home, cwd, seen=seen)


def of_files(loaded: Loaded, files: Files) -> Patient:
    """Return the text of the configuration, whatever the job."""
    return Patient(facts=Facts(elsewhere=True), loaded=loaded, files=files)
