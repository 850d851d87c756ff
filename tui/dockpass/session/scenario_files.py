"""The scenarios that a person may want: those of the project, and those that were opened recently."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from dockpass.git import ask_git
from dockpass.keeping import keep
from dockpass.scenario.model import SUFFIX
from dockpass.session.session import Session
from dockpass.text import clean
from dockpass.typedpath import is_readable_file

DIRECTORY = "scenarios"
"""Where a project has its scenarios, if it says nothing else."""

MOST_RECENT = 20
_MOST = 200
_MOST_LOOKED_AT = 500
_BEGINNING = 4096
_LARGEST = 1 << 16
_LONGEST = 4096
_NAME = "scenarios"
_SCHEMA = re.compile(rb"^schema[ \t]*=", re.MULTILINE)
_TABLE = re.compile(rb"^[ \t]*\[", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class ScenarioFile:
    """A file, how a command line here names it, and whether it is of the project."""

    path: Path
    name: str
    of_project: bool

    @property
    def shown(self) -> str:
        """The name, clean."""
        return clean(self.name, 300)


class Recent:
    """The scenarios that were opened or saved, the latest first, in a file of the state directory."""

    def __init__(self, state: Path) -> None:
        self._path = state / _NAME

    def paths(self) -> tuple[Path, ...]:
        """Return those that are still there; nothing where it cannot be read."""
        try:
            with self._path.open("rb") as file:
                lines = file.read(_LARGEST).decode("utf-8", "surrogateescape").splitlines()
        except OSError:
            return ()
        paths = dict.fromkeys(Path(line) for line in lines[:MOST_RECENT] if line.startswith("/"))
        return tuple(path for path in paths if is_readable_file(path))

    def remember(self, path: Path, redact: Callable[[str], str]) -> None:
        """Keep a path; not one that holds a secret, or cannot stand in one line. Raises `OSError`."""
        text = str(path.absolute())
        if not text.isprintable() or len(text) > _LONGEST or redact(text) != text:
            return
        kept = list(dict.fromkeys((text, *map(str, self.paths()))))[:MOST_RECENT]
        keep(self._path, "".join(f"{each}\n" for each in kept).encode("utf-8", "surrogateescape"))


def remember(session: Session, path: Path) -> None:
    """Keep a scenario among the recent ones; not in read-only mode, and not where that cannot be written."""
    if not session.read_only:
        with suppress(OSError):  # only the list of recent ones misses it
            Recent(session.services.state).remember(path, session.services.redactor)


def scenarios_of(session: Session) -> tuple[ScenarioFile, ...]:
    """Return the project's scenarios by name, then the recent ones from elsewhere; bounded.

    The project is the repository around this directory. The scenario that is open is always among them.
    Asks git, and reads files.
    """
    services = session.services
    cwd, environ = services.cwd, services.environ
    top = ask_git(cwd, environ, "rev-parse", "--show-toplevel")
    root = Path(top) if top else cwd
    own = sorted({path.absolute() for each in (root, cwd) for path in _in(each / DIRECTORY)})
    listed = sorted(_listed(root, environ)) if top else []
    ours = list(dict.fromkeys((*own, *listed)))[:_MOST]
    opened = [session.scenario.path.absolute()] if session.scenario is not None else []
    recent = dict.fromkeys((*opened, *Recent(services.state).paths()))
    return (
        *(ScenarioFile(path, name_of(path, cwd), True) for path in ours),
        *(ScenarioFile(path, name_of(path, cwd), False) for path in recent if path not in ours),
    )


def name_of(path: Path, cwd: Path) -> str:
    """Return how a command line in `cwd` names a file: relative where that is no detour."""
    absolute = path.absolute()
    relative = os.path.relpath(absolute, cwd)
    return str(absolute) if relative.startswith(f"..{os.sep}..{os.sep}..{os.sep}") else relative


def _in(directory: Path) -> list[Path]:
    """Return every scenario of a directory for scenarios, also one that is broken."""
    try:
        found = [entry.path for entry in os.scandir(directory) if entry.name.endswith(SUFFIX)]
    except OSError:
        return []
    return [Path(path) for path in found[:_MOST_LOOKED_AT] if is_readable_file(Path(path))]


def _listed(root: Path, environ: Mapping[str, str]) -> Iterator[Path]:
    """Yield the files of a repository that begin as scenarios do."""
    options = ("-z", "--cached", "--others", "--exclude-standard")
    names = ask_git(root, environ, "ls-files", *options, "--", f"*{SUFFIX}").split("\0")
    for name in [name for name in names if name][:_MOST_LOOKED_AT]:
        path = (root / name).absolute()
        if _begins_as_scenario(path):
            yield path


def _begins_as_scenario(path: Path) -> bool:
    try:
        if not is_readable_file(path):
            return False
        with path.open("rb") as file:
            beginning = file.read(_BEGINNING)
    except OSError:
        return False
    found, table = _SCHEMA.search(beginning), _TABLE.search(beginning)
    return found is not None and (table is None or found.start() < table.start())
