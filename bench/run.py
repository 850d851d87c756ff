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
    began = time.perf_counter()
    subprocess.run(command, capture_output=True, check=True, timeout=60)
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
    """Run an engine and a registry of our own."""
    from servers import engine, registry

    with ExitStack() as stack:
        yield stack.enter_context(engine()), stack.enter_context(registry()).host


def docker_work() -> Iterator[str]:
    """Measure push and pull of 200 MB beside the docker command line."""
    with servers() as (address, host), tempfile.TemporaryDirectory() as directory:
        docker = ["docker", "-H", address]
        dockpass = str(Path(PYTHON).with_name("dockpass"))
        environ = {"PATH": os.environ["PATH"], "HOME": directory, "DOCKER_HOST": address}

        def timed(command: list[str]) -> float:
            began = time.perf_counter()
            subprocess.run(command, env=environ, check=True, capture_output=True, timeout=120)
            return time.perf_counter() - began

        times: dict[str, list[float]] = {"push": [], "pull": [], "docker push": [], "docker pull": []}
        for turn in range(3):
            for who in ("dockpass", "docker"):
                name = f"{host}/bench/{who}{turn}:1"
                context = Path(directory, f"{who}{turn}")
                context.mkdir()
                (context / "data").write_bytes(os.urandom(200_000_000))
                (context / "Dockerfile").write_text("FROM scratch\nCOPY data /data\n")
                subprocess.run(
                    [*docker, "build", "-q", "-t", name, str(context)],
                    check=True,
                    capture_output=True,
                    env=environ,
                )
                shutil.rmtree(context)
                repo, tag = name.rsplit(":", 1)
                ours = [dockpass, "push", "--repo", repo, "--tag", tag]
                kind = "" if who == "dockpass" else "docker "
                times[f"{kind}push"].append(timed(ours if who == "dockpass" else [*docker, "push", name]))
                subprocess.run([*docker, "rmi", "-f", name], check=True, capture_output=True, env=environ)
                ours[1] = "pull"
                times[f"{kind}pull"].append(timed(ours if who == "dockpass" else [*docker, "pull", name]))
                subprocess.run([*docker, "rmi", "-f", name], check=True, capture_output=True, env=environ)
        for what in ("push", "pull"):
            mine, theirs = statistics.median(times[what]), statistics.median(times[f"docker {what}"])
            ratio = f"docker {theirs:.2f} s, ratio {mine / theirs:.2f}, goal 1.05"
            yield f"{what} of 200 MB             {mine:8.2f} s    {ratio}"


def cleanup_plan() -> Iterator[str]:
    """Measure the reads of a cleanup plan of 1,000 tags beside skopeo and wrk's limit."""
    from images import Pusher
    from servers import program, registry

    tags = 1000
    with registry() as served:
        pusher = Pusher(served, "bench/app")
        for number in range(tags):
            pusher.image(f"t{number}", labels={"n": str(number)})
        dockpass = str(Path(PYTHON).with_name("dockpass"))
        plan = [dockpass, "cleanup", "--repo", f"{served.host}/bench/app", "--keep-last", "10", "--dry-run"]
        ours = statistics.median(to_exit(*plan) for _ in range(3))
        yield f"cleanup plan, {tags:,} tags   {ours:8.2f} s    {2 * tags / ours:.0f} reads/s, whole process"
        manifest = f"http://{served.host}/v2/bench/app/manifests/t1"
        said = subprocess.run(
            [program("wrk"), "-t1", "-c64", "-d5", manifest], capture_output=True, text=True, check=True
        ).stdout
        limit = float(next(line for line in said.splitlines() if "Requests/sec" in line).split()[1])
        share = f"share {2 * tags / ours / limit:.0%}, goal 65 %"
        yield f"wrk, one manifest          {limit:8.0f} requests/s   {share}"
        image = f"docker://{served.host}/bench/app:t1"
        began = time.perf_counter()
        for _ in range(10):
            to_exit(program("skopeo"), "inspect", "--tls-verify=false", "-n", image)
        each = (time.perf_counter() - began) / 10
        yield f"skopeo inspect, one by one {each * tags:8.2f} s    for {tags:,} tags, from 10"


def variables() -> Iterator[str]:
    """Measure the variables of jobs in a large project, and the reading of a long log."""
    from variables import measure_variables

    yield from measure_variables(str(Path(PYTHON).with_name("dockpass")), median)


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
    from embedded import embedded_work
    from sandbox import sandbox_work
    from screen import PARTS

    wanted = sys.argv[1:]
    known = (
        starts,
        programs,
        feed,
        variables,
        docker_work,
        cleanup_plan,
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
