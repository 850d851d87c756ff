"""A program that has the terminal to itself: the screen is put away for it, and comes back as it was."""

from __future__ import annotations

import os
import select
import signal
import termios
from contextlib import suppress
from types import FrameType

from dockpass.marks import GLYPH_LOOK
from dockpass.programs.events import ConfigChanged, ConfigRead, LeftRunning, ProgramEnded, ProgramEvent
from dockpass.programs.lines import NAME, after, before, changed, left_running, warnings
from dockpass.programs.process import Watch
from dockpass.programs.run import Filled, ProgramRun
from dockpass.programs.shown import ShownProgram
from dockpass.programs.task import Task
from dockpass.runs.events import ConfigCreated, ConfigRemoved
from dockpass.runs.services import Services
from dockpass.signals import heeded_signals
from dockpass.ui.host import Host

BACK = "Press Enter to go back to dockpass."
_STDIN, _STDERR = 0, 2
_MODES = (
    "\x1b[?1047l"  # the alternate screen, without moving the cursor
    "\x1b[?25h\x1b[?7h"  # the cursor, and lines that wrap
    "\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?1015l\x1b[?1004l"  # the mouse, and the focus
    "\x1b[?2004l\x1b[?1l\x1b>"  # pasting, and the keys of applications
    "\x1b(B\x1b[0m\r"
)
"""What a program may have left switched on when it was killed."""


class Handed:
    """Tells of a program on the terminal that it has, and notes its events for the screen."""

    def __init__(self, task: Task, services: Services, shown: ShownProgram) -> None:
        self._task = task
        self._services = services
        self._shown = shown
        self._ended: ProgramEnded | None = None
        self._reads: int | None = None

    def filled(self, filled: Filled) -> None:
        """Take note of where the logins were found."""
        self._shown.filled(filled)

    def told(self, event: ProgramEvent) -> None:
        """Say what matters before the program and after it."""
        self._shown.told(event)
        match event:
            case ConfigCreated():
                found = warnings(self._task, self._services.environ)
                self.say(*(f"{NAME}{GLYPH_LOOK} {words}" for words in found), before(self._task, event))
            case ProgramEnded():
                self._ended = event
                _to_terminal(_MODES)
            case ConfigRead():
                self._reads = event.times
            case ConfigChanged():
                self.say(f"{NAME}{GLYPH_LOOK} {changed(event)}")
            case LeftRunning():
                self.say(f"{NAME}{GLYPH_LOOK} {left_running(event)}")
            case ConfigRemoved() if self._ended is not None:
                self.say(after(self._task, self._ended, self._reads, event))

    def say(self, *lines: str) -> None:
        """Write lines to the terminal, without the secrets that are known."""
        _to_terminal("".join(f"{self._services.redactor(line)}\n" for line in lines))


def hand_over(app: Host, task: Task, services: Services, shown: ShownProgram) -> int:
    """Run a program on the terminal; return the signal that told dockpass to end meanwhile, or 0.

    Call it in the main thread: everything else stands still until the program has ended. Raises
    `SuspendNotSupported` where the screen is not on a terminal of its own.
    """
    handed = Handed(task, services, shown)
    with app.suspend(), PlainSignals() as signals:
        watch = Watch()
        shown.carry_out(watch, ProgramRun(task, services, handed.told, handed.filled))
        signals.received = watch.told_to_end or signals.received
        if not signals.received and not task.is_shell:
            handed.say(BACK)
            signals.await_enter()
        _forget_keys()
    return signals.received


class PlainSignals:
    """Notes signals in place of the loop, which stands still and must not learn of them afterwards.

    Use it as a context manager. `received` is the last one that is to end dockpass, 0 for none. An interrupt
    ends nothing: it is for the program, and comes from the same keys.
    """

    def __init__(self) -> None:
        self.received = 0

    def __enter__(self) -> PlainSignals:
        self._woken, self._wake = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        self._earlier = signal.set_wakeup_fd(self._wake, warn_on_full_buffer=False)
        self._before = {number: signal.signal(number, self._note) for number in heeded_signals()}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
            signal.siginterrupt(number, False)  # as the loop has it
        signal.set_wakeup_fd(self._earlier)
        os.close(self._woken)
        os.close(self._wake)

    def _note(self, number: int, _frame: FrameType | None) -> None:
        if number != signal.SIGINT:
            self.received = number

    def await_enter(self) -> None:
        """Wait until a line was typed, or a signal came."""
        _forget_keys()
        with suppress(BlockingIOError):
            while os.read(self._woken, 1 << 10):
                pass
        with suppress(OSError):
            if not self.received and _STDIN in select.select([_STDIN, self._woken], [], [])[0]:
                os.read(_STDIN, 1 << 10)


def _forget_keys() -> None:
    """Drop what was typed ahead: it was meant for the program, and would do something on the screen."""
    with suppress(OSError, termios.error):
        termios.tcflush(_STDIN, termios.TCIFLUSH)


def _to_terminal(text: str) -> None:
    with suppress(OSError):
        os.write(_STDERR, text.encode("utf-8", "replace"))
