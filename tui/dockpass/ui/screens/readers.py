"""The readers of docker's config, side by side for a registry. Drawing runs no helper; a key does."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from functools import partial

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import OptionList

from dockpass.auth.ci import GITLAB
from dockpass.dockerconfig.readers.read import known_hosts, read_all
from dockpass.dockerconfig.readers.situation import Situation, Target, parse_target
from dockpass.dockerconfig.readers.words import OF_A_JOB
from dockpass.errors import UsageError
from dockpass.runs.lines import config_line
from dockpass.session.session import Session
from dockpass.ui.actions import bindings
from dockpass.ui.screens.base import PanelScreen
from dockpass.ui.views.readers import (
    RegistryReadings,
    candidate_lines,
    count_words,
    disagreement_lines,
    disagreement_title,
    reader_row,
    readers_title,
    registry_row,
    unknown_lines,
)
from dockpass.ui.views.words import Line, Status, filter_words, nothing_matches
from dockpass.ui.widgets.filter import Filter
from dockpass.ui.widgets.panel import Panel, Row, Rows


class ReadersScreen(PanelScreen):
    """Which login does each tool find, and where do they disagree?"""

    BINDINGS = [*bindings("readers"), *bindings("everywhere")]
    PLACE = "readers"
    PANELS = ("readers", "candidates", "disagreements", "registries")
    AUTO_FOCUS = "#readers"

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._registries = [
            RegistryReadings(target, read_all(target, self._situation)) for target in self._targets()
        ]
        self._asking = False

    @property
    def _situation(self) -> Situation:
        return self.session.reader_situation()

    def _targets(self) -> list[Target]:
        """The repository first, then every registry that environment and configs name."""
        facts = self.session.facts
        targets: dict[str, Target] = {}
        images = [image.reference for image in facts.base_images or ()]
        named = facts.options.repo or facts.text(GITLAB.image) or ""
        for text in (named, *known_hosts(self._situation), *images):
            with suppress(UsageError):
                target = parse_target(text)
                targets.setdefault(target.host, target if text == named else Target(target.host))
        return list(targets.values()) or [Target("docker.io")]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Helpers are asked only where one is waited for."""
        return action != "ask" or (not self._asking and self.registry.waits_for_helpers)

    def compose_panels(self) -> ComposeResult:
        """Disagreements, registries beside readers, what one reader looks at."""
        yield Panel("Disagreements", id="disagreements")
        with Horizontal(id="side-by-side"):
            yield Rows("Registries", id="registries")
            yield Rows("Readers", id="readers")
        yield Panel("Candidates", id="candidates")
        yield Filter("a part of a registry's name", filters="#registries")

    def on_mount(self) -> None:
        """Show what was read."""
        self.call_after_refresh(self.refresh_all)

    @property
    def registry(self) -> RegistryReadings:
        """The selected registry."""
        selected = self.query_one("#registries", Rows).selected_id if self.is_mounted else None
        return self._registries[int(selected)] if selected else self._registries[0]

    def refresh_all(self) -> None:
        """Show everything anew."""
        registries, text = self.query_one("#registries", Rows), self.query_one(Filter).text
        found = [
            (str(index), registry)
            for index, registry in enumerate(self._registries)
            if text in registry.target.shown.casefold()
        ]

        def rows(width: int) -> list[Row]:
            shown: list[Row] = [(index, registry_row(registry, width + 1)) for index, registry in found]
            return shown or [(None, line) for line in nothing_matches(text)]

        registries.show(rows)
        words = filter_words(text, len(found), len(self._registries))
        registries.border_title = f"Registries {words}".rstrip()
        self.refresh_selected()

    def refresh_selected(self) -> None:
        """Show the selected registry: disagreements, readers, and what the selected one looks at."""
        found, facts = self.registry, self.session.facts
        home = facts.home
        panel, readers = self.query_one("#disagreements", Panel), self.query_one("#readers", Rows)
        panel.show(lambda width: [*unknown_lines(facts, width), *disagreement_lines(found, home, width)])
        panel.border_title = disagreement_title(found)
        panel.border_subtitle = OF_A_JOB if facts.elsewhere else ""
        readers.show(
            lambda width: [
                (str(index), reader_row(reading, found.readings, home, width + 1))
                for index, reading in enumerate(found.readings)
            ]
        )
        readers.border_subtitle = count_words(found)
        self._show_candidates()
        super().refresh_all()

    def _show_candidates(self) -> None:
        found = self.registry
        reading = found.readings[int(self.query_one("#readers", Rows).selected_id or 0)]
        panel = self.query_one("#candidates", Panel)
        panel.border_title = readers_title(reading)
        panel.show(partial(candidate_lines, reading, self.session.facts.home))

    def status(self) -> Status:
        """Return the registry, and whether helpers were asked."""
        right: Line = (("helpers not asked", "label"),) if self.registry.waits_for_helpers else ()
        if self._asking:
            right = (("asking helpers", "look"),)
        elif self.registry.asked:
            right = (("helpers asked", "good"),)
        return self.titled(self.registry.target.shown), right

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Another registry, or another reader."""
        if event.option_list.id == "registries":
            self.refresh_selected()
        else:
            self._show_candidates()

    def action_ask(self) -> None:
        """Ask the helpers of the selected registry, in the background."""
        target, situation = self.registry.target, replace(self._situation, ask=True)

        def ask() -> RegistryReadings:
            return RegistryReadings(target, read_all(target, situation), asked=True)

        self._asking = True
        super().refresh_all()
        self.in_background(ask, self._take)

    def _take(self, fresh: RegistryReadings) -> None:
        self._asking = False
        self._registries = [fresh if old.target == fresh.target else old for old in self._registries]

    def failed(self, error: Exception) -> None:
        """Say why the helpers gave no answer."""
        self._asking = False
        super().failed(error)

    def action_copy(self) -> None:
        """Copy the command line that says the same."""
        session = self.session
        registry = self.registry.target.shown
        self.copy_line(config_line(registry, session.facts, session.typed_now(), session.services))
