"""A project's settings as far as they are known here: what was imported once, or what GitLab just said."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from dockpass.text import clean

# A start without an import pays for none of them.
if TYPE_CHECKING:
    from dockpass.variables.clone import Clone
    from dockpass.variables.gitlab.model import Definition, Level, Ref
    from dockpass.variables.gitlabplace import GitlabPlace
    from dockpass.variables.snapshot import Snapshot


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectSettings:
    """Settings of a project; nothing is known where `snapshot` is None.

    `fresh` tells that GitLab was asked just now, and that values are among them. `merged` is the
    configuration as GitLab merges it, where it was asked. `age` is in seconds. `problem` says why what is
    kept is not used, and `told` what GitLab's answers left open; both are clean.
    """

    snapshot: Snapshot | None = None
    fresh: bool = False
    merged: str | None = None
    age: float = 0.0
    problem: str = ""
    told: tuple[str, ...] = ()

    def definitions(self, ref: Ref, replaced: frozenset[Level] = frozenset()) -> tuple[Definition, ...]:
        """Return the variables for a pipeline of `ref`, without the levels that something else gives."""
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

    def headline(self) -> str:
        """Say whose settings these are and from when; empty where there are none."""
        if self.snapshot is None:
            return ""
        from dockpass.variables.snapshot import age_in_words

        of = f"settings of {clean(self.snapshot.project, 200)} at {clean(self.snapshot.server, 200)}"
        if self.fresh:
            return f"{of}: just read"
        return f"{of}, read {age_in_words(self.age)}: names and flags, no values"

    def warnings(self, ref: Ref) -> Iterator[str]:
        """Yield what a person should know of them for a pipeline of `ref`."""
        if self.problem:
            yield self.problem
        if self.snapshot is None:
            return
        from dockpass.variables.clone import CI_FILE
        from dockpass.variables.snapshot import gaps

        yield from self.told
        yield from gaps(self.snapshot.levels)
        own = self.snapshot.pipeline_ref
        if own is not None and (own.type, own.name) != (ref.type, ref.name):
            yield f"variables of the pipeline on {clean(own.name, 100)} are left out: this is another ref"
        if self.snapshot.config_path not in {"", CI_FILE}:
            yield (
                f"the project's configuration is {clean(self.snapshot.config_path, 200)};"
                f" the {CI_FILE} here is not what its pipelines use"
            )


_BY_PATH = "give --project GROUP/PROJECT"

NO_SETTINGS = ProjectSettings()


def kept_settings(state: Path, place: GitlabPlace | None, now: float) -> ProjectSettings:
    """Return what is kept of a project below the state directory; `now` is in seconds since the epoch."""
    if place is None:
        return NO_SETTINGS
    if place.is_by_number:
        return ProjectSettings(
            problem=f"what is kept of project {place.project} is kept by its path: {_BY_PATH}"
        )
    from dockpass.variables.snapshotfile import read_snapshot

    snapshot, problem = read_snapshot(state, place)
    problem = f"{problem}; `dockpass vars import gitlab` makes a new one" if problem else ""
    return ProjectSettings(snapshot=snapshot, problem=problem, age=now - snapshot.taken if snapshot else 0.0)
