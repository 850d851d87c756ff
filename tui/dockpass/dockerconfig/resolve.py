"""Which entry of a docker config is used for a host, by the docker command line's order.

For docker's key of the host: its own helper (final), else the store (plain entries are then not
looked at), else the entry under that key, else the first entry whose key reduces to the host
(docker/cli, cli/config).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from dockpass.auth.address import login_key
from dockpass.auth.credential import Credential
from dockpass.dockerconfig.configfile import ConfigFile, FileState, read_config
from dockpass.dockerconfig.helpers import HelperOutcome, ask_helper
from dockpass.text import clean


class Found(StrEnum):
    """What became of a source."""

    USED = "used"
    NOTHING = "nothing"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class ResolutionStep:
    """One source that was looked at for a host, and what came of it."""

    host: str
    source: str
    outcome: Found
    because: str


@dataclass(frozen=True, slots=True)
class Resolution:
    """Credentials by docker's key, and every source that was looked at."""

    credentials: Mapping[str, Credential]
    trace: tuple[ResolutionStep, ...]


def resolve(directory: Path, hosts: Sequence[str], *, environ: Mapping[str, str]) -> Resolution:
    """Resolve each host on its own: a helper that fails for one never hurts another."""
    config = read_config(directory)
    credentials: dict[str, Credential] = {}
    trace: list[ResolutionStep] = []
    for host in hosts:
        step, credential = _resolve_host(config, host, environ)
        trace.append(step)
        if credential is not None:
            credentials[login_key(host)] = credential
    return Resolution(credentials, tuple(trace))


def _resolve_host(
    config: ConfigFile, host: str, environ: Mapping[str, str]
) -> tuple[ResolutionStep, Credential | None]:
    key = login_key(host)
    if config.state is not FileState.READ:
        outcome = Found.NOTHING if config.state is FileState.NO_FILE else Found.FAILED
        return ResolutionStep(host, str(config.path), outcome, config.problem), None
    if key in config.cred_helpers:
        return _from_helper(host, key, config.cred_helpers[key], "credHelpers", environ)
    if config.creds_store:
        return _from_helper(host, key, config.creds_store, "credsStore", environ)
    return _from_entries(config, host, key)


def _from_helper(
    host: str, key: str, helper: str, section: str, environ: Mapping[str, str]
) -> tuple[ResolutionStep, Credential | None]:
    result = ask_helper(helper, key, environ)
    outcome = {
        HelperOutcome.FOUND: Found.USED,
        HelperOutcome.NOT_FOUND: Found.NOTHING,
        HelperOutcome.FAILED: Found.FAILED,
    }[result.outcome]
    step = ResolutionStep(host, f"{section} {clean(helper)}", outcome, f"{section}: {result.because}")
    return step, result.credential


def _from_entries(config: ConfigFile, host: str, key: str) -> tuple[ResolutionStep, Credential | None]:
    near = [other for other in (*config.entries, *config.broken_entries) if _host_of_key(other) == key]
    exact = key in config.entries or key in config.broken_entries
    source = key if exact else near[0] if near else ""
    if not source:
        return _step(config, host, Found.NOTHING, "has no entry for it"), None
    if source in config.broken_entries:
        why = f"the entry {clean(source)} is not usable: {config.broken_entries[source]}"
        return _step(config, host, Found.FAILED, why), None
    credential = config.entries[source]
    if credential is None:
        return _step(config, host, Found.NOTHING, f"the entry {clean(source)} holds no credentials"), None
    others = "" if exact or len(near) < 2 else f"; docker picks any of {', '.join(map(clean, near))}"
    user = clean(credential.username) or "an identity token"
    return _step(config, host, Found.USED, f"the entry {clean(source)} of {user}{others}"), credential


def _step(config: ConfigFile, host: str, outcome: Found, because: str) -> ResolutionStep:
    path = clean(str(config.path))
    return ResolutionStep(host, path, outcome, f"{path}: {because}")


def _host_of_key(key: str) -> str:
    return key.partition("://")[2].partition("/")[0] if "://" in key else key.partition("/")[0]
