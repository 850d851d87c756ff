"""A decision in one plain sentence."""

from __future__ import annotations

from typing import assert_never

from dockpass.auth.command import Command, Method
from dockpass.auth.decision import Outcome, RuleId, Step
from dockpass.auth.rules import CLEANUP_PASSWORD, EXTERNAL_CONFIG, JOB_TOKEN, REGISTRY, REGISTRY_IMAGE, Case
from dockpass.text import clean


def sentence(
    case: Case,
    method: Method,
    username: str | None,
    secret_from: str | None,
    config: str,
    login: tuple[str, ...],
    trace: tuple[Step, ...],
    unknown: tuple[str, ...],
) -> str:
    """Say who logs in where with what, and why, as far as it is known."""
    because = _because(case, method, trace)
    unknown = tuple(name for name in unknown if name not in _SETTLED.get(method, ()))
    if not method.logs_in:
        return f"{case.command} does not log in: it uses {config}, {because}.{_as_far_as(unknown)}"
    secret = "the given password" if secret_from == "option" else secret_from  # noqa: S105
    if secret_from in unknown:
        secret = f"{secret} (value not known here)"
        unknown = tuple(name for name in unknown if name != secret_from)
    where = " and ".join(clean(key) for key in login) or f"the registry of {REGISTRY_IMAGE}"
    return (
        f"{case.command} logs in to {where} as {clean(username or '')} with {secret}, {because}."
        f"{_as_far_as(unknown)}"
    )


_SETTLED = {Method.EXTERNAL: (REGISTRY, REGISTRY_IMAGE), Method.OPTIONS: (REGISTRY_IMAGE,)}
"""What no longer changes the login of these methods, whatever the registry turns out to be."""
CONFIG_OF_RUNNER = "docker's config of the job's runner or image (not known here)"
"""The config of a job that names none: it lies on another machine."""


def config_words(method: Method, config_dir: str | None, *, elsewhere: bool, of_runner: bool) -> str:
    """Return whose docker config is used, and where it lies as far as that is known; empty with a login."""
    if method.logs_in:
        return ""
    if of_runner:
        return CONFIG_OF_RUNNER
    whose = "the external docker config" if method is Method.EXTERNAL else "docker's own config"
    if config_dir is None:
        return whose
    return f"{whose} in {clean(config_dir)}{' of the job' if elsewhere else ''}"


def _as_far_as(unknown: tuple[str, ...]) -> str:
    """Return the sentence on what could still change the login; empty for nothing."""
    if not unknown:
        return ""
    return f" This may change once the value of {' and '.join(unknown)} is known."


def _because(case: Case, method: Method, trace: tuple[Step, ...]) -> str:
    match method:
        case Method.EXTERNAL:
            return f"because {EXTERNAL_CONFIG} is set, which overrides everything else"
        case Method.OPTIONS:
            return "because both are given, and only an external config would override them"
        case Method.CLEANUP_TOKEN:
            return f"because {CLEANUP_PASSWORD} is set and no earlier rule applies"
        case Method.AUTOLOGIN:
            base = " and a base image is in that registry" if case.command is Command.BUILD else ""
            return f"because {REGISTRY} and {JOB_TOKEN} are set{base}, and no earlier rule applies"
        case Method.AMBIENT:
            return f"because {_why_ambient(trace)}"
        case other:
            assert_never(other)


def _why_ambient(trace: tuple[Step, ...]) -> str:
    for step in trace:
        if step.outcome is Outcome.HOLDS:
            return step.because
    autologin = next(step for step in trace if step.rule is RuleId.AUTOLOGIN)
    return f"nothing else is given: {autologin.because}"
