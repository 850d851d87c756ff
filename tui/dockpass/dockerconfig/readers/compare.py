"""Where the readers disagree about a registry, in sentences."""

from __future__ import annotations

from collections.abc import Sequence

from dockpass.dockerconfig.readers.model import Candidate, Reader, Reading, SecretKind, Verdict
from dockpass.dockerconfig.readers.words import who

_Identity = tuple[object, ...]

_ORDER = (Reader.CLI, Reader.CLI_BEFORE, Reader.SDK, Reader.PODMAN, Reader.SKOPEO, Reader.RUNNER)


def disagreements(readings: Sequence[Reading]) -> tuple[str, ...]:
    """Return one sentence for each group of readers that does something else than the docker CLI.

    The first in the order of `_ORDER` that has decided is what the others are compared with; only the
    first sentence repeats what it does. Readers that depend on a helper that was not asked are left out.
    """
    ordered = sorted(readings, key=lambda reading: _ORDER.index(reading.reader))
    groups: dict[_Identity, list[Reading]] = {}
    for reading in ordered:
        if reading.verdict is not Verdict.UNDECIDED:
            groups.setdefault(identity(reading), []).append(reading)
    if len(groups) < 2:
        return ()
    first, *others = groups.values()
    said = [f"{_does(group)}: {_effect(first[0], group)}" for group in others]
    return (f"{_does(first)}, {said[0]}", *said[1:])


def identity(reading: Reading) -> _Identity:
    """Return what two readings share where they do the same: the same login, or none."""
    if reading.verdict is not Verdict.LOGIN or reading.winner is None:
        options = frozenset(_login(found) for found in reading.candidates if found.accepted)
        return (reading.verdict, options if reading.verdict is Verdict.CHANCE else None)
    return (Verdict.LOGIN, _login(reading.winner))


def _login(candidate: Candidate) -> _Identity:
    user = candidate.user if candidate.secret_kind is SecretKind.PASSWORD else ""
    return (candidate.secret_kind, user, candidate.fingerprint)


def _does(group: Sequence[Reading]) -> str:
    reading, names = group[0], _names(group)
    match reading.verdict:
        case Verdict.LOGIN if reading.winner is not None:
            return f"{names} would use {_what(reading.winner)}"
        case Verdict.FAILS:
            return f"{names} would stop with an error"
        case Verdict.CHANCE:
            return f"{names} would take any of several entries"
    return f"{names} {'find' if len(group) > 1 else 'finds'} no login"


def _what(winner: Candidate) -> str:
    if " " in winner.source:  # a section with its helper, or the job's payload
        return f"the login of {winner.source} ({who(winner)})"
    return f"the entry of {winner.source} ({who(winner)})"


def _effect(first: Reading, other: Sequence[Reading]) -> str:
    whose = "them" if len(other) > 1 else _NAMES[other[0].reader]
    # The runner pulls the images of a job and its services, and never pushes.
    pulls = any(reading.reader is Reader.RUNNER for reading in other)
    subject = f"a pull by {whose}" if pulls else f"a push from {whose}"
    verdict, winner = other[0].verdict, other[0].winner
    if verdict is Verdict.FAILS:
        return f"{subject} fails before it begins"
    if verdict is Verdict.CHANCE:
        return f"{subject} logs in as either, at random"
    if winner is None:
        return f"{subject} is anonymous"
    if first.winner is None:
        return f"{subject} logs in as {who(winner)}"
    if who(first.winner) == who(winner):
        return f"{subject} logs in as the same user with another secret"
    return f"{subject} logs in as another user"


_NAMES = {
    Reader.CLI: "docker 28.3 and later",
    Reader.CLI_BEFORE: "docker before 28.3",
    Reader.SDK: "the docker SDK",
    Reader.PODMAN: "podman",
    Reader.SKOPEO: "skopeo",
    Reader.RUNNER: "GitLab Runner",
}


def _names(group: Sequence[Reading]) -> str:
    names = [_NAMES[reading.reader] for reading in group]
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
