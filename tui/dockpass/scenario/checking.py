"""What is expected beside what is found. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from dockpass.auth.command import Command
from dockpass.auth.decision import Decision, Refusal
from dockpass.auth.facts import Facts
from dockpass.dockerconfig.keys import host_of_key
from dockpass.findings import Finding, Severity
from dockpass.references.address import host_of_registry, normalise_host
from dockpass.scenario.model import Expectation, Kind
from dockpass.text import clean, sentence

_MOST_TOLD = 5


@dataclass(frozen=True, slots=True)
class Noted:
    """A finding, the id of its check, and why the scenario mutes it; empty where it does not."""

    finding: Finding
    check: str
    muted: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What a scenario comes to.

    `absent` gives for each variable that the job does not get the reason. `jobs` are the names of all jobs;
    `included` tells of one whether it is in the pipeline, None where that is not known. That and the findings
    are looked at only where something is expected of them.
    """

    facts: Facts
    decided: Mapping[Command, Decision | Refusal]
    absent: Mapping[str, str]
    jobs: tuple[str, ...]
    included: Callable[[str], bool | None]
    findings: Callable[[], tuple[Noted, ...]]


@dataclass(frozen=True, slots=True)
class Result:
    """An expectation, whether it holds, and what was found in its place, with the reason. Clean.

    `muted` are the findings that count for nothing, each with the reason.
    """

    expectation: Expectation
    passed: bool
    found: str
    why: str = ""
    muted: tuple[Noted, ...] = ()


def compare(expected: Iterable[Expectation], found: Found) -> tuple[Result, ...]:
    """Return the result of each expectation, in their order."""
    return tuple(_result(each, found) for each in expected)


def _result(each: Expectation, found: Found) -> Result:
    match each.kind:
        case Kind.METHOD | Kind.USERNAME | Kind.REGISTRY | Kind.ERROR:
            return _login(each, found)
        case Kind.JOB | Kind.NO_JOB:
            return _job(each, found)
        case Kind.VARIABLE | Kind.NO_VARIABLE:
            return _variable(each, found)
        case Kind.FINDINGS:
            return _findings(each, found)


def _login(each: Expectation, found: Found) -> Result:
    if each.command is None:
        raise ValueError("a login is that of a command")
    decided = found.decided[each.command]
    if isinstance(decided, Refusal):
        error = decided.id
        passed = each.kind is Kind.ERROR and each.wanted == error
        return Result(each, passed, error, "" if passed else decided.message)
    if each.kind is Kind.ERROR:
        return Result(each, not each.wanted, "no error", decided.sentence if each.wanted else "")
    if each.kind is Kind.REGISTRY:
        return _registry(each, decided)
    value = str(decided.method) if each.kind is Kind.METHOD else clean(decided.username or "", 255)
    passed = each.wanted == value
    return Result(each, passed, value or "none", "" if passed else decided.sentence)


def _registry(each: Expectation, decided: Decision) -> Result:
    hosts = [normalise_host(host_of_key(key)) for key in decided.login]
    passed = hosts == ([host_of_registry(each.wanted)] if each.wanted else [])
    shown = clean(", ".join(hosts), 300)
    if decided.method.logs_in and not hosts:
        names = ", ".join(decided.unknown)
        passed, shown = False, f"not known here{f' ({names})' if names else ''}"
    return Result(each, passed, shown or "none", "" if passed else decided.sentence)


def _job(each: Expectation, found: Found) -> Result:
    wanted = each.kind is Kind.JOB
    if each.wanted not in found.jobs:
        close = difflib.get_close_matches(each.wanted, found.jobs, 1)
        meant = f"did you mean {clean(close[0], 80)}?" if close else ""
        return Result(each, not wanted, "no such job", meant if wanted else "")
    state = found.included(each.wanted)
    words = {True: "in the pipeline", False: "not in the pipeline", None: "not known here"}[state]
    passed = state is wanted
    why = "" if passed else f"dockpass vars why {clean(each.wanted, 80)} shows its rules"
    return Result(each, passed, words, why)


def _variable(each: Expectation, found: Found) -> Result:
    wanted = each.kind is Kind.VARIABLE
    name = each.wanted
    if name not in found.facts.variables:
        return Result(
            each, not wanted, "absent", found.absent.get(name, "nothing defines it") if wanted else ""
        )
    value = found.facts.unknown(name)
    source = clean(found.facts.variables[name].source.detail, 255)
    if value is not None and value.may_be_missing:
        return Result(each, False, "not known here", clean(value.why, 255))
    if value is None and not found.facts.is_set(name):
        return Result(each, False, "empty", source)
    return Result(each, wanted, "present", "" if wanted else source)


def _findings(each: Expectation, found: Found) -> Result:
    words = each.wanted.split()
    allowed = {*words, *(word.upper() for word in words)}  # ids of checks are the ones in capitals
    seen = [one for one in found.findings() if one.finding.severity is not Severity.NOTE]
    others = [one for one in seen if not one.muted and allowed.isdisjoint({str(one.finding.id), one.check})]
    ids = " ".join(dict.fromkeys(str(one.finding.id) for one in others))
    muted = tuple(one for one in seen if one.muted)
    return Result(each, not others, ids or "all allowed", " ".join(_told(others)), muted)


def _told(seen: list[Noted]) -> Iterator[str]:
    yield from (f"{sentence(one.finding.in_words)} ({one.check})" for one in seen[:_MOST_TOLD])
    if len(seen) > _MOST_TOLD:
        yield f"And {len(seen) - _MOST_TOLD} more."
