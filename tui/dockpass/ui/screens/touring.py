"""What the overview does in a sandbox: it says so, and leads through the tour."""

from __future__ import annotations

from textual.screen import Screen

from dockpass.auth.command import Command
from dockpass.keymap import key_for
from dockpass.runs.events import Status
from dockpass.ui.session import Session
from dockpass.ui.tour import Step, steps
from dockpass.ui.views.tour import tour_keys, tour_lines, tour_title
from dockpass.ui.widgets.panel import Panel

TOUR_ACTIONS = frozenset({"tour_next", "tour_back", "tour_do", "tour"})


class Touring(Screen[None]):
    """Mixed into the overview. Without a sandbox in the session none of it is there."""

    session: Session

    def __init__(self) -> None:
        super().__init__()
        self._step_number = 1
        self._done: set[int] = set()
        self._steps: tuple[Step, ...] = ()

    @property
    def touring(self) -> bool:
        """Whether the tour is on the screen."""
        return self.has_class("-touring")

    def start_tour(self) -> None:
        """Show the tour's first step, where there is a sandbox."""
        if self.session.sandbox is not None:
            self._steps = steps(self.session.sandbox)
            self.add_class("-touring")
            self.show_tour()

    def show_tour(self) -> None:
        """Show the present step."""
        if not self.touring:
            return
        step, number = self._step, self._step_number
        panel = self.query_one("#tour", Panel)
        panel.border_title = tour_title(number, len(self._steps), step)
        panel.border_subtitle = tour_keys(number, len(self._steps), step, self.session.keys)
        if step.is_done(self.session):
            self._done.add(number)
        done = [at + 1 in self._done for at in range(len(self._steps))]
        panel.show(tour_lines(step, done, number, self._so_far(step)))

    @property
    def _step(self) -> Step:
        return self._steps[self._step_number - 1]

    def action_tour(self) -> None:
        """Leave the tour, or come back to it."""
        self.toggle_class("-touring")
        self.show_tour()
        self.refresh_bindings()

    def action_tour_next(self) -> None:
        """Go to the next step."""
        self._go(min(self._step_number + 1, len(self._steps)))

    def action_tour_back(self) -> None:
        """Go to the step before."""
        self._go(max(self._step_number - 1, 1))

    def _go(self, number: int) -> None:
        forward = number > self._step_number
        self._step_number = number
        if forward:
            self._prepare(self._step)
        self.show_tour()

    def action_tour_do(self) -> None:
        """Do what the step is about."""
        step = self._step
        self._prepare(step)
        if step.runs:
            self.run_in_tour(self._command_to_run(step))
        elif step.is_done(self.session):
            self._go(min(self._step_number + 1, len(self._steps)))

    def _so_far(self, step: Step) -> str:
        runs = step.runs and self._command_to_run(step)
        waits = step.command is Command.PUSH and runs is Command.PUSH
        return f"built; {key_for('tour_do', self.session.keys)} pushes it" if waits else ""

    def _command_to_run(self, step: Step) -> Command:
        built = (Command.BUILD, Status.DONE) in self.session.ended
        return Command.BUILD if step.command is Command.PUSH and not built else step.command

    def _prepare(self, step: Step) -> None:
        if step.edits is not None and list(step.edits) != self.session.edits:
            self.session.edits.clear()
            for edit in step.edits:
                self.session.edit(edit)
        self.select_command(step.command)
        self.refresh_after_edit()

    def select_command(self, command: Command) -> None:
        """Select a command; the overview knows how."""
        raise NotImplementedError

    def refresh_after_edit(self) -> None:
        """Show everything anew; the overview knows how."""
        raise NotImplementedError

    def run_in_tour(self, command: Command) -> None:
        """Open the plan of a command; the overview knows how."""
        raise NotImplementedError
