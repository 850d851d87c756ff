"""The colours of a program's output, kept apart from its text, which is inert.

Only SGR sequences count (ECMA-48, and ISO 8613-6 for 256 and 24-bit colours). A colour becomes the nearest of
seven hues, which each theme shows so that it can be read. Text that blinks or is hidden becomes plain.
"""

from __future__ import annotations

import colorsys
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from dockpass.text import LONGEST_LINE, clean, pieces

Colours = tuple[tuple[int, int, str], ...]
"""Parts of a line with their look: first character, the one behind the last, and words such as `bold red`."""

HUES = ("red", "green", "yellow", "blue", "magenta", "cyan", "grey")
MANNERS = ("bold", "italic", "underline", "strike", "reverse")
MOST_PARTS = 200
"""Parts of one line whose looks are kept; what comes behind them is plain."""

_SGR = re.compile(r"(?:\x1b\[|\x9b)([0-9;:]*)m")
_BASIC = ("", "red", "green", "yellow", "blue", "magenta", "cyan", "")
"""Black and white are the theme's own text: on one of its grounds, either could not be read."""
_ON = {1: "bold", 3: "italic", 4: "underline", 7: "reverse", 9: "strike", 21: "underline"}
_OFF = {22: "bold", 23: "italic", 24: "underline", 27: "reverse", 29: "strike"}
_OF_TEXT, _OF_GROUND, _OF_UNDERLINE = _EXTENDED = (38, 48, 58)
_COLOURS = {
    begin + number: (code, "grey" if bright and number == 0 else hue)
    for begin, code, bright in ((30, 38, False), (90, 38, True), (40, 48, False), (100, 48, True))
    for number, hue in enumerate(_BASIC)
} | {39: (_OF_TEXT, ""), 49: (_OF_GROUND, "")}
"""What each code of a basic colour sets: the text's colour or the ground's, and to which hue."""
_CODES = {
    **dict(zip(HUES, ("31", "32", "33", "34", "35", "36", "90"), strict=True)),
    **dict(zip(MANNERS, ("1", "3", "4", "9", "7"), strict=True)),
}
_LEVELS = (0, 95, 135, 175, 215, 255)
_LEAST_SATURATION = 0.2
_LEAST_VALUE, _LIGHT = 0.15, 0.7


class ColourReader:
    """Reads the lines of one stream; a look lasts until the program ends it, over any number of lines."""

    def __init__(self) -> None:
        self._hue = self._ground = ""
        self._manners: set[str] = set()

    def line(self, text: str, limit: int = LONGEST_LINE, *, is_cut: bool = False) -> tuple[str, Colours]:
        """Return a line as `text.clean` does, and the looks of its parts.

        Of texts that overwrite one another, it is the last, which a terminal would show. One that was cut
        already is plain.
        """
        if is_cut:
            return clean(text.rstrip("\r").rpartition("\r")[2], limit, is_cut=True), ()
        if text.isprintable() and not self._is_painting:  # of these there may be a million
            return clean(text, limit), ()
        overwritten, _, text = text.rstrip("\r").rpartition("\r")
        for sequence in _SGR.findall(overwritten):
            self._apply(_numbers(sequence))
        shown = clean(text, limit)
        found: list[tuple[int, int, str]] = []
        inert = ""
        for piece, is_sequence in pieces(text, limit):
            if is_sequence:
                self._take(piece)
            elif piece:
                start, inert = len(inert), inert + piece
                if (look := self._look) and len(found) < MOST_PARTS:
                    found.append((start, len(inert), look))
        # Where something was masked, nobody can say any more what stood where.
        is_same = shown == inert or (len(inert) > limit and inert.startswith(shown[:-1]))
        return shown, tuple(found) if is_same else ()

    @property
    def _is_painting(self) -> bool:
        return bool(self._hue or self._ground or self._manners)

    @property
    def _look(self) -> str:
        manners = self._manners ^ {"reverse"} if self._ground else self._manners
        hue = self._ground or self._hue
        return " ".join([*(each for each in MANNERS if each in manners), *([hue] if hue else [])])

    def _take(self, sequence: str) -> None:
        if found := _SGR.fullmatch(sequence):
            self._apply(_numbers(found[1]))

    def _apply(self, numbers: list[list[int]]) -> None:
        rest = list(numbers)
        while rest:
            code, *more = rest.pop(0)
            if code in _EXTENDED:
                self._paint(code, _extended(more or _following(rest)))
            elif code in _COLOURS:
                self._paint(*_COLOURS[code])
            elif code == 0:
                self._hue = self._ground = ""
                self._manners.clear()
            elif code in _OFF or (code == 4 and more == [0]):
                self._manners.discard(_OFF.get(code, "underline"))
            elif code in _ON:
                self._manners.add(_ON[code])

    def _paint(self, code: int, hue: str) -> None:
        if code == _OF_TEXT:
            self._hue = hue
        elif code == _OF_GROUND:
            self._ground = hue


def parts(text: str, colours: Colours) -> Iterator[tuple[str, str]]:
    """Yield the parts of a line, each with its look; empty for a plain one."""
    edges = sorted({0, len(text), *(min(at, len(text)) for start, end, _ in colours for at in (start, end))})
    looks = {start: look for start, _, look in colours}
    for start, end in pairwise(edges):
        yield text[start:end], looks.get(start, "")


def for_terminal(text: str, colours: Colours) -> str:
    """Return a line with sequences that give its parts their looks again, each ended behind its part."""
    return "".join(
        f"\x1b[{';'.join(_CODES[word] for word in look.split())}m{part}\x1b[0m" if look else part
        for part, look in parts(text, colours)
    )


def moved(colours: Colours, by: int) -> Colours:
    """Return the colours of a line in front of which something was put."""
    return tuple((start + by, end + by, look) for start, end, look in colours)


def _numbers(parameters: str) -> list[list[int]]:
    """Return the parameters of a sequence, each with its own parts behind colons; none is 0."""
    return [[int(part[:4] or 0) for part in each.split(":")] for each in parameters.split(";")]


def _following(rest: list[list[int]]) -> list[int]:
    """Take what belongs to a 38, 48 or 58 whose parts stand behind semicolons."""
    count = {5: 2, 2: 4}.get(rest[0][0], 1) if rest else 0
    taken = [each[0] for each in rest[:count]]
    del rest[:count]
    return taken


def _extended(numbers: Sequence[int]) -> str:
    match numbers:
        case [5, number]:
            return _of_256(number)
        case [2, red, green, blue] | [2, _, red, green, blue, *_]:
            return _nearest(red, green, blue)
    return ""


def _of_256(number: int) -> str:
    if number < 16:
        return "grey" if number == 8 else _BASIC[number % 8]
    if number < 232:
        red, rest = divmod(number - 16, 36)
        return _nearest(*(_LEVELS[each] for each in (red, rest // 6, rest % 6)))
    level = 8 + 10 * (min(number, 255) - 232)
    return _nearest(level, level, level)


def _nearest(red: int, green: int, blue: int) -> str:
    """Return the hue that is nearest to a colour; none for what is nearly black or white."""
    hue, saturation, value = colorsys.rgb_to_hsv(*(min(each, 255) / 255 for each in (red, green, blue)))
    if value < _LEAST_VALUE:
        return ""
    if saturation < _LEAST_SATURATION:
        return "grey" if value < _LIGHT else ""
    return ("red", "yellow", "green", "cyan", "blue", "magenta")[round(hue * 6) % 6]
