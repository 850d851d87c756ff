"""Which of a program's outputs are masked, by what they are: a terminal never is, data only on request."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable
from contextlib import suppress
from enum import StrEnum

from dockpass.programs.masking import MaskedPipe
from dockpass.programs.process import Redirected

_OUT, _ERR = 1, 2


class Mask(StrEnum):
    """What is masked: what is a log (`auto`), every output, or none."""

    AUTO = "auto"
    ALL = "all"
    NONE = "none"


class Outputs:
    """The outputs of one program; with `secrets` in every spelling that is to be masked."""

    def __init__(self, mask: Mask, secrets: Iterable[bytes]) -> None:
        self._secrets = list(secrets)
        self._pipes: list[MaskedPipe] = []
        self.redirected: Redirected = ()
        if mask is Mask.NONE or not self._secrets:
            return
        if _is_one_file():
            pipe = self._pipe(_ERR)  # two pipes would change the order of what comes out
            self.redirected = ((pipe, _OUT), (pipe, _ERR))
        else:
            masked = (_OUT, _ERR) if mask is Mask.ALL else (_ERR,)
            self.redirected = tuple((self._pipe(each), each) for each in masked if not os.isatty(each))

    def _pipe(self, target: int) -> int:
        made = MaskedPipe(target, self._secrets)
        self._pipes.append(made)
        return made.writing

    def start(self) -> None:
        """Begin to read what the program writes; it has its ends by now."""
        for pipe in self._pipes:
            pipe.start()

    def finish(self) -> None:
        """Let through the rest, once the program has ended."""
        for pipe in self._pipes:
            pipe.finish()


def _is_one_file() -> bool:
    """Tell whether both outputs go to one file or pipe, as with `2>&1`; a terminal or a device is none."""
    with suppress(OSError):
        out, err = os.fstat(_OUT), os.fstat(_ERR)
        same = (out.st_dev, out.st_ino) == (err.st_dev, err.st_ino)
        return same and not stat.S_ISCHR(out.st_mode)
    return False
