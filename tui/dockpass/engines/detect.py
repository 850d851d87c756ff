"""Which engine answers, for the status line and `--version --verbose`: asked once, within seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from dockpass.engines.base import EngineInfo
from dockpass.engines.endpoint import resolve_endpoint
from dockpass.errors import DockpassError


@dataclass(frozen=True, slots=True)
class EngineState:
    """The engine that answered, or why none did."""

    info: EngineInfo | None
    error: DockpassError | None = None


def detect_engine(environ: Mapping[str, str], home: Path) -> EngineState:
    """Connect and ask for the version; the SDK is imported only where there is an endpoint."""
    try:
        endpoint = resolve_endpoint(environ, home)
        from dockpass.engines.docker import open_engine

        engine = open_engine(endpoint)
        try:
            return EngineState(engine.info())
        finally:
            engine.close()
    except DockpassError as error:
        return EngineState(None, error)
