"""A `.gitlab-ci.yml` after includes, `extends` and `!reference`: its variables, workflow and jobs.

Follows GitLab's entries of variables, rules and matrices, with its own error texts. What does not bear on
variables or rules is not checked.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import product
from math import prod
from typing import Any

from dockpass.text import clean
from dockpass.unknown import Unknown
from dockpass.variables.gitlab.expression import UNREADABLE_IF, has_readable_if
from dockpass.variables.gitlab.includes import Loaded, NotLoaded, Problem
from dockpass.variables.gitlab.merging import Extender, Resolver, unread_parent
from dockpass.variables.gitlab.model import Definition, Level, Place, YamlPart
from dockpass.variables.gitlab.needs import undefined_needs
from dockpass.variables.gitlab.policy_entries import policy_problems
from dockpass.variables.gitlab.tree import Block, Items, Odd, Reference, Tree, as_text, in_words, merged_trees

MOST_INSTANCES = 200
NOT_LOADED = "it may be in an include that is not loaded"
UNREAD_RULE = "!reference"
"""The key of a rule that stands for all those that an include may have; its value is the `Reference`."""

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


SCRIPTS = ("before_script", "script", "after_script")


@dataclass(frozen=True, slots=True)
class ScriptLine:
    """One line of a job's scripts, and where it stands; `part` is the one of `SCRIPTS` that it is in."""

    text: str = field(repr=False)
    place: Place
    part: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """One job as the configuration describes it.

    `inherit` is what `inherit:variables` says: true, false, or the names. `instances` are the variables of
    each matrix instance, `rules` the list of `rules:` (None where the job has none), `image` the name of
    its image (empty where there is none) and `defaults` what the configuration says for jobs that do not.
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
    image: str = ""
    defaults: Tree = field(default_factory=Tree, repr=False, compare=False)

    def script(self) -> Iterator[ScriptLine]:
        """Yield the lines of its scripts, also of inherited ones, in the order in which they run."""
        for part in SCRIPTS:
            found, place = self.own_or_default(part)
            for text, at in _lines(found, place):
                yield ScriptLine(text, at, part)

    def has_whole_script(self) -> bool:
        """Tell whether all of its scripts are read: none is in an include that is not loaded."""
        return not any(_has_reference(self.own_or_default(part)[0]) for part in SCRIPTS)

    def own_or_default(self, key: str) -> tuple[Any, Place]:
        """Return what the job says of a keyword, or else what it inherits from `default:`, and where."""
        source = self.tree if self.tree.get(key) is not None else self.defaults
        found = _own_or_default(self.tree, self.defaults, key)
        return found, source.place(key)

    def instance_name(self, number: int) -> str:
        """Return the name of a matrix instance as GitLab writes it: `build: [aws, app]`."""
        return f"{self.name}: [{', '.join(value for _, value in self.instances[number])}]"


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """What the configuration says; with `problems` GitLab would refuse it.

    With `not_loaded`, what the rest refers to may be in those includes: it is unknown then, and no problem.
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
        """Return a job by its name, or by that of one of its matrix instances; None where there is none."""
        found = (self.jobs or {}).get(name)
        return found or next((job for job, _ in self._instances(name)), None)

    def instance(self, name: str) -> tuple[Job, int] | None:
        """Return the job and the number of a matrix instance by its name: `build: [aws, app]`."""
        return None if name in (self.jobs or {}) else next(self._instances(name), None)

    def _instances(self, name: str) -> Iterator[tuple[Job, int]]:
        job = (self.jobs or {}).get(name.partition(": [")[0]) if name.endswith("]") else None
        for number in range(len(job.instances) if job is not None else 0):
            if job is not None and job.instance_name(number) == name:
                yield job, number


def read_config(loaded: Loaded, *, typed: bool = True) -> Config:
    """Read a merged configuration; what is wrong with it is among its problems.

    `typed` tells that this version of GitLab takes booleans and floats as the values of variables.
    """
    problems = list(loaded.problems)
    whole = not loaded.not_loaded
    extended = Extender(loaded.tree, problems, whole=whole).extended()
    tree = Resolver(extended, problems, whole=whole).resolved()
    defaults = _defaults(tree)
    found = tree.get("workflow")
    workflow = found if isinstance(found, Tree) else Tree()
    jobs = {
        name: _job(
            name, value if whole else _with_unread_rules(name, value), tree.place(name), defaults, problems
        )
        for name, value in tree.items()
        if name not in _RESERVED and not name.startswith(".") and isinstance(value, Tree)
    }
    if whole:
        problems += undefined_needs({name: job.tree for name, job in jobs.items()})
    if not typed:
        problems += _typed_values(tree, jobs)
    variables = read_variables(
        tree, "", YamlPart.DEFAULT, ("value", "description", "expand", "options"), problems
    )
    return Config(
        variables=tuple(variables),
        workflow=_rules(workflow, "workflow", problems),
        jobs=jobs,
        not_loaded=tuple(loaded.not_loaded),
        problems=tuple(problems),
        files=tuple(loaded.files),
        conditional=loaded.conditional,
    )


