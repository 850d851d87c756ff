"""What would bring a variable: the smallest changes, each tried by the resolver before it is offered.

A variable may be absent, another definition of it may win, or expansion may change what was written.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, islice

from dockpass.unknown import Unknown
from dockpass.variables.bring_job import pipelines_to_try
from dockpass.variables.changes import Change, ChangeKind, after, can_be_raw, can_be_written
from dockpass.variables.gitlab import scope
from dockpass.variables.gitlab.expand import references
from dockpass.variables.gitlab.model import OF_GITLAB, Definition, Level, Reason, Resolved, YamlPart
from dockpass.variables.gitlab.resolve import JobView
from dockpass.variables.gitlab.tree import Tree
from dockpass.variables.pipeline import Loaded

MOST_WAYS = 8
MOST_TOGETHER = 3
MOST_TRIED = 150
_CUTOFF = 0.8


@dataclass(frozen=True, slots=True)
class Way:
    """Changes that bring a definition, and the job after them. `definition` is the one before the changes."""

    definition: Definition | None
    changes: tuple[Change, ...]
    view: JobView


def what_would_bring(
    loaded: Loaded, job: str, key: str, instance: Mapping[str, str] | None = None
) -> tuple[Way, ...]:
    """Return the smallest changes that bring a variable, those for one definition after the other.

    For a variable that the job gets they bring each definition that is overruled, or the value as it was
    written where expansion changes it. Nothing is offered that the resolver does not bear out.
    """
    return tuple(islice(ways_to_bring(loaded, job, key, instance), MOST_WAYS))


def ways_to_bring(
    loaded: Loaded, job: str, key: str, instance: Mapping[str, str] | None = None
) -> Iterator[Way]:
    """Yield the same one by one: each further one has the job resolved anew, once or several times."""
    return _Search(loaded, job, key, instance).ways()


def brings(view: JobView, wanted: Definition, *, as_written: bool = False) -> bool:
    """Tell whether a definition wins in a job for certain, and with its value as it was written."""
    found = view.variables.get(wanted.key)
    if found is None or found.winner != wanted:
        return False
    if isinstance(found.value, Unknown):
        return not found.value.may_be_missing and not as_written
    return not as_written or _seen(found) == wanted.value


def _seen(found: Resolved) -> object:
    return found.value if found.content is None else found.content


class _Search:
    def __init__(self, loaded: Loaded, job: str, key: str, instance: Mapping[str, str] | None) -> None:
        self.loaded = loaded
        self.job = job
        self.key = key
        self.instance = instance
        self.view = loaded.view(job, instance)
        self.environment = self.view.environment if isinstance(self.view.environment, str) else ""
        self.all = tuple(_definitions_of(loaded, job, key))

    def ways(self) -> Iterator[Way]:
        found = self.view.variables.get(self.key)
        if found is None and not self.all:
            yield from self._not_defined()
            return
        if found is not None:
            if _in_doubt(found.winner):
                yield from self._for_target(self._written(found.winner))
            if _is_changed(found):
                yield from self._as_written(found)
        yield from self._others(None if found is None else found.winner)

    def _others(self, winner: Definition | None) -> Iterator[Way]:
        for target in self.all:
            if target.level in _OURS or (winner is not None and _same_place(target, winner)):
                continue
            yield from self._for_target(target)

    def _written(self, winner: Definition) -> Definition:
        """Return the definition behind a winner whose value is not known for certain."""
        return next((each for each in self.all if _same_place(each, winner)), winner)

    def _for_target(self, target: Definition) -> Iterator[Way]:
        yield from self._smallest(target, tuple(self._candidates(target)), as_written=False)

    def _as_written(self, found: Resolved) -> Iterator[Way]:
        target = found.winner
        changes = [Change(kind=ChangeKind.RAW, definition=target)] if can_be_raw(target) else []
        changes.append(Change(kind=ChangeKind.ESCAPE, definition=target))
        for change in changes:
            view = after(self.loaded, self.job, (change,)).view(self.job, self.instance)
            wanted = change.applied_to(target)
            seen = view.variables.get(self.key)
            if seen is not None and seen.winner == wanted and _seen(seen) == target.value:
                yield Way(target, (change,), view)

    def _smallest(
        self, target: Definition, candidates: Sequence[Change], *, as_written: bool
    ) -> Iterator[Way]:
        """Try sets of changes, the smaller first; a set with a smaller one that does it is left out."""
        done: list[frozenset[Change]] = []
        tried = 0
        for count in range(1, MOST_TOGETHER + 1):
            for changes in combinations(candidates, count):
                chosen = frozenset(changes)
                if tried >= MOST_TRIED or not _fits(changes):
                    continue
                if any(each <= chosen for each in done):
                    continue
                tried += 1
                ordered = _in_sequence(changes)
                view = after(self.loaded, self.job, ordered).view(self.job, self.instance)
                if brings(view, _mapped(target, ordered), as_written=as_written):
                    done.append(chosen)
                    yield Way(target, ordered, view)

    def _candidates(self, target: Definition) -> Iterator[Change]:
        """Yield changes that may help a definition, those that a person would rather make first."""
        situation = self.loaded.situation
        if target.key in situation.unset:
            yield Change(kind=ChangeKind.KEEP, name=target.key)
        if target.protected and situation.ref.protected is not True:
            yield Change(kind=ChangeKind.PROTECT_REF, ref=situation.ref)
            yield Change(kind=ChangeKind.UNPROTECT, definition=target)
        yield from self._scopes(target)
        if target.level is Level.YAML and target.origin in {YamlPart.DEFAULT, YamlPart.WORKFLOW}:
            job = self.loaded.config.job(self.job)
            if job is not None and job.inherit is not True:
                yield Change(kind=ChangeKind.INHERIT, name=target.key)
        yield from self._against_others(target)

    def _scopes(self, target: Definition) -> Iterator[Change]:
        if not scope.matches(target.scope, self.environment):
            if self.job and (name := _environment_for(target.scope)):
                yield Change(kind=ChangeKind.ENVIRONMENT, value=name)
            yield Change(kind=ChangeKind.SCOPE, definition=target, value=scope.EVERYWHERE)
        if self.environment and target.scope != self.environment and target.level in _WITH_SCOPE:
            yield Change(kind=ChangeKind.SCOPE, definition=target, value=self.environment)

    def _against_others(self, target: Definition) -> Iterator[Change]:
        """Yield what takes a stronger definition out of the way."""
        others = [each for each in self.all if not _same_place(each, target)]
        for other in others:
            if can_be_written(other):
                yield Change(kind=ChangeKind.REMOVE, definition=other)
        if not others or not can_be_written(target) or target.level is Level.WHAT_IF:
            return
        taken = {each.level for each in others}
        if target.level < Level.PROJECT and not taken & {Level.PROJECT, *_ABOVE_PROJECT}:
            yield Change(kind=ChangeKind.MOVE, definition=target, value=Level.PROJECT.name)
        elif target.level < Level.PIPELINE and not taken & _ABOVE_PROJECT:
            yield Change(kind=ChangeKind.MOVE, definition=target, value=Level.PIPELINE.name)
        yield Change(kind=ChangeKind.RENAME, definition=target, value=self._free_name(target))

    def _free_name(self, target: Definition) -> str:
        word = target.origin if target.level is Level.YAML else target.level.name
        name = f"{target.key}_{word.upper()}"
        while name in self.view.variables or name in self.view.absent:
            name = f"{name}_2"
        return name

    def _not_defined(self) -> Iterator[Way]:
        """A name that nothing defines: one that is written almost like it, or a definition of its own."""
        yield from self._by_rules()
        names = [name for name in {*self.view.variables, *self.view.absent} if name != self.key]
        near = [name for name in names if name.upper() == self.key.upper()]
        near += difflib.get_close_matches(self.key, names, 2, _CUTOFF)
        for name in dict.fromkeys(near):
            for target in _definitions_of(self.loaded, self.job, name):
                if can_be_written(target):
                    rename = Change(kind=ChangeKind.RENAME, definition=target, value=self.key)
                    yield from self._smallest(target, (rename,), as_written=False)
        define = Change(kind=ChangeKind.DEFINE, name=self.key)
        view = after(self.loaded, self.job, (define,)).view(self.job, self.instance)
        if self.key in view.variables:
            yield Way(None, (define,), view)

    def _by_rules(self) -> Iterator[Way]:
        """Rules that do not match here may set it."""
        if not _some_rule_sets(self.loaded, self.job, self.key):
            return
        for change in pipelines_to_try(self.loaded, self.job):
            view = after(self.loaded, self.job, (change,)).view(self.job, self.instance)
            found = view.variables.get(self.key)
            if found is not None and not (isinstance(found.value, Unknown) and found.value.may_be_missing):
                yield Way(None, (change,), view)


_OURS = OF_GITLAB | {Level.RUNNER, Level.WHAT_IF}
"""Nobody can bring these: they are GitLab's and the runner's own, or the person's edit."""
_WITH_SCOPE = frozenset({Level.GROUP, Level.PROJECT})
_ABOVE_PROJECT = frozenset({Level.PIPELINE, Level.SCHEDULE, Level.WHAT_IF})


