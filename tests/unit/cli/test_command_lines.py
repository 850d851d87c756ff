"""Every command line that dockpass makes parses back to the same run, whatever the options and values are."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner
from docpages import complaint
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from thorough import examples

from dockpass import commandline
from dockpass.auth.command import Command
from dockpass.auth.decision import Refusal
from dockpass.auth.facts import Edit
from dockpass.cli import classic, runs, screen, world
from dockpass.cli.job_facts import JobGiven
from dockpass.cli.main import cli
from dockpass.commandline import PROGRAM
from dockpass.engines import choice
from dockpass.runs.lines import command_line, in_full
from dockpass.runs.login import ENGINE_COMMANDS
from dockpass.runs.request import RunRequest
from dockpass.runs.services import Services
from dockpass.secrets import Redactor, Secret
from dockpass.session.edits import edit_of, removal_of
from dockpass.session.start import Start, make_session
from dockpass.ui import app
from dockpass.unknown import Unknown

SECRET = "canary-secret-of-a-line"
OF_OUTPUT = {"as_json", "values", "help", "progress"}
"""Parameters that say how a run is shown, which a run does not know."""

GIVEN_BY_SHELL = {"registry_password", "registry_password_stdin"}
ENVIRON = {
    "CI_REGISTRY": "registry.example",
    "CI_JOB_TOKEN": SECRET,
    "INHERITED": "of the shell",
    "CI_COMMIT_BRANCH": "main",
}
PROJECT = """\
variables: {WERF_IGNORE_CI_DOCKER_AUTOLOGIN: '1'}
"it's -x": {variables: {OF_THE_JOB: "b c"}, script: [env]}
"""
"""A job that needs no value that only GitLab knows."""

OF_A_JOB = {found.name for found in fields(JobGiven)}

TEXTS = st.text(
    st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=12
) | st.sampled_from(
    [
        "-x",
        "--tag",
        "a b",
        "it's",
        '"q"',
        "$HOME `id` $(id)",
        "line\nend",
        "\ttab",
        "ünï→",
        "a=b",
        "\\",
        "~",
        "!",
        "#",
    ]
)
NAMES = st.sampled_from(
    ["A", "WERF_DOCKER_CONFIG", "CI_REGISTRY", "CI_JOB_TOKEN", "INHERITED", "my.name", "-X", "NPM_TOKEN"]
)
HOSTS = st.sampled_from(
    ["registry.example:5000", "localhost", "[::1]:5000", "127.0.0.1:80", "xn--e1a.example"]
)
ASSIGNMENTS = st.builds("{}={}".format, NAMES, TEXTS | st.just(""))
VALID: Mapping[str, st.SearchStrategy[Any]] = {
    "repo": st.sampled_from(["registry.example/app", "localhost:5000/x/y", "registry.example/a/b-c"]),
    "env_file": st.sampled_from(["job.env", "it's.env", "-odd $(x).env", "-"]),
    "env_format": st.sampled_from(["docker", "env"]),
    "sets": ASSIGNMENTS | st.just("INHERITED"),
    "unsets": NAMES,
    "froms": st.sampled_from(["registry.example/base:1", "alpine"]),
    "file": st.sampled_from(["Dockerfile", "./-odd $file"]),
    "config": st.just("werf.yaml"),
    "context": st.sampled_from([".", "a dir"]),
    "target": st.sampled_from(["one", "two"]),
    "build_args": ASSIGNMENTS | st.sampled_from(["INHERITED", "CI_JOB_TOKEN", "MISSING"]),
    "platform": st.sampled_from(["linux/amd64", "linux/arm64"]),
    "build_contexts": st.sampled_from(["odd=a dir", "x=docker-image://registry.example/x:1"]),
    "older_than": st.from_regex(r"[0-9]{1,6}(\.[0-9]{1,3})?[smhdw]", fullmatch=True),
    "realms": HOSTS,
    "insecure": HOSTS,
    "unverified": HOSTS,
    "job": st.just("it's -x"),
    "ref": st.sampled_from(["main", "it's -x", "refs/tags/v1"]),
    "gitlab_version": st.sampled_from(["17.11", "18.2.1-ee"]),
    "scenario": st.just("it's -x.toml"),
    **{f"{level}_variables": st.just("it's -x") for level in ("project", "group", "instance")},
}
"""What an option takes that does not take every text. An option added later gets any text."""


@dataclass
class Captured:
    """What a command line led to: the run, and what it works with."""

    request: RunRequest
    services: Services
    choice: Any

    def same(self) -> tuple[object, ...]:
        """Return everything that makes the run; secrets and their places are compared apart."""
        request, facts = self.request, self.request.facts
        return (
            request.command,
            {name: (found.value, found.source.kind) for name, found in facts.variables.items()},
            facts.options,
            facts.base_images,
            facts.unknown_images,
            request.decision,
            request.tags,
            request.image,
            request.build,
            request.cleanup,
            request.confirmed,
            request.foreign_allowed,
            (
                request.typed.engine,
                request.typed.clean_env,
                request.typed.env_files,
                request.typed.env_format,
            ),
            self.services.policy,
            self.choice,
        )


class Programs:
    """Parses command lines up to the run, which is not started."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, directory: Path) -> None:
        self.directory = directory
        self.found: Captured | None = None
        self.choice: Any = None
        self.patched = monkeypatch
        monkeypatch.setattr(runs, "with_the_persons_word", lambda request, *_: request)
        monkeypatch.setattr(runs, "_carry_out", self._capture)
        monkeypatch.setattr(runs, "opener", self._opener)
        monkeypatch.setattr(classic, "is_classic", lambda *_: False)

    def _opener(self, chosen: Any, policy: Any) -> Any:
        self.choice = chosen
        return choice.opener(chosen, policy)

    def _capture(self, run: Any, *_: object, **__: object) -> int:
        self.found = Captured(run.request, run._job.services, self.choice)
        return 0

    def parse(
        self, words: list[str], stdin: str = "", environ: Mapping[str, str] | None = None
    ) -> Captured | str:
        """Return what the words lead to, or why they are refused."""
        self.found = None
        world._Process.redactor = Redactor()  # as in a process of its own
        result = CliRunner().invoke(cli, words, input=stdin, env=dict(environ or {}), prog_name=PROGRAM)
        return self.found or f"{result.exception!r} {result.output}"

    def type_in(self, line: str, values: Mapping[str, str], stdin: str = "") -> Captured | str:
        """Do as a shell does with a line: fill in `values`, pipe, set the environment, and run it."""
        words = shlex.split(line)
        environ: dict[str, str] = {}
        at = 0
        if words[0] == "printf":
            assert (words[1], words[3]) == ("%s", "|")
            stdin, at = _filled(words[2], values), 4
        while words[at] != PROGRAM:
            name, _, value = words[at].partition("=")
            environ[name], at = _filled(value, values), at + 1
        return self.parse([_filled(word, values) for word in words[at + 1 :]], stdin, environ)


