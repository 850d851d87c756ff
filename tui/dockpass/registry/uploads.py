"""Where an upload goes on: at the registry itself and in the same repository, for the token goes with it."""

from __future__ import annotations

import posixpath
import re
from urllib.parse import unquote, urlsplit

from dockpass.registry.connection_errors import refused
from dockpass.registry.transport import Response, Stream, origin, resolve
from dockpass.text import clean

_UPLOADS = re.compile(r"/v2/(.+)/blobs/uploads(?:/.*)?")


def upload_location(response: Response | Stream, path: str) -> str:
    """Return the address at which an upload to the repository `path` goes on.

    Raises `DockpassError` for any other origin, and for the uploads of another repository. Registries with
    addresses of their own kind for uploads are free to choose them.
    """
    location = response.headers.get("Location", "")
    shown = clean(response.redact(location), 200) or "no address"
    target = resolve(response.url, location) if location else None
    if target is None:
        raise refused(response.url, f"the upload's Location is not an address ({shown})")
    if origin(target) != origin(response.url):
        raise refused(response.url, f"the upload's Location points to another origin ({shown})")
    # Servers read `..` and `%2e%2e` as they like, so both are read here.
    found = _UPLOADS.fullmatch(posixpath.normpath(unquote(urlsplit(target).path)))
    if found and found[1] != path:
        raise refused(
            response.url, f"the Location of an upload to {path} points to another repository ({shown})"
        )
    return target
