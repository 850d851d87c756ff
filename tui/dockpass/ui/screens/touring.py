"""The overview of a sandbox: with its guided tour."""

from __future__ import annotations

from textual.app import ComposeResult

from dockpass.ui.actions import bindings
from dockpass.ui.screens.overview import Overview
from dockpass.ui.widgets.tour import TourPanel

TOUR_ACTIONS = frozenset({"tour_next", "tour_back", "tour_do"})


class SandboxOverview(Overview):
    """The overview, and below it the step of the tour that a person is at."""

    BINDINGS = [*bindings("sandbox")]

    def compose_below(self) -> ComposeResult:
        """The tour."""
        yield TourPanel(self.session)

    @property
    def _tour(self) -> TourPanel:
        return self.query_one(TourPanel)

    def panels(self) -> tuple[str, ...]:
        """Return the panels of an overview, and the tour, whose text may need more rows than it has."""
        return (*super().panels(), "tour") if self._tour.touring else super().panels()

    def on_descendant_focus(self) -> None:
        """On a low terminal the tour takes the rows of the environment and of why while it has the keys."""
        self.query_one("#below").set_class(self._tour.has_focus, "-behind")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Show the keys of the tour only while it is shown."""
        return self._tour.touring if action in TOUR_ACTIONS else super().check_action(action, parameters)

    def refresh_all(self) -> None:
        """Show everything anew from the session, and whether a step is done."""
        self._tour.refresh_step()
        super().refresh_all()

    def action_tour(self) -> None:
        """Leave the tour, or come back to it."""
        self._tour.toggle()
        self.refresh_bindings()

    def action_tour_next(self) -> None:
        """Go to the tour's next step."""
        self._tour.go_on()

    def action_tour_back(self) -> None:
        """Go to the tour's previous step."""
        self._tour.go_back()

    def action_tour_do(self) -> None:
        """Do what the tour's step is about."""
        self._tour.do()

    def on_tour_panel_step_changed(self, event: TourPanel.StepChanged) -> None:
        """Show the command and the edits of a step."""
        self.select_command(event.command)
        self.refresh_all()

    def on_tour_panel_run_wanted(self, event: TourPanel.RunWanted) -> None:
        """Open the plan of the step's command, or ask for a program with its login."""
        self.action_program() if event.program else self.start(event.command)
