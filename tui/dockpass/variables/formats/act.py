"""act's files: `.secrets`, `.vars` and `.env` in godotenv's dialect, or a flat map if the name ends so."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from dockpass.variables.formats.godotenv import read_godotenv
from dockpass.variables.formats.reading import Name, Reading
from dockpass.variables.formats.yaml_files import read_flat_yaml
from dockpass.variables.gitlab.model import Value


def read_act_secrets(text: str, environ: Mapping[str, str]) -> Reading:
    """Read act's secrets, in either form; their names count in upper case."""
    return _upper(read_godotenv(text, environ))


def read_act_secrets_yaml(text: str, environ: Mapping[str, str]) -> Reading:
    """Read act's secrets from a flat YAML map."""
    return _upper(read_flat_yaml(text, environ))


def _upper(reading: Reading) -> Reading:
    entries = tuple(replace(entry, key=entry.key.upper()) for entry in reading.entries)
    names = tuple(Name(name.key.upper(), name.line, name.inherits) for name in reading.names)
    return replace(reading, entries=entries, names=names)


def act_secrets(
    reading: Reading, given: Sequence[str], environ: Mapping[str, str]
) -> tuple[dict[str, Value], tuple[str, ...]]:
    """Return the secrets of a file with those of `-s`, which win, and the names that act would ask for."""
    secrets: dict[str, Value] = dict(reading.values())
    asked: list[str] = []
    for each in given:
        name, equals, value = each.partition("=")
        name = name.upper()
        value = value if equals else environ.get(name, "")
        if equals or value:
            secrets[name] = value
        else:
            asked.append(name)
    return secrets, tuple(asked)
