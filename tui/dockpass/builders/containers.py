"""`podman build` and `buildah build`, in a process of their own, with the run's config for their logins."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from dockpass.builders.abilities import Release, release_of
from dockpass.builders.base import LONGEST_LINE, MOST_WORDS, BuilderInfo, BuildSink, Guard, builder_failed
from dockpass.builders.child import Child, Command
from dockpass.builders.copies import OF_CLIENT, Where, copies, in_variables, places, remove_copies, values_of
from dockpass.builders.copynotes import noted
from dockpass.builders.environment import builder_environment
from dockpass.builders.leftcontainers import mark_words, new_mark, remove_marked
from dockpass.builders.names import BuilderName
from dockpass.builders.options import cache_reference, require_images
from dockpass.builders.proof import proof_of
from dockpass.builders.words import build_words
from dockpass.colours import ColourReader
from dockpass.dockerconfig.helpers import HelperAnswer, run_bounded
from dockpass.dockerconfig.runconfig import RunConfig
from dockpass.dockerconfig.temporary import write_private
from dockpass.engines.base import BuildRequest
from dockpass.engines.failures import failed
from dockpass.errors import Cancelled
from dockpass.references.reference import is_digest
from dockpass.secrets import Secret
from dockpass.text import Lines, clean

SECONDS_TO_LOOK = 10.0

_STEP = re.compile(r"(?:\[\d+/\d+\] )?STEP \d+(?:/\d+)?: ")
_COMMIT = re.compile(r"(?:\[\d+/\d+\] )?COMMIT\b")
_CACHED = re.compile(r"--> Using cache ")
_PULL = re.compile(r"Trying to pull ([^\s]+?)\.\.\.$")
_ERROR = re.compile(r"(?:Error: |error )(.+)$")
_ID = "image-id"
_GOES_ON = "Podman's service may let the command of this step run to its end, and then removes its container"
_STORAGE = {BuilderName.PODMAN: "{{.Store.GraphRoot}}", BuilderName.BUILDAH: "{{.store.GraphRoot}}"}


def buildah_in_podman(version: str) -> str:
    """Return the release of buildah that a release of podman has inside; empty where it is not known."""
    release = release_of(version)
    if release is None:
        return ""
    major, minor = release
    if major >= 5:
        return f"1.{35 + minor}" if major == 5 else "2.0"
    if major < 4:
        return "1.23"
    return f"1.{_BUILDAH_IN_PODMAN_4[min(minor, len(_BUILDAH_IN_PODMAN_4) - 1)]}"


_BUILDAH_IN_PODMAN_4 = (24, 26, 27, 28, 29, 30, 31, 32, 33, 33)
FIRST: Release = (1, 24)
"""The first release of buildah with the options that are used here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Containers:
    """The program, and for podman's service its address, empty for images of the person's own."""

    program: str
    url: str = ""

    @property
    def words(self) -> tuple[str, ...]:
        """The words that call it."""
        return (self.program, *(("--url", self.url) if self.url else ()))


class Output:
    """Turns the lines of buildah into reports. It tells no times, so `clock` measures them.

    `failure` are its last words, `base` is the image that it wanted to pull last; both may be empty.
    """

    def __init__(self, sink: BuildSink, clock: Callable[[], float] = time.monotonic) -> None:
        self._sink = sink
        self._clock = clock
        self._lines = Lines(LONGEST_LINE)
        self._step: tuple[int, str, float] | None = None
        self._state = "done"
        self._steps = 0
        self._words: list[str] = []
        self._colours = ColourReader()
        self.base = ""

    def take(self, chunk: bytes) -> None:
        """Take a piece of the output."""
        for line, is_cut in self._lines.take(chunk):
            self._line(line, is_cut=is_cut)

    def finish(self, *, well: bool) -> None:
        """Take what is left, and end the last step."""
        for line, is_cut in self._lines.finish():
            self._line(line, is_cut=is_cut)
        self._end("done" if well else "failed")

    @property
    def failure(self) -> str:
        """The last error in buildah's words, else its last line."""
        for line in reversed(self._words):
            if found := _ERROR.match(line):
                return found[1]
        return self._words[-1] if self._words else ""

    def _line(self, raw: bytes, *, is_cut: bool) -> None:
        shown, colours = self._colours.line(raw.decode("utf-8", "replace"), is_cut=is_cut)
        line = shown.rstrip()
        if not line:
            return
        self._words.append(line)
        del self._words[:-MOST_WORDS]
        if _STEP.match(line):
            self._end("done")
            self._steps += 1
            self._step, self._state = (self._steps, line, self._clock()), "done"
            self._sink.step(str(self._steps), line, "running", 0.0)
            return
        if _COMMIT.match(line):
            self._end("done")
        elif _CACHED.match(line):
            self._state = "cached"
        elif found := _PULL.match(line):
            self.base = found[1]
        self._sink.output(line, colours)

    def _end(self, state: str) -> None:
        if self._step is None:
            return
        number, name, began = self._step
        self._step = None
        ended = self._state if state == "done" else state
        self._sink.step(str(number), name, ended, self._clock() - began if ended == "done" else 0.0)


