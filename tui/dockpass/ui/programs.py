"""Runs a program with the login of a command: which one, the plan, the terminal or a log, and the outcome."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import cast

from textual.app import SuspendNotSupported
from textual.screen import Screen

from dockpass.commandline import is_pasteable
from dockpass.dockerconfig.carried import original_directory
from dockpass.errors import DockpassError
from dockpass.programs.also import also_hosts, foreseen
from dockpass.programs.examples import examples
from dockpass.programs.history import History
from dockpass.programs.lines import name_of
from dockpass.programs.planned import planned
from dockpass.programs.shown import ShownProgram, shown_plan
from dockpass.programs.task import Task, check_hosts, with_job
from dockpass.programs.typed import typed_line
from dockpass.readonly import Act
from dockpass.runs.foreign import foreign_question
from dockpass.runs.lines import program_line
from dockpass.runs.request import RunRequest
from dockpass.session.session import Session
from dockpass.session.threads import background_has_ended
from dockpass.system import reason
from dockpass.text import clean, plural
from dockpass.ui.editor import Editor
from dockpass.ui.host import Host, forbids
from dockpass.ui.screens.dialogs import Confirm, EditValue, Typed
from dockpass.ui.screens.program import AskProgram, Choose
from dockpass.ui.screens.run import RunScreen
from dockpass.ui.suspended import hand_over
from dockpass.ui.views.program import also_lines, plan_lines, unknown_lines
from dockpass.ui.views.words import Line
from dockpass.variables.catalogue import entry_of

TERMINAL, CAPTURED, ALSO = "terminal", "captured", "also"
_ASK, _WITHOUT = "ask", "without"
_SECONDS_OF_OTHER_WORK = 3.0

Requested = Callable[[], RunRequest | None]
"""Returns the request whose login the program gets, by the facts as they are now; None if there is none."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wish:
    """What a person wants to run. `again` asks anew where it cannot be run; `line` is what was typed."""

    requested: Requested
    words: tuple[str, ...]
    again: Callable[[], None] = lambda: None
    line: str = ""
    also: tuple[str, ...] = ()
    is_shell: bool = False


