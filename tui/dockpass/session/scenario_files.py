"""The scenarios that a person may want: those of the project, and those that were opened lately."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from dockpass.keeping import keep
from dockpass.scenario.model import SUFFIX
from dockpass.session.session import Session
from dockpass.text import clean
from dockpass.variables.clone import Clone

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
        return tuple(path for path in paths if path.is_file())

    def remember(self, path: Path, redact: Callable[[str], str]) -> None:
        """Keep a path; not one that holds a secret, or cannot stand in one line. Raises `OSError`."""
        text = str(path.absolute())
        if not text.isprintable() or len(text) > _LONGEST or redact(text) != text:
            return
        kept = list(dict.fromkeys((text, *map(str, self.paths()))))[:MOST_RECENT]
        keep(self._path, "".join(f"{each}\n" for each in kept).encode("utf-8", "surrogateescape"))


def scenarios_of(session: Session) -> tuple[ScenarioFile, ...]:
    """Return the scenarios for a session, whatever it looks at now. Asks git, and reads files."""
    desk = session.scenario.before.desk if session.scenario is not None else session.desk
    services = session.services
    return scenario_files(desk.clone or session.find_clone(), services.cwd, Recent(services.state))


def scenario_files(clone: Clone | None, cwd: Path, recent: Recent) -> tuple[ScenarioFile, ...]:
    """Return the project's scenarios by name, then the recent ones from elsewhere; bounded."""
    roots = [clone.root] if clone is not None else []
    own = sorted({path.absolute() for root in (*roots, cwd) for path in _in(root / DIRECTORY)})
    listed = [] if clone is None else sorted(_listed(clone))
    ours = list(dict.fromkeys((*own, *listed)))[:_MOST]
    others = [path for path in recent.paths() if path not in ours]
    return (
        *(ScenarioFile(path, name_of(path, cwd), True) for path in ours),
        *(ScenarioFile(path, name_of(path, cwd), False) for path in others),
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
    return [Path(path) for path in found[:_MOST_LOOKED_AT] if Path(path).is_file()]


def _listed(clone: Clone) -> Iterator[Path]:
    """Yield the files elsewhere in the project that begin as scenarios do."""
    names = [name for name in clone.paths() or () if name.endswith(SUFFIX)]
    for name in names[:_MOST_LOOKED_AT]:
        path = (clone.root / name).absolute()
        if _begins_as_scenario(path):
            yield path


def _begins_as_scenario(path: Path) -> bool:
    try:
        if not path.is_file():
            return False
        with path.open("rb") as file:
            beginning = file.read(_BEGINNING)
    except OSError:
        return False
    found, table = _SCHEMA.search(beginning), _TABLE.search(beginning)
    return found is not None and (table is None or found.start() < table.start())