class ContainersBuilder:
    """One build. The image goes where `containers` says."""

    def __init__(
        self,
        info: BuilderInfo,
        containers: Containers,
        environ: Mapping[str, str],
        guard: Guard | None = None,
    ) -> None:
        self.info = info
        self._containers = containers
        self._environ = dict(environ)
        self._child = Child(guard)
        self.given_logins: frozenset[str] = frozenset()

    def check(self, request: BuildRequest) -> None:
        """Raise for a cache that is no image; the rest of what it lacks is known before it is chosen."""
        require_images(self.info.title, (*request.extras.cache_from, *request.extras.cache_to))

    def has_locally(self, reference: str) -> bool:
        """Ask the program whether the image is among its own."""
        look: tuple[str, ...] = ("image", "exists", "--", reference)
        if self.info.name is BuilderName.BUILDAH:
            look = ("inspect", "--type", "image", "--format", "{{.FromImageID}}", reference)
        answer = self._ask(*look)
        return not answer.problem and answer.status == 0  # without an answer the build will say what is wrong

    def _ask(self, *words: str) -> HelperAnswer:
        environ = builder_environment(self._environ, Path("/nonexistent"))
        return run_bounded((*self._containers.words, *words), b"", environ, SECONDS_TO_LOOK)

    def build(self, request: BuildRequest, config: RunConfig, sink: BuildSink) -> str:
        """Build, and push each tag if that was asked for."""
        logins = config.logins()  # raises where the file is broken by now, and teaches the redactor
        directory = config.directory
        if not self._containers.url:
            request = replace(
                request, extras=replace(request.extras, secrets=in_variables(request.extras.secrets))
            )
        values, where = values_of(request.extras.secrets), self._where(request)
        before = copies(where)
        with noted(values, where, time.time()) as problem:
            if problem:
                sink.log(f"after a kill a copy of the build's secrets would stay: {problem}")
            mark = new_mark()
            try:
                self._run(self._build_command(request, directory, mark), "build", request, logins, sink)
            except Cancelled:
                if words := _GOES_ON if self._containers.url else self._remove(mark):
                    sink.log(words)
                raise
            finally:
                for left in remove_copies(values, before, where):
                    sink.log(left)
        image = _read_id(directory / _ID)
        if not image:
            raise builder_failed(
                f"{self.info.title} built {clean(str(request.dockerfile))}, and named no image.",
                f"Look with `{self.info.name} images` whether it is there.",
            )
        if request.extras.push:
            for tag in request.tags:
                self._run(self._push_command(tag, directory), f"push of {tag}", request, logins, sink)
        return image

    def _remove(self, mark: str) -> str:
        """Remove the containers that a build has left which was ended in the middle; say so."""
        return remove_marked(self.info.name, self._storage(), mark, self._ask)

    def _where(self, request: BuildRequest) -> Where:
        """Return where copies of secrets may be left; the storage is asked for only if they are there."""
        found = places(
            self._environ, self._storage() if any(each.file for each in request.extras.secrets) else ""
        )
        return (*found, (str(request.context), OF_CLIENT)) if self._containers.url else found

    def _storage(self) -> str:
        if self._containers.url:
            return ""  # the service's own, which it clears when the step has ended
        answer = self._ask("info", "--format", _STORAGE[self.info.name])
        return "" if answer.problem or answer.status else os.fsdecode(answer.out).strip()

    def cut(self) -> None:
        """End the program."""
        self._child.cut()

    def _run(
        self,
        command: Command,
        what: str,
        request: BuildRequest,
        logins: Mapping[str, object],
        sink: BuildSink,
    ) -> None:
        output = Output(sink)
        status = self._child.run(command, output.take)
        output.finish(well=status == 0)
        if status == 0:
            return
        base = output.base if what == "build" else what.removeprefix("push of ")
        title = f"build of {clean(str(request.dockerfile))}" if what == "build" else clean(what)
        words = output.failure or f"{self.info.title} ended with status {status}"
        raise failed(
            title,
            words,
            proof_of(base, logins, request),
            filter(None, (base, *request.tags)),
            program="" if self._containers.url else self.info.name,  # the service is an engine
        )

    def _build_command(self, request: BuildRequest, directory: Path, mark: str) -> Command:
        # Podman's service gets the value of a variable as the empty text, and no error.
        keep = partial(_written, directory) if self._containers.url else None
        words, environ = build_words(
            request,
            builder_environment(self._environ, directory),
            cache=cache_reference,  # these programs take the name of an image, and no `type=`
            keep=keep,
        )
        return Command(
            argv=(
                *self._containers.words,
                "build",
                *("--authfile", str(directory / "config.json")),
                "--layers",
                f"--pull={'always' if request.extras.pull else 'missing'}",
                *("--iidfile", str(directory / _ID)),
                *(() if self._containers.url else ("--force-rm", *mark_words(mark))),
                *words,
                *("--", str(request.context)),
            ),
            environ=environ,
            cwd=request.context,
            stdout=True,
        )

    def _push_command(self, tag: str, directory: Path) -> Command:
        return Command(
            argv=(*self._containers.words, "push", "--authfile", str(directory / "config.json"), "--", tag),
            environ=builder_environment(self._environ, directory),
            cwd=directory,
            stdout=True,
        )


def _written(directory: Path, name: str, value: Secret) -> str:
    """Write a secret beside the run's logins, with which it is removed; return its path."""
    write_private(directory / name, value.reveal())
    return str(directory / name)


def _read_id(file: Path) -> str:
    try:
        found = file.read_text("ascii").strip()
    except (OSError, ValueError):
        return ""
    found = found if found.startswith("sha256:") else f"sha256:{found}"
    return found if is_digest(found) else ""
