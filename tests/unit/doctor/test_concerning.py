"""Which commands a finding concerns."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from patients import patients

from dockpass.auth.command import Command
from dockpass.doctor.concerning import concerned
from dockpass.doctor.examine import examine
from dockpass.doctor.table import TABLE

TOKEN = "glcbt-64_aaaaaaaaaaaaaaaaaaaa"
AUTO = {"CI_REGISTRY": "r.example.com", "CI_JOB_TOKEN": TOKEN, "CI_REGISTRY_IMAGE": "r.example.com/a/b"}
EVERY = set(Command)


@pytest.mark.parametrize(
    ("given", "name", "commands"),
    [
        ({"env": {**AUTO, "CI_JOB_TOKEN": f"{TOKEN}\n"}}, "line-end", EVERY),
        (
            {"env": {**AUTO, "WERF_IMAGES_CLEANUP_PASSWORD": "s3cret-word-42\n"}},
            "line-end",
            {Command.CLEANUP},
        ),
        ({"env": {**AUTO, "OTHER_TOKEN": "s3cret-word-42\n"}}, "line-end", set()),
        ({"env": {**AUTO, "WERF_IGNORE_CI_DOCKER_AUTOLOGIN": "0"}}, "ignore-value-looks-false", EVERY),
        ({"env": AUTO, "options": {"registry-username": "me"}}, "half-credentials", EVERY),
        ({"env": AUTO, "options": {"repo": "R.example.com/A/b"}}, "repository-case", EVERY - {Command.BUILD}),
    ],
)
def test_a_finding_concerns_the_commands_that_read_it(
    given: dict[str, Any], name: str, commands: set[Command], tmp_path: Path
) -> None:
    found = [each for each in examine(patients(given, tmp_path), TABLE) if each.finding.id == name]
    if not commands:
        assert all(concerned(each) == () for each in found)
    else:
        assert {command for each in found for command in concerned(each)} == commands


def test_a_config_concerns_the_commands_that_use_it(tmp_path: Path) -> None:
    auths = '{"auths": {"r.example.com": {"auth": "bm9jb2xvbg=="}}}'
    given: dict[str, Any] = {"env": {}, "config": "home", "files": {"home/config.json": auths}}
    (entry,) = [
        each for each in examine(patients(given, tmp_path), TABLE) if each.finding.id == "config-entry"
    ]
    assert concerned(entry) == (Command.BUILD,)  # without a repository the others have no login at all


def test_what_the_registry_answered_concerns_the_command_that_it_was_asked_about(tmp_path: Path) -> None:
    probes = ({"login": "rejected"}, {"actions": {"pull": "granted", "push": "refused"}})
    ids = set()
    for probe in probes:
        found = examine(patients({"env": AUTO, "probe": probe}, tmp_path), TABLE)
        answered = [each for each in found if each.check.id.startswith("DP-ACC")]
        ids |= {each.finding.id for each in answered}
        assert {concerned(each) for each in answered} == {(Command.PUSH,)}
    assert {"login-rejected", "may-not-push"} <= ids
