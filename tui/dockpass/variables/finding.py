"""A finding: something about a value that a person should look at, and what to do about it."""

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
    """`name` is the variable, option or file that it is about; `name message` reads as a sentence.

    `hint` is a sentence on what to do. Every text is clean and holds no secret.
    """

    id: str
    name: str
    message: str
    hint: str = field(default="", kw_only=True)
    severity: Severity = field(default=Severity.WARNING, kw_only=True)
