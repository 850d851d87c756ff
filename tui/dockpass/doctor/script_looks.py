"""Looks at a job's image and scripts, and at what its settings store."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from dockpass.auth.ci import GITLAB
from dockpass.dockerconfig.keys import host_of_key
from dockpass.doctor.check import Patient
from dockpass.doctor.token_looks import ecr_expiry
from dockpass.findings import Finding, Severity
from dockpass.references.address import DOCKER_HUB_HOST, host_of_reference, host_of_registry, same_registry
from dockpass.secrets import Secret
from dockpass.text import clean, plural
from dockpass.unknown import Unknown
from dockpass.variables.changes import where
from dockpass.variables.gitlab.config import Job
from dockpass.variables.gitlab.model import OF_GITLAB, Level, Reason, Resolved
from dockpass.variables.jobscript import OwnLogin, commands_of, read_job
from dockpass.variables.shellcommand import Word
from dockpass.variables.token_kind import RegistryUse, kind_of

_PIPED = {
    "regctl registry login": "Pipe it in: regctl registry login --pass-stdin",
    "az acr login": "az takes no password from stdin: log in with docker login --password-stdin.",
}
_OPTIONS = r"\s+(?:-\S+(?:\s+[^-\s]\S*)?\s+)*?"
_STARTED = r"(?:(?:\w+=\S*|sudo|env|exec|time|nice|timeout|retry|command|\d+[smh]?|-\S+)\s+)*(?:\S*/)?"
"""What may stand before a program: variables, programs that start another one, and a path."""
_DELETES = re.compile(
    rf"{_STARTED}(?:"
    rf"werf{_OPTIONS}(?:cleanup|purge)|dockpass{_OPTIONS}cleanup|g?crane{_OPTIONS}delete|skopeo{_OPTIONS}delete"
    rf"|regctl{_OPTIONS}(?:tag|image|manifest|repo)\s+(?:rm|del|delete)|reg{_OPTIONS}rm|oras{_OPTIONS}\w+\s+delete"
    r"|curl\s(?=.*(?:-X\s*|--request[ =])DELETE)(?=.*/v2/).*)(?:\s|$)"
)
"""Commands that delete images, from the start of the command."""
_CREDS = re.compile(r"--(?:src-|dest-)?creds(?:=.*)?")
_TAKES_CREDS = re.compile(rf"{_STARTED}(skopeo|podman|buildah)\s")
_DEPLOYS = re.compile(rf"{_STARTED}(?:kubectl|oc|helm|werf)\s")
_KEPT_THERE = re.compile(r"(--docker-password|--set(?:-string|-json|-literal)?)(?:=|$)")
_WHOLE_CONFIG = re.compile(r"--from-file=\.dockerconfigjson=.*")
_OF_THE_JOB = frozenset({GITLAB.token, GITLAB.registry_password})
_AUTH_CONFIG = "DOCKER_AUTH_CONFIG"
_SETTINGS = frozenset({Level.INSTANCE, Level.GROUP, Level.PROJECT})
_STORED = _SETTINGS | {Level.YAML}
_ORDINARY = re.compile(r"[a-z]{8,11}|[A-Z]{8,11}|\d{8,11}")


def in_scripts(patient: Patient) -> Iterator[Finding]:
    """Yield what is wrong with the logins in the job's scripts."""
    if patient.view is None or patient.loaded is None:
        return
    job = patient.loaded.job(patient.view.name)
    shown = clean(job.name, 255)
    logins = [each for each in read_job(job).logins if not each.is_file]
    for login in logins:
        if login.in_arguments:
            yield Finding(
                "password-in-arguments",
                shown,
                f"gives {login.program} at {clean(str(login.place), 200)} the password as an argument,"
                " which the process list shows",
                hint=_PIPED.get(login.program, f"Pipe it in: {login.program} --password-stdin"),
            )
    for command, place in commands_of(job):
        words = [word.text for word in command.words]
        line = " ".join(words)
        if (takes := _TAKES_CREDS.match(line)) and any(map(_CREDS.fullmatch, words)):
            program = takes[1]
            yield Finding(
                "password-in-arguments",
                shown,
                f"gives {program} at {clean(str(place), 200)} the password as an argument, which the process"
                " list shows",
                hint=f"Log in before: {program} login --password-stdin",
            )
        if _DELETES.match(line) and not patient.facts.is_set("WERF_IMAGES_CLEANUP_PASSWORD"):
            yield Finding(
                "cleanup-with-job-token",
                shown,
                f"deletes images at {clean(str(place), 200)}, and WERF_IMAGES_CLEANUP_PASSWORD is not set",
                hint="Set it to a token with the scope api of a user who may delete.",
                severity=Severity.NOTE,
            )
        name = _deployed(patient, command.words, logins) if _DEPLOYS.match(line) else ""
        if name:
            yield Finding(
                "token-deployed",
                shown,
                f"puts ${name} into the cluster at {clean(str(place), 200)}: it is valid only while the job"
                " runs, and later pulls fail",
                hint="Use a deploy token: CI_DEPLOY_USER and CI_DEPLOY_PASSWORD.",
            )
    yield from _about_images(patient, job, shown, logins)


