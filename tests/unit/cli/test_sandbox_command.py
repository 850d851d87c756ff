"""`dockpass sandbox`, as a person and a script start it."""

from __future__ import annotations

import json
import os
import shlex
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from types import FrameType
from typing import Any

import guard
import pytest
from program import Program, StartedSandbox

from dockpass import signals
from dockpass.cli import sandbox


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    (tmp_path / "tmp").mkdir()
    made = Program(tmp_path, {"TMPDIR": str(tmp_path / "tmp")})
    yield made
    made.remove()


def left(program: Program) -> list[str]:
    return [path.name for path in (program.directory / "tmp").iterdir()]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_it_stays_until_it_is_stopped_and_leaves_nothing(program: Program, number: int) -> None:
    with StartedSandbox(program, "--env-file", "job.env") as started:
        path = program.work / "job.env"
        assert path.stat().st_mode & 0o777 == 0o600
        assert started.out == ""
        assert left(program)
        secret = path.read_text().partition("CI_JOB_TOKEN=")[2].split()[0]
        assert secret not in "".join(started.said)
        assert started.stop(number) == 0
        assert not path.exists()
    assert left(program) == []


def test_every_form_tells_the_same_environment(program: Program) -> None:
    with ExitStack() as stack:
        found = {}
        for form in ("--json", "--shell", "--port=0"):
            started = stack.enter_context(StartedSandbox(program, form))
            if form == "--json":
                found[form] = json.loads(started.out)
            else:
                lines = [line.removeprefix("export ") for line in started.out.splitlines()]
                pairs = [shlex.split(line)[0].partition("=") for line in lines if not line.startswith("#")]
                found[form] = {name: value for name, _, value in pairs}
                assert "# not set by the job: WERF_IMAGES_CLEANUP_PASSWORD=" in started.out
        assert found["--shell"].pop("DOCKPASS_SANDBOX_PID").isdecimal()
        assert len({frozenset(each) for each in found.values()}) == 1
        hosts = {each["CI_REGISTRY"] for each in found.values()}
        assert len(hosts) == 3
        for each in found.values():
            assert each["CI_REGISTRY_IMAGE"] == f"{each['CI_REGISTRY']}/workshop/shop"
            assert each["CI_REGISTRY_PASSWORD"] == each["CI_JOB_TOKEN"]


def test_a_shell_takes_the_environment_over_and_goes_on(program: Program) -> None:
    dockpass = shlex.join(program.command())
    script = f"""
        eval "$({dockpass} sandbox --shell 2>/dev/null &)"
        cd "$CI_PROJECT_DIR" && {dockpass} explain push --json && {dockpass} build --engine embedded
        kill "$DOCKPASS_SANDBOX_PID"
        while kill -0 "$DOCKPASS_SANDBOX_PID" 2>/dev/null; do sleep 0.1; done
    """
    environ = program.variables(DOCKPASS_STORE=str(program.directory / "images"))
    ended = guard.run(["bash", "-c", script], cwd=program.work, env=environ)
    assert ended.returncode in {0, 1}
    assert json.loads(ended.stdout.splitlines()[0])["method"] == "autologin", ended.stderr
    assert "removed and verified" in ended.stdout + ended.stderr
    assert left(program) == []


def test_an_env_file_leads_to_an_explanation(program: Program) -> None:
    with StartedSandbox(program, "--env-file", "job.env"):
        ended = program.run("explain", "cleanup", "--env-file", "job.env", "--json")
        found = json.loads(ended.stdout)
    assert (found["method"], found["username"]) == ("autologin", "gitlab-ci-token")
    assert "CI_JOB_TOKEN" in found["secret_from"]


