"""Where an upload goes on: at the registry itself, for the token goes with it."""

from __future__ import annotations

from dockpass.registry.transport import Response, Stream, origin, resolve
from dockpass.registry.unreached import refused
from dockpass.text import clean


def upload_location(response: Response | Stream) -> str:
    """Return the address at which an upload goes on; raises `DockpassError` for any other origin."""
    location = response.headers.get("Location", "")
    target = resolve(response.url, location) if location else None
    if target is None:
        raise refused(response.url, f"an upload should go on at {clean(location, 200) or 'no address'}")
    if origin(target) != origin(response.url):
        raise refused(
            response.url, f"an upload should go on at {clean(origin(target), 200)}, which is another origin"
        )
    return target
