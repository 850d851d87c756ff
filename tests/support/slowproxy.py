"""A TCP proxy on loopback that lets only so many bytes a second through, and counts them."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import suppress
from types import TracebackType


class SlowProxy:
    """Forwards `host` to `target` (`127.0.0.1:PORT`) at `rate` bytes a second, and `delay` late, each way."""

    def __init__(self, target: str, rate: int, delay: float = 0.0) -> None:
        name, _, port = target.rpartition(":")
        self._target = (name, int(port))
        self._rate = rate
        self._delay = delay
        self._lock = threading.Lock()
        self._open: list[socket.socket] = []
        self._stopped = False
        self.passed = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.host = f"127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> SlowProxy:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped = True
        self._listener.close()
        with self._lock:
            for each in self._open:
                with suppress(OSError):
                    each.shutdown(socket.SHUT_RDWR)
                each.close()

    def is_quiet(self, seconds: float, slack: int) -> bool:
        """Tell whether at most `slack` bytes pass within the next seconds."""
        before = self.passed
        time.sleep(seconds)
        return self.passed - before <= slack

    def _accept(self) -> None:
        while not self._stopped:
            try:
                near, _ = self._listener.accept()
                far = socket.create_connection(self._target)
            except OSError:
                return
            with self._lock:
                self._open += [near, far]
            for source, sink in ((near, far), (far, near)):
                threading.Thread(target=self._forward, args=(source, sink), daemon=True).start()

    def _forward(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while piece := source.recv(64 << 10):
                time.sleep(self._delay)
                sink.sendall(piece)
                self.passed += len(piece)
                time.sleep(len(piece) / self._rate)
            sink.shutdown(socket.SHUT_WR)
