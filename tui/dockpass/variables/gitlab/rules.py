"""The rules of a job or a workflow: each clause with what was compared, the first match, and what it sets.

Follows `lib/gitlab/ci/build/rules`. A rule that depends on a value that is not known here leaves the outcome
open, unless every way leads to the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from dockpass.text import clean
from dockpass.unknown import Unknown
from dockpass.variables.gitlab import globs
from dockpass.variables.gitlab.config import NOT_LOADED, UNREAD_RULE, read_variables
from dockpass.variables.gitlab.expand import expand_existing
from dockpass.variables.gitlab.expression import Comparison, ExpressionError, evaluate, parse
from dockpass.variables.gitlab.includes import Problem
from dockpass.variables.gitlab.model import Definition, Place, Value, YamlPart
from dockpass.variables.gitlab.tree import Reference, Tree, as_text, in_words

NEVER = "never"
MOST_COMPARISONS = 50_000
"""As GitLab's `MAX_PATTERN_COMPARISONS` since 17.7; before, it was 10,000."""
Paths: TypeAlias = Callable[[], tuple[str, ...] | None]
_CONDITIONS = frozenset({"if", "changes", "exists", UNREAD_RULE})


def no_paths() -> None:
    """Say that the files of the project are not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What rules look at: values as they are compared, and the files of the work tree.

    `expand` returns the values expanded; that takes time, and only `changes` wants them. `paths` returns all
    files, which only `exists` wants; `changes` are those that the pipeline's commits changed. None where that
    is not known. `without_push` says why nothing is compared for `changes`, where that is so.
    """

    values: Mapping[str, Value]
    expand: Callable[[], Mapping[str, Value]]
    paths: Paths = no_paths
    changes: tuple[str, ...] | None = None
    without_push: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """One condition of a rule; `outcome` is None where it cannot be told here, and `why` says why."""

    kind: str
    text: str
    outcome: bool | None
    comparisons: tuple[Comparison, ...] = ()
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule as it was judged; `reached` is false behind the first match, `when` empty if not known."""

    number: int
    place: Place
    clauses: tuple[Clause, ...]
    outcome: bool | None
    reached: bool
    when: str
    variables: tuple[Definition, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """What a list of rules comes to: `included` is None where it cannot be told here."""

    included: bool | None
    when: str
    rules: tuple[Rule, ...] = ()
    variables: tuple[Definition, ...] = ()
    problems: tuple[Problem, ...] = ()


def judge(rules: Sequence[Tree], default_when: str, around: Surroundings, part: YamlPart) -> Judgement:
    """Judge rules in order; the first that holds decides, and without one nothing is included."""
    problems: list[Problem] = []
    judged: list[Rule] = []
    candidates: list[Rule] = []
    decided = False
    for number, tree in enumerate(rules, 1):
        rule = _rule(number, tree, default_when, around, part, problems, reached=not decided)
        judged.append(rule)
        if decided or rule.outcome is False:
            continue
        candidates.append(rule)
        decided = rule.outcome is True
    return Judgement(
        included=_included(candidates, decided=decided),
        when=candidates[0].when
        if candidates and (decided and len(candidates) == 1)
        else _when(candidates, decided),
        rules=tuple(judged),
        variables=tuple(_variables(candidates, decided=decided)),
        problems=tuple(problems),
    )


def _included(candidates: Sequence[Rule], *, decided: bool) -> bool | None:
    answers = {rule.when != NEVER for rule in candidates}
    if not decided or any(not rule.when for rule in candidates):
        answers.add(False)
    return answers.pop() if len(answers) == 1 else None


def _when(candidates: Sequence[Rule], decided: bool) -> str:
    words = {rule.when for rule in candidates} | (set() if decided else {NEVER})
    return words.pop() if len(words) == 1 else ""


def _variables(candidates: Sequence[Rule], *, decided: bool) -> Iterator[Definition]:
    """Yield what the matching rule sets; what only one of several possible rules sets is not known."""
    if decided and len(candidates) == 1:
        yield from candidates[0].variables
        return
    seen: dict[str, list[Definition]] = {}
    for rule in candidates:
        for definition in rule.variables:
            seen.setdefault(definition.key, []).append(definition)
    for definitions in seen.values():
        values = {str(each.value) for each in definitions}
        if decided and len(definitions) == len(candidates) and len(values) == 1:
            yield definitions[0]
            continue
        first = definitions[0]
        yield Definition(
            key=first.key,
            value=Unknown("a rule that cannot be decided here may set it"),
            level=first.level,
            origin=first.origin,
            place=first.place,
        )


def _rule(
    number: int,
    tree: Tree,
    default_when: str,
    around: Surroundings,
    part: YamlPart,
    problems: list[Problem],
    *,
    reached: bool,
) -> Rule:
    clauses = tuple(_clauses(tree, around)) if reached else ()
    place = next((tree.place(key) for key in tree), Place())
    return Rule(
        number=number,
        place=place,
        clauses=clauses,
        outcome=_all(clause.outcome for clause in clauses) if reached else None,
        reached=reached,
        when=_when_of(tree, default_when),
        variables=tuple(read_variables(tree, "rules:rule", part, ("value",), problems)),
    )


def _when_of(tree: Tree, default: str) -> str:
    when = tree.get("when")
    return "" if UNREAD_RULE in tree or isinstance(when, Reference) else as_text(when) or default


def _all(outcomes: Iterator[bool | None]) -> bool | None:
    seen = set(outcomes)
    if False in seen:
        return False
    return None if None in seen else True


def _clauses(tree: Tree, around: Surroundings) -> Iterator[Clause]:
    for kind, value in tree.items():
        if isinstance(value, Reference) and kind in _CONDITIONS:
            shown = "rules" if kind == UNREAD_RULE else kind
            yield Clause(kind=shown, text=value.shown, outcome=None, why=NOT_LOADED)
        elif kind == "if" and value is not None:
            yield if_clause(as_text(value) or "", around)
        elif kind == "changes":
            yield changes_clause(value, around)
        elif kind == "exists":
            yield _exists(value, around)


def if_clause(text: str, around: Surroundings) -> Clause:
    """Judge a condition as a clause."""
    shown = clean(" ".join(text.split()), 500)
    try:
        outcome = evaluate(parse(text), around.values)
    except ExpressionError as error:
        return Clause(kind="if", text=shown, outcome=False, why=str(error))
    unknown = sorted(
        {
            name
            for comparison in outcome.trace
            for name in comparison.names
            if comparison.outcome is None and isinstance(around.values.get(name), Unknown)
        }
    )
    why = f"{', '.join(unknown)} is not known here" if outcome.holds is None and unknown else ""
    return Clause(kind="if", text=shown, outcome=outcome.holds, comparisons=outcome.trace, why=why)


def paths_of(value: Any) -> list[str]:
    """Return the patterns of a `changes` or an `exists` that are texts."""
    return [each for each in _listed(value) if isinstance(each, str)]


def _listed(value: Any) -> list[Any]:
    paths = value.get("paths") if isinstance(value, Tree) else value
    return paths if isinstance(paths, list) else [paths]


def changes_clause(value: Any, around: Surroundings) -> Clause:
    """Judge patterns of changed files; without a push there is nothing to compare, and GitLab says yes."""
    if isinstance(value, Tree) and "compare_to" in value:
        return _open("changes", value, "compare_to is not looked at here")
    if around.without_push:
        return replace(_open("changes", value, around.without_push), outcome=True)
    return _matched(
        "changes", value, around.expand(), around.changes, "which files changed is not known here"
    )


def _exists(value: Any, around: Surroundings) -> Clause:
    if isinstance(value, Tree) and "project" in value:
        return _open("exists", value, "files of another project are not known here")
    return _matched(
        "exists", value, around.values, around.paths(), "the files of the project are not known here"
    )


def _open(kind: str, value: Any, why: str) -> Clause:
    shown = ", ".join(map(in_words, _listed(value)))
    return Clause(kind=kind, text=clean(shown, 500), outcome=None, why=why)


def _matched(
    kind: str, value: Any, variables: Mapping[str, Value], files: Sequence[str] | None, missing: str
) -> Clause:
    """Try the patterns on the files; `missing` says what is not known where they are None."""
    written = paths_of(value)
    if len(written) < len(_listed(value)):
        return _open(kind, value, "one of its patterns is not a string")
    expanded = [expand_existing(pattern, variables) for pattern in written]
    globbed = [each for each in expanded if isinstance(each, str)]
    if files is None or len(globbed) < len(expanded):
        return _open(kind, value, missing)
    patterns = [globs.glob_pattern(each) for each in globbed]
    if None in patterns:
        return _open(kind, value, "one of its patterns is too large to be tried")
    found = any(pattern.fullmatch(path) for path in files for pattern in patterns if pattern is not None)
    if not found and globs.comparisons(globbed, files) > MOST_COMPARISONS:
        why = f"GitLab compares {MOST_COMPARISONS:,} times at the most, and then takes it to match"
        return replace(_open(kind, value, why), outcome=True)
    return replace(_open(kind, value, ""), outcome=found)
