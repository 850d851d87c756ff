"""The overview: commands, environment and why."""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property, partial
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import OptionList

from dockpass.auth.command import Command
from dockpass.auth.decision import Refusal
from dockpass.errors import UsageError
from dockpass.keymap import key_for
from dockpass.session.session import Session
from dockpass.text import clean
from dockpass.ui.actions import WITHIN, bindings, row_binding
from dockpass.ui.detector import Detector
from dockpass.ui.examiner import Examiner
from dockpass.ui.screens.base import PanelScreen
from dockpass.ui.screens.values import Values
from dockpass.ui.text import content
from dockpass.ui.views.commands import CommandState, command_lines
from dockpass.ui.views.overview import (
    fallen_back_lines,
    health_line,
    problem_words,
    status_line,
    why_lines,
)
from dockpass.ui.views.roomy import TALL, roomy_lines
from dockpass.ui.views.words import Line, Status
from dockpass.ui.widgets.environment import EnvironmentRows
from dockpass.ui.widgets.filter import Filter
from dockpass.ui.widgets.panel import Panel, Row, Rows
from dockpass.variables.catalogue import Entry, entry_of

# What a key does is loaded with the key: it would hold up the first table.
if TYPE_CHECKING:
    from dockpass.findings import Finding
    from dockpass.ui.editor import Editor
    from dockpass.ui.launcher import Launcher
    from dockpass.ui.programs import Programs

COMMANDS = tuple(Command)


class CommandRows(Rows):
    """The commands."""

    BINDINGS = [row_binding("run")]


