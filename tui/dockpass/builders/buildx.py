"""BuildKit through `docker buildx build`, in a process of its own that has the run's config as docker's."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dockpass.builders.base import BuilderInfo, BuildSink, Guard, builder_failed, builder_unusable
from dockpass.builders.child import Child, Command
from dockpass.builders.environment import builder_environment, engine_variables
from dockpass.builders.imagestore import require_store
from dockpass.builders.proof import proof_of
from dockpass.builders.rawjson import Progress
from dockpass.builders.words import build_words
from dockpass.dockerconfig.runconfig import RunConfig
from dockpass.engines.base import BuildRequest, Engine
from dockpass.engines.endpoint import Endpoint
from dockpass.engines.failures import failed
from dockpass.references.reference import is_digest
from dockpass.text import clean

_MOST_HEARD = 2000
"""Bytes of what buildx says of itself where it does not answer."""
_ID, _METADATA = "image-id", "build-metadata.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Buildx:
    """Where buildx is. `program` are the words that call it: `docker buildx`, or the plugin by itself.

    `sections` are what the config needs beside logins: the directories of plugins, and proxies.
    """

    program: tuple[str, ...]
    endpoint: Endpoint
    sections: Mapping[str, object] = field(repr=False)


class BuildxBuilder:
    """One build; `engine` is the one whose BuildKit works, and that keeps the image."""

    def __init__(
        self,
        info: BuilderInfo,
        buildx: Buildx,
        engine: Engine,
        environ: Mapping[str, str],
        guard: Guard | None = None,
    ) -> None:
        self.info = info
        self._buildx = buildx
        self._engine = engine
        self._environ = dict(environ)
        self._child = Child(guard)
        self.given_logins: frozenset[str] = frozenset()

    def check(self, request: BuildRequest) -> None:
        """Raise for what the engine cannot keep; the rest of what it lacks is known before it is chosen."""
        require_store(self.info, request, self._engine)

    def has_locally(self, reference: str) -> bool:
        """Ask the engine."""
        return self._engine.image_id(reference) is not None

    def build(self, request: BuildRequest, config: RunConfig, sink: BuildSink) -> str:
        """Build in the engine, once buildx has answered in this very config."""
        logins = config.logins()  # raises where the file is broken by now, and teaches the redactor
        directory = config.directory
        environ = builder_environment(self._environ, directory) | engine_variables(self._buildx.endpoint)
        self._check_answers(environ, directory)
        progress = Progress(sink)
        status = self._child.run(self._command(request, environ, directory), progress.take)
        progress.finish()
        self.given_logins = frozenset(progress.given_logins)
        if status != 0:
            base = progress.base
            frontend = (
                f", fetching the frontend of its `# syntax=` line {base}," if progress.is_frontend else ""
            )
            raise failed(
                f"build of {clean(str(request.dockerfile))}{frontend}",
                progress.failure or f"docker buildx ended with status {status}",
                proof_of(base, logins, request),
                filter(None, (base, *request.tags)),
            )
        return _image_id(directory, request)

    def cut(self) -> None:
        """End buildx, which cancels the build in the engine."""
        self._child.cut()

    def _check_answers(self, environ: Mapping[str, str], directory: Path) -> None:
        """Raise where docker does not find buildx with this config; without it, it would build otherwise."""
        said = bytearray()

        def hear(chunk: bytes) -> None:
            said.extend(chunk[: _MOST_HEARD - len(said)])

        command = Command(
            argv=(*self._buildx.program, "version"), environ=environ, cwd=directory, stdout=True
        )
        if self._child.run(command, hear) == 0:
            return
        words = clean(said.decode("utf-8", "replace"), 300).strip().rstrip(".")
        raise builder_unusable(
            f"docker buildx cannot be used with the temporary config: {words or 'it says nothing'}.",
            "Look at `docker buildx version`, or choose another builder with --builder.",
        )

    def _command(self, request: BuildRequest, environ: Mapping[str, str], directory: Path) -> Command:
        words, environ = build_words(request, environ)
        words += ["--pull"] * request.extras.pull + ["--push"] * request.extras.push
        return Command(
            argv=(
                *self._buildx.program,
                "build",
                # The person's own builders are not in this config; the engine's is the default one.
                *("--builder", "default"),
                "--progress=rawjson",
                *("--iidfile", str(directory / _ID), "--metadata-file", str(directory / _METADATA)),
                *words,
                *("--", str(request.context)),
            ),
            environ=environ,
            cwd=request.context,
        )


def _image_id(directory: Path, request: BuildRequest) -> str:
    """Return the id that buildx wrote down; for an image that was only pushed, the digest of its manifest."""
    try:
        found = (directory / _ID).read_text("ascii").strip()
        if not found:
            found = str(json.loads((directory / _METADATA).read_text())["containerimage.digest"])
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        found = ""
    if is_digest(found):
        return found
    raise builder_failed(
        f"docker buildx built {clean(str(request.dockerfile))}, and named no image.",
        "Look with `docker images` whether it is there.",
    )
