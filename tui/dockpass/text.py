"""The one door for text from outside: registry, engine, environment and files.

Everything that a person may see passes `clean` or `clean_lines` where it enters the program, so that
no escape sequence, control or bidirectional override ever reaches a terminal.
"""

from __future__ import annotations

import re

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"

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
_LINE_ENDS = re.compile(r"\r\n|\n|\r")


def clean(text: str, limit: int = 4096) -> str:
    """Return `text` as one inert line of at most `limit` characters; idempotent."""
    shown = text[: limit * 4].expandtabs(4) if "\t" in text else text[: limit * 4]
    if not shown.isprintable():
        shown = _UNSEEN.sub(REPLACEMENT, _SEQUENCES.sub("", shown))
    if len(shown) > limit or len(text) > limit * 4:
        return shown[: limit - 1] + "…"
    return shown


def clean_lines(text: str, limit: int = 4096) -> list[str]:
    """Split `text` at line ends and clean each line, so that an open sequence eats one line only."""
    lines = _LINE_ENDS.split(text)
    if lines and not lines[-1]:
        lines.pop()
    return [clean(line, limit) for line in lines]


def clean_bytes(raw: bytes, limit: int = 4096) -> str:
    """Decode UTF-8 leniently and clean the result."""
    return clean(raw[: limit * 8].decode("utf-8", "replace"), limit)


def cut(text: str, width: int) -> str:
    """Shorten `text` to `width` characters, the last of which is then `…`."""
    return text if len(text) <= width else text[: max(width - 1, 0)] + "…"


def plural(count: int, one: str, many: str | None = None) -> str:
    """Return `1 tag`, `2 tags`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"
