"""One job as GitLab and its runner would give it: every variable with winner, losers and values.

The order is that of `lib/gitlab/ci/variables/builder.rb`: later definitions win, after GitLab has sorted them
by their references. Rules see unexpanded values, without what exists only while a job runs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from dockpass.unknown import Unknown
from dockpass.variables.gitlab import scope
from dockpass.variables.gitlab.config import Config, Job
from dockpass.variables.gitlab.expand import (
    Circles,
    Item,
    circle_words,
    gitlab_blank,
    gitlab_expand,
    references,
    runner_expand,
)
from dockpass.variables.gitlab.includes import Problem
from dockpass.variables.gitlab.model import (
    MAIN,
    MERGE_REQUEST,
    NOWHERE,
    OF_GITLAB,
    PUSH,
    Absent,
    Definition,
    Level,
    Loser,
    Place,
    Reason,
    Ref,
    RefType,
    Resolved,
    Value,
    YamlPart,
)
from dockpass.variables.gitlab.ofjob import (
    MANUAL,
    environment_definitions,
    instance_name,
    instance_of,
    job_definitions,
    manual_definition,
    secret_definitions,
)
from dockpass.variables.gitlab.policies import Policy, Started, admitted, judge_policies
from dockpass.variables.gitlab.rules import Judgement, Paths, Surroundings, judge, no_paths
from dockpass.variables.gitlab.versions import Version, unprotected_words

_OF_RUNNER = frozenset({Level.RUNNER, Level.RUNNER_OWN})
_ONLY_AT_RUNNER = _OF_RUNNER | {Level.RUNNER_LAST}
NOT_FOR_RULES = _ONLY_AT_RUNNER | {Level.PERSISTED, Level.DOTENV, Level.ENVIRONMENT}
"""What does not exist yet when rules are evaluated."""
FILTERED = "Pipeline filtered out by workflow rules."


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """A pipeline to look at: its ref, and every definition that does not stand in the YAML.

    `environment` replaces the job's own where it is not None. `paths` and `changes` are for rules, as
    `Surroundings` has them. `unset` names variables that a person took away. `version` is the server's, None
    the current one.
    """

    ref: Ref = MAIN
    definitions: tuple[Definition, ...] = ()
    environment: str | None = None
    paths: Paths = no_paths
    changes: tuple[str, ...] | None = None
    unset: frozenset[str] = frozenset()
    version: Version | None = None


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class JobView:
    """A job with all its variables.

    `included` is None where it cannot be told here whether the job is in the pipeline. `problems` are what
    GitLab would say; with one of them there is no pipeline. `policies` are `only` and `except` of a job
    without rules. `instance` is the name of the matrix instance: `build: [aws, app]`; empty without a matrix.
    """

    name: str
    included: bool | None
    when: str = ""
    environment: Value = ""
    variables: Mapping[str, Resolved]
    absent: Mapping[str, Absent]
    workflow: Judgement | None = None
    rules: Judgement | None = None
    policies: tuple[Policy, ...] = ()
    problems: tuple[Problem, ...] = ()
    instance: str = ""

    @property
    def title(self) -> str:
        """The job as GitLab lists it: of a matrix its instance."""
        return self.instance or self.name

    @property
    def refusals(self) -> tuple[Problem, ...]:
        """What GitLab would refuse the configuration for; that the workflow wants no pipeline is no error."""
        return tuple(each for each in self.problems if each.message != FILTERED)


def view_job(
    config: Config,
    situation: Situation,
    job: Job,
    instance: Mapping[str, str] | None = None,
    path_of: Callable[[str], str] = lambda key: f"<FILE:{key}>",
) -> JobView:
    """Resolve all variables of a job. `instance` picks a matrix instance, the first one by default."""
    workflow = _workflow(config, situation)
    yaml, not_inherited = _yaml(config, job, instance, workflow.variables if workflow else ())
    own = (*job_definitions(job, instance, situation.version), *secret_definitions(job))
    environment, seen = _in_environment(job, situation, own, yaml)
    rules = _rules(job, situation, seen.kept)
    policies = () if rules is not None else _policies(config, job, situation, seen.kept)
    manual = tuple(manual_definition(rules.when)) if rules is not None and job.when != MANUAL else ()
    if rules is not None and (rules.variables or manual):
        yaml = (*yaml, *rules.variables)
        environment, seen = _in_environment(job, situation, (*own, *manual), yaml)
    items, circles = gitlab_expand([each for each in seen.kept if each.level not in _ONLY_AT_RUNNER])
    first = [Item(each, each.value) for each in seen.kept if each.level in _OF_RUNNER]
    last = [Item(each, each.value) for each in seen.kept if each.level is Level.RUNNER_LAST]
    sent = [*first, *items, *last]
    problems = [
        *config.problems,
        *(workflow.problems if workflow else ()),
        *(rules.problems if rules else ()),
    ]
    if workflow is not None and workflow.included is False:
        problems.append(Problem(FILTERED, workflow.rules[0].place if workflow.rules else NOWHERE))
    if circles:
        problems.append(Problem(circle_words(circles), _place_in(circles) or job.place))
    losers = {
        key: (*seen.losers.get(key, ()), *not_inherited.get(key, ()))
        for key in (*seen.losers, *not_inherited)
    }
    variables = _resolved(sent, runner_expand(sent, path_of), losers, path_of)
    return JobView(
        name=job.name,
        included=False
        if problems
        else _all_of(
            workflow.included if workflow else True,
            rules.included if rules else job.when != "never",
            admitted(policies),
        ),
        when=rules.when if rules else job.when,
        environment=environment,
        variables=variables,
        absent={key: Absent(key, found) for key, found in losers.items() if key not in variables},
        workflow=workflow,
        rules=rules,
        policies=policies,
        problems=tuple(problems),
        instance=instance_name(job, instance),
    )


def _place_in(circles: Circles) -> Place | None:
    return next((each.place for circle in circles for each in circle if each.place.line), None)


def _all_of(*answers: bool | None) -> bool | None:
    return False if False in answers else None if None in answers else True


@dataclass(frozen=True, slots=True)
class _Collected:
    kept: tuple[Definition, ...]
    losers: Mapping[str, tuple[Loser, ...]]


def _in_environment(
    job: Job, situation: Situation, own: Sequence[Definition], yaml: Sequence[Definition]
) -> tuple[Value, _Collected]:
    """Return the environment that a job has with these variables, and what is collected for it.

    Rules are judged in the environment without what they set; the job then runs in the one with it.
    """
    environment: Value = job.environment if situation.environment is None else situation.environment
    if situation.environment is None and references(job.environment):
        plain = _collect((*own, *situation.definitions), yaml, situation, "")
        kept = [each for each in plain.kept if each.level not in NOT_FOR_RULES]
        environment = gitlab_blank(job.environment, _expanded(kept))
    if environment != "":
        own = (*own, *environment_definitions(job, environment))
    return environment, _collect((*own, *situation.definitions), yaml, situation, environment)


def _collect(
    definitions: Iterable[Definition], yaml: Sequence[Definition], situation: Situation, environment: Value
) -> _Collected:
    """Filter by protection and scope, and order by strength; of the YAML one definition of a name counts."""
    name = environment if isinstance(environment, str) else ""
    kept: list[tuple[Level, int, Definition]] = []
    losers: dict[str, list[Loser]] = {}
    last_of_yaml = {each.key: each for each in yaml}
    edited = {each.key for each in situation.definitions if each.level is Level.WHAT_IF}
    for definition in (*definitions, *yaml):
        loser = _why_not(definition, situation, environment)
        if (
            loser is None
            and definition.level is Level.YAML
            and last_of_yaml[definition.key] is not definition
        ):
            winner = last_of_yaml[definition.key]
            loser = Loser(definition, Reason.WEAKER, winner.source)
        if loser is None and definition.key in edited and definition.level is not Level.WHAT_IF:
            loser = Loser(definition, Reason.WEAKER, "what-if")
        if loser is not None:
            losers.setdefault(definition.key, []).append(loser)
            continue
        kept.append((definition.level, scope.rank(definition.scope, name), definition))
    ordered = _by_scope(sorted(kept, key=lambda each: each[:1]))
    if situation.ref.protected is None:
        ordered = list(_with_doubt(ordered, Reason.PROTECTED_UNKNOWN, lambda each: each.protected))
    if isinstance(environment, Unknown):
        ordered = list(
            _with_doubt(ordered, Reason.SCOPE_UNKNOWN, lambda each: each.scope != scope.EVERYWHERE)
        )
    return _Collected(tuple(ordered), {key: tuple(found) for key, found in losers.items()})


def _with_doubt(
    ordered: Iterable[Definition], why: Reason, is_doubtful: Callable[[Definition], bool]
) -> Iterator[Definition]:
    """Make the values unknown of which the ref or the environment decides, where that is not known.

    Such a variable may be missing, unless a weaker definition is there in any case.
    """
    certain: dict[str, Definition] = {}
    for definition in ordered:
        if not is_doubtful(definition):
            certain[definition.key] = definition
            yield definition
            continue
        other = certain.get(definition.key)
        is_set = other is not None and _is_set(other.value) and _is_set(definition.value)
        yield replace(
            definition,
            value=Unknown(why, is_set=is_set, may_be_missing=other is None),
        )


def _is_set(value: Value) -> bool:
    return value.is_set if isinstance(value, Unknown) else bool(value)


def _by_scope(ordered: Sequence[tuple[Level, int, Definition]]) -> list[Definition]:
    """Within a level and its origin the more exact scope comes later; else the given order stays."""
    groups: dict[tuple[Level, str], list[tuple[int, Definition]]] = {}
    for level, rank, definition in ordered:
        groups.setdefault((level, definition.origin if level is Level.GROUP else ""), []).append(
            (rank, definition)
        )
    return [each for group in groups.values() for _, each in sorted(group, key=lambda pair: pair[0])]


def _why_not(definition: Definition, situation: Situation, environment: Value) -> Loser | None:
    if definition.key in situation.unset and definition.level is not Level.WHAT_IF:
        return Loser(definition, Reason.UNSET)
    if definition.protected and situation.ref.protected is False:
        return Loser(definition, Reason.PROTECTED, unprotected_words(situation.ref, situation.version))
    if isinstance(environment, str) and not scope.matches(definition.scope, environment):
        return Loser(definition, Reason.SCOPE, environment)
    return None


def _workflow(config: Config, situation: Situation) -> Judgement | None:
    if config.workflow is None:
        return None
    collected = _collect(situation.definitions, config.variables, situation, "")
    return judge(config.workflow, "always", _surroundings(collected.kept, situation), YamlPart.WORKFLOW)


def _rules(job: Job, situation: Situation, kept: Sequence[Definition]) -> Judgement | None:
    if job.rules is None:
        return None
    return judge(job.rules, job.when, _surroundings(kept, situation), YamlPart.RULES)


def _policies(
    config: Config, job: Job, situation: Situation, kept: Sequence[Definition]
) -> tuple[Policy, ...]:
    workflow = True if config.workflow is not None else None if config.not_loaded else False
    project = _of_gitlab("CI_PROJECT_PATH", situation)
    started = Started(
        ref=situation.ref,
        source=_source(situation),
        project=Unknown("the project is not known here") if project is None else project,
    )
    return judge_policies(job, started, _surroundings(kept, situation), workflow=workflow)


def _of_gitlab(key: str, situation: Situation) -> Value | None:
    """Return the value of a predefined variable as GitLab means it, whatever else has that name."""
    found = [each.value for each in situation.definitions if each.key == key and each.level in OF_GITLAB]
    return found[-1] if found else None


def _source(situation: Situation) -> str:
    source = _of_gitlab("CI_PIPELINE_SOURCE", situation)
    return source if isinstance(source, str) else PUSH


_PUSHED = frozenset({PUSH, MERGE_REQUEST, "external_pull_request_event", "parent_pipeline"})


def _without_push(situation: Situation) -> str:
    """Return why nothing is compared for `changes`, as GitLab's `Pipeline#changed_paths` decides it."""
    if situation.ref.type is RefType.TAG:
        return "always true in a pipeline for a tag: there is nothing to compare with"
    if _source(situation) not in _PUSHED:
        return "always true in a pipeline that no push started: there is nothing to compare with"
    return ""


