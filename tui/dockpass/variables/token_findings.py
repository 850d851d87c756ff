"""Whether a job token can still be valid: it ends with its job."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator
from datetime import UTC, datetime

from dockpass.auth.ci import GITLAB
from dockpass.auth.facts import Facts, SourceKind
from dockpass.findings import Finding, Severity
from dockpass.text import clean, plural
from dockpass.variables.here import Here, Lies
from dockpass.variables.place import PlaceKind, detect_place

TOKEN = GITLAB.token
_JWTS = ("CI_JOB_JWT", "CI_JOB_JWT_V1", "CI_JOB_JWT_V2")
_LEEWAY = 300.0
_LONGEST_JOB = 31 * 86_400.0  # GitLab takes no longer timeout
_LONG_AGO = 86_400.0
_LIFE = "and a job token is valid only while its job runs"
_HINT = "Run this in a job, or give the login of a deploy token or a personal token as options."


def find_dead_token(facts: Facts, here: Here) -> Iterator[Finding]:
    """Yield at most one finding: the token is dead, or probably is."""
    token, now = facts.text(TOKEN), here.now()
    if not facts.is_set(TOKEN) or facts.is_set("WERF_DOCKER_CONFIG"):
        return
    if dead := _known_dead(facts, token, now):
        yield Finding("job-token-dead", TOKEN, dead, hint=_HINT, severity=Severity.ERROR)
    elif doubt := _probably_dead(facts, here, now):
        yield Finding("job-token-old", TOKEN, doubt, hint=_HINT)


def _known_dead(facts: Facts, token: str, now: float) -> str:
    expiry = claimed_time(token.removeprefix("glcbt-"), "exp")
    if expiry and now > expiry:
        return f"expired {span_in_words(now - expiry)} ago, a job token is valid only while its job runs"
    started = _started(facts)
    timeout = _timeout(facts)
    if started and now > started + min(timeout or _LONGEST_JOB, _LONGEST_JOB) + _LEEWAY:
        most = f", and it could run for {span_in_words(timeout)} at most" if timeout else ""
        return (
            f"is dead: its job started {span_in_words(now - started)} ago (CI_JOB_STARTED_AT){most},"
            " and a job token is valid only while its job runs"
        )
    return ""


def _probably_dead(facts: Facts, here: Here, now: float) -> str:
    for name in _JWTS:
        expiry = claimed_time(facts.text(name), "exp")
        if expiry and now > expiry:
            return f"is probably dead: {name}, of the same job, expired {span_in_words(now - expiry)} ago"
    started = _started(facts)
    if started and now > started + _LONG_AGO:
        return f"is probably dead: its job started {span_in_words(now - started)} ago (CI_JOB_STARTED_AT)"
    source = facts.variables[TOKEN].source
    place = detect_place(facts, lambda path: here.look(path) is Lies.DIRECTORY)
    job = facts.variables.get("CI_JOB_ID")
    in_job = place.kind is PlaceKind.GITLAB and job is not None and job.source.kind is SourceKind.PROCESS
    if source.kind is SourceKind.ENV_FILE and not in_job:
        file = source.detail.rpartition(":")[0]
        changed = here.changed(file)
        age = f", written {span_in_words(now - changed)} ago" if changed and now > changed + 60 else ""
        return f"comes from a file ({clean(source.detail)}{age}), {_LIFE}"
    if source.kind is SourceKind.PROCESS and place.kind is PlaceKind.PASTED:
        return f"was exported from a job that does not run here, {_LIFE}"
    return ""


def claimed_time(token: str, claim: str) -> float:
    """Return a time that a JWT claims, unverified; 0 where there is none that can be read."""
    parts = token.split(".")
    if len(parts) != 3:
        return 0.0
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return 0.0
    found = claims.get(claim) if isinstance(claims, dict) else None
    if isinstance(found, bool) or not isinstance(found, int | float):
        return 0.0
    return float(found) if 0 < found < 1e11 else 0.0


def _started(facts: Facts) -> float:
    try:
        found = datetime.fromisoformat(facts.text("CI_JOB_STARTED_AT").strip())
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return 0.0


def _timeout(facts: Facts) -> float:
    text = facts.text("CI_JOB_TIMEOUT").strip()
    return float(text) if text.isascii() and text.isdecimal() and len(text) < 9 else 0.0


def span_in_words(seconds: float) -> str:
    """Return a span of time in its largest whole unit: `3 hours`."""
    for size, name in ((86_400, "day"), (3_600, "hour"), (60, "minute")):
        if seconds >= size:
            return plural(int(seconds // size), name)
    return plural(int(seconds), "second")
