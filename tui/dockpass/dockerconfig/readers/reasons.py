"""Why a reader of docker's config takes a candidate or not, and each reason in words."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """Why a candidate is taken or not."""

    EXACT_KEY = "exact-key"
    HOST_OF_KEY = "host-of-key"
    PATH_KEY = "path-key"
    HELPER_ANSWERED = "helper-answered"
    TOKEN_STAYS = "token-stays"  # noqa: S105 - a reason, no secret
    JOB_LOGIN = "job-login"
    ONE_BY_CHANCE = "one-by-chance"
    DECODED_BY_CHANCE = "decoded-by-chance"
    PLAIN_AFTER_FAILURE = "plain-after-failure"

    OUTRANKED = "outranked"
    LESS_SPECIFIC = "less-specific"
    HELPER_INSTEAD = "helper-instead"
    HELPER_NOT_ASKED = "helper-not-asked"
    HELPER_EMPTY = "helper-empty"
    HELPER_FAILED = "helper-failed"
    HELPER_NAME = "helper-name"
    STORE_NOT_READ = "store-not-read"
    OTHER_KEY = "other-key"
    NO_ENTRY = "no-entry"
    EMPTY_ENTRY = "empty-entry"
    BROKEN_ENTRY = "broken-entry"
    NOT_DECODED = "not-decoded"
    FIELDS_NOT_READ = "fields-not-read"
    VARIABLE_NOT_READ = "variable-not-read"
    VARIABLE_REFUSED = "variable-refused"
    FILE_NOT_READ = "file-not-read"
    NO_FILE = "no-file"
    BROKEN_FILE = "broken-file"
    UNREADABLE_FILE = "unreadable-file"
    NOT_LOOKED_AT = "not-looked-at"


_WORDS = {
    Reason.EXACT_KEY: "its key is exactly the one that is looked up",
    Reason.HOST_OF_KEY: "its key stands for the host",
    Reason.PATH_KEY: "its key is the nearest one to the repository",
    Reason.HELPER_ANSWERED: "the helper gave it",
    Reason.TOKEN_STAYS: "a registry token in the file is sent whatever the helper says",
    Reason.JOB_LOGIN: "the job provides it",
    Reason.ONE_BY_CHANCE: "several keys stand for the host, and which one is used is random",
    Reason.DECODED_BY_CHANCE: "another entry is broken, so whether this one is decoded is random",
    Reason.PLAIN_AFTER_FAILURE: "the helper failed, and the plain entry is sent without a warning",
    Reason.OUTRANKED: "a source with a higher priority is used",
    Reason.LESS_SPECIFIC: "a key nearer to the repository is used",
    Reason.HELPER_INSTEAD: "a helper is asked in place of it",
    Reason.HELPER_NOT_ASKED: "the helper would be asked, and was not",
    Reason.HELPER_EMPTY: "the helper has no login",
    Reason.HELPER_FAILED: "the helper failed",
    Reason.HELPER_NAME: "a helper's name with a path in it is refused",
    Reason.STORE_NOT_READ: "this reader does not support credsStore",
    Reason.OTHER_KEY: "its key looks similar, but is not used for this registry",
    Reason.NO_ENTRY: "it has no entry for this registry",
    Reason.EMPTY_ENTRY: "the entry holds no login",
    Reason.BROKEN_ENTRY: "the entry cannot be decoded",
    Reason.NOT_DECODED: "a field of the file has the wrong type, so no auth in it is decoded",
    Reason.FIELDS_NOT_READ: "this reader looks at other fields only",
    Reason.VARIABLE_NOT_READ: "this reader does not support the variable",
    Reason.VARIABLE_REFUSED: "the variable is refused as a whole",
    Reason.FILE_NOT_READ: "this reader does not look there",
    Reason.NO_FILE: "file not found",
    Reason.BROKEN_FILE: "it cannot be parsed",
    Reason.UNREADABLE_FILE: "it cannot be read",
    Reason.NOT_LOOKED_AT: "dockpass did not look into it",
}


def reason_words(reason: Reason) -> str:
    """Return a reason as half a sentence."""
    return _WORDS[reason]
