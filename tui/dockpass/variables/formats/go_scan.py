"""What the Go readers of `.env` files share: where a statement begins, its key, and blanks."""

from __future__ import annotations

import re

from dockpass.variables.formats.docker import GO_SPACE

BLANKS = "\t\v\f\r \x85\xa0"


def skip_to_statement(text: str, at: int) -> int:
    """Return where the next statement begins, past blanks and comments; the length where there is none."""
    while at < len(text):
        if text[at] in GO_SPACE:
            at += 1
        elif text[at] == "#":
            at = line_end(text, at)
        else:
            break
    return at


def line_end(text: str, at: int) -> int:
    """Return where the line ends: at its line feed, or at the end of the text."""
    end = text.find("\n", at)
    return len(text) if end < 0 else end


def skip_blanks(text: str, at: int) -> int:
    """Return the first position that holds no blank; a line end is none."""
    while at < len(text) and text[at] in BLANKS:
        at += 1
    return at


def without_export(text: str, at: int) -> int:
    """Return where the key begins, past an `export` and the blanks after it."""
    found = re.compile("export[\t\v\f\r \x85\xa0]+").match(text, at)
    return found.end() if found else at


def key_end(text: str, at: int, more: str, ends: str) -> int:
    """Return where a key ends, at one of `ends`; -1 where something stands in it that may not."""
    while at < len(text) and text[at] not in ends:
        letter = text[at]
        if not (letter.isalpha() or letter.isnumeric() or letter in more or letter in BLANKS):
            return -1
        at += 1
    return at
