"""`make bench`: dockpass beside its peers, in one run. What a machine lacks is named and left out."""

from __future__ import annotations

import asyncio
import os
import pty
import re
import resource
import select
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "tests" / "support"), str(ROOT / "bench")]
PYTHON = sys.executable
ESCAPES = re.compile(rb"\x1b\[[0-9;:?]*[a-zA-Z]")
BARE = """
from textual.app import App
from textual.widgets import DataTable, Footer
class Bare(App):
    def compose(self):
        yield DataTable()
        yield Footer()
    def on_mount(self):
        table = self.query_one(DataTable)
        table.add_columns("command", "method")
        table.add_row("build", "autologin")
Bare().run()
"""


def median(measure: Callable[[], float], runs: int = 7) -> float:
    """Return the median of several runs in milliseconds, after one that does not count."""
    measure()
    return statistics.median(measure() for _ in range(runs)) * 1000


def to_exit(*command: str) -> float:
    """Return the seconds of a whole process."""
    environ = {**os.environ}
    environ.pop("PYTHONDONTWRITEBYTECODE", None)  # each start would compile what is not compiled
    began = time.perf_counter()
    subprocess.run(command, capture_output=True, check=True, timeout=60, env=environ)
    return time.perf_counter() - began


def to_text(command: list[str], text: str, seconds: float = 30) -> tuple[float, float]:
    """Return the seconds until `text` comes to a terminal of 120x36: by the clock, and of the processor."""
    said = b""
    with tempfile.TemporaryDirectory() as home:
        environ = {**os.environ, "HOME": home, "TERM": "xterm-256color", "COLUMNS": "120", "LINES": "36"}
        environ.pop("PYTHONDONTWRITEBYTECODE", None)  # each start would compile what is not compiled
        began = time.perf_counter()
        pid, terminal = pty.fork()
        if pid == 0:
            os.execvpe(command[0], command, environ)
        try:
            while (left := began + seconds - time.perf_counter()) > 0:
                if select.select([terminal], [], [], left)[0]:
                    said += os.read(terminal, 1 << 16)
                    if text in ESCAPES.sub(b"", said).decode(errors="replace"):
                        return time.perf_counter() - began, spent_by(pid)
            raise TimeoutError(f"{text} never came")
        finally:
            os.kill(pid, 9)
            os.waitpid(pid, 0)
            os.close(terminal)


def spent_by(pid: int) -> float:
    """Return the seconds of processor that all threads of a process have had."""
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text(encoding="ascii").split()[0]) for task in tasks) / 1e9


def first_tables(commands: dict[str, tuple[list[str], str]], runs: int = 7) -> dict[str, tuple[float, float]]:
    """Return milliseconds to a text, by the clock and of the processor: medians of runs in turn."""
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in commands}
    for turn in range(runs + 1):
        for name, (command, text) in commands.items():
            found = to_text(command, text)
            if turn:  # the first ones do not count
                taken[name].append(found)
    return {
        name: (
            statistics.median(clock for clock, _ in each) * 1000,
            statistics.median(spent for _, spent in each) * 1000,
        )
        for name, each in taken.items()
    }


def starts() -> Iterator[str]:
    """Measure the start of the program."""
    dockpass = str(Path(PYTHON).with_name("dockpass"))
    yield f"--version                  {median(lambda: to_exit(dockpass, '--version')):8.1f} ms   goal 120"
    explain = (dockpass, "explain", "push", "--repo", "registry.example/a", "--json")
    yield f"explain --json             {median(lambda: to_exit(*explain)):8.1f} ms   goal 200"
    commands = {"ours": ([dockpass], "build"), "bare": ([PYTHON, "-c", BARE], "build")}
    if posting := shutil.which("posting"):
        commands["posting"] = ([posting], "Enter a URL")
    else:
        yield "first table, posting       not measured: posting is not on PATH"
    found = first_tables(commands)
    for at, kind in enumerate(("by the clock", "of the processor")):
        ours, bare = found["ours"][at], found["bare"][at]
        ratio = f"bare app {bare:.1f}, ratio {ours / bare:.2f}, goal 1.4"
        yield f"first table                {ours:8.1f} ms {kind}   {ratio}"
        if posting:
            theirs = found["posting"][at]
            yield f"first table, posting       {theirs:8.1f} ms {kind}   ratio {ours / theirs:.2f}, goal 0.4"


def feed() -> Iterator[str]:
    """Measure 20,000 log lines from a thread to the screen, and the loop's worst stall."""
    sys.path.insert(0, str(ROOT / "screenshots"))
    from dockpass.runs.events import Log, LogKind
    from dockpass.ui.app import DockpassApp
    from dockpass.ui.screens.run import RunScreen
    from scenes import JOB, session

    async def measure() -> tuple[float, float]:
        app = DockpassApp(session(JOB))
        async with app.run_test(size=(120, 36)) as pilot:
            await pilot.pause()
            for key in ("2", "enter", "r"):
                await pilot.press(key)
                await pilot.pause()
            screen = app.screen
            assert isinstance(screen, RunScreen)
            feed = screen.run_.feed

            def write() -> None:
                for number in range(20_000):
                    feed.put(Log(number / 1000, LogKind.ENGINE, f"line {number} of a long build"))

            began, worst = time.perf_counter(), 0.0
            threading.Thread(target=write, daemon=True).start()
            while len(screen.state.log) < 20_000:
                before = time.perf_counter()
                await asyncio.sleep(0.001)
                worst = max(worst, time.perf_counter() - before)
            return time.perf_counter() - began, worst

    took, worst = asyncio.run(measure())
    yield f"20,000 log lines           {took * 1000:8.1f} ms   goal 150"
    yield f"worst stall meanwhile      {worst * 1000:8.1f} ms   goal 60"


