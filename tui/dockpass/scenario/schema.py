"""What may stand in a scenario's file, and what is wrong where something else does. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dockpass.auth.command import Command, Method
from dockpass.scenario.keys import Keys, Wrong, is_a_secret, listed, shown
from dockpass.scenario.model import (
    CI_YAML,
    FLAGS,
    FORMAT_OF_DIALECT,
    FORMAT_OF_KIND,
    LEVELS,
    LISTS,
    SCHEMA,
    Context,
    Expectation,
    Given,
    Kind,
    Platform,
    Reference,
    ReferenceKind,
    Scenario,
    Source,
)
from dockpass.secret_names import is_secret_name
from dockpass.secrets import Secret
from dockpass.settings import Mute
from dockpass.tomllines import Path, line_at
from dockpass.variables.gitlab.model import Level, RefType

_TOP = ("schema", "name", "platform", "command", "job", "context", "source", "variable", "expect", "muted")
_CONTEXT = (
    "ref_type",
    "ref",
    "protected",
    "pipeline_source",
    "environment",
    "docker_cli",
    "gitlab_version",
    "unset",
)
_SOURCE = ("kind", "path", "level", "dialect")
_VARIABLE = ("key", "value", "secret", "allow_plain", "level", "group", "flags", "scope")
_MUTED = ("check", "about", "because")
_LOGIN = ("method", "username", "registry", "error")
_REFERENCE_KINDS = tuple(str(each) for each in ReferenceKind)
_COMMANDS = tuple(str(each) for each in Command)
_METHODS = tuple(str(each) for each in Method)
KINDS = (CI_YAML, *FORMAT_OF_KIND)
_KEY = re.compile(r"[A-Za-z0-9_]{1,255}", re.ASCII)
_VARIABLE_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,254}", re.ASCII)
_VERSION = re.compile(r"\d{1,4}(?:\.\d{1,4}){1,2}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Checked:
    """A scenario, all that is wrong with it, and the lines of values that `allow_plain` lets stand."""

    scenario: Scenario
    wrong: tuple[Wrong, ...]
    plain: tuple[int, ...]


def check(document: Mapping[str, Any], lines: Mapping[Path, int]) -> Checked:
    """Read a parsed file; whatever is wrong is told at once, with the line of each key."""
    return _Check(lines).document(document)


class _Check(Keys):
    def __init__(self, lines: Mapping[Path, int]) -> None:
        super().__init__(lines)
        self.plain: list[int] = []

    def document(self, found: Mapping[str, Any]) -> Checked:
        schema = self._schema(found)
        self.is_newer = schema > SCHEMA
        self.known(found, (), _TOP)
        platform = Platform(self.choice(found, (), "platform", [*Platform]) or Platform.GITLAB)
        named = self.choice(found, (), "command", _COMMANDS)
        command = Command(named) if named else None
        context = self._context(found.get("context", {}))
        scenario = Scenario(
            name=self.text(found, (), "name") or "",
            platform=platform,
            command=command,
            job=self.text(found, (), "job") or "",
            context=context,
            sources=tuple(self._sources(found.get("source", []))),
            variables=tuple(self._variables(found.get("variable", []))),
            expected=tuple(self._expected(found.get("expect", {}), command)),
            muted=tuple(self._muted(found.get("muted", []))),
            schema=schema,
            notes=tuple(self.notes),
        )
        if platform is not Platform.GITLAB:
            self._without_jobs(found, scenario)
        return Checked(scenario, tuple(self.wrong), tuple(self.plain))

    def _schema(self, found: Mapping[str, Any]) -> int:
        schema = found.get("schema")
        if schema is None:
            self.tell(("schema",), f"is missing: write schema = {SCHEMA} at the top")
        elif isinstance(schema, bool) or not isinstance(schema, int) or schema < 1:
            self.tell(("schema",), f"must be a whole number; the newest is {SCHEMA}")
        else:
            return schema
        return SCHEMA

    def _without_jobs(self, found: Mapping[str, Any], scenario: Scenario) -> None:
        """Only GitLab's jobs have a configuration, rules and levels here."""
        of_gitlab = "holds only with platform = “gitlab”"
        if scenario.job:
            self.tell(("job",), of_gitlab)
        context = found.get("context")
        for key in context if isinstance(context, Mapping) else ():
            if key not in {"unset", "docker_cli"} and key in _CONTEXT:
                self.tell(("context", key), of_gitlab)
        for number, source in enumerate(scenario.sources):
            if source.kind == CI_YAML or source.level is not None:
                self.tell(("source", number, "kind" if source.kind == CI_YAML else "level"), of_gitlab)
        for number, given in enumerate(scenario.variables):
            if given.level is not Level.WHAT_IF or given.flags or given.scope != "*":
                self.tell(("variable", number), f"has a level, flags or a scope, which {of_gitlab}")
        for each in scenario.expected:
            if each.kind in {Kind.JOB, Kind.NO_JOB}:
                self.tell(("expect",), f"names jobs, which {of_gitlab}")
                return

    def _context(self, found: Any) -> Context:
        path: Path = ("context",)
        if not self.is_table(found, path):
            return Context()
        self.known(found, path, _CONTEXT)
        kind = self.choice(found, path, "ref_type", [*RefType])
        ref = self.text(found, path, "ref", empty=False)
        if kind == RefType.TAG and "ref" not in found:
            self.tell((*path, "ref"), "is missing: a tag has no default")
        for key, example in (("docker_cli", "28.3.0"), ("gitlab_version", "17.11")):
            version = self.text(found, path, key)
            if version is not None and not _VERSION.fullmatch(version):
                self.tell((*path, key), f'must be a version such as "{example}"')
        return Context(
            ref_type=RefType(kind) if kind else RefType.BRANCH,
            ref=ref,
            docker_cli=self.text(found, path, "docker_cli") or "",
            gitlab_version=self.text(found, path, "gitlab_version") or "",
            protected=self.flag(found, path, "protected"),
            pipeline_source=self.text(found, path, "pipeline_source", empty=False),
            environment=self.text(found, path, "environment"),
            unset=tuple(text for text, _ in self.texts(found, path, "unset")),
        )

    def _sources(self, found: Any) -> Iterator[Source]:
        configurations = 0
        for number, table in self.tables(found, "source"):
            path: Path = ("source", number)
            self.known(table, path, _SOURCE)
            kind = self.choice(table, path, "kind", _kinds(table.get("kind")), needed=True)
            name = self.text(table, path, "path", empty=False, needed=True)
            level = self.choice(table, path, "level", [each for each in LEVELS if each != "what-if"])
            dialect = self.choice(table, path, "dialect", FORMAT_OF_DIALECT)
            if dialect and kind and kind != "env-file":
                self.tell((*path, "dialect"), "goes with kind = “env-file” only")
            if kind == CI_YAML:
                configurations += 1
                if level:
                    self.tell((*path, "level"), f"does not go with kind = “{CI_YAML}”")
                if configurations > 1:
                    self.tell(path, "is a second configuration, and a project has one")
            if kind and name:
                yield Source(
                    kind=kind,
                    path=name,
                    level=LEVELS[level] if level else None,
                    dialect=dialect or "",
                    line=line_at(self.lines, path),
                )

    def _variables(self, found: Any) -> Iterator[Given]:
        for number, table in self.tables(found, "variable"):
            path: Path = ("variable", number)
            self.known(table, path, _VARIABLE)
            key = self.text(table, path, "key", empty=False, needed=True)
            if key is not None and not _KEY.fullmatch(key):
                self.tell((*path, "key"), "must have letters, digits and _ only")
                key = None
            value = self._value(table, path, key or "")
            level = self.choice(table, path, "level", LEVELS)
            flags = frozenset(self.choices(table, path, "flags", FLAGS))
            scope = self.text(table, path, "scope", empty=False)
            group = self.text(table, path, "group", empty=False)
            if group and level != "group":
                self.tell((*path, "group"), "goes with level = “group” only")
            if key is None or value is None:
                continue
            yield Given(
                key=key,
                value=value,
                level=LEVELS[level] if level else Level.WHAT_IF,
                group=group or "",
                flags=flags,
                scope=scope or "*",
                line=line_at(self.lines, path),
            )

    def _value(self, table: Mapping[str, Any], path: Path, key: str) -> str | Secret | Reference | None:
        allowed = self.flag(table, path, "allow_plain")
        if "value" in table and "secret" in table:
            self.tell((*path, "value"), "and secret exclude each other: keep one of them")
            return None
        if "secret" in table:
            if allowed:
                self.tell((*path, "allow_plain"), "goes with value only")
            return self._reference(table["secret"], (*path, "secret"))
        if "value" not in table:
            self.tell(path, "has neither value nor secret")
            return None
        value = self.text(table, path, "value", longest=1 << 16, may_be_secret=True)
        if value is None:
            return None
        if not is_a_secret(key, value):
            return value
        if not allowed:
            why = "is the name of a secret" if is_secret_name(key) else "has a value that looks like a secret"
            self.tell(
                (*path, "value"),
                f"must not hold a secret, and {shown(key)} {why}: write"
                f' secret = {{ env = "{shown(key)}" }} or another reference',
            )
            return None
        self.plain.append(line_at(self.lines, (*path, "value")))
        return Secret(value)

    def _reference(self, found: Any, path: Path) -> Reference | None:
        if not self.is_table(found, path, example='{ env = "NAME" }'):
            return None
        known = (*_REFERENCE_KINDS, "key", "scope") if "gitlab" in found else _REFERENCE_KINDS
        if not self.known(found, path, known):
            return None
        kinds = [each for each in _REFERENCE_KINDS if each in found]
        if len(kinds) != 1:
            self.tell(path, f"needs exactly one of {listed(_REFERENCE_KINDS)}")
            return None
        kind = ReferenceKind(kinds[0])
        words = self._words(found, path, kind)
        return None if words is None else Reference(kind, words)

    def _words(self, found: Mapping[str, Any], path: Path, kind: ReferenceKind) -> tuple[str, ...] | None:
        match kind:
            case ReferenceKind.ENV:
                name = self.text(found, path, kind, empty=False)
                if name is not None and not _VARIABLE_NAME.fullmatch(name):
                    self.tell((*path, kind), "must be the name of a variable")
                    return None
                return None if name is None else (name,)
            case ReferenceKind.FILE:
                name = self.text(found, path, kind, empty=False)
                return None if name is None else (name,)
            case ReferenceKind.PROMPT:
                if self.flag(found, path, kind) is not True:
                    self.tell((*path, kind), "must be true")
                    return None
                return ()
            case ReferenceKind.COMMAND | ReferenceKind.KEYRING:
                words = tuple(text for text, _ in self.texts(found, path, kind))
                is_command = kind is ReferenceKind.COMMAND
                if is_command and not words and isinstance(found[kind], list):
                    self.tell((*path, kind), 'must name a program: ["pass", "show", "ci/token"]')
                if not is_command and len(words) != 2:
                    self.tell((*path, kind), 'must be two texts: ["SERVICE", "USER"]')
                return words if (words if is_command else len(words) == 2) else None
            case ReferenceKind.GITLAB:
                project = self.text(found, path, kind, empty=False)
                key = self.text(found, path, "key", empty=False, needed=True)
                scope = self.text(found, path, "scope", empty=False)
                return None if project is None or key is None else (project, key, scope or "*")

    def _expected(self, found: Any, command: Command | None) -> Iterator[Expectation]:
        path: Path = ("expect",)
        if not self.is_table(found, path):
            return
        self.known(found, path, (*_LOGIN, *LISTS, "findings", *_COMMANDS))
        if command is None:
            for key in _LOGIN:
                if key in found:
                    self.tell((*path, key), "needs command = “…” at the top, or a table [expect.push]")
        else:
            yield from self._login(found, path, command)
        for each in _COMMANDS:
            if each not in found or not self.is_table(found[each], (*path, each)):
                continue
            self.known(found[each], (*path, each), _LOGIN)
            if each == command and (twice := [key for key in _LOGIN if key in found and key in found[each]]):
                self.tell((*path, each, twice[0]), f"is given twice: as expect.{twice[0]} too")
            yield from self._login(found[each], (*path, each), Command(each))
        for key, kind in LISTS.items():
            for text, line in self.texts(found, path, key):
                yield Expectation(kind=kind, wanted=text, line=line)
        if "findings" in found:
            allowed = [text for text, _ in self.texts(found, path, "findings")]
            line = line_at(self.lines, (*path, "findings"))
            yield Expectation(kind=Kind.FINDINGS, wanted=" ".join(allowed), line=line)

    def _muted(self, found: Any) -> Iterator[Mute]:
        for number, table in self.tables(found, "muted"):
            path: Path = ("muted", number)
            self.known(table, path, _MUTED)
            check = self.text(table, path, "check", empty=False, needed=True)
            because = self.text(table, path, "because", empty=False, needed=True)
            about: str | tuple[str, ...] | None
            if isinstance(table.get("about"), list):
                about = tuple(text for text, _ in self.texts(table, path, "about"))
                if not table["about"]:
                    self.tell((*path, "about"), "must not be empty")
            else:
                about = self.text(table, path, "about", empty=False)
            if because is not None and not because.strip():
                self.tell((*path, "because"), "must say why")
            elif check and because:
                yield Mute(check, because, about or "*")

    def _login(self, table: Mapping[str, Any], path: Path, command: Command) -> Iterator[Expectation]:
        method = self.choice(table, path, "method", _METHODS)
        texts = {key: self.text(table, path, key) for key in _LOGIN if key != "method"}
        if texts["error"] is not None and any(key in table for key in _LOGIN if key != "error"):
            self.tell((*path, "error"), "excludes method, username and registry: an error has no login")
        for key, wanted in {"method": method, **texts}.items():
            if wanted is not None:
                line = line_at(self.lines, (*path, key))
                yield Expectation(kind=Kind(key), wanted=wanted, command=command, line=line)


def _kinds(asked: object) -> tuple[str, ...]:
    """Return the kinds of sources, with the formats of `--env-format` where another one is asked for."""
    if asked in KINDS:
        return KINDS
    from dockpass.variables.formats.catalogue import FORMATS  # it loads every reader

    return (*KINDS, *(name for name in FORMATS if name not in KINDS))
