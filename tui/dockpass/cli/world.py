"""What every command starts from: the environment, the current directory, the redactor."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dockpass.errors import UsageError
from dockpass.paths import Paths, home_directory, paths
from dockpass.secrets import Redactor
from dockpass.text import mask_before_cutting

_COERCED, _COERCED_TO = "LC_CTYPE", frozenset({"C.UTF-8", "C.utf8", "UTF-8"})


@dataclass(frozen=True)
class World:
    """The process as the command line sees it."""

    environ: Mapping[str, str] = field(repr=False)
    cwd: Path
    redactor: Redactor = field(default_factory=Redactor)

    @property
    def home(self) -> Path:
        """`HOME`, else the home directory of the user's account, as for docker."""
        return home_directory(self.environ)

    @property
    def paths(self) -> Paths:
        """Where dockpass keeps its files."""
        return paths(self.environ)


class _Process:
    """What there is once in a process, however often its world is asked for."""

    redactor = Redactor()
    read_only = False


def ask_read_only(asked: bool) -> None:
    """Note whether `--read-only` was given."""
    _Process.read_only = asked


def read_only_is_asked() -> bool:
    """Tell whether `--read-only` was given."""
    return _Process.read_only


def redacted(text: str) -> str:
    """Return `text` without any secret that this process has learned, whatever its world is like."""
    return _Process.redactor(text)


def this_process() -> World:
    """Return the world of this process; all share one redactor, which sees texts before they are cut.

    Raises `UsageError` where the current directory is gone.
    """
    mask_before_cutting(_Process.redactor)
    try:
        cwd = Path.cwd()
    except OSError as error:
        raise UsageError(
            "no-directory",
            f"The current directory cannot be used: {error.strerror}.",
            "Change to an existing directory.",
        ) from error
    return World(_environ(), cwd, _Process.redactor)


def _environ() -> dict[str, str]:
    """Return the environment as it was given: in the C locale Python adds a variable to it (PEP 538)."""
    environ = dict(os.environ)
    if environ.get(_COERCED) in _COERCED_TO and not _was_given(_COERCED):
        del environ[_COERCED]
    return environ


def _was_given(name: str) -> bool:
    """Tell whether the process began with a variable; where that is not known, it did."""
    try:
        given = Path("/proc/self/environ").read_bytes()
    except OSError:
        return True
    return f"\0{name}=".encode() in b"\0" + given
