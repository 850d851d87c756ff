"""A `.gitlab-ci.yml` after includes, `extends` and `!reference`: its variables, workflow and jobs.

Follows `lib/gitlab/ci/config/extendable`, `config/yaml/tags/reference.rb` and the entries of variables and
matrices, with GitLab's own error texts. What does not bear on variables or rules is not checked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Any

from dockpass.text import clean
from dockpass.variables.gitlab.includes import Loaded, NotLoaded, Problem
from dockpass.variables.gitlab.model import Definition, Level, Place, YamlPart
from dockpass.variables.gitlab.tree import MOST_NODES, Odd, Reference, Tree, as_text, merged

DEEPEST_EXTENDS = 10
MOST_INSTANCES = 200
_RESERVED = {
    "default",
    "include",
    "before_script",
    "image",
    "services",
    "after_script",
    "variables",
    "stages",
} | {
    "cache",
    "workflow",
    "spec",
}
_MAKES_A_JOB = ("script", "trigger", "run", "extends", "needs")


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One job as the configuration describes it.

    `inherit` is what `inherit:variables` says: true, false, or the names. `instances` are the variables of
    each matrix instance, `rules` the list of `rules:` (None where the job has none).
    """

    name: str
    tree: Tree
    place: Place
    variables: tuple[Definition, ...] = ()
    inherit: bool | tuple[str, ...] = True
    instances: tuple[tuple[tuple[str, str], ...], ...] = ()
    environment: str = ""
    stage: str = "test"
    when: str = "on_success"
    rules: tuple[Tree, ...] | None = None

    def instance_name(self, number: int) -> str:
        """Return the name of a matrix instance as GitLab writes it: `build: [aws, app]`."""
        return f"{self.name}: [{', '.join(value for _, value in self.instances[number])}]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """What the configuration says; with `problems` GitLab would refuse it.

    `conditional` tells that another pipeline may include other files.
    """

    variables: tuple[Definition, ...] = ()
    workflow: tuple[Tree, ...] | None = None
    jobs: Mapping[str, Job] | None = None
    not_loaded: tuple[NotLoaded, ...] = ()
    problems: tuple[Problem, ...] = ()
    files: tuple[str, ...] = ()
    conditional: bool = False

    def job(self, name: str) -> Job | None:
        """Return a job by its name; None where there is none."""
        return (self.jobs or {}).get(name)


def read_config(loaded: Loaded) -> Config:
    """Read a merged configuration; what is wrong with it is among its problems."""
    problems = list(loaded.problems)
    tree = _resolved(_extended(loaded.tree, problems), problems)
    defaults = tree.get("default")
    workflow = tree.get("workflow")
    jobs = {
        name: _job(
            name, value, tree.place(name), defaults if isinstance(defaults, Tree) else Tree(), problems
        )
        for name, value in tree.items()
        if name not in _RESERVED and not name.startswith(".") and isinstance(value, Tree)
    }
    variables = read_variables(
        tree, "", YamlPart.DEFAULT, ("value", "description", "expand", "options"), problems
    )
    rules = workflow.get("rules") if isinstance(workflow, Tree) else None
    return Config(
        variables=tuple(variables),
        workflow=None if rules is None else tuple(flat_rules(rules, "workflow", problems)),
        jobs=jobs,
        not_loaded=tuple(loaded.not_loaded),
        problems=tuple(problems),
        files=tuple(loaded.files),
        conditional=loaded.conditional,
    )


def read_variables(
    tree: Tree, where: str, part: YamlPart, allowed: tuple[str, ...], problems: list[Problem]
) -> Iterator[Definition]:
    """Yield the definitions of a `variables:`; what GitLab refuses becomes a problem with its text."""
    variables = tree.get("variables")
    if variables is None:
        return
    prefix = f"{where}:variables" if where else "variables"
    if not isinstance(variables, Tree):
        problems.append(Problem(f"{prefix} config should be a hash", tree.place("variables")))
        return
    for key, value in variables.items():
        place = variables.place(key)
        text = as_text(value)
        if text is not None:
            yield Definition(key=key, value=text, level=Level.YAML, origin=part, place=place)
            continue
        if not isinstance(value, Tree):
            message = "variable definition must be either a string or a hash"
            problems.append(Problem(f"{prefix}:{clean(key, 80)} {message}", place))
            continue
        definition = _complex(key, value, place, part, allowed, f"{prefix}:{clean(key, 80)}", problems)
        if definition is not None:
            yield definition


def _complex(
    key: str,
    value: Tree,
    place: Place,
    part: YamlPart,
    allowed: tuple[str, ...],
    where: str,
    problems: list[Problem],
) -> Definition | None:
    extra = [name for name in value if name not in allowed]
    if extra:
        problems.append(
            Problem(f"{where} config uses invalid data keys: {clean(', '.join(extra), 200)}", place)
        )
        return None
    expand = value.get("expand")
    if expand is not None and not isinstance(expand, bool):
        problems.append(Problem(f"{where} config expand should be a boolean value", place))
        return None
    text = "" if value.get("value") is None else as_text(value["value"])
    if text is None:
        problems.append(Problem(f"{where} config value must be an alphanumeric string", place))
        return None
    options = value.get("options")
    if isinstance(options, list) and options and value.get("value") not in options:
        problems.append(Problem(f"{where} config value must be present in options", place))
        return None
    return Definition(key=key, value=text, level=Level.YAML, origin=part, place=place, raw=expand is False)


def flat_rules(rules: Any, where: str, problems: list[Problem]) -> Iterator[Tree]:
    """Yield the rules of a list, with those of nested lists, which `!reference` makes."""
    if not isinstance(rules, list):
        problems.append(Problem(f"{where}:rules config should be an array of hashes"))
        return
    for rule in rules:
        if isinstance(rule, list):
            yield from flat_rules(rule, where, problems)
        elif isinstance(rule, Tree):
            yield rule
        else:
            problems.append(Problem(f"{where}:rules config should be an array of hashes"))


def _extended(tree: Tree, problems: list[Problem]) -> Tree:
    result = Tree()
    result.places = tree.places
    done: dict[tuple[str, int], Any] = {}
    for name, value in tree.items():
        result[name] = _extend(name, tree, (), problems, done) if isinstance(value, Tree) else value
    return result


def _extend(
    name: str,
    tree: Tree,
    above: tuple[str, ...],
    problems: list[Problem],
    done: dict[tuple[str, int], Any],
) -> Any:
    """Merge a mapping with what it extends, once for each depth: the same parents are often named again."""
    value = tree.get(name)
    if not isinstance(value, Tree) or "extends" not in value:
        return value
    key = (name, len(above))
    if key not in done:
        done[key] = _with_parents(name, value, tree, above, problems, done)
    return done[key]


def _with_parents(
    name: str,
    value: Tree,
    tree: Tree,
    above: tuple[str, ...],
    problems: list[Problem],
    done: dict[tuple[str, int], Any],
) -> Any:
    parents = value["extends"]
    names = [str(each) for each in (parents if isinstance(parents, list) else [parents])]
    place = value.place("extends")
    unknown = [each for each in names if each not in tree]
    bad = [each for each in names if each in tree and not isinstance(tree[each], Tree)]
    shown = clean(name, 80)
    problem = ""
    if unknown:
        problem = f"{shown}: unknown keys in `extends` ({clean(', '.join(unknown), 200)})"
    elif bad:
        problem = f"{shown}: invalid base hashes in `extends` ({clean(', '.join(bad), 200)})"
    elif len(above) > DEEPEST_EXTENDS:
        problem = f"{shown}: nesting too deep in `extends`"
    elif name in above:
        problem = f"{shown}: circular dependency detected in `extends`"
    if problem:
        if all(each.message != problem for each in problems):
            problems.append(Problem(problem, place))
        return value
    result: Any = Tree()
    for each in names:
        result = merged(result, _extend(each, tree, (*above, name), problems, done))
    return merged(result, value)


class _Resolver:
    def __init__(self, tree: Tree, problems: list[Problem]) -> None:
        self.tree = tree
        self.problems = problems
        self.referred = 0

    def resolve(self, value: Any, above: tuple[tuple[str, ...], ...] = ()) -> Any:
        self.referred += bool(above)
        if self.referred > MOST_NODES:
            return None
        if isinstance(value, Reference):
            return self._look_up(value, above)
        if isinstance(value, list):
            found = [self.resolve(each, above) for each in value]
            return found if any(new is not old for new, old in zip(found, value, strict=True)) else value
        if not isinstance(value, Tree):
            return value
        changed = {key: new for key, each in value.items() if (new := self.resolve(each, above)) is not each}
        if not changed:
            return value
        result = Tree()
        result.update(value | changed)
        result.places = value.places
        return result

    def _look_up(self, reference: Reference, above: tuple[tuple[str, ...], ...]) -> Any:
        shown = f"!reference {list(reference.path)!r}".replace("'", '"')
        if reference.path in above:
            self.problems.append(Problem(f"{clean(shown, 200)} is part of a circular chain", reference.place))
            return None
        found: Any = self.tree
        for key in reference.path:
            found = found.get(key) if isinstance(found, Tree) else None
        if found is None:
            self.problems.append(Problem(f"{clean(shown, 200)} could not be found", reference.place))
            return None
        return self.resolve(found, (*above, reference.path))


def _resolved(tree: Tree, problems: list[Problem]) -> Tree:
    resolver = _Resolver(tree, problems)
    result = resolver.resolve(tree)
    if resolver.referred > MOST_NODES:
        problems.append(Problem("The parsed YAML is too big, with what `!reference` repeats"))
        return Tree()
    return result if isinstance(result, Tree) else Tree()


def _job(name: str, tree: Tree, place: Place, defaults: Tree, problems: list[Problem]) -> Job:
    where = f"jobs:{clean(name, 80)}"
    if not any(key in tree for key in _MAKES_A_JOB):
        message = f"{where} config should implement the script:, run:, or trigger: keyword"
        problems.append(Problem(message, place))
    rules = tree.get("rules")
    return Job(
        name=name,
        tree=tree,
        place=place,
        variables=tuple(read_variables(tree, where, YamlPart.JOB, ("value", "expand"), problems)),
        inherit=_inherit(tree),
        instances=tuple(_instances(tree, where, problems)),
        environment=_environment(tree),
        stage=str(tree.get("stage") or defaults.get("stage") or "test"),
        when=str(tree.get("when") or "on_success"),
        rules=None if rules is None else tuple(flat_rules(rules, where, problems)),
    )


def _inherit(tree: Tree) -> bool | tuple[str, ...]:
    inherit = tree.get("inherit")
    variables = inherit.get("variables", True) if isinstance(inherit, Tree) else True
    if isinstance(variables, list):
        return tuple(str(each) for each in variables)
    return variables is not False


def _environment(tree: Tree) -> str:
    environment = tree.get("environment")
    if isinstance(environment, Tree):
        environment = environment.get("name")
    return as_text(environment) or ""


def _instances(tree: Tree, where: str, problems: list[Problem]) -> Iterator[tuple[tuple[str, str], ...]]:
    parallel = tree.get("parallel")
    matrix = parallel.get("matrix") if isinstance(parallel, Tree) else None
    if not isinstance(matrix, list):
        return
    count = 0
    for entry in matrix:
        if not isinstance(entry, Tree) or not entry:
            problems.append(Problem(f"{where}:parallel:matrix config should be an array of hashes"))
            continue
        columns = [
            [(key, as_text(each) or "") for each in (value if isinstance(value, list) else [value])]
            for key, value in entry.items()
            if not isinstance(value, Tree | Odd)
        ]
        count += prod(map(len, columns))
        if count > MOST_INSTANCES:
            message = f"config generates too many jobs (maximum is {MOST_INSTANCES})"
            problems.append(Problem(f"{where}:parallel:matrix {message}", tree.place("parallel")))
            return
        yield from product(*columns)
