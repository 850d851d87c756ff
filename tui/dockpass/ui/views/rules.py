"""The rules of jobs: which job is in the pipeline, and each rule with what it compared."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from dockpass.marks import GLYPH_DONE, GLYPH_FAILED, GLYPH_LOOK, GLYPH_NOT_REACHED, GLYPH_NOW, OF_ANSWER
from dockpass.secrets import MASK
from dockpass.text import clean
from dockpass.ui.views.words import Line, Span, cell, cells, fitted, hanging
from dockpass.unknown import Unknown
from dockpass.variables.gitlab.config import Config, Job
from dockpass.variables.gitlab.expression import help_with
from dockpass.variables.gitlab.known import known_variables
from dockpass.variables.gitlab.model import Definition, Reason, Resolved
from dockpass.variables.gitlab.policies import Policy, telling
from dockpass.variables.gitlab.policy_entries import ONLY
from dockpass.variables.gitlab.resolve import NOT_FOR_RULES, JobView
from dockpass.variables.gitlab.rules import Clause, Judgement, Rule
from dockpass.variables.inwords import protection_words, ref_words, source_of_pipeline, source_words
from dockpass.variables.logins import is_secret
from dockpass.variables.pipeline import Loaded


@dataclass(frozen=True, slots=True, kw_only=True)
class JobState:
    """One job and what became of it; without a view it is not judged yet."""

    name: str
    stage: str
    view: JobView | None = None


def job_row(state: JobState, width: int) -> Line:
    """Return one row of the list of jobs."""
    name = max(min(width // 2 - 3, 26), 14)
    stage = 12 if width >= 52 else 0
    glyph, role, words = _outcome(state.view)
    room = width - 2 - name - stage
    return (
        (f"{glyph} ", role),
        (cell(clean(state.name, 200), name - 1) + " ", "text"),
        (cell(clean(state.stage, 60), stage), "label"),
        (fitted(words, room), "label"),
    )


def _outcome(view: JobView | None) -> tuple[str, str, str]:
    if view is None:
        return GLYPH_NOT_REACHED, "absent", ""
    if view.problems:
        return GLYPH_FAILED, "bad", "no pipeline"
    if view.included is None:
        return GLYPH_LOOK, "look", "not known here"
    matched = _matched(view.rules)
    by = f"rule {matched.number}" if matched is not None else ""
    if not view.included:
        if matched is not None:
            return GLYPH_FAILED, "bad", f"{by}: {clean(matched.when, 20)}"
        left_out = _leaving_out(view)
        if left_out is not None:
            return GLYPH_FAILED, "bad", "default only" if left_out.is_default else left_out.kind
        return GLYPH_FAILED, "bad", "no rule matches" if view.rules is not None else "never"
    when = clean(view.when, 20)
    if when in {"manual", "delayed"}:
        return GLYPH_NOW, "look", ", ".join(filter(None, (when, by)))
    return GLYPH_DONE, "good", by or ("always" if view.rules is None else when or "by one of its rules")


def _leaving_out(view: JobView) -> Policy | None:
    """Return the `only` or `except` that leaves the job out."""
    return next((each for each in view.policies if each.admits is False), None)


def _matched(judgement: Judgement | None) -> Rule | None:
    """Return the rule that decided; None where an earlier one may match too."""
    rules = judgement.rules if judgement is not None else ()
    candidates = [rule for rule in rules if rule.reached and rule.outcome is not False]
    return candidates[0] if candidates and candidates[0].outcome is True else None


def pipeline_lines(loaded: Loaded, view: JobView, keys: Mapping[str, str], width: int) -> list[Line]:
    """Return what the pipeline is, whether one is created, and which files were read."""
    ref = loaded.situation.ref
    environment = view.environment if isinstance(view.environment, str) else "not known"
    lines: list[Line] = [
        _fact(keys["ref"], "ref", ref_words(ref), "text", width),
        _fact(
            keys["protection"],
            "protection",
            protection_words(ref),
            "good" if ref.protected else "look",
            width,
        ),
        _fact(keys["pipeline_source"], "started by", source_of_pipeline(loaded.source), "text", width),
        _fact(keys["environment"], "environment", clean(environment, 100) or "none", "text", width),
        (),
        *hanging(((cell("workflow", 14), "label"),), _workflow_words(view), "text", width),
    ]
    files = ", ".join(clean(each, 200) for each in loaded.config.files)
    lines += hanging(((cell("files", 14), "label"),), files, "text", width)
    for missing in loaded.config.not_loaded:
        words = f"{missing.kind}: {missing.text}"
        head = ((f"{GLYPH_LOOK} ", "look"), (cell("not loaded", 12), "label"))
        lines += hanging(head, words, "text", width)
    return lines


def _fact(key: str, label: str, words: str, role: str, width: int) -> Line:
    return ((f"{key} ", "accent"), (cell(label, 12), "label"), (fitted(words, max(width - 14, 8)), role))


def _workflow_words(view: JobView) -> str:
    if view.refusals:
        return "no pipeline is created: GitLab refuses the configuration"
    if view.workflow is None:
        return "no rules: every push creates a pipeline"
    matched = _matched(view.workflow)
    if view.workflow.included is None:
        return "whether a pipeline is created is not known here"
    made = "a pipeline is created" if view.workflow.included else "no pipeline is created"
    if matched is None:
        return f"no rule matches: {made}" if not view.workflow.included else f"{made}, whichever rule matches"
    return f"rule {matched.number} matches: {made}"


def title_of(view: JobView) -> str:
    """Return what the lower panel is about."""
    name = clean(view.name, 100)
    if view.included:
        return f"Why {name} is in the pipeline"
    return f"Why {name} {'may be' if view.included is None else 'is not'} in the pipeline"


def trace_lines(loaded: Loaded, view: JobView, width: int) -> list[Line]:
    """Return the sentence, and each rule with its operands, their values and where those come from."""
    lines: list[Line] = [*_sentence(loaded, view)]
    for problem in view.problems:
        where = f"{problem.place}: " if problem.place.line else ""
        lines += hanging(
            ((f"{GLYPH_FAILED} ", "bad"),), f"{where}{clean(problem.message, 400)}", "text", width
        )
        if words := help_with(problem.message):
            lines += hanging((("  ", "text"),), words, "label", width)
    if view.workflow is not None and view.workflow.included is not True:
        lines += [(), (("workflow", "heading"),), *_rules(view.workflow, view, width)]
    if view.rules is not None:
        lines += [(), *_rules(view.rules, view, width)]
    for policy in telling(view.policies):
        lines += [(), *_policy(policy, view, width)]
    return lines


def _sentence(loaded: Loaded, view: JobView) -> Iterator[Line]:
    name: Span = (clean(view.name, 100), "strong")
    ref: Span = (clean(loaded.situation.ref.name, 100), "strong")
    matched = _matched(view.rules)
    if view.refusals:
        yield (name, (" is left out: GitLab refuses the configuration, and creates no pipeline.", "text"))
    elif view.workflow is not None and view.workflow.included is False:
        yield (name, (" is left out: the workflow creates no pipeline on ", "text"), ref, (".", "text"))
    elif view.included is None:
        what = "only or except" if view.policies else "a rule"
        yield (name, (f" may be in the pipeline: {what} compares what is not known here.", "text"))
    elif view.included:
        by = "whichever of its rules matches" if view.rules is not None else _let_in_by(view)
        by = f"rule {matched.number} matches" if matched is not None else by
        yield (
            name,
            (" is in the pipeline on ", "text"),
            ref,
            (f": {by}, when: {clean(view.when, 40) or 'not known here'}.", "text"),
        )
    elif (left_out := _leaving_out(view)) is not None:
        yield (name, *_left_out_by(left_out, ref))
    elif matched is not None:
        words = f" is left out: rule {matched.number} matches and says when: {clean(matched.when, 20)}."
        yield (name, (words, "text"))
    elif view.rules is not None:
        count = len(view.rules.rules)
        none = "its only rule does not match" if count == 1 else f"none of its {count} rules matches"
        yield (name, (f" is left out: {none} on ", "text"), ref, (".", "text"))
    else:
        yield (name, (" is left out: its when: is never.", "text"))


def _let_in_by(view: JobView) -> str:
    kinds = [each.kind for each in telling(view.policies)]
    if not kinds:
        return "it has no rules"
    return f"its {' and '.join(kinds)} {'let' if len(kinds) > 1 else 'lets'} it in"


def _left_out_by(policy: Policy, ref: Span) -> Line:
    if policy.is_default:
        words = "a job with neither rules nor only runs for branches and tags, not for merge requests."
        return ((f" is left out: {words}", "text"),)
    words = "its only does not match" if policy.kind == ONLY else "its except matches"
    return ((f" is left out: {words} on ", "text"), ref, (".", "text"))


def _policy(policy: Policy, view: JobView, width: int) -> Iterator[Line]:
    """Yield an `only` or an `except`, each part with what it compares."""
    place = clean(str(policy.place), 100)
    for at, clause in enumerate(policy.clauses):
        admits = clause.outcome if policy.kind == ONLY or clause.outcome is None else not clause.outcome
        role = {True: "good", False: "bad", None: "look"}[admits]
        head: Line = ((f"{OF_ANSWER[clause.outcome]} ", role), (cell(policy.kind, 7), "label"))
        text = f"{clause.kind}  {clean(clause.text, 400)}"
        yield from _condition(head, text, "" if at else place, width)
        yield from _operands(clause, view, width)


def _condition(head: Line, text: str, place: str, width: int) -> Iterator[Line]:
    """Yield a condition behind its mark, with its place at the right end or below."""
    indent = sum(cells(part) for part, _ in head)
    room = width - indent - (cells(place) + 2 if place else 0)
    if place and cells(text) <= room:
        yield (*head, (text, "text"), (" " * (room - cells(text) + 2), "text"), (place, "label"))
        return
    yield from hanging(head, text, "text", width)
    if place:
        yield ((" " * indent, "text"), (place, "label"))


def _rules(judgement: Judgement, view: JobView, width: int) -> Iterator[Line]:
    for number, rule in enumerate(judgement.rules):
        if number:
            yield ()
        yield from _rule(rule, view, width)


def _rule(rule: Rule, view: JobView, width: int) -> Iterator[Line]:
    glyph, role = GLYPH_NOT_REACHED, "absent"
    if rule.reached:
        glyph = OF_ANSWER[rule.outcome]
        role = {True: "good", False: "bad", None: "look"}[rule.outcome]
    place = clean(str(rule.place), 100)
    head: tuple[Span, ...] = ((f"{glyph} ", role), (f"{rule.number:<3}", "label"))
    if not rule.reached:
        yield (*head, ("not reached", "absent"))
        return
    texts = [f"{clause.kind}  {clean(clause.text, 400)}" for clause in rule.clauses] or ["no condition"]
    for at, text in enumerate(texts):
        yield from _condition(head if at == 0 else ((" " * 5, "text"),), text, "" if at else place, width)
    for clause in rule.clauses:
        yield from _operands(clause, view, width)
    if rule.outcome is True:
        yield from _consequence(rule, width)


def _consequence(rule: Rule, width: int) -> Iterator[Line]:
    sets = ", ".join(clean(each.key, 80) for each in rule.variables)
    words = f"when: {clean(rule.when, 40)}{f'; sets {sets}' if sets else ''}"
    yield from hanging(((" " * 8, "text"),), words, "good" if rule.when != "never" else "bad", width)


def _operands(clause: Clause, view: JobView, width: int) -> Iterator[Line]:
    """Yield each variable that was compared: as it was compared, and where it comes from."""
    names = dict.fromkeys(name for each in clause.comparisons for name in each.names)
    for name in names:
        words, role, source = _operand(name, view)
        column, value = (24, 26) if width >= 74 else (max(min(cells(name) + 1, 24), 17), 16)
        head: Line = (
            (" " * 8, "text"),
            (cell(clean(name, 255), max(column, min(cells(name) + 1, 34)) - 1) + " ", "text"),
            (cell(words, max(value, min(cells(words) + 1, width // 3)) - 1) + " ", role),
        )
        yield from hanging(head, source, "label", width)
    if clause.why:
        is_open = clause.outcome is None or clause.kind == "if"
        mark = f"{' ' * 8}{GLYPH_LOOK} " if is_open else " " * 8
        yield from hanging(((mark, "look"),), clean(clause.why, 300), "label", width)


def _operand(name: str, view: JobView) -> tuple[str, str, str]:
    found = view.variables.get(name)
    if found is None:
        absent = view.absent.get(name)
        if absent is None:
            return "not set", "absent", _only_in(name)
        loser = absent.losers[0]
        words = f"{source_words(loser.definition)}, {loser.reason!s}"
        return "absent", "bad", words
    seen = next((each for each in _from_strongest(found) if each.level not in NOT_FOR_RULES), None)
    if seen is None:
        return "not set", "absent", "not set yet when rules are evaluated"
    return (*_compared(seen, secret=is_secret(name, found)), source_words(seen))


def _from_strongest(found: Resolved) -> Iterator[Definition]:
    yield found.winner
    overruled = {Reason.WEAKER, Reason.LATER, Reason.SCOPE_RANK}
    yield from (loser.definition for loser in found.losers if loser.reason in overruled)


def _compared(definition: Definition, *, secret: bool) -> tuple[str, str]:
    """Return the value as rules compare it: as written, not expanded."""
    value = definition.value
    if isinstance(value, Unknown):
        return "not known here", "look"
    if secret:
        return (f"{MASK} {len(value)} characters", "look") if value else ("empty", "look")
    return (clean(value, 200), "text") if value else ("empty", "look")


def _only_in(name: str) -> str:
    known = known_variables().get(name)
    return f"set only {known.context}" if known is not None and known.context else "nothing sets it"


def job_states(config: Config, views: Mapping[str, JobView]) -> list[JobState]:
    """Return the jobs by stage and name, each as far as it is judged."""
    jobs: Sequence[Job] = list((config.jobs or {}).values())
    return [JobState(name=job.name, stage=job.stage, view=views.get(job.name)) for job in jobs]
