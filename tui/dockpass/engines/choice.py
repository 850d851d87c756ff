"""Which engine a run uses: the one that was asked for, or what is there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from dockpass.errors import DockpassError, UsageError

if TYPE_CHECKING:
    from dockpass.engines.base import Engine
    from dockpass.engines.detect import EngineState
    from dockpass.engines.endpoint import Endpoint
    from dockpass.registry.policy import Policy

AUTO_SECONDS = 0.3
"""How long `auto` waits for Docker or Podman at a usual socket before it takes the embedded engine."""


class Engines(StrEnum):
    """What can be asked for."""

    AUTO = "auto"
    DOCKER = "docker"
    EMBEDDED = "embedded"


@dataclass(frozen=True, slots=True)
class EngineChoice:
    """What was asked for, by what (`--engine`, the settings file), and where the image store is."""

    engine: Engines
    because: str
    store: Path


def open_chosen(
    choice: EngineChoice, environ: Mapping[str, str], home: Path, policy: Policy | None = None
) -> Engine:
    """Open the engine; raises `DockpassError` where the one that was asked for does not answer."""
    if choice.engine is Engines.EMBEDDED:
        return _embedded(choice, choice.because, environ, policy)
    from dockpass.engines.docker import open_engine
    from dockpass.engines.endpoint import resolve_endpoint

    try:
        endpoint = resolve_endpoint(environ, home)
        return open_engine(endpoint, _patience(choice, endpoint))
    except DockpassError as error:
        if choice.engine is not Engines.AUTO:
            raise
        return _embedded(choice, _instead(error), environ, policy)


def opener(choice: EngineChoice, policy: Policy | None = None) -> Callable[[Mapping[str, str], Path], Engine]:
    """Return what opens the chosen engine; `policy` holds for what the embedded one asks registries."""
    return lambda environ, home: open_chosen(choice, environ, home, policy)


def detect_chosen(choice: EngineChoice, environ: Mapping[str, str], home: Path) -> EngineState:
    """Return the engine that a run would use, or why there is none."""
    from dockpass.engines.detect import EngineState, detect_engine

    if choice.engine is Engines.EMBEDDED:
        return EngineState(_embedded(choice, choice.because, environ).info())
    if choice.engine is Engines.DOCKER:
        return detect_engine(environ, home)
    state = detect_engine(environ, home, partial(_patience, choice))
    if state.error is None:
        return state
    return EngineState(_embedded(choice, _instead(state.error), environ).info(), None, state.endpoint)


def _patience(choice: EngineChoice, endpoint: Endpoint) -> float:
    """Return how many seconds an engine may take to answer: one that the person named may be far away."""
    from dockpass.engines.endpoint import OPEN_SECONDS

    is_guessed = choice.engine is Engines.AUTO and not endpoint.is_named
    return AUTO_SECONDS if is_guessed else OPEN_SECONDS


def parse_choice(text: str, because: str, store: Path) -> EngineChoice:
    """Return the choice of a word; raises `UsageError` for one that is not known."""
    try:
        return EngineChoice(Engines(text), because, store)
    except ValueError:
        known = ", ".join(Engines)
        raise UsageError("engine-unknown", f"There is no engine {text!r}.", f"Use one of {known}.") from None


def _embedded(
    choice: EngineChoice, how: str, environ: Mapping[str, str], policy: Policy | None = None
) -> Engine:
    from dockpass.engines.embedded.engine import open_embedded
    from dockpass.registry.transport import Transport

    # Where a login may go was looked at, and asked about, before the engine is told to go there.
    agreed = replace(policy, realm_rule=None) if policy else None
    return open_embedded(choice.store, how, environ, lambda: Transport(agreed))


def _instead(error: DockpassError) -> str:
    return f"{error.message[0].lower()}{error.message[1:].rstrip('.')}"
