"""A plan: what will be created, who logs in where, what is done, what is removed."""

from __future__ import annotations

from dataclasses import dataclass

from dockpass.runs.events import Phase


@dataclass(frozen=True, slots=True)
class PlannedPhase:
    """One step of the lifecycle, before it is done."""

    phase: Phase
    title: str
    detail: str


@dataclass(frozen=True, slots=True)
class Plan:
    """`confirm` is the question to ask before the run, `foreign` the one about a foreign registry.

    Of a build, `builder` says who builds it and why, `needs` what not every builder can do, `asks` which
    registries it asks with which login, and `refusal` why it cannot be started, and what could be done; each
    is empty where that is not known, or where nothing stops it. `waits_for_builder` tells that the builder
    will be known in a moment.
    """

    title: str
    phases: tuple[PlannedPhase, ...]
    confirm: str | None
    foreign: str | None
    command_line: tuple[str, ...]
    builder: str = ""
    waits_for_builder: bool = False
    needs: str = ""
    asks: tuple[str, ...] = ()
    refusal: tuple[str, ...] = ()
