"""A run: its steps, its layers, its log, its outcome."""

from __future__ import annotations

from functools import partial

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.screen import Screen
from textual.widgets import Static

from dockpass.runs.events import Asked
from dockpass.runs.plan import Plan
from dockpass.runs.run import Run
from dockpass.ui.actions import bindings
from dockpass.ui.screens.dialogs import Confirm, ConfirmDeletion, Help
from dockpass.ui.session import LOOKS_PER_SECOND, Session
from dockpass.ui.text import content
from dockpass.ui.views.helping import help_lines
from dockpass.ui.views.run import (
    RunState,
    clock_words,
    layer_lines,
    lifecycle_lines,
    outcome_lines,
    status_words,
    waits_for,
)
from dockpass.ui.views.words import Line, filter_words, nothing_matches, plain, sandbox_badge
from dockpass.ui.widgets.filter import Filter
from dockpass.ui.widgets.keys import Keys
from dockpass.ui.widgets.panel import Panel
from dockpass.ui.widgets.run_log import RunLog
from dockpass.ui.widgets.too_small import TooSmall

FRAMES_PER_SECOND = 4
ROOM_FOR_ALL = 30
"""Rows with which the layers stay when the outcome comes."""


class RunScreen(Screen[None]):
    """Which step, how far, what does it say?"""

    BINDINGS = [*bindings("run"), *bindings("everywhere")]
    PLACE = "run"
    AUTO_FOCUS = "#log"

    def __init__(self, run: Run, plan: Plan, session: Session) -> None:
        super().__init__()
        self.run_ = run
        self.plan = plan
        self.session = session
        self.state = RunState()
        self._began = session.clock()
        self._cursor = 0
        self._asked: Asked | None = None
        self._seen = -1.0

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """A run that has ended cannot be cancelled."""
        return action != "cancel" or self.state.ended is None

    def compose(self) -> ComposeResult:
        """Status line, steps, layers, log, outcome, keys."""
        with Horizontal(id="status"):
            yield Static(id="status-left", markup=False)
            yield Static(id="status-right", markup=False)
        yield TooSmall()
        yield Panel("Lifecycle", id="lifecycle")
        yield Panel("Layers", id="layers")
        yield RunLog(id="log")
        yield Panel("Outcome", id="outcome")
        yield Filter("a part of a line", filters="#log")
        yield Keys()

    def on_mount(self) -> None:
        """Follow the run."""
        self.query_one("#layers").display = False
        self.query_one("#outcome").display = False
        self._timer = self.set_interval(1 / LOOKS_PER_SECOND, self.pump)
        self.call_after_refresh(self.pump)

    def pump(self) -> None:
        """Take what is new from the feed and show it; the clock moves where nothing is new, too."""
        batch = self.run_.feed.since(self._cursor)
        self._cursor = batch.cursor
        fresh = self.state.fold(batch.events)
        if self.state.ended is None:
            self.state.tick(self.session.clock() - self._began)
        self._write(fresh)
        if batch.events or self.state.now - self._seen >= 1 / FRAMES_PER_SECOND:
            self._seen = self.state.now
            self._show()
        if self.state.asked is not None and self.state.asked is not self._asked:
            self._asked = self.state.asked
            self._ask(self._asked)
        if self.state.ended is not None:
            self._timer.stop()
            self.refresh_bindings()

    def on_resize(self) -> None:
        """Rows depend on the height."""
        self.call_after_refresh(self._show)

    @property
    def _text(self) -> str:
        return self.query_one(Filter).text

    def _write(self, lines: list[Line]) -> None:
        if lines and self._text:
            self._filter()
        else:
            self.query_one("#log", RunLog).write(lines)

    def _filter(self) -> None:
        """Show the lines that hold the text, and how many of all these are."""
        log, text, lines = self.query_one("#log", RunLog), self._text, self.state.log
        found = [line for line in lines if text in plain([line])[0].casefold()]
        log.replace(found or nothing_matches(text))
        log.border_title = f"Log {filter_words(text, len(found), len(lines))}".rstrip()

    def _show(self) -> None:
        state, height = self.state, self.size.height
        most = max((height - 2) // 3, 3)
        waiting = waits_for(self.plan, state)
        self.query_one("#lifecycle", Panel).show(partial(lifecycle_lines, self.plan, state, most))
        layers = self.query_one("#layers", Panel)
        layers.display = bool(state.layers) and (state.ended is None or height >= ROOM_FOR_ALL)
        layers.show(lambda width: layer_lines(state, width, max(height // 3 - 2, 2)))
        outcome = self.query_one("#outcome", Panel)
        outcome.display = state.ended is not None
        outcome.show(outcome_lines(state))
        self._show_status(waiting)

    def _show_status(self, waiting: str) -> None:
        state = self.state
        title: Line = (
            ("dockpass", "brand"),
            *sandbox_badge(self.session.sandbox is not None),
            (f"  {self.run_.request.command}", "strong"),
            (f"  {self.plan.title}", "label"),
        )
        self.query_one("#status-left", Static).update(content(title))
        words, role = status_words(state, waiting)
        right: Line = ((f"{clock_words(state)}  ", "text"), (words, role))
        self.query_one("#status-right", Static).update(content(right))

    def _ask(self, asked: Asked) -> None:
        if self.state.plan:
            self.app.push_screen(ConfirmDeletion(asked.question, self.state.plan), self._answer)
            return
        lines: list[Line] = [((asked.detail, "text"),)]
        self.app.push_screen(Confirm(asked.question, lines, yes="yes", danger=True), self._answer)

    def _answer(self, yes: bool | None) -> None:
        self.run_.answer(bool(yes))

    def action_cancel(self) -> None:
        """Cancel the run."""
        if not self.run_.ended:
            self.run_.cancel()
            self.notify("cancelling", timeout=2)

    def action_back(self) -> None:
        """Clear a search, else go back; a run that goes on is asked about."""
        if self.query_one(Filter).clear_filter():
            return
        if self.run_.ended:
            self.dismiss(None)
        else:
            lines: list[Line] = [(("The run goes on. Leaving cancels it; its config is removed.", "text"),)]
            self.app.push_screen(Confirm("Cancel the run?", lines, yes="cancel it"), partial(self._leave))

    def _leave(self, yes: bool | None) -> None:
        if yes:
            self.run_.cancel()

    def action_search(self) -> None:
        """Ask for a part of a line."""
        self.query_one(Filter).open()

    def on_filter_applied(self) -> None:
        """Show only lines that hold what is typed."""
        self._filter()

    def action_follow(self) -> None:
        """Follow the end of the log, or stay."""
        log = self.query_one("#log", RunLog)
        log.following = not log.following

    def action_copy(self) -> None:
        """Copy the log; it is redacted already."""
        self.app.copy_to_clipboard("\n".join(plain(self.state.log)))
        self.notify(f"{len(self.state.log):,} lines sent to the terminal's clipboard", timeout=4)

    def action_help(self) -> None:
        """Show every key."""
        self.app.push_screen(Help(partial(help_lines, "run", self.session.keys)))
