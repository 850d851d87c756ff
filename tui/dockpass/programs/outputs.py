"""Which of a program's outputs are masked, by what they are: terminals and data only on request."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from contextlib import suppress
from enum import StrEnum
from typing import Protocol

from dockpass.programs.masking import MaskedPipe
from dockpass.programs.process import Action
from dockpass.programs.pseudo import PseudoTerminal

_IN, _OUT, _ERR = 0, 1, 2


class Mask(StrEnum):
    """What is masked: what is a log (`auto`), every output, or none."""

    AUTO = "auto"
    ALL = "all"
    NONE = "none"


class Streams(Protocol):
    """The outputs of a program: `actions` and `own_session` are for its start."""

    actions: list[Action]
    own_session: bool

    def start(self) -> None: ...

    def finish(self) -> None: ...


class Outputs:
    """The outputs of one program; `secrets` are what is masked, `terminal` the controlling one, or -1.

    `actions` are what `posix_spawn` does to the program's descriptors, `own_session` tells that one of them
    becomes a terminal of its own.
    """

    def __init__(self, mask: Mask, secrets: Iterable[bytes], terminal: int = -1) -> None:
        self._secrets = list(secrets)
        self._streams: list[MaskedPipe | PseudoTerminal] = []
        self.actions: list[Action] = []
        self.own_session = False
        if mask is Mask.NONE or not self._secrets:
            return
        if _is_one_file():
            pipe = self._pipe(_ERR)  # two pipes would change the order of what comes out
            self.actions = [(os.POSIX_SPAWN_DUP2, pipe, each) for each in (_OUT, _ERR)]
            return
        logs = (_OUT, _ERR) if mask is Mask.ALL else (_ERR,)
        self.actions = [(os.POSIX_SPAWN_DUP2, self._pipe(each), each) for each in logs if not os.isatty(each)]
        if mask is Mask.ALL and terminal >= 0 and (os.isatty(_OUT) or os.isatty(_ERR)):
            pseudo = PseudoTerminal(terminal, self._secrets)
            self._streams.append(pseudo)
            self.own_session = True
            opened = [each for each in (_IN, _OUT, _ERR) if os.isatty(each)]
            self.actions += [(os.POSIX_SPAWN_OPEN, each, pseudo.name, os.O_RDWR, 0) for each in opened]

    def _pipe(self, target: int) -> int:
        made = MaskedPipe(target, self._secrets)
        self._streams.append(made)
        return made.writing

    def start(self) -> None:
        """Begin to read what the program writes; it has its ends by now."""
        for stream in self._streams:
            stream.start()

    def finish(self) -> None:
        """Let through the rest, once the program has ended."""
        for stream in self._streams:
            stream.finish()


def _is_one_file() -> bool:
    """Tell whether both outputs go to one file or pipe, as with `2>&1`; a terminal or a device is none."""
    with suppress(OSError):
        out, err = os.fstat(_OUT), os.fstat(_ERR)
        same = (out.st_dev, out.st_ino) == (err.st_dev, err.st_ino)
        return same and not stat.S_ISCHR(out.st_mode)
    return False
