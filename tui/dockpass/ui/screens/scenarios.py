"""Scenarios: setups as files, each with what it expects and what is found. Nothing is sent."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path

from textual.app import ComposeResult
from textual.containers import Container
from textual.widgets import OptionList

from dockpass.commandline import command_words
from dockpass.keymap import key_for
from dockpass.scenario.report import Report
from dockpass.session.scenario_check import try_file
from dockpass.session.scenario_entering import leave_scenario
from dockpass.session.scenario_files import ScenarioFile, scenarios_of
from dockpass.session.scenarios import Tried
from dockpass.session.session import Session
from dockpass.text import clean
from dockpass.ui.actions import bindings, row_binding
from dockpass.ui.file_editor import edit_file
from dockpass.ui.scenario_opener import open_scenario
from dockpass.ui.scenario_saver import Saver
from dockpass.ui.screens.base import PanelScreen
from dockpass.ui.screens.compare import CompareScreen
from dockpass.ui.views.scenarios import (
    MEANS,
    Checked,
    Listed,
    counts,
    detail_lines,
    empty_lines,
    scenario_rows,
    summary,
)
from dockpass.ui.views.words import Status, filter_words, nothing_matches
from dockpass.ui.widgets.filter import Filter
from dockpass.ui.widgets.panel import Panel, Row, Rows

_OF_SELECTED = frozenset({"compare", "mark", "edit_file"})


class ScenarioRows(Rows):
    """The scenarios."""

    BINDINGS = [row_binding("open", "Open the selected scenario.")]


class ScenariosScreen(PanelScreen):
    """Which setups are kept here, and does each still hold?"""

    BINDINGS = [*bindings("scenarios"), *bindings("everywhere")]
    PLACE = "scenarios"
    PANELS = ("scenarios", "scenario")
    AUTO_FOCUS = "#scenarios"

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._checked: list[Checked] | None = None
        """The scenarios as far as they were checked; None before they were looked for."""
        self._marked: Path | None = None
        self._wanted: Path | None = self._opened
        """The file to select as soon as it is listed."""
        self._round = 0
        self._saver = Saver(self, session, self._saved)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Show only the keys that work here and now."""
        if action in _OF_SELECTED:
            return self.selected is not None
        if action == "close":
            return self.session.scenario is not None
        return True

    def compose_panels(self) -> ComposeResult:
        """The list, and one scenario in detail."""
        with Container(id="scenarios-below"):
            yield ScenarioRows("Scenarios", id="scenarios")
            yield Panel("Scenario", id="scenario")
        yield Filter("a part of a file, a job or a ref", filters="#scenarios")

    def on_mount(self) -> None:
        """Look for the scenarios, and check them, beside the screen."""
        self.refresh_all()
        self.action_check()

    def on_screen_resume(self) -> None:
        """Come back from another screen, where files may have changed."""
        if self.is_mounted and self._checked is not None:
            self.action_check()

    def action_check(self) -> None:
        """Read every file again."""
        self._round += 1
        self.in_background(
            partial(scenarios_of, self.session.as_of_now()), partial(self._take_files, self._round)
        )

    def _take_files(self, round_: int, files: tuple[ScenarioFile, ...]) -> None:
        if round_ == self._round:
            before = {each.file.path: each for each in self._checked or ()}
            self._checked = [replace(before.get(each.path, Checked(each)), file=each) for each in files]
            self._check(round_, 0)

    def _check(self, round_: int, at: int) -> None:
        """Check the files one after the other: each is shown as soon as it is known."""
        if self._checked is None or at >= len(self._checked):
            return
        file, services = self._checked[at].file, self.session.services
        work = partial(try_file, file.name, services, self.session.desk.usual_version)

        def take(result: tuple[Tried | None, Report]) -> None:
            if round_ == self._round and self._checked is not None:
                tried, report = result
                self._checked[at] = Checked(file, report, tried)
                self._check(round_, at + 1)

        self.in_background(work, take)

    @property
    def selected(self) -> Checked | None:
        """The selected scenario."""
        path = self.query_one("#scenarios", Rows).selected_id if self.is_mounted else None
        return next((each for each in self._checked or () if str(each.file.path) == path), None)

    @property
    def _opened(self) -> Path | None:
        return self.session.scenario.path.absolute() if self.session.scenario is not None else None

    # What is shown

    def status(self) -> Status:
        """Return which scenario is open, and how many hold."""
        opened = self.session.scenario_in_words
        return self.titled(f"{opened} is open" if opened else ""), counts(self._checked or ())

    def refresh_all(self) -> None:
        """Show everything anew."""
        self._show_list()
        self._show_selected()
        super().refresh_all()

    def _show_list(self) -> None:
        rows, text = self.query_one("#scenarios", Rows), self.query_one(Filter).text
        everything = self._checked or []
        found = [each for each in everything if text in f"{each.file.name} {summary(each)}".casefold()]
        opened = self._opened
        listed = [Listed(each, each.file.path == opened, each.file.path == self._marked) for each in found]

        def lines(width: int) -> list[Row]:
            if self._checked is None:
                return [(None, (("looking for scenarios", "label"),))]
            if not everything:
                return [(None, line) for line in empty_lines(key_for("save", self.session.keys))]
            return [*scenario_rows(listed, width)] or [(None, line) for line in nothing_matches(text)]

        rows.show(lines)
        if self._wanted is not None and str(self._wanted) in rows.ids:
            rows.highlighted = rows.ids.index(str(self._wanted))
            self._wanted = None
        rows.border_title = f"Scenarios {filter_words(text, len(found), len(everything))}".rstrip()

    def _show_selected(self) -> None:
        panel, each = self.query_one("#scenario", Panel), self.selected
        panel.border_title = each.file.shown if each is not None else "Scenario"
        panel.show(partial(detail_lines, each) if each is not None else (MEANS,))

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Another scenario."""
        if event.option_list.id == "scenarios":
            self._show_selected()
            self.refresh_bindings()

    # What a person does

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Open the selected scenario."""
        if event.option_list.id == "scenarios" and (each := self.selected) is not None:
            open_scenario(self, self.session, each.file.path)

    def action_save(self) -> None:
        """Save what is looked at as a scenario."""
        self._saver.ask()

    def _saved(self, path: Path) -> None:
        self._wanted = path.absolute()
        self.action_check()

    def action_mark(self) -> None:
        """Mark the selected scenario for a comparison, or take the mark away."""
        if (each := self.selected) is not None:
            self._marked = None if self._marked == each.file.path else each.file.path
            self.refresh_all()

    def action_compare(self) -> None:
        """Compare the selected scenario with the marked one, else with what is looked at."""
        each = self.selected
        if each is None:
            return
        others = (other.file.name for other in self._checked or () if other.file.path == self._marked)
        left = next(others, "") if self._marked != each.file.path else ""
        self.app.push_screen(CompareScreen.with_scenario(self.session, each.file.name, left))

    def action_edit_file(self) -> None:
        """Open the file in the person's editor."""
        each = self.selected
        if each is None:
            return
        differing = each.report.differing if each.report is not None else ()
        line = max(differing[0].expectation.line if differing else 1, 1)
        path = each.file.path.absolute()
        edit_file(self, self.session, path, line, partial(self._edited, path))

    def _edited(self, path: Path) -> None:
        """Check again after the editor; the open scenario is read anew."""
        self.action_check()
        if path == self._opened:
            open_scenario(self, self.session, path, stays=True)

    def action_close(self) -> None:
        """Close the open scenario."""
        opened = self.session.scenario
        if opened is not None:
            leave_scenario(self.session)
            self.notify(f"closed: {clean(opened.name, 200)}", timeout=4)
            self.refresh_all()

    def action_copy(self) -> None:
        """Copy the command line that checks the selected scenario."""
        if (each := self.selected) is not None:
            self.copy_line(command_words(["scenario", "check", each.file.name]))
