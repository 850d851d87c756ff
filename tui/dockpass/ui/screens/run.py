"""A run: its steps, its layers, its log, its outcome."""

from __future__ import annotations

import gc
from functools import partial
from typing import Protocol

from textual.app import ComposeResult

from dockpass.runs.events import Asked
from dockpass.runs.feed import Feed
from dockpass.runs.plan import Plan
from dockpass.session.session import LOOKS_PER_SECOND, Session
from dockpass.ui.actions import bindings
from dockpass.ui.screens.base import PanelScreen
from dockpass.ui.screens.dialogs import Confirm, ConfirmDeletion
from dockpass.ui.search import Search
from dockpass.ui.views.progress import progress_lines, progress_title
from dockpass.ui.views.run import (
    MOST_LOG_LINES,
    RunState,
    clock_words,
    lifecycle_lines,
    outcome_lines,
    status_words,
    values_lines,
    waits_for,
)
from dockpass.ui.views.words import Line, Status, filter_words, nothing_matches, plain, status_title, wrapped
from dockpass.ui.widgets.filter import Filter
from dockpass.ui.widgets.panel import Panel
from dockpass.ui.widgets.run_log import RunLog

AT_ONCE = 2_000
"""Events that are taken in one go: no key waits for more of them."""
FRAMES_PER_SECOND = 4
"""How often the sign of life moves."""
LEAST_STEPS = 3
AROUND = 10
"""Rows of the status line, the keys, three frames, and two lines of the log."""
ROOM_FOR_ALL = 30
"""Rows with which the layers stay when the outcome comes."""


class Runs(Protocol):
    """What is shown: a run of a command, or of a program."""

    feed: Feed

    @property
    def ended(self) -> bool: ...

    def cancel(self) -> None: ...

    def answer(self, yes: bool) -> None: ...

    def stop(self, timeout: float) -> bool: ...


