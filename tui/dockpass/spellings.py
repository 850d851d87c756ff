"""The spellings in which programs print a text, undone one layer at a time.

A log, an error or a header rarely holds a value as it is: addresses write `%2f`, JSON `\\u003c` or `\\/`,
web pages `&quot;`, shells `'\\''`, mail `=3D`, headers Base64, keys for one-time codes Base32, debuggers
`[115, 101]` or `73:65`. A `Reading` is the text with one such layer undone, and it knows where in the text
each part of it stands.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from dockpass.packings import unpacked

_HEX = "[0-9A-Fa-f]"
_PERCENT = re.compile(rf"(?:%{_HEX}{{2}})+|(?:%[uU]{_HEX}{{4}})+")
_BACKSLASH = re.compile(
    rf"(?P<bytes>(?:\\[xX]{_HEX}{{2}}|\\[0-3][0-7]{{2}})+)"
    rf"|(?P<units>(?:\\u{_HEX}{{4}})+)"
    rf"|\\(?:[ux]\{{(?P<braced>{_HEX}{{1,6}})\}}|U(?P<long>{_HEX}{{8}})|(?P<other>.))",
    re.DOTALL,
)
_ENTITY = re.compile(r"&(?:#[0-9]{1,12}|#[xX][0-9A-Fa-f]{1,12}|[A-Za-z][A-Za-z0-9]{1,30});?")
_QUOTES = re.compile(r"""'\\''|'"'"'|''|\"\"""")
_QUOTED_PRINTABLE = re.compile(
    rf"(?:=(?!00){_HEX}{{2}})+|=[ \t]*[\r\n\ufffd]+"  # a `=` at its end continues a line
    r"|=\?[\w-]{1,40}\?[qQ]\?(?P<word>[!->@-~]{1,400})\?="
)
_FOLD = re.compile(r"(?<=\S)[\r\n\ufffd]+[ \t]*(?=\S)")
_FILLING = re.compile("[\0\ufffd]+")  # UTF-16 that was read as bytes, and what `text.inert` makes of it
_SPELLED = re.compile(rf"[%=][uU]?{_HEX}{{2}}|\\|&[#A-Za-z]|''|\"\"|'\"'|=\?")

_NAMED = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", "v": "\v", "a": "\a", "e": "\x1b", "0": "\0"}


