"""The work of `dockpass vars export`: a job's variables in the format of another program."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from dockpass.cli.variables import Looked
from dockpass.errors import UsageError
from dockpass.marks import GLYPH_DONE, GLYPH_LOOK
from dockpass.text import clean, plural
from dockpass.variables.formats.writing import WRITERS, Export, Written, write
from dockpass.variables.gitlab.model import OF_GITLAB, Resolved
from dockpass.variables.logins import is_secret

_MOST_TOLD = 10


def export(looked: Looked, name: str, *, everything: bool, with_secrets: bool) -> Export:
    """Return the job's variables in a format; a secret is masked unless it is asked for.

    Raises `UsageError` for a format that is not written.
    """
    if name not in WRITERS:
        raise UsageError(
            "export-format",
            f"--format {clean(name, 80)}: there is no such format to write.",
            f"Give one of: {', '.join(WRITERS)}.",
        )
    return write(
        name,
        [
            _written(key, found, with_secrets=with_secrets)
            for key, found in sorted(looked.view.variables.items())
            if everything or found.winner.level not in OF_GITLAB
        ],
    )


def _written(name: str, found: Resolved, *, with_secrets: bool) -> Written:
    value = found.value if found.content is None else found.content
    if is_secret(name, found) and not with_secrets and isinstance(value, str) and value:
        return Written(name=name, value=None, definition=found.winner)
    return Written(name=name, value=value, definition=found.winner)


def notes(found: Export, path: Path | None) -> Iterator[str]:
    """Yield what is not in the text, and where it went."""
    if path is not None:
        variables = plural(found.count, "variable")
        yield f"{GLYPH_DONE} {variables} in {clean(str(path))}, for you alone (mode 0600)"
    if found.masked:
        names = ", ".join(clean(name, 80) for name in found.masked[:_MOST_TOLD])
        more = f" and {len(found.masked) - _MOST_TOLD} more" if len(found.masked) > _MOST_TOLD else ""
        yield f"{GLYPH_LOOK} masked: {names}{more}; --with-secrets --output FILE writes them"
    for each in found.left_out[:_MOST_TOLD]:
        yield f"{GLYPH_LOOK} {each.name} is left out: {each.why}"
    if len(found.left_out) > _MOST_TOLD:
        yield f"{GLYPH_LOOK} {len(found.left_out) - _MOST_TOLD} more are left out"