@pytest.mark.parametrize("what", ["file", "link", "directory", "nowhere/below"])
def test_an_env_file_never_takes_anothers_place(program: Program, what: str) -> None:
    target = program.work / "target"
    target.write_text("theirs")
    path = program.work / what
    if what == "file":
        path.write_text("theirs")
    elif what == "link":
        path.symlink_to(target)
    elif what == "directory":
        path.mkdir()
    ended = program.run("sandbox", "--env-file", what)
    assert ended.returncode != 0
    assert ended.stderr.startswith("error: ")
    assert target.read_text() == "theirs"
    assert path.is_dir() == (what == "directory")
    assert left(program) == []


# Somebody else writes the file while the sandbox comes up.
MEANWHILE = """
from pathlib import Path
from dockpass.sandbox.workshop import Workshop
enter = Workshop.__enter__
def entered(self):
    Path("job.env").write_text("theirs")
    return enter(self)
Workshop.__enter__ = entered
"""


def test_an_env_file_that_somebody_writes_meanwhile_stays(program: Program) -> None:
    program.meddling = MEANWHILE
    ended = program.run("sandbox", "--env-file", "job.env")
    assert ended.returncode == 2
    assert "already exists" in ended.stderr
    assert (program.work / "job.env").read_text() == "theirs"
    assert left(program) == []


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--address", "0.0.0.0"), "plain http"),
        (("--address", "192.0.2.1"), "nobody but this machine"),
        (("--protect", "("), "not a regular expression"),
        (("--fault-path", "("), "not a regular expression"),
        (("--keep", "/proc/none"), "cannot keep its files"),
    ],
)
def test_what_it_does_not_do_it_says_and_why(
    program: Program, arguments: tuple[str, ...], words: str
) -> None:
    ended = program.run("sandbox", *arguments)
    assert ended.returncode != 0
    assert words in ended.stderr
    assert "hint: " in ended.stderr
    assert left(program) == []


def test_a_port_in_use_is_another_port(program: Program) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with StartedSandbox(program, "--json", "--port", str(port)) as started:
            assert f"Port {port} is in use" in "".join(started.said)
            assert json.loads(started.out)["CI_REGISTRY"] != f"127.0.0.1:{port}"


def test_faults_are_options(program: Program) -> None:
    faults = ["--too-many=1", "--retry-after=7", "--fault-path=^/v2/$"]
    with StartedSandbox(program, "--json", *faults) as started:
        import urllib.error
        import urllib.request

        for status, after in ((429, "7"), (401, None)):
            with pytest.raises(urllib.error.HTTPError) as caught:
                urllib.request.urlopen(f"http://{json.loads(started.out)['CI_REGISTRY']}/v2/", timeout=20)
            assert (caught.value.code, caught.value.headers["Retry-After"]) == (status, after)
            caught.value.close()


def test_an_engine_of_the_persons_is_not_used_in_a_sandbox(program: Program) -> None:
    ended = program.run("--engine", "docker", "--sandbox")
    assert ended.returncode == 2
    assert "embedded engine" in ended.stderr
    assert list((program.directory / "home").iterdir()) == []


def test_a_signal_at_any_moment_of_the_wait_ends_it() -> None:
    """Also between two lines of the wait, where this thread could hold a lock that the handler needs."""
    before = {number: signal.getsignal(number) for number in signals.ENDING_SIGNALS}
    moment, reached = 0, True
    try:
        while reached:
            moment += 1
            reached = ends_with_a_signal_at(moment, sandbox._waiting())
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    assert moment > 1


def ends_with_a_signal_at(moment: int, wait: Callable[[], object]) -> bool:
    """Wait, with a signal at the line of this number, or later if there are fewer; tell whether there was such a line."""
    steps = 0

    def step(_frame: FrameType, _event: str, _argument: object) -> Any:
        nonlocal steps
        steps += 1
        if steps == moment:
            signal.raise_signal(signal.SIGTERM)
        return step

    late = threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGTERM))
    late.start()
    sys.settrace(step)
    try:
        wait()
    finally:
        sys.settrace(None)
        late.cancel()
        late.join()
    return steps >= moment
