"""Every command, with a secret in every input: no output shows one."""

from __future__ import annotations

from collections.abc import Iterator

import click
import pytest
from planted import Planted

from dockpass.cli.main import cli

OF_A_RUN = ("build", "push", "pull", "cleanup", "deploy")
WORDS: dict[str, list[tuple[str, ...]]] = {
    "": [("--version",), ("--version", "--verbose"), ("--help",), ()],
    "explain": [
        (command, *more) for command in OF_A_RUN for more in ((), ("--json",), ("--repo", "pair.example/a"))
    ]
    + [
        ("build", "--config", "werf.yaml"),
        ("build", "--file", "Dockerfile.user"),
        ("build", "--file", "Dockerfile"),
    ],
    "probe": [("push",), ("push", "--json"), ("--compare",)],
    "config": [
        (*registry, *more)
        for registry in (
            (),
            ("pair.example",),
            ("helper.example",),
            ("failing.example",),
            ("broken.example",),
        )
        for more in ((), ("--json",), ("--ask-helpers",))
    ],
    "build": [
        ("--engine", "embedded"),
        ("--engine", "embedded", "--config", "werf.yaml"),
        ("--engine", "embedded", "--secret", "id=tok,env=CI_JOB_TOKEN"),
        (
            "--builder",
            "embedded",
            "--pull",
            "--push",
            "--tag",
            "pair.example/a",
            "--secret",
            "id=CI_JOB_TOKEN",
        ),
    ],
    "push": [("--engine", "embedded", "--image", "nowhere"), ("--engine", "docker")],
    "pull": [("--engine", "embedded"), ("--engine", "embedded", "--json")],
    "cleanup": [("--keep-last", "1", "--yes"), ("--keep-last", "1", "--yes", "--json")],
    "deploy": [(), ("--json",), ("--values",)],
    "exec": [
        ("--dry-run", "--also", "pair.example", "--also", "helper.example", "--", "true"),
        (
            "-v",
            "--also",
            "pair.example",
            "--also",
            "helper.example",
            "--also",
            "failing.example",
            "--",
            "true",
        ),
        ("--also", "broken.example", "--", "no-such-program"),
        ("--job", "publish", "--project-variables", "settings.json", "--", "true"),
        ("--allow-unknown", "--job", "publish", "--project-variables", "settings.json", "--", "true"),
        ("--print-env", "--", "true"),
        ("--also", "pair.example", "--report", "report.jsonl", "--", "sh", "-c", "rm report.jsonl"),
    ],
    "shell": [(), ("--dry-run",)],
    "vars": [()],
    "vars show": [
        ("--job", "publish", "--project-variables", "settings.json", *more)
        for more in ((), ("--all",), ("--json",), ("--protected",))
    ],
    "vars explain": [
        (name, "--job", "publish", "--project-variables", "settings.json", *more)
        for name in ("DEPLOY_TOKEN", "COPY", "BOTH", "MIRROR", "PLAIN_NAME", "CI_REPOSITORY_URL")
        for more in ((), ("--json",))
    ],
    "vars why": [("publish", *more) for more in ((), ("--json",))],
    "vars import": [()],
    "vars import gitlab": [
        ("--yes", "--token-from", "env:MY_APP_TOKEN"),
        ("--yes", "--json", "--project", "https://127.0.0.1:1/a/b"),
        ("--yes", "--token-from", "cmd:docker-credential-canary get"),
        (),
        ("--forget",),
    ],
    "vars diff": [
        (*two, "--project-variables", "settings.json", *more)
        for two in (("env", "file:settings.json"), ("--job", "publish"), ())
        for more in ((), ("--all",), ("--json",))
    ],
    "vars lint": [("--project-variables", "settings.json", *more) for more in ((), ("--json",))],
    "vars export": [
        ("--format", name, "--job", "publish", "--project-variables", "settings.json", *more)
        for name in ("docker", "shell", "gitlab-ci-local")
        for more in ((), ("--all",))
    ],
    "doctor": [
        (*words, *more)
        for words in (
            ("--project-variables", "settings.json"),
            ("--job", "publish", "--project-variables", "settings.json"),
            ("--all-jobs",),
        )
        for more in ((), ("--json",))
    ],
    "scenario": [()],
    "scenario check": [
        (*files, *more)
        for files in (("scenario.toml",), ("bad.toml", "worse.toml", "plain.toml"))
        for more in ((), ("--json",), ("--junit", "junit.xml", "--code-quality", "quality.json"))
    ],
    "scenario show": [
        (file, *more)
        for file in ("scenario.toml", "bad.toml")
        for more in ((), ("--json",), ("--read-secrets",))
    ],
    "scenario new": [
        (),
        ("--json",),
        ("--job", "publish", "--project-variables", "settings.json", "--output", "other"),
    ],
    "report": [
        ("--project-variables", "settings.json"),
        ("--job", "publish", "--project-variables", "settings.json"),
        ("--probe",),
    ],
    "images": [(), ("--json",)],
    "images export": [("nothing", "somewhere")],
    "images prune": [("--yes",)],
    "images rm": [("nothing",)],
    "sandbox": [("--address", "not an address")],
    "try": [()],
    "settings": [(), ("--json",)],
    "paths": [(), ("--json",)],
    "completions": [("bash",), ("zsh",), ("fish",)],
}
"""Words with which each command does its work, or as much of it as is possible without a registry."""


