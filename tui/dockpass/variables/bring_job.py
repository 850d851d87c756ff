"""What would bring a job into the pipeline: the smallest changes of ref, source, variables and files.

What is tried comes from the rules themselves: refs and sources that there are, and what conditions ask.
Only what the resolver bears out is offered.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any

from dockpass.unknown import Unknown
from dockpass.variables.changes import Change, ChangeKind, after
from dockpass.variables.gitlab import globs
from dockpass.variables.gitlab.expression import Asked, ExpressionError, asked_in, parse
from dockpass.variables.gitlab.model import OF_GITLAB, Ref, RefType
from dockpass.variables.gitlab.policies import BRANCHES, TAGS, USUAL, plural_of, policy_parts, texts_of
from dockpass.variables.gitlab.policy_entries import EXCEPT, ONLY
from dockpass.variables.gitlab.resolve import JobView
from dockpass.variables.gitlab.rules import paths_of
from dockpass.variables.gitlab.tree import Tree, as_text
from dockpass.variables.pipeline import MERGE_REQUEST, PUSH, Loaded

MOST_WAYS = 6
MOST_TRIED = 250
MOST_TOGETHER = 3
SOURCES = ("web", "schedule", "api", "trigger", "pipeline", "parent_pipeline")
EXAMPLE_TAG = "v1.0.0"
_NAMES_OF_SOURCES = {name: each for each in (PUSH, *SOURCES) for name in (each, plural_of(each))}
"""What `only` and `except` call a source."""

_BRANCHES = frozenset({"CI_COMMIT_BRANCH", "CI_COMMIT_REF_NAME", "CI_MERGE_REQUEST_SOURCE_BRANCH_NAME"})
_SPECIAL = re.compile(r"[\\^$.|?*+()\[\]{}]")


@dataclass(frozen=True, slots=True)
class JobWay:
    """Changes with which the job is in the pipeline, and the job after them."""

    changes: tuple[Change, ...]
    view: JobView


def what_would_include(
    loaded: Loaded, job: str, instance: Mapping[str, str] | None = None, refs: Sequence[Ref] = ()
) -> tuple[JobWay, ...]:
    """Return the smallest changes that bring a job into the pipeline; `refs` are refs that there are.

    Empty where it is in the pipeline for certain, or nothing that is tried brings it.
    """
    if loaded.view(job, instance).included is True:
        return ()
    found: list[JobWay] = []
    candidates = tuple(_candidates(loaded, job, refs))
    tried = 0
    for count in range(1, MOST_TOGETHER + 1):
        for changes in combinations(candidates, count):
            if tried >= MOST_TRIED or len(found) >= MOST_WAYS:
                return tuple(found)
            if not _fits(changes) or any(set(way.changes) <= set(changes) for way in found):
                continue
            tried += 1
            view = after(loaded, job, changes).view(job, instance)
            if view.included is True and not view.problems:
                found.append(JobWay(changes, view))
    return tuple(found)


def pipelines_to_try(loaded: Loaded, job: str, refs: Sequence[Ref] = ()) -> Iterator[Change]:
    """Yield other pipelines that the rules may want: refs that they name, and sources."""
    asked, named = _asked(loaded, job), _named(loaded, job)
    yield from _refs(loaded, asked, named, refs)
    yield from _sources(loaded, asked, named)


def _candidates(loaded: Loaded, job: str, refs: Sequence[Ref]) -> Iterator[Change]:
    asked = _asked(loaded, job)
    yield from pipelines_to_try(loaded, job, refs)
    yield from _protection(loaded, job, asked)
    yield from _variables(loaded, job, asked)
    yield from _files(loaded, job)


def _trees(loaded: Loaded, job: str) -> tuple[Tree, ...]:
    return (*(loaded.config.workflow or ()), *(loaded.job(job).rules or ()))


def _asked(loaded: Loaded, job: str) -> tuple[Asked, ...]:
    """Return everything that the rules of workflow and job, and its `only` and `except`, ask of variables."""
    found: list[Asked] = []
    conditions = [as_text(tree.get("if")) for tree in _trees(loaded, job)]
    for _, parts in policy_parts(loaded.job(job)):
        conditions += texts_of(parts.get("variables") or [])
    for text in filter(None, conditions):
        try:
            found += asked_in(parse(text))
        except ExpressionError:
            continue
    return tuple(dict.fromkeys(found))


@dataclass(frozen=True, slots=True)
class _Named:
    """The refs and sources that `only` and `except` of a job name; None for a job that has rules."""

    only: tuple[str, ...]
    except_: tuple[str, ...]


def _named(loaded: Loaded, job: str) -> _Named | None:
    found = loaded.job(job)
    if found.rules is not None or not found.tree:
        return None
    parts = dict(policy_parts(found))
    only, except_ = (parts[kind].get("refs") if kind in parts else None for kind in (ONLY, EXCEPT))
    return _Named(tuple(texts_of(only)) if only is not None else USUAL, tuple(texts_of(except_ or [])))


def _wanted_refs(named: _Named, now: Ref, default: str) -> Iterator[tuple[Ref, str]]:
    """Yield refs that `only` may want, and for an `except` another kind of ref."""
    branch = now.name if now.type is not RefType.TAG else default or "main"
    for pattern in named.only:
        name = pattern.partition("@")[0]
        if name == BRANCHES:
            yield Ref(name=branch, protected=None), PUSH
        elif name == TAGS:
            yield Ref(type=RefType.TAG, name=EXAMPLE_TAG, protected=None), PUSH
        elif name in {"merge_request", "merge_requests"}:
            yield Ref(type=RefType.MERGE_REQUEST, name=branch, protected=False), MERGE_REQUEST
        elif name not in _NAMES_OF_SOURCES:
            for example in _of_pattern(name) if name.startswith("/") else (name,):
                yield Ref(name=example, protected=None), PUSH
                yield Ref(type=RefType.TAG, name=example, protected=None), PUSH
    if named.except_:
        yield Ref(name=branch, protected=None), PUSH
        yield Ref(type=RefType.TAG, name=EXAMPLE_TAG, protected=None), PUSH


def _refs(
    loaded: Loaded, asked: Sequence[Asked], named: _Named | None, refs: Sequence[Ref]
) -> Iterator[Change]:
    now = loaded.situation.ref
    names = {each.name for each in asked}
    wanted: list[tuple[Ref, str]] = []
    default = _value(loaded, "CI_DEFAULT_BRANCH")
    if default:
        wanted.append((Ref(name=default, protected=_protected(refs, default)), PUSH))
    for each in asked:
        for example in _examples(loaded, each):
            if each.name in _BRANCHES:
                wanted.append((Ref(name=example, protected=_protected(refs, example)), PUSH))
            elif each.name == "CI_COMMIT_TAG":
                wanted.append((Ref(type=RefType.TAG, name=example, protected=None), PUSH))
    if "CI_COMMIT_TAG" in names:
        wanted.append((Ref(type=RefType.TAG, name=EXAMPLE_TAG, protected=None), PUSH))
    if any(name.startswith("CI_MERGE_REQUEST") for name in names) or _asks_for(asked, MERGE_REQUEST):
        name = now.name if now.type is not RefType.TAG else default or "main"
        wanted.append((Ref(type=RefType.MERGE_REQUEST, name=name, protected=False), MERGE_REQUEST))
    if named is not None:
        wanted += _wanted_refs(named, now, default)
    tags = "CI_COMMIT_TAG" in names or named is not None
    wanted += [(each, PUSH) for each in refs if each.type is not RefType.TAG or tags][:20]
    seen: set[tuple[RefType, str]] = {(now.type, now.name)}
    for ref, source in wanted:
        if (ref.type, ref.name) not in seen:
            seen.add((ref.type, ref.name))
            yield Change(kind=ChangeKind.REF, ref=ref, value=source)


def _protected(refs: Sequence[Ref], name: str) -> bool | None:
    return next((each.protected for each in refs if each.name == name), None)


def _asks_for(asked: Iterable[Asked], text: str) -> bool:
    return any(text in each.text for each in asked)


def _sources(loaded: Loaded, asked: Sequence[Asked], policies: _Named | None) -> Iterator[Change]:
    """Yield sources that the rules name, then others; a merge request is another ref."""
    conditions = [each for each in asked if each.name == "CI_PIPELINE_SOURCE"]
    named = [example for each in conditions for example in _examples(loaded, each)]
    if policies is not None:
        of_policies = (*policies.only, *policies.except_)
        named += [_NAMES_OF_SOURCES[name] for name in of_policies if name in _NAMES_OF_SOURCES]
    if not conditions and not named:
        return
    for source in dict.fromkeys((*named, PUSH, *SOURCES)):
        if source not in {MERGE_REQUEST, loaded.source}:
            yield Change(kind=ChangeKind.SOURCE, value=source)


def _protection(loaded: Loaded, job: str, asked: Sequence[Asked]) -> Iterator[Change]:
    """A rule may ask for a protected variable, or for the protection itself."""
    situation = loaded.situation
    if situation.ref.protected is True:
        return
    names = {each.name for each in asked}
    view = loaded.view(job)
    protected = {each.key for each in situation.definitions if each.protected}
    if "CI_COMMIT_REF_PROTECTED" in names or names & protected & {*view.absent, *view.variables}:
        yield Change(kind=ChangeKind.PROTECT_REF, ref=situation.ref)


def _variables(loaded: Loaded, job: str, asked: Sequence[Asked]) -> Iterator[Change]:
    """Yield variables that a person can give when the pipeline is started by hand."""
    view = loaded.view(job)
    fixed = {each.key for each in loaded.situation.definitions if each.level in OF_GITLAB}
    for each in asked:
        if each.name in fixed or each.name in _BRANCHES or each.name.startswith(("CI_", "GITLAB_")):
            continue
        values = list(_examples(loaded, each)) or (["1"] if not each.operator else [])
        present = each.name in view.variables
        for value in (*values, *([""] if present else [])):
            yield Change(kind=ChangeKind.RUN_WITH, name=each.name, value=value)


def _files(loaded: Loaded, job: str) -> Iterator[Change]:
    known = loaded.situation.paths() or ()
    parts = (each for _, each in policy_parts(loaded.job(job)))
    for tree in (*_trees(loaded, job), *parts):
        for pattern in _patterns(tree.get("changes")):
            path = next((each for each in known if globs.matches(pattern, each)), _example_path(pattern))
            if path:
                yield Change(kind=ChangeKind.CHANGE_FILE, value=path)
        for pattern in _patterns(tree.get("exists")):
            if path := _example_path(pattern):
                yield Change(kind=ChangeKind.ADD_FILE, value=path)


def _patterns(value: Any) -> list[str]:
    return paths_of(value) if value is not None else []


def _example_path(pattern: str) -> str:
    """Return a path that a pattern matches, where it is easy to make one up."""
    path = pattern.replace("**/", "").replace("**", "file").replace("*", "file")
    return path if globs.matches(pattern, path) else ""


def _examples(loaded: Loaded, asked: Asked) -> Iterator[str]:
    """Yield texts that a condition may want, or the other side of a comparison with a variable."""
    if asked.other:
        if value := _value(loaded, asked.other):
            yield value
    elif asked.text.startswith("/") and asked.operator in {"=~", "!~"}:
        yield from _of_pattern(asked.text)
    elif asked.text:
        yield asked.text


def _of_pattern(text: str) -> Iterator[str]:
    """Yield texts that a pattern may match, made of its letters: each is tried before it is offered."""
    body = text[1 : text.rindex("/")].replace("\\/", "/").replace("\\.", ".").replace("\\d", "1")
    for branch in body.strip("^$").split("|"):
        plain = _SPECIAL.sub("", re.sub(r"\[[^\]]*\][+*?]?|\.[*+]", "1", branch))
        if plain:
            yield plain
        if plain.endswith("/"):
            yield f"{plain}1"


def _value(loaded: Loaded, name: str) -> str:
    found = [each.value for each in loaded.situation.definitions if each.key == name]
    return "" if not found or isinstance(found[-1], Unknown) else found[-1]


def _fits(changes: Sequence[Change]) -> bool:
    """Tell whether changes can be made together: one ref, one source, one value for a variable."""
    slots = [
        {ChangeKind.REF: "ref", ChangeKind.SOURCE: "source"}.get(each.kind, f"{each.kind} {each.name}")
        for each in changes
        if each.kind not in {ChangeKind.CHANGE_FILE, ChangeKind.ADD_FILE}
    ]
    refs = [each for each in changes if each.kind is ChangeKind.REF and each.value == MERGE_REQUEST]
    return len(set(slots)) == len(slots) and not (refs and "source" in slots)
