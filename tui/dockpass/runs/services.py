"""What a run needs from outside; handed in, so that tests hand in their own."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from dockpass.auth.facts import Facts
from dockpass.readonly import ReadOnly
from dockpass.registry.policy import Policy, RealmRule, certificate_directories
from dockpass.registry.proxies import proxies_for
from dockpass.secrets import Redactor
from dockpass.text import mask_before_cutting

if TYPE_CHECKING:
    from dockpass.builders.survey import FindBuilders, Found
    from dockpass.cleanup.plan import Policy as CleanupPolicy
    from dockpass.cleanup.plan import TagInfo
    from dockpass.dockerconfig.helpers import HelperResult
    from dockpass.dockerconfig.resolve import Resolution
    from dockpass.dockerconfig.temporary import TemporaryConfig
    from dockpass.engines.base import Engine, EngineInfo
    from dockpass.references.credential import Credential, Logins
    from dockpass.registry.client import RegistryClient

OpenEngine: TypeAlias = "Callable[[Mapping[str, str], Path], Engine]"
"""Connects to the engine, given the run's environment and the home directory."""

MakeRegistry: TypeAlias = "Callable[[str, Logins, Policy], AbstractAsyncContextManager[RegistryClient]]"
"""Makes a client for a registry host, which reads its login from the run's config."""

CreateConfig: TypeAlias = "Callable[[Mapping[str, Credential], Mapping[str, str]], TemporaryConfig]"
ResolveEntries: TypeAlias = "Callable[[Path, Sequence[str], Mapping[str, str]], Resolution]"

TagsRead: TypeAlias = "Callable[[Sequence[TagInfo], CleanupPolicy], None]"
"""Hears of the tags that a cleanup has read, and of what the registry protects among them."""

# Names that steer where programs and directories are found, never which login is used.
_TECHNICAL = ("PATH", "HOME", "XDG_RUNTIME_DIR", "TMPDIR", "LANG", "LC_ALL", "SSH_AUTH_SOCK")


def _unheard(_tags: Sequence[TagInfo], _policy: CleanupPolicy) -> None:
    """Do nothing with the tags."""


def _open_docker(environ: Mapping[str, str], home: Path) -> Engine:
    from dockpass.engines.choice import EngineChoice, Engines, open_chosen

    return open_chosen(EngineChoice(Engines.DOCKER, "by default", Path()), environ, home)


def ordinary_policy(
    home: Path, environ: Mapping[str, str], redactor: Redactor, *, no_proxy: bool = False
) -> Policy:
    """Return what holds without any option: the environment's proxies, docker's own certificates, no realm.

    The redactor learns the proxies' passwords.
    """
    proxies = proxies_for(environ, redactor, unused=no_proxy)
    return Policy(proxies, certificate_directories=certificate_directories(home), realm_rule=RealmRule())


def _builders_of_engine(engine: EngineInfo, environ: Mapping[str, str], home: Path) -> Sequence[Found]:
    from dockpass.builders.survey import builders_of_engine

    return builders_of_engine(engine, environ, home)


def _make_registry(host: str, logins: Logins, policy: Policy) -> AbstractAsyncContextManager[RegistryClient]:
    from dockpass.registry.client import RegistryClient

    return RegistryClient(host, logins, policy=policy)


def _create_config(entries: Mapping[str, Credential], environ: Mapping[str, str]) -> TemporaryConfig:
    from dockpass.dockerconfig.temporary import TemporaryConfig

    return TemporaryConfig.create(entries, environ=environ)


def _resolve(directory: Path, hosts: Sequence[str], environ: Mapping[str, str]) -> Resolution:
    from dockpass.dockerconfig.helpers import ask_helper
    from dockpass.dockerconfig.resolve import resolve
    from dockpass.dockerconfig.runconfig import without_rivals

    def ask(name: str, key: str, environ: Mapping[str, str]) -> HelperResult:
        return ask_helper(name, key, without_rivals(environ))

    return resolve(directory, hosts, environ=environ, run_helper=ask)


@dataclass(frozen=True)
class Services:
    """`environ` is the process environment, `state` where dockpass keeps what it remembers.

    `policy` is what the person allows beyond the ordinary in speaking to registries, `read_only` whether
    anything may be done at all.
    """

    environ: Mapping[str, str] = field(repr=False)
    home: Path
    cwd: Path
    state: Path
    redactor: Redactor = field(default_factory=Redactor)
    open_engine: OpenEngine = _open_docker
    find_builders: FindBuilders = _builders_of_engine
    make_registry: MakeRegistry = _make_registry
    policy: Policy = field(default_factory=Policy)
    read_only: ReadOnly = field(default_factory=ReadOnly)
    create_config: CreateConfig = _create_config
    resolve_entries: ResolveEntries = _resolve
    tags_read: TagsRead = _unheard
    clock: Callable[[], float] = time.monotonic
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def __post_init__(self) -> None:
        mask_before_cutting(self.redactor)

    def open_registry(
        self, host: str, logins: Logins, policy: Policy | None = None
    ) -> AbstractAsyncContextManager[RegistryClient]:
        """Open a client for a registry host, by the policy of these services if no other is given."""
        return self.make_registry(host, logins, policy or self.policy)

    def run_environ(self, facts: Facts) -> dict[str, str]:
        """Return the environment of a run: the facts' variables, and the technical names."""
        technical = {name: self.environ[name] for name in _TECHNICAL if name in self.environ}
        return technical | facts.known_values()
