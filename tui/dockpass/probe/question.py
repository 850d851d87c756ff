"""What a probe is asked, and what it works with."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from dockpass.references.credential import Credential
from dockpass.registry.policy import Guard, RealmRule
from dockpass.registry.transport import Transport
from dockpass.secrets import Secret

MOST_REJECTIONS = 2
"""A registry that has refused so many logins of one run is sent no other."""
SECONDS_A_REQUEST = 15.0


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: of which repository, with which login.

    `push` asks for the push scope even where the repository does not exist, which makes its record on some
    registries; `also_pull` are other repositories on the same host that are read with this login.
    """

    host: str
    path: str
    credential: Credential | None
    name: str
    push: bool = False
    also_pull: tuple[str, ...] = ()


@dataclass
class Rejections:
    """How often a host has refused credentials in this run."""

    counts: dict[str, int] = field(default_factory=dict)

    def add(self, host: str) -> None:
        """Count one."""
        self.counts[host] = self.counts.get(host, 0) + 1

    def enough(self, host: str) -> bool:
        """Tell whether no other login should be sent."""
        return self.counts.get(host, 0) >= MOST_REJECTIONS


@dataclass(frozen=True)
class ProbeContext:
    """What a probe works with: `now` in seconds since 1970, `learn` is told of every token.

    `redact` masks every secret that is known in what people read of an answer.

    `rule` says which hosts may get the credentials, `guard` compares a realm with the one remembered.
    """

    transport: Transport
    rejections: Rejections = field(default_factory=Rejections)
    guard: Guard | None = None
    rule: RealmRule | None = None
    learn: Callable[[Secret], None] = lambda _: None
    redact: Callable[[str], str] = lambda text: text
    clock: Callable[[], float] = time.monotonic
    now: Callable[[], float] = lambda: datetime.now(UTC).timestamp()
    seconds: float = SECONDS_A_REQUEST
