"""Which entry of a docker config is used for a host, by the docker command line's order.

For docker's key of the host: its own helper (final), else the store (plain entries are then not
looked at), else the entry under that key, else the first entry whose key reduces to the host
(docker/cli, cli/config). A config that names neither entries nor helpers makes docker ask the
system's own store where that is installed.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from dockpass.dockerconfig.configfile import ConfigFile, FileState, read_config
from dockpass.dockerconfig.helpers import HelperOutcome, HelperResult, ask_helper, find_program
from dockpass.dockerconfig.keys import host_of_key, looks_like, shown_key
from dockpass.references.address import login_key
from dockpass.references.credential import Credential
from dockpass.text import clean

RunHelper = Callable[[str, str, Mapping[str, str]], HelperResult]
"""Asks the helper of a name for a key, in an environment."""

_AUTH_CONFIG_VARIABLE = "DOCKER_AUTH_CONFIG"


class Found(StrEnum):
    """What became of a source."""

    USED = "used"
    NOTHING = "nothing"
    FAILED = "failed"
    SKIPPED = "skipped"


_FOUND = {
    HelperOutcome.FOUND: Found.USED,
    HelperOutcome.NOT_FOUND: Found.NOTHING,
    HelperOutcome.FAILED: Found.FAILED,
}


@dataclass(frozen=True, slots=True)
class ResolutionStep:
    """One source for a host, and what came of it; texts are clean and hold no secret."""

    host: str
    source: str
    outcome: Found
    because: str


@dataclass(frozen=True, slots=True)
class Resolution:
    """Credentials by docker's key, and every source there is for a host, in docker's order."""

    credentials: Mapping[str, Credential]
    trace: tuple[ResolutionStep, ...]


def resolve(
    directory: Path,
    hosts: Sequence[str],
    *,
    environ: Mapping[str, str],
    run_helper: RunHelper = ask_helper,
) -> Resolution:
    """Resolve each `host[:port]` on its own: a helper that fails for one never hurts another."""
    config = read_config(directory)
    credentials: dict[str, Credential] = {}
    trace: list[ResolutionStep] = []
    for host in dict.fromkeys(hosts):
        search = _Search(config, clean(host), login_key(host), environ, run_helper)
        for step, credential in search.steps():
            trace.append(step)
            if credential is not None:
                credentials[search.key] = credential
    return Resolution(credentials, tuple(trace))


_Stepped = tuple[ResolutionStep, Credential | None]


@dataclass(frozen=True, slots=True)
class _Search:
    """The search for one host. `key` is docker's key of it."""

    config: ConfigFile
    host: str
    key: str
    environ: Mapping[str, str] = field(repr=False)
    run_helper: RunHelper

    def steps(self) -> Iterator[_Stepped]:
        """Yield each source with its outcome; at most one of them with a credential."""
        config = self.config
        if self.environ.get(_AUTH_CONFIG_VARIABLE):
            yield self._skipped(
                _AUTH_CONFIG_VARIABLE,
                "it is set, and docker's command line from 28.3 on prefers it; a run here does not use it",
            )
        if config.state is not FileState.READ:
            outcome = Found.NOTHING if config.state.is_empty_config else Found.FAILED
            yield self._step(self._file, outcome, config.problem)
            if config.state.is_empty_config:
                yield from self._system_store()
        elif self.key in config.cred_helpers:
            yield from self._own_helper(config.cred_helpers[self.key])
        elif config.creds_store:
            yield self._ask("credsStore", config.creds_store)
            yield from self._entry_skipped("the store is asked instead of plain entries")
        else:
            yield self._entry()
            yield from self._system_store()

    def _own_helper(self, helper: str) -> Iterator[_Stepped]:
        yield self._ask("credHelpers", helper)
        final = "credHelpers names a helper for this host, and its answer is final"
        if self.config.creds_store:
            yield self._skipped(f"credsStore {clean(self.config.creds_store, 60)}", final)
        yield from self._entry_skipped(final)

    def _ask(self, section: str, helper: str) -> _Stepped:
        result = self.run_helper(helper, self.key, self.environ)
        because = f"{section}: {result.because}"
        return self._step(
            f"{section} {clean(helper, 60)}", _FOUND[result.outcome], because, result.credential
        )

    def _system_store(self) -> Iterator[_Stepped]:
        config = self.config
        if config.entries or config.cred_helpers or config.creds_store:
            return
        store = system_store(self.environ)
        if find_program(f"docker-credential-{store}", self.environ):
            yield self._ask("the system's store, which docker picks for an empty config", store)

    def _entry(self) -> _Stepped:
        keys = self._keys()
        if not keys:
            near = [shown_key(key) for key in self.config.entries if looks_like(key, self.key)]
            hint = f"; docker does not read {' or '.join(near)} for it" if near else ""
            return self._step(self._file, Found.NOTHING, f"{self._file} has no entry for it{hint}")
        chosen = keys[0]
        entry, shown = self.config.entries[chosen], f"{self._file}: the entry {shown_key(chosen)}"
        if entry.credential is None:
            outcome = Found.FAILED if entry.note else Found.NOTHING
            return self._step(self._file, outcome, f"{shown}: {entry.note or 'it holds no credentials'}")
        user = clean(entry.credential.username, 200) or "an identity token"
        note = f"; {entry.note}" if entry.note else ""
        if chosen != self.key and len(keys) > 1:
            note += f"; docker takes any one of {', '.join(shown_key(key) for key in keys)}, here the first"
        return self._step(self._file, Found.USED, f"{shown} of {user}{note}", entry.credential)

    def _entry_skipped(self, because: str) -> Iterator[_Stepped]:
        for key in self._keys()[:1]:
            if self.config.entries[key].credential is not None:
                yield self._skipped(
                    self._file, f"{self._file}: the entry {shown_key(key)} is not used: {because}"
                )

    def _keys(self) -> list[str]:
        """Return the keys of entries that docker would read for the host, the one that wins first."""
        if self.key in self.config.entries:
            return [self.key]
        return [key for key in self.config.entries if host_of_key(key) == self.key]

    @property
    def _file(self) -> str:
        return clean(str(self.config.path))

    def _skipped(self, source: str, because: str) -> _Stepped:
        return self._step(source, Found.SKIPPED, because)

    def _step(
        self, source: str, outcome: Found, because: str, credential: Credential | None = None
    ) -> _Stepped:
        return ResolutionStep(self.host, source, outcome, because), credential


def system_store(environ: Mapping[str, str], platform: str = sys.platform) -> str:
    """Return the helper that docker picks for a config without any (docker/cli, cli/config/credentials)."""
    if platform == "darwin":
        return "osxkeychain"
    return "pass" if find_program("pass", environ) else "secretservice"
