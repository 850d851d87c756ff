"""One request to the registry, with all that its handler needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from aiohttp import web

from dockpass.sandbox.access import Caller
from dockpass.sandbox.faults import Spoil
from dockpass.sandbox.routes import Route
from dockpass.sandbox.storage import Storage


@dataclass(frozen=True, slots=True)
class Call:
    """A request that is allowed; `spoil` says how its answer is to be broken."""

    request: web.Request
    route: Route
    caller: Caller
    storage: Storage
    spoil: Spoil

    @property
    def query(self) -> Mapping[str, str]:
        """The first value of each query parameter."""
        return self.request.query
