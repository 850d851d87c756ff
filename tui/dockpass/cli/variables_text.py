"""The answers of `dockpass vars` as lines for people. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from dockpass.auth.ci import GITLAB
from dockpass.auth.command import Command, Method
from dockpass.auth.rules import READ_BY_RULES
from dockpass.cli.table import columns
from dockpass.cli.variables import Looked
from dockpass.marks import GLYPH_NOT_REACHED, OF_ANSWER
from dockpass.secrets import MASK
from dockpass.text import clean, cut, plural
from dockpass.unknown import Unknown
from dockpass.variables.gitlab.expression import help_with
from dockpass.variables.gitlab.model import OF_GITLAB, Definition, Resolved, Value
from dockpass.variables.gitlab.policies import Policy, telling
from dockpass.variables.gitlab.resolve import JobView
from dockpass.variables.gitlab.rules import Clause, Rule
from dockpass.variables.gitlab.versions import is_older
from dockpass.variables.inwords import (
    absent_in_words,
    because,
    flag_letters,
    placed_source,
    protection_words,
)
from dockpass.variables.jobscript import own_logins_in_words
from dockpass.variables.logins import JobLogin, is_secret
from dockpass.variables.undefined import undefined_title

_LONGEST_VALUE = 60


def show_lines(looked: Looked, *, everything: bool) -> Iterator[str]:
    """Yield the table of variables, what is absent, and the logins."""
    yield heading(looked)
    yield ""
    view = looked.view
    shown = {
        name: found
        for name, found in view.variables.items()
        if everything or found.winner.level not in OF_GITLAB or found.winner.origin or name in READ_BY_RULES
    }
    rows = [_row(name, shown[name]) for name in sorted(shown)]
    yield from columns(rows)
    hidden = len(view.variables) - len(shown)
    if hidden:
        yield f"  … and {plural(hidden, 'predefined variable')} (--all)"
    if view.absent:
        yield ""
        yield "absent"
        yield from columns([(name, absent_in_words(view.absent[name])) for name in sorted(view.absent)])
    if looked.undefined:
        yield ""
        yield undefined_title(is_whole=looked.is_whole)
        yield from columns([(clean(each.name, 255), each.in_words()) for each in looked.undefined])
    yield ""
    yield "logins"
    yield from columns([_login(login) for login in looked.logins])
    if unknown := _unknown_in(looked.logins):
        yield f"  {unknown}"
    if own := own_logins_in_words(looked.script.logins):
        yield f"  {own}"


def heading(looked: Looked) -> str:
    """Return which job in which pipeline this is, in one line."""
    view, ref = looked.view, looked.pipeline.ref
    job = f"job {clean(view.title, 80)}" if view.name else "every job"
    included = {True: "", False: " · not in this pipeline", None: " · may not be in this pipeline"}[
        view.included
    ]
    version = f" · GitLab {looked.pipeline.version}" if is_older(looked.pipeline.version) else ""
    environment = f" · environment {_text(view.environment)}" if view.environment != "" else ""
    return (
        f"{job} · {str(ref.type).replace('_', ' ')} {clean(ref.name, 80)}, {protection_words(ref)}"
        f"{environment}{version}{included}"
    )


def _row(name: str, found: Resolved) -> tuple[str, ...]:
    over = f"overrides {len(found.losers)}" if found.losers else ""
    return clean(name, 255), _shown(name, found), placed_source(found.winner), _flags(found.winner), over


def _shown(name: str, found: Resolved) -> str:
    if isinstance(found.value, Unknown):
        return "unknown, may be missing" if found.value.may_be_missing else "unknown"
    if found.winner.file:
        return cut(clean(found.value), _LONGEST_VALUE)
    if is_secret(name, found):
        return f"{MASK} {plural(len(found.value), 'character')}" if found.value else "empty"
    return cut(clean(found.value), _LONGEST_VALUE) if found.value else "empty"


def _text(value: Value) -> str:
    return f"unknown ({value.why})" if isinstance(value, Unknown) else clean(value)


def _flags(definition: Definition) -> str:
    letters = flag_letters(definition).replace(" ", "")
    scope = "" if definition.scope == "*" else f" {clean(definition.scope, 80)}"
    return f"{letters}{scope}".strip()


def _login(login: JobLogin) -> tuple[str, ...]:
    command = str(login.command)
    if login.method is None:
        return command, "no login", clean(login.refusal, 200)
    if login.command is Command.BUILD and login.method is Method.AMBIENT:
        return (
            command,
            login.method.label,
            f"{login.config}, unless a base image is in {GITLAB.registry} (see dockpass explain build)",
        )
    if not login.method.logs_in:
        return command, login.method.label, login.config
    address = login.address or "a registry that is not known here"
    return command, login.method.label, f"as {login.username} at {address} with {login.secret_from}"


def login_words(login: JobLogin, *, address: bool = True) -> str:
    """Return a login in a few words, such as `autologin as gitlab-ci-token at registry.example.com`."""
    if login.method is None:
        return "refused: no repository is known"
    if not login.method.logs_in:
        return f"no login, {login.config} is used"
    place = f" at {login.address or 'a registry that is not known here'}" if address else ""
    return f"{login.method.label} as {login.username}{place}"


def _unknown_in(logins: tuple[JobLogin, ...]) -> str:
    names = sorted({name for login in logins for name in login.unknown})
    return f"not known here: {', '.join(names)}" if names else ""


def explain_lines(looked: Looked, name: str) -> Iterator[str]:
    """Yield where a variable comes from, its values on the way, what it overrides, or why it is absent."""
    yield heading(looked)
    yield ""
    found = looked.view.variables.get(name)
    absent = looked.view.absent.get(name)
    shown = clean(name, 255)
    if found is None and absent is None:
        yield f"{shown} is not defined in any source that is loaded."
        yield from columns([("used", each.in_words()) for each in looked.undefined if each.name == name])
        return
    if found is None and absent is not None:
        yield f"{shown} is absent: the job does not get it."
        yield from columns(
            [
                (placed_source(loser.definition), _flags(loser.definition), because(loser))
                for loser in absent.losers
            ]
        )
        return
    assert found is not None  # noqa: S101 - one of the two is there
    yield f"{shown} = {_shown(name, found)}"
    yield from columns(_details(name, found))
    if found.losers:
        yield ""
        yield "overridden"
        yield from columns(
            [
                (placed_source(loser.definition), _flags(loser.definition), because(loser))
                for loser in found.losers
            ]
        )
    if own := own_logins_in_words([each for each in looked.script.logins if name in each.names]):
        yield ""
        yield own


def _details(name: str, found: Resolved) -> list[tuple[str, str]]:
    rows = [("source", placed_source(found.winner))]
    if flags := _flags(found.winner):
        rows.append(("flags", flags))
    if isinstance(found.value, Unknown):
        rows.append(("why unknown", found.value.why or "it depends on a value that is not known"))
    stored, sent = found.winner.value, found.gitlab_value
    if not is_secret(name, found):
        if stored != sent:
            rows += [("as written", cut(_text(stored), 200)), ("after GitLab", cut(_text(sent), 200))]
        if not found.winner.file and sent != found.value:
            rows.append(("after the runner", cut(_text(found.value), 200)))
    else:
        rows += _lengths(found)
    rows += [
        ("replaced", f"{step.reference} by {step.by}, from {clean(step.source, 100)}") for step in found.steps
    ]
    return rows


def _lengths(found: Resolved) -> list[tuple[str, str]]:
    """A secret that expansion changes is told by its lengths."""
    stored, sent, seen = found.winner.value, found.gitlab_value, found.content or found.value
    if isinstance(stored, str) and isinstance(sent, str) and isinstance(seen, str) and stored != seen:
        return [
            ("as written", plural(len(stored), "character")),
            ("after GitLab", plural(len(sent), "character")),
            ("after the runner", plural(len(seen), "character")),
        ]
    return []


def why_lines(looked: Looked) -> Iterator[str]:
    """Yield the rules of the workflow and of the job, and what came of them."""
    yield heading(looked)
    view = looked.view
    for title, judgement in (("workflow:rules", view.workflow), ("rules", view.rules)):
        if judgement is not None:
            yield ""
            yield title
            for rule in judgement.rules:
                yield from _rule_lines(rule)
    for policy in telling(view.policies):
        yield ""
        yield from _policy_lines(policy)
    yield ""
    yield _verdict(view)
    yield from dict.fromkeys(filter(None, (help_with(problem.message) for problem in view.refusals)))


def _policy_lines(policy: Policy) -> Iterator[str]:
    yield f"{policy.kind}, by default" if policy.is_default else policy.kind
    for clause in policy.clauses:
        yield f"  {OF_ANSWER[clause.outcome]} {policy.place}  {clause.kind}: {clause.text}"
        yield from (f"      {line}" for line in _clause_lines(clause))


def _rule_lines(rule: Rule) -> Iterator[str]:
    mark = OF_ANSWER[rule.outcome] if rule.reached else GLYPH_NOT_REACHED
    conditions = " and ".join(f"{clause.kind}: {clause.text}" for clause in rule.clauses) or "no condition"
    yield f"  {mark} {rule.place}  {conditions if rule.reached else 'not reached'}"
    for clause in rule.clauses:
        yield from (f"      {line}" for line in _clause_lines(clause))
    if rule.outcome and rule.reached:
        sets = ", ".join(clean(each.key, 80) for each in rule.variables)
        yield f"      when: {clean(rule.when, 40)}{'; sets ' + sets if sets else ''}"


def _clause_lines(clause: Clause) -> Iterator[str]:
    for comparison in clause.comparisons:
        said = {True: "true", False: "false", None: "not known"}[comparison.outcome]
        yield f"{clean(comparison.text, 200)} is {said}"
    if clause.why:
        yield clause.why


def _verdict(view: JobView) -> str:
    name = clean(view.name, 80)
    if view.refusals:
        return f"{name} is not in the pipeline: GitLab refuses the configuration, and creates none."
    if view.included:
        return f"{name} is in the pipeline, when: {clean(view.when, 40)}."
    if view.included is None:
        return f"Whether {name} is in the pipeline cannot be told here."
    return f"{name} is not in the pipeline."
