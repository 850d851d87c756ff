"""The tour's panel: shows the present step, and says by messages what a step wants done."""

from __future__ import annotations

from textual.message import Message

from dockpass.auth.command import Command
from dockpass.keymap import key_for
from dockpass.runs.events import Status
from dockpass.session.session import Session
from dockpass.ui.tour import Step, steps
from dockpass.ui.views.tour import tour_keys, tour_lines, tour_title
from dockpass.ui.widgets.panel import Panel


class TourPanel(Panel):
    """Shown in a sandbox only. It changes the session's edits; the screen shows them."""

    class StepChanged(Message):
        """The session's edits are those of a step now, which is about a command."""

        def __init__(self, command: Command) -> None:
            super().__init__()
            self.command = command

    class RunWanted(Message):
        """The step is about running a command, or a program with its login."""

        def __init__(self, command: Command, *, program: bool) -> None:
            super().__init__()
            self.command = command
            self.program = program

    def __init__(self, session: Session) -> None:
        super().__init__("Tour", id="tour")
        self._session = session
        self._steps: tuple[Step, ...] = steps(session.sandbox, session.keys) if session.sandbox else ()
        self._number = 1
        self._done: set[int] = set()
        self.set_class(bool(self._steps), "-touring")

    @property
    def touring(self) -> bool:
        """Whether the tour is on the screen."""
        return self.has_class("-touring")

    def refresh_step(self) -> None:
        """Show the present step."""
        if not self.touring:
            return
        step, number = self._step, self._number
        self.border_title = tour_title(number, len(self._steps), step)
        self.border_subtitle = tour_keys(number, len(self._steps), step, self._session.keys)
        if step.is_done(self._session):
            self._done.add(number)
        done = [at + 1 in self._done for at in range(len(self._steps))]
        self.show(tour_lines(step, done, number, self._so_far(step)))

    @property
    def _step(self) -> Step:
        return self._steps[self._number - 1]

    def toggle(self) -> None:
        """Leave the tour, or come back to it."""
        self.toggle_class("-touring")
        self.refresh_step()

    def go_on(self) -> None:
        """Go to the next step, with its edits."""
        if self._number < len(self._steps):
            self._number += 1
            self._prepare()  # the screen shows the step together with its edits

    def go_back(self) -> None:
        """Go to the previous step; the edits stay."""
        self._number = max(self._number - 1, 1)
        self.refresh_step()

    def do(self) -> None:
        """Do what the step is about."""
        step = self._step
        self._prepare()
        if step.runs or step.program:
            self.post_message(self.RunWanted(self._command_to_run(step), program=step.program))
        elif step.is_done(self._session):
            self.go_on()

    def _so_far(self, step: Step) -> str:
        runs = step.runs and self._command_to_run(step)
        waits = step.command is Command.PUSH and runs is Command.PUSH
        return f"built; {key_for('tour_do', self._session.keys)} pushes it" if waits else ""

    def _command_to_run(self, step: Step) -> Command:
        built = (Command.BUILD, Status.DONE) in self._session.ended
        return Command.BUILD if step.runs and step.command is Command.PUSH and not built else step.command

    def _prepare(self) -> None:
        step = self._step
        if step.edits is not None and list(step.edits) != self._session.edits:
            self._session.edits.clear()
            for edit in step.edits:
                self._session.edit(edit)
        self.post_message(self.StepChanged(step.command))
