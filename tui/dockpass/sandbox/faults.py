"""Faults on purpose: what networks, proxies and registries do on a bad day."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from dockpass.errors import DockpassError
from dockpass.text import clean


@dataclass(frozen=True, slots=True)
class Faults:
    """What goes wrong. Whole numbers say how often; `path` (a regular expression) and `method` where.

    `latency` and `retry_after` are in seconds. `cut_blob_after` ends the connection behind so many bytes
    of a blob, `cut_times` times. `expired_tokens` are expired as they are made. `wrong_digest` sends
    manifests and blobs with other bytes than their digest's.
    """

    latency: float = 0.0
    too_many: int = 0
    retry_after: int = 1
    server_errors: int = 0
    hang: int = 0
    cut_blob_after: int | None = None
    cut_times: int = 1
    wrong_digest: int = 0
    expired_tokens: int = 0
    path: str = ""
    method: str = ""

    def __post_init__(self) -> None:
        try:
            re.compile(self.path)
        except re.error as error:
            raise DockpassError(
                "sandbox-faults",
                f"The path {clean(self.path, 80)} of a fault is no regular expression: {error}.",
                "Use the syntax of Python's re module; the empty text stands for every path.",
            ) from error

    def meets(self, method: str, path: str) -> bool:
        """Tell whether these faults are for this request."""
        return self.method.upper() in {"", method} and re.search(self.path, path) is not None


@dataclass(frozen=True, slots=True)
class Spoil:
    """What is wrong with one request."""

    latency: float = 0.0
    too_many: bool = False
    retry_after: int = 1
    server_error: bool = False
    hang: bool = False
    cut_after: int | None = None
    wrong_digest: bool = False
    expired_token: bool = False

    @property
    def breaks_blobs(self) -> bool:
        """Whether a blob is not sent as it is."""
        return self.cut_after is not None or self.wrong_digest


SOUND = Spoil()


class FaultBox:
    """Deals the faults out, one request at a time. `faults` may be set from any thread, and counts anew."""

    def __init__(self, faults: Faults) -> None:
        self._state = _Left(faults)

    @property
    def faults(self) -> Faults:
        """What was set, not what is left of it."""
        return self._state.faults

    @faults.setter
    def faults(self, faults: Faults) -> None:
        self._state = _Left(faults)

    def take(self, method: str, path: str, *, blob: bool, token: bool) -> Spoil:
        """Return what is wrong with this request, and count it.

        `blob` and `token` tell whether it reads one: only then cuts and expired tokens are used up.
        """
        state = self._state
        faults = state.faults
        if faults == Faults() or not faults.meets(method, path):
            return SOUND
        spoil = Spoil(latency=faults.latency, retry_after=faults.retry_after)
        for name in ("too_many", "server_errors", "hang"):
            if state.use(name):
                return replace(spoil, **{_FLAGS[name]: True})
        cut = blob and faults.cut_blob_after is not None and state.use("cut_times")
        return replace(
            spoil,
            cut_after=faults.cut_blob_after if cut else None,
            wrong_digest=not token and method == "GET" and state.use("wrong_digest"),
            expired_token=token and state.use("expired_tokens"),
        )


_FLAGS = {"too_many": "too_many", "server_errors": "server_error", "hang": "hang"}


class _Left:
    """How often each fault is still to come; used by the server's thread only."""

    def __init__(self, faults: Faults) -> None:
        self.faults = faults
        self._left = {
            "too_many": faults.too_many,
            "server_errors": faults.server_errors,
            "hang": faults.hang,
            "cut_times": faults.cut_times,
            "wrong_digest": faults.wrong_digest,
            "expired_tokens": faults.expired_tokens,
        }

    def use(self, name: str) -> bool:
        if self._left[name] <= 0:
            return False
        self._left[name] -= 1
        return True