class Programs:
    """Asks what has to be asked before a program, and runs it. `over` is called when it has ended."""

    def __init__(
        self, screen: Screen[None], session: Session, editor: Editor, over: Callable[[], None]
    ) -> None:
        self._screen = screen
        self._session = session
        self._editor = editor
        self._over = over
        self._history = History(session.services.state)

    def ask(self, requested: Requested, line: str = "") -> None:
        """Ask for a command line, then show its plan."""
        request = None if forbids(self._screen.app, Act.PROGRAM) else requested()
        if request is None:
            return
        services = self._session.services
        original = original_directory(services.environ, services.home)
        dialog = AskProgram(
            f"Run a program with the login of {request.command}",
            clean(request.decision.sentence),
            self._history.lines(),
            examples(
                services.cwd,
                services.environ,
                original,
                clean(request.decision.repo),
                self._session.find_program,
            ),
            line=line,
        )
        self._screen.app.push_screen(dialog, partial(self._take, requested))

    def _take(self, requested: Requested, line: str | None) -> None:
        if line is not None:
            again = partial(self.ask, requested, line)
            self._prepare(_Wish(requested=requested, words=typed_line(line).words, again=again, line=line))

    def open_shell(self, requested: Requested) -> None:
        """Show the plan of the person's shell."""
        if forbids(self._screen.app, Act.PROGRAM):
            return
        shell = self._session.services.environ.get("SHELL") or "sh"
        self._prepare(_Wish(requested=requested, words=(shell,), is_shell=True))

    def _prepare(self, wish: _Wish) -> None:
        """Find the program and what it gets; ask for the variables of a job that are not known here."""
        request = wish.requested()
        if request is None:
            return
        try:
            task = self._task(request, wish)
        except DockpassError as error:
            self._screen.notify(f"{error.message} {error.hint}", severity="warning", timeout=8)
            if error.id == "no-host":
                self._ask_also(wish, wish.again)
            else:
                wish.again()
            return
        show_plan = partial(self._show_plan, task, wish)
        if not task.left_out:
            show_plan()
            return
        dialog = Choose(
            f"{plural(len(task.left_out), 'variable')} of the job not known here",
            partial(unknown_lines, task.left_out),
            (("e", _ASK, "enter values"), ("w", _WITHOUT, "run without")),
        )

        def answered(answer: str | None) -> None:
            if answer == _ASK:
                self._editor.ask(entry_of(task.left_out[0]), partial(self._prepare, wish))
            elif answer == _WITHOUT:
                show_plan()

        self._screen.app.push_screen(dialog, answered)

    def _task(self, request: RunRequest, wish: _Wish) -> Task:
        session = self._session
        path = session.find_program(wish.words[0], session.services.environ)
        task = Task(request=request, argv=wish.words, path=path, also=wish.also, is_shell=wish.is_shell)
        check_hosts(task)
        return with_job(task, session.facts) if session.as_job else task

    def _show_plan(self, task: Task, wish: _Wish) -> None:
        session = self._session
        edits = 0 if session.as_job else len(session.edits)
        view = partial(plan_lines, planned(task, session.services), edits, self._as_command(task))
        answers = [("r", TERMINAL, "run"), ("c", CAPTURED, "capture its output")]
        if task.is_shell:
            answers = [("r", TERMINAL, "open")]
        title = f"Open {name_of(task)}?" if task.is_shell else f"Run {name_of(task)}?"
        more = [("a", ALSO, "adds a login of your own")]
        self._screen.app.push_screen(
            Choose(title, view, answers, more), partial(self._after_plan, task, wish)
        )

    def _ask_also(self, wish: _Wish, back: Callable[[], None], text: str = "") -> None:
        """Ask for the hosts whose own login goes along, and show the plan with them; `back` is for esc."""
        services = self._session.services

        def preview(typed: str | None, width: int) -> list[Line]:
            return also_lines(foreseen(text if typed is None else typed, services), str(services.home), width)

        dialog = EditValue(
            "Logins of your own",
            "Hosts whose login in your own docker config goes along, separated by spaces.",
            text,
            preview=preview,
            can_unset=False,
            takes_unchanged=True,
            enter="shows the plan",
        )
        self._screen.app.push_screen(dialog, partial(self._take_also, wish, back))

    def _take_also(self, wish: _Wish, back: Callable[[], None], typed: Typed | None) -> None:
        if typed is None:
            back()
            return
        text = typed.text or ""
        try:
            hosts = also_hosts(text.split())
        except DockpassError as error:
            self._screen.notify(f"{error.message} {error.hint}", severity="warning", timeout=8)
            self._ask_also(wish, back, text)
            return
        self._prepare(replace(wish, also=hosts))

    def _as_command(self, task: Task) -> str:
        """Return the same as a command line, where there is one."""
        if task.request is None or task.job is not None or self._session.sandbox is not None:
            return ""
        words = program_line(task.request, task.argv, self._session.services, task.also)
        shown = " ".join(words)
        return shown if is_pasteable(shown) else ""

    def _after_plan(self, task: Task, wish: _Wish, way: str | None) -> None:
        if way is None:
            return
        if way == ALSO:
            self._ask_also(wish, partial(self._prepare, wish), " ".join(wish.also))
            return
        line = wish.line
        question = None if task.request is None else foreign_question(task.request)
        if question is None:
            self._start(task, line, way, True)
            return
        lines: list[Line] = [((question, "bad"),)]
        title = "Send the token to a foreign registry?"
        dialog = Confirm(title, lines, yes="send it", key="s", danger=True)
        self._screen.app.push_screen(dialog, partial(self._start, task, line, way))

    def _start(self, task: Task, line: str, way: str, yes: bool | None) -> None:
        if not yes:
            return
        self._remember(line)
        if way == CAPTURED:
            self._show(self._session.start_program(task, self._session.services), task)
        else:
            self._on_terminal(task)

    def _remember(self, line: str) -> None:
        if not line:
            return
        try:
            kept = self._history.remember(line, self._session.services.redactor)
        except OSError as error:
            self._screen.notify(f"The history was not saved: {reason(error)}", severity="warning", timeout=6)
            return
        if not kept:
            self._screen.notify("Not kept in the history: the line may hold a secret.", timeout=6)

    def _on_terminal(self, task: Task) -> None:
        """Put the screen away, and let the program have the terminal."""
        app, services = cast(Host, self._screen.app), self._session.services
        if not background_has_ended(_SECONDS_OF_OTHER_WORK):
            words = "Something is still being looked up. Try again when it has been found."
            self._screen.notify(words, severity="warning", timeout=6)
            return
        shown = ShownProgram(task, services)
        try:
            ended_by = hand_over(app, task, services, shown)
        except SuspendNotSupported:
            words = "This screen has no terminal to hand over. Capture the program's output instead."
            self._screen.notify(words, severity="warning", timeout=8)
            return
        if ended_by:
            app.end_by_signal(ended_by)
        else:
            self._show(shown, task)

    def _show(self, shown: ShownProgram, task: Task) -> None:
        name = "shell" if task.is_shell else "program"
        screen = RunScreen(shown, name, shown_plan(task), self._session)
        self._screen.app.push_screen(screen, lambda _: self._ended(shown))

    def _ended(self, shown: ShownProgram) -> None:
        self._session.note_end_of_program(shown)
        self._over()
