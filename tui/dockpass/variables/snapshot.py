"""What was read of a project's settings in GitLab: names, flags, scopes and levels, and never a value.

A snapshot is what stays of an import. Its variables take part in a job with an unknown value; only that a
value is empty is kept, for an empty variable is no secret and often the whole answer.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from urllib.parse import urlsplit

from dockpass.text import clean, plural
from dockpass.unknown import Unknown
from dockpass.variables.gitlab.model import Definition, Level, Ref, RefType, Value
from dockpass.variables.gitlab.predefined import Project
from dockpass.variables.gitlab.scope import matches

NOT_KEPT = Unknown("a snapshot keeps no values; --from-gitlab fetches them", is_set=True)
HIDDEN = Unknown("hidden in GitLab, which shows it to nobody", is_set=True)
NOT_READABLE = Unknown("not readable: only an owner of the group may read it", is_set=True)

LEVELS = (Level.INSTANCE, Level.GROUP, Level.PROJECT, Level.PIPELINE)


class Extent(StrEnum):
    """How much could be read of a level."""

    WHOLE = "whole"
    NAMES = "names"  # names and flags, by the list of inherited variables
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Reach:
    """How much of a level could be read; `origin` is the group's path or the pipeline's number.

    `why` says why it was not all, in clean words.
    """

    level: Level
    origin: str
    extent: Extent
    why: str = ""

    @property
    def label(self) -> str:
        """The level as people call it: `project`, `group acme`, `instance`, `pipeline 118`."""
        word = self.level.name.lower()
        return f"{word} {clean(self.origin, 200)}" if self.origin else word


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The settings of one project at one time.

    `project` is its path as it was asked for, `taken` in seconds since the epoch. `ref` is the branch or tag
    that the import was for, `pipeline_ref` that of the pipeline whose variables are among the others. Of
    protected refs, environments and jobs None stands for not known; protected refs may hold `*`.
    `version` is the server's, empty where it is not known.
    """

    server: str
    project: str
    taken: float
    ref: Ref
    levels: tuple[Reach, ...] = ()
    definitions: tuple[Definition, ...] = ()
    protected_branches: tuple[str, ...] | None = None
    protected_tags: tuple[str, ...] | None = None
    environments: tuple[str, ...] | None = None
    jobs: tuple[str, ...] | None = None
    default_branch: str | None = None
    registry: str | None = None
    registry_enabled: bool | None = None
    config_path: str = ""
    version: str = ""
    pipeline_ref: Ref | None = None

    def protection_of(self, ref: Ref) -> bool | None:
        """Tell whether a branch or tag is protected; None where that is not known."""
        patterns = self.protected_tags if ref.type is RefType.TAG else self.protected_branches
        if patterns is None or ref.type is RefType.MERGE_REQUEST:
            return None
        return any(pattern == ref.name or matches_ref(pattern, ref.name) for pattern in patterns)

    def settings(self, ref: Ref) -> tuple[Definition, ...]:
        """Return the definitions for a pipeline of `ref`, weakest first.

        The variables of a pipeline count for the ref of that pipeline only.
        """
        return tuple(
            each for each in self.definitions if each.level is not Level.PIPELINE or self._has_pipeline(ref)
        )

    def _has_pipeline(self, ref: Ref) -> bool:
        own = self.pipeline_ref
        return own is not None and (own.type, own.name) == (ref.type, ref.name)

    def known_of(self, project: Project) -> Project:
        """Return a project with what GitLab says of it."""
        place = urlsplit(self.server)
        usual = {"https": "443", "http": "80"}.get(place.scheme, "443")
        return replace(
            project,
            path=project.path or self.project,
            host=place.hostname or project.host,
            port=str(place.port or usual),
            protocol=place.scheme,
            default_branch=self.default_branch or project.default_branch,
            registry=self.registry or project.registry,
            registry_enabled=project.registry_enabled
            if self.registry_enabled is None
            else self.registry_enabled,
        )

    def count(self, reach: Reach) -> int:
        """Return how many variables of a level and origin there are."""
        return sum((each.level, each.origin) == (reach.level, reach.origin) for each in self.definitions)

    def without_values(self) -> Snapshot:
        """Return what may be kept."""
        return replace(self, definitions=tuple(map(_without_value, self.definitions)))


def matches_ref(pattern: str, name: str) -> bool:
    """Tell whether a protected ref with `*` matches a ref: the star stands for any text, slashes too."""
    return "*" in pattern and matches(pattern, name)


def _without_value(definition: Definition) -> Definition:
    value: Value = "" if definition.value == "" else NOT_KEPT
    if definition.hidden:
        value = HIDDEN
    elif definition.value == NOT_READABLE:
        value = NOT_READABLE
    return replace(definition, value=value)


def summary(snapshot: Snapshot) -> str:
    """Return the import in one line: how many variables of which level, and whether the ref is protected."""
    parts = [_level_in_words(snapshot, each) for each in reversed(snapshot.levels)]
    protected = {True: "is protected", False: "is not protected", None: "may be protected: not known to you"}
    ref = f"{clean(snapshot.ref.name, 100)} {protected[snapshot.protection_of(snapshot.ref)]}"
    return f"{', '.join(parts)}; {ref}"


def _level_in_words(snapshot: Snapshot, reach: Reach) -> str:
    of = f"of the {reach.label}" if reach.level is not Level.PIPELINE else f"of {reach.label}"
    match reach.extent:
        case Extent.WHOLE:
            return f"{snapshot.count(reach):,} {of}"
        case Extent.NAMES:
            return f"{snapshot.count(reach):,} {of} (values unknown)"
    return f"those {of} not readable"


def gaps(levels: Iterable[Reach]) -> tuple[str, ...]:
    """Return a sentence for each level that could not be read at all."""
    return tuple(
        f"you may not read the variables of the {each.label} ({each.why}); the job may get more than these"
        for each in levels
        if each.extent is Extent.NOTHING
    )


def age_in_words(seconds: float) -> str:
    """Return how long ago something was, to the nearest unit; a time in the future is told as such."""
    if seconds < -60:
        return "in the future, by this machine's clock"
    for unit, one in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= unit:
            return f"{plural(int(seconds // unit), one)} ago"
    return "just now"
