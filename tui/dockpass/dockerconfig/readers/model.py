"""What a reader of docker's config finds for a registry: every candidate, and which of them it takes."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from enum import StrEnum

from dockpass.dockerconfig.configfile import ConfigFinding
from dockpass.secrets import Secret

_FINGERPRINT_KEY = os.urandom(32)


class Reader(StrEnum):
    """A program that reads docker's config; the docker command line changed its order in 28.3."""

    CLI_BEFORE = "docker-cli-before-28.3"
    CLI = "docker-cli"
    SDK = "docker-sdk"
    PODMAN = "podman"
    SKOPEO = "skopeo"
    RUNNER = "gitlab-runner"

    @property
    def label(self) -> str:
        """The name that a person reads."""
        return _LABELS[self]

    @property
    def short(self) -> str:
        """The name in at most 15 characters."""
        return _SHORT[self]


_LABELS = {
    Reader.CLI_BEFORE: "docker CLI before 28.3",
    Reader.CLI: "docker CLI since 28.3",
    Reader.SDK: "docker SDK for Python",
    Reader.PODMAN: "podman and buildah",
    Reader.SKOPEO: "skopeo",
    Reader.RUNNER: "GitLab Runner",
}
_SHORT = _LABELS | {
    Reader.CLI_BEFORE: "docker < 28.3",
    Reader.CLI: "docker ≥ 28.3",
    Reader.SDK: "docker SDK",
    Reader.PODMAN: "podman, buildah",
}


class SecretKind(StrEnum):
    """What would be sent; with a helper that was not asked nobody knows yet."""

    PASSWORD = "password"  # noqa: S105 - a kind, no secret
    IDENTITY_TOKEN = "identity token"  # noqa: S105 - the same
    REGISTRY_TOKEN = "registry token"  # noqa: S105 - the same
    HELPER = "helper"
    NONE = "none"


class Reason(StrEnum):
    """Why a candidate is taken or not; `words.py` has the sentence of each."""

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


class Verdict(StrEnum):
    """What a reader does in the end."""

    LOGIN = "login"
    ANONYMOUS = "anonymous"
    FAILS = "fails"
    CHANCE = "chance"
    UNDECIDED = "undecided"


@dataclass(frozen=True, slots=True)
class Candidate:
    """One place where a login could come from. All texts are clean, and no secret is in them.

    `source` is a path, a variable or a section with its helper; `key` the key there, as written;
    `evidence` what was seen there. Equal fingerprints are equal secrets, within one process.
    `accepted` are the winner, and with the verdict `chance` everything that may come out.
    """

    source: str
    key: str
    user: str
    secret_kind: SecretKind
    accepted: bool
    reason: Reason
    evidence: str = ""
    fingerprint: str = ""

    @property
    def because(self) -> str:
        """The reason in words."""
        from dockpass.dockerconfig.readers.words import reason_words

        return reason_words(self.reason)


@dataclass(frozen=True, slots=True)
class Reading:
    """What one reader makes of a situation: candidates in its order, the winner where there is one.

    `registry` is the key that this reader looks up, which is not the same for all.
    """

    reader: Reader
    registry: str
    verdict: Verdict
    candidates: tuple[Candidate, ...]
    winner: Candidate | None
    findings: tuple[ConfigFinding, ...] = ()


def fingerprint_of(secret: Secret) -> str:
    """Return what two equal secrets share; it tells nothing outside this process. Empty stays empty."""
    if not secret:
        return ""
    raw = secret.reveal().encode("utf-8", "surrogatepass")
    return hashlib.blake2b(raw, key=_FINGERPRINT_KEY, digest_size=12).hexdigest()
