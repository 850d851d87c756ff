"""The spellings in which programs print a text, undone one layer at a time.

A log, an error or a header rarely holds a value as it is: addresses write `%2f`, JSON `\\u003c` or `\\/`,
web pages `&quot;`, shells `'\\''`, headers Base64, debuggers `[115, 101]` or `73:65`. A `Reading` is the text
with one such layer undone, and it knows where in the text each part of it stands.
"""

from __future__ import annotations

import binascii
import re
from bisect import bisect_right
from collections.abc import Callable, Iterator
from dataclasses import dataclass

_HEX = "[0-9A-Fa-f]"
_PERCENT = re.compile(rf"(?:%{_HEX}{{2}})+|(?:%[uU]{_HEX}{{4}})+")
_BACKSLASH = re.compile(
    rf"(?P<bytes>(?:\\x{_HEX}{{2}}|\\[0-3][0-7]{{2}})+)"
    rf"|(?P<units>(?:\\u{_HEX}{{4}})+)"
    rf"|\\(?:u\{{(?P<braced>{_HEX}{{1,6}})\}}|U(?P<long>{_HEX}{{8}})|(?P<other>.))",
    re.DOTALL,
)
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9A-Fa-f]{1,6}|[A-Za-z][A-Za-z0-9]{1,30});?")
_QUOTES = re.compile(r"""'\\''|'"'"'|''|\"\"""")
_FOLD = re.compile(r"(?<=\S)[\r\n\ufffd]+[ \t]*(?=\S)")
_FILLING = re.compile("[\0\ufffd]+")  # UTF-16 that was read as bytes, and what `text.inert` makes of it
_SPELLED = re.compile(rf"%[uU]?{_HEX}{{2}}|\\|&[#A-Za-z]|''|\"\"|'\"'")

_NAMED = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", "v": "\v", "a": "\a", "e": "\x1b", "0": "\0"}

_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{11,}")
_BASE16_FROM = 16
_BASE16 = re.compile(rf"{_HEX}{{{_BASE16_FROM},}}")
_GROUPS = re.compile(
    rf"(?<![0-9A-Za-z])(?:{_HEX}{_HEX}){{1,8}}(?:[\s:,._+-]{{1,2}}(?:{_HEX}{_HEX}){{1,8}}){{3,}}"
)
_NUMBER = rf"(?:0[xX]{_HEX}{{1,2}}|-?[0-9]{{1,6}})"
_NO_HEX = re.compile("[^0-9A-Fa-f]+")
_COMMAS = re.compile(r"[,\s+]+")
_NUMBERS = re.compile(rf"(?<![\w.-]){_NUMBER}(?:[,\s+]{{1,8}}{_NUMBER}){{7,}}")
_DIGEST_FROM = 32  # Base64 as long as this without any other letter is next to impossible
_STANDARD = str.maketrans("-_", "+/")
# A quick look for either: `h` stands for a hexadecimal digit (or the x of 0x), a blank for what separates.
_DIGITS = b"0123456789ABCDEFabcdefXx"
_KINDS = bytes(0x68 if code in _DIGITS else 0x20 if code in b" \t\r\n:,._+-" else 0x7C for code in range(256))
_SEVERAL = re.compile(rb"h +(?:h+ +){2}h")
_BETWEEN = b"\1"
_PADDING = re.compile("=*")
_FILL = ("AAAA", "AAAAAAA", "AAAAAA", "AAAAA")  # zeros up to a whole group of four, and one group more

_ASCII_TEXT = b"\t\n\r" + bytes(range(0x20, 0x7F))
_MARKS = bytes(0x74 if code in _ASCII_TEXT else 0 for code in range(256))
_ASCII_RUN = b"t" * 8
# Of eight letters, one of which is not ASCII, four ASCII ones stand before the first such, or four after it.
_UTF8_HINT = re.compile(
    rb"[\xc2-\xf4](?:(?<=[\t\n\r\x20-\x7e]{4}[\xc2-\xf4])[\x80-\xbf]"
    rb"|[\x80-\xbf]{1,3}(?:[\t\n\r\x20-\x7e]|[\xc2-\xf4][\x80-\xbf]{1,3}){4})"
)
_UTF8_RUN = re.compile(rb"(?:[\t\n\r\x20-\x7e]|[\xc2-\xf4][\x80-\xbf]{1,3}){8}")


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
    if not ("%" in text or "\\" in text or "&" in text or "''" in text or '""' in text or "'\"'" in text):
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
    for start, end, raw in _packed(text):
        if matters(raw):
            for held in _texts_of(raw):
                yield Reading(held, reading, (0,), ((start, end, False),))


