"""What a command line gives: the engine that was asked for, and the facts with their findings."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dockpass.auth.command import Command
from dockpass.auth.facts import Facts, Options, Variable
from dockpass.cli.world import World
from dockpass.errors import UsageError
from dockpass.findings import Finding
from dockpass.secrets import Secret
from dockpass.variables.envsource import STDIN
from dockpass.variables.findings import find_findings
from dockpass.variables.gather import gather_told
from dockpass.variables.here import this_machine

if TYPE_CHECKING:
    from dockpass.engines.choice import EngineChoice
    from dockpass.runs.request import BuildOptions
    from dockpass.session.pulled import Pulled

LONGEST_PASSWORD = 64 << 10
_UNUSABLE = {"\0": "a NUL byte", "\n": "a line end in the middle", "\r": "a line end in the middle"}


@dataclass(frozen=True)
class Given:
    """Options as they were typed."""

    repo: str | None = None
    registry_username: str | None = None
    registry_password: str | None = None
    registry_password_stdin: bool = False
    env_file: Sequence[str] = ()
    sets: Sequence[str] = ()
    unsets: Sequence[str] = ()
    clean_env: bool = False
    env_format: str | None = None
    froms: Sequence[str] = ()


def store_place(world: World) -> Path:
    """Return where the image store is: `DOCKPASS_STORE`, else the setting, else beside the other data."""
    from dockpass.settings import load_settings

    moved = "" if world.environ.get("DOCKPASS_STORE") else load_settings(world.paths.settings).settings.store
    return Path(moved) if moved else world.paths.store


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


def variables_of(world: World, given: Given) -> tuple[dict[str, Variable], tuple[Finding, ...]]:
    """Return the variables that the process, the files and the options give, and what the files show."""
    return gather_told(
        world.environ,
        env_files=_env_files(world, given),
        env_format=given.env_format,
        sets=given.sets,
        unsets=given.unsets,
        clean_env=given.clean_env,
    )


def gather_facts(
    world: World, command: Command | None, given: Given, build: BuildOptions, *, classic: bool = False
) -> tuple[Facts, tuple[Finding, ...]]:
    """Gather the facts of a command; the redactor learns every secret among them.

    `classic` tells that the classic builder builds, which pulls the images of all stages up to the target.
    """
    facts, notes = gather_noted(world, command, given, build, classic=classic)
    return facts, (*find_findings(facts, this_machine()), *notes)


def gather_noted(
    world: World, command: Command | None, given: Given, build: BuildOptions, *, classic: bool = False
) -> tuple[Facts, tuple[Finding, ...]]:
    """Gather the facts, and what there is to say of the build files; the redactor learns every secret."""
    variables, told = variables_of(world, given)
    password = _password(given)
    options = Options(given.repo, given.registry_username, password)
    for variable in variables.values():
        if isinstance(variable.value, Secret):
            world.redactor.learn(variable.value)
    if password:
        world.redactor.learn(password, given.registry_username)
    pulled = _pulled(world, command, given, build, classic=classic)
    facts = Facts(variables, options, pulled.images, str(world.home), str(world.cwd), pulled.unknown)
    return facts, (*told, *pulled.findings)


def _env_files(world: World, given: Given) -> list[Path]:
    """Return the files, with `-` for stdin; raises `UsageError` where two want stdin, or it is a terminal."""
    wanted = given.env_file.count("-")
    if wanted > 1 or (wanted and given.registry_password_stdin):
        raise UsageError(
            "stdin-twice",
            "Two options read stdin.",
            "Give --env-file - once, and without --registry-password-stdin.",
        )
    if wanted and (sys.stdin is None or sys.stdin.isatty()):
        raise UsageError(
            "env-file-terminal",
            "--env-file - reads a pipe or a file, and stdin is a terminal.",
            "Pipe the variables in.",
        )
    return [STDIN if name == "-" else world.cwd / name for name in given.env_file]


def _pulled(
    world: World, command: Command | None, given: Given, build: BuildOptions, *, classic: bool
) -> Pulled:
    from dockpass.session.pulled import Pulled, pulled_by

    if not given.froms and command not in {Command.BUILD, None}:
        return Pulled()
    from dockpass.buildfiles.contexts import parse_contexts
    from dockpass.buildfiles.find import find_base_images, named_base_images, refused

    if given.froms:
        return Pulled(named_base_images(given.froms))
    try:
        sources = find_base_images(
            world.cwd,
            file=build.file,
            config=build.config,
            context=build.context,
            image=build.image,
            target=build.target,
            args=build.args,
            platform=build.platform,
            contexts=parse_contexts(build.contexts),
        )
        if sources.refusal is not None and command is Command.BUILD:
            raise refused(sources.refusal)
    except UsageError as error:
        if command is Command.BUILD:
            raise
        return Pulled(None, (), (Finding(error.id, "build", error.message),))
    return pulled_by(sources, classic=classic)


def _password(given: Given) -> Secret | None:
    if given.registry_password_stdin and given.registry_password is not None:
        raise UsageError(
            "password-twice",
            "The password is given twice, as an option and on stdin.",
            "Leave out --registry-password.",
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
            f"The password on stdin is longer than {LONGEST_PASSWORD:,} bytes; nothing was sent.",
            "Check what is piped in: it may be a whole file.",
        )
    if wrong := next((words for sign, words in _UNUSABLE.items() if sign in text), None):
        raise UsageError(
            "password-unusable",
            f"The password on stdin holds {wrong}, which no registry takes; nothing was sent.",
            "Pipe in the password alone, on one line.",
        )


def _read_password() -> Secret:
    if sys.stdin is None or sys.stdin.isatty():
        raise UsageError(
            "password-terminal",
            "--registry-password-stdin reads a pipe or a file, and stdin is a terminal.",
            'Use for example `printf %s "$PASSWORD" | dockpass … --registry-password-stdin`.',
        )
    raw = sys.stdin.buffer.read(LONGEST_PASSWORD + 3)  # two of them may be a line end
    text = raw.decode("utf-8", "surrogateescape")
    for end in ("\r\n", "\n", "\r"):  # one line end, as docker login takes off
        if text.endswith(end):
            text = text.removesuffix(end)
            break
    _require_usable(text)
    if not text:
        raise UsageError("password-empty", "There is no password on stdin.", "Check what is piped in.")
    if text != text.strip():
        print("warning: the password begins or ends with a blank, which is sent too", file=sys.stderr)
    return Secret(text)
