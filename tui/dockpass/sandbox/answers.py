"""Refusals in the distribution specification's form: a status, a code, words.

The codes are those of its section "Error Codes". Three are not in that list, and are what Distribution sends
(its `registry/api/errcode/register.go`): RANGE_INVALID with 416, for which GitLab's fork has a
CONTENT_RANGE_INVALID of its own and zot takes BLOB_UPLOAD_INVALID; PAGINATION_NUMBER_INVALID with 400, as
GitLab's fork too; UNKNOWN with 500, where the specification has nothing to say.
"""

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
