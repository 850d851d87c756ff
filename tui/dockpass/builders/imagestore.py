"""What an engine does only with containerd's store of images, looked at before anything is created."""

from __future__ import annotations

from dockpass.builders.base import BuilderInfo
from dockpass.builders.options import cache_fields
from dockpass.buildfiles.platforms import split_platforms
from dockpass.engines.base import BuildRequest, Engine
from dockpass.errors import UsageError
from dockpass.text import clean

_TURN_ON = (
    'Turn on "containerd-snapshotter" under "features" in the engine\'s daemon.json'
    " (https://docs.docker.com/engine/storage/containerd)"
)


def require_store(info: BuilderInfo, request: BuildRequest, engine: Engine) -> None:
    """Raise `UsageError` for what the engine says that it cannot do; it is asked only if that matters."""
    platforms = split_platforms(request.platform)
    caches = [each for each in request.extras.cache_to if cache_fields(each).get("type") != "inline"]
    if (len(platforms) < 2 and not caches) or not engine.lacks_containerd_store():
        return
    shown = engine.info()
    if len(platforms) > 1:
        cannot = f"build for {clean(' and '.join(platforms), 200)} at once"
        otherwise = "build for one platform at a time"
    else:
        cannot = f"export a cache to {clean(caches[0], 200)}"
        otherwise = "keep the cache in the image: --cache-to type=inline"
    raise UsageError(
        "needs-containerd-store",
        f"{info.title} cannot {cannot}: {shown.name} {shown.version} does not keep its images in"
        " containerd's store.",
        f"{_TURN_ON}, or {otherwise}.",
    )
