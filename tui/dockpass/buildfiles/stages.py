"""The stages of a Dockerfile: the one reader, for what a build pulls and for the engine that builds it.

A name is looked for as BuildKit does. FROM knows the stages before it, as they are written;
`COPY --from` and `RUN --mount=from` know all stages, in any case, the last of two equal names first.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from dockpass.buildfiles.checks import stage_name, why_refused
from dockpass.buildfiles.contexts import NamedContext, NamedContexts, context_of
from dockpass.buildfiles.lines import Instruction, directives, escape_character, instructions
from dockpass.buildfiles.mounts import mounts
from dockpass.buildfiles.platforms import BuildPlatform, parse_platform
from dockpass.buildfiles.words import Expansion, expand
from dockpass.references.imagenames import normalised
from dockpass.text import clean

SCRATCH = "scratch"

_NUMBER = re.compile(r"[+-]?\d{1,18}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why BuildKit refuses a file: a kind, the line (0 for the file as a whole), and the reason."""

    id: str
    line: int
    message: str


@dataclass(frozen=True, slots=True)
class Stage:
    """One `FROM` and what follows it. `base` and `platform` still hold their variables."""

    index: int
    name: str
    origin: Instruction
    base: str
    platform: str
    body: tuple[Instruction, ...] = ()


@dataclass(frozen=True, slots=True)
class Outline:
    """A Dockerfile as it is written: the ARGs before the first FROM, and the stages."""

    escape: str
    arguments: tuple[Instruction, ...]
    stages: tuple[Stage, ...]
    refusal: Refusal | None


@dataclass(slots=True)
class Values:
    """What the arguments before the first FROM come to.

    A name whose value is None has none; `unknown` are those that are given, but with what is not known.
    """

    known: dict[str, str | None] = field(default_factory=dict)
    unknown: set[str] = field(default_factory=set)
    reports: list[tuple[str, int]] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True, slots=True)
class Use:
    """What a `FROM`, a `COPY --from` or a `RUN --mount=from` names: one of stage, image, context, nothing.

    `because` tells why it is not known, and `refused` which kind of fault it is for BuildKit; with
    `lacks_value` a person may mend it by giving an argument. A context that `replaces_stage` stands for
    the whole stage and not only for its base.
    """

    line: int
    text: str
    image: str = ""
    stage: int | None = None
    context: NamedContext | None = None
    because: str = ""
    refused: str = ""
    lacks_value: bool = False
    replaces_stage: bool = False


@dataclass(frozen=True, slots=True)
class Linked:
    """A stage with what it is made from. `uses` are those of its COPYs and RUNs, in order."""

    stage: Stage
    base: Use
    uses: tuple[Use, ...]
    platform: BuildPlatform | None

    @property
    def stages(self) -> Iterator[int]:
        """The numbers of the stages that it needs."""
        uses = () if self.base.replaces_stage else self.uses
        return (use.stage for use in (self.base, *uses) if use.stage is not None)


def read_outline(text: str) -> Outline:
    """Read the stages; the first thing that BuildKit refuses is told, and the reading goes on."""
    refusal = _wrong_directive(text)
    arguments: list[Instruction] = []
    stages: list[Stage] = []
    for at in instructions(text):
        why = why_refused(at)
        if not why and not stages and at.keyword not in {"FROM", "ARG"}:
            why = "only ARG may come before the first FROM"
        if why and refusal is None:
            refusal = Refusal(_kind(at, why), at.line, f"{clean(at.keyword, 40)}: {why}")
        if at.keyword == "FROM":
            base, named = (at.words or ("",))[0], len(at.words) == 3
            platform = next((flag.partition("=")[2] for flag in at.flags if "platform=" in flag), "")
            stages.append(Stage(len(stages), stage_name(at) if named else "", at, base, platform))
        elif stages:
            last = stages[-1]
            stages[-1] = Stage(last.index, last.name, last.origin, last.base, last.platform, (*last.body, at))
        else:
            arguments.append(at)
    if not stages and refusal is None:
        kind, what = ("no-stages", "FROM") if arguments else ("no-instructions", "instruction")
        refusal = Refusal(kind, 0, f"there is no {what} in it")
    return Outline(escape_character(text), tuple(arguments), tuple(stages), refusal)