class RunScreen(PanelScreen):
    """Which step, how far, what does it say?"""

    BINDINGS = [*bindings("run"), *bindings("everywhere")]
    PLACE = "run"
    PANELS = ("log", "lifecycle", "layers", "outcome")
    AUTO_FOCUS = "#log"

    def __init__(self, run: Runs, name: str, plan: Plan, session: Session, *, values: bool = False) -> None:
        """`name` says in a word what runs; with `values` its log ends with those for Helm."""
        super().__init__(session)
        self._what = name
        self.run_ = run
        self._values = values
        self.plan = plan
        self.state = RunState()
        self._began = session.clock()
        self._cursor = 0
        self._asked: Asked | None = None
        self._seen = self._frame = -1
        self._search = Search(most=MOST_LOG_LINES)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """A run that has ended cannot be cancelled."""
        return action != "cancel" or self.state.ended is None

    def panels(self) -> tuple[str, ...]:
        """Leave out those that have nothing to show yet."""
        return tuple(each for each in self.PANELS if self.query_one(f"#{each}").display)

    def compose_panels(self) -> ComposeResult:
        """Steps, layers, log, outcome."""
        yield Panel("Lifecycle", id="lifecycle")
        yield Panel("Layers", id="layers")
        yield RunLog(id="log")
        yield Panel("Outcome", id="outcome")
        yield Filter("a part of a line", filters="#log")

    def on_mount(self) -> None:
        """Follow the run."""
        self.query_one("#layers").display = False
        self.query_one("#outcome").display = False
        self._timer = self.set_interval(1 / LOOKS_PER_SECOND, self.pump)
        self.call_after_refresh(self.pump)

    def pump(self) -> None:
        """Take what is new from the feed and show it; the clock moves where nothing is new, too."""
        if not self.is_there:
            return
        batch = self.run_.feed.since(self._cursor, AT_ONCE)
        self._cursor = batch.cursor
        fresh = self.state.fold(batch.events)
        if batch.events and self._values and self.state.ended is not None and self.state.images:
            fresh += self.state.add(values_lines(self.state.images))
        if self.state.ended is None:
            self.state.tick(self.session.clock() - self._began)
        if not batch.events:
            self._tick()
            return
        self._write(fresh)
        if len(batch.events) >= AT_ONCE:
            # Behind the keys that were pressed meanwhile, by way of the app: a widget that calls itself on
            # takes every turn, and nothing else has one.
            self.app.call_later(self.call_later, self.pump)
            # Python counts what comes without what goes: with a log at its full length that is nothing, and
            # after 200,000 lines it would look at all of them at once, for up to 90 ms.
            gc.collect(0)
            if int(self.state.now) == self._seen:
                return
        self._seen = int(self.state.now)
        self.refresh_all()
        if self.state.asked is not None and self.state.asked is not self._asked:
            self._asked = self.state.asked
            self._ask(self._asked)
        if self.state.ended is not None:
            self._timer.stop()
            self.refresh_bindings()

    def _tick(self) -> None:
        """Let the clock go on where nothing is new: each second on the steps, more often above them.

        Below a question nothing moves: whoever reads it does not see it, and all of it would be drawn again.
        """
        if not self.is_active or self.state.ended is not None:
            return
        if int(self.state.now) != self._seen:
            self._seen = int(self.state.now)
            self.refresh_all()
        elif int(self.state.now * FRAMES_PER_SECOND) != self._frame:
            self.show_status()
        self._frame = int(self.state.now * FRAMES_PER_SECOND)

    def on_screen_resume(self) -> None:
        """Show what time it is once the question above is gone."""
        if self.is_mounted:
            self.refresh_all()

    @property
    def _text(self) -> str:
        return self.query_one(Filter).text

    def _write(self, lines: list[Line]) -> None:
        self._search.add(lines)
        if lines and self._text:
            self._filter()
        else:
            self.query_one("#log", RunLog).write(lines)

    def _filter(self) -> None:
        """Show the lines that hold the text, and how many of all these are."""
        log, text = self.query_one("#log", RunLog), self._text
        found = self._search.find(text)
        log.replace(found or nothing_matches(text))
        log.border_title = f"Log {filter_words(text, len(found), len(self._search))}".rstrip()

    def refresh_all(self) -> None:
        """Show everything but the log anew; rows depend on the height."""
        state, height = self.state, self.size.height
        most = max((height - 2) // 3, 3)
        if state.ended is not None and height < ROOM_FOR_ALL:
            # What there is to do next has to be read whole; the steps around the last one are enough.
            said = sum(len(wrapped(line, self.room)) for line in outcome_lines(state))
            most = max(min(most, height - AROUND - said), LEAST_STEPS)
        self.query_one("#lifecycle", Panel).show(partial(lifecycle_lines, self.plan, state, most))
        layers = self.query_one("#layers", Panel)
        rows = max(height // 3 - 2, 2)
        is_shown = state.ended is None or height >= ROOM_FOR_ALL
        layers.display = bool(state.layers or state.steps) and is_shown
        layers.border_title = progress_title(state)
        layers.show(lambda width: progress_lines(state, width, rows))
        outcome = self.query_one("#outcome", Panel)
        outcome.display = state.ended is not None
        outcome.show(outcome_lines(state))
        self.show_status()

    def status(self) -> Status:
        """Return what is run, for how long, and how it is."""
        title = status_title(self._what, self.plan.title, self.session.badges)
        words, role = status_words(self.state, waits_for(self.plan, self.state))
        return title, ((f"{clock_words(self.state)}  ", "text"), (words, role))

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
            lines: list[Line] = [(("The run is still going. Leaving cancels it.", "text"),)]
            self.app.push_screen(Confirm("Cancel the run?", lines, yes="cancel it"), self._leave)

    def _leave(self, yes: bool | None) -> None:
        if yes:
            self.run_.cancel()

    def action_search(self) -> None:
        """Ask for a part of a line."""
        self.action_filter()

    def open_filter(self) -> None:
        """Ask for a part of a line; what is searched is made ready while the person looks at the field."""
        super().open_filter()
        self.after_frame(self._search.prepare)

    def show_filtered(self) -> None:
        """Show only lines that hold what is typed."""
        self._filter()

    def action_follow(self) -> None:
        """Follow the end of the log, or pause."""
        log = self.query_one("#log", RunLog)
        log.following = not log.following

    def action_copy(self) -> None:
        """Copy the log; it is redacted already."""
        self.copy("\n".join(plain(self.state.log)), f"{len(self.state.log):,} lines")
