"""The real program on a pseudo-terminal."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import struct
import subprocess
import termios
import time

import pyte
from program import Program


class Terminal:
    """The program on a terminal of its own, with a screen in memory and its raw output.

    One that is not `controlling` sends no signals: none for keys, and none when it is closed.
    """

    def __init__(
        self,
        program: Program,
        *arguments: str,
        columns: int = 120,
        rows: int = 36,
        command: list[str] | None = None,
        controlling: bool = True,
        **variables: str,
    ) -> None:
        self.screen = pyte.Screen(columns, rows)
        self.stream = pyte.ByteStream(self.screen)
        self.raw = b""
        self.leader, follower = pty.openpty()
        fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        environ = program.variables(TERM="xterm-256color", COLORTERM="truecolor", **variables)
        self.child = subprocess.Popen(
            command or program.command(*arguments),
            cwd=program.work,
            env=environ,
            stdin=follower,
            stdout=follower,
            stderr=follower,
            start_new_session=True,
            preexec_fn=(lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0)) if controlling else None,
        )
        os.close(follower)

    def read(self, seconds: float = 0.05) -> None:
        """Take in what the program has written."""
        while select.select([self.leader], [], [], seconds)[0]:
            try:
                data = os.read(self.leader, 1 << 16)
            except OSError:
                return
            self.raw += data
            self.stream.feed(data)

    def shows(self, text: str, seconds: float = 20) -> bool:
        """Wait until the text stands on the screen."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            self.read()
            if any(text in line for line in self.screen.display):
                return True
        return False

    def press(self, keys: str) -> None:
        """Type."""
        os.write(self.leader, keys.encode())

    @property
    def text(self) -> str:
        """The screen's lines."""
        return "\n".join(line.rstrip() for line in self.screen.display)

    def answers(self, keys: str, *texts: str) -> str:
        """Type, wait until each text stands on the screen, and return the screen."""
        self.press(keys)
        for text in texts:
            assert self.shows(text), f"{text!r} is not on the screen:\n{self.text}"
        return self.text

    def ends(self, seconds: float = 10) -> int:
        """Wait for the end, reading meanwhile; return the exit status."""
        deadline = time.monotonic() + seconds
        while self.child.poll() is None and time.monotonic() < deadline:
            self.read()
        self.read()
        return self.child.wait(1)
