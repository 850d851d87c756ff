"""What a key of a scenario's file may hold: a text, a choice, a list, a table; and what is said of all else.

No value of the file is repeated in a message: what was typed in the wrong place may be a secret.
"""

from __future__ import annotations

import datetime
import difflib
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from dockpass.findings import Finding, Severity
from dockpass.secret_names import is_secret_name
from dockpass.secrets import MASK
from dockpass.text import clean
from dockpass.tomllines import Path, line_at
from dockpass.variables.token_kind import looks_secret

_LONGEST = 4096


@dataclass(frozen=True, slots=True)
class Wrong:
    """What is wrong with one key: where it stands, its path in words, and what is wrong. Clean."""

    line: int
    path: str
    message: str


class Keys:
    """Reads keys of a table. What is wrong is gathered in `wrong`, and the answer is None or nothing then.

    A file of a newer form (`is_newer`) may have keys that are not known: they are among the `notes`.
    """

    def __init__(self, lines: Mapping[Path, int]) -> None:
        self.lines = lines
        self.wrong: list[Wrong] = []
        self.notes: list[Finding] = []
        self.is_newer = False

    def text(
        self,
        table: Mapping[str, Any],
        path: Path,
        key: str,
        *,
        empty: bool = True,
        needed: bool = False,
        longest: int = _LONGEST,
        may_be_secret: bool = False,
    ) -> str | None:
        """Return the text of a key."""
        if key not in table:
            if needed:
                self.tell((*path, key), "is missing")
            return None
        return self.is_text(table[key], (*path, key), empty=empty, longest=longest, secret=may_be_secret)

    def is_text(
        self, value: Any, path: Path, *, empty: bool = True, longest: int = _LONGEST, secret: bool = False
    ) -> str | None:
        """Return a value that is a text."""
        if not isinstance(value, str):
            self.tell(path, f"must be a text in quotes, not {_type_in_words(value)}")
        elif not value and not empty:
            self.tell(path, "must not be empty")
        elif len(value) > longest:
            self.tell(path, f"is longer than {longest:,} characters")
        elif looks_secret(value) and not secret:
            self.tell(path, "holds what looks like a secret, which may only be given by reference")
        else:
            return value
        return None

    def flag(self, table: Mapping[str, Any], path: Path, key: str) -> bool | None:
        """Return true or false; None where the key is missing."""
        value = table.get(key)
        if value is not None and not isinstance(value, bool):
            self.tell((*path, key), f"must be true or false, not {_type_in_words(value)}")
            return None
        return value

    def choice(
        self,
        table: Mapping[str, Any],
        path: Path,
        key: str,
        choices: Collection[str],
        *,
        needed: bool = False,
    ) -> str | None:
        """Return the text of a key that is one of several words."""
        value = self.text(table, path, key, needed=needed)
        return value if value is None or self.is_one(value, (*path, key), choices) else None

    def choices(
        self, table: Mapping[str, Any], path: Path, key: str, choices: Collection[str]
    ) -> Iterator[str]:
        """Yield the texts of a list, each one of several words."""
        for number, (text, _) in enumerate(self.texts(table, path, key)):
            if self.is_one(text, (*path, key, number), choices):
                yield text

    def is_one(self, value: str, path: Path, choices: Collection[str]) -> bool:
        """Tell whether a text is one of several words."""
        if value in choices:
            return True
        self.tell(path, f"is not a known value{_meant(value, choices)}")
        return False

    def texts(self, table: Mapping[str, Any], path: Path, key: str) -> Iterator[tuple[str, int]]:
        """Yield each text of a list, with its line."""
        found = table.get(key)
        if found is None:
            return
        if not isinstance(found, list):
            self.tell((*path, key), f"must be a list of texts, not {_type_in_words(found)}")
            return
        for number, each in enumerate(found):
            place = (*path, key, number)
            if (text := self.is_text(each, place, empty=False)) is not None:
                yield text, line_at(self.lines, place)

    def tables(self, found: Any, name: str) -> Iterator[tuple[int, Mapping[str, Any]]]:
        """Yield the tables of an array, each with its number."""
        if not isinstance(found, list):
            self.tell((name,), f"must be written as [[{name}]], a table for each")
            return
        for number, each in enumerate(found):
            if self.is_table(each, (name, number)):
                yield number, each

    def is_table(self, found: Any, path: Path, example: str = "") -> bool:
        """Tell whether a value is a table."""
        if isinstance(found, Mapping):
            return True
        such = f" such as {example}" if example else ""
        self.tell(path, f"must be a table{such}, not {_type_in_words(found)}")
        return False

    def known(self, table: Mapping[str, Any], path: Path, known: Collection[str]) -> bool:
        """Tell whether every key is a known one; in a newer form the others are left out."""
        unknown = [key for key in table if key not in known]
        for key in unknown:
            where, words = (*path, key), f"is not a known key{_meant(key, known)}"
            if self.is_newer:
                self.notes.append(
                    Finding(
                        "scenario-newer-key",
                        path_in_words(where),
                        "is of a newer form and was left out",
                        severity=Severity.NOTE,
                    )
                )
            else:
                self.tell(where, words)
        return not unknown

    def tell(self, path: Path, message: str) -> None:
        """Remember what is wrong with a key."""
        self.wrong.append(Wrong(line_at(self.lines, path), path_in_words(path), message))


def path_in_words(path: Path) -> str:
    """Return `variable[2].secret.env`: the entries of a list counted from 1."""
    words = ""
    for part in path:
        if isinstance(part, int):
            words += f"[{part + 1}]"
        else:
            words += f"{'.' if words else ''}{shown(part)}"
    return words


def shown(key: str) -> str:
    """Return a key for a message."""
    return MASK if looks_secret(key) else clean(str(key), 80)


def is_a_secret(key: str, value: str) -> bool:
    """Tell whether the value of a variable may not stand in the file; an empty one may."""
    return bool(value) and (is_secret_name(key) or looks_secret(value))


def _meant(word: str, known: Collection[str]) -> str:
    close = difflib.get_close_matches(word, known, 1)
    return f"; did you mean {close[0]}?" if close else f"; known are {listed(known)}"


def listed(words: Collection[str]) -> str:
    """Return words with commas."""
    return ", ".join(words)


def _type_in_words(value: Any) -> str:
    match value:
        case bool():
            return "true or false"
        case int() | float():
            return "a number"
        case str():
            return "a text"
        case datetime.date() | datetime.time():
            return "a date or time"
        case Mapping():
            return "a table"
        case list():
            return "a list"
    return "this"
