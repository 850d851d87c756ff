"""Opens a file of this machine in the person's own editor."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

from textual.app import SuspendNotSupported

from dockpass.editing import editor_command
from dockpass.readonly import Act
from dockpass.session.session import Session
from dockpass.text import clean
from dockpass.ui.host import forbids
from dockpass.ui.screens.base import PanelScreen


def edit_file(
    screen: PanelScreen, session: Session, path: Path, line: int, changed: Callable[[], None]
) -> None:
    """Open a file at a line; `changed` is called after the editor. Says so where none can be started."""
    if forbids(screen.app, Act.PROGRAM):
        return
    command = editor_command(session.services.environ, path, line)
    where = f"{clean(str(path), 300)}:{line}"
    if not command:
        screen.notify(f"{where}. Set EDITOR to open it from here.", timeout=8)
        return
    try:
        with screen.app.suspend():
            subprocess.run(command, check=False)
    except SuspendNotSupported:
        screen.notify(f"{where}. This terminal cannot be lent to an editor.", timeout=8)
    except OSError as error:
        program = clean(command[0], 200)
        screen.notify(f"{program} cannot be started: {error.strerror}. The line is {where}.", timeout=8)
    else:
        changed()
