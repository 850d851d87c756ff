"""The registry: which handler answers which method of which route."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias

from aiohttp import web

from dockpass.sandbox import blob_routes, manifest_routes
from dockpass.sandbox.answers import Refused
from dockpass.sandbox.call import Call
from dockpass.sandbox.routes import Kind

Handler: TypeAlias = Callable[[Call], Awaitable[web.StreamResponse]]


async def _base(_: Call) -> web.StreamResponse:
    return web.json_response({})


HANDLERS: Mapping[Kind, Mapping[str, Handler]] = {
    Kind.BASE: {"GET": _base, "HEAD": _base},
    Kind.CATALOG: {"GET": manifest_routes.list_repositories},
    Kind.TAGS: {"GET": manifest_routes.list_tags},
    Kind.TAG: {"DELETE": manifest_routes.delete_one},
    Kind.UPLOADS: {"POST": blob_routes.begin_upload},
    Kind.UPLOAD: {
        "GET": blob_routes.show_upload,
        "PATCH": blob_routes.write_chunk,
        "PUT": blob_routes.finish_upload,
        "DELETE": blob_routes.cancel_upload,
    },
    Kind.BLOB: {
        "GET": blob_routes.read_blob,
        "HEAD": blob_routes.read_blob,
        "DELETE": blob_routes.delete_blob,
    },
    Kind.MANIFEST: {
        "GET": manifest_routes.read_one,
        "HEAD": manifest_routes.read_one,
        "PUT": manifest_routes.write_one,
        "DELETE": manifest_routes.delete_one,
    },
    Kind.REFERRERS: {"GET": manifest_routes.list_referrers},
}


def handler_of(kind: Kind, method: str) -> Handler:
    """Return what answers; raises `Refused` (405 UNSUPPORTED) for a method that this route has not."""
    handlers = HANDLERS[kind]
    if method not in handlers:
        raise unsupported(kind)
    return handlers[method]


def unsupported(kind: Kind, without: str = "") -> Refused:
    """Return the refusal of a method, with those that are allowed: all of the route's, or all but one."""
    allowed = sorted(method for method in HANDLERS[kind] if method != without)
    return Refused(405, "UNSUPPORTED", headers={"Allow": ", ".join(allowed)})
