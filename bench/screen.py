"""The screen: from a key to its frame, large lists and logs, what waiting costs, and memory over a long use.

Each case is a program of its own on a terminal of 120x36. The clock stops with the last byte that a key makes
the program write; the processor time is that of all its threads, and says more on a machine with other work.
"""

from __future__ import annotations

import fcntl
import gc
import os
import pty
import re
import select
import statistics
import struct
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
QUIET = 0.15
"""Seconds without a byte after which a frame counts as drawn."""
QUIET_WHILE_OPENING = 0.8
"""A screen that opens may draw first that it reads something."""
SETTLE = 1.5
KEYS = {"down": "\x1b[B", "up": "\x1b[A", "tab": "\t", "pageup": "\x1b[5~", "enter": "\r", "escape": "\x1b"}


class Screen:
    """A case on a pseudo-terminal, and what it costs."""

    def __init__(self, case: str) -> None:
        environ = {**os.environ, "TERM": "xterm-256color", "COLORTERM": "truecolor"}
        self._tail = b""
        self.process, self._terminal = pty.fork()
        if self.process == 0:
            os.execve(sys.executable, [sys.executable, __file__, case], environ)
        fcntl.ioctl(self._terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 36, 120, 0, 0))
        select.select([self._terminal], [], [], 60)
        self._read(SETTLE, 60)

    def _read(self, quiet: float, most: float, first: float = 1.0) -> tuple[int, float]:
        """Read until nothing comes for `quiet` seconds; return the bytes, and when the last ones came.

        The first ones may take `first` seconds.
        """
        began = time.perf_counter()
        count, last = 0, began
        while time.perf_counter() - began < most:
            wait = quiet if count else first
            if not select.select([self._terminal], [], [], wait)[0]:
                break
            count += len(self._take())
            last = time.perf_counter()
        return count, last

    def _take(self) -> bytes:
        """Return what was written; raises `RuntimeError` with the last of it where the program has ended."""
        try:
            data = os.read(self._terminal, 1 << 16)
        except OSError:
            said = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", self._tail.decode(errors="replace"))
            raise RuntimeError(f"the program has ended: {said[-2000:]}") from None
        self._tail = (self._tail + data)[-8000:]
        return data

    def walk(self, keys: tuple[str, ...]) -> None:
        """Press keys without a wait between them but for what each draws at once."""
        for key in keys:
            os.write(self._terminal, KEYS.get(key, key).encode())
            self._read(0.05, 5, 0.3)

    def processor(self) -> float:
        """Return the seconds of processor that all threads have had so far."""
        spent = 0
        for task in Path(f"/proc/{self.process}/task").iterdir():
            spent += int((task / "schedstat").read_text(encoding="ascii").split()[0])
        return spent / 1e9

    def press(self, key: str, quiet: float = QUIET) -> tuple[float, float]:
        """Return milliseconds until all is drawn: by the clock, and of the processor."""
        before, began = self.processor(), time.perf_counter()
        os.write(self._terminal, KEYS.get(key, key).encode())
        _, last = self._read(quiet, 30)
        return (last - began) * 1000, (self.processor() - before) * 1000

    def wait(self, seconds: float) -> tuple[float, float]:
        """Return the kB a second written, and the share of a processor spent, while nobody does anything."""
        before, deadline, count = self.processor(), time.perf_counter() + seconds, 0
        while (left := deadline - time.perf_counter()) > 0:
            if select.select([self._terminal], [], [], left)[0]:
                count += len(self._take())
        return count / seconds / 1000, (self.processor() - before) / seconds

    def memory(self) -> float:
        """Return the memory that the process has now, in MB."""
        lines = Path(f"/proc/{self.process}/status").read_text(encoding="utf-8").splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1000

    def __enter__(self) -> Screen:
        return self

    def __exit__(self, *_: object) -> None:
        os.kill(self.process, 9)
        os.waitpid(self.process, 0)
        os.close(self._terminal)