def _definitions_of(loaded: Loaded, job: str, key: str) -> Iterator[Definition]:
    """Yield all definitions of a name, the strongest first; of rules only those that hold."""
    view = loaded.view(job)
    found = [each for each in loaded.situation.definitions if each.key == key]
    found += [each for each in loaded.config.variables if each.key == key]
    found += [each for each in loaded.job(job).variables if each.key == key]
    for judgement in (view.workflow, view.rules):
        found += [each for each in (judgement.variables if judgement else ()) if each.key == key]
    seen: list[Definition] = []
    for each in sorted(found, key=lambda each: each.level, reverse=True):
        if each not in seen:
            seen.append(each)
            yield each


def _same_place(one: Definition, other: Definition) -> bool:
    """Tell whether both are the same definition; the value of one may not be known for certain."""
    same = all(getattr(one, name) == getattr(other, name) for name in _IDENTITY)
    return one == other or (same and _in_doubt(other))


def _in_doubt(definition: Definition) -> bool:
    value = definition.value
    return isinstance(value, Unknown) and value.why in {Reason.PROTECTED_UNKNOWN, Reason.SCOPE_UNKNOWN}


_IDENTITY = ("key", "level", "origin", "place", "protected", "raw", "file", "scope")


def _is_changed(found: Resolved) -> bool:
    """Tell whether expansion took something away: what was written is no plain reference to what there is."""
    written, seen = found.winner.value, _seen(found)
    if not isinstance(written, str) or not isinstance(seen, str) or written == seen:
        return False
    lost = any(step.source.startswith("nothing") for step in found.steps)
    return lost or not references(written)


