"""How an editor is started at a line."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockpass.editing import editor_command

FILE = Path("/srv/app/.gitlab-ci.yml")


@pytest.mark.parametrize(
    ("environ", "command"),
    [
        ({"EDITOR": "vim"}, ["vim", "+18", str(FILE)]),
        ({"EDITOR": "/usr/bin/nano -w"}, ["/usr/bin/nano", "-w", "+18", str(FILE)]),
        ({"EDITOR": "vi", "VISUAL": "emacs -nw"}, ["emacs", "-nw", "+18", str(FILE)]),
        ({"EDITOR": "code"}, ["code", "--wait", "--goto", f"{FILE}:18"]),
        ({"EDITOR": "code -w"}, ["code", "-w", "--goto", f"{FILE}:18"]),
        ({"EDITOR": "hx"}, ["hx", f"{FILE}:18"]),
        ({"EDITOR": "'/opt/my editor/ed' -x"}, ["/opt/my editor/ed", "-x", "+18", str(FILE)]),
        ({"EDITOR": "", "VISUAL": ""}, []),
        ({"EDITOR": "  "}, []),
        ({"EDITOR": "vim '"}, []),
        ({}, []),
    ],
)
def test_the_editor_is_the_persons_own(environ: dict[str, str], command: list[str]) -> None:
    assert editor_command(environ, FILE, 18) == command
