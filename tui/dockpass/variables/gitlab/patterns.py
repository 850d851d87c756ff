"""The regular expressions of rules: RE2's, tried with Python's where both mean the same.

GitLab evaluates them with RE2. A pattern that RE2 would refuse is an error as there; one that Python's
matcher might read differently, or that could keep it busy, gives an outcome that is not known.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from math import comb

_FORM = re.compile(r"/(?P<pattern>.*)/(?P<flags>[ismU]*)", re.DOTALL)
_WHOLE = re.compile(r"/(?:[^/]|\\/)+[^\\]/[ismU]*")
_NOT_RE2 = re.compile(r"\(\?(?:=|!|<=|<!|>|#|P=|P>|R|\d)|[*+?}]\+")
_NO_ESCAPE = re.compile(r"\\[1-9Z]")
_RE2_ONLY = re.compile(r"\\[pPQEzCR]|\\x\{|\[\[:|\(\?[a-z]*U|\(\?<[a-zA-Z]|\{,|(?<!^)\(\?[a-z-]+\)")
_PLAIN = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)
_HEAD = re.compile(r"\(\?(?:P?<\w+>|[a-z-]*:)")
_REPEAT = re.compile(r"[*+]|\{\d*,\d*\}")
_OPTION = re.compile(r"(?<![*+?}])\?")
_INNERMOST = re.compile(r"\((?P<inside>[^()]*)\)(?P<repeat>[*+{])?")
LONGEST = 2000
MOST_STEPS = 100_000_000
"""How many ways to match a text are tried at the most: Python's matcher goes back, where RE2's does not."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """A `/pattern/flags`; `error` where RE2 would refuse it, `compiled` None where it is not tried here.

    It has `repeats` parts of any length, and `branches` ways to choose between alternatives.
    """

    text: str
    error: str = ""
    compiled: re.Pattern[str] | None = field(default=None, compare=False, repr=False)
    repeats: int = 0
    branches: int = 1

    def search(self, text: str) -> bool | None:
        """Tell whether it matches anywhere; None where that cannot be told here."""
        if self.compiled is None or self.branches * comb(len(text) + self.repeats, self.repeats) > MOST_STEPS:
            return None
        return bool(self.compiled.search(text))


@lru_cache(maxsize=512)
def read_pattern(text: str) -> Pattern | None:
    """Read `/pattern/flags`; None for a text that is none."""
    if not _WHOLE.match(text):
        return None
    form = _FORM.fullmatch(text.replace("\\/", "/"))
    if form is None:
        return None
    return compiled_pattern(form["pattern"], form["flags"], text)


def compiled_pattern(pattern: str, flags: str = "", text: str = "") -> Pattern:
    """Return an RE2 pattern without slashes; `text` is how it was written."""
    text = text or pattern
    plain = _PLAIN.sub("x", pattern)
    escapes = (each[0] for each in _PLAIN.finditer(pattern))
    if _NOT_RE2.search(plain) or any(map(_NO_ESCAPE.match, escapes)):
        return Pattern(text, "it is not an RE2 pattern")
    ways = _ways(plain)
    if _RE2_ONLY.search(pattern) or "U" in flags or len(text) > LONGEST or ways is None:
        return Pattern(text)
    repeats, branches = ways
    options = sum(option for letter, option in _FLAGS.items() if letter in flags)
    try:
        compiled = re.compile(_as_python(pattern, flags), options | re.ASCII)
    except (re.error, ValueError, OverflowError, RecursionError) as error:
        return Pattern(text, str(error))
    return Pattern(text, compiled=compiled, repeats=repeats, branches=branches)


def _ways(plain: str) -> tuple[int, int] | None:
    """Return how many repeats a pattern has, and its branches; None where one repeat holds another.

    Escapes and sets are plain characters in it already. A pattern that is not anchored begins anywhere, which
    counts as one more repeat.
    """
    text = _HEAD.sub("(", plain)
    repeats = len(_REPEAT.findall(text)) + (not text.startswith("^"))
    branches = 2 ** len(_OPTION.findall(text))
    while group := _INNERMOST.search(text):
        inside = group["inside"]
        several = "|" in inside or "?" in inside or _REPEAT.search(inside) is not None
        if several and group["repeat"]:
            return None
        branches *= 1 + inside.count("|")
        text = f"{text[: group.start()]}{'x+' if several else 'x'}{text[group.end('inside') + 1 :]}"
    return repeats, branches * (1 + text.count("|"))


_FLAGS = {"i": re.IGNORECASE, "s": re.DOTALL, "m": re.MULTILINE}


def _as_python(pattern: str, flags: str) -> str:
    """RE2's `$` without `m` is the very end of the text; Python's also matches before a last line end."""
    if "m" in flags:
        return pattern
    return re.sub(r"(\\.|\[\^?\]?(?:\\.|[^\]\\])*\])|\$", lambda match: match[1] or r"\Z", pattern)