def _surroundings(kept: Sequence[Definition], situation: Situation) -> Surroundings:
    seen = [each for each in kept if each.level not in NOT_FOR_RULES]
    return Surroundings(
        without_push=_without_push(situation),
        values={each.key: each.value for each in seen},
        expand=lambda: _expanded(seen),
        paths=situation.paths,
        changes=situation.changes,
    )


def _yaml(
    config: Config, job: Job, instance: Mapping[str, str] | None, workflow: Sequence[Definition]
) -> tuple[tuple[Definition, ...], dict[str, tuple[Loser, ...]]]:
    """Return the YAML's definitions for a job, weakest first, and what it does not inherit."""
    inherited: list[Definition] = []
    left_out: dict[str, tuple[Loser, ...]] = {}
    for each in (*config.variables, *workflow):
        if job.inherit is True or (job.inherit and each.key in job.inherit):
            inherited.append(each)
        else:
            left_out[each.key] = (*left_out.get(each.key, ()), Loser(each, Reason.NOT_INHERITED))
    place = job.tree.place("parallel")
    matrix = (
        Definition(key=key, value=value, level=Level.YAML, origin=YamlPart.MATRIX, place=place)
        for key, value in instance_of(job, instance)
    )
    return (*inherited, *job.variables, *matrix), left_out


