"""Which engine answers, for the status line and `--version --verbose`: asked once, within seconds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from dockpass.engines.base import EngineInfo
from dockpass.engines.endpoint import OPEN_SECONDS, Endpoint, resolve_endpoint
from dockpass.errors import DockpassError


@dataclass(frozen=True, slots=True)
class EngineState:
    """The engine that answered, or why none did; `endpoint` is the one that was tried, if any."""

    info: EngineInfo | None
    error: DockpassError | None = None
    endpoint: Endpoint | None = None


def detect_engine(
    environ: Mapping[str, str],
    home: Path,
    patience: Callable[[Endpoint], float] = lambda _: OPEN_SECONDS,
) -> EngineState:
    """Connect and ask for the version; the SDK is imported only where there is an endpoint.

    `patience` tells how many seconds the engine at an endpoint may take to answer.
    """
    endpoint = None
    try:
        endpoint = resolve_endpoint(environ, home)
        from dockpass.engines.docker import open_engine

        engine = open_engine(endpoint, patience(endpoint))
    except DockpassError as error:
        return EngineState(None, error, endpoint)
    try:
        return EngineState(engine.info(), None, endpoint)
    finally:
        engine.close()
