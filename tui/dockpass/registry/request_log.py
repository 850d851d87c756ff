"""One line of the debug log for each HTTP request: method, address, status, time, and nothing it carried."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Protocol, TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from dockpass.text import clean

_log = logging.getLogger("dockpass.http")

_SHOWN_QUERY = frozenset({"n"})
"""Every other parameter may hold a secret: signatures, upload states, tokens, build arguments."""
_UPLOAD = re.compile(r"^(/v2/.+/blobs/uploads?/|/(?!v2/)(?:.*/)?uploads?/).+")
"""Whoever knows the rest of an upload's address can go on with the upload."""


class Reply(Protocol):
    """What is logged of a response."""

    @property
    def status(self) -> int:
        """The HTTP status."""
        ...


AnyReply = TypeVar("AnyReply", bound=Reply)


def shown_address(url: str, *, path: bool = True) -> str:
    """Return an address without user name, upload id, fragment and query (but for the page size `n`).

    Without `path`, everything after the host is `/…`.
    """
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    if not path:
        return clean(f"{parts.scheme}://{host}/…", 300)
    query = [pair for pair in parse_qsl(parts.query) if pair[0] in _SHOWN_QUERY]
    shown = _UPLOAD.sub(r"\1…", parts.path)
    return clean(urlunsplit((parts.scheme, host, shown, urlencode(query), "")), 300)


def log_request(method: str, url: str, outcome: str, seconds: float, *, path: bool = True) -> None:
    """Write the line `GET https://registry.example/v2/ 401 12 ms`; `outcome` is a status or an error id."""
    if not _log.isEnabledFor(logging.DEBUG):
        return  # showing an address takes longer than all else that is done here
    _log.debug("%s %s %s %.0f ms", method, shown_address(url, path=path), outcome, seconds * 1000)


class Logged(AbstractAsyncContextManager[AnyReply]):
    """Enters `request` and logs how it went, up to the headers of its response.

    An address that a redirect to another origin named is logged without its `path`: signed addresses of
    storage may hold their signature there.
    """

    def __init__(
        self,
        method: str,
        url: str,
        request: AbstractAsyncContextManager[AnyReply],
        *,
        path: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._method = method
        self._url = url
        self._request = request
        self._path = path
        self._clock = clock

    async def __aenter__(self) -> AnyReply:
        began = self._clock()
        try:
            reply = await self._request.__aenter__()
        except BaseException as error:
            self._log(f"no response ({getattr(error, 'id', type(error).__name__)})", began)
            raise
        self._log(str(reply.status), began)
        return reply

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> bool | None:
        return await self._request.__aexit__(kind, error, trace)

    def _log(self, outcome: str, began: float) -> None:
        log_request(self._method, self._url, outcome, self._clock() - began, path=self._path)