def every_command(
    group: click.Command = cli, path: tuple[str, ...] = ()
) -> Iterator[tuple[str, click.Command]]:
    """Yield each command that a person can type, with its name."""
    yield " ".join(path), group
    if isinstance(group, click.Group):
        context = click.Context(group)
        for name in group.list_commands(context):
            found = group.get_command(context, name)
            assert found is not None
            yield from every_command(found, (*path, name))


COMMANDS = dict(every_command())


def test_no_command_is_left_out() -> None:
    """Add words for a new command to WORDS."""
    assert WORDS.keys() == COMMANDS.keys()


@pytest.mark.parametrize("name", COMMANDS)
def test_no_secret_of_any_input_is_in_the_output(machine: Planted, name: str) -> None:
    for words in WORDS[name]:
        ended = machine.run(*name.split(), *words)
        assert not machine.leaks(ended.all), (words, ended)
        assert "Traceback" not in ended.err
        assert "Internal error" not in ended.err
    assert machine.leaks_elsewhere() == []


OF_REFS = {"--ref", "--tag", "left", "right"}
"""What names a branch or a tag for `vars`: other names are made of it, letter by letter (CI_COMMIT_REF_SLUG)."""


def values_of(name: str) -> Iterator[str]:
    """Yield what takes a value: options by their names, arguments by theirs."""
    for each in COMMANDS[name].params:
        takes_value = isinstance(each, click.Argument) or not getattr(each, "is_flag", False)
        if takes_value and not (name.startswith("vars ") and each.opts[0] in OF_REFS):
            yield each.opts[0]


@pytest.mark.parametrize("name", [name for name in COMMANDS if list(values_of(name))])
def test_a_secret_in_an_option_is_in_no_output(machine: Planted, name: str) -> None:
    typed = machine.aviary("what was typed")
    addresses = [f"{scheme}robot:{typed.in_address}@{machine.at}/a/b" for scheme in ("https://", "")]
    takes_json = any("--json" in each.opts for each in COMMANDS[name].params)
    words = WORDS[name][0]
    for option in values_of(name):
        forms = [typed.value] if "password" in option else addresses
        if option in {"--set", "--build-arg"}:
            forms = [f"MY_TOKEN={typed.value}", f"MIRROR={addresses[0]}", addresses[1]]
        for number, form in enumerate(forms):
            given = (*words, option, form) if option.startswith("-") else (form, *words[1:])
            ended = machine.run(*name.split(), *given, *(("--json",) if takes_json and number % 2 else ()))
            assert not machine.leaks(ended.all), (given, ended)
            assert "Traceback" not in ended.err
    assert machine.leaks_elsewhere() == []
