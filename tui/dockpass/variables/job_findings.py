"""What looks wrong about the variables of one job: missing, cut, compared unexpanded, never used."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from dockpass.findings import Finding, Severity
from dockpass.secret_names import is_secret_name
from dockpass.text import clean
from dockpass.unknown import Unknown
from dockpass.variables.changes import where
from dockpass.variables.gitlab import scope
from dockpass.variables.gitlab.config import Config, Job
from dockpass.variables.gitlab.expand import TOO_LONG, references
from dockpass.variables.gitlab.expression import help_with
from dockpass.variables.gitlab.model import OF_GITLAB, Definition, Level, Loser, Reason, Resolved, YamlPart
from dockpass.variables.gitlab.resolve import FILTERED, JobView
from dockpass.variables.masking import why_not_maskable
from dockpass.variables.names import where_set
from dockpass.variables.token_kind import looks_secret

_SHELL = re.compile(r"\$\{\w+[:%#/^,@+?=-]|\$\(")
_REFERENCE = re.compile(r"\$\w+|\$\{\w+\}|%\w+%")
_SECRET_AT_END = re.compile(
    r"(TOKEN|PASSW(OR)?D|PASSPHRASE|SECRET|CREDENTIALS?|KEY|AUTH|PAT|JWT|PASS|PSW|PWD|DSN)(_?\d+)?$",
    re.IGNORECASE,
)
_PLAIN_WORDS = re.compile(r"[a-z]{1,15}([-_][a-z]{1,15})*|\d{1,6}")
_SAYS_WHERE = re.compile(
    r"_(FILE|PATH|DIR|URL|URI|HOST|ENDPOINT|NAME|ID|TYPE|USER|USERNAME|HEADER|SCOPE|TTL|VERSION|ENABLED)$",
    re.IGNORECASE,
)
_NO_SECRET = re.compile(
    r"(~|\.{1,2})?/[^\s:@]*|https?://[^\s@]*|true|false|yes|no|none|null|enabled|disabled", re.IGNORECASE
)
_USUAL = re.compile(r"\$\{?[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)*\}?|%[A-Z][A-Z0-9_]*%")
_OPEN = re.compile(r"\$\{(?!\w+\})")
_GITLABS = OF_GITLAB | {Level.RUNNER}
_SETTINGS = frozenset({Level.INSTANCE, Level.GROUP, Level.PROJECT})
_DEBUG = ("CI_DEBUG_TRACE", "CI_DEBUG_SERVICES")
_ON = frozenset({"true", "1", "t", "T", "TRUE", "True"})


def find_in_view(view: JobView) -> Iterator[Finding]:
    """Yield what is wrong in a job; a value that is not known is never judged."""
    knows_settings = any(_has_settings(found) for found in view.variables.values()) or any(
        loser.definition.level in _SETTINGS for absent in view.absent.values() for loser in absent.losers
    )
    for problem in view.problems:
        if problem.message == FILTERED:
            yield Finding(
                "no-pipeline",
                "",
                "No pipeline runs for this ref: the workflow rules filter it out.",
                hint="dockpass vars why JOB shows each rule.",
                severity=Severity.NOTE,
            )
            continue
        place = f"{problem.place}" if problem.place.line else "the configuration"
        yield Finding("refused", clean(place, 200), f"is refused by GitLab: {problem.message}",
                      hint=help_with(problem.message) or "Correct it, and check again.",
                      severity=Severity.ERROR)  # fmt: skip
    for name, absent in view.absent.items():
        yield from _about_absent(name, absent.losers)
    for name, found in view.variables.items():
        yield from _about_losers(name, found)
        yield from _about_size(name, found)
        yield from _about_expansion(name, found, knows_settings=knows_settings)
        yield from _about_origin(name, found)
        yield from _about_secrecy(name, found)
    yield from _about_debugging(view)
    yield from _about_conditions(view)


def _has_settings(found: Resolved) -> bool:
    definitions = (found.winner, *(loser.definition for loser in found.losers))
    return any(definition.level in _SETTINGS for definition in definitions)


def _about_absent(name: str, losers: tuple[Loser, ...]) -> Iterator[Finding]:
    severity = Severity.ERROR if is_secret_name(name) else Severity.NOTE
    shown = clean(name, 255)
    for loser in losers:
        place = where(loser.definition)
        if loser.reason is Reason.PROTECTED:
            yield Finding(
                "absent-protected",
                shown,
                f"is missing: it is protected in {place}, and {clean(loser.detail, 100)} is not",
                hint=f"Protect the ref, or see dockpass vars explain {shown}.",
                severity=severity,
            )
        elif loser.reason is Reason.SCOPE:
            environment = (
                f"the job's environment is {clean(loser.detail, 80)}"
                if loser.detail
                else "the job has no environment"
            )
            yield Finding(
                "absent-scope",
                shown,
                f"is missing: it is defined in {place}, but {environment}",
                hint="Give the job that environment, or the variable another scope.",
                severity=severity,
                alike=f"{loser.definition.scope} {loser.detail}",
            )


def _about_losers(name: str, found: Resolved) -> Iterator[Finding]:
    winner = found.winner
    for loser in found.losers:
        if loser.reason is Reason.PROTECTED and loser.definition.level > winner.level:
            yield Finding(
                "weaker-used",
                clean(name, 255),
                f"comes from {where(winner)}, because the stronger one in {where(loser.definition)} is"
                " protected and the ref is not",
                hint="Give both the same flags.",
            )
        if loser.reason is Reason.SCOPE_RANK and _same_rank(loser.definition, winner):
            yield Finding(
                "scopes-of-equal-rank",
                clean(name, 255),
                f"has two scopes that match equally well, {clean(loser.definition.scope, 80)} and"
                f" {clean(winner.scope, 80)}; GitLab does not say which wins",
                hint="Write the environment's whole name in one of them.",
            )


def _same_rank(one: Definition, other: Definition) -> bool:
    """Both match, so none is `*` alone or the whole name where the other is a pattern."""
    return all(each.scope != scope.EVERYWHERE and "*" in each.scope for each in (one, other))


def _about_size(name: str, found: Resolved) -> Iterator[Finding]:
    if any(isinstance(each, Unknown) and each.why == TOO_LONG for each in (found.value, found.content)):
        yield Finding(
            "too-long-to-expand",
            clean(name, 255),
            f"in {where(found.winner)} is not expanded here: {TOO_LONG}",
            hint="Look for variables that refer to each other many times.",
        )


def _about_expansion(name: str, found: Resolved, *, knows_settings: bool) -> Iterator[Finding]:
    winner = found.winner
    written = winner.value
    seen = found.value if found.content is None else found.content
    if winner.raw or winner.level in _GITLABS or not isinstance(written, str) or "$" not in written:
        return
    shown = clean(name, 255)
    if _SHELL.search(written):
        yield Finding(
            "no-shell-syntax",
            shown,
            "uses shell syntax such as ${A:-x} or $(…), which GitLab does not expand; it becomes empty",
            hint="Set the default by rules, or in the script.",
        )
        return
    own = name in references(written)
    if own and winner.level is Level.YAML:
        yield from _about_own_name(shown, found)
    if _OPEN.search(written):
        yield Finding(
            "open-brace", shown, "has an open or empty ${, which the runner removes", hint="Close it."
        )
    if not isinstance(seen, str) or own or seen in {written, written.replace("$$", "$")}:
        return
    missing = [
        step.reference
        for step in found.steps
        if step.source.startswith("nothing") and not where_set(step.reference.strip("${}%"))
    ]
    only_references = not _REFERENCE.sub("", written).strip()
    if found.content is not None:
        yield Finding(
            "file-changed",
            shown,
            "is of type File, and its content is changed at a $",
            hint="Switch off “Expand variable reference” for it.",
        )
    elif not references(written) or (missing and not only_references and _is_secret(name, found)):
        yield Finding(
            "cut-by-expansion",
            shown,
            f"loses characters at a $: it has {len(written)}, and the job sees {len(seen)}",
            hint="Switch off “Expand variable reference” for it, or write $$ for each $.",
            severity=Severity.ERROR,
        )
    elif missing:
        yield Finding(
            "undefined-reference",
            shown,
            f"refers to {_named(missing, winner)}, which nothing that was read here defines: unless the"
            " settings do, it becomes empty",
            hint="Define it, or remove the reference.",
            severity=Severity.WARNING if knows_settings else Severity.NOTE,
        )


def _named(missing: Sequence[str], winner: Definition) -> str:
    """Return references by name; in the settings, what is no usual name may be a part of a password."""
    names = [each for each in dict.fromkeys(missing) if winner.level is Level.YAML or _USUAL.fullmatch(each)]
    return clean(", ".join(names), 200) if names else "a name"


def _about_own_name(shown: str, found: Resolved) -> Iterator[Finding]:
    stronger = [each for each in found.losers if each.definition.level in _SETTINGS]
    if stronger:
        yield Finding(
            "own-name-over-settings",
            shown,
            f"refers to its own name and so wins over {where(stronger[0].definition)}, against the"
            " documented order",
            hint="Give it another name.",
            severity=Severity.NOTE,
        )
    elif any(each.definition.level is Level.YAML for each in found.losers):
        yield Finding(
            "own-name",
            shown,
            "refers to its own name and stays as written: the YAML has only one value for a name",
            hint="Give it another name.",
        )


def _about_origin(name: str, found: Resolved) -> Iterator[Finding]:
    winner, shown = found.winner, clean(name, 255)
    hidden = [each.definition for each in found.losers if each.definition.level in _GITLABS]
    if hidden and winner.level not in {*_GITLABS, Level.WHAT_IF}:
        yield Finding(
            "predefined-overridden",
            shown,
            f"is predefined by GitLab, and is overridden in {where(winner)}",
            hint="Rename the other variable.",
        )
    in_yaml = [each.definition for each in found.losers if each.definition.level is Level.YAML]
    always = winner.scope == scope.EVERYWHERE and not winner.protected
    if in_yaml and winner.level in {Level.INSTANCE, Level.GROUP, Level.PROJECT} and always:
        place = clean(str(in_yaml[0].place), 200)
        yield Finding(
            "yaml-never-used",
            shown,
            f"in {place} is never used: {where(winner)} define it for every job",
            hint="Rename one of them.",
        )


def _is_secret(name: str, found: Resolved) -> bool:
    value = found.winner.value
    by_form = isinstance(value, str) and looks_secret(value)
    return is_secret_name(name) or found.winner.masked or by_form


def _named_secret(name: str, value: str) -> bool:
    """Tell whether a value is a secret by its variable's name: `TOKEN_URL` and a path say where one is."""
    if not is_secret_name(name) or _SAYS_WHERE.search(name) or _NO_SECRET.fullmatch(value):
        return False
    return bool(_SECRET_AT_END.search(name)) or not _PLAIN_WORDS.fullmatch(value)  # AUTH_MODE is oidc