class Overview(Values, PanelScreen):
    """What does each command log in with, and why?"""

    BINDINGS = [*bindings("overview"), *bindings("everywhere")]
    PLACE = "overview"
    PANELS = ("commands", "environment", "why")
    AUTO_FOCUS = "#commands"

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._shown_as_job = session.as_job
        self._examiner = Examiner(self, session)
        # Only then, so that it takes no time from the first table.
        self._detector = Detector(self, session, over=self._examiner.begin)
        self._findings_wait = True
        """Whether the first table stands before what looks wrong is looked for."""
        self._was_left = False

    @cached_property
    def _editor(self) -> Editor:
        from dockpass.ui.editor import Editor

        return Editor(self, self.session, self.refresh_all)

    @cached_property
    def _launcher(self) -> Launcher:
        from dockpass.ui.launcher import Launcher

        return Launcher(self, self.session, self.refresh_all)

    @cached_property
    def _programs(self) -> Programs:
        from dockpass.ui.programs import Programs

        return Programs(self, self.session, self._editor, self.refresh_all)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Show only the keys that work here and now."""
        if within := WITHIN.get((self.PLACE, action)):
            return self.focused is not None and self.focused.id == within
        if action == "undo":
            return bool(self.session.edits)
        if action == "whose":
            return self.session.has_job
        if action == "clear":
            return self.is_mounted and bool(self.query_one(Filter).text)
        return True

    def on_descendant_focus(self) -> None:
        """Another panel: other keys."""
        self.refresh_bindings()

    def compose_panels(self) -> ComposeResult:
        """The table, environment beside why, and what stands below them."""
        yield CommandRows("Commands", id="commands")
        with Horizontal(id="below"):
            yield EnvironmentRows("Environment", id="environment")
            yield Panel("Why", id="why")
        yield from self.compose_below()
        yield Filter("a part of a name or a value", filters="#environment")

    def compose_below(self) -> ComposeResult:
        """Nothing, but for an overview that has more."""
        yield from ()

    def on_mount(self) -> None:
        """Show what is known; look closer afterwards."""
        self.refresh_all()
        self.query_one("#commands", Rows).highlighted = 1

    def drawn_first(self) -> None:
        """Find what looks wrong, and the engine, now that the first table stands."""
        self._findings_wait = False
        self.refresh_selected()
        self._detector.begin()
        for words in problem_words(self.session.loaded.problems):
            self.notify(words, severity="warning", timeout=12)

    @property
    def _findings(self) -> tuple[Finding, ...]:
        return () if self._findings_wait else self.session.findings

    @property
    def command(self) -> Command:
        """The selected command."""
        selected = self.query_one("#commands", Rows).selected_id
        return Command(selected) if selected else Command.PUSH

    def refresh_all(self) -> None:
        """Show everything anew from the session."""
        session = self.session
        health = self._examiner.health
        levels = health.concerned if health is not None else {}
        states = [
            CommandState(
                command, session.decide(command), session.decide_before(command), levels.get(command, ())
            )
            for command in COMMANDS
        ]
        self._shown_as_job = session.as_job  # deciding may have found that the job cannot be shown

        def rows(room: int) -> list[Row]:
            lines = command_lines(states, room)
            return [(str(state.command), line) for state, line in zip(states, lines, strict=True)]

        commands = self.query_one("#commands", Rows)
        commands.show(rows)
        commands.border_subtitle = content(health_line(health, key_for("health", session.keys)))
        self.refresh_selected()
        super().refresh_all()
        self._examiner.follow()

    def status(self) -> Status:
        """Return where we are, and with which engine."""
        session = self.session
        return status_line(
            session.shown_place, len(session.edits), self._detector.words, self.size.width, session.badges
        )

    def action_whose(self) -> None:
        """Show the logins of the chosen job, or those of this process."""
        session = self.session
        session.show_as_job(not session.as_job)
        self.refresh_all()
        words = session.shown_place.label if session.as_job else "from the variables of this process"
        if not session.why_not_as_job:
            self.notify(f"the logins are shown {words}", timeout=4)

    def on_screen_suspend(self) -> None:
        """Leave for another screen."""
        self._was_left = True

    def on_screen_resume(self) -> None:
        """Come back from another screen, where a job may have been chosen, unless it leads to yet another."""
        if self._was_left:
            self.call_after_refresh(self._come_back)

    def _come_back(self) -> None:
        if self.is_current:
            self.refresh_all()
            self._examiner.follow(anew=True)  # files may have changed meanwhile

    def refresh_selected(self) -> None:
        """Show why the selected command does what it does, and what it was decided from."""
        if not self._stands:
            return  # the first frame shows all of it
        command = self.command
        decided, instead = self.session.decide(command), self.session.instead(command)
        if self.session.as_job != self._shown_as_job:
            self.refresh_all()
            return
        why = self.query_one("#why", Panel)
        why.border_title = f"Why {command}"
        findings = self.session.config_findings(decided)
        view = partial(why_lines, decided, instead, findings, own=self.session.own_logins())
        fallen, besides = self._fallen_back(), self._besides(command)
        why.show(lambda width: [*fallen, *view(width), *besides(width)])
        self._show_environment()

    def _besides(self, command: Command) -> Callable[[int], list[Line]]:
        """Return what there is room for besides on a tall terminal."""
        if self.size.height < TALL:
            return lambda _: []
        others = [self.session.decide(other) for other in COMMANDS if other is not command]
        health = self._examiner.health
        return partial(roomy_lines, others, health.findings if health else ())

    def _fallen_back(self) -> list[Line]:
        """Return why these are not the logins of the job, where those were wanted."""
        session = self.session
        if session.as_job or not session.why_not_as_job:
            return []
        job, why = clean(session.desk.looking.job, 100), session.why_not_as_job
        return fallen_back_lines(job, why, key_for("whose", session.keys))

    def _show_environment(self) -> None:
        text = self.query_one(Filter).text
        self._environment.show_facts(self.session, self.command, text, self._findings)

    @property
    def _environment(self) -> EnvironmentRows:
        return self.query_one("#environment", EnvironmentRows)

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Another command: other reasons."""
        if event.option_list.id == "commands":
            self.refresh_selected()
            return
        if self._environment.has_focus:
            self._environment.tell_selected(self._findings)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Enter runs a command, and edits a variable."""
        if event.option_list.id == "commands":
            self.action_run()
        else:
            self.action_edit()

    def failed(self, error: Exception) -> None:
        """Say why no engine was found, or why the doctor failed afterwards."""
        self._detector.give_up()
        super().failed(error)

    @property
    def editor(self) -> Editor:
        """What changes variables and options."""
        return self._editor

    @property
    def selected_entry(self) -> Entry | None:
        """The selected variable or option."""
        return self._environment.selected_entry

    def before_focus(self, panel: str) -> None:
        """Where there is no room for both, the environment takes the place of why."""
        self._show_below(environment=panel == "environment")

    def _show_below(self, *, environment: bool) -> None:
        # On the part that changes, and not on the screen: every widget of that would be styled anew.
        self.query_one("#below").set_class(environment, "-environment")

    def _select(self, number: int) -> None:
        commands = self.query_one("#commands", Rows)
        commands.highlighted = number - 1
        self.set_focus(commands)  # at once: the next key may be here already
        self._show_below(environment=False)

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

    def show_variable(self, entry: Entry) -> None:
        """Select a variable or option."""
        self.query_one(Filter).clear_filter()
        environment = self.query_one("#environment", Rows)
        self.before_focus("environment")
        if entry.name in environment.ids:
            environment.highlighted = environment.ids.index(entry.name)
        environment.focus()

    def select_command(self, command: Command) -> None:
        """Select a command."""
        self._select(COMMANDS.index(command) + 1)

    def action_run(self) -> None:
        """Show the plan of the selected command, then run it; ask for a repository that is missing."""
        if (request := self._editor.requested(self.command)) is not None:
            self._launcher.launch(request)

    def action_program(self) -> None:
        """Ask for a program, and run it with the login of the selected command."""
        self._programs.ask(partial(self._editor.requested, self.command, self.action_program))

    def action_shell(self) -> None:
        """Open a shell with the login of the selected command."""
        self._programs.open_shell(partial(self._editor.requested, self.command, self.action_shell))

    def start(self, command: Command) -> None:
        """Select a command and open its plan."""
        self.select_command(command)
        self.action_run()

    def action_open(self, place: str) -> None:
        """Open another screen, for the selected command; ask for the repository that access needs."""
        missing = self.session.unknown_repository(self.command) if place == "access" else ""
        if missing:
            self._editor.ask(entry_of(missing), partial(self.action_open, place))
        else:
            self.open_place(place, self.command)

    def open_access(self, command: Command) -> None:
        """Open the access of a command."""
        self.select_command(command)
        self.action_open("access")

    def edit(self, entry: Entry) -> None:
        """Ask for another value of a variable or option."""
        self._editor.edit(entry)

    def open_filter(self) -> None:
        """Ask for a part of a name or a value."""
        self._show_below(environment=True)
        super().open_filter()

    def action_clear(self) -> None:
        """Clear the filter."""
        self.query_one(Filter).clear_filter()

    def show_filtered(self) -> None:
        """Show what the filter leaves of the environment."""
        self._show_environment()
        self.refresh_bindings()

    def action_copy(self) -> None:
        """Copy the command line of the selected command; a cleanup has the rules that were last typed."""
        request = self.session.request(self.command, with_values=False)
        if isinstance(request, Refusal):
            self.notify(request.message, severity="warning", timeout=5)
            return
        try:
            request = self._launcher.with_rules(request)
        except UsageError as error:
            self.notify(f"{error.message} {error.hint}", severity="warning", timeout=8)
            return
        self.copy_run(self.session.plan(request).command_line, request.decision)
