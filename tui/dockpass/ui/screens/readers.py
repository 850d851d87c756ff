"""The readers of docker's config, side by side for a registry. Drawing runs no helper; a key does."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from functools import partial

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.screen import Screen
from textual.widgets import OptionList, Static

from dockpass.dockerconfig.readers.read import known_hosts, read_all
from dockpass.dockerconfig.readers.situation import Situation, Target, parse_target
from dockpass.errors import UsageError
from dockpass.ui.actions import bindings
from dockpass.ui.screens.dialogs import Help
from dockpass.ui.session import LOOKS_PER_SECOND, Session
from dockpass.ui.text import content
from dockpass.ui.views.helping import help_lines
from dockpass.ui.views.readers import (
    RegistryReadings,
    candidate_lines,
    count_words,
    disagreement_lines,
    disagreement_title,
    reader_row,
    readers_title,
    registry_row,
)
from dockpass.ui.views.words import Line, sandbox_badge
from dockpass.ui.widgets.keys import Keys
from dockpass.ui.widgets.panel import Panel, Rows
from dockpass.ui.widgets.too_small import TooSmall


class ReadersScreen(Screen[None]):
    """Which login does each tool find, and where do they disagree?"""

    BINDINGS = [*bindings("readers"), *bindings("everywhere")]
    PLACE = "readers"
    AUTO_FOCUS = "#readers"

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self._registries = [
            RegistryReadings(target, read_all(target, self._situation)) for target in self._targets()
        ]
        self._asking = False
        self._answers: list[RegistryReadings] = []

    @property
    def _situation(self) -> Situation:
        return self.session.reader_situation()

    def _targets(self) -> list[Target]:
        """The repository first, then every registry that environment and configs name."""
        facts = self.session.facts
        targets: dict[str, Target] = {}
        images = [image.reference for image in facts.base_images or ()]
        named = facts.options.repo or facts.text("CI_REGISTRY_IMAGE") or ""
        for text in (named, *known_hosts(self._situation), *images):
            with suppress(UsageError):
                target = parse_target(text)
                targets.setdefault(target.host, target if text == named else Target(target.host))
        return list(targets.values()) or [Target("docker.io")]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Helpers are asked only where one is waited for."""
        return action != "ask" or (not self._asking and self.registry.waits_for_helpers)

    def compose(self) -> ComposeResult:
        """Status line, disagreements, registries beside readers, what one reader looks at, keys."""
        with Horizontal(id="status"):
            yield Static(id="status-left", markup=False)
            yield Static(id="status-right", markup=False)
        yield TooSmall()
        yield Panel("Disagreements", id="disagreements")
        with Horizontal(id="side-by-side"):
            yield Rows("Registries", id="registries")
            yield Rows("Readers", id="readers")
        yield Panel("Candidates", id="candidates")
        yield Keys()

    def on_mount(self) -> None:
        """Show what was read, and look for the answers of helpers."""
        self.set_interval(1 / LOOKS_PER_SECOND, self.pump)
        self.call_after_refresh(self.refresh_all)

    def on_resize(self) -> None:
        """Columns depend on the width."""
        self.call_after_refresh(self.refresh_all)

    @property
    def registry(self) -> RegistryReadings:
        """The selected registry."""
        selected = self.query_one("#registries", Rows).selected_id if self.is_mounted else None
        return self._registries[int(selected)] if selected else self._registries[0]

    def refresh_all(self) -> None:
        """Show everything anew."""
        registries = self.query_one("#registries", Rows)
        width = registries.content_size.width
        rows: list[tuple[str | None, Line]] = [
            (str(index), registry_row(found, width)) for index, found in enumerate(self._registries)
        ]
        registries.show(rows)
        self.refresh_selected()

    def refresh_selected(self) -> None:
        """Show the selected registry: disagreements, readers, and what the selected one looks at."""
        found, home = self.registry, self.session.facts.home
        panel, readers = self.query_one("#disagreements", Panel), self.query_one("#readers", Rows)
        panel.show(disagreement_lines(found, home, self.size.width - 6))
        panel.border_title = disagreement_title(found)
        width = readers.content_size.width
        readers.show(
            [
                (str(index), reader_row(reading, found.readings, home, width))
                for index, reading in enumerate(found.readings)
            ]
        )
        readers.border_subtitle = count_words(found)
        self._show_candidates()
        self._show_status()
        self.refresh_bindings()

    def _show_candidates(self) -> None:
        found = self.registry
        reading = found.readings[int(self.query_one("#readers", Rows).selected_id or 0)]
        panel = self.query_one("#candidates", Panel)
        panel.border_title = readers_title(reading)
        panel.show(candidate_lines(reading, self.session.facts.home, self.size.width - 6))

    def _show_status(self) -> None:
        left: Line = (
            ("dockpass", "brand"),
            *sandbox_badge(self.session.sandbox is not None),
            ("  configs", "strong"),
            (f"  {self.registry.target.shown}", "label"),
        )
        right: Line = (("helpers not asked", "label"),) if self.registry.waits_for_helpers else ()
        if self._asking:
            right = (("asking helpers", "look"),)
        elif self.registry.asked:
            right = (("helpers asked", "good"),)
        self.query_one("#status-left", Static).update(content(left))
        self.query_one("#status-right", Static).update(content(right))

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Another registry, or another reader."""
        if event.option_list.id == "registries":
            self.refresh_selected()
        else:
            self._show_candidates()

    def action_ask(self) -> None:
        """Ask the helpers of the selected registry, in the background."""
        target, situation = self.registry.target, replace(self._situation, ask=True)

        def ask() -> None:
            self._answers.append(RegistryReadings(target, read_all(target, situation), asked=True))

        self._asking = True
        self._show_status()
        self.refresh_bindings()
        self.session.in_background(ask)

    def pump(self) -> None:
        """Take the answers that have come; a widget is touched in this thread only."""
        while self._answers:
            fresh = self._answers.pop(0)
            self._asking = False
            self._registries = [
                fresh if found.target == fresh.target else found for found in self._registries
            ]
            self.refresh_all()

    def action_switch(self) -> None:
        """Go from the readers to what one looks at, to the disagreements, the registries, and back."""
        order = ["readers", "candidates", "disagreements", "registries"]
        focused = self.focused.id if self.focused and self.focused.id in order else "registries"
        self.query_one(f"#{order[(order.index(str(focused)) + 1) % len(order)]}").focus()

    def action_copy(self) -> None:
        """Copy the command line that says the same."""
        line = f"dockpass config {self.registry.target.shown}"
        self.app.copy_to_clipboard(line)
        self.notify(f"sent to the terminal's clipboard: {line}", timeout=6)

    def action_back(self) -> None:
        """Go back to the overview."""
        self.dismiss(None)

    def action_help(self) -> None:
        """Show every key."""
        self.app.push_screen(Help(partial(help_lines, "readers", self.session.keys)))
