"""Figures of the variables of jobs: a large project as a whole process, another context, and a long log."""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

PARTS, JOBS, SETTINGS = 20, 10, 240
WARM = 6
_RULES = """\
  rules:
    - if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH
    - if: $CI_COMMIT_TAG =~ /^v\\d+/
      variables: {RELEASE: 'yes'}
"""


def large_project(root: Path) -> None:
    """Write a project of 20 includes, 200 jobs and about 500 variables into a new git repository."""
    (root / "ci").mkdir(parents=True)
    own = "".join(f"  MAIN_{n}: value-{n}{f'-$MAIN_{n - 1}' if n else ''}\n" for n in range(PARTS))
    includes = "".join(f"  - local: ci/part{n}.yml\n" for n in range(PARTS))
    (root / ".gitlab-ci.yml").write_text(f"include:\n{includes}variables:\n{own}")
    for part in range(PARTS):
        (root / "ci" / f"part{part}.yml").write_text("".join(_part(part)))
    settings = [
        {
            "key": f"SET_{n}",
            "value": f"value-{n}-$MAIN_{n % PARTS}",
            "protected": n % 5 == 0,
            "environment_scope": "*" if n % 7 else "production",
        }
        for n in range(SETTINGS)
    ]
    (root / "project.json").write_text(json.dumps(settings, indent=1))
    subprocess.run(["git", "init", "-q", "-b", "main"], cwd=root, check=True)
    subprocess.run(["git", "add", "-A"], cwd=root, check=True)


def _part(part: int) -> Iterator[str]:
    yield "variables:\n"
    yield from (f"  PART_{part}_{n}: $MAIN_{n}/x/${{CI_REGISTRY_IMAGE}}\n" for n in range(12))
    yield f".base{part}:\n  variables: {{BASE: b}}\n  before_script: [echo start]\n{_RULES}"
    for job in range(JOBS):
        yield f"job-{part}-{job}:\n  extends: .base{part}\n  image: $CI_REGISTRY_IMAGE/app\n"
        yield f"  variables: {{JOB_VAR: job-$PART_{part}_3, OTHER: '{job}'}}\n"
        yield f"  script:\n    - !reference [.base{part}, before_script]\n    - make test\n"


def long_log(characters: int) -> str:
    """Return a job's log with timestamps, colours and sections, and every tenth line an export."""
    lines = ["\x1b[0Ksection_start:1560896352:step_script\r\x1b[0K\x1b[36;1mExecuting\x1b[0;m"]
    size = number = 0
    while size < characters:
        number += 1
        said = f'export VAR_{number}="value {number}"'
        if number % 10:
            said = (
                f"\x1b[32;1mStep {number}\x1b[0;m compiling a module of the project, with a long line of text"
            )
        lines.append(f"2026-05-22T12:43:{number % 60:02d}.962646Z 01O {said}")
        size += len(lines[-1]) + 1
    return "\n".join(lines)


def _on_screen(root: Path) -> tuple[float, float]:
    """Return milliseconds of a change of the ref in Variables: to resolve it, and until all panels are anew.

    Each ref is a new one, so nothing is cached; the first changes only warm up.
    """
    import asyncio
    from statistics import median

    from dockpass.cli.context import Given, assembled, engine_choice
    from dockpass.cli.world import World
    from dockpass.runs.request import BuildOptions
    from dockpass.secrets import Redactor
    from dockpass.session.importing import read_draft
    from dockpass.session.session import Session
    from dockpass.session.start import Start, make_session
    from dockpass.ui.app import DockpassApp
    from dockpass.ui.screens.variables import VariablesScreen
    from dockpass.variables.gitlab.model import Ref

    def session() -> Session:
        world = World({"HOME": str(root), "PATH": "/usr/bin:/bin"}, root, Redactor())
        found = assembled(world, None, Given(), BuildOptions())
        engine = engine_choice(world, "embedded")
        start = Start(
            environ=world.environ, assembled=found, paths=world.paths, redactor=world.redactor, engine=engine
        )
        made = make_session(start)
        made.in_background = lambda work: work()
        made.desk = made.open_desk()
        made.desk.imported = (read_draft(root / "project.json", "project.json", {}).imported(),)
        made.desk.choose("job-3-4")
        return made

    async def changes() -> list[tuple[float, float]]:
        made, found = session(), []
        async with DockpassApp(made).run_test(size=(120, 36)) as pilot:
            await pilot.press("v")
            await pilot.pause()
            screen = pilot.app.screen
            assert isinstance(screen, VariablesScreen)
            screen.pump()
            for number in range(WARM + 7):
                looking = screen.desk.looking.on(Ref(name=f"feature/{number}", protected=True))
                began = time.perf_counter()
                screen.look(looking)
                found.append((screen.desk.took * 1000, (time.perf_counter() - began) * 1000))
        return found[WARM:]

    resolved, shown = zip(*asyncio.run(changes()), strict=True)
    return median(resolved), median(shown)


def measure_variables(dockpass: str, median: Callable[[Callable[[], float]], float]) -> Iterator[str]:
    """Yield the figures; `median` runs a measurement several times and returns milliseconds."""
    from dockpass.variables.clone import find_clone
    from dockpass.variables.formats.catalogue import read
    from dockpass.variables.formats.detect import propose
    from dockpass.variables.gitlab.model import Ref
    from dockpass.variables.logins import logins_of
    from dockpass.variables.pipeline import Pipeline, load_pipeline

    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory, "large")
        large_project(root)
        show = [dockpass, "vars", "show", "--job", "job-3-4", "--project-variables", "project.json"]

        def whole() -> float:
            began = time.perf_counter()
            subprocess.run(show, cwd=root, capture_output=True, check=True, timeout=60)
            return time.perf_counter() - began

        yield f"vars show, whole process   {median(whole):8.1f} ms   goal 250"
        clone = find_clone(root, {})
        assert clone is not None
        loaded = load_pipeline(clone, Pipeline(ref=Ref(name="main", protected=False)))

        def another_context() -> float:
            began = time.perf_counter()
            view = loaded.at(Ref(name="feature/x", protected=True), "push").view("job-3-4")
            list(logins_of(view, "/", "/"))
            return time.perf_counter() - began

        yield f"another ref, with logins   {median(another_context):8.1f} ms   goal 50"
        resolved, shown = _on_screen(root)
        yield f"another ref, on the screen {resolved:8.1f} ms   goal 50; with the panels anew {shown:.1f} ms"
    text = long_log(5_000_000)

    def reading() -> float:
        began = time.perf_counter()
        read(propose(text, "build.log").format, text)
        return time.perf_counter() - began

    yield f"a job's log of 5 MB        {median(reading):8.1f} ms   goal 1000"
