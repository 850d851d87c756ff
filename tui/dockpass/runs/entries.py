"""The logins of a run, for the writer of its temporary config and for nobody else.

They are either the one login that was decided on, or the entries that an existing config has for the
hosts of the run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dockpass.auth.command import Method
from dockpass.auth.decide import value_unknown
from dockpass.auth.decision import Decision
from dockpass.dockerconfig.configfile import read_config
from dockpass.errors import UsageError
from dockpass.references.credential import Credential
from dockpass.runs.services import Services
from dockpass.secrets import Redactor
from dockpass.unknown import Unknown


@dataclass(frozen=True, slots=True)
class Entries:
    """`credentials` by docker's config key; `notes` say where each was found, or why none was."""

    credentials: Mapping[str, Credential]
    notes: tuple[str, ...] = ()


def decided_entries(decision: Decision, redactor: Redactor) -> Mapping[str, Credential]:
    """Return the login that was decided on, at each registry where it is made; empty where none is."""
    if decision.username is None or decision.secret is None:
        return {}
    if isinstance(decision.secret, Unknown):
        raise value_unknown(str(decision.secret_from), "; nothing was sent")
    redactor.learn(decision.secret, decision.username)
    return dict.fromkeys(decision.login, Credential(decision.username, decision.secret))


def found_entries(
    services: Services, source: Path, hosts: Sequence[str], environ: Mapping[str, str], config: Path
) -> Entries:
    """Look up hosts in the docker config `source`; its credential helpers are asked.

    They get `environ`, with the temporary config in `config` as docker's.
    """
    resolution = services.resolve_entries(source, hosts, {**environ, "DOCKER_CONFIG": str(config)})
    for credential in resolution.credentials.values():
        for secret in (credential.password, credential.identity_token):
            if secret:
                services.redactor.learn(secret, credential.username)
    notes = tuple(f"{step.host}: {step.because}" for step in resolution.trace)
    return Entries(resolution.credentials, notes)


def check_external(decision: Decision) -> None:
    """Raise `UsageError` for an external config that cannot be read; docker would go on without a login."""
    if decision.method is not Method.EXTERNAL:
        return
    if problem := read_config(Path(decision.config_dir or "")).problem:
        raise UsageError(
            "external-config-unusable",
            f"WERF_DOCKER_CONFIG cannot be used: {problem}.",
            "Name a directory with a config.json, or unset the variable.",
        )