def _wrong_directive(text: str) -> Refusal | None:
    seen: set[str] = set()
    for found in directives(text):
        if found.name in seen:
            return Refusal("directive-invalid", found.line, f"the directive {found.name} is given twice")
        seen.add(found.name)
        if found.name == "escape" and found.value not in {"`", "\\"}:
            shown = clean(found.value, 40)
            return Refusal("directive-invalid", found.line, f"{shown} is not an escape character: \\ or ` is")
    return None


def _kind(at: Instruction, why: str) -> str:
    if any(not heredoc.is_closed for heredoc in at.heredocs):
        return "heredoc-open"
    return "variable" if why.startswith("variables") else "parse"


def values_of(
    outline: Outline, given: Mapping[str, str | None], predefined: Mapping[str, str]
) -> tuple[Values, Refusal | None]:
    """Return the arguments that FROM sees; one that is given as None has a value that is not known."""
    values = Values({**predefined, **{name: given[name] for name in predefined if name in given}})
    values.unknown = {name for name in predefined if name in given and given[name] is None}
    for at in outline.arguments:
        for word in at.words if at.keyword == "ARG" else ():
            name, equals, default = word.partition("=")
            values.unknown.discard(name)
            if name in given:
                values.known[name] = given[name]
                if given[name] is None:
                    values.unknown.add(name)
            elif not equals:
                values.known.setdefault(name, None)
            else:
                found = expand(default, values.known.get, outline.escape)
                if found.problem or found.demand:
                    return values, _unreadable(at, default, found, values)
                if values.unknown.intersection(found.names):
                    values.unknown.add(name)
                values.known[name] = found.text
                values.reports += [(each, at.line) for each in found.unset if each not in values.unknown]
    return values, None


def _unreadable(at: Instruction, word: str, found: Expansion, values: Values) -> Refusal | None:
    if values.unknown.intersection(found.names):
        return None
    shown = clean(word, 200)
    if found.problem:
        return Refusal("substitution", at.line, f"{at.keyword}: {shown} cannot be read: {found.problem}")
    return Refusal("demand", at.line, f"{at.keyword}: {found.demand}")


