"""What `dockpass explain` prints: for people, and for programs."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from dataclasses import replace
from textwrap import dedent

import pytest

from dockpass.auth.command import Command, Method
from dockpass.auth.decide import decide
from dockpass.auth.decision import Decision, RuleId
from dockpass.auth.facts import (
    BaseImage,
    Edit,
    EditKind,
    Facts,
    Options,
    Source,
    SourceKind,
    UnknownImage,
    Variable,
)
from dockpass.auth.whynot import applied
from dockpass.cli.explain import explain_json, explain_text
from dockpass.secrets import Secret
from dockpass.unknown import Unknown
from dockpass.variables.findings import find_findings
from dockpass.variables.gather import variable

REPO = "registry.myhost.com/web/backend"
JOB = {"CI_REGISTRY": "registry.myhost.com", "CI_JOB_TOKEN": "canary-token"}


def facts(options: Options | None = None, base: tuple[str, ...] | None = None, **values: str) -> Facts:
    variables = {name: variable(name, value, Source(SourceKind.PROCESS)) for name, value in values.items()}
    images = None if base is None else tuple(BaseImage(name) for name in base)
    return Facts(variables, options or Options(REPO), images, "/home/dev", "/srv/app")


def as_object(command: Command, given: Facts) -> dict[str, object]:
    found: dict[str, object] = json.loads(json.dumps(explain_json(decide(command, given), given)))
    return found


def as_text(command: Command, given: Facts) -> str:
    decided = decide(command, given)
    assert isinstance(decided, Decision)
    return explain_text(decided, given, find_findings(given))


def test_a_job_that_pushes_as_text() -> None:
    assert as_text(Command.PUSH, facts(**JOB)) == dedent("""\
        push logs in to registry.myhost.com as gitlab-ci-token with CI_JOB_TOKEN, because CI_REGISTRY and CI_JOB_TOKEN are set, and no earlier rule applies.

          repo    registry.myhost.com/web/backend
          method  autologin
          login   registry.myhost.com
          user    gitlab-ci-token
          secret  CI_JOB_TOKEN
          config  a temporary one, removed after the run

        rules
          ✗ external config  not met         WERF_DOCKER_CONFIG is not set
          ✗ options          not met         no user name and password are given
          ✗ at Google        does not apply  registry.myhost.com is not gcr.io or pkg.dev
          ✗ ignored          does not apply  WERF_IGNORE_CI_DOCKER_AUTOLOGIN is not set
          ✗ cleanup token    not met         for cleanup only
          ▶ autologin        chosen          CI_REGISTRY and CI_JOB_TOKEN are set
          · docker's own     not reached

        instead
          external config  set WERF_DOCKER_CONFIG
          options          give --registry-username and --registry-password
          cleanup token    not available: only cleanup uses the cleanup token
          docker's own     set WERF_IGNORE_CI_DOCKER_AUTOLOGIN to 1""")  # fmt: skip


@pytest.mark.parametrize("command", Command)
def test_no_line_of_a_rule_denies_twice(command: Command) -> None:
    at_google = {**JOB, "CI_REGISTRY": "gcr.io", "CI_REGISTRY_IMAGE": "gcr.io/web/backend"}
    ignored = {**JOB, "WERF_IGNORE_CI_DOCKER_AUTOLOGIN": "0"}
    for values in (JOB, at_google, ignored):
        for line in as_text(command, facts(**values)).splitlines():
            assert not re.search(r"^  . not .*(not met|does not apply)", line)


def test_a_switch_that_holds_applies() -> None:
    text = as_text(Command.PUSH, facts(**{**JOB, "WERF_IGNORE_CI_DOCKER_AUTOLOGIN": "0"}))
    assert re.search(r"▲ ignored +applies +WERF_IGNORE_CI_DOCKER_AUTOLOGIN is set to “0”", text)


def test_a_rule_that_hangs_on_an_unknown_value_is_neither_met_nor_refuted() -> None:
    given = facts(Options(), CI_REGISTRY_IMAGE=REPO, **JOB)
    for name, title in (
        ("CI_REGISTRY_IMAGE", "at Google"),
        ("WERF_IGNORE_CI_DOCKER_AUTOLOGIN", "ignored"),
        ("WERF_DOCKER_CONFIG", "external config"),
    ):
        hidden = Variable(name, Unknown("hidden"), Source(SourceKind.JOB))
        text = as_text(Command.PUSH, replace(given, variables={**given.variables, name: hidden}))
        assert re.search(rf"▲ {title} +not known here +.*{name}", text), text
        assert not re.search(rf"✗ {title} ", text)


def test_warnings_and_findings_are_shown_where_there_are_some() -> None:
    text = as_text(Command.BUILD, facts(base=None, **{**JOB, "CI_JOB_TOKEN": "canary \n"}))
    assert "\nwarnings\n  ▲ Cannot tell which base images the build pulls" in text
    assert "\nfindings\n  ▲ CI_JOB_TOKEN ends with a line break" in text
    assert "give --from with an image like registry.myhost.com/base:latest" in text
    assert "config  the entries in /home/dev/.docker, if any" in text


