"""The environment of a program leads to the temporary config and to no other login."""

from __future__ import annotations

from pathlib import Path

import pytest

from dockpass.dockerconfig.runconfig import RIVALS
from dockpass.programs.environment import MARKER, outer_host, printed, program_environment

CONFIG = Path("/run/dockpass-1")
WINS = (
    "DOCKER_AUTH_CONFIG",
    "DOCKER_CONTEXT",
    "TRIVY_USERNAME",
    "TRIVY_PASSWORD",
    "TRIVY_REGISTRY_TOKEN",
    "SYFT_REGISTRY_AUTH_TOKEN",
    "GRYPE_REGISTRY_AUTH_PASSWORD",
    "DOCKER_REGISTRY_USER",
    "DOCKER_REGISTRY_PASS",
    "CNB_REGISTRY_AUTH",
)
LEADING = {
    "DOCKER_CONFIG": "/run/dockpass-1",
    "WERF_DOCKER_CONFIG": "/run/dockpass-1",
    "REGISTRY_AUTH_FILE": "/run/dockpass-1/config.json",
    "HELM_REGISTRY_CONFIG": "/run/dockpass-1/config.json",
    "HELM_REGISTRY_CONFIG_PATH": "/run/dockpass-1/config.json",
    "BUILDX_CONFIG": "/run/dockpass-1/buildx",
    "REGCTL_CONFIG": "/run/dockpass-1/regctl.json",
}


@pytest.mark.parametrize("name", WINS)
def test_what_would_win_over_the_config_is_removed_unless_it_is_to_stay(name: str) -> None:
    found = program_environment({name: "x", "HOME": "/home/me"}, CONFIG, "r.example")
    assert name not in found.variables
    assert found.removed == (name,)
    kept = program_environment({name: "x"}, CONFIG, "r.example", keep=frozenset({name}))
    assert (kept.variables[name], kept.removed, kept.kept) == ("x", (), (name,))


@pytest.mark.parametrize("name", LEADING)
def test_every_known_way_leads_to_the_config_whatever_it_was_before(name: str) -> None:
    found = program_environment({name: "/elsewhere"}, CONFIG, "r.example")
    assert {each: found.variables[each] for each in LEADING} == LEADING
    kept = program_environment({name: "/elsewhere"}, CONFIG, "r.example", keep=frozenset({name}))
    assert (kept.variables[name], kept.kept) == ("/elsewhere", (name,))


def test_every_variable_that_a_helper_may_not_have_is_set_or_removed() -> None:
    found = program_environment(dict.fromkeys(RIVALS, "x"), CONFIG, "r.example")
    assert found.set.keys() | set(found.removed) >= RIVALS


def test_all_else_stays_and_the_variables_of_a_job_win() -> None:
    environ = {"HOME": "/home/me", "XDG_RUNTIME_DIR": "/run/user/1", "CI_JOB_TOKEN": "old"}
    found = program_environment(
        environ, CONFIG, "r.example", job={"CI_JOB_TOKEN": "new", "DOCKER_AUTH_CONFIG": "{}"}
    )
    assert found.variables == {**environ, **LEADING, "CI_JOB_TOKEN": "new", MARKER: "1:r.example"}
    assert [note.partition(" ")[0] for note in found.notes] == ["CI_JOB_TOKEN"]


def test_a_context_that_is_in_the_config_keeps_its_variable() -> None:
    found = program_environment({"DOCKER_CONTEXT": "remote"}, CONFIG, "r.example", has_context=True)
    assert found.variables["DOCKER_CONTEXT"] == "remote"


@pytest.mark.parametrize(
    ("marker", "depth", "host"),
    [
        ("", 1, ""),
        ("1:a.example:5000", 2, "a.example:5000"),
        ("x:y", 1, ""),
        ("99999:y", 1, ""),
        ("²:y", 1, ""),
    ],
)
def test_programs_around_it_are_counted(marker: str, depth: int, host: str) -> None:
    environ = {MARKER: marker}
    assert program_environment(environ, CONFIG, "r").variables[MARKER] == f"{depth}:r"
    assert outer_host(environ) == host


def test_what_is_printed_can_be_given_to_a_shell() -> None:
    found = program_environment({"SYFT_REGISTRY_AUTH_X;Y": "x"}, Path("/a b"), "r.example")
    lines = list(printed(found))
    assert "export DOCKER_CONFIG='/a b'" in lines
    assert lines[-1] == "unset 'SYFT_REGISTRY_AUTH_X;Y'"
