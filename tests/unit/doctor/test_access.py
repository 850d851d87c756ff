"""What the doctor says of a registry's answer fits the login that was asked with."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from patients import patients

from dockpass.doctor.access import in_access


def told(probe: dict[str, Any], directory: Path) -> str:
    (patient,) = patients({"env": {}, "probe": probe}, directory)
    (finding,) = in_access(patient)
    return f"{finding.message} {finding.hint}"


@pytest.mark.parametrize(
    ("actions", "begins"),
    [
        ({"pull": "refused"}, "Without a login, registry.example.com/web/backend cannot be pulled: "),
        (
            {"pull": "granted", "push": "refused"},
            "Without a login, registry.example.com/web/backend can be pulled, but not pushed to: ",
        ),
    ],
)
def test_no_rights_are_asked_of_a_login_that_is_not_there(
    tmp_path: Path, actions: dict[str, str], begins: str
) -> None:
    found = told({"login": "anonymous", "username": "", "actions": actions}, tmp_path)
    assert found.startswith(begins)
    assert "read_registry" not in found
    assert "explain push" in found


@pytest.mark.parametrize(("username", "who"), [("ci", "ci may not pull"), ("", "The login may not pull")])
def test_a_login_has_its_user_name_or_none(tmp_path: Path, username: str, who: str) -> None:
    assert told({"username": username, "actions": {"pull": "refused"}}, tmp_path).startswith(who)
    refused = told({"username": username, "login": "rejected"}, tmp_path)
    user = f" as {username}" if username else ""
    assert refused.startswith(f"registry.example.com did not accept the login{user}: ")
