"""How a person's editor is started at a line of a file."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path, PurePath

_BEHIND_COLON = frozenset({"hx", "helix", "zed", "subl", "micro"})
"""Editors that take `FILE:LINE`; most others take `+LINE FILE`."""
_OF_CODE = frozenset({"code", "code-insiders", "codium", "cursor"})
"""Editors that take `--goto FILE:LINE`, and that come back at once unless they are told to wait."""


def editor_command(environ: Mapping[str, str], path: Path, line: int) -> list[str]:
    """Return what opens a file at a line in `$VISUAL`, else in `$EDITOR`; empty where neither names one.

    `path` is absolute, so that no name of a file is taken for an option.
    """
    named = environ.get("VISUAL") or environ.get("EDITOR") or ""
    try:
        words = shlex.split(named)
    except ValueError:  # a quotation mark without its other half
        return []
    if not words:
        return []
    program = PurePath(words[0]).name
    if program in _OF_CODE:
        wait = [] if {"-w", "--wait"} & set(words) else ["--wait"]
        return [*words, *wait, "--goto", f"{path}:{line}"]
    if program in _BEHIND_COLON:
        return [*words, f"{path}:{line}"]
    return [*words, f"+{line}", str(path)]