@dataclass(frozen=True, slots=True)
class Reading:
    """A text, and where its pieces stand in the one that it was read from.

    `starts` are the pieces' positions here; `origins` their spans there, with whether they stand there
    letter by letter.
    """

    text: str
    parent: Reading | None = None
    starts: tuple[int, ...] = ()
    origins: tuple[tuple[int, int, bool], ...] = ()

    @property
    def is_packed(self) -> bool:
        """Whether the whole of it was decoded from one token, which may be one of several lines."""
        return len(self.origins) == 1 and not self.origins[0][2]

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Return where the characters from `start` to `end` stand in the text that all began with."""
        if self.parent is None:
            return start, end
        first = bisect_right(self.starts, start) - 1
        last = bisect_right(self.starts, max(end - 1, start)) - 1
        begin, _, literal = self.origins[first]
        if literal:
            begin += start - self.starts[first]
        there, finish, literal = self.origins[last]
        if literal:
            finish = there + end - self.starts[last]
        return self.parent.span(begin, finish)


def is_spelled(text: str) -> bool:
    """Tell whether anything in a text looks like an escape of some kind."""
    if "\n" in text or "\r" in text or "\0" in text or "\ufffd" in text:
        return True
    if not (
        "%" in text
        or "\\" in text
        or "=" in text
        or "&" in text
        or "''" in text
        or '""' in text
        or "'\"'" in text
    ):
        return False  # so much faster for the ordinary line
    return _SPELLED.search(text) is not None


def readings(reading: Reading, matters: Callable[[bytes], bool]) -> Iterator[Reading]:
    """Yield the text with one layer undone, in each way that changes it.

    Of what Base64, hexadecimal and lists of numbers hold, only bytes that `matters` tells to be worth a look
    are read.
    """
    text = reading.text
    if is_spelled(text):
        for pattern, undo in _UNDOING:
            if inner := _undone(reading, pattern, undo):
                yield inner
    for start, end, raw in unpacked(text):
        if matters(raw):
            for held in _texts_of(raw):
                yield Reading(held, reading, (0,), ((start, end, False),))


def _undone(
    reading: Reading, pattern: re.Pattern[str], undo: Callable[[re.Match[str]], str]
) -> Reading | None:
    text, pieces = reading.text, []
    starts: list[int] = []
    origins: list[tuple[int, int, bool]] = []
    at = length = 0
    for match in pattern.finditer(text):
        plain = undo(match)
        if plain == match[0]:
            continue
        start, end = match.span()
        for piece, origin in ((text[at:start], (at, start, True)), (plain, (start, end, False))):
            if piece:
                pieces.append(piece)
                starts.append(length)
                origins.append(origin)
                length += len(piece)
        at = end
    if not pieces:
        return None
    if at < len(text):
        pieces.append(text[at:])
        starts.append(length)
        origins.append((at, len(text), True))
    return Reading("".join(pieces), reading, tuple(starts), tuple(origins))


def _percent(match: re.Match[str]) -> str:
    found = match[0]
    if found[1] in "uU":
        return _utf16(found[2:].lower().replace("%u", ""))
    return _text_of(bytes.fromhex(found.replace("%", "")))


def _backslash(match: re.Match[str], *, latin: bool = False) -> str:
    if found := match["bytes"]:
        raw = bytes(
            int(part[1:], 16) if part[0] in "xX" else int(part, 8) for part in found.split("\\") if part
        )
        return raw.decode("latin-1") if latin else _text_of(raw)
    if found := match["units"]:
        return _utf16(found.replace("\\u", ""))
    if found := match["braced"] or match["long"]:
        code = int(found, 16)
        return chr(code) if code < 0x110000 else match[0]
    other = match["other"]
    return _NAMED.get(other, other)


def _latin_backslash(match: re.Match[str]) -> str:
    return _backslash(match, latin=True)  # as Python writes a text, and not its bytes


def _quoted_printable(match: re.Match[str]) -> str:
    if word := match["word"]:
        return _QUOTED_PRINTABLE.sub(_quoted_printable, word.replace("_", " "))
    digits = match[0].replace("=", "").strip(" \t\r\n\ufffd")
    return _text_of(bytes.fromhex(digits))


def _entity(match: re.Match[str]) -> str:
    from html import unescape

    return unescape(match[0])


def _quotes(match: re.Match[str]) -> str:
    return match[0][0]


def _nothing(_: re.Match[str]) -> str:
    return ""


def _utf16(digits: str) -> str:
    return bytes.fromhex(digits).decode("utf-16-be", "surrogatepass")


def _texts_of(raw: bytes) -> Iterator[str]:
    """Yield the text that bytes hold, and what they hold as UTF-16 where NULs make that likely."""
    yield _text_of(raw)
    if raw.count(0) * 4 > len(raw):
        for codec in ("utf-16-le", "utf-16-be"):
            for start in range(2):
                yield raw[start:].decode(codec, "replace")


def _text_of(raw: bytes) -> str:
    """Decode UTF-8, and every byte that is none as Latin-1, which older programs write."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return "".join(
            chr(ord(letter) - 0xDC00) if "\udc80" <= letter <= "\udcff" else letter
            for letter in raw.decode("utf-8", "surrogateescape")
        )


_UNDOING: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], str]], ...] = (
    (_PERCENT, _percent),
    (_BACKSLASH, _backslash),
    (_BACKSLASH, _latin_backslash),
    (_ENTITY, _entity),
    (_QUOTED_PRINTABLE, _quoted_printable),
    (_QUOTES, _quotes),
    (_FOLD, _nothing),
    (_FILLING, _nothing),
)