def _expanded(seen: Sequence[Definition]) -> dict[str, Value]:
    items, _ = gitlab_expand(seen, keep_undefined=False, for_runner=False)
    return {item.key: item.value for item in items}


def _resolved(
    sent: Sequence[Item],
    expanded: Sequence[Item],
    losers: Mapping[str, tuple[Loser, ...]],
    path_of: Callable[[str], str],
) -> dict[str, Resolved]:
    by_key: dict[str, list[int]] = {}
    for number, item in enumerate(sent):
        by_key.setdefault(item.key, []).append(number)
    result: dict[str, Resolved] = {}
    for key, numbers in by_key.items():
        winner = numbers[-1]
        definition = sent[winner].definition
        weaker = tuple(
            Loser(sent[number].definition, _weaker(sent[number].definition, definition), definition.source)
            for number in reversed(numbers[:-1])
        )
        value = expanded[winner].value
        result[key] = Resolved(
            winner=definition,
            losers=(*weaker, *losers.get(key, ())),
            gitlab_value=sent[winner].value,
            value=path_of(key) if definition.file else value,
            content=value if definition.file else None,
            steps=expanded[winner].steps,
        )
    return result


def _weaker(loser: Definition, winner: Definition) -> Reason:
    if loser.level is not winner.level or loser.origin != winner.origin:
        return Reason.WEAKER
    return Reason.SCOPE_RANK if loser.scope != winner.scope else Reason.LATER
