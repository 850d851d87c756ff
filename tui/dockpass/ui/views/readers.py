"""The readers of docker's config: who finds which login for a registry, side by side, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from dockpass.auth.facts import Facts
from dockpass.dockerconfig.readers.compare import disagreements, identity
from dockpass.dockerconfig.readers.model import Candidate, Reading, SecretKind, Verdict
from dockpass.dockerconfig.readers.situation import Target
from dockpass.dockerconfig.readers.words import (
    MARKS,
    NAMING_VARIABLES,
    verdict_short,
    verdict_words,
    who,
)
from dockpass.marks import GLYPH_DONE, GLYPH_FAILED, GLYPH_LOOK, GLYPH_NOW
from dockpass.text import plural
from dockpass.ui.views.words import WIDE, Line, Span, cell, cells, fitted, from_home, hanging

READER_WIDTH = 16
NARROWEST_SOURCE = 8

_ROLES: dict[Verdict, str] = {
    Verdict.LOGIN: "good",
    Verdict.ANONYMOUS: "label",
    Verdict.FAILS: "bad",
    Verdict.CHANCE: "look",
    Verdict.UNDECIDED: "look",
}


@dataclass(frozen=True, slots=True)
class RegistryReadings:
    """What the readers make of one registry, and whether their helpers were asked."""

    target: Target
    readings: tuple[Reading, ...]
    asked: bool = False

    @property
    def sentences(self) -> tuple[str, ...]:
        """Where the readers disagree."""
        return disagreements(self.readings)

    @property
    def waits_for_helpers(self) -> bool:
        """Whether asking helpers would decide something."""
        return any(
            reading.verdict is Verdict.UNDECIDED
            and any(found.secret_kind is SecretKind.HELPER for found in reading.candidates)
            for reading in self.readings
        )


def registry_row(found: RegistryReadings, width: int) -> Line:
    """Return one row of the registries: a mark where the readers disagree or wait."""
    mark: Span = (f"{GLYPH_DONE} ", "good")
    if found.sentences:
        mark = (f"{GLYPH_LOOK} ", "look")
    elif any(reading.verdict in {Verdict.UNDECIDED, Verdict.CHANCE} for reading in found.readings):
        mark = (f"{GLYPH_LOOK} ", "label")
    return (mark, (fitted(found.target.shown, max(width - 2, 8)), "text"))


def reader_row(reading: Reading, readings: Sequence[Reading], home: str, width: int) -> Line:
    """Return one row of the readers; what differs from the newest docker is in the colour of a look."""
    glyph, role = MARKS[reading.verdict], _ROLES[reading.verdict]
    same = identity(reading) == identity(_reference(readings))
    if reading.verdict is Verdict.LOGIN and not same:
        role = "look"
    words = "text" if reading.verdict is Verdict.LOGIN and same else role
    user = min(max(cells(verdict_short(each)) for each in readings), 24)
    source = reading.winner.source if reading.winner else ""
    room = width - READER_WIDTH - user - 5
    head: Line = ((f"{glyph} ", role), (cell(reading.reader.short, READER_WIDTH) + " ", "strong"))
    if room < NARROWEST_SOURCE:
        return (*head, (verdict_short(reading), words))
    return (
        *head,
        (cell(verdict_short(reading), user) + "  ", words),
        (fitted(from_home(source, home), room), "label"),
    )


def _reference(readings: Sequence[Reading]) -> Reading:
    """Return the reading of the newest docker, with which the others are compared."""
    return readings[1] if len(readings) > 1 else readings[0]


def disagreement_title(found: RegistryReadings) -> str:
    """Return `Agreement` only where every reader has decided, and all alike."""
    open_ones = any(reading.verdict is Verdict.UNDECIDED for reading in found.readings)
    return "Disagreements" if found.sentences or open_ones else "Agreement"


def disagreement_lines(found: RegistryReadings, home: str, width: int) -> list[Line]:
    """Return where the readers disagree, or what they agree in; then what waits for a helper."""
    lines: list[Line] = []
    for sentence in found.sentences:
        lines += hanging(
            ((f"{GLYPH_LOOK} ", "look"),), from_home(_capital(sentence), home) + ".", "text", width
        )
    waiting = [reading for reading in found.readings if reading.verdict is Verdict.UNDECIDED]
    if not lines and not waiting:
        words = from_home(verdict_words(_reference(found.readings)), home)
        lines.append(((f"{GLYPH_DONE} ", "good"), (f"All readers agree: each {words}.", "text")))
    if waiting:
        names = ", ".join(reading.reader.short for reading in waiting)
        all_of_them = "All readers" if len(waiting) == len(found.readings) else names
        verb = "depends" if len(waiting) == 1 else "depend"
        what = "a credential helper, which was not asked" if found.waits_for_helpers else "an unread file"
        lines += hanging(((f"{GLYPH_LOOK} ", "label"),), f"{all_of_them} {verb} on {what}.", "label", width)
    return lines


def unknown_lines(facts: Facts, width: int) -> list[Line]:
    """Return for which variables the readers are shown as if they were not set, for want of a value."""
    return [
        line
        for name in NAMING_VARIABLES
        if facts.unknown(name)
        for line in hanging(
            ((f"{GLYPH_LOOK} ", "look"),),
            f"The value of {name} is not known here; it is read as not set.",
            "text",
            width,
        )
    ]


def candidate_lines(reading: Reading, home: str, width: int) -> list[Line]:
    """Return what a reader looks at, in its order, each with the reason; then what is odd there."""
    lines: list[Line] = []
    columns = (
        min(max((cells(from_home(found.source, home)) for found in reading.candidates), default=0), 44),
        min(max((cells(_login(found)) for found in reading.candidates), default=0), 24),
    )
    for found in reading.candidates:
        lines += _candidate_lines(found, reading, home, width, columns)
    if not lines:
        lines.append((("This reader has nothing to look at.", "label"),))
    if reading.findings:
        lines += [(), (("Notice", "heading"),)]
        for finding in reading.findings:
            lines += hanging(((f"{GLYPH_LOOK} ", "look"),), from_home(finding.message, home), "text", width)
            lines += hanging((("  ", "text"),), from_home(finding.hint, home), "label", width)
    return lines


def _candidate_lines(
    found: Candidate, reading: Reading, home: str, width: int, columns: tuple[int, int]
) -> list[Line]:
    mark, role, words = GLYPH_FAILED, "absent", "label"
    if found.accepted:
        mark, role, words = GLYPH_NOW, _ROLES[reading.verdict], "text"
    elif found.secret_kind is SecretKind.HELPER:
        mark, role, words = GLYPH_LOOK, "label", "label"
    evidence = f" ({from_home(found.evidence, home)})" if found.evidence else ""
    because = f"{found.because}{evidence}"
    source = (cell(from_home(found.source, home), columns[0]) + "  ", "text" if found.accepted else "label")
    if width < WIDE:
        head: Line = ((f"{mark} ", role), source, (_login(found), words))
        return [head, *hanging((("    ", "text"),), because, words, width)]
    login: Span = (cell(_login(found), columns[1]) + "  " if columns[1] else "", words)
    return hanging(((f"{mark} ", role), source, login), because, words, width)


def _login(found: Candidate) -> str:
    return "" if found.secret_kind in {SecretKind.NONE, SecretKind.HELPER} else who(found)


def readers_title(reading: Reading) -> str:
    """Return the title of what one reader looks at."""
    return f"{reading.reader.label} · {reading.registry}"


def count_words(found: RegistryReadings) -> str:
    """Return how many logins the readers would use, for the corner of their panel."""
    logins = {identity(reading) for reading in found.readings if reading.verdict is Verdict.LOGIN}
    return plural(len(logins), "login") if logins else "no login"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
