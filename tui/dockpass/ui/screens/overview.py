"""The overview: commands, environment and why."""

from __future__ import annotations

from functools import partial

from textual import work
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import OptionList, Static

from dockpass.auth.command import Command
from dockpass.auth.decision import Refusal
from dockpass.engines.detect import EngineState
from dockpass.text import plural
from dockpass.ui.actions import bindings, row_binding
from dockpass.ui.screens.dialogs import Help
from dockpass.ui.screens.editing import Editing
from dockpass.ui.screens.opening import OpensOthers
from dockpass.ui.screens.starting import Starting
from dockpass.ui.screens.touring import TOUR_ACTIONS, Touring
from dockpass.ui.session import Session
from dockpass.ui.text import content
from dockpass.ui.views.commands import CommandState, command_lines
from dockpass.ui.views.helping import help_lines
from dockpass.ui.views.overview import (
    engine_words,
    environment_rows,
    matching,
    read_by,
    status_line,
    why_lines,
)
from dockpass.ui.views.words import filter_words, nothing_matches, shorten
from dockpass.ui.widgets.filter import Filter
from dockpass.ui.widgets.keys import Keys
from dockpass.ui.widgets.panel import Panel, Row, Rows
from dockpass.ui.widgets.too_small import TooSmall
from dockpass.variables.catalogue import Entry, entry, listed

COMMANDS = tuple(Command)


class CommandRows(Rows):
    """The commands."""

    BINDINGS = [row_binding("run")]


class EnvironmentRows(Rows):
    """The variables and options."""

    BINDINGS = [row_binding("edit")]