def _about_secrecy(name: str, found: Resolved) -> Iterator[Finding]:
    winner, shown = found.winner, clean(name, 255)
    value = winner.value
    if isinstance(value, Unknown) or not value:
        return
    if winner.level is Level.YAML:
        if not references(value) and (
            looks_secret(value) or (_named_secret(name, value) and len(value) >= 8)
        ):
            yield Finding(
                "secret-in-yaml",
                shown,
                f"is in plain text in {clean(str(winner.place), 200)}, where everybody with access sees it",
                hint="Move it to the project's settings, and replace it: the old one stays in git's history.",
                severity=Severity.ERROR,
            )
    elif winner.level in _SETTINGS and winner.masked:
        if why := why_not_maskable(value, raw=winner.raw):
            yield Finding(
                "not-maskable",
                shown,
                f"cannot be masked, because {why}",
                hint="Make a longer one without such characters, or switch off its expansion.",
            )
    elif winner.level in _SETTINGS and (looks_secret(value) or _named_secret(name, value)):
        yield Finding(
            "not-masked",
            shown,
            f"looks like a secret and is not masked in {where(winner)}: a log would show it",
            hint="Mark it as masked.",
        )


def _about_debugging(view: JobView) -> Iterator[Finding]:
    for name in _DEBUG:
        found = view.variables.get(name)
        if found is not None and isinstance(found.value, str) and found.value in _ON:
            yield Finding(
                "debugging-on",
                name,
                f"is {found.value}: the job's log shows every variable",
                hint="Remove it again.",
            )


