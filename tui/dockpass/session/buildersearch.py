"""Who can build here, for the screen: looked for once the engine is known, and until then a plan says so."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dockpass.runs.services import Services

if TYPE_CHECKING:  # what finds builders is loaded when it is needed
    from dockpass.auth.facts import Facts
    from dockpass.engines.base import EngineInfo
    from dockpass.runs.builder import Builders


def _nobody_waits() -> None:
    """Tell nobody."""


@dataclass(slots=True)
class BuilderSearch:
    """`builders` is what was found; None before that, and where there is no engine.

    `heard` is called when the search is over: by the plan that was opened last.
    """

    builders: Builders | None = None
    is_over: bool = False
    heard: Callable[[], None] = _nobody_waits


@dataclass(frozen=True, slots=True)
class Survey:
    """What a search gave: the builders beside an engine, or why they are not known."""

    builders: Builders | None = None
    problem: Exception | None = None


def find_builders(services: Services, facts: Facts, engine: EngineInfo) -> Survey:
    """Look for the builders beside an engine. Takes a moment, and raises nothing: a plan may wait for it."""
    from dockpass.runs.builder import Builders

    try:
        found = services.find_builders(engine, services.run_environ(facts), services.home)
    except Exception as error:  # noqa: BLE001 - whatever it was, nobody must wait for ever
        return Survey(problem=error)
    return Survey(Builders(engine=engine.name, found=found))
