"""The words of the readers: the one place where verdicts become sentences."""

from __future__ import annotations

from dockpass.dockerconfig.readers.model import Candidate, Reading, SecretKind, Verdict
from dockpass.marks import GLYPH_FAILED, GLYPH_LOOK, GLYPH_METHOD, GLYPH_NOT_REACHED

MARKS = {
    Verdict.LOGIN: GLYPH_METHOD,
    Verdict.ANONYMOUS: GLYPH_NOT_REACHED,
    Verdict.FAILS: GLYPH_FAILED,
    Verdict.CHANCE: GLYPH_LOOK,
    Verdict.UNDECIDED: GLYPH_LOOK,
}

OF_A_JOB = "the job's variables with this machine's config files"
"""What is read for a job. The job's own files are on its runner and in its image."""

NAMING_VARIABLES = ("DOCKER_CONFIG", "DOCKER_AUTH_CONFIG", "REGISTRY_AUTH_FILE")
"""Variables that hold a config, or say where one is."""


def who(candidate: Candidate) -> str:
    """Return as whom a candidate logs in: `alice`, `an identity token of alice`, `nobody`."""
    if candidate.secret_kind is SecretKind.NONE:
        return "nobody"
    if candidate.secret_kind is SecretKind.HELPER:
        return "the user that the helper returns"
    if candidate.secret_kind is SecretKind.PASSWORD:
        return candidate.user or "an empty user name"
    of = f" of {candidate.user}" if candidate.user else ""
    return (
        f"{'an' if candidate.secret_kind is SecretKind.IDENTITY_TOKEN else 'a'} {candidate.secret_kind}{of}"
    )


def verdict_words(reading: Reading) -> str:
    """Return in half a sentence what the reader does: `logs in as alice, from DOCKER_AUTH_CONFIG`."""
    match reading.verdict:
        case Verdict.LOGIN if reading.winner is not None:
            return f"logs in as {who(reading.winner)}, from {reading.winner.source}"
        case Verdict.FAILS:
            return "stops with an error before anything is sent"
        case Verdict.CHANCE:
            options = dict.fromkeys(who(found) for found in reading.candidates if found.accepted)
            return f"logs in as {' or '.join(options)}, at random"
        case Verdict.UNDECIDED:
            return "depends on what was not looked at"
    return "finds no login (anonymous)"


def verdict_short(reading: Reading) -> str:
    """Return the same in one or two words, for a table."""
    match reading.verdict:
        case Verdict.LOGIN if reading.winner is not None:
            return who(reading.winner)
        case Verdict.FAILS:
            return "stops with an error"
        case Verdict.CHANCE:
            return "one of several"
        case Verdict.UNDECIDED:
            return "not decided"
    return "no login"
