"""A program as a child process: it has the terminal and the signals that it would have without dockpass.

With a terminal it is in dockpass's own process group, so that Ctrl-C and Ctrl-Z reach it from the
terminal, and only once. Without one it leads a group of its own, which gets each signal once. All of this
happens in the main thread, the only one in which Python runs signal handlers.
"""

from __future__ import annotations

import errno
import os
import signal
import termios
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

from dockpass.programs.find import not_executable
from dockpass.programs.survivors import reap_orphans, survivors
from dockpass.text import clean

_FROM_TERMINAL = (signal.SIGINT, signal.SIGQUIT, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU)
_PASSED_ON = (signal.SIGHUP, signal.SIGTERM, signal.SIGUSR1, signal.SIGUSR2, signal.SIGCONT)
_ENDING = frozenset({signal.SIGINT, signal.SIGQUIT, signal.SIGHUP, signal.SIGTERM})
_DIED_OF = _ENDING
"""Where a program dies of one of these, dockpass dies of it too, so that a shell's loop ends."""

Action = tuple[Any, ...]
"""What `posix_spawn` does to a descriptor of the program."""


@dataclass(frozen=True, slots=True)
class Ending:
    """How a program ended: with an exit status, or by a signal."""

    status: int
    signal: int = 0

    @property
    def exit_status(self) -> int:
        """The status as shells count it: 128 + n for signal n."""
        return 128 + self.signal if self.signal else self.status

    @property
    def in_words(self) -> str:
        """What became of the program."""
        if not self.signal:
            return f"exited with status {self.status}"
        return f"was ended by {_name_of(self.signal)}"


def _name_of(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"  # a real-time one


class Watch:
    """Holds back the signals that would end dockpass, from before the config to after its removal.

    Use it as a context manager. `received` is the first signal that came before there was a program,
    `interrupted` tells whether one came after its end, and `told_to_end` is the last TERM or HUP, at any time
    (0 for none): what comes from the keys of a terminal is for the program.
    """

    adopts = True
    """Whether dockpass becomes the parent of what outlives its own one."""

    def __init__(self, terminal: Terminal | None = None) -> None:
        self.received = 0
        self.terminal = terminal or Terminal()
        self.interrupted = False
        self.told_to_end = 0
        self._child = 0
        self._others = frozenset[int]()
        self._own_session = False
        self._before: dict[int, Any] = {}
        self._ended = False

    def __enter__(self) -> Watch:
        for number in (*_FROM_TERMINAL, *_PASSED_ON):
            if signal.getsignal(number) is not signal.SIG_IGN:
                self._before[number] = signal.signal(number, self._handle)
        self._before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, self._reap)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self.terminal.close()

    def _handle(self, number: int, _frame: FrameType | None) -> None:
        if number in {signal.SIGTERM, signal.SIGHUP}:
            self.told_to_end = number
        if self._ended:
            self.interrupted = self.interrupted or number in _ENDING
        elif not self._child:
            if number in _ENDING:
                self.received = self.received or number
        elif self.terminal.is_there and number in _FROM_TERMINAL:
            pass  # the terminal sends it to the whole group, the program included
        else:
            self._send(number)

    def _reap(self, _number: int, _frame: FrameType | None) -> None:
        """Take note of the end of an orphan that was adopted, so that it does not stay as a zombie."""
        if self._child and not self._ended:
            reap_orphans(self._others | {self._child})

    def _send(self, number: int) -> None:
        with suppress(ProcessLookupError, PermissionError):
            if self.terminal.is_there:
                os.kill(self._child, number)
            else:
                os.killpg(self._child, number)

    def start(
        self,
        path: str,
        argv: Sequence[str],
        environ: Mapping[str, str],
        actions: Sequence[Action] = (),
        others: frozenset[int] = frozenset(),
        *,
        own_session: bool = False,
    ) -> int:
        """Start the program and return its process id, or 0 if a signal came that is to end it all.

        `others` are child processes of dockpass that somebody else waits for. With a session of its own, the
        first terminal among `actions` is the program's, and what is typed there reaches it alone.
        Raises `NotExecutable` where the system refuses the program.
        """
        group: dict[str, Any] = {} if self.terminal.is_there else {"setpgroup": 0}
        if own_session:
            group = {"setsid": True}
        self._others, self._own_session = others, own_session
        with _blocked() as before:
            if self.received:
                return 0

            def spawned(path: str, argv: Sequence[str]) -> int:
                return os.posix_spawn(
                    path,
                    list(argv),
                    dict(environ),
                    file_actions=list(actions),
                    setsigmask=self._mask(before),
                    setsigdef=[signal.SIGPIPE, signal.SIGXFSZ],  # which Python ignores for itself
                    **group,
                )

            try:
                try:
                    self._child = spawned(path, argv)
                except OSError as error:
                    if error.errno != errno.ENOEXEC:
                        raise
                    self._child = spawned("/bin/sh", ["/bin/sh", path, *argv[1:]])  # as execvp does
            except (OSError, ValueError) as error:
                words = (error.strerror if isinstance(error, OSError) else None) or str(error)
                raise not_executable(
                    f"{clean(path)} cannot be started: {clean(words)}.",
                    "Check the interpreter in its first line and the architecture that it is made for.",
                ) from error
        return self._child

    def _mask(self, before: set[signal.Signals]) -> set[signal.Signals]:
        """Return the signals that are blocked for the program: those that are for this thread."""
        return before

    def survivors(self, directory: Path) -> tuple[int, ...]:
        """Return the processes that outlive the program and may use the config in `directory`."""
        return survivors(directory, self._others)

    def wait(self) -> Ending:
        """Wait for the program's end; where it is stopped on a terminal, dockpass stops with it."""
        while True:
            _, status = os.waitpid(self._child, os.WUNTRACED)
            if not os.WIFSTOPPED(status):
                self._ended = True
                break
            if self.terminal.is_there and not self._own_session:
                os.kill(os.getpid(), signal.SIGSTOP)
                self._send(signal.SIGCONT)  # who continued dockpass may not have meant its group
        self.terminal.restore()
        if os.WIFSIGNALED(status):
            return Ending(0, os.WTERMSIG(status))
        return Ending(os.WEXITSTATUS(status))


