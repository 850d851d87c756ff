"""Which images the build of a Dockerfile pulls. Pure; what is said here is judged by BuildKit itself."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from dockpass.auth.facts import BaseImage, UnknownImage
from dockpass.buildfiles.contexts import NamedContext, NamedContexts
from dockpass.buildfiles.lines import Instruction, syntax
from dockpass.buildfiles.needs import Feature, Need, needs_of_instruction
from dockpass.buildfiles.platforms import (
    BuildPlatform,
    arguments_of,
    parse_platform,
    split_platforms,
    this_machine,
)
from dockpass.buildfiles.reached import needed, used_too_early, wrong_mount
from dockpass.buildfiles.stages import (
    Linked,
    Linker,
    Outline,
    Refusal,
    Use,
    Values,
    find_target,
    read_outline,
    values_of,
)
from dockpass.buildfiles.words import expand
from dockpass.errors import UsageError
from dockpass.findings import Finding
from dockpass.references.imagenames import normalised
from dockpass.references.reference import parse_reference
from dockpass.text import clean

PLATFORM_ARGS = frozenset(
    f"{side}{part}" for side in ("BUILD", "TARGET") for part in ("PLATFORM", "OS", "ARCH", "VARIANT")
)
"""Arguments that only BuildKit gives a value to."""

SYNTAX_ARG = "BUILDKIT_SYNTAX"
STAGE_ARG = "TARGETSTAGE"


@dataclass(frozen=True, kw_only=True, slots=True)
class Dockerfile:
    """What a build with BuildKit pulls, the frontend among it, and what of it is not known.

    `refusal` is the first thing for which BuildKit refuses the build, whatever is given. `classic` are
    the images that the classic builder pulls besides, because it runs every stage up to the target.
    `needs` are the features that not every builder has, with their places.
    """

    base_images: tuple[BaseImage, ...] = ()
    unknown: tuple[UnknownImage, ...] = ()
    findings: tuple[Finding, ...] = ()
    stages: tuple[str, ...] = ()
    refusal: Finding | None = None
    classic: tuple[BaseImage, ...] = ()
    needs: tuple[Need, ...] = ()

    @property
    def is_whole(self) -> bool:
        """Whether every image is known."""
        return not self.unknown and self.refusal is None


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """What a build was asked for. An argument whose value is None is given, but its value is not known.

    `platform` is the one that is built for, this machine's where it is None.
    """

    target: str | None = None
    args: Mapping[str, str | None]
    contexts: NamedContexts
    platform: BuildPlatform | None = None
    machine: BuildPlatform


@dataclass(frozen=True, slots=True)
class Graph:
    """A Dockerfile with the links between its stages, and those that the target reaches."""

    outline: Outline
    values: Values
    linked: list[Linked]
    target: int
    reached: list[int]
    refusal: Refusal | None
    linker: Linker


def read_graph(text: str, wanted: Wanted) -> Graph:
    """Read a Dockerfile for one build."""
    outline = read_outline(text)
    platform = wanted.platform or wanted.machine
    predefined = arguments_of(wanted.machine, platform)
    predefined[STAGE_ARG] = (wanted.target or "default").lower()
    values, wrong = values_of(outline, wanted.args, predefined)
    linker = Linker(
        outline, values, wanted.contexts, platform, partial(why_unset, values=values, given=wanted.args)
    )
    linked, refusal = linker.link()
    refusal = outline.refusal or wrong or refusal
    target = find_target(outline, wanted.target)
    if target is None and outline.stages:
        named = ", ".join(stage.name for stage in outline.stages if stage.name)
        stages = f"its named stages are {clean(named, 300)}" if named else "none of its stages has a name"
        message = f"it has no stage {clean(wanted.target or '', 200)}; {stages}"
        refusal = refusal or Refusal("target-unknown", 0, message)
    target = len(linked) - 1 if target is None else target
    reached = needed(linked, target) if linked else []
    refusal = refusal or used_too_early(linked, reached) or wrong_mount(linked, reached)
    return Graph(outline, values, linked, target, reached, refusal, linker)


def dockerfile_invalid(
    where: str, why: str, hint: str = "See the Dockerfile reference for what this instruction takes."
) -> UsageError:
    """Return the error for a Dockerfile that cannot be built; `where` is its path, with line and column."""
    return UsageError("dockerfile-invalid", f"{where}: {why}.", hint)


def target_unknown(file: str, why: str) -> UsageError:
    """Return the error for a stage to build that the Dockerfile does not have."""
    hint = "Check --target: it takes the name after `AS`. Without it, the last stage is built."
    return UsageError("target-unknown", f"{file}: {why}.", hint)


def read_dockerfile(
    text: str,
    *,
    file: str = "Dockerfile",
    target: str | None = None,
    args: Mapping[str, str | None] | None = None,
    platform: str = "",
    contexts: NamedContexts | None = None,
    machine: BuildPlatform | None = None,
) -> Dockerfile:
    """Return what is pulled by a build of `target` (the last stage if None) for a platform.

    For several platforms, with commas between, it is what the builds for all of them pull. `machine` is the
    platform that builds; raises `UsageError` for a `platform` that is none.
    """
    here = machine or this_machine()
    return _merged(
        [
            _Reading(
                clean(file),
                text,
                Wanted(
                    target=target,
                    args=args or {},
                    contexts=contexts or {},
                    platform=wanted_platform(each, here, is_given=bool(platform)),
                    machine=here,
                ),
            ).result()
            for each in split_platforms(platform) or ("",)
        ]
    )


def _merged(read: Sequence[Dockerfile]) -> Dockerfile:
    """Return what is pulled by the same build for several platforms."""
    first = read[0]
    if len(read) == 1:
        return first
    images = {image.reference: image for each in read for image in each.base_images}
    classic = {image.reference: image for each in read for image in each.classic}
    return Dockerfile(
        base_images=tuple(images.values()),
        unknown=tuple(dict.fromkeys(image for each in read for image in each.unknown)),
        findings=tuple(dict.fromkeys(found for each in read for found in each.findings)),
        stages=first.stages,
        refusal=next((each.refusal for each in read if each.refusal is not None), None),
        classic=tuple(image for name, image in classic.items() if name not in images),
        needs=tuple(dict.fromkeys(need for each in read for need in each.needs)),
    )


def wanted_platform(text: str, machine: BuildPlatform, *, is_given: bool = False) -> BuildPlatform | None:
    """Return a platform of `--platform`; None where none is given."""
    if not text and not is_given:
        return None
    found = parse_platform(text, machine)
    if found is None:
        raise UsageError(
            "platform-invalid",
            f"--platform: {clean(text, 80) or 'an empty text'} is not a platform.",
            "Give one such as linux/amd64, or several with commas between: linux/amd64,linux/arm64.",
        )
    return found


class _Reading:
    def __init__(self, file: str, text: str, wanted: Wanted) -> None:
        self.file = file
        self.text = text
        self.wanted = wanted
        self.graph = read_graph(text, wanted)

    def result(self) -> Dockerfile:
        images = _Images(self.file)
        frontend = self._frontend()
        if frontend is not None:
            images.add(frontend)
        for use in self._uses(self.graph.reached):
            images.add(use)
        for each in self.graph.linked:  # what is wrong in any stage stops the build
            for use in (each.base, *each.uses):
                if use.because and use not in images.seen:
                    images.add(use)
        classic = _Images(self.file)
        for use in self._uses(range(self.graph.target + 1)):
            classic.add(use)
        refusal = self.graph.refusal
        return Dockerfile(
            base_images=tuple(images.known.values()),
            unknown=tuple(images.unknown),
            findings=tuple(self._findings(images)),
            stages=tuple(stage.name for stage in self.graph.outline.stages),
            refusal=None if refusal is None else self._found(refusal.id, refusal.line, refusal.message),
            classic=tuple(each for name, each in classic.known.items() if name not in images.known),
            needs=tuple(dict.fromkeys(self._needs())),
        )

    def _uses(self, stages: Iterable[int]) -> Iterator[Use]:
        for index in stages:
            each = self.graph.linked[index]
            yield each.base
            if not each.base.replaces_stage:
                yield from each.uses

    def _frontend(self) -> Use | None:
        given = self.wanted.args.get(SYNTAX_ARG, "")
        if SYNTAX_ARG in self.wanted.args:
            name, line = (given or "").strip().split(" ")[0], 0
            if given is None:
                return Use(line=0, text=SYNTAX_ARG, because=f"the value of {SYNTAX_ARG} is not known here")
        else:
            found = syntax(self.text)
            if found is None:
                return None
            name, line = found.value, found.line
        if not normalised(name):
            because = f"{clean(name, 200) or 'the empty text'} is not a valid image for the frontend"
            return Use(line=line, text=name, because=because, refused="reference-invalid")
        return Use(line=line, text=name, image=name)

    def _findings(self, images: _Images) -> Iterator[Finding]:
        reported = set()
        for use in images.seen:
            if use.because and use.line:
                yield self._found(
                    "image-unknown", use.line, f"{clean(use.text, 200)} is not known: {use.because}"
                )
        for name, line in self._unset():
            if (name, line) not in reported:
                reported.add((name, line))
                why = why_unset(name, self.graph.values, self.wanted.args)
                yield self._found("arg-unset", line, why)

    def _unset(self) -> Iterator[tuple[str, int]]:
        """Yield the names without a value that change what is pulled all the same."""
        yield from self.graph.values.reports
        for index in self.graph.reached:
            stage, base = self.graph.linked[index].stage, self.graph.linked[index].base
            if not base.because:
                found = expand(stage.base, self.graph.values.known.get, self.graph.outline.escape)
                yield from ((name, stage.origin.line) for name in found.unset)

    def _needs(self) -> Iterator[Need]:
        """Yield what is needed: a parser looks at every stage, commands run in those that are reached."""
        if (frontend := self._frontend()) is not None:
            where = f"{self.file}:{frontend.line}" if frontend.line else f"--build-arg {SYNTAX_ARG}"
            yield Need(Feature.SYNTAX, where)
        if self.wanted.contexts:
            yield Need(Feature.NAMED_CONTEXT, "--build-context")
        for index, stage in enumerate(self.graph.outline.stages):
            if any(self._platform_args(stage.origin)):
                yield Need(Feature.PLATFORM_ARG, f"{self.file}:{stage.origin.line}")
            for at in stage.body:
                where = f"{self.file}:{at.line}"
                yield from (Need(feature, where) for feature in needs_of_instruction(at))
                if at.keyword == "RUN" and index in self.graph.reached:
                    yield Need(Feature.RUN, where)

    def _platform_args(self, at: Instruction) -> Iterator[str]:
        """Yield the predefined arguments in a FROM to which nothing but BuildKit gives a value."""
        given = {
            word.partition("=")[0]
            for each in self.graph.outline.arguments
            for word in each.words
            if "=" in word or word in self.wanted.args
        }
        for text in (*at.flags, *at.words[:1]):
            found = expand(text, lambda _: "", self.graph.outline.escape)
            yield from (name for name in found.names if name in PLATFORM_ARGS and name not in given)

    def _found(self, finding_id: str, line: int, message: str) -> Finding:
        return Finding(finding_id, f"{self.file}:{line}" if line else self.file, message)


class _Images:
    """Images as they are found, each once."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.known: dict[str, BaseImage] = {}
        self.unknown: list[UnknownImage] = []
        self.seen: list[Use] = []

    def add(self, use: Use) -> None:
        self.seen.append(use)
        where = f"{self.file}:{use.line}" if use.line else f"--build-arg {SYNTAX_ARG}"
        if use.because:
            self._unknown(use.text, where, use.because, use.refused)
        elif use.context is not None:
            self._of_context(use.context)
        elif use.image:
            self._known(use.image, where)

    def _of_context(self, context: NamedContext) -> None:
        if context.image and context.image != "scratch":
            self._known(context.image, "--build-context")

    def _known(self, image: str, where: str) -> None:
        try:
            parse_reference(image)
        except UsageError as error:  # docker is less strict, but nothing is sent to what is no such name
            self._unknown(image, where, error.message.rstrip("."), "")
            return
        self.known.setdefault(image, BaseImage(image, where))

    def _unknown(self, text: str, where: str, because: str, refused: str) -> None:
        found = UnknownImage(clean(text, 200), where, because, refused)
        if found not in self.unknown:
            self.unknown.append(found)


def why_unset(name: str, values: Values, given: Mapping[str, str | None]) -> str:
    """Say why a name has no value, and what gives it one."""
    shown = clean(name)
    if name in values.known:
        return f"{shown} has no value; give it with --build-arg {shown}=VALUE"
    if name in given:
        return f"{shown} is given, but there is no ARG {shown} before the first FROM"
    return f"{shown} has no value: there is no ARG {shown} before the first FROM"
