"""The line of logins in a width: whole words, and a sentence where there is no room for the commands."""

from __future__ import annotations

import pytest

from dockpass.auth.command import Command
from dockpass.auth.decide import decide
from dockpass.auth.facts import Facts, Options, Source, SourceKind
from dockpass.ui.views.commands import CommandState
from dockpass.ui.views.job import logins_line
from dockpass.variables.gather import variable

JOB = {"CI_REGISTRY": "r.example.com", "CI_JOB_TOKEN": "glcbt-x", "CI_REGISTRY_IMAGE": "r.example.com/a"}


def facts(**variables: str) -> Facts:
    source = Source(SourceKind.PROCESS, "")
    found = {name: variable(name, value, source) for name, value in variables.items()}
    return Facts(found, Options(), None, "/home/dev", "/srv")


def line(before: Facts, now: Facts, width: int, *, changed: bool) -> str:
    states = [CommandState(each, decide(each, now), decide(each, before)) for each in Command]
    return "".join(text for text, _ in logins_line(states, width, changed=changed))


@pytest.mark.parametrize(
    ("variables", "words"),
    [
        (JOB, "4 of 5 commands use autologin, 1 docker's own"),
        (JOB | {"WERF_DOCKER_CONFIG": "/x"}, "all 5 commands use external config"),
    ],
)
def test_without_room_it_is_a_sentence(variables: dict[str, str], words: str) -> None:
    job = facts(**variables)
    assert line(job, job, 46, changed=False) == words
    assert line(job, job, 57, changed=True) == f"no change: {words}"


def test_without_room_a_change_is_counted() -> None:
    other = facts(**JOB, WERF_DOCKER_CONFIG="/x")
    assert line(facts(**JOB), other, 34, changed=True) == "this changes 5 of the 5 logins"
    assert "→" in line(facts(**JOB), other, 120, changed=True)
