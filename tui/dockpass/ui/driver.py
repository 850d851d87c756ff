"""The terminal that the screen is drawn on: stderr or stdout, for as long as it is there."""

from __future__ import annotations

import os
import select
import sys
import threading
from codecs import getincrementaldecoder
from contextlib import suppress
from queue import Queue
from typing import Any, TextIO

from textual.drivers.linux_driver import LinuxDriver
from textual.message import Message

from dockpass.ui.pasting import WholePastes

READ_AT_ONCE = 1 << 16
SECONDS_FOR_THE_LAST_FRAME = 1.0
SECONDS_TO_LEAVE = 4.0
"""So long may the end of the screen take after a signal."""


class Output:
    """A terminal to write to. What it cannot take any more, because it was closed, is dropped.

    Textual's writer would end with the first error, and the screen then wait for it forever.
    """

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._gone = False

    def write(self, text: str) -> None:
        """Write all of a text; no buffer keeps a part of it, nor a lock that the end would wait for."""
        data = text.encode(self._file.encoding or "utf-8", "replace")
        while data and not self._gone:
            try:
                data = data[os.write(self.fileno(), data) :]
            except BlockingIOError:
                select.select([], [self.fileno()], [])
            except (OSError, ValueError):
                self._gone = True

    def flush(self) -> None:
        """Do nothing: there is no buffer."""

    def fileno(self) -> int:
        """Return the descriptor."""
        return self._file.fileno()


class TerminalClosed(Message):
    """The terminal was closed: no key comes from it any more."""


class TerminalDriver(LinuxDriver):
    """Textual's driver: on stdout where stderr is a file, and not held up by a terminal that stands still.

    It takes a paste as one text (`pasting`). It sends `TerminalClosed`, once. Textual's own would read
    nothing from a closed terminal again and again.
    """

    _file: Any

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        streams = [each for each in (sys.__stderr__, sys.__stdout__) if each is not None]
        terminal = next((each for each in streams if each.isatty()), None)
        if terminal is not None:
            self._file = Output(terminal)
        self._last: threading.Timer | None = None
        threading.Thread(target=self._await_hangup, daemon=True).start()

    def run_input_thread(self) -> None:
        """Read keys and pastes. A paste is one text, and bytes that are no UTF-8 end no screen."""
        parser = WholePastes(self._debug)
        decode = getincrementaldecoder("utf-8")("replace").decode
        is_last = False
        while not is_last:
            is_last = self.exit_event.is_set()
            ready, _, _ = select.select([self.fileno], [], [], 0.1)
            try:
                text = decode(os.read(self.fileno, READ_AT_ONCE), is_last) if ready else ""
            except OSError:
                return  # the terminal was closed, and `_await_hangup` says so
            for message in (*parser.feed(text), *parser.tick()):
                self.process_message(message)

    def _await_hangup(self) -> None:
        """Wait until the terminal is closed: not every process gets a signal then."""
        closed = select.poll()
        closed.register(self.fileno, 0)  # a hangup is reported whatever is asked for
        if closed.poll()[0][1] & (select.POLLHUP | select.POLLERR):  # else there are systems that cannot tell
            with suppress(RuntimeError):  # the screen has ended, and its loop with it
                self._loop.call_soon_threadsafe(self._app.post_message, TerminalClosed())

    def free(self) -> None:
        """Let the screen go on though the terminal takes nothing, so that it hears the signal to end.

        It is called by a handler of signals, whose thread may hold the lock that is needed for it.
        """
        if self._writer_thread is not None:
            threading.Thread(target=_unbind, args=(self._writer_thread._queue,), daemon=True).start()

    def end_soon(self, status: int) -> None:
        """End the process a moment later, if it waits until then for a terminal that takes nothing.

        What Textual says at the end goes to that terminal too. All that a run has made is removed before.
        """
        self._last = threading.Timer(SECONDS_TO_LEAVE, os._exit, (status,))
        self._last.daemon = True
        self._last.start()

    def leave(self) -> None:
        """Leave the process to what comes after the screen; no thread of the screen holds its end."""
        if self._last is not None:
            self._last.cancel()
        self.exit_event.set()

    def close(self) -> None:
        """Wait for the last frame, but not for a terminal that stands still."""
        if self._writer_thread is not None:
            _unbind(self._writer_thread._queue)
            self._writer_thread._queue.put(None)
            self._writer_thread.join(SECONDS_FOR_THE_LAST_FRAME)
            if self._writer_thread.is_alive():
                _give_up_terminal()


def _give_up_terminal() -> None:
    """Let what is still written go nowhere: a terminal that stands still would hold the process's end."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for number in (1, 2):
        if os.isatty(number):
            os.dup2(nowhere, number)
    os.close(nowhere)


def _unbind(queue: Queue[str | None]) -> None:
    """Let a queue take any number of texts, and wake who waits for room in it."""
    with queue.mutex:
        queue.maxsize = sys.maxsize
        queue.not_full.notify_all()
