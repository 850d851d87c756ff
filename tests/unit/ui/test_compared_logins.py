"""The logins of two sides are told alike, so that a difference is one."""

from __future__ import annotations

from dockpass.auth.command import Command
from dockpass.auth.decide import decide
from dockpass.auth.facts import Facts, Options, Source, SourceKind, Variable
from dockpass.ui.views.commands import Decided
from dockpass.ui.views.compare import logins_lines
from dockpass.unknown import Unknown


def side(registry: str | Unknown) -> dict[Command, Decided]:
    values = {"CI_REGISTRY": registry, "CI_JOB_TOKEN": "t", "CI_REGISTRY_IMAGE": registry}
    variables = {
        name: Variable(name, value, Source(SourceKind.ENV_FILE, "log:1")) for name, value in values.items()
    }
    facts = Facts(variables, Options(None), None, "/home/dev", "/srv/app")
    return {command: decide(command, facts) for command in Command}


def test_a_registry_that_is_not_known_is_told_as_that() -> None:
    known, unknown = side("r.example/a"), side(Unknown("masked in the log", is_set=True))
    lines = {
        line[0][0].strip(): "".join(text for text, _ in line[1:])
        for line in logins_lines(known, unknown, ("a", "b"), 100)
    }
    assert lines["push"].split() == ["autologin", "r.example", "autologin", "registry", "not", "known"]
