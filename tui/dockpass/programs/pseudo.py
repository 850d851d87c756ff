"""A terminal of the program's own, whose output is masked on its way to the person's terminal.

The price: the program is in a session of its own, where Ctrl-Z cannot stop it.
"""

from __future__ import annotations

import fcntl
import os
import select
import signal
import termios
import threading
import tty
from collections.abc import Iterable
from contextlib import suppress
from types import FrameType
from typing import Any

from dockpass.programs.masking import MaskedStream, blocked_thread

_CHUNK = 1 << 12


class PseudoTerminal:
    """Stands between `terminal`, the descriptor of the person's terminal, and the program."""

    def __init__(self, terminal: int, secrets: Iterable[bytes]) -> None:
        self._terminal = terminal
        self._leader, self._follower = os.openpty()
        self.name = os.ttyname(self._follower)
        termios.tcsetattr(self._follower, termios.TCSANOW, termios.tcgetattr(terminal))
        self._resize()
        self._output = MaskedStream(self._leader, terminal, secrets)
        self._woken, self._wake = os.pipe()
        self._input = threading.Thread(target=self._type, name="dockpass-keys", daemon=True)
        self._resized: Any = None

    def start(self) -> None:
        """Begin to pass on keys and output; the program has the terminal open by now."""
        os.close(self._follower)
        self._resized = signal.signal(signal.SIGWINCH, self._resize)
        self._output.start()
        if os.tcgetpgrp(self._terminal) == os.getpgrp():
            tty.setraw(self._terminal)
            blocked_thread(self._input)

    def finish(self) -> None:
        """Pass on the rest of the output, once the program has ended."""
        signal.signal(signal.SIGWINCH, self._resized)
        os.close(self._wake)
        if self._input.is_alive():
            self._input.join()
        self._output.finish()
        os.close(self._woken)

    def _resize(self, *_: int | FrameType | None) -> None:
        with suppress(OSError):
            size = fcntl.ioctl(self._terminal, termios.TIOCGWINSZ, bytes(8))
            fcntl.ioctl(self._leader, termios.TIOCSWINSZ, size)

    def _type(self) -> None:
        with suppress(OSError):
            while True:
                ready = select.select([self._terminal, self._woken], [], [])[0]
                if self._woken in ready:
                    return
                keys = os.read(self._terminal, _CHUNK)
                while keys:
                    keys = keys[os.write(self._leader, keys) :]
