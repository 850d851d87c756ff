"""A run: its steps, its layers, its log, its outcome."""

from __future__ import annotations

from functools import partial

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.screen import Screen
from textual.widgets import Input, Static

from dockpass.runs.events import Asked
from dockpass.runs.plan import Plan
from dockpass.runs.run import Run
from dockpass.ui.actions import bindings
from dockpass.ui.screens.dialogs import Confirm, Help
from dockpass.ui.session import LOOKS_PER_SECOND
from dockpass.ui.text import content
from dockpass.ui.views.helping import help_lines
from dockpass.ui.views.run import RunState, layer_lines, lifecycle_lines, outcome_lines, plan_rows
from dockpass.ui.views.words import Line, plain, sandbox_badge, seconds
from dockpass.ui.widgets.keys import Keys
from dockpass.ui.widgets.panel import Panel
from dockpass.ui.widgets.run_log import RunLog


class RunScreen(Screen[None]):
    """Which step, how far, what does it say?"""

    BINDINGS = [*bindings("run"), *bindings("everywhere")]
    AUTO_FOCUS = "#log"

    def __init__(self, run: Run, plan: Plan, *, sandbox: bool = False) -> None:
        super().__init__()
        self.run_ = run
        self.plan = plan
        self._sandbox = sandbox
        self.state = RunState()
        self._cursor = 0
        self._search = ""
        self._asked: Asked | None = None

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """A run that has ended cannot be cancelled."""
        return action != "cancel" or self.state.ended is None

    def compose(self) -> ComposeResult:
        """Status line, steps, layers, log, outcome, keys."""
        with Horizontal(id="status"):
            yield Static(id="status-left", markup=False)
            yield Static(id="status-right", markup=False)
        yield Panel("Lifecycle", id="lifecycle")
        yield Panel("Layers", id="layers")
        yield RunLog(id="log")
        yield Panel("Outcome", id="outcome")
        yield Input(placeholder="a part of a line", id="filter")
        yield Keys()

    def on_mount(self) -> None:
        """Follow the run."""
        self.query_one("#layers").display = False
        self.query_one("#outcome").display = False
        self._timer = self.set_interval(1 / LOOKS_PER_SECOND, self.pump)
        self.call_after_refresh(self.pump)

    def pump(self) -> None:
        """Take what is new from the feed and show it."""
        batch = self.run_.feed.since(self._cursor)
        self._cursor = batch.cursor
        fresh = self.state.fold(batch.events, batch.lost)
        self._write(fresh)
        self._show()
        if self.state.asked is not None and self.state.asked is not self._asked:
            self._asked = self.state.asked
            self._ask(self._asked)
        if self.state.ended is not None:
            self._timer.stop()
            self.refresh_bindings()

    def _write(self, lines: list[Line]) -> None:
        self.query_one("#log", RunLog).write(self._found(lines))

    def _found(self, lines: list[Line]) -> list[Line]:
        if not self._search:
            return lines
        return [line for line in lines if self._search in plain([line])[0].lower()]

    def _show(self) -> None:
        state, width = self.state, self.size.width - 4
        self.query_one("#lifecycle", Panel).show(lifecycle_lines(self.plan, state, width))
        layers = self.query_one("#layers", Panel)
        lines = layer_lines(state, width, max(self.size.height // 3, 4))
        layers.display = bool(lines)
        layers.show(lines)
        outcome = self.query_one("#outcome", Panel)
        outcome.display = state.ended is not None
        outcome.show(outcome_lines(state))
        words, role = ("running", "look") if state.ended is None else (str(state.ended.status), "good")
        if state.ended is not None and state.ended.exit_code:
            role = "bad"
        title: Line = (
            ("dockpass", "brand"),
            *sandbox_badge(self._sandbox),
            (f"  {self.run_.request.command}", "strong"),
            (f"  {self.plan.title}", "label"),
        )
        self.query_one("#status-left", Static).update(content(title))
        right: Line = ((f"{seconds(state.now)}  ", "text"), (words, role))
        self.query_one("#status-right", Static).update(content(right))

    def _ask(self, asked: Asked) -> None:
        rows = plan_rows(self.state.plan, min(self.size.width, 100))
        yes = "delete" if rows else "yes"
        shown: list[Line] = rows or [((asked.detail, "text"),)]
        self.app.push_screen(Confirm(asked.question, shown, yes=yes, danger=True), self._answer)

    def _answer(self, yes: bool | None) -> None:
        self.run_.answer(bool(yes))

    def action_cancel(self) -> None:
        """Cancel the run."""
        if not self.run_.ended:
            self.run_.cancel()
            self.notify("cancelling", timeout=2)

    def action_back(self) -> None:
        """Go back; a run that goes on is asked about."""
        if self.query_one("#filter", Input).has_focus:
            self.remove_class("-filtering")
            self.query_one("#log", RunLog).focus()
        elif self.run_.ended:
            self.dismiss(None)
        else:
            lines: list[Line] = [(("The run goes on. Leaving cancels it; its config is removed.", "text"),)]
            self.app.push_screen(Confirm("Cancel the run?", lines, yes="cancel it"), partial(self._leave))

    def _leave(self, yes: bool | None) -> None:
        if yes:
            self.run_.cancel()

    def action_search(self) -> None:
        """Ask for a part of a line."""
        self.add_class("-filtering")
        self.query_one("#filter", Input).focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Show only lines that hold what is typed."""
        self._search = event.value.lower()
        self.query_one("#log", RunLog).replace(self._found(self.state.log))

    def on_input_submitted(self) -> None:
        """Keep the search and go to the log."""
        self.remove_class("-filtering")
        self.query_one("#log", RunLog).focus()

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
        self.app.push_screen(Help(help_lines()))
