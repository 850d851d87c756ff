"""What is chosen for a run on the screen: each option as text, and in the command line."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import replace

import click
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockpass.auth.command import Command
from dockpass.cleanup.options import CleanupOptions
from dockpass.cli.main import cli
from dockpass.engines.base import Engine
from dockpass.errors import DockpassError, UsageError
from dockpass.runs.lines import command_line
from dockpass.runs.options import OPTIONS, Chosen, RunOption, build_arguments, options_of
from dockpass.runs.planning import make_plan
from dockpass.runs.request import BuildOptions
from dockpass.secrets import MASK
from dockpass.session.readiness import what_stops

from .conftest import JOB, REPO, Bench, make_facts, make_request

NONE: Mapping[str, str] = {}
OF_LOGIN = {
    *("--repo", "--registry-username", "--registry-password", "--registry-password-stdin", "--from"),
    *("--allow-foreign-registry", "--allow-realm", "--insecure-registry", "--skip-tls-verify-registry"),
    *("--ca-file", "--no-proxy", "--engine", "--json", "--progress", "--help"),
}
OF_FACTS = {"--env-file", "--env-format", "--set", "--unset", "--clean-env", "--job", "--scenario"}
OF_RULES = {"--keep-last", "--older-than", "--match", "--keep", "--dry-run", "--yes"}


def option(command: Command, title: str) -> RunOption:
    return next(each for each in options_of(command) if each.title == title)


@pytest.mark.parametrize("command", Command)
def test_the_screen_has_every_option_of_the_command_line(command: Command) -> None:
    """But those that the overview has as edits, and those that say where variables come from."""
    found = cli.get_command(click.Context(cli), str(command))
    assert found is not None
    plain = cli.get_command(click.Context(cli), "report")
    assert plain is not None
    of_jobs = {name for each in plain.params for name in each.opts} - {"--output", "--probe"}
    typed = {name for each in found.params for name in each.opts if name.startswith("--")}
    offered = {each.name for each in options_of(command)}
    rules = OF_RULES if command is Command.CLEANUP else set()
    assert typed - OF_LOGIN - OF_FACTS - of_jobs - rules == offered


@pytest.mark.parametrize("each", OPTIONS, ids=[f"{each.name} {each.title}" for each in OPTIONS])
@given(st.lists(st.text("abc= '\"$\\", min_size=1).filter(str.strip), max_size=3))
def test_a_value_is_shown_as_it_is_typed(each: RunOption, values: list[str]) -> None:
    text = "yes" if each.flag and values else shlex.join(value.strip() for value in values)
    if each.name in {"--file", "--config", "--context", "--target", "--platform", "--builder", "--network"}:
        text = "".join(values).strip()
    if each.name == "--build-arg":
        text = shlex.join(f"A{number}={value}" for number, value in enumerate(values))
    taken = each.take(Chosen(), text, NONE)
    assert each.take(Chosen(), each.text(taken), NONE) == taken
    assert each.take(taken, "", NONE) == Chosen()


@pytest.mark.parametrize(
    ("command", "title", "text", "words"),
    [
        (Command.PUSH, "tags", "1.0 latest", ["--tag", "1.0", "--tag", "latest"]),
        (Command.PUSH, "image", " app:dev ", ["--image", "app:dev"]),
        (Command.PULL, "tags", "x", ["--tag", "x"]),
        (Command.DEPLOY, "Helm values", "yes", ["--values"]),
        (Command.BUILD, "names", "a/b:1", ["--tag", "a/b:1"]),
        (Command.BUILD, "Dockerfile", "my file", ["--file", "my file"]),
        (Command.BUILD, "werf image", "web", ["--image", "web"]),
        (Command.BUILD, "build arguments", "A=1 B='x y'", ["--build-arg", "A=1", "--build-arg", "B=x y"]),
        (Command.BUILD, "builder", "podman", ["--builder", "podman"]),
        (Command.BUILD, "push", "yes", ["--push"]),
    ],
)
def test_the_command_line_follows_each_choice(
    bench: Bench, command: Command, title: str, text: str, words: list[str]
) -> None:
    request = make_request(command, make_facts(bench.services.home))
    chosen = option(command, title).take(Chosen(), text, NONE)
    line = shlex.split(" ".join(command_line(chosen.on(request), bench.services)))
    assert any(line[at : at + len(words)] == words for at in range(len(line))), line


def test_a_secret_argument_is_masked_and_kept_when_it_is_not_typed_anew(bench: Bench) -> None:
    arguments = option(Command.BUILD, "build arguments")
    chosen = arguments.take(Chosen(), "API_TOKEN=canary-abc A=1", NONE)
    shown = arguments.text(chosen)
    assert shown == f"API_TOKEN={MASK} A=1"
    again = arguments.take(chosen, f"{shown} B=2", NONE)
    assert again.build.args == {"API_TOKEN": "canary-abc", "A": "1", "B": "2"}
    request = make_request(Command.BUILD, make_facts(bench.services.home))
    line = " ".join(command_line(again.on(request), bench.services))
    assert "canary" not in line
    assert 'API_TOKEN="${API_TOKEN:?}"' in line.replace("'API_TOKEN='", "API_TOKEN=")


@pytest.mark.parametrize("name", ["MY TOKEN", "TOKEN'S", 'a"TOKEN', "$TOKEN", "TOKEN", "TOKEN=x"])
def test_a_secret_argument_keeps_its_name(name: str) -> None:
    arguments = option(Command.BUILD, "build arguments")
    environ = {"MY": "another", "TOKEN": "another"}
    chosen = arguments.take(Chosen(), shlex.quote(f"{name}=glpat-canary-abcdefghijkl"), environ)
    shown = arguments.text(chosen)
    assert "canary" not in shown
    assert arguments.take(chosen, shown, environ) == chosen


@pytest.mark.parametrize("each", OPTIONS, ids=[f"{each.name} {each.title}" for each in OPTIONS])
@pytest.mark.parametrize("text", [f"API_TOKEN={MASK}", f"B=x{MASK}", f"a {MASK}", f"U=https://u:{MASK}@h/x"])
def test_a_mask_is_never_taken_for_a_value(each: RunOption, text: str) -> None:
    """Somebody renamed the argument, or changed a text in which a secret was masked."""
    if each.flag:
        return
    before = Chosen(build=BuildOptions(args={"TOKEN": "canary-abc"}))
    with pytest.raises(UsageError, match="hides a secret"):
        each.take(before, text, {MASK: "x"})


def test_a_name_alone_takes_its_value_from_the_environment() -> None:
    assert build_arguments(["A", "B", "C=3"], {"A": "1"}) == {"A": "1", "C": "3"}


@pytest.mark.parametrize("title", ["names", "build arguments", "named contexts", "secrets"])
def test_an_open_quote_is_told(title: str) -> None:
    with pytest.raises(UsageError) as raised:
        option(Command.BUILD, title).take(Chosen(), "a 'b", NONE)
    assert raised.value.id == "option-unreadable"


def test_titles_name_an_option_of_a_command_alone() -> None:
    for command in Command:
        titles = [each.title for each in options_of(command)]
        assert len(titles) == len(set(titles))


def test_what_is_chosen_for_one_command_is_not_for_another() -> None:
    assert replace(Chosen(), tags=("1",)) != Chosen()


def test_a_push_without_an_image_is_stopped_before_it_is_offered(bench: Bench) -> None:
    request = make_request(Command.PUSH, make_facts(bench.services.home, **JOB), tags=("1", "2"))
    stopped = what_stops(request, bench.services)
    assert stopped is not None
    assert stopped.id == "image-missing"
    bench.engine.images[f"{REPO}:1"] = "sha256:1"
    stopped = what_stops(request, bench.services)
    assert stopped is not None
    assert f"{REPO}:2" in stopped.message
    bench.engine.images["app"] = "sha256:2"
    assert what_stops(replace(request, image="app"), bench.services) is None
    assert not {"login", "push", "pull"} & {call[0] for call in bench.engine.calls}


@pytest.mark.parametrize("command", [Command.BUILD, Command.PULL])
def test_an_engine_that_does_not_answer_stops_a_run(bench: Bench, command: Command) -> None:
    request = make_request(command, make_facts(bench.services.home, **JOB))
    assert what_stops(request, bench.services) is None

    def none(*_: object) -> Engine:
        raise DockpassError("no-engine", "No container engine was found.", "Start one.")

    stopped = what_stops(request, replace(bench.services, open_engine=none))
    assert stopped is not None
    assert stopped.id == "no-engine"


@pytest.mark.parametrize("command", [Command.CLEANUP, Command.DEPLOY])
def test_what_needs_no_engine_asks_none(bench: Bench, command: Command) -> None:
    request = make_request(command, make_facts(bench.services.home, **JOB))
    assert what_stops(request, bench.services) is None
    assert bench.engine.calls == []


@pytest.mark.parametrize(
    ("command", "chosen", "words"),
    [
        (Command.PUSH, Chosen(tags=("a b",)), "may hold only letters"),
        (Command.PULL, Chosen(tags=("-x",)), "-x"),
        (Command.BUILD, Chosen(), "There is no Dockerfile"),
        (Command.BUILD, Chosen(build=BuildOptions(file="none")), "none"),
    ],
)
def test_what_cannot_work_is_in_the_plan(bench: Bench, command: Command, chosen: Chosen, words: str) -> None:
    request = chosen.on(make_request(command, make_facts(bench.services.home, **JOB)))
    assert words in " ".join(make_plan(request, bench.services).refusal)


def test_a_push_of_a_build_without_a_name_and_a_target_that_is_not_there(bench: Bench) -> None:
    (bench.services.cwd / "Dockerfile").write_text("FROM scratch AS one\n")
    request = make_request(Command.BUILD, make_facts(bench.services.home, None, ()))
    assert make_plan(request, bench.services).refusal == ()
    push = make_plan(replace(request, build=BuildOptions(push=True)), bench.services)
    assert push.refusal[0] == "--push needs a name to push."
    target = make_plan(replace(request, build=BuildOptions(target="two")), bench.services)
    assert "two" in target.refusal[0]


def test_a_pattern_that_is_none_stops_a_cleanup(bench: Bench) -> None:
    request = make_request(Command.CLEANUP, make_facts(bench.services.home, **JOB))
    plan = make_plan(replace(request, cleanup=CleanupOptions(match="(")), bench.services)
    assert plan.refusal[0].startswith("( is not a regular expression")