def _deployed(patient: Patient, words: Sequence[Word], logins: Sequence[OwnLogin]) -> str:
    """Return the job's own token that a command puts into a cluster, by its variable; empty for none."""
    named: list[str] = []
    for before, word in pairwise((Word(""), *words)):
        option = _KEPT_THERE.match(word.text)
        if option or _KEPT_THERE.fullmatch(before.text):
            named += word.names
        elif _WHOLE_CONFIG.fullmatch(word.text):
            named += [name for login in logins for name in login.secrets]
    variables = patient.view.variables if patient.view else {}
    replaced = {name for name, found in variables.items() if found.winner.level not in OF_GITLAB}
    return next((name for name in named if name in _OF_THE_JOB - replaced), "")


def _about_images(patient: Patient, job: Job, shown: str, logins: Sequence[OwnLogin]) -> Iterator[Finding]:
    """Yield images that the runner pulls before the script logs in; for GitLab's own registry it has one."""
    if patient.view is None or _AUTH_CONFIG in patient.view.variables:
        return
    own = host_of_registry(patient.facts.text(GITLAB.registry))
    places = {host_of_key(_expanded(each.host, patient)): each.place for each in logins}
    for what, image in _images(job):
        written = _expanded(image, patient)
        host = host_of_reference(written) if written and "$" not in written else ""
        if host in places and host != DOCKER_HUB_HOST and not (own and same_registry(host, own)):
            yield Finding(
                "login-too-late",
                shown,
                f"{what} {clean(image, 200)} and logs in to {clean(host, 100)} in its script, at"
                f" {clean(str(places[host]), 200)}: the runner pulls the image before that",
                hint="Store a login for the runner in DOCKER_AUTH_CONFIG.",
            )
            return


def _images(job: Job) -> Iterator[tuple[str, str]]:
    yield "runs in", job.image
    services, _ = job.own_or_default("services")
    for each in services if isinstance(services, list) else ():
        name = each.get("name") if isinstance(each, Mapping) else each
        if isinstance(name, str):
            yield "has the service", name


def _expanded(text: str, patient: Patient) -> str:
    """Return a text with the variables that are known; the others stay as they are written."""
    facts = patient.facts
    return re.sub(r"\$(?:(\w+)|\{(\w+)\})", lambda found: facts.text(found[1] or found[2]) or found[0], text)


