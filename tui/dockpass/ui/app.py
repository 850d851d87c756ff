"""The terminal UI: themes, signals, and the first screen."""

from __future__ import annotations

import asyncio
import gc
import signal
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from textual._styles_cache import StylesCache
from textual.binding import Binding
from textual.driver import Driver
from textual.screen import Screen
from textual.timer import Timer

from dockpass.errors import DockpassError
from dockpass.keymap import key_for, shown_key
from dockpass.logfile import log_fault
from dockpass.session.session import SECONDS_TO_STOP, Session
from dockpass.session.start import Start, make_session
from dockpass.settings import save_setting
from dockpass.signals import heeded_signals
from dockpass.ui.driver import TerminalDriver
from dockpass.ui.frames import OneFrame
from dockpass.ui.host import Host
from dockpass.ui.screens.base import PanelScreen
from dockpass.ui.screens.overview import Overview
from dockpass.ui.themes import THEMES, role_variables
from dockpass.ui.widgets.too_small import SMALLEST_HEIGHT, SMALLEST_WIDTH

if TYPE_CHECKING:
    from textual.command import Provider

    from dockpass.ui.screens.run import Runs

ScreenOfSession = TypeVar("ScreenOfSession", bound=Screen[Any])


def _palette() -> type[Provider]:
    """Return what the command palette finds; it is loaded when the palette is opened."""
    from dockpass.ui.palette import Everything

    return Everything


OBJECTS_UNTIL_A_LOOK = 20_000
"""Objects that are made and kept before the next look for garbage, at these objects only."""
LOOKS_UNTIL_A_SECOND = 2
"""Looks before one at all that outlived them. After ten, as usual, it takes 80 ms."""
SECOND_LOOKS_UNTIL_A_WHOLE = 100
SECONDS_UNTIL_A_WHOLE_LOOK = 1.0
"""So long after another screen has come, all objects are looked at: the screen that was left is garbage."""


