"""`--report`: what happens to a program, as JSON lines in a file or a descriptor of the person's own."""

from __future__ import annotations

import errno
import fcntl
import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from dockpass.cli.output import Output
from dockpass.cli.world import World
from dockpass.errors import UsageError
from dockpass.marks import GLYPH_LOOK
from dockpass.programs.events import ProgramEvent
from dockpass.programs.lines import NAME
from dockpass.redacting import redacted
from dockpass.system import reason
from dockpass.text import clean

_DESCRIPTOR = "fd:"


@contextmanager
def opened_report(name: str | None, world: World) -> Iterator[Callable[[ProgramEvent], None]]:
    """Yield what writes an event; raises `UsageError` where the report cannot be written.

    Nothing that is lost later ends the program: it is told on stderr at the end.
    """
    if name is None:
        yield lambda _: None
        return
    from dockpass.cli.narrate import event_json

    try:
        handle = _opened(name, world)
    except (OSError, ValueError, OverflowError) as error:
        words = (error.strerror if isinstance(error, OSError) else None) or "that is no descriptor's number"
        raise UsageError(
            "report-unwritable",
            f"--report {clean(name, 200)} cannot be written: {clean(words)}.",
            "Give a file, or fd:3 with 3> FILE behind the command.",
        ) from error

    lost: list[str] = []

    def write(event: ProgramEvent) -> None:
        text = json.dumps(redacted(event_json(event), world.redactor), ensure_ascii=False)
        line = f"{text}\n".encode("utf-8", "replace")
        try:
            if file.write(line) != len(line):
                lost.append("not all of it was taken")
        except BrokenPipeError:
            lost.append("its reader has gone away")
        except OSError as error:
            lost.append(reason(error))

    with os.fdopen(handle, "wb", buffering=0) as file:
        try:
            yield write
        finally:
            if lost:
                _tell(f"{NAME}{GLYPH_LOOK} --report {clean(name, 200)} is incomplete: {lost[0]}", world)


def _tell(line: str, world: World) -> None:
    with suppress(OSError, ValueError):  # stderr may be gone
        Output(world.redactor).warn([line])


def _opened(name: str, world: World) -> int:
    if name.startswith(_DESCRIPTOR):
        number = int(name.removeprefix(_DESCRIPTOR))
        if fcntl.fcntl(number, fcntl.F_GETFL) & os.O_ACCMODE == os.O_RDONLY:
            raise OSError(errno.EBADF, "it is open for reading only")
        handle = os.dup(number)
        os.set_inheritable(number, False)  # the program is not to write there
        return handle
    return os.open(world.cwd / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
