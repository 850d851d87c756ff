"""A command line as a person types it on the screen: words, without a shell that reads them. Pure."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

from dockpass.text import clean

_QUOTED = re.compile(r"""\\.|'[^']*'|"((?:\\.|[^"\\])*)\"""")
_OPERATOR = re.compile(r"[|&;<>]+")
_EXPANDED = re.compile(r"\$[A-Za-z_{(][A-Za-z0-9_]*|`")
_HOME = re.compile(r"(?:^|(?<=\s))~")
_PATTERN = re.compile(r"[*?]")


@dataclass(frozen=True, slots=True)
class TypedLine:
    """`problem` says why the line gives no `words`; `note` what in it a shell would read otherwise."""

    words: tuple[str, ...]
    problem: str = ""
    note: str = ""


def typed_line(text: str) -> TypedLine:
    """Return the words of a line; quotes and backslashes hold words together, as in a shell."""
    if not text.isprintable():
        return TypedLine((), "The line holds a control character.")
    try:
        words = tuple(shlex.split(text))
    except ValueError:
        return TypedLine((), "A quote is not closed, or a backslash ends the line.")
    if not words:
        return TypedLine(())
    if not words[0]:
        return TypedLine((), "The name of the program is empty.")
    return TypedLine(words, note=_of_shell(text))


def _of_shell(text: str) -> str:
    """Return what is said of the first thing that only a shell would act on; empty if there is nothing."""
    bare = _QUOTED.sub("''", text)
    expanded = _QUOTED.sub(lambda quoted: re.sub(r"\\.", "", quoted[1] or ""), text)
    searches = ((_OPERATOR, bare), (_EXPANDED, expanded), (_HOME, bare), (_PATTERN, bare))
    found = next((match for pattern, where in searches if (match := pattern.search(where))), None)
    if found is None:
        return ""
    shown = clean(found[0], 40)
    return f"No shell reads this line, so {shown} is passed on as it is. Use sh -c '…' for that."
