"""Which images the build of a Dockerfile pulls. Pure; substitution as the Dockerfile reference says."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from dockpass.auth.facts import BaseImage
from dockpass.buildfiles.lines import Instruction, directives, instructions
from dockpass.text import clean

_VARIABLE = re.compile(r"\\\$|\$(?:(\w+)|\{(\w+)(?:(:?[-+])([^{}]*))?\})")
_FROM_FLAG = re.compile(r"--from=(\S+)")
_MOUNT_FLAG = re.compile(r"--mount=(\S+)")
_NEEDS_BUILDKIT_FLAG = re.compile(r"--(mount|network|security|link|parents|exclude|checksum)\b")


@dataclass(frozen=True, slots=True)
class BuildFinding:
    """Something that a reader should know: `where` is `file:line`."""

    id: str
    where: str
    message: str


@dataclass(frozen=True, slots=True)
class Dockerfile:
    """What was read. `needs_buildkit` names what the classic builder cannot do, with its place."""

    base_images: tuple[BaseImage, ...]
    findings: tuple[BuildFinding, ...]
    stages: tuple[str, ...]
    needs_buildkit: str = ""


@dataclass
class _Stage:
    name: str
    images: list[tuple[str, int]] = field(default_factory=list)


@dataclass
class _Reader:
    file: str
    given: Mapping[str, str]
    arguments: dict[str, str | None] = field(default_factory=dict)
    stages: list[_Stage] = field(default_factory=list)
    findings: list[BuildFinding] = field(default_factory=list)
    needs_buildkit: str = ""

    def read(self, instruction: Instruction) -> None:
        match instruction.keyword:
            case "ARG" if not self.stages:
                self._argument(instruction)
            case "FROM":
                self._from(instruction)
            case "COPY" | "ADD" | "RUN":
                self._work(instruction)

    def _argument(self, instruction: Instruction) -> None:
        for word in instruction.arguments.split():
            name, equals, default = word.partition("=")
            value = _unquoted(default) if equals else None
            if value is not None:
                value = self._substituted(value, instruction.line)
            self.arguments[name] = self.given.get(name, value)

    def _from(self, instruction: Instruction) -> None:
        words = [word for word in instruction.arguments.split() if not word.startswith("--")]
        if not words:
            self._find("from-empty", instruction.line, "FROM names no image")
            return
        image = self._substituted(_unquoted(words[0]), instruction.line)
        named = len(words) >= 3 and words[1].upper() == "AS"
        stage = _Stage(words[2].lower() if named else "")
        self._use(stage, image, instruction.line)
        self.stages.append(stage)

    def _work(self, instruction: Instruction) -> None:
        where = f"{self.file}:{instruction.line}"
        flag = _NEEDS_BUILDKIT_FLAG.match(instruction.arguments)
        if not self.needs_buildkit and (instruction.has_heredoc or flag):
            what = "a heredoc" if instruction.has_heredoc else f"--{flag[1]}" if flag else ""
            self.needs_buildkit = f"{where} uses {what}"
        if not self.stages:
            return
        if instruction.keyword == "COPY" and (found := _FROM_FLAG.search(instruction.arguments)):
            self._use(self.stages[-1], found[1], instruction.line)
        for mount in _MOUNT_FLAG.findall(instruction.arguments) if instruction.keyword == "RUN" else ():
            options = dict(option.partition("=")[::2] for option in mount.split(","))
            if options.get("from"):
                self._use(self.stages[-1], options["from"], instruction.line)

    def _use(self, stage: _Stage, image: str, line: int) -> None:
        if image and image != "scratch" and not self._is_stage(image):
            stage.images.append((image, line))

    def _is_stage(self, name: str) -> bool:
        if name.isdigit():
            return int(name) < len(self.stages)
        return any(stage.name == name.lower() for stage in self.stages)

    def _substituted(self, text: str, line: int) -> str:
        def value(found: re.Match[str]) -> str:
            if found[0].startswith("\\"):
                return "$"
            name = found[1] or found[2]
            known = self.given.get(name) if name not in self.arguments else self.arguments[name]
            operator, word = found[3] or "", found[4] or ""
            unset = known is None or (operator.startswith(":") and not known)
            if operator.endswith("+"):
                return "" if unset else word
            if unset and not operator:
                self._find(
                    "arg-unset",
                    line,
                    f"{clean(name)} has no value here; give it with --build-arg {clean(name)}=VALUE",
                )
            return word if unset else known or ""

        return _VARIABLE.sub(value, text)

    def _find(self, finding_id: str, line: int, message: str) -> None:
        self.findings.append(BuildFinding(finding_id, f"{self.file}:{line}", message))


def read_dockerfile(
    text: str,
    *,
    file: str = "Dockerfile",
    target: str | None = None,
    args: Mapping[str, str] | None = None,
) -> Dockerfile:
    """Return what is pulled by a build up to `target` (the last stage if None).

    The classic builder runs every stage up to the target, so the images of all of them count.
    """
    reader = _Reader(clean(file), args or {})
    if "syntax" in directives(text):
        reader.needs_buildkit = f"{reader.file}:1 names a syntax"
    for instruction in instructions(text):
        reader.read(instruction)
    if not reader.stages:
        reader.findings.append(BuildFinding("no-from", reader.file, "there is no FROM in it"))
    last = _target_index(reader, target)
    images: dict[str, BaseImage] = {}
    for stage in reader.stages[: last + 1]:
        for image, line in stage.images:
            shown = clean(image)
            images.setdefault(shown, BaseImage(shown, f"{reader.file}:{line}"))
    return Dockerfile(
        tuple(images.values()),
        tuple(reader.findings),
        tuple(stage.name for stage in reader.stages),
        reader.needs_buildkit,
    )


def _target_index(reader: _Reader, target: str | None) -> int:
    if target is None:
        return len(reader.stages) - 1
    for index, stage in enumerate(reader.stages):
        if stage.name == target.lower() or str(index) == target:
            return index
    reader.findings.append(
        BuildFinding("target-unknown", reader.file, f"there is no stage {clean(target)} in it")
    )
    return len(reader.stages) - 1


def _unquoted(word: str) -> str:
    return word[1:-1] if len(word) > 1 and word[0] == word[-1] and word[0] in "\"'" else word
