"""What a command line gives: the engine that was asked for, and where its facts come from."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from dockpass.auth.command import Command
from dockpass.auth.facts import Options
from dockpass.cli.job_facts import NO_JOB, JobGiven, job_facts
from dockpass.cli.store import store_place
from dockpass.cli.world import World
from dockpass.errors import UsageError
from dockpass.runs.request import Typed
from dockpass.secrets import Secret
from dockpass.session.assemble import Assembled, Sources, VariableSources, assemble

if TYPE_CHECKING:
    from dockpass.engines.choice import EngineChoice
    from dockpass.runs.request import BuildOptions

LONGEST_PASSWORD = 64 << 10
_UNUSABLE = {"\0": "a NUL byte", "\n": "a line break", "\r": "a line break"}


@dataclass(frozen=True)
class Given:
    """Options as they were typed."""

    repo: str | None = None
    registry_username: str | None = None
    registry_password: str | None = field(default=None, repr=False)
    registry_password_stdin: bool = False
    env_file: Sequence[str] = ()
    sets: Sequence[str] = field(default=(), repr=False)
    unsets: Sequence[str] = ()
    clean_env: bool = False
    env_format: str | None = None
    froms: Sequence[str] = ()
    job: JobGiven = NO_JOB


def typed_of(given: Given, engine: str | None) -> Typed:
    """Return what a command line for the same run needs beside the facts."""
    return Typed(
        env_files=tuple(given.env_file),
        env_format=given.env_format,
        unsets=tuple(given.unsets),
        clean_env=given.clean_env,
        froms=tuple(given.froms),
        engine=engine,
        job=given.job.words(),
    )


def engine_choice(world: World, asked: str | None) -> EngineChoice:
    """Return which engine to use: the option, else the setting."""
    from dockpass.engines.choice import parse_choice
    from dockpass.settings import load_settings

    loaded = load_settings(world.paths.settings)
    store = store_place(world)
    if asked is not None:
        return parse_choice(asked, "--engine asks for it", store)
    because = "by default" if loaded.sources["engine"] == "default" else "the settings ask for it"
    return parse_choice(loaded.settings.engine, because, store)


def sources_of(world: World, given: Given) -> VariableSources:
    """Return where the variables come from; raises `UsageError` if stdin cannot be read so."""
    job, notes = job_facts(world, given.job) if given.job.asked else (None, ())
    return VariableSources(
        job=job,
        job_notes=notes,
        env_files=_env_files(world, given),
        env_format=given.env_format,
        sets=given.sets,
        unsets=given.unsets,
        clean_env=given.clean_env,
    )


def assembled(
    world: World, command: Command | None, given: Given, build: BuildOptions, *, classic: bool = False
) -> Assembled:
    """Put the facts of a command line together, as `session.assemble` does; reads the password first."""
    sources = sources_of(world, given)
    return assemble(
        world,
        Sources(variables=sources, options=options_of(given), froms=given.froms),
        command,
        build,
        classic=classic,
    )


def options_of(given: Given) -> Options:
    """Return the options that bear on the login; reads the password from stdin if that was asked for."""
    return Options(given.repo, given.registry_username, _password(given))


def _env_files(world: World, given: Given) -> list[Path]:
    """Return the files, with `-` for stdin; raises `UsageError` where two want stdin, or it is a terminal."""
    wanted = given.env_file.count("-")
    if wanted > 1 or (wanted and given.registry_password_stdin):
        raise UsageError(
            "stdin-twice",
            "Two options read from stdin.",
            "Use --env-file - once, and without --registry-password-stdin.",
        )
    if wanted and (sys.stdin is None or sys.stdin.isatty()):
        raise UsageError(
            "env-file-terminal",
            "--env-file - reads from stdin, which is a terminal.",
            "Pipe the variables in.",
        )
    if not given.env_file:
        return []
    from dockpass.variables.envsource import STDIN

    return [STDIN if name == "-" else world.cwd / name for name in given.env_file]


def _password(given: Given) -> Secret | None:
    if given.registry_password_stdin and given.registry_password is not None:
        raise UsageError(
            "password-twice",
            "The password is given twice, as an option and on stdin.",
            "Omit --registry-password.",
        )
    if given.registry_password_stdin:
        return _read_password()
    if given.registry_password is None:
        return None
    print(
        "warning: --registry-password shows the password in the process list and the shell's history;"
        " --registry-password-stdin does not",
        file=sys.stderr,
    )
    return Secret(given.registry_password)


def _require_usable(text: str) -> None:
    if len(text.encode("utf-8", "surrogateescape")) > LONGEST_PASSWORD:
        raise UsageError(
            "password-too-long",
            f"The password on stdin is longer than {LONGEST_PASSWORD:,} bytes. Nothing was sent.",
            "Check what you pipe in; it may be a whole file.",
        )
    if wrong := next((words for sign, words in _UNUSABLE.items() if sign in text), None):
        raise UsageError(
            "password-unusable",
            f"The password on stdin contains {wrong}, which no registry accepts; nothing was sent.",
            "Pipe in the password alone, on one line.",
        )


def _read_password() -> Secret:
    if sys.stdin is None or sys.stdin.isatty():
        raise UsageError(
            "password-terminal",
            "--registry-password-stdin reads from stdin, which is a terminal.",
            'Pipe it in, for example `printf %s "$PASSWORD" | dockpass … --registry-password-stdin`.',
        )
    raw = sys.stdin.buffer.read(LONGEST_PASSWORD + 3)  # two of them may be a line end
    text = raw.decode("utf-8", "surrogateescape")
    for end in ("\r\n", "\n", "\r"):  # one line end, as docker login takes off
        if text.endswith(end):
            text = text.removesuffix(end)
            break
    _require_usable(text)
    if not text:
        raise UsageError("password-empty", "The password on stdin is empty.", "Check what you pipe in.")
    if text != text.strip():
        print(
            "warning: the password starts or ends with a space, which is sent as part of it", file=sys.stderr
        )
    return Secret(text)
