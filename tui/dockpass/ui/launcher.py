"""Starts a run: rules, plan with its options, a question about a foreign registry, the run."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial

from dockpass.auth.command import Command
from dockpass.cleanup.rules import parse_rules
from dockpass.errors import DockpassError, UsageError
from dockpass.runs.request import RunRequest
from dockpass.runs.run import Run
from dockpass.session.preview import Reading
from dockpass.session.session import Session
from dockpass.ui.planner import Planner
from dockpass.ui.recent import remember
from dockpass.ui.screens.base import PanelScreen
from dockpass.ui.screens.cleaning import AskRules
from dockpass.ui.screens.dialogs import Confirm, Typed
from dockpass.ui.screens.plan import PlanDialog
from dockpass.ui.screens.run import RunScreen
from dockpass.ui.views.words import Line

USUAL_RULES = "keep-last=10 older-than=30d keep=v.*"


class Launcher:
    """Asks what has to be asked before a run, and opens its screen. `over` is called when a run has ended."""

    def __init__(self, screen: PanelScreen, session: Session, over: Callable[[], None]) -> None:
        self._screen = screen
        self._session = session
        self._over = over
        self.rules = USUAL_RULES
        """The rules of a cleanup as they were last typed."""

    def launch(self, request: RunRequest) -> None:
        """Show the plan of a run, then run it; for a cleanup ask for the rules first."""
        if request.command is Command.CLEANUP:
            self._ask_for_rules(request)
        else:
            self._show_plan(request)

    def with_rules(self, request: RunRequest) -> RunRequest:
        """Return a cleanup with the rules as they were last typed; raises `UsageError`."""
        if request.command is not Command.CLEANUP:
            return request
        return replace(request, cleanup=parse_rules(self.rules))

    def _ask_for_rules(self, request: RunRequest) -> None:
        dialog = AskRules(
            self.rules, partial(Reading, self._session, request), self._session.plan(request).foreign
        )
        self._screen.app.push_screen(dialog, partial(self._take_rules, request))

    def _take_rules(self, request: RunRequest, typed: Typed | None) -> None:
        if typed is None or typed.text is None:
            return
        self.rules = typed.text
        try:
            self._show_plan(self.with_rules(request))
        except UsageError as error:
            self._screen.notify(f"{error.message} {error.hint}", severity="error", timeout=8)

    def _show_plan(self, request: RunRequest) -> None:
        planner = Planner(self._session, request)
        dialog = PlanDialog(
            planned=planner.shown,
            preview=planner.preview,
            change=planner.change,
            copy=lambda: self._screen.copy_line(planner.plan.command_line),
        )
        self._screen.app.push_screen(dialog, lambda yes: self._after_plan(planner.request, yes))
        self._look(planner, dialog)
        planner.changed = lambda: self._look(planner, dialog)
        self._session.search.heard = lambda: self._plan_anew(planner, dialog)

    def _plan_anew(self, planner: Planner, dialog: PlanDialog) -> None:
        """Show who builds, now that it is known."""
        planner.renew()
        if dialog.is_there:
            dialog.show_again()

    def _look(self, planner: Planner, dialog: PlanDialog) -> None:
        """Look beside the screen whether anything stops the run, before it is offered."""
        request, session = planner.request, self._session

        def take(found: DockpassError | None) -> None:
            if planner.take(request, found) and dialog.is_there:
                dialog.show_again()

        self._screen.in_background(partial(session.what_stops, request, session.services), take)

    def _after_plan(self, request: RunRequest, yes: bool | None) -> None:
        if not yes:
            self._over()  # what was chosen may have changed what is pulled
            return
        foreign = self._session.plan(request).foreign
        if foreign is None:
            self._start(request, True)
            return
        lines: list[Line] = [((foreign, "bad"),)]
        title = "Send the token to a foreign registry?"
        dialog = Confirm(title, lines, yes="send it", key="s", danger=True)
        self._screen.app.push_screen(dialog, partial(self._start, request))

    def _start(self, request: RunRequest, yes: bool | None) -> None:
        if yes:
            self._remember(request)
            plan, run = self._session.plan(request), self._session.run(request)
            screen = RunScreen(run, str(request.command), plan, self._session, values=request.values)
            self._screen.app.push_screen(screen, lambda _: self._run_over(run))

    def _remember(self, request: RunRequest) -> None:
        """Keep the repository for the palette; where it cannot be kept, the palette lacks it, and no more."""
        services = self._session.services
        if not request.decision.repo or self._session.sandbox is not None:
            return
        with suppress(OSError):
            remember(services.state, request.decision.repo, services.redactor)

    def _run_over(self, run: Run) -> None:
        self._session.note_end(run)
        self._over()
