"""The overview: commands, environment and why."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from textual import work
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import Input, OptionList, Static

from dockpass.auth.command import Command
from dockpass.auth.decision import Refusal
from dockpass.engines.detect import EngineState
from dockpass.errors import UsageError
from dockpass.runs.request import RunRequest
from dockpass.runs.rules import parse_rules
from dockpass.runs.run import Run
from dockpass.secrets import Secret
from dockpass.ui.actions import bindings, row_binding
from dockpass.ui.screens.dialogs import Confirm, EditValue, Help
from dockpass.ui.screens.opening import OpensOthers
from dockpass.ui.screens.touring import TOUR_ACTIONS, Touring
from dockpass.ui.session import SECONDS_REVEALED, Session, edit_of, removal_of
from dockpass.ui.text import content
from dockpass.ui.views.helping import RULES_MEAN, help_lines, rules_preview
from dockpass.ui.views.overview import (
    command_row,
    engine_words,
    environment_rows,
    option_name,
    option_value,
    read_by,
    status_line,
    why_lines,
)
from dockpass.ui.views.words import Line, cell
from dockpass.ui.widgets.keys import Keys
from dockpass.ui.widgets.panel import Panel, Rows
from dockpass.variables.catalogue import Entry, entry, listed

COMMANDS = tuple(Command)


class CommandRows(Rows):
    """The commands."""

    BINDINGS = [row_binding("run")]


class EnvironmentRows(Rows):
    """The variables and options."""

    BINDINGS = [row_binding("edit")]


class Overview(OpensOthers, Touring):
    """What does each command log in with, and why?"""

    BINDINGS = [*bindings("sandbox"), *bindings("overview"), *bindings("everywhere")]
    AUTO_FOCUS = "#commands"

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self._engine = ("asking for an engine", "label")
        self._revealed = ""
        self._filter = ""
        self._rules = "keep-last=10 older-than=30d"

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Show only the keys that work here and now."""
        if action in {"edit", "unset", "reveal"}:
            return self.focused is not None and self.focused.id == "environment"
        if action == "undo":
            return bool(self.session.edits)
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
        yield Static(
            "dockpass needs a terminal of 60 columns and 16 rows at least.", id="small", markup=False
        )
        yield CommandRows("Commands", id="commands")
        with Horizontal(id="below"):
            yield EnvironmentRows("Environment", id="environment")
            yield Panel("Why", id="why")
        yield Panel("Tour", id="tour")
        yield Input(placeholder="a part of a name", id="filter")
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
        rows = [
            (
                str(command),
                command_row(number, session.decide(command), session.decide_before(command), width),
            )
            for number, command in enumerate(COMMANDS, 1)
        ]
        self.query_one("#commands", Rows).show(rows)
        self.refresh_selected()
        sandbox = session.sandbox is not None
        left, right = status_line(session.place, len(session.edits), self._engine, width, sandbox=sandbox)
        self.show_tour()
        self.query_one("#status-left", Static).update(content(left))
        self.query_one("#status-right", Static).update(content(right))

    def refresh_selected(self) -> None:
        """Show why the selected command does what it does, and what it was decided from."""
        session, command = self.session, self.command
        decided = session.decide(command)
        why = self.query_one("#why", Panel)
        why.border_title = f"Why {command}"
        why.show(why_lines(decided, session.instead(command), why.content_size.width - 1))
        environment = self.query_one("#environment", Rows)
        entries = [found for found in listed(session.facts) if self._filter in found.name.lower()]
        facts = session.facts
        rows = environment_rows(
            entries, facts, session.findings, read_by(decided), self._revealed, environment.content_size.width
        )
        environment.show([(row.entry.name if row.entry else None, row.line) for row in rows])
        known = sum(found.name in facts.variables for found in entries)
        environment.border_subtitle = f"{known} set · {len(facts.variables)} variables"

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Another command: other reasons."""
        if event.option_list.id == "commands":
            self.refresh_selected()
            return
        found = self._selected_entry()
        finding = next((f for f in self.session.findings if found and f.name == found.name), None)
        words = f"{found.name} {finding.message}" if found and finding else found.means if found else ""
        self.query_one("#environment", Rows).border_subtitle = words[: max(self.size.width // 2 - 8, 20)]

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

    def _selected_entry(self) -> Entry | None:
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
        """Select a command for the tour."""
        self._select(COMMANDS.index(command) + 1)

    def refresh_after_edit(self) -> None:
        """Show what the tour changed."""
        self.refresh_all()

    def run_in_tour(self, command: Command) -> None:
        """Open the plan of a command for the tour."""
        self.select_command(command)
        self.action_run()

    def action_edit(self) -> None:
        """Edit the selected variable or option."""
        found = self._selected_entry()
        if found is not None:
            self._edit(found)

    def _edit(self, found: Entry) -> None:
        facts = self.session.facts
        value = option_value(found, facts) if found.option else facts.text(found.name)
        shown = "" if value is None or isinstance(value, Secret) or found.secret else value
        dialog = EditValue(
            option_name(found), found.means, shown, secret=found.secret, preview=partial(self._preview, found)
        )
        self.app.push_screen(dialog, partial(self._take_edit, found))

    def _preview(self, found: Entry, text: str) -> list[Line]:
        edited = replace(
            self.session, edits=[*self.session.edits, edit_of(found.name, text, option=found.option)]
        )
        return [
            command_row(number, edited.decide(command), self.session.decide(command), 80)
            for number, command in enumerate(COMMANDS, 1)
        ]

    def _take_edit(self, found: Entry, text: str | None) -> None:
        if text is not None:
            self.session.edit(edit_of(found.name, text, option=found.option))
            self.refresh_all()

    def action_unset(self) -> None:
        """Unset the selected variable or option."""
        found = self._selected_entry()
        if found is not None:
            self.session.edit(removal_of(found.name, option=found.option))
            self.refresh_all()

    def action_undo(self) -> None:
        """Take the last edit back."""
        undone = self.session.undo()
        self.notify(f"taken back: {undone.in_words()}" if undone else "nothing to take back", timeout=3)
        self.refresh_all()

    def action_reveal(self) -> None:
        """Show one secret for ten seconds."""
        found = self._selected_entry()
        if found is None or not found.secret:
            self.notify("select a secret first", timeout=3)
        elif not self.session.loaded.settings.reveal:
            self.notify("the setting reveal = false keeps secrets hidden", timeout=5)
        else:
            lines: list[Line] = [(("Whoever sees this screen can read it then.", "text"),)]
            title = f"Show {option_name(found)} for ten seconds?"
            self.app.push_screen(
                Confirm(title, lines, yes="show", danger=True), partial(self._reveal, found.name)
            )

    def _reveal(self, name: str, yes: bool | None) -> None:
        if yes:
            self._revealed = name
            self.refresh_selected()
            self.set_timer(SECONDS_REVEALED, self._hide)

    def _hide(self) -> None:
        self._revealed = ""
        self.refresh_selected()

    def action_filter(self) -> None:
        """Ask for a part of a name."""
        self.add_class("-filtering", "-environment")
        self.query_one("#filter", Input).focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Filter while it is typed."""
        self._filter = event.value.lower()
        self.refresh_selected()

    def on_input_submitted(self) -> None:
        """Keep the filter and go to what it left."""
        self.remove_class("-filtering")
        self.query_one("#environment", Rows).focus()

    def action_copy(self) -> None:
        """Copy the command line of the selected command."""
        request = self.session.request(self.command)
        if isinstance(request, Refusal):
            self.notify(request.message, severity="warning", timeout=5)
            return
        line = self.session.services.redactor(" ".join(self.session.plan(request).command_line))
        self.app.copy_to_clipboard(line)
        self.notify(f"sent to the terminal's clipboard: {line}", timeout=6)

    def action_run(self) -> None:
        """Show the plan of the selected command, then run it."""
        request = self.session.request(self.command)
        if isinstance(request, Refusal):
            found = entry("repo")
            if found is not None:
                self._edit(found)
            return
        if request.command is Command.CLEANUP:
            self._ask_for_rules(request)
        else:
            self._show_plan(request)

    def _ask_for_rules(self, request: RunRequest) -> None:
        dialog = EditValue("What may go?", RULES_MEAN, self._rules, secret=False, preview=rules_preview)
        self.app.push_screen(dialog, partial(self._take_rules, request))

    def _take_rules(self, request: RunRequest, text: str | None) -> None:
        if text is None:
            return
        self._rules = text
        try:
            self._show_plan(replace(request, cleanup=parse_rules(text)))
        except UsageError as error:
            self.notify(f"{error.message} {error.hint}", severity="error", timeout=8)

    def _show_plan(self, request: RunRequest) -> None:
        plan = self.session.plan(request)
        lines: list[Line] = [((request.decision.sentence, "text"),), ()]
        lines += [((cell(phase.title, 19), "strong"), (phase.detail, "label")) for phase in plan.phases]
        if self.session.edits:
            lines += [
                (),
                ((f"~ with {len(self.session.edits)} edit(s), which hold for this run only", "look"),),
            ]
        dialog = Confirm(plan.confirm or f"Run {request.command}?", lines, yes="run")
        self.app.push_screen(dialog, partial(self._after_plan, request))

    def _after_plan(self, request: RunRequest, yes: bool | None) -> None:
        if not yes:
            return
        foreign = self.session.plan(request).foreign
        if foreign is None:
            self._start(request, True)
            return
        lines: list[Line] = [((foreign, "bad"),)]
        dialog = Confirm("Send the token to a foreign registry?", lines, yes="send it", danger=True)
        self.app.push_screen(dialog, partial(self._start, request))

    def _start(self, request: RunRequest, yes: bool | None) -> None:
        if yes:
            from dockpass.ui.screens.run import RunScreen

            plan, run = self.session.plan(request), self.session.run(request)
            sandbox = self.session.sandbox is not None
            self.app.push_screen(RunScreen(run, plan, sandbox=sandbox), lambda _: self._run_over(run))

    def _run_over(self, run: Run) -> None:
        self.session.note_end(run)
        self.refresh_all()

    def action_help(self) -> None:
        """Show every key."""
        self.app.push_screen(Help(help_lines()))
