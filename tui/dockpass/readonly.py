"""Read-only mode: nothing is pushed, deleted, run, written or revealed. Everything that acts asks here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from dockpass.errors import NotAllowed

VARIABLE = "DOCKPASS_READ_ONLY"
_OFF = frozenset({"", "0", "false", "no", "off"})


class Act(StrEnum):
    """What does something beyond reading, with what is said where it may not be done."""

    RUN = "no command runs"
    PROGRAM = "no program runs"
    DELETE = "no image is deleted"
    CREATE = "nothing is asked that may create a repository"
    TRUST = "no other token server is trusted"
    WRITE = "no file is written"
    REVEAL = "no secret is revealed"


@dataclass(frozen=True, slots=True)
class Cause:
    """What switches the mode on, and what a person does to leave it."""

    name: str
    remedy: str


@dataclass(frozen=True, slots=True)
class ReadOnly:
    """Whether the mode is on: it is true where there is a cause."""

    causes: tuple[Cause, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.causes)

    @property
    def because(self) -> str:
        """What switches it on: `--read-only and DOCKPASS_READ_ONLY`; empty where it is off."""
        return " and ".join(cause.name for cause in self.causes)

    def forbids(self, act: Act) -> NotAllowed | None:
        """Return the refusal of an act; None where it may be done."""
        if not self:
            return None
        remedy = " and ".join(cause.remedy for cause in self.causes)
        return NotAllowed(
            "read-only",
            f"In read-only mode {act}.",
            f"To leave the mode, {remedy}.",
        )

    def refuse(self, act: Act) -> None:
        """Raise the refusal of an act that may not be done."""
        if refusal := self.forbids(act):
            raise refusal


def find_read_only(environ: Mapping[str, str], *, asked: bool, set_in: str) -> ReadOnly:
    """Return the mode of a start. Any of option, variable and setting switches it on, and none off again.

    `asked` tells whether the option was given, `set_in` names the settings file that asks for it, if any.
    """
    causes = [Cause("--read-only", "omit --read-only")] if asked else []
    if environ.get(VARIABLE, "").strip().casefold() not in _OFF:
        causes.append(Cause(VARIABLE, f"unset {VARIABLE}"))
    if set_in:
        causes.append(Cause(set_in, f"set read_only = false in {set_in}"))
    return ReadOnly(tuple(causes))
