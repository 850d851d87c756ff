"""What a reader of docker's config finds for a registry: every candidate, and which of them it takes."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from enum import StrEnum

from dockpass.dockerconfig.readers.reasons import Reason, reason_words
from dockpass.findings import Finding
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
    findings: tuple[Finding, ...] = ()


def fingerprint_of(secret: Secret) -> str:
    """Return what two equal secrets share; it tells nothing outside this process. Empty stays empty."""
    if not secret:
        return ""
    raw = secret.reveal().encode("utf-8", "surrogatepass")
    return hashlib.blake2b(raw, key=_FINGERPRINT_KEY, digest_size=12).hexdigest()
