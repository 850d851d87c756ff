"""A file with variables of one level, in any format; the API's JSON has flags and scopes too."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from dockpass.errors import UsageError
from dockpass.text import clean
from dockpass.textfile import read_bytes_of
from dockpass.variables.gitlab.model import Definition, Level


def read_settings(path: Path, level: Level, format_: str = "") -> Iterator[Definition]:
    """Yield the variables of a file with the line of each; without a format, in the one it probably has.

    Raises `UsageError` where the file cannot be read so.
    """
    from dockpass.variables.envsource import LARGEST
    from dockpass.variables.formats.catalogue import FORMATS, read  # only a file needs them
    from dockpass.variables.formats.detect import propose
    from dockpass.variables.formats.reading import decode

    shown = clean(str(path))
    raw = read_bytes_of(
        path, "variables-file", "Save the answer of GitLab's variables API to a file.", LARGEST
    )
    if len(raw) > LARGEST:
        raise UsageError("variables-file-large", f"{shown} is larger than 16 MiB.", "Give a smaller file.")
    text, _ = decode(raw)
    name = format_ or propose(text, str(path)).format
    reading = read(name, text)
    refused = next((each for each in reading.problems if each.refuses), None)
    if refused is not None or not (reading.entries or text.strip() in {"", "[]"}):
        why = refused.message if refused is not None else "it has no variables"
        line = f":{refused.line}" if refused is not None and refused.line else ""
        raise UsageError(
            "variables-file-invalid",
            f"{shown}{line} cannot be read as {FORMATS[name].means} ({name}): {why.rstrip('.')}.",
            "Save the answer of GET /projects/ID/variables to a file.",
        )
    for entry in reading.entries:
        definition = entry.definition(level, clean(path.name, 200))
        yield replace(definition, origin=path.stem if level is Level.GROUP else "")
