"""The plan of one run while its options change: what it shows, what a change leads to, what stops it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial

from dockpass.auth.command import Command
from dockpass.auth.decision import Refusal
from dockpass.errors import DockpassError, UsageError
from dockpass.readonly import Act
from dockpass.runs.options import Chosen, RunOption, options_of
from dockpass.runs.request import RunRequest
from dockpass.runs.tags import default_tag
from dockpass.session.choosing import choose
from dockpass.session.session import Session
from dockpass.text import clean, inert
from dockpass.ui.screens.plan import ShownPlan
from dockpass.ui.views.plan import OptionRow, plan_lines, stopped_lines
from dockpass.ui.views.words import Line, hanging

STILL_FINDING_OUT = "dockpass is still finding out which builder can build this."


class Planner:
    """`request` is the run as it is chosen now. `changed` is called after each change."""

    def __init__(self, session: Session, request: RunRequest) -> None:
        self._session = session
        self.request = request
        self.plan = session.plan(request)
        self._stops: DockpassError | None = None
        self.changed: Callable[[], None] = lambda: None

    @property
    def _command(self) -> Command:
        return self.request.command

    @property
    def _chosen(self) -> Chosen:
        return self._session.chosen.get(self._command, Chosen())

    def shown(self) -> ShownPlan:
        """Return what the plan shows now."""
        plan, reasons = self.plan, self._reasons()
        title = plan.confirm or f"Run {self._command}?"
        if reasons:
            title = f"This {self._command} cannot start"
        options = options_of(self._command)
        lines = partial(plan_lines, plan, self.request.decision.sentence, len(self._session.edits))

        def view(width: int) -> list[Line]:
            ways_out = (*reasons, *_rows_of(reasons, options))
            return [*(stopped_lines(ways_out, width) if reasons else ()), *lines(width)]

        return ShownPlan(
            title=title,
            options=[self._row(option) for option in options],
            view=view,
            stop=" ".join(reasons),
            waits="" if reasons or not plan.waits_for_builder else STILL_FINDING_OUT,
            danger=bool(reasons),
        )

    def _reasons(self) -> tuple[str, ...]:
        """Return why it cannot be run, and what could be done; nothing where it can."""
        forbidden = self._session.read_only.forbids(Act.RUN) if self.request.acts else None
        found = forbidden or self._stops
        if forbidden is None and self.plan.refusal:
            return self.plan.refusal
        return (found.message, found.hint) if found is not None else ()

    def _row(self, option: RunOption) -> OptionRow:
        # It is not cut: what is typed in its place may begin with it.
        text = self._session.services.redactor(inert(option.text(self._chosen)))
        otherwise = option.otherwise
        if option.name == "--tag" and self._command is not Command.BUILD:
            services = self._session.services
            found = default_tag(services.cwd, self.request.facts, services.environ)
            otherwise = f"{found.tag}, from {found.origin}"
        return OptionRow(option=option, text=text, otherwise=clean(otherwise))

    def preview(self, option: RunOption, text: str, width: int) -> Sequence[Line]:
        """Return what another value of an option would lead to: the command line, or what is wrong."""
        try:
            plan = self._session.plan(self._taken(option, text).on(self.request))
        except UsageError as error:
            return stopped_lines((error.message, error.hint), width)
        line = clean(" ".join(plan.command_line), 4000)
        shown = hanging((), line, "accent", width)
        return [*shown, (), *stopped_lines(plan.refusal, width)] if plan.refusal else shown

    def _taken(self, option: RunOption, text: str) -> Chosen:
        return option.take(self._chosen, text, self._session.services.environ)

    def change(self, option: RunOption, text: str) -> str:
        """Take another value of an option; return what is wrong with it, if anything."""
        try:
            chosen = self._taken(option, text)
        except UsageError as error:
            return f"{error.message} {error.hint}"
        choose(self._session, self._command, chosen)
        self.renew()
        return ""

    def renew(self) -> None:
        """Plan anew: other options were chosen, or it is known by now who can build."""
        request = self._session.request(self._command)
        if isinstance(request, Refusal):  # what is pulled now may decide about the login
            self._stops = DockpassError(request.id, request.message, request.hint)
            return
        self.request = replace(request, cleanup=self.request.cleanup)
        self.plan, self._stops = self._session.plan(self.request), None
        self.changed()

    def take(self, request: RunRequest, found: DockpassError | None) -> bool:
        """Take what stops a request; tell whether it is about the present one, and changes anything."""
        if request is not self.request or found is self._stops:
            return False
        self._stops = found
        return True


def _rows_of(reasons: Sequence[str], options: Sequence[RunOption]) -> Iterator[str]:
    """Yield where on the screen each option is that a text for the command line names."""
    for option in options:
        if any(re.search(rf"(?<![\w-]){option.name}(?![\w-])", each) for each in reasons):
            yield f"Here, {option.name} is the row “{option.title}” above: enter changes it."
