"""Who comes in."""

from __future__ import annotations

from aiohttp import web

from dockpass.sandbox.access import Caller
from dockpass.sandbox.answers import Refused
from dockpass.sandbox.faults import Spoil
from dockpass.sandbox.routes import Route


class Gate:
    """Lets everybody in."""

    realm_path = ""

    def token(self, request: web.Request, spoil: Spoil) -> web.StreamResponse:
        """Answer a request for a token."""
        raise Refused(404, "UNSUPPORTED")

    def admit(self, request: web.Request, route: Route, source: str) -> Caller:
        """Return who asks."""
        return Caller()

    def sign(self, request: web.Request, route: Route, caller: Caller, response: web.StreamResponse) -> None:
        """Add what this flavour says."""
