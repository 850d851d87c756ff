"""Masks the logins of a config in what a program writes, and changes the length of nothing.

Only the beginning of a possible secret is ever held back, so a prompt without a line end comes at once.
"""

from __future__ import annotations

import base64
import json
import os
import selectors
import signal
import threading
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from urllib.parse import quote

from dockpass.references.credential import Credential

_SHORTEST = 8
_SECONDS_OF_SILENCE = 0.3
_SECONDS_AT_MOST = 3.0
_CHUNK = 1 << 16
_MASK = b"*"


def spellings(login: Credential) -> set[bytes]:
    """Return every form in which a login's secrets may be printed; none under 8 bytes."""
    found = set[bytes]()
    for secret in (login.password, login.identity_token):
        value = secret.reveal() if secret else ""
        raw = value.encode("utf-8", "surrogateescape")
        if len(raw) < _SHORTEST:
            continue
        pair = f"{login.username}:{value}".encode("utf-8", "surrogateescape")
        found |= {raw, *_as_base64(raw), *_as_base64(pair)}
        found |= {quote(raw, safe="").encode(), quote(raw).encode()}
        with suppress(UnicodeEncodeError):
            found |= {json.dumps(value, ensure_ascii=each)[1:-1].encode() for each in (True, False)}
    return {each for each in found if len(each) >= _SHORTEST}


def _as_base64(raw: bytes) -> Iterator[bytes]:
    """Yield what of `raw` is the same in every Base64 text that it stands in, at each of three offsets."""
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        yield encode(raw)
        for offset, begin in enumerate((0, 2, 3)):
            encoded = encode(bytes(offset) + raw)
            yield encoded[begin : len(encoded) - (0, 3, 2)[(offset + len(raw)) % 3]]


class Filter:
    """Masks secrets in one stream, wherever they are split."""

    def __init__(self, secrets: Iterable[bytes]) -> None:
        self._secrets = sorted(secrets)
        self._held = b""

    def __call__(self, chunk: bytes) -> bytes:
        """Return what can be let through of what came so far."""
        data = self._held + chunk
        spans = self._spans(data)
        cut = len(data) - max((_begun(data, secret) for secret in self._secrets), default=0)
        for begin, end in sorted(spans, reverse=True):
            if begin < cut < end:  # what is held back is looked at again, so it has to hold this one whole
                cut = begin
        self._held = data[cut:]
        return _masked(data, spans)[:cut]

    def rest(self) -> bytes:
        """Return what is held back, at the end of the stream."""
        held, self._held = self._held, b""
        return _masked(held, self._spans(held))

    def _spans(self, data: bytes) -> list[tuple[int, int]]:
        return [(at, at + len(secret)) for secret in self._secrets for at in _places(data, secret)]


def _places(data: bytes, secret: bytes) -> Iterator[int]:
    at = data.find(secret)
    while at >= 0:
        yield at
        at = data.find(secret, at + 1)


def _begun(data: bytes, secret: bytes) -> int:
    """Return how many bytes at the end of `data` are the beginning of `secret`."""
    at = max(len(data) - len(secret) + 1, 0)
    while (at := data.find(secret[:1], at)) >= 0:
        if secret.startswith(data[at:]):
            return len(data) - at
        at += 1
    return 0


def _masked(data: bytes, spans: Iterable[tuple[int, int]]) -> bytes:
    shown = bytearray(data)
    for begin, end in spans:
        shown[begin:end] = _MASK * (end - begin)
    return bytes(shown)


class MaskedStream:
    """Passes on what comes at `source` to `target`, masked.

    It is read in a thread, until the program has ended and nothing came for 0.3 seconds, or for 3 seconds
    more: a daemon that keeps the other end open is not waited for, whatever it writes.
    """

    def __init__(self, source: int, target: int, secrets: Iterable[bytes]) -> None:
        self._filter = Filter(secrets)
        self._source = source
        self._target = target
        self._woken, self._wake = os.pipe()
        self._thread = threading.Thread(target=self._pump, name="dockpass-mask", daemon=True)

    def start(self) -> None:
        """Begin to read."""
        blocked_thread(self._thread)

    def finish(self) -> None:
        """Let through what the program wrote to its end, and close the source."""
        os.close(self._wake)
        self._thread.join()
        os.close(self._woken)

    def _pump(self) -> None:
        try:
            self._read()
            self._written(self._filter.rest())
        finally:
            os.close(self._source)

    def _read(self) -> None:
        with selectors.DefaultSelector() as selector:
            for handle in (self._source, self._woken):
                selector.register(handle, selectors.EVENT_READ)
            ended, until = False, 0.0
            while not ended or time.monotonic() < until:
                ready = {key.fd for key, _ in selector.select(_SECONDS_OF_SILENCE if ended else None)}
                if self._woken in ready:
                    selector.unregister(self._woken)
                    ended, until = True, time.monotonic() + _SECONDS_AT_MOST
                if self._source in ready:
                    chunk = self._chunk()
                    if not self._written(self._filter(chunk)) or not chunk:
                        break
                elif ended and not ready:
                    break

    def _chunk(self) -> bytes:
        try:
            return os.read(self._source, _CHUNK)
        except OSError:
            return b""  # how a terminal says that nobody has it open any more

    def _written(self, data: bytes) -> bool:
        try:
            while data:
                data = data[os.write(self._target, data) :]
        except OSError:
            return False  # who read it went away; the program learns it from its own end
        return True


class MaskedPipe(MaskedStream):
    """A pipe for a program's output: what comes out at `target` is masked."""

    def __init__(self, target: int, secrets: Iterable[bytes]) -> None:
        reading, self.writing = os.pipe()
        super().__init__(reading, target, secrets)

    def start(self) -> None:
        """Begin to read; the program has its end of the pipe by now."""
        os.close(self.writing)
        super().start()


def blocked_thread(thread: threading.Thread) -> None:
    """Start a thread that no signal is delivered to: the main thread would not wake up from its wait."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    thread.start()
    signal.pthread_sigmask(signal.SIG_SETMASK, before)
