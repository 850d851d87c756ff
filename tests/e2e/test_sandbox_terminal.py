"""The sandbox on a terminal: nothing of the person's own is shown or changed, and nothing is left."""

from __future__ import annotations

import json
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from program import Program
from terminal import Terminal

CANARY = "canary-4f1d"

pytestmark = pytest.mark.terminal


# Sends the signal in the worst moment: a directory is there, and nobody has its name yet.
INTERRUPTED = """
import os, tempfile
make = tempfile.mkdtemp
def interrupted(*arguments, **named):
    made = make(*arguments, **named)
    os.kill(os.getpid(), int(os.environ["NUMBER"]))
    return made
tempfile.mkdtemp = interrupted
"""


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    """The program in a home where everything that it could read is a canary."""
    made = Program(tmp_path)
    logins = json.dumps({"auths": {f"{CANARY}.example": {"auth": "Y2FuYXJ5LTRmMWQ6eA=="}}})
    for name, text in {
        "home/.docker/config.json": logins,
        "docker/config.json": logins,
        "work/Dockerfile": f"FROM {CANARY}.example/base\n",
        "images/index.json": json.dumps({"canary": CANARY}),
        "settings.toml": f'docker_host = "unix:///{CANARY}.sock"\n',
        "state/kept": CANARY,
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "tmp").mkdir()
    variables = (
        "CI_REGISTRY",
        "CI_JOB_TOKEN",
        "CI_REGISTRY_PASSWORD",
        "CI_REGISTRY_IMAGE",
        "CI_PROJECT_PATH",
    )
    made.environ = {
        **dict.fromkeys(variables, CANARY),
        "WERF_IMAGES_CLEANUP_PASSWORD": CANARY,
        "DOCKER_AUTH_CONFIG": logins,
        "DOCKER_CONFIG": str(tmp_path / "docker"),
        "DOCKER_HOST": f"unix://{tmp_path}/engine.sock",
        "DOCKPASS_CONFIG": str(tmp_path / "settings.toml"),
        "DOCKPASS_STORE": str(tmp_path / "images"),
        "TMPDIR": str(tmp_path / "tmp"),
    }
    yield made
    made.remove()


def found(program: Program) -> dict[str, bytes]:
    """Return the person's files; what dockpass notes of itself, in its log, is none of them."""
    paths = sorted(path for path in program.directory.rglob("*") if path.is_file())
    return {str(path): path.read_bytes() for path in paths if path.suffix != ".log"}


def left(program: Program) -> list[Path]:
    return [*(program.directory / "tmp").iterdir(), *program.left]


def build(terminal: Terminal) -> None:
    """Walk to the tour's third step and build."""
    assert terminal.shows("Tour 1 of 9")
    assert "sandbox" in terminal.screen.display[0]
    terminal.answers("n", "Tour 2 of 9")
    terminal.answers("n", "Tour 3 of 9")
    terminal.answers(" ", "Run build?")
    terminal.answers("r", "removed and verified")
    assert "sandbox" in terminal.screen.display[0]


@pytest.mark.parametrize(
    ("number", "status"), [(None, 0), (signal.SIGTERM, 143), (signal.SIGHUP, 129)], ids=["q", "term", "hup"]
)
@pytest.mark.parametrize("arguments", [("--sandbox",), ("try",)], ids=["sandbox", "try"])
def test_nothing_of_the_persons_is_shown_or_changed_and_nothing_is_left(
    program: Program, arguments: tuple[str, ...], number: signal.Signals | None, status: int
) -> None:
    before = found(program)
    with socket.socket(socket.AF_UNIX) as engine:
        if arguments == ("--sandbox",):  # `try` asks whether an engine is there, to offer it
            engine.bind(f"{program.directory}/engine.sock")
            engine.listen()
            engine.setblocking(False)
        terminal = Terminal(program, *arguments)
        if arguments == ("try",):
            assert terminal.shows("the variables of a GitLab job")
            terminal.press("s")
        build(terminal)
        if number is None:
            terminal.press("q")
        else:
            terminal.child.send_signal(number)
        assert terminal.ends() == status
        if arguments == ("--sandbox",):
            with pytest.raises(BlockingIOError):
                engine.accept()
    assert CANARY.encode() not in terminal.raw
    assert found(program) == before
    assert left(program) == []
    assert program.processes == []


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_before_the_first_screen_leaves_nothing_either(
    program: Program, number: signal.Signals, status: int
) -> None:
    terminal = Terminal(program, "--sandbox")
    while not left(program):
        assert terminal.child.poll() is None
        terminal.read()
    terminal.child.send_signal(number)
    assert terminal.ends() == status
    assert left(program) == []
    assert program.processes == []


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_a_signal_between_a_directory_and_its_name_leaves_nothing_either(
    program: Program, number: signal.Signals, status: int
) -> None:
    program.meddling = INTERRUPTED
    terminal = Terminal(program, "--sandbox", NUMBER=str(int(number)))
    assert terminal.ends(20) == status
    assert left(program) == []
    assert program.processes == []
