"""What is said of a temporary config, in a run and around any program: apart, for `exec` loads only this."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ConfigCreated:
    """The temporary docker config stands. `hosts` are the keys in it, never a secret."""

    at: float
    path: str
    directory_mode: str
    file_mode: str
    on_tmpfs: bool
    where: str
    hosts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ConfigRemoved:
    """The directory was removed, then looked for: `gone` tells what was seen."""

    at: float
    path: str
    gone: bool
    detail: str
