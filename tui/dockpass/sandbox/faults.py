"""Faults on purpose: what networks, proxies and registries do on a bad day."""

from __future__ import annotations

import re
import threading
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
        except (re.error, ValueError, OverflowError, RecursionError) as error:
            raise DockpassError(
                "sandbox-faults",
                f"The path {clean(self.path, 80)} of a fault is not a regular expression: {error}.",
                "Use the syntax of Python's re module; the empty text stands for every path.",
            ) from error

    def meets(self, method: str, path: str) -> bool:
        """Tell whether these faults are for this request."""
        return self.method.upper() in {"", method} and re.search(self.path, path) is not None


@dataclass(frozen=True, slots=True)
class Trouble:
    """What comes in place of an answer, after `latency` seconds."""

    latency: float = 0.0
    too_many: bool = False
    retry_after: int = 1
    server_error: bool = False
    hang: bool = False


@dataclass(frozen=True, slots=True)
class Spoil:
    """What is wrong with an answer: a blob cut short behind so many bytes, or other bytes."""

    cut_after: int | None = None
    wrong_digest: bool = False


SOUND = Spoil()


class FaultBox:
    """Deals the faults out, one request at a time; usable from any thread."""

    def __init__(self, faults: Faults) -> None:
        self._lock = threading.Lock()
        self._left = faults

    @property
    def faults(self) -> Faults:
        """What is still to come."""
        return self._left

    @faults.setter
    def faults(self, faults: Faults) -> None:
        with self._lock:
            self._left = faults

    def before(self, method: str, path: str) -> Trouble:
        """Return what happens to a request before anybody looks at it."""
        with self._lock:
            left = self._left
            if not left.meets(method, path):
                return Trouble()
            if left.too_many > 0:
                self._left = replace(left, too_many=left.too_many - 1)
                return Trouble(left.latency, too_many=True, retry_after=left.retry_after)
            if left.server_errors > 0:
                self._left = replace(left, server_errors=left.server_errors - 1)
                return Trouble(left.latency, server_error=True)
            if left.hang > 0:
                self._left = replace(left, hang=left.hang - 1)
                return Trouble(left.latency, hang=True)
            return Trouble(left.latency)

    def within(self, method: str, path: str, *, blob: bool) -> Spoil:
        """Return what is wrong with the blob or manifest that is about to be sent."""
        with self._lock:
            left = self._left
            if not left.meets(method, path):
                return SOUND
            cut_after = None
            if blob and left.cut_blob_after is not None and left.cut_times > 0:
                cut_after = left.cut_blob_after
                left = replace(left, cut_times=left.cut_times - 1)
            wrong_digest = left.wrong_digest > 0
            if wrong_digest:
                left = replace(left, wrong_digest=left.wrong_digest - 1)
            self._left = left
            return Spoil(cut_after, wrong_digest)

    def expires_token(self, method: str, path: str) -> bool:
        """Tell whether the token that is about to be made is expired already."""
        with self._lock:
            left = self._left
            if left.expired_tokens <= 0 or not left.meets(method, path):
                return False
            self._left = replace(left, expired_tokens=left.expired_tokens - 1)
            return True
