"""A shell has the environment of its config whatever its own start-up files say."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from needed import missing

from dockpass.programs.environment import program_environment
from dockpass.programs.shells import ShellStart, shell_start

WANTED = (
    'printf "%s|" "$DOCKER_CONFIG" "$REGISTRY_AUTH_FILE" "${DOCKER_AUTH_CONFIG-none}" "$MINE" "$PS1$PROMPT"'
)


def started(name: str, home: Path, **environ: str) -> tuple[ShellStart, dict[str, str], Path]:
    directory = home / "the config"
    directory.mkdir(mode=0o700)
    given = {"PATH": os.environ["PATH"], "HOME": str(home), "DOCKER_AUTH_CONFIG": "{}", **environ}
    environment = program_environment(given, directory, "r.example:5000")
    path = shutil.which(name)
    if path is None:
        missing(f"{name} is not installed")
    start = shell_start(path, directory, environment, "r.example:5000")
    for file, text in start.files.items():
        (directory / file).parent.mkdir(exist_ok=True)
        (directory / file).write_text(text)
    return start, {**environment.variables, **start.variables}, directory


RC = "export DOCKER_CONFIG=/of/the/rc DOCKER_AUTH_CONFIG=again MINE=mine; PS1='mine> '\n"


@pytest.mark.parametrize(
    ("name", "rc"), [("bash", ".bashrc"), ("dash", "env"), ("ksh", "env"), ("mksh", "env"), ("zsh", ".zshrc")]
)
def test_start_up_files_are_read_and_cannot_undo_it(tmp_path: Path, name: str, rc: str) -> None:
    (tmp_path / rc).write_text(RC)
    start, environ, directory = started(name, tmp_path, ENV=str(tmp_path / "env"))
    ended = subprocess.run(
        [*start.argv, "-i", "-c", WANTED], env=environ, capture_output=True, text=True, timeout=10
    )
    config, file, auth, mine, prompt, _ = ended.stdout.split("|")
    assert (config, file) == (str(directory), str(directory / "config.json"))
    assert (auth, mine) == ("none", "mine")
    assert prompt.startswith("(dockpass r.example:5000) mine> ")


def test_fish_reads_its_own_file_first_and_cannot_undo_it(tmp_path: Path) -> None:
    (tmp_path / ".config/fish").mkdir(parents=True)
    rc = "set -gx DOCKER_CONFIG /of/the/rc; set -gx MINE mine; function fish_prompt; echo -n 'mine> '; end\n"
    (tmp_path / ".config/fish/config.fish").write_text(rc)
    start, environ, directory = started("fish", tmp_path)
    wanted = 'printf "%s|" "$DOCKER_CONFIG" "$REGISTRY_AUTH_FILE" (set -q DOCKER_AUTH_CONFIG; or echo none) $MINE (fish_prompt)'
    ended = subprocess.run(
        [*start.argv, "-i", "-c", wanted], env=environ, capture_output=True, text=True, timeout=20
    )
    found = ended.stdout.split("|")
    assert found[:4] == [str(directory), str(directory / "config.json"), "none", "mine"], ended.stderr
    assert found[4] == "(dockpass r.example:5000) mine> "


def test_a_shell_that_is_not_known_starts_as_it_is(tmp_path: Path) -> None:
    environment = program_environment({}, tmp_path, "r.example")
    assert shell_start("/bin/nu", tmp_path, environment, "r.example") == ShellStart(argv=["/bin/nu"])


@pytest.mark.parametrize("host", ["$(touch ran)", "a`b`", '"; x', "\\u@\\h", ""])
def test_no_host_says_anything_to_the_prompt(tmp_path: Path, host: str) -> None:
    environment = program_environment({}, tmp_path, host)
    rc = shell_start("/bin/bash", tmp_path, environment, host).files["rc"]
    assert not set('$`"\\') & set(rc.splitlines()[-1].removesuffix('$PS1"').removeprefix('PS1="'))


def test_quotes_of_fish(tmp_path: Path) -> None:
    environment = program_environment({"TRIVY_PASSWORD": "x"}, Path("/it's \\a"), "r.example")
    start = shell_start("/usr/bin/fish", Path("/it's \\a"), environment, "r.example")
    assert "set -gx DOCKER_CONFIG '/it\\'s \\\\a'" in start.files["rc"].splitlines()
    assert "set -e 'TRIVY_PASSWORD'" in start.files["rc"].splitlines()
