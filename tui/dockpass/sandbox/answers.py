"""Refusals in the distribution specification's form: a status, a code, words."""

from __future__ import annotations

from collections.abc import Mapping

from aiohttp import web

from dockpass.text import clean

_WORDS = {
    "BLOB_UNKNOWN": "blob unknown to registry",
    "BLOB_UPLOAD_INVALID": "blob upload invalid",
    "BLOB_UPLOAD_UNKNOWN": "blob upload unknown to registry",
    "DENIED": "requested access to the resource is denied",
    "DIGEST_INVALID": "provided digest did not match uploaded content",
    "MANIFEST_BLOB_UNKNOWN": "blob unknown to registry",
    "MANIFEST_INVALID": "manifest invalid",
    "MANIFEST_UNKNOWN": "manifest unknown",
    "NAME_INVALID": "invalid repository name",
    "NAME_UNKNOWN": "repository name not known to registry",
    "PAGINATION_NUMBER_INVALID": "invalid number of results requested",
    "RANGE_INVALID": "invalid content range",
    "SIZE_INVALID": "provided length did not match content length",
    "TAG_INVALID": "manifest tag did not match URI",
    "TOOMANYREQUESTS": "too many requests",
    "UNAUTHORIZED": "authentication required",
    "UNKNOWN": "unknown error",
    "UNSUPPORTED": "the operation is unsupported",
}


class Refused(Exception):
    """A request is declined: HTTP `status`, one of the specification's codes, `detail` as JSON."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str = "",
        detail: object = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message or _WORDS.get(code, code))
        self.status = status
        self.code = code
        self.message = clean(str(self))
        self.detail = detail
        self.headers = dict(headers or {})

    def as_response(self) -> web.Response:
        """Return `{"errors": [{code, message, detail}]}`."""
        error: dict[str, object] = {"code": self.code, "message": self.message}
        if self.detail is not None:
            error["detail"] = self.detail
        return web.json_response({"errors": [error]}, status=self.status, headers=self.headers)


def shown(text: str) -> str:
    """Return a request's own words as they may stand in an answer's detail."""
    return clean(text, 200)