def _filled(word: str, values: Mapping[str, str]) -> str:
    for name, value in values.items():
        word = word.replace(f"${{{name}:?}}", value)
    return word


@pytest.fixture
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Programs]:
    for name in ("home", "a dir"):
        (tmp_path / name).mkdir()
    monkeypatch.chdir(tmp_path)
    for name in ("job.env", "it's.env", "-odd $(x).env"):
        (tmp_path / name).write_text("FROM_FILE=1\nCI_REGISTRY=file.example\nINHERITED\n")
    stages = "FROM registry.example/base AS one\nFROM scratch AS two\n"
    for name in ("Dockerfile", "-odd $file", "a dir/Dockerfile"):
        (tmp_path / name).write_text(stages)
    (tmp_path / ".gitlab-ci.yml").write_text(PROJECT)
    (tmp_path / "it's -x").write_text("SETTING=1\n")
    (tmp_path / "it's -x.toml").write_text("schema = 1\n[[variable]]\nkey = 'OF_A_SCENARIO'\nvalue = 'd e'\n")
    (tmp_path / "werf.yaml").write_text(
        "project: x\nconfigVersion: 1\n---\nimage: app\ndockerfile: Dockerfile\n"
    )
    for name in os.environ:
        monkeypatch.delenv(name)
    for name, value in {**ENVIRON, "HOME": str(tmp_path / "home"), "PATH": "/usr/bin:/bin"}.items():
        monkeypatch.setenv(name, value)
    with monkeypatch.context() as patched:
        yield Programs(patched, tmp_path)


