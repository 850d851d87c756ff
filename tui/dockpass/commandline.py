"""Writes the command lines that a person may type: quoted for a shell, and never with a secret in them."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

PROGRAM = "dockpass"

_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)


@dataclass(frozen=True, slots=True)
class FromShell:
    """A value that the person's shell fills in from its variable `variable`, behind the text `before`.

    The shell stops with an error where the variable is not set, so no command runs without the value.
    """

    variable: str
    before: str = ""

    def word(self) -> str:
        """Return the word as a shell reads it."""
        return f'{shlex.quote(self.before) if self.before else ""}"${{{self.variable}:?}}"'


Value = str | int | bool | FromShell | None
"""What an option has: a text, a number, True for a flag; None and False leave the option out."""


def command_words(
    names: Sequence[str],
    options: Iterable[tuple[str, Value]] = (),
    *,
    environment: Iterable[tuple[str, FromShell]] = (),
    stdin: FromShell | None = None,
) -> tuple[str, ...]:
    """Return `dockpass NAMES… OPTIONS…` as quoted words: joined with blanks, they are the line to type.

    `environment` is set for this command alone; `stdin` is piped in. Control characters stay as they are,
    so check `is_pasteable` before the line goes to a terminal.
    """
    words = ["printf", "%s", stdin.word(), "|"] if stdin else []
    words += [f"{name}={value.word()}" for name, value in environment]
    words += [PROGRAM, *map(shlex.quote, names)]
    for name, value in options:
        words += _option(name, value)
    return tuple(words)


def is_pasteable(line: str) -> bool:
    """Tell whether a terminal shows a pasted line as it is, and obeys nothing in it but its line ends."""
    return all(each.isprintable() or each in "\n\t" for each in line)


def can_be_set_by_shell(name: str) -> bool:
    """Tell whether `NAME=value command` sets the variable: other names can only be inherited."""
    return _IDENTIFIER.fullmatch(name) is not None


def shell_name(text: str) -> str:
    """Return a name for a shell's variable: `--registry-username` gives `REGISTRY_USERNAME`."""
    return re.sub(r"[^A-Z0-9]+", "_", text.upper()).strip("_") or "VALUE"


def _option(name: str, value: Value) -> list[str]:
    if value is None or value is False:
        return []
    if value is True:
        return [name]
    if isinstance(value, FromShell):
        return [name, value.word()]
    text = str(value)
    # A value that begins like an option stays with its own.
    return [shlex.quote(f"{name}={text}")] if text.startswith("-") else [name, shlex.quote(text)]
