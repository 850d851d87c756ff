"""The scenario that a session is in, and what the session was before it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dockpass.auth.facts import Facts
from dockpass.findings import Finding
from dockpass.session.desk import Desk, Looking
from dockpass.settings import Mute
from dockpass.text import clean
from dockpass.variables.clone import Clone
from dockpass.variables.place import Place

if TYPE_CHECKING:
    from dockpass.session.scenarios import Tried


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """What a session goes back to when its scenario is closed."""

    found: Facts
    place: Place
    notes: tuple[Finding, ...]
    desk: Desk
    as_job: bool


@dataclass(frozen=True, slots=True, eq=False, kw_only=True)
class OpenScenario:
    """A scenario that was opened: its file, how a command line here names it, and what it comes to.

    `looking` is the job and the pipeline that it names; None where it is about variables alone.
    """

    path: Path
    name: str
    tried: Tried
    looking: Looking | None
    before: Before

    @property
    def shown(self) -> str:
        """The name of the file, clean."""
        return clean(self.name, 200)

    @property
    def muted(self) -> tuple[Mute, ...]:
        """The findings that the scenario mutes."""
        return self.tried.opened.scenario.muted

    def find_clone(self, environ: Mapping[str, str]) -> Clone | None:
        """Return the project that it is about, as it is now; None where it is about variables alone."""
        return None if self.looking is None else self.tried.opened.find_clone(environ)