def command_of(name: str) -> click.Command:
    found = cli.get_command(click.Context(cli), name)
    assert found is not None
    return found


def values_of(param: click.Option) -> st.SearchStrategy[Any]:
    """Return what an option may be given, by what click says of it."""
    if param.name in VALID:
        return VALID[param.name]
    if isinstance(param.type, click.Choice):
        return st.sampled_from(list(param.type.choices))
    if isinstance(param.type, click.IntRange):
        return st.integers(0, 10**6).map(str)
    return TEXTS


def words_of(param: click.Option) -> st.SearchStrategy[list[str]]:
    """Return the words of a command line that give an option, or nothing."""
    if param.is_flag:
        return st.sampled_from([[], [param.opts[0]]])
    given_words = values_of(param).map(lambda value: [f"{param.opts[0]}={value}"])
    many = st.lists(given_words, max_size=3).map(lambda found: [word for words in found for word in words])
    return many if param.multiple else st.just([]) | given_words


def options_of(command: Command) -> list[click.Option]:
    params = command_of(str(command)).params
    return [param for param in params if isinstance(param, click.Option) and param.name not in OF_OUTPUT]


def lines_of(command: Command) -> st.SearchStrategy[list[str]]:
    """Return words of a command line of a command, with any of its options; those of a job half of the time."""
    plain = [words_of(param) for param in options_of(command) if param.name not in OF_A_JOB]
    of_a_job = [words_of(param) for param in options_of(command) if param.name in OF_A_JOB]
    parts = st.tuples(*plain) | st.tuples(*plain, *of_a_job)
    return parts.map(lambda found: [str(command), *(word for words in found for word in words)])


def secrets_of(first: Captured) -> dict[str, str]:
    """Return what a person's shell has to have for the line: what was secret in the first run."""
    found = {"REGISTRY_PASSWORD": first.request.facts.options.registry_password}
    for name, variable in first.request.facts.variables.items():
        value = variable.value
        if isinstance(value, Unknown):
            continue
        found[name] = found[f"NEW_{name}"] = value if isinstance(value, Secret) else Secret(value)
    values = {name: value.reveal() for name, value in found.items() if value is not None}
    for name, argument in first.request.build.args.items():
        shell = name.upper().replace(".", "_").strip("-")
        values |= {shell: argument, f"NEW_{shell}": argument}
    return values


def in_shell_of(first: Captured, words: list[str]) -> dict[str, str]:
    """Return the variables for other values that happen to be a secret: `--tag` comes from `TAG`."""
    found: dict[str, str] = {}
    for word in words:
        option, _, value = word.partition("=")
        name = option.strip("-").upper().replace("-", "_")
        number = sum(each.startswith(f"{name}_") or each == name for each in found)
        found[name + f"_{number + 1}" * bool(number)] = value
    return found


def check(programs: Programs, words: list[str], stdin: str) -> bool:
    first = programs.parse(words, stdin)
    if isinstance(first, str):
        assert re.match("(UsageError|SystemExit)", first), first
        return False
    line = " ".join(command_line(first.request, first.services))
    assert SECRET not in line
    again = programs.type_in(line, in_shell_of(first, words) | secrets_of(first), stdin)
    assert isinstance(again, Captured), (line, again)
    assert again.same() == first.same(), line
    return True