def keys_of(case: str, before: tuple[str, ...], keys: tuple[str, ...], rounds: int = 8) -> Iterator[str]:
    """Measure each of some keys, pressed in turn, after others that lead to where they are pressed."""
    with Screen(case) as screen:
        for key in before:
            screen.press(key)
        taken: dict[str, list[tuple[float, float]]] = {key: [] for key in keys}
        for _ in range(rounds):
            for key in keys:
                taken[key].append(screen.press(key))
    for key, each in taken.items():
        yield line(f"{case}, {key!r}", each)


def line(what: str, each: list[tuple[float, float]]) -> str:
    """Return medians and the worst as a line."""
    clock, processor = ([times[at] for times in each] for at in (0, 1))
    return (
        f"{what:26} {statistics.median(clock):8.1f} ms   worst {max(clock):.0f} ms,"
        f" processor {statistics.median(processor):.1f} ms"
    )


def opens(case: str, before: tuple[str, ...], key: str, rounds: int = 3) -> Iterator[str]:
    """Measure a key that opens something, each time in a new program."""
    taken = []
    for _ in range(rounds):
        with Screen(case) as screen:
            for each in before:
                screen.press(each)
            taken.append(screen.press(key, QUIET_WHILE_OPENING))
    yield line(f"{case}, open", taken)


def screen_keys() -> Iterator[str]:
    """Measure keys on small and on large screens."""
    yield from keys_of("overview", (), ("down", "up", "tab"))
    yield from keys_of("overview", ("/",), ("c", "i"), 3)
    yield from opens("question", ("4", "\r", "\r"), "r")
    yield from keys_of("question", ("4", "\r", "\r", "r"), ("j", "G", "g"))
    yield from opens("images", (), "i")
    yield from keys_of("images", ("i",), ("down", "j", "up"))
    yield from keys_of("log", ("2", "\r", "r"), ("up", "pageup"))
    yield from keys_of("log", ("2", "\r", "r", "/"), ("1", "2", "3"), 1)


def screen_waits() -> Iterator[str]:
    """Measure what a screen costs on which nothing happens."""
    for case, keys in (("overview", ()), ("waiting", ("2", "\r", "r")), ("asking", ("2", "\r", "r"))):
        with Screen(case) as screen:
            for key in keys:
                screen.press(key) if case == "overview" or key != "r" else os.write(screen._terminal, b"r")
            screen.wait(1)
            written, share = screen.wait(6)
        yield f"{case} at rest{'':13} {written:8.2f} kB/s  {share:.1%} of a processor"


def screen_memory() -> Iterator[str]:
    """Measure the memory over a long walk through screens and runs."""
    walk = ("?", "escape", "tab", "tab", "tab", "i", "escape", "c", "escape", "2", "\r", "r", "escape")
    with Screen("ended") as screen:
        found = [screen.memory()]
        for _ in range(4):
            for _ in range(6):
                screen.walk(walk)
            found.append(screen.memory())
    yield f"memory over 24 walks       {' → '.join(f'{each:.0f}' for each in found)} MB"


def screen_stall() -> Iterator[str]:
    """Measure the worst stall of the screen while a million lines come."""
    with Screen("flood") as screen:
        for key in ("2", "\r"):
            screen.press(key)
        os.write(screen._terminal, b"r")
        said = ""
        deadline = time.monotonic() + 120
        while "stall" not in said and time.monotonic() < deadline:
            if select.select([screen._terminal], [], [], 1)[0]:
                try:
                    said = (said + os.read(screen._terminal, 1 << 16).decode(errors="replace"))[-4000:]
                except OSError:
                    break  # it has ended
    found = said[said.find("stall") :].partition(".\r")[0]
    yield f"1,000,000 log lines        {found or 'did not end'}"


# What runs in the program of a case.


def play(case: str) -> None:
    """Run a case on this terminal."""
    sys.path[:0] = [str(ROOT / "screenshots"), str(ROOT / "tests" / "support")]
    from dockpass.ui.app import DockpassApp

    gc.disable()  # as the command does until the first frame
    app = DockpassApp(_session(case))
    if case == "flood":
        _flood(app)
    if case == "images":
        _many_images()
    app.run()


