"""The one door for text from outside: registry, engine, environment and files.

Everything that a person may see passes `clean` or `clean_lines` where it enters the program, so that
no escape sequence, control or bidirectional override ever reaches a terminal.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

REPLACEMENT = "\ufffd"
LONGEST_LINE = 4096
"""Characters of a line that are shown where nothing else is said."""

_SEQUENCES = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]"  # CSI
    r"|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"  # OSC, DCS, ...
    r"|\x1b[ -/]*[0-~]"  # the other escapes
)
_UNSEEN = re.compile(
    "[\0-\x08\x0a-\x1f\x7f-\x9f"  # C0 without tab, DEL, C1
    "\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"  # unseen, bidi
    "\ud800-\udfff\U000e0000-\U000e007f]"  # lone surrogates, tags
)
_BEYOND = 4096  # how far a text is read beyond what is shown of it, so that a secret in it is whole
_LINE_ENDS = re.compile(r"\r\n|\n|\r")


class _Masking:
    """What masks the secrets of this process in a text that is about to be cut."""

    mask: Callable[..., str] | None = None


def mask_before_cutting(mask: Callable[..., str] | None) -> None:
    """Let `mask` see every text before it is cut: half a secret is one that nobody recognises any more.

    `mask(text, is_cut=…)` is told whether the text ends in the middle of something. The process has one.
    """
    _Masking.mask = mask


def masked(text: str) -> str:
    """Return a text without the secrets of this process: before it is cut, or written in another spelling."""
    return _Masking.mask(text) if _Masking.mask else text


def one_line(text: str, most: int = 8192) -> str:
    """Return the lines of a text as one, joined by blanks, of its first `most` characters.

    It is masked first: a secret that goes over the end of a line would not be recognised any more.
    """
    known = _Masking.mask(text[:most], is_cut=len(text) > most) if _Masking.mask else text[:most]
    return " ".join(filter(None, (line.strip() for line in _LINE_ENDS.split(known))))


def inert(text: str) -> str:
    """Return `text` as one line in which nothing steers a terminal, however long it is."""
    shown = text.expandtabs(4) if "\t" in text else text
    return shown if shown.isprintable() else _UNSEEN.sub(REPLACEMENT, _SEQUENCES.sub("", shown))


def pieces(text: str, limit: int = LONGEST_LINE) -> Iterator[tuple[str, bool]]:
    """Yield what `clean` reads of a text, in pieces: inert text, and between them each sequence as it stands.

    The texts together are what `inert` returns; a sequence is marked by True.
    """
    text = text[: limit * 4 + _BEYOND].expandtabs(4)
    at = 0
    for found in _SEQUENCES.finditer(text):
        yield _UNSEEN.sub(REPLACEMENT, text[at : found.start()]), False
        yield found[0], True
        at = found.end()
    yield _UNSEEN.sub(REPLACEMENT, text[at:]), False


def marked(text: str) -> str:
    """Return `text` with a mark in place of each character that steers a terminal: as long as it was."""
    return text if text.isprintable() else _UNSEEN.sub(REPLACEMENT, text.replace("\t", " "))


def clean(text: str, limit: int = LONGEST_LINE, *, is_cut: bool = False) -> str:
    """Return `text` as one inert line of at most `limit` characters; idempotent.

    What has to be cut is masked first. `is_cut` says that the text was cut already where it came from.
    """
    bound = limit * 4 + _BEYOND
    shown = inert(text[:bound])
    is_cut = is_cut or len(text) > bound
    if len(shown) <= limit and not is_cut:
        return shown
    if _Masking.mask:
        shown = _Masking.mask(shown, is_cut=is_cut)
    return shown[: limit - 1] + "…" if len(shown) > limit or len(text) > bound else shown


def clean_lines(text: str, limit: int = 4096) -> list[str]:
    """Split `text` at line ends and clean each line, so that an open sequence eats one line only."""
    lines = _LINE_ENDS.split(text)
    if lines and not lines[-1]:
        lines.pop()
    return [clean(line, limit) for line in lines]


def clean_bytes(raw: bytes, limit: int = 4096, *, is_cut: bool = False) -> str:
    """Decode UTF-8 leniently and clean the result."""
    bound = limit * 8 + _BEYOND
    return clean(raw[:bound].decode("utf-8", "replace"), limit, is_cut=is_cut or len(raw) > bound)


class Lines:
    """Splits bytes that come in pieces into lines, and keeps at most `longest` bytes and a piece.

    Of a longer line only the beginning is told: in parts, a secret's two halves would be told one by one.
    """

    def __init__(self, longest: int, line_end: bytes = rb"\n") -> None:
        self._longest = longest
        self._line_end = re.compile(line_end)
        self._rest = b""
        self._skipping = False

    def take(self, piece: bytes) -> Iterator[tuple[bytes, bool]]:
        """Yield each line that is whole by now, and whether it was cut."""
        *lines, self._rest = self._line_end.split(self._rest + piece)
        if lines and self._skipping:
            del lines[0]
            self._skipping = False
        for line in lines:
            yield line, False
        if self._skipping:
            self._rest = self._rest[-1:]  # it may be the first byte of a line end
        elif len(self._rest) > self._longest:
            begun, self._rest, self._skipping = self._rest, self._rest[-1:], True
            yield begun, True

    def finish(self) -> Iterator[tuple[bytes, bool]]:
        """Yield what came last without a line end."""
        rest, self._rest = self._rest, b""
        if rest and not self._skipping:
            yield rest, False
        self._skipping = False


def cut(text: str, width: int) -> str:
    """Shorten `text` to `width` characters, the last of which is then `…`; masked before, as in `clean`."""
    if len(text) <= width:
        return text
    shown = masked(text)
    return shown if len(shown) <= width else shown[: max(width - 1, 0)] + "…"


def plural(count: int, one: str, many: str | None = None) -> str:
    """Return `1 tag`, `2 tags`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def sentence(words: str) -> str:
    """Return words with a full stop at their end, unless they are a question."""
    return words if words.endswith("?") else f"{words.rstrip('.')}."
