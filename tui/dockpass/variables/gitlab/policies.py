"""Whether `only` and `except` let a job into a pipeline, and what was compared.

Follows `lib/gitlab/ci/build/policy`. A job is in the pipeline if every part of its `only` holds and no part
of its `except` does. Where neither the job nor the workflow has rules, `only` is branches and tags by
default, which leaves out merge requests.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from dockpass.text import clean
from dockpass.unknown import Unknown
from dockpass.variables.gitlab.config import NOT_LOADED, Job
from dockpass.variables.gitlab.model import Place, Ref, RefType, Value
from dockpass.variables.gitlab.patterns import read_pattern
from dockpass.variables.gitlab.policy_entries import EXCEPT, ONLY, parts_of
from dockpass.variables.gitlab.rules import Clause, Surroundings, changes_clause, if_clause
from dockpass.variables.gitlab.tree import Reference, Tree, in_words

BRANCHES, TAGS = "branches", "tags"
USUAL = (BRANCHES, TAGS)
"""The refs of an `only` that names none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    """What a pipeline runs for, and what started it (`CI_PIPELINE_SOURCE`); `project` is its path."""

    ref: Ref
    source: str
    project: Value

    @property
    def names(self) -> frozenset[str]:
        """What `only` and `except` may call the source: `push` and `pushes`, `merge_requests`."""
        name = self.source.removesuffix("_event")
        return frozenset({name, plural_of(name)})


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """An `only` or an `except` as it was judged.

    `holds` is None where it cannot be told here. `is_default` tells that the job has none.
    """

    kind: str
    place: Place
    clauses: tuple[Clause, ...]
    holds: bool | None
    is_default: bool = False

    @property
    def admits(self) -> bool | None:
        """Whether it lets the job into the pipeline."""
        return self.holds if self.kind == ONLY or self.holds is None else not self.holds


def plural_of(name: str) -> str:
    """Return the plural of a pipeline's source as Rails makes it."""
    if name.endswith("y"):
        return f"{name[:-1]}ies"
    return f"{name}es" if name.endswith("sh") else f"{name}s"


def judge_policies(
    job: Job, started: Started, around: Surroundings, *, workflow: bool | None
) -> tuple[Policy, ...]:
    """Judge `only` and `except` of a job that has no rules.

    `workflow` tells whether the workflow has rules, None where that is not known; with rules there is no
    `only` by default.
    """
    return tuple(_judged(job, started, around, workflow))


def _judged(job: Job, started: Started, around: Surroundings, workflow: bool | None) -> Iterator[Policy]:
    if not job.tree:
        return
    only = job.tree.get(ONLY)
    if only is not None:
        clauses = tuple(_clauses(only, job.tree.place(ONLY), USUAL, started, around))
        yield Policy(kind=ONLY, place=job.tree.place(ONLY), clauses=clauses, holds=_all(clauses))
    elif workflow is not True:
        refs = _refs(USUAL, started)
        if workflow is None and refs.outcome is False:
            refs = _open("refs", USUAL, f"workflow:rules: {NOT_LOADED}")
        yield Policy(kind=ONLY, place=job.place, clauses=(refs,), holds=refs.outcome, is_default=True)
    given = job.tree.get(EXCEPT)
    if given is not None:
        clauses = tuple(_clauses(given, job.tree.place(EXCEPT), (), started, around))
        yield Policy(kind=EXCEPT, place=job.tree.place(EXCEPT), clauses=clauses, holds=_any(clauses))


def policy_parts(job: Job) -> Iterator[tuple[str, Tree]]:
    """Yield `only` and `except` as the job has them, each as a mapping."""
    for kind in (ONLY, EXCEPT):
        if job.tree.get(kind) is not None:
            yield kind, parts_of(job.tree[kind], job.tree.place(kind))


def texts_of(value: Any) -> list[str]:
    """Return the texts of a list, or of one that stands alone."""
    return [in_words(each) for each in (value if isinstance(value, list) else [value])]


def _clauses(
    given: Any, place: Place, usual: Sequence[str], started: Started, around: Surroundings
) -> Iterator[Clause]:
    parts = parts_of(given, place)
    if usual and parts.get("refs") is None:
        yield _refs(usual, started)
    for key, value in parts.items():
        if isinstance(value, Reference):
            yield Clause(kind=key, text=value.shown, outcome=None, why=NOT_LOADED)
        elif value is None:
            continue
        elif key == "refs":
            yield _refs(texts_of(value), started)
        elif key == "variables":
            yield _variables(texts_of(value), around)
        elif key == "changes":
            yield changes_clause(value, around)
        elif key == "kubernetes":
            why = "whether the project has a Kubernetes cluster is not known here"
            yield Clause(kind=key, text=clean(in_words(value), 80), outcome=None, why=why)


def _open(kind: str, texts: Iterable[str], why: str, outcome: bool | None = None) -> Clause:
    return Clause(kind=kind, text=clean(", ".join(texts), 500), outcome=outcome, why=why)


def _refs(patterns: Sequence[str], started: Started) -> Clause:
    outcome = _or(_matches(pattern, started) for pattern in patterns)
    what = "a merge request"
    if started.ref.type is not RefType.MERGE_REQUEST:
        what = (
            f"the {started.ref.type} {clean(started.ref.name, 100)}, started by {clean(started.source, 60)}"
        )
    return _open("refs", patterns, f"the pipeline is for {what}", outcome)


def _matches(pattern: str, started: Started) -> bool | None:
    name, at, path = pattern.partition("@")
    if at and isinstance(started.project, Unknown):
        return False if _named(name, started) is False else None
    return False if at and started.project != path else _named(name, started)


def _named(name: str, started: Started) -> bool | None:
    kind = started.ref.type
    if (kind is RefType.TAG and name == TAGS) or (kind is RefType.BRANCH and name == BRANCHES):
        return True
    if name in started.names:
        return True
    if kind is RefType.MERGE_REQUEST:
        return False
    pattern = read_pattern(name)
    if pattern is None or pattern.error:
        return name == started.ref.name
    return pattern.search(started.ref.name)


def _variables(conditions: Sequence[str], around: Surroundings) -> Clause:
    judged = [if_clause(each, around) for each in conditions]
    return Clause(
        kind="variables",
        text=clean(" or ".join(each.text for each in judged), 500),
        outcome=_or(each.outcome for each in judged),
        comparisons=tuple(comparison for each in judged for comparison in each.comparisons),
        why="; ".join(filter(None, (each.why for each in judged))),
    )


def _or(outcomes: Iterable[bool | None]) -> bool | None:
    seen = set(outcomes)
    return True if True in seen else None if None in seen else False


def _any(clauses: Sequence[Clause]) -> bool | None:
    return _or(each.outcome for each in clauses)


def _all(clauses: Sequence[Clause]) -> bool | None:
    seen = {each.outcome for each in clauses}
    return False if False in seen else None if None in seen else True


def telling(policies: Sequence[Policy]) -> tuple[Policy, ...]:
    """Return the policies that say something: a default that lets the job in does not."""
    return tuple(each for each in policies if not (each.is_default and each.admits))


def admitted(policies: Sequence[Policy]) -> bool | None:
    """Tell whether all policies let a job into the pipeline."""
    seen = {each.admits for each in policies}
    return False if False in seen else None if None in seen else True