@pytest.mark.parametrize("command", list(Command))
@settings(
    max_examples=examples(25),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data())
def test_a_line_parses_back_to_the_same_run(
    programs: Programs, command: Command, data: st.DataObject
) -> None:
    words = data.draw(lines_of(command))
    check(programs, words, "FROM_STDIN=1\n" if "--env-file=-" in words else "a password\n")


@pytest.mark.parametrize(
    ("command", "name"), [(command, param.name) for command in Command for param in options_of(command)]
)
def test_each_option_alone_makes_another_run_and_comes_back(
    programs: Programs, monkeypatch: pytest.MonkeyPatch, command: Command, name: str
) -> None:
    """An option that a run does not know, or that its line leaves out, fails here."""
    param = next(found for found in options_of(command) if found.name == name)
    base = [str(command), *(["--repo=registry.example/base"] if command.needs_repo else [])]
    value = {
        "repo": "registry.example/other", "env_file": "job.env", "env_format": "docker",
        "sets": "A=it's -x\n$y", "unsets": "INHERITED", "froms": "alpine", "file": "./-odd $file",
        "config": "werf.yaml", "context": "a dir", "target": "one", "build_args": "A=b c",
        "platform": "linux/arm64", "build_contexts": "odd=a dir", "older_than": "90m", "realms": "a.example",
        "insecure": "a.example:1", "unverified": "a.example:1", "engine": "embedded", "keep_last": "3",
        "scenario": "it's -x.toml", "builder": "podman", "gitlab_version": "17.11",
    }.get(name, "it's -x")  # fmt: skip
    words = [*base, param.opts[0] if param.is_flag else f"{param.opts[0]}={value}"]
    monkeypatch.setenv("HTTPS_PROXY", "http://proxy.example:1")
    plain, first = programs.parse(base), programs.parse(words, "a password\n")
    assert isinstance(plain, Captured), plain
    assert isinstance(first, Captured), first
    assert plain.same() != first.same(), "a run does not know of it"
    line = " ".join(command_line(first.request, first.services))
    again = programs.type_in(line, secrets_of(first))
    assert isinstance(again, Captured), (line, again)
    assert again.same() == first.same(), line


VARIABLES = ["A", "WERF_DOCKER_CONFIG", "CI_REGISTRY", "CI_JOB_TOKEN", "INHERITED", "NPM_TOKEN", "FROM_FILE"]
EDITS = st.lists(
    st.one_of(
        st.builds(edit_of, st.sampled_from(VARIABLES), TEXTS, option=st.just(False)),
        st.builds(removal_of, st.sampled_from(VARIABLES), option=st.just(False)),
        st.builds(edit_of, st.just("repo"), VALID["repo"], option=st.just(True)),
        st.builds(edit_of, st.just("registry-username"), TEXTS, option=st.just(True)),
        st.builds(edit_of, st.just("registry-password"), TEXTS, option=st.just(True)),
        st.builds(edit_of, st.just("from"), st.just("registry.example/base:2 alpine"), option=st.just(True)),
        st.builds(
            removal_of,
            st.sampled_from(["repo", "registry-username", "registry-password"]),
            option=st.just(True),
        ),
    ),
    max_size=5,
)


def started(programs: Programs, words: list[str], stdin: str) -> Start | None:
    """Return what the screen would start from, with these words on the command line."""
    found: list[Start] = []
    programs.patched.setattr(screen, "_require_terminal", lambda **_: None)
    programs.patched.setattr(screen, "_take_keys_from_terminal", lambda: None)
    programs.patched.setattr(app, "run_app", lambda start: found.append(start) or 0)
    programs.parse(words, stdin)
    return found[0] if found else None


