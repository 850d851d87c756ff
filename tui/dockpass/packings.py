"""Bytes in a text: Base64, Base32, hexadecimal and numbers, as headers, dumps and debuggers print them."""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from itertools import product

_HEX = "[0-9A-Fa-f]"
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{11,}")
_BASE16_FROM = 16
_BASE16 = re.compile(rf"{_HEX}{{{_BASE16_FROM},}}")
_GROUPS = re.compile(
    rf"(?<![0-9A-Za-z])(?:{_HEX}{_HEX}){{1,8}}(?:[\s:;,.|/_+-]{{1,2}}(?:{_HEX}{_HEX}){{1,8}}(?![0-9A-Za-z])){{3,}}"
)
_NUMBER = rf"(?:(?:0[xX]|[uU]\+){_HEX}{{1,6}}|-?[0-9]{{1,6}})(?!\w)"
_NO_HEX = re.compile("[^0-9A-Fa-f]+")
_COMMAS = re.compile(r"(?<![uU])[,;|\s+]+")
_NUMBERS = re.compile(rf"(?<![\w.-]){_NUMBER}(?:[,;|\s+]{{1,8}}{_NUMBER}){{7,}}")
_OCTAL = re.compile(r"[0-3][0-7]{2}(?:\s+[0-3][0-7]{2})+|[01][0-7]{5}(?:\s+[01][0-7]{5})+")
_OFFSET = re.compile(rf"{_HEX}{{4,16}}(?::[ \t]{{1,2}}|[ \t]{{2}})")
_COLUMN = re.compile(r"[ \t]{1,60}[|>*]?")
_LETTER = r"   [!-~]|  \\[0abtnvfr]| [0-3][0-7]{2}"
_CONTROLS = {"0": "\0", "a": "\a", "b": "\b", "t": "\t", "n": "\n", "v": "\v", "f": "\f", "r": "\r"}
_LETTERS = re.compile(rf"(?:{_LETTER})(?:{_LETTER}|    ){{7,}}")
_DIGEST_FROM = 32  # Base64 as long as this without any other letter is next to impossible
_BASE32_TOKEN = re.compile(  # none of those in which all could be hexadecimal
    rf"(?<![A-Za-z0-9])(?={_HEX}*[G-Zg-z])(?:[A-Z0-9]{{13,}}|[a-z0-9]{{13,}})(?![A-Za-z0-9])"
)
_VALUES = "0123456789abcdefghijklmnopqrstuv"
_BASE32 = str.maketrans("abcdefghijklmnopqrstuvwxyz2345670189", _VALUES + "!!!!")
_STANDARD = str.maketrans("-_", "+/")
# A quick look for either: `h` stands for a hexadecimal digit (or the x of 0x), a blank for what separates.
_DIGITS = b"0123456789ABCDEFabcdefXxUu"
_KINDS = bytes(
    0x68 if code in _DIGITS else 0x20 if code in b" \t\r\n:;,.|/_+-" else 0x7C for code in range(256)
)
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


def packed(text: str) -> bytes:
    """Return what the Base64, hexadecimal and numbers in a text hold, in one piece: quick, without places."""
    held = [raw for _, _, raw in _separated(text)] if _has_several(text) else []
    if "   " in text:
        held += [raw for _, _, raw in _lettered(text)]
    tokens = _BASE64.findall(text)
    if not tokens:
        return _BETWEEN.join(held)
    base64: list[str] = []
    for token in _BASE32_TOKEN.findall(text):
        held += _from_base32(token)
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


def unpacked(text: str) -> Iterator[tuple[int, int, bytes]]:
    """Yield spans and bytes; where a token begins cannot be seen, so each position of four is tried."""
    if _has_several(text):
        yield from _separated(text)
    if "   " in text:
        yield from _lettered(text)
    for match in _BASE32_TOKEN.finditer(text):
        for raw in _from_base32(match[0]):
            yield match.start(), _PADDING.match(text, match.end()).end(), raw  # type: ignore[union-attr]
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
        yield from _dumped(match)
    for match in _NUMBERS.finditer(text):
        codes = [int(found.lstrip("uU+"), _base(found)) for found in _COMMAS.split(match[0])]
        if all(-0x80 <= code <= 0xFF for code in codes):
            yield *match.span(), bytes(code & 0xFF for code in codes)
        else:
            letters = (chr(code) for code in codes if 0 <= code < 0x110000)
            yield *match.span(), "".join(letters).encode("utf-8", "surrogatepass")
        if _OCTAL.fullmatch(match[0]):
            numbers = match[0].split()
            size = len(numbers[0]) // 3
            yield *match.span(), b"".join(int(found, 8).to_bytes(size, "little") for found in numbers)


def _base(number: str) -> int:
    return 16 if number[:1] in "uU" or "x" in number.lower() else 10


def _dumped(match: re.Match[str]) -> Iterator[tuple[int, int, bytes]]:
    """Yield what a line of hexadecimal holds, with and without the place that a dump writes in front of it.

    `xxd` and `hexdump -C` write the same bytes once more as letters behind two blanks, where these may look
    like more of it; `hexdump` and `od -x` turn the bytes of each word.
    """
    start, text = match.start(), match.string
    place = _OFFSET.match(match[0])
    begins = {start, start + place.end() if place else start}
    ends = {match.end(), start + len(match[0].rpartition("  ")[0] or match[0])}
    for begin, end in product(begins, ends):
        shown = text[begin:end]
        raw = bytes.fromhex(_NO_HEX.sub("", shown))
        yield start, _end_of_column(text, end, raw), raw
        groups = _NO_HEX.split(shown)
        if len(groups[0]) > 2 and len({*map(len, groups[:-1])}) == 1:
            yield start, end, b"".join(bytes.fromhex(group)[::-1] for group in groups)


def _end_of_column(text: str, end: int, raw: bytes) -> int:
    """Return where the letters end that a dump writes behind the bytes; `end` where there are none."""
    column = _COLUMN.match(text, end)
    if not column:
        return end
    letters = "".join(chr(code) if 0x20 <= code < 0x7F else "." for code in raw[-32:])
    for count in range(len(letters), 3, -1):
        if text.startswith(letters[-count:], column.end()):
            return column.end() + count
    return end


def _lettered(text: str) -> Iterator[tuple[int, int, bytes]]:
    """Yield spans and bytes of letters that stand in columns four wide, as `od -c` writes them."""
    for match in _LETTERS.finditer(text):
        fields = (match[0][at : at + 4].strip(" ") or " " for at in range(0, len(match[0]), 4))
        yield *match.span(), b"".join(map(_byte_of, fields))


def _byte_of(field: str) -> bytes:
    if len(field) == 3:
        return bytes((int(field, 8),))
    return (_CONTROLS[field[1]] if len(field) == 2 else field).encode()


def _from_base32(token: str) -> Iterator[bytes]:
    """Yield the whole bytes that Base32 holds in either alphabet, wherever in a byte it begins."""
    for digits in (token.lower().translate(_BASE32), token):
        try:
            value = int(digits, 32)
        except ValueError:
            continue  # it is of the other alphabet
        for shift in range(8):
            size = (len(token) * 5 - shift) // 8
            yield (value >> shift & (1 << size * 8) - 1).to_bytes(size)


def _from_base16(digits: str) -> Iterator[bytes]:
    for phase in range(2):
        yield binascii.unhexlify(digits[phase : phase + ((len(digits) - phase) & ~1)])