def in_settings(patient: Patient) -> Iterator[Finding]:
    """Yield values of the settings that masking gives away, that expansion cuts, or that are not known."""
    auth_config = patient.view.variables.get(_AUTH_CONFIG) if patient.view else None
    if auth_config is not None and auth_config.winner.file:
        yield Finding(
            "auth-config-file",
            _AUTH_CONFIG,
            f"in {where(auth_config.winner)} is of type File: GitLab Runner reads the file, docker in the"
            " script does not",
            hint="Change its type to Variable.",
        )
    unseen, undecided = Counter[str](), Counter[tuple[str, str]]()
    for name, found in patient.view.variables.items() if patient.view else ():
        winner, value = found.winner, found.winner.value
        if winner.level not in _STORED:
            continue
        yield from _about_robot(name, found)
        if winner.level not in _SETTINGS:
            continue
        if isinstance(value, Unknown):
            place = where(winner).partition(", scope ")[0]
            if value.why in _UNDECIDED:
                undecided[place, value.why] += 1
            else:
                unseen[place] += 1
        elif winner.masked and _ORDINARY.fullmatch(value):
            yield Finding(
                "mask-ordinary",
                clean(name, 255),
                f"is masked in {where(winner)}, and its value is an ordinary word or number: logs show"
                " [MASKED] wherever it occurs",
                hint="Unmask it if it is not a secret, or use a longer one.",
            )
    for place, count in unseen.items():
        yield Finding(
            "values-unknown",
            "",
            f"{plural(count, 'value')} of {place} {'is' if count == 1 else 'are'} not known here.",
            hint="dockpass vars show --from-gitlab fetches those that you may read.",
            severity=Severity.NOTE,
        )
    for (place, why), count in undecided.items():
        one, many, words, hint = _UNDECIDED[why]
        yield Finding(
            "values-unknown",
            "",
            f"{plural(count, 'variable')} of {place} {one if count == 1 else many} {words}",
            hint=hint,
            severity=Severity.NOTE,
        )


_UNDECIDED: Mapping[str, tuple[str, str, str, str]] = {
    Reason.PROTECTED_UNKNOWN: (
        "is",
        "are",
        "protected, and whether the branch or tag is protected is not known here.",
        "Give --protected or --unprotected; on the screen, choose it in Variables.",
    ),
    Reason.SCOPE_UNKNOWN: (
        "has",
        "have",
        "an environment scope, and the job's environment is not known here.",
        "Give --environment; on the screen, choose it in Variables.",
    ),
}
"""Why a value depends on the pipeline, with `is`, `are`, what is said of one or several, and what to do."""


def _about_robot(name: str, found: Resolved) -> Iterator[Finding]:
    value, winner = found.winner.value, found.winner
    if isinstance(value, str) and not winner.raw and re.match(r"robot\$[A-Za-z_]", value):
        yield Finding(
            "robot-user",
            clean(name, 255),
            f"in {where(winner)} is the name of a Harbor robot account, and expansion removes what follows"
            " the $",
            hint="Switch off “Expand variable reference” for it, or write robot$$…",
            severity=Severity.ERROR,
        )


def in_stored(patient: Patient) -> Iterator[Finding]:
    """Yield stored tokens that expire with their job or within hours."""
    for name, found in patient.view.variables.items() if patient.view else ():
        value, winner = found.winner.value, found.winner
        if winner.level not in _STORED or not isinstance(value, str):
            continue
        kind = kind_of(Secret(value))
        if kind.registry_login is RegistryUse.JOB:
            yield Finding(
                "job-token-stored",
                clean(name, 255),
                f"is a job token, and it is stored in {where(winner)}: it is valid only while its own job"
                " runs",
                hint=f"Use {GITLAB.token} of the job, or store a deploy token.",
                severity=Severity.ERROR,
            )
        elif kind.registry_login in {RegistryUse.GOOGLE, RegistryUse.GHCR_JOB} or ecr_expiry(value):
            what = kind.name or "password for Amazon ECR"
            yield Finding(
                "short-lived-stored",
                clean(name, 255),
                f"is a {what}, and it is stored in {where(winner)}: it expires within hours",
                hint="Use a credential helper, or get a new one in the job.",
            )
