"""The logins of two sides are told alike, so that a difference is one."""

from __future__ import annotations

from dockpass.auth.command import Command
from dockpass.auth.decide import decide
from dockpass.auth.facts import Facts, Options, Source, SourceKind, Variable
from dockpass.ui.views.commands import Decided
from dockpass.ui.views.compare import difference_row, listed, logins_lines, summary, verdict, why_lines
from dockpass.unknown import Unknown
from dockpass.variables.compare import Seen, Side, compare
from dockpass.variables.gitlab.model import Reason


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


def test_a_login_that_may_change_is_not_told_as_unchanged() -> None:
    may_be_missing = Unknown(Reason.PROTECTED_UNKNOWN, may_be_missing=True)
    seen = {
        "WERF_IMAGES_CLEANUP_PASSWORD": Seen(may_be_missing, secret=True),
        "CI_REGISTRY_IMAGE": Seen("r.example/a", secret=False),
    }
    found = compare(Side("main", seen), Side("feature", seen))
    assert verdict(found) == (("a login may change", "look"),)
    assert summary(found, ["t"]) == "0 change a login · 1 may · 0 do not · 1 the same"
    (row,) = listed(found, every_run=False)
    assert "".join(text for text, _ in difference_row(row, 100)).split()[2:] == ["if", "protected"] * 2
    words = "".join(
        text for line in why_lines(row, ("main", "feature"), (None, None), 80) for text, _ in line
    )
    assert "It may change the login of cleanup." in words
    same = side("r.example/a")
    (cleanup,) = (
        line
        for line in logins_lines(same, same, ("a", "b"), 100, open_={Command.CLEANUP})
        if line[0][0].strip() == "cleanup"
    )
    assert cleanup[-1] == ("may differ", "look")