@settings(
    max_examples=examples(25),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(data=st.data(), edits=EDITS, command=st.sampled_from(Command))
def test_copy_on_the_screen_gives_the_run_that_the_screen_would_start(
    programs: Programs, data: st.DataObject, edits: list[Edit], command: Command
) -> None:
    """Whatever the screen was started with, and whatever was edited there."""
    params = [param for param in cli.params if isinstance(param, click.Option)]
    drawn = [
        data.draw(words_of(param))
        for param in params
        if param.name
        not in {"version", "verbose", "sandbox", "help", *OF_A_JOB}  # no run begins with unknown values
    ]
    words = [word for found in drawn for word in found]
    stdin = "FROM_STDIN=1\n" if "--env-file=-" in words else "a password\n"
    start = started(programs, words, stdin)
    if start is None:
        return  # the options are refused, as they are for a command
    session = make_session(start)
    for edit in edits:
        session.edit(edit)
    request = session.request(command)
    if isinstance(request, Refusal):
        return
    shown = Captured(request, session.services, start.engine)
    line = " ".join(session.plan(request).command_line)
    assert SECRET not in line
    again = programs.type_in(line, in_shell_of(shown, words) | secrets_of(shown), stdin)
    assert isinstance(again, Captured), (line, again)
    assert again.request.decision == request.decision, line
    assert revealed(again) == revealed(shown), line
    assert again.request.facts.options == replace(
        request.facts.options, repo=request.facts.options.repo if command.needs_repo else None
    )
    assert again.services.policy == session.services.policy
    if command in ENGINE_COMMANDS:
        assert again.choice == start.engine


def revealed(found: Captured) -> dict[str, str]:
    return {name: found.request.facts.text(name) for name in found.request.facts.variables}


SOURCES = Path(commandline.__file__).parent
LINE = re.compile(r"`dockpass ([a-z]+(?: [^`]*)?)`")


def lines_in_sources() -> list[str]:
    found = {
        line for path in SOURCES.rglob("*.py") for line in LINE.findall(path.read_text(encoding="utf-8"))
    }
    return sorted(found)


@pytest.mark.parametrize(
    "line", [line for line in lines_in_sources() if "{" not in line and "--json" not in line]
)
def test_every_line_in_a_hint_is_one_that_click_takes(line: str) -> None:
    """`explain` gets the name of its command where the hint is shown, `exec` a program."""
    name, *words = shlex.split(line)
    assert complaint(cli, [name, *words]) == ""
    if name in {"explain", "probe", "exec"} and not words:
        words = ["push"]
    if words or not isinstance(command_of(name), click.Group):  # a group by itself shows its help
        context = command_of(name).make_context(name, words)
        assert context.params.keys() == {param.name for param in context.command.params if param.expose_value}


@pytest.mark.parametrize("name", ["explain", "probe", "probe --accept-realm"])
@pytest.mark.parametrize("command", list(Command))
def test_a_hint_asks_about_the_run_that_failed(programs: Programs, command: Command, name: str) -> None:
    words = [str(command), "--set=A=it's", "--env-file=job.env", "--registry-username=bob"]
    words += (
        ["--target=one", "--build-arg=X=1"] if command is Command.BUILD else ["--repo=registry.example/app"]
    )
    words += ["--insecure-registry=registry.example:1"]
    first = programs.parse(words)
    assert isinstance(first, Captured), first
    hint = in_full(f"`dockpass {name}` tells.", first.request, first.services)
    line = hint.removeprefix("`").removesuffix("` tells.")
    question, *rest = shlex.split(line)[1:]
    params = command_of(question).make_context(question, rest).params
    assert params["command"] == str(command)
    assert params["sets"] == ("A=it's",)
    assert params["env_file"] == ("job.env",)
    assert params["registry_username"] == "bob"
    assert params["repo"] == ("registry.example/app" if command.needs_repo else None)
    assert params["target"] == ("one" if command is Command.BUILD else None)
    if question == "probe":
        assert params["insecure"] == ("registry.example:1",)
        assert params["accept_realm"] == ("--accept-realm" in name)