class Overview(OpensOthers, Editing, Starting, Touring):
    """What does each command log in with, and why?"""

    BINDINGS = [*bindings("sandbox"), *bindings("overview"), *bindings("everywhere")]
    PLACE = "overview"
    AUTO_FOCUS = "#commands"

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self._engine = ("asking for an engine", "label")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Show only the keys that work here and now."""
        if action in {"edit", "unset", "reveal"}:
            return self.focused is not None and self.focused.id == "environment"
        if action == "undo":
            return bool(self.session.edits)
        if action == "clear":
            return self.is_mounted and bool(self.query_one(Filter).text)
        if action in TOUR_ACTIONS:
            return self.session.sandbox is not None and (action == "tour" or self.touring)
        return True

    def on_descendant_focus(self) -> None:
        """Another panel: other keys."""
        self.refresh_bindings()

    def compose(self) -> ComposeResult:
        """Status line, the table, environment beside why, keys."""
        with Horizontal(id="status"):
            yield Static(id="status-left", markup=False)
            yield Static(id="status-right", markup=False)
        yield TooSmall()
        yield CommandRows("Commands", id="commands")
        with Horizontal(id="below"):
            yield EnvironmentRows("Environment", id="environment")
            yield Panel("Why", id="why")
        yield Panel("Tour", id="tour")
        yield Filter("a part of a name or a value", filters="#environment")
        yield Keys()

    def on_mount(self) -> None:
        """Show what is known; ask for the engine afterwards."""
        self.refresh_all()
        self.query_one("#commands", Rows).highlighted = 1
        self._ask_for_engine()
        self.start_tour()
        for problem in self.session.loaded.problems:
            self.notify(problem, severity="warning", timeout=12)

    def on_resize(self) -> None:
        """Columns depend on the width."""
        self.call_after_refresh(self.refresh_all)

    @property
    def command(self) -> Command:
        """The selected command."""
        selected = self.query_one("#commands", Rows).selected_id
        return Command(selected) if selected else Command.PUSH

    def refresh_all(self) -> None:
        """Show everything anew from the session."""
        session, width = self.session, self.size.width
        self.refresh_bindings()
        states = [
            CommandState(command, session.decide(command), session.decide_before(command))
            for command in COMMANDS
        ]

        def rows(room: int) -> list[Row]:
            lines = command_lines(states, room)
            return [(str(state.command), line) for state, line in zip(states, lines, strict=True)]

        self.query_one("#commands", Rows).show(rows)
        self.refresh_selected()
        sandbox = session.sandbox is not None
        left, right = status_line(session.place, len(session.edits), self._engine, width, sandbox=sandbox)
        self.show_tour()
        self.query_one("#status-left", Static).update(content(left))
        self.query_one("#status-right", Static).update(content(right))

    def refresh_selected(self) -> None:
        """Show why the selected command does what it does, and what it was decided from."""
        command = self.command
        decided, instead = self.session.decide(command), self.session.instead(command)
        why = self.query_one("#why", Panel)
        why.border_title = f"Why {command}"
        why.show(partial(why_lines, decided, instead))
        self._show_environment()

    def _show_environment(self) -> None:
        session, environment = self.session, self.query_one("#environment", Rows)
        facts, text = session.facts, self.query_one(Filter).text
        everything = listed(facts)
        entries = matching(everything, facts, text)
        reads = read_by(session.decide(self.command))
        edited = {edit.name for edit in session.edits}

        def rows(width: int) -> list[Row]:
            if not entries:
                return [(None, line) for line in nothing_matches(text)]
            found = environment_rows(entries, facts, session.findings, reads, edited, width)
            return [(row.entry.name if row.entry else None, row.line) for row in found]

        environment.show(rows)
        filtered = filter_words(text, len(entries), len(everything))
        environment.border_title = f"Environment {filtered}" if filtered else "Environment"
        known = sum(found.name in facts.variables for found in entries)
        environment.border_subtitle = f"{known} set · {plural(len(facts.variables), 'variable')}"

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Another command: other reasons."""
        if event.option_list.id == "commands":
            self.refresh_selected()
            return
        found = self.selected_entry
        finding = next((f for f in self.session.findings if found and f.name == found.name), None)
        words = f"{found.name} {finding.message}" if found and finding else found.means if found else ""
        environment = self.query_one("#environment", Rows)
        environment.border_subtitle = shorten(words, max(environment.size.width - 4, 20))

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Enter runs a command, and edits a variable."""
        if event.option_list.id == "commands":
            self.action_run()
        else:
            self.action_edit()

    @work(thread=True, exit_on_error=False, group="engine")
    def _ask_for_engine(self) -> None:
        state = self.session.detect()
        self.app.call_from_thread(self._show_engine, state)

    def _show_engine(self, state: EngineState) -> None:
        if state.info is not None:
            self._engine = (engine_words(state.info), "good")
        else:
            self._engine = ("no engine", "look")
            if state.error is not None:
                self.notify(f"{state.error.message} {state.error.hint}", severity="warning", timeout=10)
        self.refresh_all()

    @property
    def selected_entry(self) -> Entry | None:
        """The selected variable or option."""
        selected = self.query_one("#environment", Rows).selected_id
        return entry(selected) if selected else None

    def action_switch(self) -> None:
        """Go from the commands to the environment, to why, and back."""
        order = ["commands", "environment", "why"]
        focused = self.focused.id if self.focused and self.focused.id in order else "why"
        following = order[(order.index(str(focused)) + 1) % len(order)]
        self.set_class(following == "environment", "-environment")
        self.query_one(f"#{following}").focus()

    def _select(self, number: int) -> None:
        commands = self.query_one("#commands", Rows)
        commands.highlighted = number - 1
        commands.focus()
        self.remove_class("-environment")

    def action_command_1(self) -> None:
        """Select build."""
        self._select(1)

    def action_command_2(self) -> None:
        """Select push."""
        self._select(2)

    def action_command_3(self) -> None:
        """Select pull."""
        self._select(3)

    def action_command_4(self) -> None:
        """Select cleanup."""
        self._select(4)

    def action_command_5(self) -> None:
        """Select deploy."""
        self._select(5)

    def select_command(self, command: Command) -> None:
        """Select a command."""
        self._select(COMMANDS.index(command) + 1)

    def refresh_after_edit(self) -> None:
        """Show what the tour changed."""
        self.refresh_all()

    def run_in_tour(self, command: Command) -> None:
        """Open the plan of a command for the tour."""
        self.start(command)

    def action_filter(self) -> None:
        """Ask for a part of a name or a value."""
        self.add_class("-environment")
        self.query_one(Filter).open()

    def action_clear(self) -> None:
        """Clear the filter."""
        self.query_one(Filter).clear_filter()

    def on_filter_applied(self) -> None:
        """Filter while it is typed."""
        self._show_environment()
        self.refresh_bindings()

    def action_copy(self) -> None:
        """Copy the command line of the selected command."""
        request = self.session.request(self.command)
        if isinstance(request, Refusal):
            self.notify(request.message, severity="warning", timeout=5)
            return
        line = self.session.services.redactor(" ".join(self.session.plan(request).command_line))
        self.app.copy_to_clipboard(line)
        self.notify(f"sent to the terminal's clipboard: {line}", timeout=6)

    def action_help(self) -> None:
        """Show every key."""
        self.app.push_screen(Help(partial(help_lines, "overview", self.session.keys)))
