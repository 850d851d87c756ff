"""Hosts whose login in the person's own docker config goes along with that of a command."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from dockpass.dockerconfig.carried import original_directory
from dockpass.dockerconfig.configfile import read_config
from dockpass.dockerconfig.helpers import HelperOutcome, HelperResult
from dockpass.dockerconfig.keys import host_of_key
from dockpass.dockerconfig.resolve import Found, resolve
from dockpass.errors import UsageError
from dockpass.references.address import normalise_host
from dockpass.registry.policy import checked_host
from dockpass.runs.services import Services
from dockpass.text import clean

OPTION = "--also"


def also_hosts(texts: Iterable[str]) -> tuple[str, ...]:
    """Return each host once, Docker Hub under its one name; raises `UsageError` for what is no host."""
    return tuple(dict.fromkeys(normalise_host(checked_host(OPTION, text, hub=True)) for text in texts))


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What the person's docker config has for each of the hosts, and the `others` that it names.

    `problem` says what is wrong with what was typed; then the rest is empty.
    """

    hosts: tuple[tuple[str, str], ...] = ()
    others: tuple[str, ...] = ()
    problem: str = ""


def foreseen(text: str, services: Services) -> Foreseen:
    """Look up the hosts in a text, separated by spaces. No helper is asked before the program runs."""
    try:
        hosts = also_hosts(text.split())
    except UsageError as error:
        return Foreseen(problem=error.message)
    original = original_directory(services.environ, services.home)
    trace = resolve(original, hosts, environ=services.environ, run_helper=_later).trace
    told = [step for step in trace if step.outcome is not Found.SKIPPED]
    config = read_config(original)
    keys = (*(key for key, entry in config.entries.items() if entry.credential), *config.cred_helpers)
    known = dict.fromkeys(clean(normalise_host(host_of_key(key)), 200) for key in keys)
    return Foreseen(
        tuple((host, "; ".join(step.because for step in told if step.host == host)) for host in hosts),
        tuple(host for host in known if host not in hosts),
    )


def _later(name: str, _key: str, _environ: Mapping[str, str]) -> HelperResult:
    return HelperResult(HelperOutcome.NOT_FOUND, f"docker-credential-{clean(name, 60)} is asked at the start")