@contextmanager
def _blocked() -> Iterator[set[signal.Signals]]:
    """Let signals wait while the program is started: none is lost between two processes."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        yield {number for number in before if isinstance(number, signal.Signals)}
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class Terminal:
    """The controlling terminal, if there is one, and the modes that it had. `handle` is -1 without one."""

    def __init__(self, *, used: bool = True) -> None:
        self.handle = -1
        self._modes: list[Any] | None = None
        if not used:
            return
        with suppress(OSError, termios.error):
            self.handle = os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY | os.O_CLOEXEC)
            self._modes = termios.tcgetattr(self.handle)

    @property
    def is_there(self) -> bool:
        """Whether signals of a terminal can reach the program."""
        return self.handle >= 0

    def restore(self) -> None:
        """Give the terminal its modes again; take it back from a group that died with it."""
        if self._modes is None:
            return
        with suppress(OSError, termios.error), _blocked():
            holder = os.tcgetpgrp(self.handle)
            if holder != os.getpgrp() and _is_dead(holder):
                os.tcsetpgrp(self.handle, os.getpgrp())
                holder = os.getpgrp()
            if holder == os.getpgrp():
                termios.tcsetattr(self.handle, termios.TCSADRAIN, self._modes)

    def close(self) -> None:
        """Let go of it."""
        if self.handle >= 0:
            os.close(self.handle)
            self.handle = -1


def _is_dead(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def die_of(number: int) -> None:
    """End this process by a signal, if it is one of which shells should learn; else return."""
    if number in _DIED_OF:
        signal.signal(number, signal.SIG_DFL)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {number})
        os.kill(os.getpid(), number)
