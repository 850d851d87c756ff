"""Where `dockpass vars` takes a project's settings from: what was imported, or GitLab when asked to."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from dockpass.cli.output import Output
from dockpass.cli.world import World
from dockpass.text import clean
from dockpass.variables.clone import Clone
from dockpass.variables.gitlab.model import Definition, Level, Ref
from dockpass.variables.gitlabplace import GitlabPlace, find_place, known_place, origin_of
from dockpass.variables.snapshot import Snapshot, age_in_words, gaps
from dockpass.variables.snapshotfile import read_snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """A project's settings as far as they are known here.

    `fresh` tells that GitLab was asked just now, and that values are among them. `merged` is the
    configuration as GitLab merges it, where it was asked. `problem` says why a snapshot is not used.
    """

    snapshot: Snapshot | None = None
    fresh: bool = False
    merged: str | None = None
    age: float = 0.0
    problem: str = ""
    told: tuple[str, ...] = ()

    def definitions(self, ref: Ref, replaced: frozenset[Level]) -> tuple[Definition, ...]:
        """Return the variables for a pipeline of `ref`, without the levels that files give."""
        found = self.snapshot.settings(ref) if self.snapshot else ()
        return tuple(each for each in found if each.level not in replaced)

    def known_of(self, clone: Clone) -> Clone:
        """Return the clone with what GitLab says of its project."""
        return replace(clone, project=self.snapshot.known_of(clone.project)) if self.snapshot else clone

    def protected(self, ref: Ref) -> Ref:
        """Return the ref with its protection, where that is not said and GitLab tells it."""
        if ref.protected is not None or self.snapshot is None:
            return ref
        return replace(ref, protected=self.snapshot.protection_of(ref))

    def notes(self, ref: Ref) -> Iterator[str]:
        """Yield what a person should know of them: from when they are, and what is missing."""
        if self.problem:
            yield f"▲ {self.problem}; `dockpass vars import gitlab` makes a new one"
        if self.snapshot is None:
            return
        yield from (f"▲ {each}" for each in self.told)
        of = f"settings of {clean(self.snapshot.project, 200)} at {clean(self.snapshot.server, 200)}"
        if self.fresh:
            yield f"· {of}: just read"
        else:
            yield (
                f"· {of}, read {age_in_words(self.age)}: names and flags, no values;"
                " --from-gitlab fetches the values, --no-snapshot leaves all out"
            )
        yield from (f"▲ {gap}" for gap in gaps(self.snapshot.levels))
        own = self.snapshot.pipeline_ref
        if own is not None and (own.type, own.name) != (ref.type, ref.name):
            yield f"▲ variables of the pipeline on {clean(own.name, 100)} are left out: this is another ref"
        if self.snapshot.config_path not in {"", ".gitlab-ci.yml"}:
            yield (
                f"▲ the project's configuration is {clean(self.snapshot.config_path, 200)};"
                " the .gitlab-ci.yml here is not what its pipelines use"
            )


def settings_of(world: World, ref: Ref, given: Mapping[str, Any]) -> Settings:
    """Return the settings for a ref: read from GitLab where that is asked for, else what is kept."""
    remote = origin_of(world.cwd, world.environ)
    if given["from_gitlab"]:
        return _fresh(world, find_place(given["project"], remote, world.environ), ref, given)
    place = None if given["no_snapshot"] else known_place(given["project"], remote, world.environ)
    if place is None:
        return Settings()
    snapshot, problem = read_snapshot(world.paths.state, place)
    return Settings(snapshot=snapshot, problem=problem, age=time.time() - snapshot.taken if snapshot else 0.0)


def _fresh(world: World, place: GitlabPlace, ref: Ref, given: Mapping[str, Any]) -> Settings:
    from dockpass.cli.gitlab_import import ask_gitlab, keep
    from dockpass.gitlabapi.taking import Asked

    before, _ = read_snapshot(world.paths.state, place)
    output = Output(world.redactor)
    taken = ask_gitlab(world, place, Asked(ref), given, output, agreed=before is not None)
    keep(world, place, taken.snapshot)
    merged = taken.lint.merged if taken.lint and taken.lint.valid else None
    return Settings(snapshot=taken.snapshot, fresh=True, merged=merged, told=taken.notes)


def settings_json(settings: Settings) -> dict[str, Any] | None:
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
