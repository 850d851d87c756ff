"""Which checks explain an error message: those that fire here first."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from dockpass.doctor.check import Check
from dockpass.doctor.examine import Found
from dockpass.text import inert

LARGEST = 16 << 10
"""How much of a pasted text is looked at, in characters: its end, for there a log says what failed."""

_LAST = 1 << 10
_COLOUR = re.compile(r"(?:\^\[|\\(?:x1b|u001b|033|e))?\[[0-9;]*[mK]")
"""A sequence that was copied as text, or of which the escape itself was lost."""
_PREFIX = re.compile(
    r"\s*(?:[>|│]\s?)*"  # quoted
    r"\[?(?:\d{4}-\d\d-\d\d[T ])?(?:\d\d:\d\d:\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?\]?\s?"  # a time
    r"(?:\d\d[OE][+ ]?)?\s*"  # the stream of a job's log
    r"(?:\#\d+\s+(?:\d+\.\d+\s+)?)?"  # the step of a build
)
_ESCAPED = (("\\n", " "), ("\\t", " "), ('\\"', '"'), ("“", '"'), ("”", '"'), ("‘", "'"), ("’", "'"))
_LIKELY: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        r"HTTP Basic: Access denied|(incorrect|invalid) username(/| or )password|401 Unauthorized",
        (
            *(
                "DP-ACC-001",
                "DP-SCP-001",
                "DP-SCP-003",
                "DP-EXP-001",
                "DP-SEC-006",
                "DP-TOK-002",
                "DP-TOK-013",
            ),
            *("DP-SEC-002", "DP-SEC-004", "DP-LOG-019"),
        ),
    ),
    (
        r"(failed to pull image|pulling image|ErrImagePull)",
        ("DP-LOG-027", "DP-LOG-006", "DP-ACC-002", "DP-REG-019", "DP-REG-014"),
    ),
    (
        r"pull access denied|failed to fetch anonymous token",
        ("DP-ACC-002", "DP-LOG-011", "DP-REG-014", "DP-REG-019"),
    ),
    (r"requested access to the resource is denied", ("DP-REG-018", "DP-ACC-003", "DP-REG-011", "DP-LOG-011")),
    (r"insufficient_scope", ("DP-ACC-002", "DP-ACC-003", "DP-LOG-014")),
    (
        r"access forbidden",
        ("DP-ACC-002", "DP-ACC-001", "DP-REG-005", "DP-REG-018", "DP-LOG-011", "DP-REG-019"),
    ),
    (r"no basic auth credentials", ("DP-LOG-011", "DP-TOK-002", "DP-CFG-009", "DP-REG-009", "DP-LOG-004")),
    (
        r"authentication required|basic credential not found",
        ("DP-ACC-002", "DP-LOG-011", "DP-ACC-001", "DP-TOK-013", "DP-ACC-003", "DP-ACC-005"),
    ),
    (r"403 \(Forbidden\)|from (HEAD|GET) request to \S+ 401", ("DP-ACC-002", "DP-ACC-001", "DP-LOG-011")),
    (r"manifests/[^\s\"]+\"?: unauthorized", ("DP-ACC-002", "DP-LOG-011", "DP-ACC-001")),
    (r"illegal base64 data", ("DP-LOG-010", "DP-CFG-004")),
    (r"must be lowercase", ("DP-REG-004",)),
    (r"invalid reference format", ("DP-REG-007", "DP-REG-016", "DP-REG-004", "DP-SEC-005", "DP-EXP-008")),
    (r"takes precedence", ("DP-LOG-005", "DP-LOG-024")),
    (r"error (getting|storing) credentials", ("DP-CFG-008", "DP-LOG-008")),
    (r"HTTP response to HTTPS client|no such host|connection refused|timeout", ("DP-ACC-006", "DP-ENG-001")),
)
"""Messages that many checks explain, each with those that mostly do, the likeliest first."""


def explaining(text: str, checks: Iterable[Check]) -> tuple[Check, ...]:
    """Return the checks with a symptom in a text: those with the longest match first, then the likeliest."""
    readings = tuple(_readings(text[-LARGEST:]))
    scored = [(max(_longest(each, check) for each in readings), check) for check in checks]
    matching = [(longest, check) for longest, check in scored if longest]
    rank = _ranks(readings)
    return tuple(
        check for longest, check in sorted(matching, key=lambda each: (-each[0], rank.get(each[1].id, _LAST)))
    )


def by_likelihood(message: str, checks: Iterable[Check]) -> tuple[Check, ...]:
    """Return checks that explain one message, the likeliest first."""
    rank = _ranks((message,))
    return tuple(sorted(checks, key=lambda check: rank.get(check.id, _LAST)))


def _readings(text: str) -> Iterator[str]:
    """Yield a text without what terminals, logs and chats put around it, wrapped lines joined in two ways."""
    lines = [_PREFIX.sub("", _COLOUR.sub("", inert(line)), count=1) for line in text.splitlines()]
    for glue in (" ", "") if len(lines) > 1 else (" ",):
        joined = glue.join(line.strip() if glue else line for line in lines)
        for written, meant in _ESCAPED:
            joined = joined.replace(written, meant)
        yield " ".join(joined.split())


def _longest(text: str, check: Check) -> int:
    found = (re.search(symptom, text, re.IGNORECASE) for symptom in check.symptoms)
    return max((len(match[0]) for match in found if match), default=0)


def _ranks(readings: Sequence[str]) -> dict[str, int]:
    """Return the place of each check among those that mostly explain what is said."""
    said = (
        ids for message, ids in _LIKELY if any(re.search(message, each, re.IGNORECASE) for each in readings)
    )
    ranks: dict[str, int] = {}
    for name in (name for ids in said for name in ids):
        ranks.setdefault(name, len(ranks))
    return ranks


def firing_first(
    checks: Sequence[Check], found: Sequence[Found]
) -> tuple[tuple[Found, ...], tuple[Check, ...]]:
    """Return what these checks found, and those of them that found nothing."""
    fired = tuple(each for check in checks for each in found if each.check is check)
    ids = {each.check.id for each in fired}
    return fired, tuple(check for check in checks if check.id not in ids)
