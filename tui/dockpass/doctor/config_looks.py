"""Looks for reasons why a login is not found in docker's config on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from dockpass.auth.ci import GITLAB
from dockpass.auth.command import Command, Method
from dockpass.dockerconfig.configfile import ConfigFile, FileState
from dockpass.dockerconfig.keys import host_of_key, looks_like, shown_key
from dockpass.doctor.check import Patient
from dockpass.doctor.token_looks import ecr_expiry
from dockpass.findings import Finding, Severity
from dockpass.references.address import host_of_reference, login_key
from dockpass.text import clean
from dockpass.variables.here import Here, Lies
from dockpass.variables.token_findings import span_in_words
from dockpass.variables.token_kind import RegistryUse, kind_of

_READ_ONLY_PUBLIC = frozenset({Command.PULL, Command.DEPLOY, Command.BUILD})
"""Commands that need no login where the repository is public."""


def in_config(patient: Patient) -> Iterator[Finding]:
    """Yield what is wrong in the config itself; one that does not exist is no fault."""
    config = patient.config
    if config is not None and not config.state.is_empty_config:
        yield from config.findings


def in_entries(patient: Patient) -> Iterator[Finding]:
    """Yield entries that are missing, expired or in conflict, and helpers that cannot work."""
    config, here = patient.config, patient.here
    if config is None or (config.state is not FileState.READ and not config.state.is_empty_config):
        return
    yield from _about_missing(patient, config)
    yield from _about_same_host(config)
    yield from _about_job_tokens(patient, config)
    if here is not None:
        yield from _about_age(config, here)
        yield from _about_helpers(patient, config, here)


def _about_missing(patient: Patient, config: ConfigFile) -> Iterator[Finding]:
    if config.creds_store or not patient.facts.repo:
        return
    for decided in patient.decided:
        if decided.command in _READ_ONLY_PUBLIC or decided.method not in {Method.AMBIENT, Method.EXTERNAL}:
            continue
        host = host_of_reference(patient.facts.repo)
        key = login_key(host)
        if key in config.cred_helpers or any(key in {name, host_of_key(name)} for name in config.entries):
            return
        near = [shown_key(name) for name in config.entries if looks_like(name, key)]
        told = f"; docker does not read {' or '.join(near)} for it" if near else ""
        yield Finding(
            "no-entry",
            clean(str(config.path), 300),
            f"has no login for {clean(host, 100)}, so a push is anonymous{told}",
            hint=f"docker login {clean(host, 100)}, or give the login as options.",
        )
        return


def _about_same_host(config: ConfigFile) -> Iterator[Finding]:
    hosts: dict[str, list[str]] = {}
    for key in config.entries:
        hosts.setdefault(host_of_key(key), []).append(key)
    for host, keys in hosts.items():
        if len(keys) > 1 and host not in keys:
            yield Finding(
                "keys-collide",
                clean(str(config.path), 300),
                f"has {' and '.join(map(shown_key, keys))} for the same host: docker may use any of them",
                hint=f"Keep one entry, under {shown_key(host)}.",
            )


def _about_job_tokens(patient: Patient, config: ConfigFile) -> Iterator[Finding]:
    """Yield job tokens that are not this job's; with that user name GitLab takes other tokens too."""
    facts = patient.facts
    if facts.unknown(GITLAB.token):
        return
    for key, entry in config.entries.items():
        credential = entry.credential
        if credential is None or not credential.password.reveal():
            continue
        kind = kind_of(credential.password).registry_login
        if kind is not RegistryUse.JOB and (
            credential.username != GITLAB.user or kind is not RegistryUse.UNCLEAR
        ):
            continue
        if credential.password.reveal() != facts.text(GITLAB.token):
            whose = "another job" if facts.is_set(GITLAB.token) else "a job"
            yield Finding(
                "job-token-kept",
                clean(str(config.path), 300),
                f"has the token of {whose} for {shown_key(key)}, which is valid only while that job runs",
                hint=f"docker logout {shown_key(key)}, then log in with another token.",
            )


def _about_age(config: ConfigFile, here: Here) -> Iterator[Finding]:
    for key, entry in config.entries.items():
        expiry = ecr_expiry(entry.credential.password.reveal()) if entry.credential else 0.0
        if expiry and here.now() > expiry:
            yield Finding(
                "ecr-entry-expired",
                clean(str(config.path), 300),
                f"has a password for {shown_key(key)} that expired {span_in_words(here.now() - expiry)} ago",
                hint="Get a new one (aws ecr get-login-password), or use docker-credential-ecr-login.",
                severity=Severity.ERROR,
            )


def _about_helpers(patient: Patient, config: ConfigFile, here: Here) -> Iterator[Finding]:
    facts = patient.facts
    path = facts.text("PATH")
    for helper in dict.fromkeys(filter(None, (config.creds_store, *config.cred_helpers.values()))):
        program, shown = f"docker-credential-{helper}", clean(helper, 60)
        found = any(here.look(str(Path(each, program))) is Lies.FILE for each in path.split(":") if each)
        if path and not found:
            yield Finding(
                "helper-missing",
                clean(str(config.path), 300),
                f"names the credential helper {shown}, but no directory of PATH has"
                f" docker-credential-{shown}",
                hint="Install it, or remove it from the config. A run that logs in uses a config without it.",
            )
        elif helper == "secretservice" and not facts.is_set("DBUS_SESSION_BUS_ADDRESS"):
            yield Finding(
                "helper-headless",
                clean(str(config.path), 300),
                "names the credential helper secretservice, which needs a desktop session, and"
                " DBUS_SESSION_BUS_ADDRESS is not set",
                hint="Use a config without it where there is no desktop.",
            )
        elif helper == "pass" and here.look(_password_store(patient)) is Lies.NOTHING:
            yield Finding(
                "helper-headless",
                clean(str(config.path), 300),
                "names the credential helper pass, whose password store does not exist",
                hint="Create it with `pass init`, or use a config without the helper.",
            )


def _password_store(patient: Patient) -> str:
    named = patient.facts.text("PASSWORD_STORE_DIR")
    return named or str(Path(patient.facts.home, ".password-store"))
