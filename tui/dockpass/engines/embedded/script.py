"""A Dockerfile as stages, checked as a whole before anything is pulled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from dockpass.buildfiles.lines import Instruction, escape_character, instructions
from dockpass.buildfiles.words import expand
from dockpass.engines.embedded.imageconfig import CONFIG_KEYWORDS
from dockpass.engines.embedded.manifest import Platform, this_platform
from dockpass.errors import UsageError
from dockpass.text import clean, cut

FLAGS: Mapping[str, frozenset[str]] = {
    "FROM": frozenset({"--platform"}),
    "COPY": frozenset({"--from", "--chown", "--chmod"}),
    "ADD": frozenset({"--chown", "--chmod"}),
    "HEALTHCHECK": frozenset({"--interval", "--timeout", "--start-period", "--start-interval", "--retries"}),
}
KEYWORDS = CONFIG_KEYWORDS | {"FROM", "ARG", "COPY", "ADD", "WORKDIR", "RUN"}
_HINTS = dict.fromkeys(("COPY", "ADD", "VOLUME"), 'A name with blanks needs the JSON form: ["a b", "/c"].')
WAYS_OUT = (
    "Build with --engine docker where an engine is, put what RUN makes into a base image, or make it"
    " before the build and COPY it."
)


@dataclass(frozen=True, slots=True)
class Stage:
    """One `FROM` and what follows it. `base` and `platform` still hold their variables."""

    index: int
    name: str
    origin: Instruction
    base: str
    platform: str
    body: tuple[Instruction, ...]


@dataclass(frozen=True, slots=True)
class Script:
    """A Dockerfile up to the stage that is wanted. `file` is its name for messages."""

    file: str
    text: str
    escape: str
    arguments: tuple[Instruction, ...]
    stages: tuple[Stage, ...]

    def fail(self, at: Instruction, why: str, word: str = "", hint: str = "") -> NoReturn:
        """Raise the error for an instruction, with file, line and column of the word at fault."""
        line, column = _place(self.text, at.line, word or at.keyword)
        raise UsageError(
            "dockerfile-invalid",
            f"{self.file}:{line}:{column}: {clean(at.keyword, 40)}: {clean(why, 300)}.",
            hint or "See the Dockerfile reference for what this instruction takes.",
        )

    def expand(self, at: Instruction, word: str, values: Mapping[str, str]) -> str:
        """Replace the variables in a word."""
        found = expand(word, values.get, self.escape)
        if found.problem:
            self.fail(
                at, f"{cut(word, 80)} cannot be read: {found.problem}", word, _HINTS.get(at.keyword, "")
            )
        if found.demand:
            self.fail(at, found.demand, word, "Give the variable a value with --build-arg, ARG or ENV.")
        return found.text

    def stage_of(self, name: str, before: int) -> Stage | None:
        """Return the stage that a name or a number means to the stage `before`."""
        for stage in reversed(self.stages[:before]):
            if name.lower() == stage.name or name == str(stage.index):
                return stage
        return None


def read_script(path: Path, raw: bytes, target: str | None) -> Script:
    """Read and check a Dockerfile; raises `UsageError` with file, line and column."""
    text = raw.decode("utf-8-sig", "surrogateescape")
    file = clean(str(path))
    script = Script(file, text, escape_character(text), (), ())
    arguments: list[Instruction] = []
    stages: list[Stage] = []
    for each in instructions(text):
        _check(script, each, inside=bool(stages))
        if each.keyword == "FROM":
            stages.append(_stage(script, each, len(stages)))
        elif not stages:
            arguments.append(each)
        else:
            stages[-1] = _with(stages[-1], each)
    if not stages:
        raise UsageError("dockerfile-invalid", f"{file}:1:1: there is no FROM in it.", "Begin with FROM.")
    wanted = _wanted(script, stages, target)
    script = Script(file, text, script.escape, tuple(arguments), tuple(stages[: wanted + 1]))
    _refuse_commands(script)
    return script


def platform_arguments() -> dict[str, str]:
    """Return the arguments that BuildKit gives a value to."""
    here = this_platform()
    parts = {"PLATFORM": str(here), "OS": here.os, "ARCH": here.architecture, "VARIANT": here.variant}
    return {f"{side}{part}": value for side in ("BUILD", "TARGET") for part, value in parts.items()}


def parse_platform(text: str) -> Platform | None:
    """Return the platform `os/architecture[/variant]` or `architecture` alone; None for anything else."""
    parts = text.split("/")
    if len(parts) == 1:
        parts = ["linux", *parts]
    return Platform(*parts) if 2 <= len(parts) <= 3 and all(parts) else None


def _stage(script: Script, at: Instruction, index: int) -> Stage:
    words = at.words
    if not words:
        script.fail(at, "it names no image")
    named = len(words) == 3 and words[1].upper() == "AS"
    if len(words) != 1 and not named:
        script.fail(at, "it is FROM IMAGE or FROM IMAGE AS NAME", words[1])
    platform = next((flag.partition("=")[2] for flag in at.flags), "")
    return Stage(index, words[2].lower() if named else "", at, words[0], platform, ())


def _with(stage: Stage, at: Instruction) -> Stage:
    return Stage(stage.index, stage.name, stage.origin, stage.base, stage.platform, (*stage.body, at))


def _check(script: Script, at: Instruction, *, inside: bool) -> None:
    if at.keyword not in KEYWORDS:
        script.fail(at, "there is no such instruction")
    if not inside and at.keyword not in {"FROM", "ARG"}:
        script.fail(at, "only ARG may stand before the first FROM")
    check_flags(script, at)
    for heredoc in at.heredocs:
        if not heredoc.is_closed:
            script.fail(at, f"the document {heredoc.name} has no end", heredoc.name)
    if at.keyword == "ARG" and not at.words:
        script.fail(at, "it names no argument")


def check_flags(script: Script, at: Instruction) -> None:
    """Raise for a flag that is not known here, or that has no value."""
    if at.keyword == "RUN":
        return
    known = FLAGS.get(at.keyword, frozenset())
    for flag in at.flags:
        name, equals, value = flag.partition("=")
        if name not in known:
            takes = f"it takes {', '.join(sorted(known))}" if known else "it takes no flags"
            hint = "Build with --engine docker, or without this flag."
            script.fail(at, f"{name} is not known to the embedded engine; {takes}", flag, hint)
        if not equals or not value:
            script.fail(at, f"{name} has no value", flag)


def _refuse_commands(script: Script) -> None:
    for stage in script.stages:
        for each in stage.body:
            if each.keyword == "RUN":
                line, column = _place(script.text, each.line, "RUN")
                raise needs_engine(
                    f"{script.file}:{line}:{column}", f"RUN {cut(clean(each.text.strip(), 60), 40)}"
                )


def needs_engine(where: str, what: str, *, pulled: bool = False) -> UsageError:
    """Return the error for a command that only an engine with containers can run.

    `pulled` tells that a base image is there already, whose trigger the command is.
    """
    return UsageError(
        "needs-engine",
        f"{where}: `{what}` runs a command in a container, and the embedded engine runs none."
        + ("" if pulled else " Nothing was pulled."),
        WAYS_OUT,
    )


def _wanted(script: Script, stages: list[Stage], target: str | None) -> int:
    if not target:
        return len(stages) - 1
    found = next((s.index for s in stages if target.lower() == s.name or target == str(s.index)), None)
    if found is None:
        names = ", ".join(stage.name for stage in stages if stage.name) or "none with a name"
        raise UsageError(
            "target-unknown",
            f"{script.file} has no stage {clean(target, 100)}; its stages are: {clean(names, 300)}.",
            "Name one of them with --target.",
        )
    return found


def _place(text: str, line: int, word: str) -> tuple[int, int]:
    """Return line and column of a word, looked for from the line where its instruction begins."""
    lines = text.split("\n")
    for number in range(line - 1, min(line + 50, len(lines))):
        column = lines[number].lower().find(word.lower())
        if column >= 0:
            return number + 1, column + 1
    return line, 1
