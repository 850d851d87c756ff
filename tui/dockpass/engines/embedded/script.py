"""A Dockerfile as stages, checked as a whole before anything is pulled."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from dockpass.buildfiles.dockerfile import Graph, Wanted, dockerfile_invalid, read_graph, target_unknown
from dockpass.buildfiles.lines import Instruction
from dockpass.buildfiles.stages import Linked
from dockpass.buildfiles.words import expand
from dockpass.errors import UsageError
from dockpass.text import clean, cut

FLAGS: Mapping[str, frozenset[str]] = {
    "FROM": frozenset({"--platform"}),
    "COPY": frozenset({"--from", "--chown", "--chmod"}),
    "ADD": frozenset({"--chown", "--chmod"}),
    "HEALTHCHECK": frozenset({"--interval", "--timeout", "--start-period", "--start-interval", "--retries"}),
}
_HINTS = dict.fromkeys(("COPY", "ADD", "VOLUME"), 'A name with blanks needs the JSON form: ["a b", "/c"].')
WAYS_OUT = (
    "Build with --engine docker, --builder podman or --builder buildah, if one is here; put what RUN makes"
    " into a base image; or make it before the build and COPY it."
)


@dataclass(frozen=True, slots=True)
class Script:
    """A Dockerfile and the stages that are built, in order. `file` is its name for messages."""

    file: str
    text: str
    graph: Graph

    @property
    def stages(self) -> list[Linked]:
        """The stages that the target reaches."""
        return [self.graph.linked[index] for index in self.graph.reached]

    @property
    def outer(self) -> dict[str, str]:
        """The arguments before the first FROM, and those that every build knows."""
        return {name: value for name, value in self.graph.values.known.items() if value is not None}

    def fail(self, at: Instruction, why: str, word: str = "", hint: str = "") -> NoReturn:
        """Raise the error for an instruction, with file, line and column of the word at fault."""
        line, column = _place(self.text, at.line, word or at.keyword)
        where, words = f"{self.file}:{line}:{column}", f"{clean(at.keyword, 40)}: {clean(why, 300)}"
        raise dockerfile_invalid(where, words, hint) if hint else dockerfile_invalid(where, words)

    def expand(self, at: Instruction, word: str, values: Mapping[str, str]) -> str:
        """Replace the variables in a word."""
        found = expand(word, values.get, self.graph.outline.escape)
        if found.problem:
            self.fail(
                at, f"{cut(word, 80)} cannot be read: {found.problem}", word, _HINTS.get(at.keyword, "")
            )
        if found.demand:
            self.fail(at, found.demand, word, "Give the variable a value with --build-arg, ARG or ENV.")
        return found.text


def read_script(path: Path, raw: bytes, wanted: Wanted) -> Script:
    """Read and check a Dockerfile; raises `UsageError` with file, line and column."""
    text = raw.decode("utf-8-sig", "surrogateescape")
    script = Script(clean(str(path)), text, read_graph(text, wanted))
    for each in script.stages:
        for at in (each.stage.origin, *each.stage.body):
            check_flags(script, at)
    _refuse(script)
    _refuse_commands(script)
    return script


def _refuse(script: Script) -> None:
    """Raise for what BuildKit refuses, and for a value that is missing."""
    found = script.graph.refusal
    if found is not None and found.id == "target-unknown":
        raise target_unknown(script.file, found.message)
    if found is not None:
        keyword = found.message.partition(":")[0]
        line, column = _place(script.text, found.line or 1, keyword)
        raise dockerfile_invalid(f"{script.file}:{line}:{column}", clean(found.message, 300))
    for each in script.graph.linked:
        if each.base.because:
            line, column = _place(script.text, each.base.line, each.base.text)
            why = f"FROM: {cut(clean(each.base.text), 80)} is not known: {each.base.because}"
            raise dockerfile_invalid(f"{script.file}:{line}:{column}", clean(why, 300))


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
            script.fail(at, f"{name} is not supported by the embedded engine; {takes}", flag, hint)
        if not equals or not value:
            script.fail(at, f"{name} has no value", flag)


def _refuse_commands(script: Script) -> None:
    for linked in script.stages:
        for each in linked.stage.body:
            if each.keyword == "RUN":
                line, column = _place(script.text, each.line, "RUN")
                raise needs_engine(
                    f"{script.file}:{line}:{column}", f"RUN {cut(clean(each.text.strip(), 60), 40)}"
                )


def needs_engine(where: str, what: str, *, pulled: bool = False, hint: str = WAYS_OUT) -> UsageError:
    """Return the error for a command that only an engine with containers can run.

    `pulled` tells that a base image is there already, whose trigger the command is.
    """
    return UsageError(
        "needs-engine",
        f"{where}: `{what}` runs a command in a container, and the embedded engine runs none."
        + ("" if pulled else " Nothing was pulled."),
        hint,
    )


def _place(text: str, line: int, word: str) -> tuple[int, int]:
    """Return line and column of a word, looked for from the line where its instruction begins."""
    lines = text.split("\n")
    for number in range(line - 1, min(line + 50, len(lines))):
        column = lines[number].lower().find(word.lower())
        if column >= 0:
            return number + 1, column + 1
    return line, 1