def packed(text: str) -> bytes:
    """Return what the Base64, hexadecimal and numbers in a text hold, in one piece: quick, without places."""
    held = [raw for _, _, raw in _separated(text)] if _has_several(text) else []
    tokens = _BASE64.findall(text)
    if not tokens:
        return _BETWEEN.join(held)
    base64: list[str] = []
    for token in tokens:
        if len(token) >= _BASE16_FROM and (found := _BASE16.findall(token)):
            held += [raw for digits in found for raw in _from_base16(digits)]
            if len(found[0]) == len(token) >= _DIGEST_FROM:
                continue
        base64 += token, _FILL[len(token) & 3]
    if base64:
        joined = "".join((*base64, "AAAA")).translate(_STANDARD)
        held += [binascii.a2b_base64(joined[phase : phase - 4]) for phase in range(4)]
    return _BETWEEN.join(held)


def holds_text(raw: bytes, *, ascii_only: bool) -> bool:
    """Tell whether eight characters of text stand together in `raw`; random bytes hardly ever have them.

    NULs, as UTF-16 has them, are to be taken out before.
    """
    if _ASCII_RUN in raw.translate(_MARKS):
        return True
    return not ascii_only and bool(_UTF8_HINT.search(raw) and _UTF8_RUN.search(raw))


def _packed(text: str) -> Iterator[tuple[int, int, bytes]]:
    """Yield spans and bytes; where a token begins cannot be seen, so each position of four is tried."""
    if _has_several(text):
        yield from _separated(text)
    for match in _BASE64.finditer(text):
        token = match[0]
        start, end = match.span()
        for inner in _BASE16.finditer(token) if len(token) >= _BASE16_FROM else ():
            for raw in _from_base16(inner[0]):
                yield start + inner.start(), start + inner.end(), raw
        end += len(_PADDING.match(text, end)[0])  # type: ignore[index]
        token = token.translate(_STANDARD)
        for phase in range(4):
            part = token[phase:]
            if rest := len(part) % 4:
                part = part[:-1] if rest == 1 else part + "=" * (4 - rest)
            yield start, end, binascii.a2b_base64(part)


def _has_several(text: str) -> bool:
    return _SEVERAL.search(text.encode("ascii", "replace").translate(_KINDS)) is not None


def _separated(text: str) -> Iterator[tuple[int, int, bytes]]:
    """Yield spans and bytes of hexadecimal in groups (`73:65`, `7365 6372`) and of lists of numbers."""
    for match in _GROUPS.finditer(text):
        yield *match.span(), bytes.fromhex(_NO_HEX.sub("", match[0]))
    for match in _NUMBERS.finditer(text):
        codes = [int(found, 16 if "x" in found.lower() else 10) for found in _COMMAS.split(match[0])]
        if all(-0x80 <= code <= 0xFF for code in codes):
            yield *match.span(), bytes(code & 0xFF for code in codes)
        else:
            letters = (chr(code) for code in codes if 0 <= code < 0x110000)
            yield *match.span(), "".join(letters).encode("utf-8", "surrogatepass")


def _from_base16(digits: str) -> Iterator[bytes]:
    for phase in range(2):
        yield binascii.unhexlify(digits[phase : phase + ((len(digits) - phase) & ~1)])


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
            int(part[1:], 16) if part[0] == "x" else int(part, 8) for part in found.split("\\") if part
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
    (_QUOTES, _quotes),
    (_FOLD, _nothing),
    (_FILLING, _nothing),
)
