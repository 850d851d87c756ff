"""The builders that an engine brings along: Docker's classic one, and dockpass's own."""

from __future__ import annotations

from dockpass.builders.base import BuilderInfo, BuildSink
from dockpass.dockerconfig.runconfig import RunConfig
from dockpass.engines.base import BuildRequest, Engine


class EngineBuilder:
    """Builds with the engine of the run; a cancel cuts that engine."""

    def __init__(self, info: BuilderInfo, engine: Engine) -> None:
        self.info = info
        self._engine = engine
        self.given_logins: frozenset[str] = frozenset()

    def check(self, request: BuildRequest) -> None:
        """Raise for what the engine cannot build."""
        self._engine.check_build(request)

    def has_locally(self, reference: str) -> bool:
        """Ask the engine."""
        return self._engine.image_id(reference) is not None

    def build(self, request: BuildRequest, config: RunConfig, sink: BuildSink) -> str:
        """Build, and push each tag if that was asked for."""
        image = self._engine.build(request, config, sink)
        if request.extras.push:
            for tag in request.tags:
                digest = self._engine.push(tag, config, sink)
                sink.log(f"pushed {tag}{f'@{digest}' if digest else ''}")
        return image

    def cut(self) -> None:
        """The run cuts its engine itself."""
