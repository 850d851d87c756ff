"""A scenario with the files that it names read, and the secrets that it names looked up."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dockpass.auth.facts import Source as Origin
from dockpass.auth.facts import SourceKind, Variable
from dockpass.findings import Finding, Severity
from dockpass.scenario.model import (
    CI_YAML,
    FORMAT_OF_DIALECT,
    FORMAT_OF_KIND,
    LEVEL_OF_KIND,
    Given,
    Scenario,
    Source,
)
from dockpass.scenario.model import Reference as SecretReference
from dockpass.scenario.references import NOT_ASKED, Reach, Resolver
from dockpass.secrets import Redactor, Secret
from dockpass.text import clean
from dockpass.unknown import Unknown
from dockpass.variables.clone import Clone, find_clone
from dockpass.variables.gitlab.model import Definition, Level, Place, Value
from dockpass.variables.settingsfile import read_settings
from dockpass.variables.variable import variable


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """What a scenario comes to before anything is resolved.

    `settings` are the variables of its files, `own` those that stand in it, in the same order. `notes` tell
    which secrets are not known here and why, and what else there is to say.
    """

    scenario: Scenario
    file: str
    directory: Path
    settings: tuple[Definition, ...] = field(repr=False)
    own: tuple[Definition, ...] = field(repr=False)
    notes: tuple[Finding, ...]

    def find_clone(self, environ: Mapping[str, str]) -> Clone | None:
        """Return the project that the scenario is about; None where it has no configuration.

        Its configuration is the one that a source names, else the one around the scenario.
        """
        paths = (self.directory / each.path for each in self.scenario.sources if each.kind == CI_YAML)
        named = next(paths, None)
        return find_clone(self.directory if named is None else named.parent, environ, named)

    def plain_variables(self) -> dict[str, Variable]:
        """Return the variables where there is no job of GitLab's: the last one of a name counts."""
        unset = self.scenario.context.unset
        found = {each.key: each for each in self.settings if each.key not in unset}
        found |= {each.key: each for each in self.own}
        return {
            key: variable(key, each.value, Origin(SourceKind.JOB, str(each.place)), secret=each.masked)
            for key, each in found.items()
        }


def open_scenario(scenario: Scenario, file: str, directory: Path, reach: Reach, redactor: Redactor) -> Opened:
    """Read what a scenario names; every secret in it is masked from now on.

    Raises `UsageError` for a file of variables that cannot be read.
    """
    resolver = Resolver(reach)
    settings = tuple(_settings(scenario, directory))
    own, notes = [], list(scenario.notes)
    for given in scenario.variables:
        value = _value(given, resolver)
        if isinstance(value, Secret):
            redactor.learn(value)
        elif isinstance(value, Unknown):
            notes.append(_unknown(given, value, file))
        own.append(_definition(given, value, file))
    return Opened(
        scenario=scenario,
        file=file,
        directory=directory,
        settings=settings,
        own=tuple(own),
        notes=tuple(notes),
    )


def _settings(scenario: Scenario, directory: Path) -> Iterator[Definition]:
    for source in scenario.sources:
        if source.kind != CI_YAML:
            level = source.level or LEVEL_OF_KIND.get(source.kind, Level.PIPELINE)
            yield from read_settings(directory / source.path, level, format_of(source))


def format_of(source: Source) -> str:
    """Return the name of the format; empty where the text itself tells it."""
    if source.dialect:
        return FORMAT_OF_DIALECT[source.dialect]
    return FORMAT_OF_KIND.get(source.kind, source.kind)


def _value(given: Given, resolver: Resolver) -> str | Secret | Unknown:
    if isinstance(given.value, SecretReference):
        return resolver(given.key, given.value)
    return given.value


def _definition(given: Given, value: str | Secret | Unknown, file: str) -> Definition:
    plain: Value = value.reveal() if isinstance(value, Secret) else value
    flags = dict.fromkeys(given.flags, True)
    if not isinstance(given.value, str):
        flags["masked"] = True
    if given.level is Level.WHAT_IF:
        flags["raw"] = True
    return Definition(
        key=given.key,
        value=plain,
        level=given.level,
        origin=given.group,
        place=Place(clean(Path(file).name, 200), given.line),
        scope=given.scope,
        protected="protected" in flags,
        masked="masked" in flags,
        hidden="hidden" in flags,
        raw="raw" in flags,
        file="file" in flags,
    )


def _unknown(given: Given, value: Unknown, file: str) -> Finding:
    return Finding(
        "scenario-value-unknown",
        clean(given.key, 255),
        f"({clean(Path(file).name, 200)}:{given.line}) is set, but its value is not known here: {value.why}",
        severity=Severity.NOTE if value.why.startswith(NOT_ASKED) else Severity.WARNING,
    )
