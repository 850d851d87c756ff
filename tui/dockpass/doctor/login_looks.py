"""Looks for logins that are not used, or that another login replaces."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import PurePosixPath

from dockpass.auth.ci import GITLAB
from dockpass.auth.command import Command, Method
from dockpass.auth.decision import Decision
from dockpass.auth.facts import Facts
from dockpass.auth.rules import DOCKER_CONFIG, EXTERNAL_CONFIG
from dockpass.configtext import Shape, shape_of
from dockpass.doctor.check import Patient
from dockpass.findings import Finding, Severity
from dockpass.text import clean

_AUTH_CONFIG = "DOCKER_AUTH_CONFIG"
_LOOSE = frozenset({"username", "password", "email", "identitytoken", "registrytoken"})


def in_logins(patient: Patient) -> Iterator[Finding]:
    """Yield logins that are unused or incomplete."""
    facts = patient.facts
    yield from _about_auth_config(patient)
    external, own = facts.text(EXTERNAL_CONFIG), facts.text(DOCKER_CONFIG)
    if external and own and PurePosixPath(facts.cwd, external) != PurePosixPath(facts.cwd, own):
        yield Finding(
            "configs-differ",
            EXTERNAL_CONFIG,
            f"is not the directory that {DOCKER_CONFIG} names: docker and this program use different logins",
            hint="Set both to the same directory, or unset one of them.",
        )
    user, password = "CI_DEPLOY_USER", "CI_DEPLOY_PASSWORD"
    has = {name: facts.is_set(name) or facts.unknown(name) is not None for name in (user, password)}
    if has[user] != has[password]:
        there, missing = (user, password) if has[user] else (password, user)
        yield Finding(
            "deploy-pair",
            there,
            f"is set, and {missing} is not",
            hint="GitLab sets both for a deploy token with the name gitlab-deploy-token.",
            severity=Severity.NOTE,
        )
    yield from _about_token(patient)
    yield from _about_home(facts)


def _about_token(patient: Patient) -> Iterator[Finding]:
    facts = patient.facts
    push = patient.decisions[Command.PUSH]
    ambient = isinstance(push, Decision) and push.method is Method.AMBIENT
    others = (GITLAB.token, GITLAB.registry_password, "WERF_IGNORE_CI_DOCKER_AUTOLOGIN")
    some = any(facts.is_set(name) or facts.unknown(name) for name in others)
    if ambient and facts.is_known(GITLAB.registry) and not some:
        yield Finding(
            "token-missing",
            GITLAB.registry,
            f"is set, but {GITLAB.token} is not: the automatic login needs both",
            hint="Run this in a job, or give the login as options.",
        )


def _about_home(facts: Facts) -> Iterator[Finding]:
    if facts.elsewhere or facts.is_set(DOCKER_CONFIG):
        return
    user = facts.text("SUDO_USER")
    if (
        user
        and user != "root"
        and facts.text("HOME") in {"", "/root"}
        and "root" in {facts.text("USER"), facts.text("LOGNAME")}
    ):
        yield Finding(
            "sudo-home",
            "SUDO_USER",
            f"is {clean(user, 80)}, but docker reads root's config: the logins of {clean(user, 80)} are not"
            " found",
            hint='Pass the config on: sudo DOCKER_CONFIG="$HOME/.docker" …',
        )
    if facts.text("CI_SHARED_ENVIRONMENT") and facts.text("GITLAB_CI") == "true":
        yield Finding(
            "shared-config",
            DOCKER_CONFIG,
            "is not set on a runner that its jobs share: a `docker login` or `docker logout` of one job"
            " changes the login of the others",
            hint="Set DOCKER_CONFIG to a directory of the job. A run uses a temporary config.",
            severity=Severity.NOTE,
        )


def _about_auth_config(patient: Patient) -> Iterator[Finding]:
    text = patient.facts.text(_AUTH_CONFIG)
    if not text or shape_of(text) is not Shape.CONFIG:
        return
    config = {str(name).lower(): value for name, value in json.loads(text.strip()).items()}
    auths = config.get("auths")
    entries = auths if isinstance(auths, dict) else {}
    if why := _why_loose(config, entries):
        yield Finding(
            "auth-config-loose",
            _AUTH_CONFIG,
            f"{why}: docker's command line ignores the whole variable, GitLab Runner reads it",
            hint='Write each entry as {"auth": "…"}, and nothing but auths.',
        )
        return
    for decided in patient.decided:
        for key in decided.login if decided.method.logs_in else ():
            if key in entries:
                yield Finding(
                    "auth-config-wins",
                    _AUTH_CONFIG,
                    f"has a login for {clean(key, 100)}, and docker 28.3 and later use it instead of the one"
                    f" as {clean(decided.username or '', 100)}",
                    hint="Unset it for the step that logs in. A run leaves it out.",
                )
                return


def _why_loose(config: Mapping[str, object], entries: Mapping[str, object]) -> str:
    if more := sorted(config.keys() - {"auths"}):
        return f"has {clean(more[0], 60)} beside auths"
    for key, entry in entries.items():
        names = {str(name).lower() for name in entry} if isinstance(entry, dict) else set()
        if odd := sorted(names & _LOOSE):
            return f"has {odd[0]} in the entry for {clean(str(key).rpartition('@')[2], 100)}"
    return ""