def test_a_job_that_pushes_as_an_object() -> None:
    found = as_object(Command.PUSH, facts(**JOB))
    assert list(found) == [
        *["command", "repo", "method", "username", "secret_from", "config_dir", "login"],
        *["warnings", "trace", "why_not", "base_images", "findings", "unknown"],
    ]
    assert found["command"] == "push"
    assert found["repo"] == REPO
    assert found["method"] == "autologin"
    assert found["username"] == "gitlab-ci-token"
    assert found["secret_from"] == "CI_JOB_TOKEN"
    assert found["config_dir"] is None
    assert found["login"] == ["registry.myhost.com"]
    assert found["warnings"] == []


def test_the_trace_has_one_entry_a_rule_in_order() -> None:
    trace = as_object(Command.DEPLOY, facts(**JOB))["trace"]
    assert isinstance(trace, list)
    assert [step["rule"] for step in trace] == [str(rule) for rule in RuleId]
    assert all(set(step) == {"rule", "outcome", "because"} for step in trace)


def test_a_build_has_no_repository() -> None:
    assert as_object(Command.BUILD, facts(base=()))["repo"] is None


def test_a_warning_has_an_id_and_words() -> None:
    assert as_object(Command.PUSH, facts(Options("other.example.org/a"), **JOB))["warnings"] == [
        {
            "id": "token-to-foreign-registry",
            "message": "The job token would go to other.example.org,"
            " which is not CI_REGISTRY (registry.myhost.com)",
        }
    ]


@pytest.mark.parametrize("command", list(Command))
def test_the_changes_of_a_why_not_can_be_made_by_a_program(command: Command) -> None:
    given = facts(base=("quay.io/o/i:1",), **JOB)
    why_nots = as_object(command, given)["why_not"]
    assert isinstance(why_nots, list)
    assert len(why_nots) == len(Method) - 1
    for each in why_nots:
        assert set(each) == {"method", "changes", "because"}
        edits = tuple(
            Edit(EditKind(change["kind"]), change["name"], change["value"] or Secret("any"))
            for change in each["changes"]
        )
        after = decide(command, applied(given, edits))
        assert isinstance(after, Decision)
        assert (after.method == each["method"]) == bool(edits)
        assert bool(edits) != each["because"].startswith("not available: ")


@pytest.mark.parametrize(("repo", "error"), [("", "repo-required"), ("https://evil@good", "repo-invalid")])
def test_a_refusal_is_an_error_object(repo: str, error: str) -> None:
    found = as_object(Command.PUSH, facts(Options(repo)))
    assert list(found) == ["error"]
    assert isinstance(found["error"], dict)
    assert found["error"]["id"] == error
    assert found["error"]["message"]
    assert found["error"]["hint"]


@pytest.mark.parametrize("command", list(Command))
def test_no_secret_and_no_control_is_in_either_form(command: Command) -> None:
    options = Options(REPO, "me\x1b[31m", Secret("canary-password"))
    values = {
        **JOB,
        "WERF_IMAGES_CLEANUP_PASSWORD": "canary",
        "WERF_IGNORE_CI_DOCKER_AUTOLOGIN": "\x1b]0;x\x07",
    }
    for given in (
        facts(options, ("r.io/a",), **values),
        facts(base=("r.io/a",), **values),
        facts(options, None, **values, WERF_DOCKER_CONFIG="/a\x1b[2Jb\udce9"),
    ):
        text = as_text(command, given)
        shown = json.dumps(as_object(command, given), ensure_ascii=False)
        assert "canary" not in text + shown
        assert shown.isprintable()
        assert text.replace("\n", "").isprintable()


def test_explaining_loads_neither_textual_nor_the_docker_sdk_nor_a_parser() -> None:
    code = (
        "import sys, dockpass.cli.explain, dockpass.auth.decide, dockpass.variables.gather,"
        " dockpass.variables.place, dockpass.variables.catalogue, dockpass.buildfiles.find;"
        "print({'textual', 'docker', 'yaml', 'aiohttp', 'asyncio', 'logging.handlers'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=30)
    assert done.stdout.strip() == "set()"


def test_an_image_that_is_not_known_stands_beside_the_known_ones() -> None:
    unknown = UnknownImage("$BASE", "Dockerfile:3", "BASE has no value")
    given = replace(facts(base=("golang:1.22",), **JOB), unknown_images=(unknown,))
    found = as_object(Command.BUILD, given)
    assert found["base_images"] == [
        {"reference": "golang:1.22", "host": "docker.io", "from": ""},
        {"text": "$BASE", "from": "Dockerfile:3", "because": "BASE has no value"},
    ]
    text = as_text(Command.BUILD, given)
    assert "none of the known base images is in registry.myhost.com, they are in docker.io" in text
    assert "$BASE is not known" in text
    assert "no base image is in" not in text
    assert as_object(Command.PUSH, given)["base_images"] is None
    assert as_object(Command.BUILD, facts(**JOB))["base_images"] is None


def test_a_build_of_which_nothing_is_known_says_why() -> None:
    unknown = UnknownImage("$BASE", "Dockerfile:3", "BASE has no value")
    text = as_text(Command.BUILD, replace(facts(base=(), **JOB), unknown_images=(unknown,)))
    assert "Cannot tell which base images the build pulls: $BASE: BASE has no value" in text
    assert "pulls nothing" not in text