class DockpassApp(Host):
    """Draws a session."""

    CSS_PATH = "styles/base.tcss"
    TITLE = "dockpass"
    ENABLE_COMMAND_PALETTE = True
    COMMANDS = {_palette}
    BINDINGS = [
        # Not of the first rank, so that a person may give this key to quit, and see it.
        Binding("ctrl+q", "quit", "quit", show=False),
        Binding("ctrl+c", "help_quit", show=False, system=True),
    ]
    HORIZONTAL_BREAKPOINTS = [
        (0, "-tiny"),
        (SMALLEST_WIDTH, "-narrow"),
        (100, "-normal"),
        (120, "-full"),
        (160, "-wide"),
    ]
    VERTICAL_BREAKPOINTS = [(0, "-flat"), (SMALLEST_HEIGHT, "-low"), (24, "-tall")]

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._ending = False
        self._looks_for_garbage = False
        self._whole_look: Timer | None = None
        self.animation_level = "none"  # a key shows what it does at once
        for theme in THEMES:
            self.register_theme(theme)
        wanted = session.loaded.settings.theme
        self.theme = wanted if wanted in self.usable_themes else "dockpass-dark"
        self.stylesheet.set_variables(self.get_css_variables())
        self._styled = self._style
        self.set_keymap(dict(session.keys))

    def run(self, *arguments: Any, **options: Any) -> int | None:
        """Run the screen; what it waits for at its end does not outlast it. Raises a fault that ended it."""
        try:
            result = super().run(*arguments, **options)
        finally:
            self.session.clipboard.take_back(self.session.services.environ)
            if isinstance(self._driver, TerminalDriver):
                self._driver.leave()
        if self._exception is not None:
            raise self._exception
        return result

    def _handle_exception(self, error: Exception) -> None:
        """End by a fault; one that comes while the screen ends anyway is logged, and ends it no otherwise."""
        if self._exit:
            log_fault("the end of the screen", error)
        else:
            super()._handle_exception(error)

    def _fatal_error(self) -> None:
        """End the screen, and leave the words to whoever runs it.

        Textual would print a traceback with the values of all variables, the secrets among them.
        """
        with suppress(Exception):  # what is faulty may be what knows the run
            self._stop_run()
        self._close_messages_no_wait()

    def panic(self, *_: object) -> None:
        """End as on any fault."""
        self._fatal_error()

    def get_default_screen(self) -> Overview:
        """Begin with the overview; an empty screen below it would be drawn first."""
        if self.session.sandbox is None:
            return self._fitted(Overview(self.session))
        from dockpass.ui.screens.touring import SandboxOverview

        return self._fitted(SandboxOverview(self.session))

    def push_screen(self, screen: Any, *arguments: Any, **options: Any) -> Any:
        """Show a screen; its first frame has the layout of this size already."""
        shown = self._fitted(screen) if isinstance(screen, Screen) else screen
        return super().push_screen(shown, *arguments, **options)

    def _fitted(self, screen: ScreenOfSession) -> ScreenOfSession:
        """Give a screen the classes of the terminal's size, which Textual gives it after its first frame."""
        width, height = self.size
        for size, breakpoints in ((width, self.HORIZONTAL_BREAKPOINTS), (height, self.VERTICAL_BREAKPOINTS)):
            _, name = max(each for each in breakpoints if each[0] <= size)
            screen.add_class(name, update=False)
        return screen

    @property
    def _style(self) -> tuple[object, ...]:
        """What the colours of the style sheet depend on."""
        return self.theme, self.ansi_color, self.ansi_theme

    def refresh_css(self, animate: bool = True) -> None:
        """Read the style sheet anew with the colours of another theme.

        Textual asks for it at the start as well, where it was just read with these colours.
        """
        if self._style != self._styled:
            self._styled = self._style
            super().refresh_css(animate)

    def get_driver_class(self) -> type[Driver]:
        """Draw on the terminal, whichever stream that is."""
        return TerminalDriver

    def get_key_display(self, binding: Binding) -> str:
        """Name a key as the help does."""
        return binding.key_display or shown_key(binding.key)

    def action_command_palette(self) -> None:
        """Find everything by name."""
        from dockpass.ui.palette import Palette  # it is loaded when it is opened

        if not isinstance(self.screen, Palette):
            self.push_screen(Palette())  # without an id: one that was just closed may be there still

    def action_help_quit(self) -> None:
        """Say how to quit, to whoever presses ctrl+c."""
        self.notify(f"{key_for('quit', self.session.keys)} quits.", timeout=5)

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Give every theme the colours of the roles."""
        return role_variables(self.current_theme)

    def on_mount(self) -> None:
        """End in order on the signals that ask for it."""
        loop = asyncio.get_running_loop()
        for number in heeded_signals():
            # The loop is woken by a signal of any thread, and forgets it when it is closed.
            loop.add_signal_handler(number, self.end_by_signal, number)
            # This one is called also while the loop waits for a terminal that takes nothing.
            signal.signal(number, partial(self._heed, loop))
        self.theme_changed_signal.subscribe(self, lambda theme: self._keep_theme(theme.name))
        self.screen_change_signal.subscribe(self, self._tidy_up)
        self.call_after_refresh(self._begin_to_collect)

    def _begin_to_collect(self) -> None:
        if isinstance(self.screen, OneFrame):
            self.screen.after_frame(self._collect_again)

    def _collect_again(self) -> None:
        """Look for garbage from now on, where the start did not, and not in what the start has made.

        Less often than usual: a run's log makes many objects that stay, and a look at all of them stops the
        screen for up to 80 ms.
        """
        if not gc.isenabled():
            gc.freeze()
            gc.set_threshold(OBJECTS_UNTIL_A_LOOK, LOOKS_UNTIL_A_SECOND, SECOND_LOOKS_UNTIL_A_WHOLE)
            gc.enable()
            self._looks_for_garbage = True

    def _tidy_up(self, _: object) -> None:
        """Let go of what widgets of screens that were left have drawn, and of these screens, a moment later.

        Textual remembers two colours for each of the last 1,024 widgets, and with them all that those drew.
        """
        StylesCache.get_inner_outer.cache_clear()
        if self._looks_for_garbage:
            self._look_at_all_soon()

    def _look_at_all_soon(self) -> None:
        if self._whole_look is not None:
            self._whole_look.stop()
        self._whole_look = self.set_timer(SECONDS_UNTIL_A_WHOLE_LOOK, self._look_at_all)

    def _look_at_all(self) -> None:
        """Look for garbage everywhere, but not while a run writes its log: it would stand still for 50 ms."""
        run = self._run
        if run is not None and not run.ended:
            self._look_at_all_soon()
        else:
            gc.collect()

    def notify(self, message: str, **options: Any) -> None:
        """Show a message as plain text; markup in it is never read.

        A terminal that is too small for the screen has room for one message only: that it is too small.
        """
        if self.size.width < SMALLEST_WIDTH or self.size.height < SMALLEST_HEIGHT:
            return
        options["markup"] = False
        super().notify(self.session.services.redactor(message), **options)

    async def action_quit(self) -> None:
        """Quit; a run is asked about first."""
        run = self._run
        if run is None or run.ended:
            self._stop_run()
            self.exit(0)
            return
        from dockpass.ui.screens.dialogs import Confirm

        lines = [(("A run is still going. Quitting cancels it and removes its config.", "text"),)]
        self.push_screen(Confirm("Quit?", lines, yes="quit"), self._quit)

    def _quit(self, yes: bool | None) -> None:
        if yes:
            self._stop_run()
            self.exit(0)

    def _heed(self, loop: asyncio.AbstractEventLoop, number: int, _: object) -> None:
        if isinstance(self._driver, TerminalDriver):
            self._driver.free()
        loop.call_soon_threadsafe(self.end_by_signal, number)

    def on_terminal_closed(self) -> None:
        """End as on SIGHUP, which may be ignored, or go to other processes only."""
        self.end_by_signal(signal.SIGHUP)

    def end_by_signal(self, number: int) -> None:
        """End as a signal asks for it, the first one; a run is stopped before."""
        if self._ending:
            return
        self._ending = True
        self._stop_run()
        if isinstance(self._driver, TerminalDriver):
            self._driver.end_soon(128 + number)
        super().end_by_signal(number)

    def _stop_run(self) -> None:
        for run in (self._run, self.session.reading):
            if run is not None and not run.ended:
                run.stop(SECONDS_TO_STOP)

    def action_report(self) -> None:
        """Write a report for a ticket, of what the present screen shows."""
        from dockpass.ui.reporter import Reporter  # it loads every check

        if isinstance(self.screen, PanelScreen):
            Reporter(self.screen, self.session).ask()

    @property
    def _run(self) -> Runs | None:
        """The run that is on the screen."""
        from dockpass.ui.screens.run import RunScreen

        runs = [screen.run_ for screen in self.screen_stack if isinstance(screen, RunScreen)]
        return runs[-1] if runs else None

    def _keep_theme(self, name: str) -> None:
        if name == self.session.loaded.settings.theme or self.session.read_only:
            return
        try:
            save_setting(self.session.paths.settings, "theme", name)
        except DockpassError as error:
            self.notify(f"{error.message} {error.hint}", severity="warning")


def run_app(start: Start) -> int:
    """Run the screen until the person quits; return the exit status."""
    app = DockpassApp(make_session(start))
    result = app.run()
    return app.return_code if app.return_code else (result or 0)
