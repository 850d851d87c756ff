"""Lines that were typed or used on the screen, kept for the next time; none that may hold a secret."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from dockpass.keeping import keep
from dockpass.secret_names import is_secret_name
from dockpass.secrets import mask_shapes
from dockpass.text import clean
from dockpass.variables.token_kind import looks_secret

MOST = 50
PROGRAMS = "programs"
"""The file of command lines."""
_LONGEST = 1000
_LARGEST = 1 << 17
_BETWEEN = re.compile(r"[\s'\"=,;|&<>(){}]+")
_CREDENTIALS = frozenset({"creds", "src_creds", "dest_creds", "authorization", "bearer", "basic", "header"})
_PASSWORD_OF_LOGIN = re.compile(r"\blogin\b.*\s-[A-Za-z]*p|\s-p\S*.*\blogin\b")
_HEADER = re.compile(r"\bcurl\b.*\s-[A-Za-z]*[uH]|\bwget\b.*\s--header")


class History:
    """The lines, the youngest first, in a file of the state directory."""

    def __init__(self, state: Path, name: str = PROGRAMS) -> None:
        """`name` is that of the file."""
        self._path = state / name

    def lines(self) -> tuple[str, ...]:
        """Return what is kept; nothing where it cannot be read."""
        try:
            with self._path.open("rb") as file:
                text = file.read(_LARGEST).decode("utf-8", "replace")
        except (OSError, ValueError):
            return ()
        found = (clean(line, _LONGEST) for line in text.splitlines())
        return tuple(dict.fromkeys(line for line in found if line.strip()))[:MOST]

    def remember(self, line: str, redact: Callable[[str], str]) -> bool:
        """Keep a line; tell whether it was, which it is not where it may hold a secret.

        `redact` masks the secrets that are known. Raises `OSError` where the file cannot be written.
        """
        line = line.strip()
        if not line.isprintable() or len(line) > _LONGEST or redact(line) != line or may_hold_secret(line):
            return False
        kept = dict.fromkeys((line, *self.lines()))
        keep(self._path, "".join(f"{each}\n" for each in list(kept)[:MOST]).encode("utf-8", "replace"))
        return True


def may_hold_secret(line: str) -> bool:
    """Tell whether a line may name a password or a token that nobody here knows: rather once too often."""
    if mask_shapes(line) != line or _PASSWORD_OF_LOGIN.search(line) or _HEADER.search(line):
        return True
    for word in _BETWEEN.split(line):
        name = word.lstrip("-").replace("-", "_")
        if name.lower() in _CREDENTIALS or (is_secret_name(name) and not word.endswith("-stdin")):
            return True
        if looks_secret(word) or any(looks_secret(part) for part in word.split(":")):
            return True
    return False