def _session(case: str):  # type: ignore[no-untyped-def]
    from dockpass.runs import events as ev
    from scenes import JOB, session

    began = (
        ev.PhaseStarted(0.001, ev.Phase.CREATE_CONFIG),
        ev.PhaseEnded(0.002, ev.Phase.CREATE_CONFIG, ev.Status.DONE, "/dev/shm/dockpass"),
    )
    if case == "question":
        tags = tuple(
            ev.TagPlanned(0.3, f"feature-{at:05}", f"sha256:{at:064}", "", 1_000_000, "delete", "45 days old")
            for at in range(10_000)
        )
        asked = ev.Asked(0.4, "Delete 10,000 tags of registry.myhost.com/web/backend?", "feature-00000, …")
        script = (*began, *tags, ev.PhaseStarted(0.4, ev.Phase.CONFIRM), asked)
    elif case == "asking":
        script = (*began, ev.Asked(0.4, "Send the token to another host?", "registry.myhost.com says so"))
    elif case == "ended":
        script = (*began, ev.ConfigRemoved(0.5, "/dev/shm/dockpass", True, "removed"), _end(ev))
    elif case == "log":
        lines = tuple(
            ev.Log(at / 1000, ev.LogKind.ENGINE, f"line {at} of a long build") for at in range(100_000)
        )
        script = (*began, *lines, _end(ev))
    else:
        script = began
    made = session(JOB, script=script)
    if case == "question":
        # A run finds its tags beside the screen; what that takes is not measured here.
        run = made.start(None, made.services)
        made.start = lambda *_: run
    if case in {"waiting", "asking"}:
        made.clock = time.monotonic
    return made


def _end(ev):  # type: ignore[no-untyped-def]
    from dockpass.errors import ExitCode

    return ev.Ended(1.0, ev.Status.DONE, ExitCode.DONE, "", "pushed", "")


def _many_images() -> None:
    """Have the screen of images find 2,000 of them; what reading a store takes is not measured here."""
    from dockpass.engines.embedded.details import ImageDetails, LayerDetails, StoreContents
    from dockpass.engines.embedded.upkeep import StoredImage
    from dockpass.ui.screens import images

    layers = tuple(LayerDetails(f"sha256:{at:064}", "layer", 1_000_000 + at) for at in range(8))

    def image(at: int) -> ImageDetails:
        name = f"registry.myhost.com/web/backend:{at:05}"
        digest = f"sha256:{at:064}"
        stored = StoredImage(name, digest[7:19], digest, "2026-01-01T00:00:00Z", 50_000_000, "linux/amd64")
        return ImageDetails(stored, "image", layers)

    found = StoreContents("/home/dev/images", tuple(image(at) for at in range(2_000)), 50_000_000)
    images.look = lambda _: found  # type: ignore[assignment]


def _flood(app) -> None:  # type: ignore[no-untyped-def]
    """Write a million lines into the run's feed as soon as it is on the screen, and say the worst stall."""
    import asyncio

    from dockpass.runs.events import Log, LogKind
    from dockpass.ui.screens.run import RunScreen

    async def watch() -> None:
        while not isinstance(app.screen, RunScreen):
            await asyncio.sleep(0.01)
        feed, started = app.screen.run_.feed, time.perf_counter()

        def write() -> None:
            for number in range(1_000_000):
                feed.put(Log(number / 1000, LogKind.ENGINE, f"line {number} of a long build"))

        writer = threading.Thread(target=write, daemon=True)
        writer.start()
        worst = 0.0
        while writer.is_alive():
            before = time.perf_counter()
            await asyncio.sleep(0.001)
            worst = max(worst, time.perf_counter() - before)
        memory = Path("/proc/self/status").read_text(encoding="utf-8").partition("VmRSS:")[2].split()[0]
        seconds = time.perf_counter() - started
        app.exit(0, message=f"stall {worst * 1000:.0f} ms in {seconds:.1f} s, {int(memory) // 1000} MB.")

    async def begin() -> None:
        app.watching = asyncio.create_task(watch())  # a task that nothing holds may be collected

    app.call_later(begin)


PARTS: dict[str, Callable[[], Iterator[str]]] = {
    each.__name__: each for each in (screen_keys, screen_waits, screen_memory, screen_stall)
}

if __name__ == "__main__":
    play(sys.argv[1])
