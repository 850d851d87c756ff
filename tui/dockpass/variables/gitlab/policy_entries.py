"""The `only` and `except` of a job as they are written, and what GitLab refuses in them, in its words."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from dockpass.text import clean
from dockpass.variables.gitlab.expression import has_readable_if
from dockpass.variables.gitlab.includes import Problem
from dockpass.variables.gitlab.model import Place
from dockpass.variables.gitlab.patterns import read_pattern
from dockpass.variables.gitlab.tree import Reference, Tree, in_words

ONLY, EXCEPT = "only", "except"
_KEYS = ("refs", "kubernetes", "variables", "changes")


def parts_of(given: Any, place: Place) -> Tree:
    """Return an `only` or an `except` as a mapping: a list names refs."""
    if isinstance(given, Tree):
        return given
    parts = Tree()
    parts.put("refs", given, place)
    return parts


def policy_problems(tree: Tree, where: str) -> Iterator[Problem]:
    """Yield what GitLab refuses in the `only` and `except` of a job, in its words."""
    beside = [key for key in (ONLY, EXCEPT, "start_in") if tree.get(key) is not None]
    if beside and tree.get("rules") is not None:
        message = f"{where} config key may not be used with `rules`: {', '.join(beside)}"
        yield Problem(message, tree.place(beside[0]))
    for kind in (ONLY, EXCEPT):
        given = tree.get(kind)
        if given is not None and not isinstance(given, Reference):
            yield from (Problem(f"{where}:{kind} {words}", tree.place(kind)) for words in _refused(given))


def _refused(given: Any) -> Iterator[str]:
    if isinstance(given, list):
        if not _are_refs(given):
            yield "config should be an array of strings or regular expressions using re2 syntax"
        return
    if not isinstance(given, Tree):
        yield "has to be either an array of conditions or a hash"
        return
    if not given:
        yield "config can't be blank"
    if extra := [key for key in given if key not in _KEYS]:
        yield f"config contains unknown keys: {clean(', '.join(extra), 200)}"
    refs, variables, changes = (given.get(key) for key in ("refs", "variables", "changes"))
    if refs is not None and not isinstance(refs, Reference) and not _are_refs(refs):
        yield "refs should be an array of strings or regular expressions using re2 syntax"
    kubernetes = given.get("kubernetes")
    if kubernetes not in (None, "active") and not isinstance(kubernetes, Reference):
        yield "kubernetes unknown value: " + clean(in_words(kubernetes), 80)
    for key, value in (("variables", variables), ("changes", changes)):
        if value is not None and not isinstance(value, Reference) and not _are_texts(value):
            yield f"{key} should be an array of strings"
    if isinstance(variables, list) and not all(map(_is_readable, variables)):
        yield "variables invalid expression syntax"


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(isinstance(each, str | Reference) for each in value)


def _are_refs(value: Any) -> bool:
    if not _are_texts(value):
        return False
    patterns = (read_pattern(each) for each in value if isinstance(each, str))
    return not any(pattern is not None and pattern.error for pattern in patterns)


def _is_readable(condition: Any) -> bool:
    rule = Tree()
    rule["if"] = condition
    return has_readable_if(rule)
