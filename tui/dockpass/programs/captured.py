"""A program without a terminal, beside the screen: its output is a log, and it can be cancelled."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable
from pathlib import Path

from dockpass.colours import ColourReader, Colours
from dockpass.programs.masking import MaskedStream
from dockpass.programs.process import Action, Ending, Terminal, Watch
from dockpass.programs.run import ProgramRun
from dockpass.programs.shown import ShownProgram
from dockpass.programs.survivors import survivors_of_session
from dockpass.programs.task import Task
from dockpass.runs.events import Log, LogKind
from dockpass.runs.services import Services
from dockpass.text import Lines

_LONGEST_LINE = 1 << 16
_LINE_END = rb"\r\n|\n|\r(?!\Z)"


class Apart(Watch):
    """Watches a program from any thread: it has a session of its own, and no terminal.

    No signal is heeded here, and no orphan adopted: the screen has its own handlers and other children.
    """

    adopts = False

    def __init__(self) -> None:
        super().__init__(Terminal(used=False))
        self._changing = threading.Lock()

    def __enter__(self) -> Apart:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def end(self, number: int) -> None:
        """Send a signal to the program's group; before there is a program, none is started any more."""
        with self._changing:
            if self._ended:
                self.interrupted = True
            elif self._child:
                self._send(number)
                self._send(signal.SIGCONT)  # a stopped one would not notice
            else:
                self.received = self.received or number

    def start(self, *words: object, **more: object) -> int:
        """Start the program, unless it is to end before."""
        with self._changing:
            return super().start(*words, **more)  # type: ignore[arg-type]

    def wait(self) -> Ending:
        """Wait for the program's end; a signal is not sent to its id once that may be another's."""
        os.waitid(os.P_PID, self._child, os.WEXITED | os.WNOWAIT)
        with self._changing:
            return super().wait()

    def survivors(self, directory: Path) -> tuple[int, ...]:
        """Return what is left of the program's session, and others that use its config."""
        return survivors_of_session(directory, self._child, self._others)

    def _mask(self, before: set[signal.Signals]) -> set[signal.Signals]:  # noqa: ARG002
        return set()


class LineStream(MaskedStream):
    """Hands on what a program writes line by line, masked and inert. A return begins a line too."""

    def __init__(self, secrets: frozenset[bytes], take: Callable[[str, Colours], None]) -> None:
        reading, writing = os.pipe()
        super().__init__(reading, -1, secrets)
        self._writing = writing
        self._take = take
        self._lines = Lines(_LONGEST_LINE, _LINE_END)
        self._colours = ColourReader()
        self.own_session = True
        self.actions: list[Action] = [
            (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
            *((os.POSIX_SPAWN_DUP2, writing, each) for each in (1, 2)),
        ]

    def start(self) -> None:
        """Begin to read; the program has its end of the pipe by now."""
        os.close(self._writing)
        super().start()

    def finish(self) -> None:
        """Hand on the last line too, which may have no end."""
        super().finish()
        for line, is_cut in self._lines.finish():
            self._line(line, is_cut=is_cut)

    def _written(self, data: bytes) -> bool:
        for line, is_cut in self._lines.take(data):
            self._line(line, is_cut=is_cut)
        return True

    def _line(self, raw: bytes, *, is_cut: bool) -> None:
        self._take(*self._colours.line(raw.decode("utf-8", "replace"), is_cut=is_cut))


class CapturedProgram(ShownProgram):
    """A program in a thread of its own. All methods may be called from any thread."""

    def __init__(self, task: Task, services: Services) -> None:
        super().__init__(task, services)
        self._apart = Apart()
        self._began = services.clock()
        self._run = ProgramRun(task, services, self.told, self.filled, self._streams)
        self._thread = threading.Thread(
            target=lambda: self.carry_out(self._apart, self._run), name="dockpass-program", daemon=True
        )

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def cancel(self) -> None:
        """Ask the program to end; kill it where it was asked before."""
        number = signal.SIGKILL if self.cancelled else signal.SIGTERM
        self.cancelled = True
        self._apart.end(number)

    def stop(self, timeout: float) -> bool:
        """Ask the program to end, and kill it where it has not after half of `timeout` seconds."""
        for _ in range(2):
            self.cancel()
            self._thread.join(timeout / 2)
        return not self._thread.is_alive()

    def _streams(self, secrets: frozenset[bytes]) -> LineStream:
        return LineStream(secrets, self._line)

    def _line(self, text: str, colours: Colours) -> None:
        self.feed.put(Log(self._services.clock() - self._began, LogKind.PROGRAM, text, colours))


def start_captured(task: Task, services: Services) -> CapturedProgram:
    """Start a program and return at once; its feed tells the rest."""
    program = CapturedProgram(task, services)
    program.start()
    return program
