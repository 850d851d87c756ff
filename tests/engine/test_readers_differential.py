"""The readers against the tools themselves: random configs, and what each tool sends with them."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from needed import missing
from readercases import Case, Maker, write_helpers
from readerjudges import ANONYMOUS, DockerCli, Outcome, Puller, allowed, sdk_sends
from thorough import examples

from dockpass.dockerconfig.readers.dockercli import read_cli
from dockpass.dockerconfig.readers.dockersdk import read_sdk
from dockpass.dockerconfig.readers.model import Reading
from dockpass.dockerconfig.readers.podman import read_podman
from dockpass.dockerconfig.readers.situation import Situation, Target, parse_target

CASES = examples(500)
"""Random configs of each test."""

SEED = 20260301
HOST = "localhost:5000"  # docker before 29 asks DNS for any other name

Read = Callable[[Target, Situation], Reading]
Sends = Callable[[str, dict[str, str]], Outcome]


@pytest.fixture(scope="module")
def helpers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The directory of the helpers."""
    directory = tmp_path_factory.mktemp("readers")
    write_helpers(directory)
    return directory


def programs(name: str) -> list[str | None]:
    """All on PATH, and those that `DOCKPASS_TEST_NAME` lists; None stands for one that is missing."""
    more = os.environ.get(f"DOCKPASS_TEST_{name.upper()}", "").split(os.pathsep)
    found = [shutil.which(name, path=directory) for directory in os.get_exec_path()]
    once = {os.path.realpath(program): program for program in reversed([*found, *more]) if program}
    return [*reversed(once.values())] or [None]


def there(program: str | None, name: str) -> str:
    """Skip the test where the program is missing, but never in CI."""
    if program is None:
        missing(f"{name} is not installed")
    return program


def judged(
    directory: Path,
    helpers: Path,
    host: str,
    cases: int,
    read: Read,
    sends: Sends,
    *,
    blank_is_nobody: bool = False,
) -> list[str]:
    """Return what differs, one line for each case."""
    maker = Maker(random.Random(SEED), host)
    differences = []
    for number in range(cases):
        case, system = maker.case(), maker.chance(15)
        home = directory / str(number)
        home.mkdir()
        path = f"{helpers}/helpers:{helpers}/system" if system else f"{helpers}/helpers"
        environ = case.write(home) | {"PATH": path}
        reading = read(parse_target(case.image), Situation(environ, home, os.getuid(), ask=True))
        said = sends(case.image, environ)
        expected = allowed(reading)
        if blank_is_nobody:
            expected = {ANONYMOUS if _blank(found) else found for found in expected}
        if said not in expected:
            differences.append(_difference(number, case, reading, said))
        shutil.rmtree(home)
    return differences


def _blank(found: Outcome) -> bool:
    """A password or a user name that is empty is not sent for a token."""
    return found[:2] == ("login", "password") and not (found[2] and found[3])


def _difference(number: int, case: Case, reading: Reading, said: Outcome) -> str:
    return f"case {number}: {said}\n  {case}\n  {reading.verdict} {reading.candidates}"


def report(differences: list[str]) -> str:
    return f"{len(differences)} differ:\n" + "\n".join(differences[:5])


@pytest.mark.parametrize("program", programs("docker"))
def test_docker_command_line(program: str | None, tmp_path: Path, helpers: Path) -> None:
    docker = DockerCli(there(program, "docker"))
    try:
        if docker.version < (27, 0):
            # Too old is not missing: the distribution decides its version.
            pytest.skip("the reader knows docker since 27")
        differences = judged(
            tmp_path, helpers, HOST, CASES, lambda t, s: read_cli(t, s, docker.version), docker.sends
        )
    finally:
        docker.stop()
    assert not differences, report(differences)


@pytest.mark.parametrize("host", [HOST, "docker.io"])
def test_docker_sdk(host: str, tmp_path: Path, helpers: Path) -> None:
    differences = judged(tmp_path, helpers, host, CASES, read_sdk, sdk_sends)
    assert not differences, report(differences)


@pytest.mark.parametrize(
    ("name", "program"),
    [(name, program) for name in ("skopeo", "podman", "buildah") for program in programs(name)],
)
def test_podman_and_its_family(name: str, program: str | None, tmp_path: Path, helpers: Path) -> None:
    puller = Puller(there(program, name))
    try:
        differences = judged(
            tmp_path,
            helpers,
            puller.host,
            CASES,
            lambda t, s: read_podman(t, s, skopeo=name == "skopeo", goes_on=puller.goes_on),
            puller.sends,
            blank_is_nobody=True,
        )
    finally:
        puller.stop()
    assert not differences, report(differences)
