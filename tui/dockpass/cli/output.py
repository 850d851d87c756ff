"""The two outputs: stdout is data, stderr is narration. Every line passes the redactor."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterable
from typing import Any, TextIO

from dockpass.cli.table import wrapped
from dockpass.colours import Colours, for_terminal
from dockpass.errors import UsageError
from dockpass.redacting import redacted
from dockpass.secrets import Redactor

_SECONDS_BETWEEN = 0.1


class Output:
    """Writes lines; on a terminal also one line of progress that is written over."""

    def __init__(self, redact: Redactor) -> None:
        self._redact = redact
        self._progress_at = 0.0
        self._in_progress = False

    def data(self, lines: Iterable[str]) -> None:
        """Write lines to stdout."""
        self._clear()
        for line in lines:
            print(self._redact(line), file=sys.stdout)
        sys.stdout.flush()

    def words(self, lines: Iterable[str]) -> None:
        """Write lines for a person to stdout; on a terminal they are broken between words."""
        self._clear()
        for line in lines:
            for part in fitted(self._redact(line), sys.stdout):
                print(part, file=sys.stdout)
        sys.stdout.flush()

    def text(self, text: str) -> None:
        """Write a text to stdout as it is, with whatever ends its lines."""
        self._clear()
        print(self._redact(text), end="", file=sys.stdout, flush=True)

    def json(self, found: Any) -> None:
        """Write one JSON object as a line to stdout; its field names and ids stay what they are."""
        print(json.dumps(redacted(found, self._redact), ensure_ascii=False), file=sys.stdout, flush=True)

    def say(self, lines: Iterable[str]) -> None:
        """Write lines to stderr."""
        self._clear()
        for line in lines:
            for part in fitted(self._redact(line), sys.stderr):
                print(part, file=sys.stderr, flush=True)

    def say_output(self, head: str, text: str, colours: Colours) -> None:
        """Write a line that a program printed to stderr, with its colours on a terminal that has them."""
        if not colours or not _has_colours() or self._redact(text) != text:
            self.say([head + text])
            return
        self._clear()
        print(head + for_terminal(text, colours), file=sys.stderr, flush=True)

    def warn(self, lines: Iterable[str]) -> None:
        """Write lines to stderr, in red on a terminal that has colours."""
        red = _has_colours()
        self._clear()
        for line in lines:
            for part in fitted(self._redact(line), sys.stderr):
                print(f"\x1b[31m{part}\x1b[0m" if red else part, file=sys.stderr, flush=True)

    def progress(self, text: str) -> None:
        """Show progress on a terminal, at most ten times a second; nowhere else."""
        now = time.monotonic()
        if not sys.stderr.isatty() or now - self._progress_at < _SECONDS_BETWEEN:
            return
        self._progress_at = now
        self._in_progress = True
        print(f"\r\x1b[K  {self._redact(text)}", end="", file=sys.stderr, flush=True)

    def ask(self, question: str) -> bool:
        """Ask on stderr and read the answer from stdin; only y and yes mean yes."""
        self._clear()
        print(f"{self._redact(question)} [y/N] ", end="", file=sys.stderr, flush=True)
        answer = sys.stdin.readline()
        return answer.strip().lower() in {"y", "yes"}

    def _clear(self) -> None:
        if self._in_progress:
            print("\r\x1b[K", end="", file=sys.stderr)
            self._in_progress = False


def _has_colours() -> bool:
    return sys.stderr.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def fitted(line: str, stream: TextIO | None) -> list[str]:
    """Return a line as the lines of a terminal; elsewhere as it is. `stream` is None where it is closed."""
    if stream is None or not stream.isatty():
        return [line]
    try:
        width = os.get_terminal_size(stream.fileno()).columns
    except (OSError, ValueError):
        return [line]
    if width <= 0:
        return [line]
    return [part for each in line.splitlines() or [""] for part in wrapped(each, width)]


def is_terminal() -> bool:
    """Tell whether a person can be asked: stdin and stderr are a terminal."""
    return bool(sys.stdin and sys.stdin.isatty() and sys.stderr.isatty())


def no_terminal(message: str, hint: str) -> UsageError:
    """Return the error for what needs a terminal where there is none."""
    return UsageError("no-terminal", message, hint)