@dataclass(slots=True)
class Linker:
    """Finds what each stage is made from."""

    outline: Outline
    values: Values
    contexts: NamedContexts
    target_platform: BuildPlatform
    why_unset: Callable[[str], str]
    _before: dict[str, int] = field(default_factory=dict)
    _all: dict[str, int] = field(default_factory=dict)

    def link(self) -> tuple[list[Linked], Refusal | None]:
        """Return every stage with its links, and the first thing that BuildKit refuses in them."""
        bases: list[Use] = []
        platforms: list[BuildPlatform | None] = []
        refusal: Refusal | None = None
        for stage in self.outline.stages:
            base = self._base(stage)
            platform, wrong = self._platform(stage)
            refusal = refusal or wrong or _refused(stage.origin, base)
            bases.append(base)
            platforms.append(platform)
            if stage.name:
                self._before[stage.name] = self._all[stage.name] = stage.index
        linked = []
        for stage, base, platform in zip(self.outline.stages, bases, platforms, strict=True):
            uses: list[Use] = []
            for at in stage.body:
                for use in self.uses(at):
                    uses.append(use)
                    refusal = refusal or _refused(at, use)
            linked.append(Linked(stage, base, tuple(uses), platform))
        return linked, refusal or _circle(linked)

    def uses(self, at: Instruction) -> Iterator[Use]:
        """Yield what an instruction takes files from, other than the build context."""
        if at.keyword == "COPY":
            for flag in at.flags:
                name, _, value = flag.partition("=")
                if name == "--from" and value:
                    yield self._source(at, value)
        for source, why in mounts(at):
            if not why:
                yield self._named(at, source or SCRATCH)

    def _base(self, stage: Stage) -> Use:
        line, text = stage.origin.line, stage.base
        found = expand(text, self.values.known.get, self.outline.escape)
        context = context_of(stage.name, self.contexts) if stage.name else None
        if context is not None:
            return Use(line=line, text=text, context=context, replaces_stage=True)
        unset = [name for name in found.unset if self.values.known.get(name) is None]
        because = self._why_unknown(found, unset)
        missing = next(iter(unset), "")
        if not because and found.problem:
            return self._use(
                line, text, because=f"it cannot be read: {found.problem}", refused="substitution"
            )
        if not because and found.demand:
            return self._use(line, text, because=found.demand, refused="demand", missing=missing)
        if because:
            return Use(line=line, text=text, because=because)
        name = found.text
        if not name:
            return self._use(line, text, because="it is empty", refused="base-empty", missing=missing)
        if name in self._before:
            return Use(line=line, text=text, stage=self._before[name])
        return self._image(line, text, name, missing=missing, is_base=True)

    def _use(self, line: int, text: str, *, because: str, refused: str, missing: str = "") -> Use:
        """Return what cannot be used; where a value is missing, that is the reason."""
        if missing:
            because = self.why_unset(missing)
        return Use(line=line, text=text, because=because, refused=refused, lacks_value=bool(missing))

    def _why_unknown(self, found: Expansion, unset: list[str]) -> str:
        for name in (*unset, *found.names):
            if name in self.values.unknown:
                return f"the value of {clean(name)} is not known here"
        return ""

    def _image(self, line: int, text: str, name: str, *, missing: str = "", is_base: bool = False) -> Use:
        if name == SCRATCH:
            return Use(line=line, text=text)
        if not normalised(name):
            kind = "variable" if "$" in name and not is_base else "reference-invalid"
            because = f"{clean(name, 200)} is not a valid image"
            if kind == "variable":
                because = f"variables are not replaced in {clean(name, 200)}"
            return self._use(line, text, because=because, refused=kind, missing=missing)
        context = context_of(name, self.contexts)
        if context is not None:
            return Use(line=line, text=text, context=context)
        return Use(line=line, text=text, image=name)

    def _source(self, at: Instruction, value: str) -> Use:
        if not _NUMBER.fullmatch(value):
            return self._named(at, value)
        if 0 <= int(value) < len(self.outline.stages):
            return Use(line=at.line, text=value, stage=int(value))
        return Use(
            line=at.line, text=value, because=f"there is no stage {clean(value, 40)}", refused="stage-unknown"
        )

    def _named(self, at: Instruction, name: str) -> Use:
        stage = self._all.get(name.lower())
        if stage is not None:
            return Use(line=at.line, text=name, stage=stage)
        return self._image(at.line, name, name)

    def _platform(self, stage: Stage) -> tuple[BuildPlatform | None, Refusal | None]:
        if not stage.platform:
            return None, None
        found = expand(stage.platform, self.values.known.get, self.outline.escape)
        if self.values.unknown.intersection(found.names):
            return None, None
        platform = None if found.problem else parse_platform(found.text, self.target_platform)
        if platform is not None:
            return platform, None
        shown = clean(found.text, 80) or f"{clean(stage.platform, 80)}, which has no value here,"
        return None, Refusal("platform-invalid", stage.origin.line, f"FROM: {shown} is not a platform")


def _refused(at: Instruction, use: Use) -> Refusal | None:
    """Return the fault of something that is used, but for values that a person may yet give."""
    if not use.refused or use.lacks_value:
        return None
    shown = f"{clean(use.text, 200)}: " if use.text and clean(use.text, 200) not in use.because else ""
    return Refusal(use.refused, use.line, f"{at.keyword}: {shown}{use.because}")


def _circle(linked: list[Linked]) -> Refusal | None:
    """Return the refusal of stages that need each other, wherever they are."""
    done: set[int] = set()
    for start in linked:
        path: list[int] = []
        stack: list[tuple[int, Iterator[int]]] = []
        if start.stage.index not in done:
            path, stack = [start.stage.index], [(start.stage.index, start.stages)]
        while stack:
            index, left = stack[-1]
            following = next(left, None)
            if following is None:
                done.add(index)
                stack.pop()
                path.pop()
            elif following in path:
                line = _line_of(linked[index], following)
                shown = clean(linked[following].stage.name) or str(following)
                return Refusal("circular", line, f"the stage {shown} depends on itself")
            elif following not in done:
                path.append(following)
                stack.append((following, linked[following].stages))
    return None


def _line_of(linked: Linked, needed: int) -> int:
    return next(use.line for use in (linked.base, *linked.uses) if use.stage == needed)


def find_target(outline: Outline, target: str | None) -> int | None:
    """Return the number of the stage to build, the last one where none is named; None for no such stage."""
    if not target:
        return len(outline.stages) - 1
    found = [stage.index for stage in outline.stages if stage.name == target.lower()]
    return found[-1] if found else None