def _about_conditions(view: JobView) -> Iterator[Finding]:
    """Look at each variable that a rule, an `only` or an `except` compares."""
    judgements = filter(None, (view.workflow, view.rules))
    rules = (("the rule", rule.place, rule.clauses) for each in judgements for rule in each.rules)
    policies = ((each.kind, each.place, each.clauses) for each in view.policies)
    for what, place, clauses in (*rules, *policies):
        compared = (name for clause in clauses for each in clause.comparisons for name in each.names)
        for name in dict.fromkeys(compared):
            yield from _about_operand(view, what, clean(str(place), 200), name)


def _about_operand(view: JobView, what: str, place: str, name: str) -> Iterator[Finding]:
    shown = clean(name, 255)
    absent = view.absent.get(name)
    if absent is not None and any(each.reason is Reason.PROTECTED for each in absent.losers):
        yield Finding(
            "rule-on-protected",
            shown,
            f"is used by {what} at {place}, but it is protected: on this ref it is not set",
            hint="Use a variable that every ref has.",
        )
    found = view.variables.get(name)
    if found is not None and found.winner.level is Level.PERSISTED:
        yield Finding(
            "rule-on-job-only",
            shown,
            f"is used by {what} at {place}, but exists only while a job runs: for the rule it is not set",
            hint="Use something that exists when the pipeline is created.",
        )
    if found is None or found.winner.raw or found.winner.level in _GITLABS:
        return
    written = found.winner.value
    if isinstance(written, str) and references(written):
        yield Finding(
            "compared-unexpanded",
            shown,
            f"is compared at {place} as it is written, with its $; the script sees it expanded",
            hint="Compare the variable that it refers to.",
        )


