"""Build: the stages of a Dockerfile turned into layers and a config, with nothing being run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from dockpass.buildfiles.dockerfile import SYNTAX_ARG, Wanted, wanted_platform
from dockpass.buildfiles.lines import Instruction, instructions
from dockpass.buildfiles.platforms import BuildPlatform
from dockpass.buildfiles.stages import SCRATCH, Linked, Use
from dockpass.engines.base import BuildRequest, Sink
from dockpass.engines.context import read_file, require_directory, visible_names
from dockpass.engines.embedded.filesteps import FileSteps
from dockpass.engines.embedded.image import Image, image_of
from dockpass.engines.embedded.imageconfig import CONFIG_KEYWORDS, ImageConfig, InstructionError
from dockpass.engines.embedded.layer import Layer
from dockpass.engines.embedded.manifest import Manifest, Platform, this_platform
from dockpass.engines.embedded.moment import EPOCH, moment_of, with_epoch
from dockpass.engines.embedded.script import check_flags, needs_engine, read_script
from dockpass.engines.embedded.store import Store
from dockpass.engines.embedded.tree import Tree, tree_of_files
from dockpass.errors import UsageError
from dockpass.references.reference import Reference, parse_reference
from dockpass.text import clean, cut

PullBase = Callable[[Reference, Platform], Manifest]
"""Has an image in the store, and returns its manifest."""

_TRIGGERS = CONFIG_KEYWORDS | {"ARG", "COPY", "ADD", "WORKDIR"}


def check_request(request: BuildRequest, environ: Mapping[str, str], clock: Callable[[], float]) -> None:
    """Raise `UsageError` for what cannot be built here, before anything is pulled."""
    arguments = with_epoch(request.build_args, environ)
    moment_of(arguments, clock)
    read_script(request.dockerfile, read_file(request.dockerfile), _wanted(request, arguments))


def _wanted(request: BuildRequest, arguments: Mapping[str, str]) -> Wanted:
    here = this_platform()
    machine = BuildPlatform(here.os, here.architecture, here.variant)
    return Wanted(
        target=request.target,
        args=arguments,
        contexts=request.contexts,
        platform=wanted_platform(request.platform, machine),
        machine=machine,
    )


class Builder:
    """One build. `pull_base` brings base images; `environ` may hold SOURCE_DATE_EPOCH.

    `clock` gives seconds since 1970, the time of the build where that names none.
    """

    def __init__(
        self,
        store: Store,
        request: BuildRequest,
        sink: Sink,
        pull_base: PullBase,
        environ: Mapping[str, str],
        clock: Callable[[], float],
    ) -> None:
        self._store = store
        self._request = request
        self._sink = sink
        self._pull_base = pull_base
        self._arguments = with_epoch(request.build_args, environ)
        self._moment = moment_of(self._arguments, clock)
        self._images: dict[int, Image] = {}
        self._context_trees: dict[str, Tree] = {}
        self._context_tree: Tree | None = None
        self._unused = set(request.build_args) - {EPOCH, SYNTAX_ARG}
        self._step_number = 0

    def build(self) -> str:
        """Build the wanted stage and name it; return the image's id."""
        request = self._request
        self._root = request.context.resolve()
        self._names = visible_names(request.context, request.dockerfile, self._sink.check)
        wanted, here = _wanted(request, self._arguments), this_platform()
        own = wanted.platform
        self._platform = Platform(own.os, own.architecture, own.variant) if own else here
        self._script = read_script(request.dockerfile, read_file(request.dockerfile), wanted)
        self._steps = sum(1 + len(each.stage.body) for each in self._script.stages)
        self._files = FileSteps(self._store, self._context, self._moment, self._sink.check)
        self._outer = self._script.outer
        for at in self._script.graph.outline.arguments:
            self._unused -= {word.partition("=")[0] for word in at.words}
        for each in self._script.stages:
            self._images[each.stage.index] = self._stage(each)
        if self._unused:
            names = ", ".join(clean(name) for name in sorted(self._unused))
            self._sink.log(f"warning: there is no ARG for the build argument {names}")
        return self._finish(self._images[self._script.graph.target])

    def _finish(self, image: Image) -> str:
        descriptor, image_id = image.store(self._store, self._moment)
        for name in self._request.tags or ("",):
            self._store.name(_with_latest(name), descriptor)
        self._sink.log(f"built {image_id}")
        for name in self._request.tags:
            self._sink.log(f"named {clean(name)}")
        return image_id

    def _stage(self, linked: Linked) -> Image:
        stage = linked.stage
        base = self._script.expand(stage.origin, stage.base, self._outer)
        self._say(f"FROM {clean(base, 200)}" + (f" AS {clean(stage.name, 100)}" if stage.name else ""))
        image = self._base(linked)
        if linked.base.replaces_stage:  # what stands for a stage is taken as it is
            return image
        for text in image.config.begin_stage():
            self._trigger(linked, image, text)
        for each in stage.body:
            flags = "".join(f"{flag} " for flag in each.flags)
            self._say(f"{each.keyword} {cut(clean(flags + each.text, 200), 100)}")
            self._follow(linked, image, each)
        return image

    def _base(self, linked: Linked) -> Image:
        base, own = linked.base, linked.platform
        platform = Platform(own.os, own.architecture, own.variant) if own else self._platform
        if base.stage is not None:
            return self._images[base.stage].branch()
        name = self._image_of(linked.stage.origin, base)
        return self._foreign(linked.stage.origin, name, platform) if name else Image(ImageConfig(), platform)

    def _image_of(self, at: Instruction, use: Use) -> str:
        """Return the image that is meant; empty for nothing at all."""
        if use.context is None:
            return use.image
        if not use.context.image:
            self._script.fail(
                at, f"the build context for {use.text} is not an image, so no stage can start from it"
            )
        return "" if use.context.image == SCRATCH else use.context.image

    def _foreign(self, at: Instruction, name: str, platform: Platform) -> Image:
        try:
            reference = parse_reference(name)
        except UsageError as error:
            self._script.fail(at, error.message.rstrip("."), hint=error.hint)
        return image_of(self._store, self._pull_base(reference, platform), platform, str(reference))

    def _trigger(self, linked: Linked, image: Image, text: str) -> None:
        """Do what an ONBUILD of the base image asks for."""
        shown = f"{cut(clean(text, 200), 100)} (ONBUILD of the base image)"
        self._say(shown, counts=False)
        for each in instructions(text):
            at = replace(each, line=linked.stage.origin.line)
            if at.keyword == "RUN":
                raise needs_engine(f"{self._script.file}:{at.line}:1", shown, pulled=True)
            if at.keyword not in _TRIGGERS:
                self._script.fail(
                    linked.stage.origin, f"its base image has the trigger {shown}, which is not supported"
                )
            check_flags(self._script, at)
            self._follow(linked, image, at)

    def _follow(self, linked: Linked, image: Image, at: Instruction) -> None:
        self._sink.check()
        values = image.values

        def expand(word: str) -> str:
            return self._script.expand(at, word, values)

        layer: Layer | None = None
        try:
            match at.keyword:
                case "ARG":
                    self._argument(image, at)
                case "WORKDIR":
                    layer = self._files.workdir(image, at, expand)
                case "COPY" | "ADD":
                    layer = self._files.copy(image, at, expand, self._origin(linked, at))
                case _:
                    image.config.apply(at, expand)
        except InstructionError as error:
            self._script.fail(at, str(error).rstrip("."), error.word)
        if layer is not None:
            size = "there already" if layer.reused else f"{layer.descriptor.size:,} bytes"
            self._sink.log(f"  layer {layer.descriptor.digest[7:19]}, {size}")
        flags = "".join(f"{flag} " for flag in at.flags)
        image.note(self._moment, clean(f"{at.keyword} {flags}{at.text}", 2000), layer)

    def _origin(self, linked: Linked, at: Instruction) -> Image | Tree | None:
        """Return the stage, the image or the directory of `COPY --from`."""
        use = next(iter(self._script.graph.linker.uses(at)), None)
        if use is None:
            return None
        if use.because:
            self._script.fail(at, f"--from={use.text}: {use.because}", use.text)
        if use.stage is not None:
            if use.stage >= linked.stage.index:
                self._script.fail(at, f"the stage {use.text} is defined later", use.text)
            return self._images[use.stage]
        if use.context is not None and use.context.directory:
            return self._named_tree(use.context.directory)
        if use.context is not None and use.context.other:
            hint = "Fetch it before the build, and name the directory."
            self._script.fail(at, f"the embedded engine does not fetch {use.context.other}", use.text, hint)
        name = self._image_of(at, use)
        return self._foreign(at, name, self._platform) if name else Tree()

    def _named_tree(self, directory: str) -> Tree:
        if directory not in self._context_trees:
            root = (self._request.named_root / directory).resolve()
            require_directory(root, "Check the path behind --build-context NAME=.")
            names = visible_names(root, None, self._sink.check)
            self._context_trees[directory] = tree_of_files(root, names, self._sink.check)
        return self._context_trees[directory]

    def _argument(self, image: Image, at: Instruction) -> None:
        for word in at.words:
            name, equals, default = word.partition("=")
            if not name:
                raise InstructionError("a name is missing before the `=`", word)
            self._unused.discard(name)
            if name in self._arguments:
                image.arguments[name] = self._arguments[name]
            elif equals:
                image.arguments[name] = self._script.expand(at, default, image.values)
            elif name in self._outer:
                image.arguments[name] = self._outer[name]

    def _context(self) -> Tree:
        if self._context_tree is None:
            self._context_tree = tree_of_files(self._root, self._names, self._sink.check)
        return self._context_tree

    def _say(self, text: str, *, counts: bool = True) -> None:
        self._sink.check()
        self._step_number += counts
        self._sink.log(f"step {self._step_number}/{self._steps}: {text}")


def _with_latest(name: str) -> str:
    if not name:
        return ""
    parsed = parse_reference(name)
    return str(parsed if parsed.tag else Reference(parsed.host, parsed.path, "latest"))
