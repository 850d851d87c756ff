"""Reading variables from a file or a paste for the screen: what would be imported, before it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dockpass.session.desk import Imported
from dockpass.text import clean
from dockpass.variables.formats.catalogue import FORMATS, no_variables, read, read_variables_file
from dockpass.variables.formats.detect import propose
from dockpass.variables.formats.reading import Entry, Reading
from dockpass.variables.gitlab.model import Level

LEVELS = (Level.PROJECT, Level.GROUP, Level.INSTANCE, Level.PIPELINE, Level.DOTENV)
"""The levels that imported variables can have, in the order in which they are offered."""

_LEVEL_OF = {"gitlab-json": Level.PROJECT, "glab": Level.PROJECT, "gitlab-report": Level.DOTENV}
_HINT = "Give a file with variables, or a job's log; or paste its text here."


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A text that was read and not imported yet: `label` says where from, `because` tells the format."""

    label: str
    text: str = field(repr=False)
    format: str
    because: str
    level: Level
    reading: Reading = field(repr=False)
    path: Path | None = None

    @property
    def taken(self) -> tuple[Entry, ...]:
        """The variables that would be imported: the last of each name and scope."""
        usable = (each for each in self.reading.entries if each.key.isprintable() and "\0" not in each.key)
        return tuple({(each.key, each.scope): each for each in usable}.values())

    def imported(self) -> Imported:
        """Return what is imported."""
        definitions = tuple(each.definition(self.level, self.label) for each in self.taken)
        return Imported(label=self.label, definitions=definitions, path=self.path, format=self.format)


def read_draft(path: Path, label: str, environ: Mapping[str, str]) -> Draft:
    """Read a file; raises `UsageError` where it cannot be read or has no variables."""
    return draft_of(read_variables_file(path, clean(label, 200), _HINT), label, environ, path=path)


def draft_of(
    text: str,
    label: str,
    environ: Mapping[str, str],
    named: str | None = None,
    path: Path | None = None,
) -> Draft:
    """Read a text in the format that is named, else in the one that it probably has; raises `UsageError`.

    `path` is the file that it was read from.
    """
    proposal = propose(text, label)
    chosen = named or proposal.format
    reading = read(chosen, text, environ)
    draft = Draft(
        label=clean(label, 200),
        text=text,
        format=chosen,
        because="you chose it" if named else proposal.because,
        level=_LEVEL_OF.get(chosen, Level.PIPELINE),
        reading=reading,
        path=path,
    )
    if named is None and not draft.taken:
        raise no_variables(draft.label, chosen, _HINT)
    return draft


def formats() -> Mapping[str, str]:
    """Return each format with one sentence on it."""
    return {name: each.means for name, each in FORMATS.items()}
