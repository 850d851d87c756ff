"""The pieces of which every view is made: lines of spans, each with the role of its text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter

from rich.cells import cell_len

from dockpass.auth.command import Method
from dockpass.auth.rules import rule_of
from dockpass.findings import Severity
from dockpass.text import clean, masked

Span = tuple[str, str]
"""A text and its role: `text`, `strong`, `label`, `absent`, `good`, `look`, `bad`, `accent` or a method."""

Line = tuple[Span, ...]

REVEALED = "revealed"
"""The role of a secret that the person asked to see: the only text that is drawn without a mask."""

PAINTED = "painted "
"""What the role of a text begins with to which a program gave a look: the words of the look follow."""

OF_LEVEL: Mapping[Severity, str] = {
    Severity.ERROR: "bad",
    Severity.WARNING: "look",
    Severity.NOTE: "label",
}
"""The role of each level of a finding."""

WIDE = 100
"""Cells from which a view shows its columns that may be left out."""


def method_role(method: Method) -> str:
    """Return the role of a method: its colour everywhere."""
    return rule_of(method).role


def badge_spans(badges: Sequence[str]) -> Line:
    """Return the words that stand on every screen of a sandbox, and of a session that only reads."""
    return tuple(span for badge in badges for span in (("  ", "text"), (badge, "badge")))


Status = tuple[Line, Line]
"""The left and the right half of a status line."""


def status_title(place: str, detail: str, badges: Sequence[str] = ()) -> Line:
    """Return the left half of a status line: the program, the place, and what it is about."""
    return (
        ("dockpass", "brand"),
        *badge_spans(badges),
        (f"  {place}", "strong"),
        (f"  {detail}" if detail else "", "label"),
    )


def cells(text: str) -> int:
    """Return the cells that a text takes on the terminal: two for each CJK character, none for an accent."""
    return len(text) if text.isascii() else cell_len(text)


def end_within(text: str, start: int, room: int) -> int:
    """Return where the longest part of a text ends that begins at `start` and takes at most `room` cells."""
    if text.isascii():
        return min(start + max(room, 0), len(text))
    at, taken = start, 0
    while at < len(text) and (taken := taken + cell_len(text[at])) <= room:
        at += 1
    return at


def fitted(text: str, width: int) -> str:
    """Shorten `text` to `width` cells, the last of which is then `…`; masked before it is cut."""
    if cells(text) <= width:
        return text
    shown = masked(text)
    if cells(shown) <= width:
        return shown
    return f"{shown[: end_within(shown, 0, width - 1)]}…"


def cell(text: str, width: int) -> str:
    """Return `text` in exactly `width` cells."""
    shown = fitted(text, width)
    return shown + " " * (width - cells(shown))


def end_of(name: str, width: int) -> str:
    """Return the end of a path or of an image's name: what comes before it is often the same in each row."""
    if cells(name) <= width:
        return name
    return f"…{name[len(name) - end_within(name[::-1], 0, width - 1) :]}"


LEAST_INDENT = 4


def hanging(head: Line, text: str, role: str, width: int) -> list[Line]:
    """Return `head` and the text behind it, wrapped so that it stays in its column and no word is broken.

    Where the longest word has no room behind the head, the text stands below it. It is masked before it is
    broken: nobody recognises half a secret.
    """
    text = masked(text)
    indent = length(head)
    longest = max((cells(word) for word in text.split()), default=0)
    below = longest > width - indent and indent > LEAST_INDENT
    if below:
        indent = LEAST_INDENT
    wrapped = _wrapped(text, max(width - indent, 8))
    lines: list[Line] = [head] if below else [(*head, (wrapped[0], role))]
    return [*lines, *(((" " * indent, "text"), (line, role)) for line in wrapped[0 if below else 1 :])]


def _wrapped(text: str, room: int) -> list[str]:
    """Wrap at blanks; only what has no room in a whole line is broken, behind a `/` or `=` if it has one."""
    lines = [""]
    for word in text.split():
        parts = [word] if cells(word) <= room else re.findall(r"[^/=]*[/=]|[^/=]+$", word)
        for number, part in enumerate(parts):
            between = " " if lines[-1] and number == 0 else ""
            if cells(lines[-1] + between + part) <= room:
                lines[-1] += between + part
                continue
            broken = list(pieces(part, room))
            lines += broken if lines[-1] else [lines.pop() + broken[0], *broken[1:]]
    return lines


def pieces(text: str, room: int) -> Iterator[str]:
    """Yield a text in parts of at most `room` cells."""
    start = 0
    while start < len(text):
        end = max(end_within(text, start, room), start + 1)
        yield text[start:end]
        start = end


def without_painted_secret(line: Line) -> Line:
    """Return a line as it is, or without looks where a program painted the parts of a secret one by one."""
    if any(role.startswith(PAINTED) for _, role in line):
        whole = "".join(text for text, _ in line)
        if (shown := masked(whole)) != whole:
            return ((shown, "text"),)
    return line


def wrapped(line: Line, width: int) -> list[Line]:
    """Wrap a line at blanks, each character in its role; what has no blank is broken at the width.

    A line that has to be broken is masked before, as in `hanging`.
    """
    if length(line) > width:
        line = tuple((masked(part), role) for part, role in without_painted_secret(line))
    text = "".join(part for part, _ in line)
    roles = [role for part, role in line for _ in part]
    lines: list[Line] = []
    start = 0
    while width > 0 and cells(text[start:]) > width:
        end = max(end_within(text, start, width), start + 1)
        blank = text.rfind(" ", start, end + 1)
        end = blank if blank > start else end
        lines.append(_spans(text[start:end], roles[start:end]))
        start = end + (1 if blank > start else 0)
    return [*lines, _spans(text[start:], roles[start:])] if lines else [line]


def _spans(text: str, roles: Sequence[str]) -> Line:
    pairs = groupby(zip(text, roles, strict=True), key=itemgetter(1))
    return tuple(("".join(char for char, _ in group), role) for role, group in pairs)


def shorten(text: str, width: int) -> str:
    """Return `text` in at most `width` cells: whole words, then `…`."""
    if cells(text) <= width:
        return text
    kept = text[: end_within(text, 0, width)].rpartition(" ")[0].rstrip(" ,.:;")
    return f"{kept}…" if kept else fitted(text, width)


def filter_words(text: str, shown: int, total: int) -> str:
    """Return what a filter does, for the line of a frame; nothing where there is none."""
    if not text:
        return ""
    found = f"{shown:,} of {total:,}" if shown else "nothing matches"
    return f"/{clean(text, 24)} · {found}, esc clears"


def nothing_matches(text: str) -> list[Line]:
    """Return what stands in a list where nothing holds the text."""
    return [((f"no match for “{clean(text, 40)}”; esc clears the filter", "label"),)] if text else []


def length(line: Sequence[Span]) -> int:
    """Return the cells of a line."""
    return sum([cells(text) for text, _ in line])


def plain(lines: Iterable[Sequence[Span]]) -> list[str]:
    """Return the words of lines without their roles."""
    return ["".join(text for text, _ in line).rstrip() for line in lines]


def from_home(text: str, home: str) -> str:
    """Return a text in which paths in the person's home begin with `~`."""
    if len(home) < 2:
        return text
    return re.sub(rf"(?<![\w./-]){re.escape(home)}(?![\w-]|\.\w)", "~", text)
