"""Whatever the words, variables and statuses of a program are: `dockpass exec` passes them on as they are."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from program import Program
from thorough import THOROUGH

from dockpass.programs.environment import MARKER, program_environment

TOKEN = "canary-token-0123456789"
JOB = {"CI_REGISTRY": "registry.example", "CI_JOB_TOKEN": TOKEN, "CI_REGISTRY_IMAGE": "registry.example/a/b"}
OF_SHELL = {"PWD", "OLDPWD", "_", "SHLVL", "IFS", "PS1", "PS2", "PS4", "PPID", "OPTIND"}
OF_PROCESS = (
    "PATH",
    "HOME",
    "TMP",
    "XDG_",
    "LD_",
    "LC_",
    "LANG",
    "PYTHON",
    "DOCKPASS",
    "CI",
    "WERF_",
    "GITLAB",
)

TEXT = st.text(st.characters(min_codepoint=1, max_codepoint=0x2FF), max_size=12)
BYTES = st.binary(max_size=8).filter(lambda raw: b"\0" not in raw).map(os.fsdecode)
NAMES = st.from_regex(r"\A[A-Z_][A-Z0-9_]{0,9}\Z").filter(
    lambda name: name not in OF_SHELL and not name.startswith(OF_PROCESS)
)
RIVALS = st.sampled_from(
    ["DOCKER_AUTH_CONFIG", "REGISTRY_AUTH_FILE", "TRIVY_PASSWORD", "SYFT_REGISTRY_AUTH_X", "REGCTL_CONFIG"]
)


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Program]:
    made = Program(tmp_path_factory.mktemp("fuzz"), dict(JOB))
    yield made
    assert made.left == []
    made.remove()


@settings(
    max_examples=200 if THOROUGH else 6,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    words=st.lists(TEXT | BYTES, max_size=5),
    status=st.integers(0, 255),
    environ=st.dictionaries(NAMES | RIVALS, TEXT | BYTES, max_size=4),
)
@example(words=["--", "-v", "", "--help", "a\nb"], status=125, environ={})
@example(words=["\udcff\x1b[2J"], status=1, environ={"X": "\udcfe", "DOCKER_AUTH_CONFIG": ""})
def test_words_variables_and_status_are_the_programs(
    program: Program, words: list[str], status: int, environ: dict[str, str]
) -> None:
    script = f"printf '%s\\0' \"$@\"; printf '=\\0'; env -0; exit {status}"
    given = program.variables(**environ)
    ended = subprocess.run(
        program.command("exec", "-q", "--", "sh", "-c", script, "sh", *words),
        cwd=program.work,
        env=given,
        capture_output=True,
        timeout=60,
    )
    assert (ended.returncode, ended.stderr) == (status, b"")
    printed, _, variables = ended.stdout.partition(b"=\0")
    assert [os.fsdecode(word) for word in printed.split(b"\0")[:-1]] == (words or [""])
    found = dict(os.fsdecode(line).split("=", 1) for line in variables.split(b"\0")[:-1])
    wanted = program_environment(given, Path(found["DOCKER_CONFIG"]), "registry.example").variables
    assert {name: value for name, value in found.items() if name not in OF_SHELL} == {
        name: value for name, value in wanted.items() if name not in OF_SHELL
    }
    assert found[MARKER] == "1:registry.example"
