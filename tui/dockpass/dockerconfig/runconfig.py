"""The config of a run, as read by whoever sends a login.

Each login is read from the file at the moment it is needed, by the same resolver that reads any other
docker config. Credential helpers and the system's keychain are never asked: a run sends what is in its
temporary config, and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from dockpass.dockerconfig.configfile import read_config
from dockpass.dockerconfig.helpers import HelperOutcome, HelperResult
from dockpass.dockerconfig.keys import host_of_key
from dockpass.dockerconfig.resolve import Found, resolve
from dockpass.dockerconfig.temporary import DUMMY_HOST, is_dummy
from dockpass.errors import DockpassError
from dockpass.references.address import login_key
from dockpass.references.credential import Credential
from dockpass.secrets import Redactor
from dockpass.text import clean

RIVALS = frozenset(
    {
        "DOCKER_AUTH_CONFIG",  # docker's command line from 28.3 on, regctl
        "BUILDX_CONFIG",  # buildx reads logins in config/ below it
        "REGISTRY_AUTH_FILE",  # podman, buildah, skopeo
        "HELM_REGISTRY_CONFIG",
        "HELM_REGISTRY_CONFIG_PATH",  # Terraform's Helm provider
        "REGCTL_CONFIG",
        "WERF_DOCKER_CONFIG",
    }
)
"""Variables by which a program takes a login from elsewhere, whatever `DOCKER_CONFIG` says."""

_NO_PROGRAMS = {"PATH": ""}


@dataclass(frozen=True, slots=True)
class RunConfig:
    """The directory of a run's config. `redactor` learns each secret as it is read."""

    directory: Path
    redactor: Redactor | None = None

    def login_for(self, host: str) -> Credential | None:
        """Return the login for `host[:port]`, or None where the config has none: anonymous.

        Raises `DockpassError` with the file's path where it, or the entry, cannot be read.
        """
        return self._read([host]).get(login_key(host))

    def logins(self) -> Mapping[str, Credential]:
        """Return every login by docker's key of its registry; raises as `login_for` does."""
        config = read_config(self.directory)
        keys = (*config.entries, *config.cred_helpers)
        return self._read([host_of_key(key) for key in keys] or [DUMMY_HOST])

    def user_for(self, host: str) -> str:
        """Return the user name of the login for a host; empty for none and for an identity token."""
        login = self.login_for(host)
        return login.username if login else ""

    def _read(self, hosts: Sequence[str]) -> dict[str, Credential]:
        path = clean(str(self.directory / "config.json"))

        def no_helper(name: str, _key: str, _environ: Mapping[str, str]) -> HelperResult:
            because = f"{path} names the credential helper {clean(name, 60)}, and a run asks none"
            return HelperResult(HelperOutcome.FAILED, because)

        if problem := read_config(self.directory).problem:
            raise _unreadable(path, problem)
        resolution = resolve(self.directory, hosts, environ=_NO_PROGRAMS, run_helper=no_helper)
        for step in resolution.trace:
            if step.outcome is Found.FAILED:
                raise _unreadable(path, step.because)
        logins = {key: login for key, login in resolution.credentials.items() if not is_dummy(key, login)}
        for login in logins.values():
            self._learn(login)
        return logins

    def _learn(self, login: Credential) -> None:
        if self.redactor is not None:
            for secret in filter(None, (login.password, login.identity_token)):
                self.redactor.learn(secret, login.username)


def without_rivals(environ: Mapping[str, str]) -> dict[str, str]:
    """Return an environment without the variables that would win over `DOCKER_CONFIG`."""
    return {name: value for name, value in environ.items() if name not in RIVALS}


def _unreadable(path: str, because: str) -> DockpassError:
    where = "" if path in because else f" in {path}"
    return DockpassError(
        "run-config-unreadable",
        f"The temporary docker config cannot be read{where}: {because}.",
        "Something changed it during the run. Start the run again.",
    )
