"""Gather variables: the process environment, then env files, then `--set`, then `--unset`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from dockpass.auth.facts import Source, SourceKind, Variable
from dockpass.findings import Finding
from dockpass.variables.variable import assigned, variable

__all__ = ["gather", "variable"]


def gather(
    process: Mapping[str, str],
    *,
    env_files: Sequence[Path] = (),
    sets: Sequence[str] = (),
    unsets: Sequence[str] = (),
    clean_env: bool = False,
) -> dict[str, Variable]:
    """Return the variables by name, each with its source; raises `UsageError` for a bad source.

    Values stay as they are, also with bytes that are no UTF-8 (Python's surrogate escapes).
    """
    return gather_told(process, env_files=env_files, sets=sets, unsets=unsets, clean_env=clean_env)[0]


def gather_told(
    process: Mapping[str, str],
    *,
    env_files: Sequence[Path] = (),
    env_format: str | None = None,
    sets: Sequence[str] = (),
    unsets: Sequence[str] = (),
    clean_env: bool = False,
    job: Mapping[str, Variable] | None = None,
) -> tuple[dict[str, Variable], tuple[Finding, ...]]:
    """Return what `gather` returns, and what to say of the files; `env_format` names their format.

    `job` are the variables of a job, which then stand in place of the process environment.
    """
    variables: dict[str, Variable] = dict(job or {})
    told: list[Finding] = []
    clean_env = clean_env or job is not None
    if not clean_env:
        source = Source(SourceKind.PROCESS)
        variables = {name: variable(name, value, source) for name, value in process.items()}
    for path in env_files:
        from dockpass.variables.envsource import read_env_source  # the readers take a moment to load

        read, notes = read_env_source(path, {} if clean_env else process, env_format)
        variables |= read
        told += notes
    for assignment in sets:
        name, value = assigned(assignment, process)
        variables[name] = variable(name, value, Source(SourceKind.SET))
    for name in unsets:
        variables.pop(name, None)
    return variables, tuple(told)
