"""What every screen of panels has: status line, keys, help, focus, work in the background."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, ClassVar, Self, TypeVar

from textual.actions import SkipAction
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.events import ScreenResume
from textual.geometry import Size
from textual.timer import Timer
from textual.widgets import Static

from dockpass.actions import PLACES
from dockpass.auth.command import Command
from dockpass.auth.decision import Decision
from dockpass.auth.facts import Facts
from dockpass.commandline import is_pasteable
from dockpass.errors import DockpassError
from dockpass.logfile import log_fault
from dockpass.session.session import LOOKS_PER_SECOND, Session
from dockpass.text import clean
from dockpass.ui.actions import enter_of
from dockpass.ui.background import Background
from dockpass.ui.frames import OneFrame
from dockpass.ui.host import copy_text
from dockpass.ui.text import content, is_same
from dockpass.ui.views.words import Line, Status, status_title
from dockpass.ui.widgets.filter import Filter
from dockpass.ui.widgets.keys import Keys
from dockpass.ui.widgets.moving import Moving
from dockpass.ui.widgets.panel import Text
from dockpass.ui.widgets.search_line import SearchText, search_in
from dockpass.ui.widgets.too_small import TooSmall

if TYPE_CHECKING:
    from dockpass.probe.model import Probe
    from dockpass.ui.views.help import PanelHelp

FRAME = 6
"""Cells of a panel's frame, its padding, and the blank before the scrollbar."""

Result = TypeVar("Result")


