"""Plan and log say by which proxy registries are asked, and who follows which."""

from __future__ import annotations

from dataclasses import replace

import pytest

from dockpass.auth.command import Command
from dockpass.registry.policy import Policy
from dockpass.registry.proxies import proxies_of
from dockpass.runs.events import Event, Log
from dockpass.runs.planning import make_plan

from .conftest import JOB, Bench, make_facts, make_request

ENVIRON = {"HTTPS_PROXY": "http://bob:proxy-canary@proxy.example:3128"}
WAY = "through the proxy http://••••@proxy.example:3128 (HTTPS_PROXY)"


@pytest.fixture
def behind(bench: Bench) -> Bench:
    services = bench.services
    environ = {**services.environ, **ENVIRON}
    bench.services = replace(services, environ=environ, policy=Policy(proxies_of(ENVIRON)))
    return bench


def log_of(events: list[Event]) -> list[str]:
    return [event.text for event in events if isinstance(event, Log)]


@pytest.mark.parametrize(
    ("command", "more"),
    [
        (Command.DEPLOY, ""),
        (Command.CLEANUP, ""),
        (Command.PUSH, "; Docker and Podman use their daemon's own proxy"),
        (Command.PULL, "; Docker and Podman use their daemon's own proxy"),
    ],
)
def test_the_plan_names_the_proxy(behind: Bench, command: Command, more: str) -> None:
    request = make_request(command, make_facts(behind.services.home, **JOB), tags=("1",))
    plan = make_plan(request, behind.services)
    assert plan.phases[1].detail.endswith(f", {WAY}{more}")
    assert "--no-proxy" not in plan.command_line


def test_a_plan_without_the_proxies_says_so_in_its_command_line(behind: Bench) -> None:
    services = replace(behind.services, policy=Policy())
    request = make_request(Command.DEPLOY, make_facts(services.home, **JOB), tags=("1",))
    plan = make_plan(request, services)
    assert "proxy" not in plan.phases[1].detail
    assert plan.command_line[-1] == "--no-proxy"


def test_a_registry_that_needs_none_is_told_of_none(behind: Bench) -> None:
    proxies = proxies_of({**ENVIRON, "NO_PROXY": "registry.example"})
    services = replace(behind.services, policy=Policy(proxies))
    request = make_request(Command.DEPLOY, make_facts(services.home, **JOB), tags=("1",))
    assert "proxy" not in make_plan(request, services).phases[1].detail


def test_the_log_tells_the_engines_proxy_and_that_it_does_not_follow_ours(behind: Bench) -> None:
    behind.engine.proxy = "http://daemon.example:8080"
    _, events = behind.run(Command.PULL, make_facts(behind.services.home, **JOB), tags=("1",))
    log = log_of(events)
    assert "Docker uses its own proxy for registries: http://daemon.example:8080" in log
    assert f"dockpass, but not the engine, asks registry.example {WAY}" in log
    assert "proxy-canary" not in repr(events)


def test_what_is_no_proxy_is_told(behind: Bench) -> None:
    policy = Policy(proxies_of({"HTTPS_PROXY": "http://%zz@p"}))
    behind.services = replace(behind.services, policy=policy)
    _, events = behind.run(Command.PULL, make_facts(behind.services.home, **JOB), tags=("1",))
    assert "HTTPS_PROXY is not a proxy address: no proxy is used for https" in log_of(events)
