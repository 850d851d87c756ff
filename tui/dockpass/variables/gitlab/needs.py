"""The jobs that a job needs: GitLab creates no pipeline where one of them is not defined or left out.

Follows `validate_job_needs!` of `lib/gitlab/ci/yaml_processor.rb` and `needs_errors` of
`lib/gitlab/ci/pipeline/seed/build.rb`, with their error texts.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dockpass.text import clean
from dockpass.variables.gitlab.includes import Problem
from dockpass.variables.gitlab.model import Place
from dockpass.variables.gitlab.tree import Tree

_OTHER_PIPELINE = frozenset({"pipeline", "project"})
_ONE_OF = re.compile(r"(?P<job>.*) \d+/\d+", re.DOTALL)
"""The name of one of the instances of `parallel: 5`."""


@dataclass(frozen=True, slots=True)
class Need:
    """A job that another needs; without an `optional` one the other does not come either."""

    name: str
    optional: bool
    place: Place


def needs_of(tree: Tree) -> Iterator[Need]:
    """Yield the jobs of its own pipeline that a job needs, as it is written."""
    needs = tree.get("needs")
    place = tree.place("needs")
    for each in needs if isinstance(needs, list) else []:
        if isinstance(each, str):
            yield Need(each, False, place)
        elif isinstance(each, Tree) and not _OTHER_PIPELINE & set(each) and isinstance(each.get("job"), str):
            yield Need(each["job"], each.get("optional") is True, each.place("job"))


def job_of(name: str, jobs: Mapping[str, Any]) -> str | None:
    """Return the job that a need names, also by one of its instances; None where there is none."""
    one = _ONE_OF.fullmatch(name)
    candidates = (name, one["job"] if one else "", name.partition(": [")[0] if name.endswith("]") else "")
    return next((each for each in candidates if each in jobs), None)


def undefined_needs(trees: Mapping[str, Tree]) -> Iterator[Problem]:
    """Yield GitLab's message for each need and dependency that no job is."""
    for name, tree in trees.items():
        shown = clean(name, 80)
        for need in needs_of(tree):
            if not need.optional and job_of(need.name, trees) is None:
                yield Problem(f"{shown} job: undefined need: {clean(need.name, 80)}", need.place)
        dependencies = tree.get("dependencies")
        for each in dependencies if isinstance(dependencies, list) else []:
            if isinstance(each, str) and job_of(each, trees) is None:
                message = f"{shown} job: undefined dependency: {clean(each, 80)}"
                yield Problem(message, tree.place("dependencies"))


def missing_words(name: str, need: str) -> str:
    """Return what GitLab says where a needed job is not in the pipeline."""
    name, need = clean(name, 80), clean(need, 80)
    return (
        f"'{name}' job needs '{need}' job, but '{need}' does not exist in the pipeline. This might be"
        " because of the only, except, or rules keywords. To need a job that sometimes does not exist in the"
        " pipeline, use needs:optional."
    )