def find_in_config(config: Config, job: Job, definitions: tuple[Definition, ...]) -> Iterator[Finding]:
    """Yield what is wrong with a job as it is written, whatever the pipeline."""
    own = job.tree.get("variables")
    if isinstance(own, dict) and not own and config.variables:
        yield Finding(
            "empty-variables",
            clean(job.name, 255),
            f"has `variables: {{}}` ({clean(str(job.tree.place('variables')), 200)}), which does not"
            " remove the defaults",
            hint="Write inherit:variables: false.",
        )
    if "trigger" in job.tree and any(each.origin == YamlPart.JOB for each in job.variables):
        yield Finding(
            "trigger-variables",
            clean(job.name, 255),
            "triggers another pipeline: its variables arrive there as pipeline variables, stronger than the"
            " settings of that project",
            hint="Write inherit:variables: false to pass on the job's own only.",
            severity=Severity.NOTE,
        )
    environments = {each.environment for each in (config.jobs or {}).values() if each.environment}
    if any(references(name) for name in environments) or job.environment not in environments:
        return
    for each in definitions:
        if each.scope != scope.EVERYWHERE and not any(scope.matches(each.scope, env) for env in environments):
            yield Finding(
                "scope-of-no-job",
                clean(each.key, 255),
                f"in {where(each)}, matches no job's environment",
                hint="Check the spelling; upper and lower case differ.",
                severity=Severity.NOTE,
            )
