"""Starts a run: rules, plan, a question about a foreign registry, the run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from textual.screen import Screen

from dockpass.auth.command import Command
from dockpass.cleanup.rules import parse_rules
from dockpass.errors import UsageError
from dockpass.readonly import Act
from dockpass.runs.request import RunRequest
from dockpass.runs.run import Run
from dockpass.session.session import Session
from dockpass.ui.screens.dialogs import Confirm, EditValue, Reading, Typed
from dockpass.ui.screens.run import RunScreen
from dockpass.ui.views.help import RULES_MEAN, rules_preview
from dockpass.ui.views.plan import plan_lines, refusal_lines
from dockpass.ui.views.words import Line

USUAL_RULES = "keep-last=10 older-than=30d keep=v.*"


class Launcher:
    """Asks what has to be asked before a run, and opens its screen. `over` is called when a run has ended."""

    def __init__(self, screen: Screen[None], session: Session, over: Callable[[], None]) -> None:
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
        rules = self.rules
        dialog = EditValue(
            "Which tags may be deleted?",
            RULES_MEAN,
            rules,
            preview=lambda text, _: rules_preview(rules if text is None else text),
            can_unset=False,
            takes_unchanged=True,
            enter="shows the plan",
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
        plan = self._session.plan(request)
        if plan.refusal:
            title = f"This {request.command} cannot start"
            self._screen.app.push_screen(Reading(title, partial(refusal_lines, plan)))
            return
        refusal = self._session.read_only.forbids(Act.RUN) if request.acts else None
        view = partial(plan_lines, plan, request.decision.sentence, len(self._session.edits), refusal=refusal)
        if refusal is not None:
            self._screen.app.push_screen(Reading(f"The plan of {request.command}", view))
            return
        dialog = Confirm(plan.confirm or f"Run {request.command}?", view, yes="run", key="r")
        self._screen.app.push_screen(dialog, partial(self._after_plan, request))

    def _after_plan(self, request: RunRequest, yes: bool | None) -> None:
        if not yes:
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
            plan, run = self._session.plan(request), self._session.run(request)
            screen = RunScreen(run, str(request.command), plan, self._session)
            self._screen.app.push_screen(screen, lambda _: self._run_over(run))

    def _run_over(self, run: Run) -> None:
        self._session.note_end(run)
        self._over()
