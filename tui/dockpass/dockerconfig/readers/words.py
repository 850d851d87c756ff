"""The words of the readers: the one place where reasons and verdicts become sentences."""

from __future__ import annotations

from dockpass.dockerconfig.readers.model import Candidate, Reading, Reason, SecretKind, Verdict

_WORDS = {
    Reason.EXACT_KEY: "its key is exactly the one that is looked up",
    Reason.HOST_OF_KEY: "its key stands for the host",
    Reason.PATH_KEY: "its key is the nearest one to the repository",
    Reason.HELPER_ANSWERED: "the helper gave it",
    Reason.TOKEN_STAYS: "a registry token in the file is sent whatever the helper says",
    Reason.JOB_LOGIN: "the job brings it along",
    Reason.ONE_BY_CHANCE: "several keys stand for the host, and one of them is taken by chance",
    Reason.DECODED_BY_CHANCE: "another entry is broken, so this one is decoded only by chance",
    Reason.PLAIN_AFTER_FAILURE: "the helper failed, and the plain entry is sent without a word",
    Reason.OUTRANKED: "something before it is used",
    Reason.LESS_SPECIFIC: "a key nearer to the repository is used",
    Reason.HELPER_INSTEAD: "a helper is asked in place of it",
    Reason.HELPER_NOT_ASKED: "the helper would be asked, and was not",
    Reason.HELPER_EMPTY: "the helper has no login",
    Reason.HELPER_FAILED: "the helper failed",
    Reason.HELPER_NAME: "a helper's name with a path in it is refused",
    Reason.STORE_NOT_READ: "this reader knows no credsStore",
    Reason.OTHER_KEY: "its key looks alike, and is not read for this registry",
    Reason.NO_ENTRY: "it has no entry for this registry",
    Reason.EMPTY_ENTRY: "the entry holds no login",
    Reason.BROKEN_ENTRY: "the entry cannot be decoded",
    Reason.NOT_DECODED: "the file has a fault of type, so no auth in it is decoded",
    Reason.FIELDS_NOT_READ: "this reader looks at other fields only",
    Reason.VARIABLE_NOT_READ: "this reader does not know the variable",
    Reason.VARIABLE_REFUSED: "the variable is refused as a whole",
    Reason.FILE_NOT_READ: "this reader does not look there",
    Reason.NO_FILE: "it is not there",
    Reason.BROKEN_FILE: "it cannot be parsed",
    Reason.UNREADABLE_FILE: "it cannot be read",
    Reason.NOT_LOOKED_AT: "dockpass did not look into it",
}


def reason_words(reason: Reason) -> str:
    """Return a reason as half a sentence."""
    return _WORDS[reason]


def who(candidate: Candidate) -> str:
    """Return as whom a candidate logs in: `alice`, `an identity token of alice`, `nobody`."""
    if candidate.secret_kind is SecretKind.NONE:
        return "nobody"
    if candidate.secret_kind is SecretKind.HELPER:
        return "whom the helper says"
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
            return f"logs in as {' or '.join(options)}, by chance"
        case Verdict.UNDECIDED:
            return "depends on what was not looked at"
    return "logs in as nobody"


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
