"""Every case of the decision table."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from dockpass.auth.command import Command
from dockpass.auth.decide import decide
from dockpass.auth.decision import Decision, Refusal
from dockpass.auth.facts import BaseImage, Facts, Options, Source, SourceKind, Variable
from dockpass.secrets import Secret

CASES = [
    json.loads(line) for line in (Path(__file__).parents[2] / "cases/decision.jsonl").read_text().splitlines()
]


def facts_of(case: dict[str, Any]) -> Facts:
    """The facts that a case describes; an image of the same file is pulled from nowhere."""
    password = case["opts"].get("registry_password")
    return Facts(
        {name: Variable(name, value, Source(SourceKind.PROCESS)) for name, value in case["env"].items()},
        Options(
            case["opts"].get("repo"),
            case["opts"].get("registry_username"),
            None if password is None else Secret(password),
        ),
        tuple(BaseImage(image["from"]) for image in case.get("images", ()) if "from" in image),
        case["home"],
        case["cwd"],
    )


@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
def test_case(case: dict[str, Any]) -> None:
    decided = decide(Command(case["command"]), facts_of(case))
    expected = dict(case["expected"])
    if expected.pop("outcome") == "error":
        assert isinstance(decided, Refusal)
        assert decided.id == expected["error"]
        return
    assert isinstance(decided, Decision)
    assert {
        "method": decided.method,
        "username": decided.username,
        "secret_from": decided.secret_from,
        "config_dir": decided.config_dir,
        "login": list(decided.login),
        "warnings": [notice.id for notice in decided.warnings],
    } == expected
