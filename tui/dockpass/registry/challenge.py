"""WWW-Authenticate (RFC 7235): several challenges in one header or in several, quoted strings too."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from dockpass.errors import DockpassError
from dockpass.text import clean

LONGEST_HEADER = 8 << 10
MOST_CHALLENGES = 32

_TOKEN = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"  # noqa: S105 - the grammar's own word
_PARAMETER = re.compile(rf"\s*({_TOKEN})\s*=\s*(?:\"((?:[^\"\\]|\\.)*)\"|([^\s,\"]*))\s*")
_SCHEME = re.compile(rf"\s*({_TOKEN})(?=\s|,|$)\s*")
_SEPARATORS = re.compile(r"[\s,]*")
_ESCAPE = re.compile(r"\\(.)")


@dataclass(frozen=True, slots=True)
class Challenge:
    """One challenge: scheme and parameter names in lower case."""

    scheme: str
    parameters: Mapping[str, str] = field(default_factory=dict)


def parse_challenges(headers: Iterable[str]) -> tuple[Challenge, ...]:
    """Parse every header; what does not fit the grammar ends that header, never the others."""
    found: list[Challenge] = []
    for header in headers:
        found += _parse(header[:LONGEST_HEADER])
    return tuple(found[:MOST_CHALLENGES])


def choose(challenges: Iterable[Challenge]) -> Challenge | None:
    """Return the challenge to answer: Bearer that names its realm, then Basic, nothing else."""
    usable = {
        challenge.scheme: challenge
        for challenge in reversed(tuple(challenges))
        if challenge.scheme != "bearer" or challenge.parameters.get("realm")
    }
    return usable.get("bearer") or usable.get("basic")


def unusable_challenge(host: str, headers: Sequence[str]) -> DockpassError:
    """Return the error for a 401 that asks for no login that can be given; it names what is asked for."""
    schemes = {found.scheme for found in parse_challenges(headers)}
    said = clean(", ".join(filter(None, headers)), 200)
    if not said:
        asked = "refuses the request (401) without saying how to log in (no WWW-Authenticate)"
    elif schemes & {"bearer", "basic"}:
        asked = f"asks for a login in an unusable form: {said}"
    else:
        asked = f"asks for a kind of login that dockpass does not support: {said}"
    return DockpassError(
        "challenge-unusable",
        f"{clean(host)} {asked}.",
        "Registries ask for Basic or Bearer, so a proxy or web server may have answered instead; ask the"
        " registry's administrator.",
    )


def _parse(header: str) -> list[Challenge]:
    found: list[Challenge] = []
    position = 0
    while position < len(header) and len(found) < MOST_CHALLENGES:
        position = _SEPARATORS.match(header, position).end()  # type: ignore[union-attr]
        scheme = _SCHEME.match(header, position)
        if not scheme:
            break
        parameters, position = _parameters(header, scheme.end())
        found.append(Challenge(scheme[1].lower(), parameters))
    return found


def _parameters(header: str, position: int) -> tuple[dict[str, str], int]:
    parameters: dict[str, str] = {}
    while match := _PARAMETER.match(header, position):
        quoted, plain = match[2], match[3]
        value = _ESCAPE.sub(r"\1", quoted) if quoted is not None else plain
        parameters.setdefault(match[1].lower(), value)
        position = match.end()
        comma = _SEPARATORS.match(header, position)
        if not comma or comma.end() == position:
            break
        position = comma.end()
    return parameters, position