def _typed_values(tree: Tree, jobs: Mapping[str, Job]) -> Iterator[Problem]:
    """Yield GitLab's message for each boolean and float that is the value of a variable."""
    message = "variable definition must be either a string or a hash"
    places = {"": tree} | {f"jobs:{clean(name, 80)}:": job.tree for name, job in jobs.items()}
    for where, holder in places.items():
        variables = holder.get("variables")
        if not isinstance(variables, Tree):
            continue
        for key, value in variables.items():
            if isinstance(value, bool | float):
                yield Problem(f"{where}variables:{clean(key, 80)} {message}", variables.place(key))


def _defaults(tree: Tree) -> Tree:
    """Return `default:`, with the image and the scripts that stand at the top, as before there was one."""
    found = Tree()
    defaults = tree.get("default")
    for source in (tree, defaults if isinstance(defaults, Tree) else Tree()):
        for key, value in source.items():
            if source is not tree or key in {"image", "before_script", "after_script"}:
                found.put(key, value, source.place(key))
    return found


def read_variables(
    tree: Tree, where: str, part: YamlPart, allowed: tuple[str, ...], problems: list[Problem]
) -> Iterator[Definition]:
    """Yield the definitions of a `variables:`; what GitLab refuses becomes a problem with its text."""
    variables = tree.get("variables")
    if variables is None or isinstance(variables, Reference):
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
        if isinstance(value, Reference):
            yield Definition(key=key, value=Unknown(NOT_LOADED), level=Level.YAML, origin=part, place=place)
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
    if isinstance(expand, Reference) or isinstance(value.get("value"), Reference):
        return Definition(key=key, value=Unknown(NOT_LOADED), level=Level.YAML, origin=part, place=place)
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


def _rules(tree: Tree, where: str, problems: list[Problem]) -> tuple[Tree, ...] | None:
    """Return the rules of a job or workflow, with those of nested lists, which `!reference` makes."""
    rules = tree.get("rules")
    if rules is None:
        return None
    place = tree.place("rules")

    def flat(listed: list[Any]) -> Iterator[Tree]:
        for rule in listed:
            if isinstance(rule, list):
                yield from flat(rule)
            elif isinstance(rule, Tree):
                if not has_readable_if(rule):
                    problems.append(Problem(f"{where}:rules:rule {UNREADABLE_IF}", rule.place("if")))
                yield rule
            elif isinstance(rule, Reference):
                unread = Tree()
                unread.put(UNREAD_RULE, rule, rule.place)
                yield unread
            else:
                problems.append(Problem(f"{where}:rules config should be an array of hashes", place))

    return tuple(flat(rules if isinstance(rules, list) else [rules]))


def _with_unread_rules(name: str, value: Tree) -> Tree:
    """Return a job whose rules may be in an include that is not loaded, like its script."""
    if "rules" in value or any(key in value for key in _MAKES_A_JOB):
        return value
    return merged_trees(unread_parent(name, value.place(next(iter(value), ""))), value)


def _job(name: str, tree: Tree, place: Place, defaults: Tree, problems: list[Problem]) -> Job:
    where = f"jobs:{clean(name, 80)}"
    problems += policy_problems(tree, where)
    if not any(key in tree for key in _MAKES_A_JOB):
        message = f"{where} config should implement the script:, run:, or trigger: keyword"
        problems.append(Problem(message, place))
    return Job(
        name=name,
        tree=tree,
        place=place,
        variables=tuple(read_variables(tree, where, YamlPart.JOB, ("value", "expand"), problems)),
        inherit=_inherit(tree),
        instances=tuple(_instances(tree, where, problems)),
        environment=_environment(tree),
        stage=as_text(tree.get("stage")) or as_text(defaults.get("stage")) or "test",
        when=as_text(tree.get("when")) or "on_success",
        rules=_rules(tree, where, problems),
        image=_image(_own_or_default(tree, defaults, "image")),
        defaults=defaults,
    )


def _own_or_default(tree: Tree, defaults: Tree, key: str) -> Any:
    """Return what a job says, or else what it inherits from `default:`."""
    inherit = tree.get("inherit")
    inherited = inherit.get("default", True) if isinstance(inherit, Tree) else True
    if tree.get(key) is None and (inherited is True or (isinstance(inherited, list) and key in inherited)):
        return defaults.get(key)
    return tree.get(key)


def _image(found: Any) -> str:
    return as_text(found.get("name") if isinstance(found, Tree) else found) or ""


def _lines(found: Any, place: Place) -> Iterator[tuple[str, Place]]:
    """Yield the lines of a script, also of lists in lists, which references make."""
    if isinstance(found, str):
        start = found.place if isinstance(found, Block) else place
        step = int(isinstance(found, Block) and found.literal)
        for number, line in enumerate(found.splitlines()):
            yield line, Place(start.file, start.line + number * step)
    elif isinstance(found, list):
        places = found.places if isinstance(found, Items) else (place,) * len(found)
        for each, at in zip(found, places, strict=True):
            yield from _lines(each, at)


def _has_reference(found: Any) -> bool:
    if isinstance(found, list):
        return any(map(_has_reference, found))
    return isinstance(found, Reference)


def _inherit(tree: Tree) -> bool | tuple[str, ...]:
    inherit = tree.get("inherit")
    variables = inherit.get("variables", True) if isinstance(inherit, Tree) else True
    if isinstance(variables, list):
        return tuple(in_words(each) for each in variables)
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
            message = "config should be an array of hashes"
            problems.append(Problem(f"{where}:parallel:matrix {message}", tree.place("parallel")))
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
