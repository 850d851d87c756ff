"""Which engine answers, for the status line and `--version --verbose`: asked once, within a second."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dockpass.engines.base import EngineInfo
from dockpass.engines.endpoint import Endpoint, resolve_endpoint
from dockpass.errors import DockpassError

DETECT_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class EngineState:
    """The engine that answered, or why none did; `endpoint` is the one that was tried, if any."""

    info: EngineInfo | None
    error: DockpassError | None = None
    endpoint: Endpoint | None = None


def detect_engine(environ: Mapping[str, str], home: Path, seconds: float = DETECT_SECONDS) -> EngineState:
    """Connect and ask for the version; the SDK is imported only where there is an endpoint."""
    endpoint = None
    try:
        endpoint = resolve_endpoint(environ, home)
        from dockpass.engines.docker import open_engine

        engine = open_engine(endpoint, seconds)
    except DockpassError as error:
        return EngineState(None, error, endpoint)
    try:
        return EngineState(engine.info(), None, endpoint)
    finally:
        engine.close()
