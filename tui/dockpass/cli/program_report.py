"""`--report`: what happens to a program, as JSON lines in a file or a descriptor of the person's own."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from dockpass.cli.narrate import event_json
from dockpass.cli.output import redacted
from dockpass.cli.world import World
from dockpass.errors import UsageError
from dockpass.programs.events import ProgramEvent
from dockpass.text import clean

_DESCRIPTOR = "fd:"


@contextmanager
def opened_report(name: str | None, world: World) -> Iterator[Callable[[ProgramEvent], None]]:
    """Yield what writes an event; raises `UsageError` where the report cannot be written."""
    if name is None:
        yield lambda _: None
        return
    try:
        handle = _opened(name, world)
    except (OSError, ValueError, OverflowError) as error:
        words = (error.strerror if isinstance(error, OSError) else None) or "it is no number of a descriptor"
        raise UsageError(
            "report-unwritable",
            f"--report {clean(name, 200)} cannot be written: {clean(words)}.",
            "Give a file, or fd:3 with 3> FILE behind the command.",
        ) from error

    def write(event: ProgramEvent) -> None:
        line = json.dumps(redacted(event_json(event), world.redactor), ensure_ascii=False)
        with suppress(OSError):  # a reader that went away is no reason to leave the program alone
            file.write(f"{line}\n".encode("utf-8", "replace"))

    with os.fdopen(handle, "wb", buffering=0) as file:
        yield write


def _opened(name: str, world: World) -> int:
    if name.startswith(_DESCRIPTOR):
        number = int(name.removeprefix(_DESCRIPTOR))
        handle = os.dup(number)
        os.set_inheritable(number, False)  # the program is not to write there
        return handle
    return os.open(world.cwd / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
