"""In read-only mode no command does anything beyond reading."""

from __future__ import annotations

import click
import pytest
from program import Program

from dockpass.cli.main import cli
from dockpass.readonly import VARIABLE, Act

REPO = ("--repo", "registry.example/a/b")
ACTING: dict[str, list[tuple[Act, tuple[str, ...]]]] = {
    "build": [(Act.RUN, ()), (Act.RUN, ("--json",)), (Act.RUN, ("--engine", "embedded", "--push"))],
    "push": [(Act.RUN, ()), (Act.RUN, REPO)],
    "pull": [(Act.RUN, REPO)],
    "deploy": [(Act.RUN, REPO), (Act.RUN, (*REPO, "--values"))],
    "cleanup": [(Act.RUN, (*REPO, "--keep-last", "1", "--yes")), (Act.RUN, REPO)],
    "exec": [
        (Act.PROGRAM, (*REPO, "--", "touch", "made")),
        (Act.WRITE, (*REPO, "--dry-run", "--report", "made", "--", "true")),
    ],
    "images rm": [(Act.DELETE, ("any",))],
    "images prune": [(Act.DELETE, ("--yes",))],
    "images export": [(Act.WRITE, ("any", "made"))],
    "report": [(Act.WRITE, ("--output", "made"))],
    "vars export": [(Act.WRITE, ("--format", "shell", "--output", "made"))],
    "vars import gitlab": [(Act.WRITE, ("--yes",)), (Act.WRITE, ("--forget",))],
    "scenario new": [(Act.WRITE, ())],
    "scenario check": [
        (Act.WRITE, ("any.toml", "--junit", "made")),
        (Act.WRITE, ("any.toml", "--code-quality", "made")),
    ],
    "probe": [(Act.CREATE, (*REPO, "--push")), (Act.TRUST, (*REPO, "--accept-realm"))],
    "sandbox": [(Act.WRITE, ("--keep", "made")), (Act.WRITE, ("--env-file", "made"))],
}
OF_TERMINALS = {"shell", "try", ""}
"""They need a terminal: tests/e2e has the screen, and `exec` goes the same way as `shell`."""
READING = {
    *("explain", "config", "doctor", "images", "settings", "paths", "completions"),
    *("vars", "vars show", "vars explain", "vars why", "vars diff", "vars lint", "vars import"),
    *("scenario", "scenario show"),
}


def every_command(group: click.Command = cli, path: tuple[str, ...] = ()) -> set[str]:
    found = {" ".join(path)}
    if isinstance(group, click.Group):
        context = click.Context(group)
        for name in group.list_commands(context):
            command = group.get_command(context, name)
            assert command is not None
            found |= every_command(command, (*path, name))
    return found


def test_of_each_command_it_is_known_whether_it_acts() -> None:
    """A new command belongs to ACTING, with words for each way in which it acts, or to READING."""
    assert ACTING.keys() | OF_TERMINALS | READING == every_command()


def everything(program: Program) -> dict[str, bytes]:
    """Every file below the program's directory, but for its log."""
    files = [path for path in program.directory.rglob("*") if path.is_file() or path.is_symlink()]
    return {str(path): path.read_bytes() for path in files if path.name != "dockpass.log"}


@pytest.mark.parametrize("name", ACTING)
def test_what_acts_is_refused_before_anything_is_made(program: Program, name: str) -> None:
    (program.work / "Dockerfile").write_text("FROM scratch\n")
    before = everything(program)
    for act, words in ACTING[name]:
        ended = program.run("--read-only", *name.split(), *words)
        assert ended.returncode == (125 if name == "exec" else 5), (words, ended)
        assert f"In read-only mode {act}." in ended.stderr, (words, ended)
        assert "omit --read-only" in ended.stderr
    assert everything(program) == before
    assert program.left == []


def test_the_variable_and_the_setting_are_enough(program: Program) -> None:
    by_variable = program.run("push", *REPO, **{VARIABLE: "1"})
    assert by_variable.returncode == 5
    assert f"unset {VARIABLE}" in by_variable.stderr
    settings = program.directory / "config.toml"
    settings.write_text("read_only = true\n")
    by_setting = program.run("push", *REPO, DOCKPASS_CONFIG=str(settings))
    assert by_setting.returncode == 5
    assert str(settings) in by_setting.stderr
    off = program.run("push", *REPO, "--engine", "embedded", **{VARIABLE: "0"})
    assert "read-only" not in off.stderr


@pytest.mark.parametrize("words", [("push",), ("images", "rm"), ("exec",)])
def test_behind_a_command_it_is_told_where_the_option_belongs(
    program: Program, words: tuple[str, ...]
) -> None:
    ended = program.run(*words, "--read-only")
    name = " ".join(words)
    assert ended.returncode == (125 if name == "exec" else 2)
    assert f"--read-only comes before {name}: dockpass --read-only {name} …" in ended.stderr


def test_the_settings_in_effect_name_what_switches_it_on(program: Program) -> None:
    said = program.run("--read-only", "settings", **{VARIABLE: "1"}).stdout
    assert f"read_only true --read-only and {VARIABLE}" in " ".join(said.split())


def test_reading_goes_on(program: Program) -> None:
    for words in (
        ("explain", "push", *REPO),
        ("exec", *REPO, "--dry-run", "--", "true"),
        ("exec", *REPO, "--print-env", "--", "true"),
        ("images",),
        ("report",),
        ("doctor",),
    ):
        ended = program.run("--read-only", *words)
        assert ended.returncode in {0, 1}, (words, ended)
        assert "read-only" not in ended.stderr


def test_a_dry_run_of_a_cleanup_goes_on_to_the_registry(program: Program) -> None:
    repo = "127.0.0.1:1/a/b"
    ended = program.run("--read-only", "cleanup", "--repo", repo, "--keep-last", "1", "--dry-run")
    assert "127.0.0.1:1" in ended.stderr
    assert "read-only" not in ended.stderr
    assert ended.returncode == 1


def test_the_option_holds_for_one_call_only(program: Program) -> None:
    assert program.run("--read-only", "report", "--output", "made").returncode == 5
    assert program.run("report", "--output", "made").returncode == 0
    assert (program.work / "made").exists()
