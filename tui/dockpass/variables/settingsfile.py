"""A file with variables of one level, in any format; the API's JSON has flags and scopes too."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from dockpass.errors import UsageError
from dockpass.text import clean
from dockpass.variables.gitlab.model import Definition, Level

_API_JSON = "gitlab-json"


def read_settings(path: Path, level: Level, format_: str = "") -> Iterator[Definition]:
    """Yield the variables of a file with the line of each; without a format, in the one it probably has.

    Raises `UsageError` where the file cannot be read so.
    """
    from dockpass.variables.formats.catalogue import (  # only a file needs them
        FORMATS,
        read,
        read_variables_file,
    )
    from dockpass.variables.formats.detect import propose

    shown = clean(str(path))
    text = read_variables_file(path, shown, _hint(format_))
    name = format_ or propose(text, str(path)).format
    reading = read(name, text)
    refused = next((each for each in reading.problems if each.refuses), None)
    if refused is not None or not (reading.entries or text.strip() in {"", "[]"}):
        why = refused.message if refused is not None else "it has no variables"
        line = f":{refused.line}" if refused is not None and refused.line else ""
        raise UsageError(
            "variables-file-invalid",
            f"{shown}{line} cannot be read as {FORMATS[name].means} ({name}): {why.rstrip('.')}.",
            _hint(format_ or (name if name == _API_JSON else "")),
        )
    for entry in reading.entries:
        definition = entry.definition(level, clean(path.name, 200))
        yield replace(definition, origin=path.stem if level is Level.GROUP else "")


def _hint(format_: str) -> str:
    """Return what to do about a file; `format_` is empty where any format will do."""
    if not format_:
        return "Give a file with variables, such as the answer of GitLab's variables API."
    if format_ == _API_JSON:
        return "Save the answer of GitLab's variables API to the file."
    return "Check the path of the file and the kind that is given for it."
