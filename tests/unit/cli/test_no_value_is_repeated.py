"""A value at the wrong place on the command line may be a password: no error repeats it."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from program import Program

CANARY = "canary-4f7Kq2-Zz"


@pytest.mark.parametrize(
    "words",
    [
        ["explain", "push", "--set", f"CI_JOB_TOKEN:{CANARY}"],
        ["explain", "push", "--set", f"CI JOB={CANARY}"],
        ["explain", "push", "--env-file", f"PASS={CANARY}"],
        ["explain", "push", "--env-file", f"./CI_JOB_TOKEN={CANARY}/x"],
        ["explain", "build", "--file", f"V={CANARY}"],
        ["push", "--repo", f"registry.myhost.com/TOKEN={CANARY}"],
        ["pull", "--insecure-registry", f"HOST={CANARY}", "--repo", "registry.myhost.com/web"],
        ["explain", "push", f"--registry-password{CANARY}"],
        ["explain", "push", f"--registry-passwd={CANARY}"],
        ["explain", "push", f"--{CANARY}"],
        ["explain", "push", CANARY],
        ["explain", CANARY],
        ["push", "--engine", CANARY],
        ["push", f"--engine={CANARY}"],
        ["cleanup", "--keep-last", CANARY],
        ["cleanup", "--older-than", CANARY],
    ],
    ids=" ".join,
)
def test_an_error_about_the_command_line_does_not_repeat_it(program: Program, words: list[str]) -> None:
    ended = program.run(*words)
    assert ended.returncode == 2
    assert CANARY not in ended.stdout + ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize(
    ("word", "choices"),
    [("explain", "build, push, pull, cleanup, deploy"), ("completions", "bash, zsh, fish")],
)
def test_a_missing_choice_is_told_on_one_line(program: Program, word: str, choices: str) -> None:
    ended = program.run(word)
    assert ended.returncode == 2
    assert ended.stderr.endswith(f" Choose from: {choices}\n")


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (["explain", "pusj"], " Did you mean push?"),
        (["exec", "--for", "clenaup", "--", "true"], " Did you mean cleanup?"),
        (["completions", "bahs"], " Did you mean bash?"),
        (["pul"], " Did you mean pull?"),
        (["expl"], " Did you mean explain?"),
        (["explain", CANARY], "'deploy'."),
    ],
    ids=lambda each: " ".join(each) if isinstance(each, list) else None,
)
def test_a_misspelt_choice_is_guessed_and_not_repeated(
    program: Program, words: list[str], meant: str
) -> None:
    ended = program.run(*words)
    assert ended.stderr.endswith(f"{meant}\n")
    said = ended.stderr.partition("Error")[2].removesuffix(f"{meant}\n")
    assert CANARY not in ended.stderr
    assert not re.search(r"\b(pusj|clenaup|bahs|pul|expl)\b", said)


@pytest.mark.parametrize("group", ["vars", "vars import"])
def test_a_group_of_commands_without_one_shows_its_help(program: Program, group: str) -> None:
    ended = program.run(*group.split())
    asked = program.run(*group.split(), "--help")
    assert (ended.returncode, ended.stderr) == (2, asked.stdout)


def test_the_engines_address_is_shown_without_its_password(program: Program) -> None:
    ended = program.run("--version", "--verbose", DOCKER_HOST=f"tcp://u:{CANARY}@127.0.0.1:1")
    assert CANARY not in ended.stdout + ended.stderr
    assert "127.0.0.1:1" in ended.stdout + ended.stderr


@pytest.mark.parametrize(
    "key", [f"https://u:{CANARY}@k.example/v1/", f"u:{CANARY}@k.example", f"//u:{CANARY}@k.example"]
)
@pytest.mark.parametrize("words", [["config"], ["config", "--json"], ["config", "k.example"]], ids=" ".join)
def test_a_key_is_shown_without_user_and_password(
    program: Program, tmp_path: Path, key: str, words: list[str]
) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"auths": {key: {"auth": "x"}, "": {"auth": "!"}}}))
    ended = program.run(*words, DOCKER_CONFIG=str(tmp_path))
    assert CANARY not in ended.stdout + ended.stderr
    assert ended.returncode == 0, ended.stderr


@pytest.mark.parametrize(
    ("stdin", "words"),
    [
        (CANARY * 5000, "longer than 65,536 bytes"),
        (f"{CANARY}\0x", "a NUL byte"),
        (f"{CANARY}\nx", "a line break"),
    ],
    ids=["too long", "NUL", "two lines"],
)
def test_a_password_that_no_registry_takes_is_refused_in_words(
    program: Program, stdin: str, words: str
) -> None:
    given = ["--registry-username", "u", "--registry-password-stdin"]
    ended = program.run("explain", "push", "--repo", "r.example/a", *given, stdin=stdin)
    assert ended.returncode == 2
    assert words in ended.stderr
    assert CANARY not in ended.stdout + ended.stderr


def test_a_password_of_exactly_the_bound_and_a_line_end_is_taken(program: Program) -> None:
    given = ["--registry-username", "u", "--registry-password-stdin"]
    ended = program.run("explain", "push", "--repo", "r.example/a", *given, stdin="x" * 65536 + "\r\n")
    assert ended.returncode == 0, ended.stderr


@pytest.mark.parametrize("registry", [f"u:{CANARY}@k.example", f"https://u:{CANARY}@k.example"])
def test_a_registry_with_a_password_in_it_is_refused_without_it(program: Program, registry: str) -> None:
    ended = program.run("config", registry)
    assert ended.returncode == 2
    assert CANARY not in ended.stdout + ended.stderr