@contextmanager
def servers() -> Iterator[tuple[str, str]]:
    """Run an engine, and a registry with its files on disk."""
    from servers import engine, registry

    with ExitStack() as stack:
        storage = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        host = stack.enter_context(registry(storage=storage)).host
        yield stack.enter_context(engine()), host


def docker_work() -> Iterator[str]:
    """Measure push and pull of 200 MB, and of a tiny image, beside the docker command line."""
    with servers() as (address, host), tempfile.TemporaryDirectory() as directory:
        environ = {"PATH": os.environ["PATH"], "HOME": directory, "DOCKER_HOST": address}
        for size, turns in ((200_000_000, 3), (100, 9)):
            times = _transfers(address, host, environ, Path(directory), size, turns)
            for what in ("push", "pull"):
                mine, theirs = (
                    statistics.median(times[f"{who} {what}"]) * 1000 for who in ("dockpass", "docker")
                )
                goal = f"ratio {mine / theirs:.2f}, goal 1.05" if size > 100 else "goal 120 ms"
                yield f"{what} of {size:11,} bytes   {mine:8.0f} ms   docker {theirs:.0f} ms, {goal}"


def _transfers(
    address: str, host: str, environ: dict[str, str], directory: Path, size: int, turns: int
) -> dict[str, list[float]]:
    """Push and pull an image of its own in each turn, by dockpass and by docker; return the seconds."""
    docker = ["docker", "-H", address]
    dockpass = str(Path(PYTHON).with_name("dockpass"))

    def run(*command: str) -> float:
        began = time.perf_counter()
        subprocess.run(command, env=environ, check=True, capture_output=True, timeout=120)
        return time.perf_counter() - began

    times: dict[str, list[float]] = {}
    for turn in range(turns):
        for who in ("dockpass", "docker"):
            repo, tag = f"{host}/bench/{who}{size}-{turn}", "1"
            context = directory / f"{who}{size}-{turn}"
            context.mkdir()
            (context / "data").write_bytes(os.urandom(size))
            (context / "Dockerfile").write_text("FROM scratch\nCOPY data /data\n")
            run(*docker, "build", "-q", "-t", f"{repo}:{tag}", str(context))
            shutil.rmtree(context)
            for what in ("push", "pull"):
                ours = [dockpass, what, "--repo", repo, "--tag", tag]
                command = ours if who == "dockpass" else [*docker, what, f"{repo}:{tag}"]
                times.setdefault(f"{who} {what}", []).append(run(*command))
                run(*docker, "rmi", "-f", f"{repo}:{tag}")
    return times


def variables() -> Iterator[str]:
    """Measure the variables of jobs in a large project, and the reading of a long log."""
    from variables import measure_variables

    yield from measure_variables(str(Path(PYTHON).with_name("dockpass")), median)


def checks() -> Iterator[str]:
    """Measure a scenario's check and the doctor in a large project, as whole processes."""
    from checks import measure_checks

    yield from measure_checks(str(Path(PYTHON).with_name("dockpass")), median)


def programs() -> Iterator[str]:
    """Measure what `exec` costs beyond the start of dockpass with the same facts, and the bare program."""
    dockpass = str(Path(PYTHON).with_name("dockpass"))
    login = ("--repo", "registry.example/a", "--registry-username=me", "--registry-password=canary-password")
    lines = {
        "exec": (dockpass, "exec", "-q", *login, "--", "true"),
        "explain": (dockpass, "explain", "push", *login),
        "true": ("true",),
    }
    taken: dict[str, list[tuple[float, float]]] = {name: [] for name in lines}
    for _ in range(15):  # in turn, so that other work on the machine hits all alike
        for name, line in lines.items():
            before = processor_seconds()
            taken[name].append((to_exit(*line) * 1000, (processor_seconds() - before) * 1000))
    for at, kind in enumerate(("by the clock", "of the processor")):
        whole, start, bare = (statistics.median(each[at] for each in taken[name]) for name in lines)
        of_it = f"start {start:.1f}, true {bare:.1f}, beyond both {whole - start - bare:.1f}, goal 60"
        yield f"exec -- true               {whole:8.1f} ms {kind}   {of_it}"


def processor_seconds() -> float:
    """Return the processor time of all child processes so far."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def main() -> int:
    """Print one line a figure."""
    from cleaning import cleaning
    from embedded import embedded_work
    from sandbox import sandbox_work
    from screen import PARTS

    wanted = sys.argv[1:]
    known = (
        starts,
        programs,
        feed,
        variables,
        checks,
        docker_work,
        cleaning,
        embedded_work,
        sandbox_work,
        *PARTS.values(),
    )
    parts = [part for part in known if not wanted or part.__name__ in wanted]
    for part in parts:
        try:
            for line in part():
                print(line, flush=True)
        except Exception as error:  # noqa: BLE001 - a part that fails leaves the others
            print(f"{part.__name__}: not measured: {type(error).__name__}: {error}", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
