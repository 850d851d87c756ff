"""How the overview starts a run: rules, plan, a question about a foreign registry, the run."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from textual.screen import Screen

from dockpass.auth.command import Command
from dockpass.auth.decision import Refusal
from dockpass.cleanup.rules import parse_rules
from dockpass.errors import UsageError
from dockpass.runs.request import RunRequest
from dockpass.runs.run import Run
from dockpass.ui.screens.dialogs import Confirm, EditValue, Typed
from dockpass.ui.session import Session
from dockpass.ui.views.helping import RULES_MEAN, rules_preview
from dockpass.ui.views.plan import plan_lines
from dockpass.ui.views.words import Line
from dockpass.variables.catalogue import Entry, entry

USUAL_RULES = "keep-last=10 older-than=30d"


class Starting(Screen[None]):
    """Mixed into the overview."""

    session: Session

    def __init__(self) -> None:
        super().__init__()
        self._rules = USUAL_RULES

    @property
    def command(self) -> Command:
        """The selected command; the overview knows which."""
        raise NotImplementedError

    def edit(self, found: Entry) -> None:
        """Ask for another value of a variable or option; the overview knows how."""
        raise NotImplementedError

    def refresh_after_edit(self) -> None:
        """Show everything anew; the overview knows how."""
        raise NotImplementedError

    def select_command(self, command: Command) -> None:
        """Select a command; the overview knows how."""
        raise NotImplementedError

    def start(self, command: Command) -> None:
        """Select a command and open its plan."""
        self.select_command(command)
        self.action_run()

    def action_run(self) -> None:
        """Show the plan of the selected command, then run it."""
        request = self.session.request(self.command)
        if isinstance(request, Refusal):
            found = entry("repo")
            if found is not None:
                self.edit(found)
            return
        if request.command is Command.CLEANUP:
            self._ask_for_rules(request)
        else:
            self._show_plan(request)

    def _ask_for_rules(self, request: RunRequest) -> None:
        rules = self._rules
        dialog = EditValue(
            "What may go?",
            RULES_MEAN,
            rules,
            preview=lambda text, _: rules_preview(rules if text is None else text),
            can_unset=False,
            takes_unchanged=True,
        )
        self.app.push_screen(dialog, partial(self._take_rules, request))

    def _take_rules(self, request: RunRequest, typed: Typed | None) -> None:
        if typed is None or typed.text is None:
            return
        self._rules = typed.text
        try:
            self._show_plan(replace(request, cleanup=parse_rules(typed.text)))
        except UsageError as error:
            self.notify(f"{error.message} {error.hint}", severity="error", timeout=8)

    def _show_plan(self, request: RunRequest) -> None:
        plan = self.session.plan(request)
        view = partial(plan_lines, plan, request.decision.sentence, len(self.session.edits))
        dialog = Confirm(plan.confirm or f"Run {request.command}?", view, yes="run")
        self.app.push_screen(dialog, partial(self._after_plan, request))

    def _after_plan(self, request: RunRequest, yes: bool | None) -> None:
        if not yes:
            return
        foreign = self.session.plan(request).foreign
        if foreign is None:
            self._start(request, True)
            return
        lines: list[Line] = [((foreign, "bad"),)]
        title = "Send the token to a foreign registry?"
        dialog = Confirm(title, lines, yes="send it", key="s", danger=True)
        self.app.push_screen(dialog, partial(self._start, request))

    def _start(self, request: RunRequest, yes: bool | None) -> None:
        if yes:
            from dockpass.ui.screens.run import RunScreen

            session = self.session
            plan, run = session.plan(request), session.run(request)
            self.app.push_screen(RunScreen(run, plan, session), lambda _: self._run_over(run))

    def _run_over(self, run: Run) -> None:
        self.session.note_end(run)
        self.refresh_after_edit()
