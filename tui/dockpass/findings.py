"""A finding: something that a person should look at, and what to do about it. Every room uses this type."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum


class Severity(StrEnum):
    """How bad it is: what fails, what probably fails, and what is only good to know."""

    ERROR = "error"
    WARNING = "warning"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Finding:
    """`id` is a stable word for scripts, `hint` a sentence on what to do.

    `about` is a variable, an option or a file, and `about message` reads as a sentence; if it is empty,
    `message` is a sentence by itself. Every text is clean and holds no secret. Findings of one id are told as
    one where they have the same `alike`, whatever they are about.
    """

    id: str
    about: str
    message: str
    hint: str = field(default="", kw_only=True)
    severity: Severity = field(default=Severity.WARNING, kw_only=True)
    alike: str = field(default="", kw_only=True)

    @property
    def in_words(self) -> str:
        """What it says, with what it is about in front."""
        return f"{self.about} {self.message}" if self.about else self.message


def finding_json(found: Finding) -> dict[str, str]:
    """Return a finding as an object of `--json`."""
    return {
        "id": found.id,
        "severity": found.severity,
        "about": found.about,
        "message": found.message,
        "hint": found.hint,
    }
