"""Puts the facts and their findings together, once for the command line and the screen.

Nothing here asks a person or reads stdin for a password: what is given comes in as values.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from dockpass.auth.command import Command
from dockpass.auth.facts import Facts, Options, Variable
from dockpass.errors import UsageError
from dockpass.findings import Finding
from dockpass.secrets import Redactor, Secret
from dockpass.variables.gather import gather_told

if TYPE_CHECKING:
    from dockpass.runs.request import BuildOptions
    from dockpass.session.pulled import Pulled


class Process(Protocol):
    """The process whose facts are looked at: its environment and directories, and what masks its secrets."""

    @property
    def environ(self) -> Mapping[str, str]:
        """The environment."""
        ...

    @property
    def home(self) -> Path:
        """The home directory, as docker finds it."""
        ...

    @property
    def cwd(self) -> Path:
        """The current directory, which files are relative to."""
        ...

    @property
    def redactor(self) -> Redactor:
        """Learns every secret among the facts."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class VariableSources:
    """Where variables come from beside the environment: files, in the format that is named, and edits.

    `job` are the variables of a job in place of the environment, `job_notes` what there is to say of them.
    """

    env_files: Sequence[Path] = ()
    env_format: str | None = None
    sets: Sequence[str] = field(default=(), repr=False)
    unsets: Sequence[str] = ()
    clean_env: bool = False
    job: Mapping[str, Variable] | None = None
    job_notes: tuple[Finding, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Where facts come from: variables, the login's options, and base images in place of a build file."""

    variables: VariableSources = field(default_factory=VariableSources)
    options: Options = field(default_factory=Options)
    froms: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Assembled:
    """The facts, and the notes on the files that they come from."""

    facts: Facts
    notes: tuple[Finding, ...]

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Everything there is to say about the facts."""
        return findings_of(self.facts, self.notes)


def findings_of(facts: Facts, notes: Sequence[Finding]) -> tuple[Finding, ...]:
    """Return what looks wrong about the facts on this machine, then the notes on the files."""
    from dockpass.doctor.overview import findings_of_variables  # the checks take a moment to load
    from dockpass.variables.here import this_machine

    return (*findings_of_variables(facts, this_machine()), *notes)


def variables_of(
    process: Process, sources: VariableSources
) -> tuple[dict[str, Variable], tuple[Finding, ...]]:
    """Return the variables by name, and the notes on the files; raises `UsageError` for a bad source.

    The redactor learns every secret among them.
    """
    variables, notes = gather_told(
        process.environ,
        env_files=sources.env_files,
        env_format=sources.env_format,
        sets=sources.sets,
        unsets=sources.unsets,
        clean_env=sources.clean_env,
        job=sources.job,
    )
    values = (variable.value for variable in variables.values())
    process.redactor.learn_all(value for value in values if isinstance(value, Secret))
    return variables, (*sources.job_notes, *notes)


def assemble(
    process: Process,
    sources: Sources,
    command: Command | None,
    build: BuildOptions,
    *,
    classic: bool = False,
) -> Assembled:
    """Return the facts of a command; of all commands for None. Raises `UsageError` for a bad source.

    A build file that cannot be read is an error for a build, and a note otherwise. `classic` tells that the
    classic builder builds, which pulls the images of all stages up to the target.
    """
    variables, notes = variables_of(process, sources.variables)
    password = sources.options.registry_password
    if password:
        process.redactor.learn(password, sources.options.registry_username)
    pulled = _pulled(process, command, sources, build, classic=classic)
    facts = Facts(
        variables,
        sources.options,
        pulled.images,
        str(process.home),
        str(process.cwd),
        pulled.unknown,
        elsewhere=sources.variables.job is not None,
    )
    return Assembled(facts, (*notes, *pulled.findings))


def _pulled(
    process: Process, command: Command | None, sources: Sources, build: BuildOptions, *, classic: bool
) -> Pulled:
    from dockpass.session.pulled import Pulled, pulled_by

    if not sources.froms and command not in {Command.BUILD, None}:
        return Pulled()
    from dockpass.buildfiles.find import named_base_images, refused
    from dockpass.runs.sources import sources_of_build

    if sources.froms:
        return Pulled(named_base_images(sources.froms))
    try:
        found = sources_of_build(process.cwd, build)
        if found.refusal is not None and command is Command.BUILD:
            raise refused(found.refusal)
    except UsageError as error:
        if command is Command.BUILD:
            raise
        return Pulled(None, (), (Finding(error.id, "build", error.message),))
    return pulled_by(found, classic=classic)