class PanelScreen(OneFrame[None]):
    """A screen of panels.

    A screen names its `PLACE`, whose keys are in `actions.py`, and its `PANELS` in the order of the focus. It
    overrides `compose_panels`, with one `Filter` among the panels, `status` and `refresh_all`.
    """

    PLACE: ClassVar[str] = ""
    PANELS: ClassVar[tuple[str, ...]] = ()

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self._background = Background(session.in_background)
        self._looks: Timer | None = None
        self._status: dict[str, Content] = {}
        self._stands = False
        """Whether the first frame was drawn."""

    @classmethod
    def for_command(cls, session: Session, command: Command) -> Self:  # noqa: ARG003 - for screens that need it
        """Return the screen as it opens from a command; raises `DockpassError` if it cannot."""
        return cls(session)

    def compose(self) -> ComposeResult:
        """Status line, panels, keys."""
        with Horizontal(id="status"):
            yield Static(id="status-left", markup=False)
            yield Static(id="status-right", markup=False)
        yield TooSmall()
        yield from self.compose_panels()
        yield Keys(PLACES.get(self.PLACE, ()), read_only=bool(self.session.read_only))

    def compose_panels(self) -> ComposeResult:
        """What stands between the status line and the keys."""
        yield from ()

    def status(self) -> Status:
        """Return the left and the right half of the status line."""
        return self.titled(""), ()

    def titled(self, detail: str) -> Line:
        """Return the left half of a status line: dockpass, the place, and what it is about."""
        return status_title(self.PLACE, detail, self.session.badges)

    def on_resize(self) -> None:
        """Columns depend on the width. With the first size comes the first frame."""
        if self._stands:
            self.call_after_refresh(self.refresh_all)
        else:
            self.call_later(self._draw_first)

    def _screen_resized(self, size: Size) -> None:  # noqa: ARG002 - Textual's signature
        """Lay out for the size that holds now: two events of different sizes would call each other on."""
        super()._screen_resized(self.app.size)

    def _on_screen_resume(self, event: ScreenResume) -> None:
        """Keep Textual, whose own handler is called after this one, from styling a new screen twice."""
        event.refresh_styles = event.refresh_styles and self._stands

    def _draw_first(self) -> None:
        if self._stands or not self.is_there:
            return  # there may be several sizes before the first frame
        self._stands = True
        self.refresh_all()
        self.refresh(layout=True)
        self.after_frame(self.drawn_first)

    def drawn_first(self) -> None:
        """Begin what the first frame need not wait for."""

    @property
    def may_draw(self) -> bool:
        """No frame comes before every panel has its size and its lines."""
        return self._stands

    def refresh_all(self) -> None:
        """Show everything anew."""
        self.show_status()
        self.refresh_bindings()

    def show_status(self) -> None:
        """Show the status line anew."""
        status = self.status()
        for half, line in zip(("left", "right"), status, strict=True):
            shown, before = content(line), self._status.get(half)
            if before is None or not is_same(shown, before):
                self._status[half] = shown
                grows = before is None or before.cell_length != shown.cell_length
                self.query_one(f"#status-{half}", Static).update(shown, layout=grows)

    @property
    def room(self) -> int:
        """The cells for text in a panel as wide as the screen."""
        return max(self.size.width - FRAME, 20)

    def panels(self) -> tuple[str, ...]:
        """Return the ids of the panels that can be reached now, in their order."""
        return self.PANELS

    def before_focus(self, panel: str) -> None:
        """Bring a panel into view before the focus goes there."""

    def action_switch(self) -> None:
        """Go to the next panel, and from the last one to the first."""
        order = self.panels()
        if not order:
            return
        focused = self.focused.id if self.focused else None
        at = order.index(focused) if focused in order else -1
        self._go_to(order[(at + 1) % len(order)])

    def action_go_to_panel(self, number: int) -> None:
        """Go to a panel by its number, from 1, if it can be reached now."""
        wanted = self.PANELS[number - 1]
        if wanted in self.panels():
            self._go_to(wanted)

    def _go_to(self, panel: str) -> None:
        self.before_focus(panel)
        self.set_focus(self.query_one(f"#{panel}"))  # at once: the next key may be here already

    def action_filter(self) -> None:
        """Ask for a part of a text: to filter the list by, or to search for in the text that has the keys."""
        focused, found = self.focused, self.query_one(Filter)
        if isinstance(focused, SearchText):
            raise SkipAction  # there it is a character like others
        if isinstance(focused, Text) and focused is not found.filters:
            search_in(focused, partial(self.mount, before=self.query_one(Keys)))
        else:
            self.open_filter()

    def open_filter(self) -> None:
        """Ask for a part of a text to filter by."""
        self.query_one(Filter).open()

    def on_filter_applied(self) -> None:
        """Filter while it is typed."""
        self.show_filtered()

    def show_filtered(self) -> None:
        """Show what the filter leaves."""
        self.refresh_all()

    def action_back(self) -> None:
        """Clear a filter, else go back."""
        if not self.query_one(Filter).clear_filter():
            self.dismiss(None)

    def action_open(self, place: str) -> None:
        """Open another screen."""
        self.open_place(place, Command.PUSH)

    def open_place(self, place: str, command: Command) -> None:
        """Open a screen for a command, or say why it cannot be opened."""
        try:
            screen = screen_of(place).for_command(self.session, command)
        except DockpassError as error:
            self.app.notify(f"{error.message} {error.hint}", severity="warning", timeout=8)
        else:
            self.app.push_screen(screen)

    def action_help(self) -> None:
        """Show every key."""
        from dockpass.ui.screens.dialogs import Help
        from dockpass.ui.views.help import help_lines

        session = self.session
        view = partial(
            help_lines,
            self.PLACE,
            session.keys,
            read_only=bool(session.read_only),
            panel=self._panel_help(),
        )
        self.app.push_screen(Help(view))

    def _panel_help(self) -> PanelHelp | None:
        """Return what to say of the panel that has the keys; nothing while a text is typed."""
        from dockpass.ui.views.help import PanelHelp

        focused = self.focused
        if not isinstance(focused, Moving) or focused.id is None:
            return None
        title = str(focused.border_title).partition(" /")[0]
        return PanelHelp(focused.id, title, enter_of(focused))

    def answered(self, facts: Facts) -> Probe | None:  # noqa: ARG002 - for screens that ask
        """Return what the registry said of these facts, as far as this screen has asked it."""
        return None

    def copy(self, text: str, words: str = "", *, secret: bool = False) -> None:
        """Copy a text, and say in which way; `words` stand for a long text, and for a secret."""
        copy_text(self.app, text, words or text, secret=secret)

    def copy_line(self, words: Sequence[str], note: str = "") -> None:
        """Copy a command line; say so where it cannot be pasted, or needs what only this screen has.

        `note` tells what else to know of it.
        """
        line = " ".join(words)
        if not is_pasteable(line):
            why = "Not copied: a value in it holds control characters, which a terminal would act on."
            self.notify(why, severity="warning", timeout=8)
            return
        notes = [note] if note else []
        if self.session.sandbox:
            notes.append("it needs this sandbox's variables")
        self.copy(line, f"{line} ({', '.join(notes)})" if notes else line)

    def copy_run(self, words: Sequence[str], decision: Decision) -> None:
        """Copy the command line of a run, and say which values it needs that are not known here."""
        needs = f"needs the value of {' and '.join(decision.unknown)}" if decision.unknown else ""
        self.copy_line(words, needs)

    def in_background(self, work: Callable[[], Result], take: Callable[[Result], None]) -> None:
        """Do in a thread what may take long; `take` gets the result in the screen's thread."""
        self._background.begin(work, take, self.failed)
        self._look_for_answers()

    def in_task(self, work: Awaitable[Result], take: Callable[[Result], None]) -> None:
        """Do in a task what waits for a network; it is cancelled when the screen is left."""

        async def task() -> None:
            try:
                answer = partial(take, await work)
            except Exception as error:  # noqa: BLE001 - a job without an answer would look as if it went on
                answer = partial(self.failed, error)
            self.answer(answer)

        self.run_worker(task(), group="background", exclusive=True, exit_on_error=False)

    def answer(self, answer: Callable[[], None]) -> None:
        """Leave an answer from a task; it is taken as soon as the screen is free."""
        self._background.post(answer)
        self._look_for_answers()

    def _look_for_answers(self) -> None:
        if self._looks is None:
            self._looks = self.set_interval(1 / LOOKS_PER_SECOND, self.pump)
        self.call_later(self.pump)

    def pump(self) -> None:
        """Take what came from the background, and show it."""
        if self.is_there and self._background.take():
            self.refresh_all()

    def failed(self, error: Exception) -> None:
        """Say why work in the background failed."""
        if isinstance(error, DockpassError):
            words = f"{error.message} {error.hint}"
        else:
            words = f"{internal_error(error)} {log_fault('work beside the screen', error)}"
        self.app.notify(words, severity="error", timeout=12)


def internal_error(error: BaseException | None) -> str:
    """Return what is said of an exception that nothing expected."""
    return f"Internal error in dockpass ({clean(type(error).__name__, 60)})."


def screen_of(place: str) -> type[PanelScreen]:
    """Return the screen of a place, from the module of the same name, which is loaded only now."""
    module = import_module(f"dockpass.ui.screens.{place}")
    return next(
        found
        for found in vars(module).values()
        if isinstance(found, type) and issubclass(found, PanelScreen) and place == found.PLACE
    )
