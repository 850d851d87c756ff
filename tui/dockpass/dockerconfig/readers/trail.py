"""The trail of one reader: candidates in its order, until something decides."""

from __future__ import annotations

from dataclasses import dataclass, field

from dockpass.dockerconfig.keys import shown_key
from dockpass.dockerconfig.readers.files import FileKind, FileRead
from dockpass.dockerconfig.readers.goconfig import GoEntry
from dockpass.dockerconfig.readers.model import (
    Candidate,
    Reader,
    Reading,
    SecretKind,
    Verdict,
    fingerprint_of,
)
from dockpass.dockerconfig.readers.reasons import Reason
from dockpass.dockerconfig.readers.situation import HelperLogin, HelperState
from dockpass.findings import Finding
from dockpass.secrets import Secret
from dockpass.text import clean

NO_SECRET = Secret("")

_FILE_REASONS = {
    FileKind.MISSING: Reason.NO_FILE,
    FileKind.PARENT_IS_A_FILE: Reason.NO_FILE,
    FileKind.DIRECTORY: Reason.UNREADABLE_FILE,
    FileKind.UNREADABLE: Reason.UNREADABLE_FILE,
    FileKind.SPECIAL: Reason.NOT_LOOKED_AT,
    FileKind.TOO_LARGE: Reason.NOT_LOOKED_AT,
}
_UNREAD = frozenset(_FILE_REASONS.values())
_FILE_EVIDENCE = {
    FileKind.MISSING: "",
    FileKind.PARENT_IS_A_FILE: "a parent of it is a file",
    FileKind.DIRECTORY: "it is a directory",
    FileKind.UNREADABLE: "permission denied",
    FileKind.SPECIAL: "it is a pipe or a device, and reading it would block",
    FileKind.TOO_LARGE: "it is larger than 1 MiB",
}
_HELPER_REASONS = {
    HelperState.FOUND: Reason.HELPER_ANSWERED,
    HelperState.EMPTY: Reason.HELPER_EMPTY,
    HelperState.FAILED: Reason.HELPER_FAILED,
    HelperState.NOT_ASKED: Reason.HELPER_NOT_ASKED,
}


@dataclass
class Trail:
    """Collects; the first decision stays, what comes later is told as outranked by the reader itself."""

    reader: Reader
    registry: str
    candidates: list[Candidate] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    verdict: Verdict | None = None

    @property
    def decided(self) -> bool:
        """Whether it is known what the reader does."""
        return self.verdict is not None

    def add(
        self,
        source: str,
        reason: Reason,
        evidence: str = "",
        *,
        key: str = "",
        user: str = "",
        kind: SecretKind = SecretKind.NONE,
        secret: Secret = NO_SECRET,
        accepted: bool = False,
    ) -> None:
        """Add a candidate; its texts are cleaned here. Of a file that was not read nothing more is said."""
        found = Candidate(
            shown_key(source, 400),
            shown_key(key, 300),
            clean(user, 200),
            kind,
            accepted,
            reason,
            shown_key(evidence, 400),
            fingerprint_of(secret),
        )
        unread = {each.source for each in self.candidates if each.reason in _UNREAD}
        if found.source not in unread or reason not in {Reason.NO_ENTRY, *_UNREAD}:
            self.candidates.append(found)

    def entry(
        self,
        source: str,
        key: str,
        entry: GoEntry,
        reason: Reason,
        evidence: str = "",
        *,
        accepted: bool = False,
    ) -> None:
        """Add an entry of a file or variable."""
        self.add(
            source,
            reason,
            evidence,
            key=key,
            user=entry.username,
            kind=entry.kind,
            secret=entry.secret,
            accepted=accepted,
        )

    def take(self, source: str, key: str, entry: GoEntry, reason: Reason, evidence: str = "") -> None:
        """Take an entry: with it the reader has decided. One that holds nothing decides for no login."""
        if self.decided:
            self.entry(source, key, entry, Reason.OUTRANKED, evidence)
        elif entry.kind is SecretKind.NONE:
            self.entry(source, key, entry, Reason.EMPTY_ENTRY, evidence)
            self.verdict = Verdict.ANONYMOUS
        else:
            self.entry(source, key, entry, reason, evidence, accepted=True)
            self.verdict = Verdict.LOGIN

    def helper(self, source: str, key: str, login: HelperLogin, *, by_chance: bool = False) -> None:
        """Add a helper's answer; who called decides what follows from it, but for a login.

        `by_chance`: it is one of several that may come out, and decides nothing alone.
        """
        reason, kind = _HELPER_REASONS[login.state], SecretKind.NONE
        if login.state is HelperState.NOT_ASKED:
            kind = SecretKind.HELPER
        elif login.user or login.secret:
            kind = SecretKind.IDENTITY_TOKEN if login.is_token else SecretKind.PASSWORD
        elif login.state is HelperState.FOUND:
            reason = Reason.HELPER_EMPTY
        found = reason is Reason.HELPER_ANSWERED
        self.add(
            source,
            reason,
            login.evidence,
            key=key,
            user=login.user,
            kind=kind,
            secret=login.secret,
            accepted=by_chance or (found and not self.decided),
        )
        if found and not by_chance:
            self.decide(Verdict.LOGIN)

    def decide(self, verdict: Verdict) -> None:
        """Decide, if nothing has."""
        if self.verdict is None:
            self.verdict = verdict

    def no_file(self, file: FileRead) -> None:
        """Add a file that was not read, with its reason."""
        self.add(file.shown, _FILE_REASONS[file.kind], _FILE_EVIDENCE[file.kind])
        if file.not_looked_at:
            self.find("file-not-looked-at", f"{file.shown}: {_FILE_EVIDENCE[file.kind]}", "Move it away.")
            self.decide(Verdict.UNDECIDED)

    def find(self, finding_id: str, message: str, hint: str) -> None:
        """Add a finding, once."""
        found = Finding(finding_id, "", shown_key(message, 600), hint=shown_key(hint, 400))
        if found not in self.findings:
            self.findings.append(found)

    def look_at(self, file: FileRead, uid: int, *, holds_logins: bool) -> None:
        """Add what is risky about a file that was read."""
        if file.link:
            self.find(
                "file-is-a-link",
                f"{file.shown} is a symbolic link to {file.link}",
                "Check that this is intended.",
            )
        if file.mode & 0o077 and holds_logins:
            self.find(
                "file-readable-by-others",
                f"{file.shown} holds logins, and its mode is {file.mode:04o}: others may read them",
                f"chmod 600 {file.shown}",
            )
        if file.uid not in {-1, 0, uid}:
            self.find(
                "file-of-somebody-else",
                f"{file.shown} belongs to the user with the id {file.uid}, who can change it",
                "Use a config of your own if this is not intended.",
            )

    def done(self) -> Reading:
        """Return the reading; what nothing decided is no login."""
        verdict = self.verdict or Verdict.ANONYMOUS
        accepted = [found for found in self.candidates if found.accepted]
        winner = accepted[0] if verdict is Verdict.LOGIN and accepted else None
        return Reading(
            self.reader,
            shown_key(self.registry, 300),
            verdict,
            tuple(self.candidates),
            winner,
            tuple(self.findings),
        )
