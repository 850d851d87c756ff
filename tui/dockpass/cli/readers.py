"""`dockpass config`: what each reader of docker's config finds for a registry, as text and as JSON."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from dockpass.auth.decide import value_unknown
from dockpass.auth.facts import Facts
from dockpass.cli.context import Given, sources_of
from dockpass.cli.table import columns
from dockpass.cli.world import World
from dockpass.dockerconfig.readers.compare import disagreements
from dockpass.dockerconfig.readers.model import Candidate, Reader, Reading, SecretKind, Verdict
from dockpass.dockerconfig.readers.read import config_problems, known_hosts, read
from dockpass.dockerconfig.readers.situation import Situation, Target, parse_target
from dockpass.dockerconfig.readers.words import (
    MARKS,
    NAMING_VARIABLES,
    verdict_short,
    verdict_words,
    who,
)
from dockpass.findings import Finding
from dockpass.marks import GLYPH_FAILED, GLYPH_LOOK, GLYPH_NOW
from dockpass.secret_names import is_secret_name
from dockpass.secrets import Secret
from dockpass.session.assemble import variables_of
from dockpass.text import clean

LONGEST_LINE = 100
NOTHING_KNOWN = "No config or variable names a registry. Give one: dockpass config registry.example:5000"


@dataclass(frozen=True, slots=True)
class Registry:
    """What the readers make of one registry."""

    target: Target
    readings: tuple[Reading, ...]
    disagreements: tuple[str, ...]


_TECHNICAL = ("PATH", "HOME", "XDG_RUNTIME_DIR")


def with_variables(world: World, given: Given) -> World:
    """Return the world with the variables of the options; where programs and the home are found stays."""
    if not (given.env_file or given.sets or given.unsets or given.clean_env or given.job.asked):
        return world
    facts = Facts(variables_of(world, sources_of(world, given))[0])
    for name in NAMING_VARIABLES:
        if facts.unknown(name):
            raise value_unknown(name, ", so its readers cannot be shown")
    clean = given.clean_env or given.job.asked
    kept = {name: world.environ[name] for name in _TECHNICAL if clean and name in world.environ}
    return replace(world, environ=kept | facts.known_values())


def situation_of(world: World, *, ask: bool) -> Situation:
    """Return what the readers see in this process; the redactor learns the secrets of the environment."""
    for name, value in world.environ.items():
        if is_secret_name(name):
            world.redactor.learn(Secret(value))
    return Situation(world.environ, world.home, os.getuid(), ask=ask)


def read_registries(situation: Situation, name: str | None, reader: Reader | None) -> list[Registry]:
    """Read one registry, or all that are known. Raises `UsageError` for a name that is none."""
    names = known_hosts(situation) if name is None else (name,)
    return [_read(parse_target(each), situation, reader) for each in names]


def _read(target: Target, situation: Situation, reader: Reader | None) -> Registry:
    readings = tuple(read(each, target, situation) for each in ([reader] if reader else Reader))
    return Registry(target, readings, disagreements(readings))


def problems_of(situation: Situation, name: str | None) -> tuple[Finding, ...]:
    """Return what is wrong with the configs themselves, and with their entries for the registry."""
    return config_problems(situation, None if name is None else parse_target(name))


def problem_lines(problems: Sequence[Finding]) -> list[str]:
    """Return the problems with what to do about each."""
    lines = ["", "problems"] if problems else []
    for problem in problems:
        lines += [*_noted([problem.message]), f"    {problem.hint}"]
    return lines


def registries_json(registries: Sequence[Registry], problems: Sequence[Finding] = ()) -> dict[str, Any]:
    """Return the object of `--json`; fingerprints are equal where secrets are, within one call."""
    return {
        "problems": [_finding_json(problem) for problem in problems],
        "registries": [
            {
                "registry": registry.target.shown,
                "disagreements": list(registry.disagreements),
                "readings": [reading_json(reading) for reading in registry.readings],
            }
            for registry in registries
        ],
    }


def reading_json(reading: Reading) -> dict[str, Any]:
    """Return what one reader makes of a registry as an object."""
    return {
        "reader": reading.reader,
        "looks_up": reading.registry,
        "verdict": reading.verdict,
        "winner": _candidate_json(reading.winner) if reading.winner else None,
        "candidates": [_candidate_json(found) for found in reading.candidates],
        "findings": [_finding_json(found) for found in reading.findings],
    }


def _candidate_json(found: Candidate) -> dict[str, Any]:
    return {
        "source": found.source,
        "key": found.key or None,
        "user": found.user or None,
        "secret_kind": found.secret_kind,
        "accepted": found.accepted,
        "reason": found.reason,
        "because": found.because,
        "evidence": found.evidence,
        "fingerprint": found.fingerprint or None,
    }


def _finding_json(found: Finding) -> Mapping[str, str]:
    return {"id": found.id, "message": found.message, "hint": found.hint}


def overview_lines(registries: Sequence[Registry]) -> list[str]:
    """Return the table of all registries, the disagreements of each below it."""
    lines: list[str] = []
    for registry in registries:
        lines += [*([""] if lines else []), registry.target.shown, *_table(registry)]
        lines += _noted(registry.disagreements)
    return lines


def detail_lines(registry: Registry) -> list[str]:
    """Return one registry: disagreements, table, and every candidate of every reader."""
    lines = [registry.target.shown, *_table(registry)]
    if registry.disagreements:
        lines += ["", "disagreements", *_noted(registry.disagreements)]
    for reading in registry.readings:
        lines += ["", f"{reading.reader.label}, for {reading.registry}: {verdict_words(reading)}"]
        lines += columns([_candidate(found) for found in reading.candidates])
    findings = dict.fromkeys(found for reading in registry.readings for found in reading.findings)
    if findings:
        lines += ["", "findings"]
        for found in findings:
            lines += [*_noted([found.message]), f"    {found.hint}"]
    return lines


def _noted(sentences: Iterable[str]) -> list[str]:
    return [
        line
        for sentence in sentences
        for line in textwrap.wrap(
            sentence,
            LONGEST_LINE,
            initial_indent=f"  {GLYPH_LOOK} ",
            subsequent_indent="    ",
            break_long_words=False,
            break_on_hyphens=False,
        )
    ]


def _table(registry: Registry) -> list[str]:
    return columns([_row(reading) for reading in registry.readings])


def _row(reading: Reading) -> tuple[str, ...]:
    source = reading.winner.source if reading.winner else ""
    return f"{MARKS[reading.verdict]} {reading.reader.short}", verdict_short(reading), source


def _candidate(found: Candidate) -> tuple[str, ...]:
    login = "" if found.secret_kind is SecretKind.NONE else who(found)
    evidence = f" ({found.evidence})" if found.evidence else ""
    return (
        f"{GLYPH_NOW if found.accepted else GLYPH_FAILED} {found.source}",
        login,
        f"{found.because}{evidence}",
    )


def asked_note(registries: Sequence[Registry]) -> str:
    """Return what would settle what is not decided; empty where all is."""
    undecided = any(reading.verdict is Verdict.UNDECIDED for each in registries for reading in each.readings)
    waiting = any(
        found.secret_kind is SecretKind.HELPER and not found.accepted
        for each in registries
        for reading in each.readings
        if reading.verdict is Verdict.UNDECIDED
        for found in reading.candidates
    )
    return (
        clean("Credential helpers were not run; use --ask-helpers to run them.")
        if undecided and waiting
        else ""
    )
