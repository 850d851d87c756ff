"""act's files: `.secrets`, `.vars` and `.env` in godotenv's dialect, or a flat map if the name ends so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from dockpass.variables.formats.godotenv import read_godotenv
from dockpass.variables.formats.reading import Name, Reading
from dockpass.variables.formats.yaml_files import read_flat_yaml


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
