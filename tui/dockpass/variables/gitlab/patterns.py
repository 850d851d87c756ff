"""The regular expressions of rules: RE2's, tried with Python's where both mean the same.

GitLab evaluates them with RE2. A pattern that RE2 would refuse is an error as there; one that Python's
matcher might read differently, or that could keep it busy, gives an outcome that is not known.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache

_FORM = re.compile(r"/(?P<pattern>.*)/(?P<flags>[ismU]*)", re.DOTALL)
_WHOLE = re.compile(r"/(?:[^/]|\\/)+[^\\]/[ismU]*")
_NOT_RE2 = re.compile(r"\(\?(?:=|!|<=|<!|>|#|P=|P>|R|\d)|\\[1-9]|\\Z|(?<!\\)[*+?}]\+")
_RE2_ONLY = re.compile(r"\\[pPQEzCR]|\\x\{|\[\[:|\(\?[a-z]*U|\(\?<[a-zA-Z]|\{,|(?<!^)\(\?[a-z-]+\)")
_NESTED_REPEAT = re.compile(r"\([^()]*[*+{][^()]*\)[*+{]|\([^()]*\|[^()]*\)[*+{]")
LONGEST = 2000


@dataclass(frozen=True, slots=True)
class Pattern:
    """A `/pattern/flags`; `error` where RE2 would refuse it, `compiled` None where it is not tried here."""

    text: str
    error: str = ""
    compiled: re.Pattern[str] | None = field(default=None, compare=False, repr=False)

    def search(self, text: str) -> bool | None:
        """Tell whether it matches anywhere; None where that cannot be told here."""
        return None if self.compiled is None else bool(self.compiled.search(text))


@lru_cache(maxsize=512)
def read_pattern(text: str) -> Pattern | None:
    """Read `/pattern/flags`; None for a text that is none."""
    if not _WHOLE.match(text):
        return None
    form = _FORM.fullmatch(text.replace("\\/", "/"))
    if form is None:
        return None
    pattern, flags = form["pattern"], form["flags"]
    if _NOT_RE2.search(pattern):
        return Pattern(text, "it is no RE2 pattern")
    if _RE2_ONLY.search(pattern) or "U" in flags or len(text) > LONGEST or _NESTED_REPEAT.search(pattern):
        return Pattern(text)
    options = sum(option for letter, option in _FLAGS.items() if letter in flags)
    try:
        return Pattern(text, compiled=re.compile(_as_python(pattern, flags), options | re.ASCII))
    except (re.error, ValueError, OverflowError, RecursionError) as error:
        return Pattern(text, str(error))


_FLAGS = {"i": re.IGNORECASE, "s": re.DOTALL, "m": re.MULTILINE}


def _as_python(pattern: str, flags: str) -> str:
    """RE2's `$` without `m` is the very end of the text; Python's also matches before a last line end."""
    if "m" in flags:
        return pattern
    return re.sub(r"(\\.|\[\^?\]?(?:\\.|[^\]\\])*\])|\$", lambda match: match[1] or r"\Z", pattern)
