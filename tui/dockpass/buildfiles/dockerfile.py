"""Which images the build of a Dockerfile pulls. Pure; the rules are those of the Dockerfile reference."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dockpass.auth.facts import BaseImage
from dockpass.auth.reference import parse_reference
from dockpass.buildfiles.lines import Instruction, directives, escape_character, instructions
from dockpass.buildfiles.words import expand
from dockpass.errors import UsageError
from dockpass.text import clean

PLATFORM_ARGS = frozenset(
    f"{side}{part}" for side in ("BUILD", "TARGET") for part in ("PLATFORM", "OS", "ARCH", "VARIANT")
)
"""Arguments that only BuildKit gives a value to."""

_BUILDKIT_FLAGS = frozenset(
    {"--mount", "--network", "--security", "--device"}
    | {"--link", "--parents", "--exclude", "--chmod", "--checksum", "--keep-git-dir", "--unpack"}
)


@dataclass(frozen=True, slots=True)
class BuildFinding:
    """Something that a reader should know: `where` is `file:line`."""

    id: str
    where: str
    message: str


@dataclass(frozen=True, slots=True)
class Dockerfile:
    """What was read. `needs_buildkit` names what the classic builder cannot do, with its place.

    `is_whole` is false where some image could not be read, which a finding then tells.
    """

    base_images: tuple[BaseImage, ...]
    findings: tuple[BuildFinding, ...]
    stages: tuple[str, ...]
    needs_buildkit: str = ""
    is_whole: bool = True


@dataclass
class _Stage:
    name: str
    images: list[tuple[str, int]] = field(default_factory=list)
    is_whole: bool = True


@dataclass
class _Reader:
    file: str
    given: Mapping[str, str | None]
    escape: str
    arguments: dict[str, str | None] = field(default_factory=dict)
    unknown: set[str] = field(default_factory=set)
    stages: list[_Stage] = field(default_factory=list)
    findings: list[BuildFinding] = field(default_factory=list)
    needs_buildkit: str = ""

    def read(self, instruction: Instruction) -> None:
        match instruction.keyword:
            case "ARG" if not self.stages:
                for word in instruction.words:
                    self._argument(word, instruction.line)
            case "FROM":
                self._from(instruction)
            case "COPY" | "ADD" | "RUN":
                self._work(instruction)

    def _argument(self, word: str, line: int) -> None:
        name, equals, default = word.partition("=")
        self.unknown.discard(name)
        if name in self.given:
            self.arguments[name] = self.given[name]
            if self.given[name] is None:
                self.unknown.add(name)
            return
        self.arguments[name] = None
        if not equals:
            return
        value = expand(default, self.arguments.get, self.escape)
        if value.problem or self.unknown.intersection(value.unset):
            self.unknown.add(name)
            return
        self._report_unset(value.unset, line)
        self.arguments[name] = value.text

    def _from(self, instruction: Instruction) -> None:
        line, words = instruction.line, instruction.words
        for flag in instruction.flags:
            wanted = (name for name in sorted(PLATFORM_ARGS) if name in flag)
            platform = next((name for name in wanted if not self.arguments.get(name)), "")
            self._needs_buildkit(line, f"${platform}" if platform else "")
        named = len(words) == 3 and words[1].upper() == "AS"
        stage = _Stage(words[2].lower() if named else "")
        self.stages.append(stage)
        if len(words) != 1 and not named:
            what = "is FROM IMAGE AS NAME, and nothing may stand behind it" if words else "names no image"
            self._find("from-invalid", line, f"FROM {what}")
            stage.is_whole = False
            return
        expanded = expand(words[0], self.arguments.get, self.escape)
        unreadable = expanded.problem or self._unknown_in(expanded.unset, line)
        if unreadable:
            self._find("from-unknown", line, f"{clean(words[0], 200)} is not known: {unreadable}")
            stage.is_whole = False
            return
        self._report_unset(expanded.unset, line)
        if expanded.unset and not is_reference(expanded.text):
            stage.is_whole = False
        elif not self._is_stage(expanded.text, len(self.stages) - 1):
            self._use(stage, expanded.text, line)

    def _unknown_in(self, unset: list[str], line: int) -> str:
        for name in unset:
            if name in self.unknown:
                return f"the value of {clean(name)} is not known here"
            if name in PLATFORM_ARGS:
                self._needs_buildkit(line, f"${name}")
                return f"{name} has a value in BuildKit only"
        return ""

    def _report_unset(self, names: list[str], line: int) -> None:
        for name in names:
            shown = clean(name)
            if name in self.arguments:
                hint = f"has no value; give it with --build-arg {shown}=VALUE"
            elif name in self.given:
                hint = f"is given, but there is no ARG {shown} before the first FROM"
            else:
                hint = f"has no value: there is no ARG {shown} before the first FROM"
            self._find("arg-unset", line, f"{shown} {hint}")

    def _work(self, instruction: Instruction) -> None:
        line = instruction.line
        used = (flag.partition("=")[0] for flag in instruction.flags)
        self._needs_buildkit(line, next((name for name in used if name in _BUILDKIT_FLAGS), ""))
        self._needs_buildkit(line, "a heredoc" if instruction.has_heredoc else "")
        if not self.stages:
            return
        for flag in instruction.flags:
            name, _, value = flag.partition("=")
            if instruction.keyword == "COPY" and name == "--from":
                self._copy_from(value, line)
            if instruction.keyword == "RUN" and name == "--mount":
                options = dict(option.partition("=")[::2] for option in value.split(","))
                self._copy_from(options.get("from", ""), line)

    def _copy_from(self, source: str, line: int) -> None:
        stage, index = self.stages[-1], len(self.stages) - 1
        source = source.strip("\"'")
        if not source:
            return
        if "$" in source:
            self._find("copy-from-variable", line, f"{clean(source, 200)}: variables are not replaced here")
            stage.is_whole = False
        elif source.isdigit():
            if int(source) >= index:
                self._find("stage-unknown", line, f"there is no stage {source} before this one")
        elif not self._is_stage(source, index):
            self._use(stage, source, line)

    def _is_stage(self, name: str, before: int) -> bool:
        return any(stage.name and stage.name == name.lower() for stage in self.stages[:before])

    def _use(self, stage: _Stage, image: str, line: int) -> None:
        if image == "scratch":
            return
        try:
            parse_reference(image)
        except UsageError as error:
            self._find("image-invalid", line, error.message)
            stage.is_whole = False
            return
        stage.images.append((image, line))

    def _needs_buildkit(self, line: int, what: str) -> None:
        if what and not self.needs_buildkit:
            self.needs_buildkit = f"{self.file}:{line} uses {what}"

    def _find(self, finding_id: str, line: int, message: str) -> None:
        self.findings.append(BuildFinding(finding_id, f"{self.file}:{line}", message))


def is_reference(text: str) -> bool:
    """Tell whether an image can be named like this."""
    try:
        parse_reference(text)
    except UsageError:
        return False
    return True


def read_dockerfile(
    text: str,
    *,
    file: str = "Dockerfile",
    target: str | None = None,
    args: Mapping[str, str | None] | None = None,
) -> Dockerfile:
    """Return what is pulled by a build up to `target` (the last stage if None).

    The classic builder runs every stage up to the target, so the images of all of them count. An
    argument whose value is None is given, but its value is not known.
    """
    reader = _Reader(clean(file), args or {}, escape_character(text))
    if "syntax" in directives(text):
        reader.needs_buildkit = f"{reader.file}:1 names a syntax"
    for instruction in instructions(text):
        reader.read(instruction)
    if not reader.stages:
        reader.findings.append(BuildFinding("no-from", reader.file, "there is no FROM in it"))
    built = reader.stages[: _target_index(reader, target) + 1]
    images: dict[str, BaseImage] = {}
    for stage in built:
        for image, line in stage.images:
            images.setdefault(image, BaseImage(image, f"{reader.file}:{line}"))
    return Dockerfile(
        tuple(images.values()),
        tuple(reader.findings),
        tuple(stage.name for stage in reader.stages),
        reader.needs_buildkit,
        bool(built) and all(stage.is_whole for stage in built),
    )


def _target_index(reader: _Reader, target: str | None) -> int:
    if not target:
        return len(reader.stages) - 1
    for index, stage in enumerate(reader.stages):
        if stage.name == target.lower() or str(index) == target:
            return index
    names = ", ".join(clean(stage.name) for stage in reader.stages if stage.name) or "none with a name"
    message = f"there is no stage {clean(target, 200)} in it; its stages are: {names}"
    reader.findings.append(BuildFinding("target-unknown", reader.file, message))
    return len(reader.stages) - 1