def _environment_for(pattern: str) -> str:
    """Return an environment that a scope matches: for `review/*` an example."""
    name = pattern.replace("*", "example")
    return name if scope.matches(pattern, name) else ""


def _fits(changes: Sequence[Change]) -> bool:
    """Tell whether changes can be made together: no kind twice for one definition."""
    touched = [(each.kind, each.definition) for each in changes]
    targets = [each for each in changes if each.kind in {ChangeKind.SCOPE, ChangeKind.ENVIRONMENT}]
    return len(set(touched)) == len(touched) and len(targets) < 2


def _in_sequence(changes: Sequence[Change]) -> tuple[Change, ...]:
    """Return the changes so that each still finds its definition as an earlier one left it."""
    result: list[Change] = []
    for change in changes:
        definition = change.definition
        for before in result:
            if definition is not None and before.definition is not None:
                definition = before.applied_to(definition)
        result.append(
            change
            if definition is change.definition
            else Change(
                kind=change.kind,
                definition=definition,
                value=change.value,
                name=change.name,
                ref=change.ref,
            )
        )
    return tuple(result)


def _mapped(target: Definition, changes: Iterable[Change]) -> Definition:
    for change in changes:
        target = change.applied_to(target)
    return target


def _some_rule_sets(loaded: Loaded, job: str, key: str) -> bool:
    trees = (*(loaded.config.workflow or ()), *(loaded.job(job).rules or ()))
    return any(isinstance(found := tree.get("variables"), Tree) and key in found for tree in trees)
