"""Says a run as the command line for it. Parsed again in the same shell, the line gives the same run.

Secrets stay out of it: the line names the variable of the shell that gives each one.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from dockpass.auth.command import Command
from dockpass.auth.facts import Edit, EditKind, Facts, SourceKind, Variable
from dockpass.auth.rules import READ_BY_RULES
from dockpass.builders.names import AUTO
from dockpass.cleanup.options import CleanupOptions
from dockpass.cleanup.rules import span_text
from dockpass.commandline import (
    FromShell,
    Value,
    can_be_set_by_shell,
    command_words,
    is_pasteable,
    shell_name,
)
from dockpass.registry.policy import Policy
from dockpass.registry.proxies import NONE, proxies_of
from dockpass.runs.login import ENGINE_COMMANDS
from dockpass.runs.request import BuildOptions, RunRequest, Typed
from dockpass.runs.services import Services
from dockpass.secret_names import is_secret_name
from dockpass.secrets import Redactor, Secret
from dockpass.variables.token_kind import looks_secret

PASSWORD = "REGISTRY_PASSWORD"  # noqa: S105 - a variable's name
_STDIN = "-"
_QUESTION = re.compile(r"`dockpass (explain|probe)((?: --[a-z-]+)*)`")
_TAGGED = frozenset({Command.BUILD, Command.PUSH, Command.PULL, Command.DEPLOY})


def command_line(request: RunRequest, services: Services) -> tuple[str, ...]:
    """Return the same run as words of a command line, quoted for a shell.

    It holds in the process environment and the working directory of `services`.
    """
    command, typed = request.command, request.typed
    facts = _FactsWords(request.facts, typed, services.environ, services.redactor)
    options = [
        *facts.options(with_repo=command.needs_repo),
        *_named(services, "--tag", request.tags if command in _TAGGED else ()),
        *_named(services, "--image", _image(request)),
        *(_build(request.build, typed, services) if command is Command.BUILD else ()),
        *(_builder(request.build, services) if command is Command.BUILD else ()),
        *(_cleanup(request.cleanup, services) if command is Command.CLEANUP else ()),
        ("--values", request.values and command is Command.DEPLOY),
        ("--yes", request.confirmed and command is Command.CLEANUP),
        ("--engine", typed.engine if command in ENGINE_COMMANDS else None),
        ("--allow-foreign-registry", request.foreign_allowed),
        *_policy(services.policy, services),
        *facts.variables(),
    ]
    return command_words(
        [str(command)], options, environment=facts.environment(), stdin=facts.password_on_stdin()
    )


def program_line(
    request: RunRequest, argv: Sequence[str], services: Services, also: Sequence[str] = ()
) -> tuple[str, ...]:
    """Return the words of `dockpass exec` for a program with the login of `request`.

    `also` are the hosts whose own login goes along.
    """
    typed = request.typed
    facts = _FactsWords(request.facts, typed, services.environ, services.redactor)
    options = [
        ("--for", str(request.command)),
        *facts.options(with_repo=request.command.needs_repo),
        *(("--also", host) for host in also),
        *(("--from", image) for image in typed.froms),
        ("--allow-foreign-registry", request.foreign_allowed),
        *facts.variables(),
    ]
    words = command_words(["exec"], options, environment=facts.environment(), stdin=facts.password_on_stdin())
    return (*words, "--", *map(shlex.quote, argv))


def config_line(registry: str, facts: Facts, typed: Typed, services: Services) -> tuple[str, ...]:
    """Return the words of `dockpass config` for a registry, with the same variables."""
    words = _FactsWords(facts, typed, services.environ, services.redactor)
    return command_words(["config", registry], words.variables(), environment=words.environment())


def probe_line(request: RunRequest, services: Services, *, compare: bool = False) -> tuple[str, ...]:
    """Return the words of `dockpass probe` for the login of `request`; `compare` asks with every login."""
    return _question_words("probe", ["--compare"] if compare else [], request, services)


def variables_line(
    words: Sequence[str],
    options: Iterable[tuple[str, str | bool]],
    edits: Sequence[Edit],
    environ: Mapping[str, str],
    redactor: Redactor,
) -> tuple[str, ...]:
    """Return the words of a `dockpass vars` with the same edits; the shell gives the secrets among them."""
    of_edits: list[tuple[str, Value]] = []
    environment: list[tuple[str, FromShell]] = []
    for name, edit in {each.name: each for each in edits}.items():
        value = edit.value.reveal() if isinstance(edit.value, Secret) else edit.value
        if edit.kind is EditKind.UNSET:
            of_edits.append(("--unset", name))
        elif edit.kind is not EditKind.SET or value is None:
            continue
        elif not isinstance(edit.value, Secret) and redactor(value) == value:
            of_edits.append(("--set", f"{name}={value}"))
        else:
            of_edits.append(("--set", name))
            if environ.get(name) != value and can_be_set_by_shell(name):
                environment.append((name, FromShell(_free(name, value, environ))))
    return command_words(words, [*options, *of_edits], environment=environment)


def in_full(text: str, request: RunRequest, services: Services) -> str:
    """Return a hint in which `dockpass explain` and `dockpass probe` ask about this very run."""

    def full(found: re.Match[str]) -> str:
        words = shlex.split(found[2] or "")
        line = " ".join(_question_words(found[1], words, request, services))
        return f"`{line}`" if is_pasteable(line) and "`" not in line else found[0]

    return _QUESTION.sub(full, text)


def _question_words(
    name: str, words: Sequence[str], request: RunRequest, services: Services
) -> tuple[str, ...]:
    command, typed = request.command, request.typed
    facts = _FactsWords(request.facts, typed, services.environ, services.redactor)
    options = [
        *((word, True) for word in words),
        *facts.options(with_repo=command.needs_repo),
        *(_build(request.build, typed, services) if command is Command.BUILD else ()),
        *(_named(services, "--image", _image(request)) if command is Command.BUILD else ()),
        *(_policy(services.policy, services) if name == "probe" else ()),
        *facts.variables(),
    ]
    return command_words(
        [name, str(command)], options, environment=facts.environment(), stdin=facts.password_on_stdin()
    )


@dataclass(frozen=True, slots=True)
class _FactsWords:
    """The options that give the same facts in the same environment."""

    facts: Facts
    typed: Typed
    environ: Mapping[str, str] = field(repr=False)
    redactor: Redactor

    def options(self, *, with_repo: bool) -> Iterator[tuple[str, Value]]:
        """Yield repository, user and password."""
        given = self.facts.options
        if with_repo:
            yield from _safe(self.redactor, "--repo", given.repo)
        yield from _safe(self.redactor, "--registry-username", given.registry_username)
        if given.registry_password is None:
            return
        if self.password_on_stdin():
            yield "--registry-password-stdin", True
        elif given.registry_password:
            yield "--registry-password", self._password(given.registry_password)
        else:
            yield "--registry-password", ""

    def password_on_stdin(self) -> FromShell | None:
        """Return what is piped in: not where stdin gives variables, nor a password of several lines."""
        password = self.facts.options.registry_password
        if not password or _STDIN in self.typed.env_files or {*password.reveal()} & {*"\r\n"}:
            return None
        return self._password(password)

    def variables(self) -> Iterator[tuple[str, Value]]:
        """Yield where variables come from, and what was changed in them."""
        yield from self.typed.job
        for file in self.typed.env_files:
            yield from _safe(self.redactor, "--env-file", file)
        yield "--env-format", self.typed.env_format
        for variable in self._changed():
            if _is_secret(variable, self.redactor):
                yield "--set", variable.name
            elif isinstance(variable.value, str):  # what is not known cannot be typed
                yield "--set", f"{variable.name}={variable.value}"
        left_out = set() if self.typed.clean_env or self.typed.job else READ_BY_RULES & set(self.environ)
        for name in sorted({*self.typed.unsets, *left_out} - set(self.facts.variables)):
            yield "--unset", name
        yield "--clean-env", self.typed.clean_env

    def environment(self) -> Iterator[tuple[str, FromShell]]:
        """Yield changed secrets, but those that the environment has already: arguments are public."""
        for variable in self._changed():
            value = self.facts.text(variable.name)
            if not _is_secret(variable, self.redactor) or self.environ.get(variable.name) == value:
                continue
            if can_be_set_by_shell(variable.name):
                yield variable.name, FromShell(_free(variable.name, value, self.environ))

    def _changed(self) -> list[Variable]:
        changed = {SourceKind.SET, SourceKind.EDIT, *({SourceKind.JOB} if not self.typed.job else ())}
        return [found for found in self.facts.variables.values() if found.source.kind in changed]

    def _password(self, password: Secret) -> FromShell:
        return FromShell(_free(PASSWORD, password.reveal(), self.environ))


def _is_secret(variable: Variable, redactor: Redactor) -> bool:
    value = variable.value
    return isinstance(value, Secret) or (isinstance(value, str) and redactor(value) != value)


def _free(name: str, value: str, environ: Mapping[str, str]) -> str:
    """Return a name that does not stand for another value in the environment already."""
    while environ.get(name, value) != value:
        name = f"NEW_{name}"
    return name


def _safe(redactor: Redactor, option: str, *values: str | None) -> Iterator[tuple[str, Value]]:
    """Yield the option with each value; a value with a secret in it comes from the shell."""
    for number, value in enumerate(values):
        if value is None or redactor(value) == value:
            yield option, value
        else:
            yield option, FromShell(shell_name(option) + f"_{number + 1}" * bool(number))


def _named(services: Services, option: str, values: Sequence[str]) -> Iterator[tuple[str, Value]]:
    yield from _safe(services.redactor, option, *values)


def _image(request: RunRequest) -> tuple[str, ...]:
    image = {Command.PUSH: request.image, Command.BUILD: request.build.image}.get(request.command)
    return () if image is None else (image,)


def _build(build: BuildOptions, typed: Typed, services: Services) -> Iterator[tuple[str, Value]]:
    for option, value in (
        ("--file", build.file),
        ("--config", build.config),
        ("--context", build.context),
        ("--target", build.target),
        ("--platform", build.platform),
    ):
        yield from _safe(services.redactor, option, value)
    for name, value in build.args.items():
        yield "--build-arg", _argument(name, value, services)
    yield from _named(services, "--build-context", build.contexts)
    yield from _named(services, "--from", typed.froms)


def _builder(build: BuildOptions, services: Services) -> Iterator[tuple[str, Value]]:
    """Yield what only `dockpass build` takes."""
    yield "--builder", None if build.builder == AUTO else build.builder
    for option, values in (
        ("--secret", build.secrets),
        ("--ssh", build.ssh),
        ("--cache-from", build.cache_from),
        ("--cache-to", build.cache_to),
    ):
        yield from _named(services, option, values)
    yield from _safe(services.redactor, "--network", build.network or None)
    yield "--push", build.push
    yield "--pull", build.pull


def _argument(name: str, value: str, services: Services) -> Value:
    """Return a build argument. A secret one is inherited, as docker allows, or filled in by the shell."""
    if not (is_secret_name(name) or looks_secret(value) or services.redactor(value) != value):
        return f"{name}={value}"
    if services.environ.get(name) == value:
        return name
    return FromShell(_free(shell_name(name), value, services.environ), f"{name}=")


def _cleanup(options: CleanupOptions, services: Services) -> Iterator[tuple[str, Value]]:
    span = None if options.older_than is None else span_text(options.older_than)
    yield "--keep-last", None if options.keep_last is None else str(options.keep_last)
    yield "--older-than", span
    yield from _safe(services.redactor, "--match", options.match)
    yield from _named(services, "--keep", options.keep)
    yield "--dry-run", options.dry_run


def _policy(policy: Policy, services: Services) -> Iterator[tuple[str, Value]]:
    agreed: Iterable[str] = policy.realm_rule.agreed if policy.realm_rule else ()
    for host in sorted(agreed):
        yield "--allow-realm", f"[{host}]" if ":" in host else host
    for host in sorted(policy.insecure_registries):
        yield "--insecure-registry", host
    for host in sorted(policy.skip_tls_verify):
        yield "--skip-tls-verify-registry", host
    yield from _safe(services.redactor, "--ca-file", str(policy.ca_file) if policy.ca_file else None)
    yield "--no-proxy", policy.proxies == NONE != proxies_of(services.environ)
