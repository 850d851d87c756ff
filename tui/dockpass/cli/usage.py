"""What is wrong with a command line, told without repeating what was typed: it may be a secret."""

from __future__ import annotations

import difflib
import re
from collections.abc import Sequence

import click

from dockpass.text import clean

_MASK = "••••"
_BEFORE = "--read-only"
"""The option of the program itself that holds for every command."""
_OPTION = re.compile(r"--?[a-z][a-z-]{0,40}")


def usage_words(error: click.ClickException, typed: Sequence[str]) -> str:
    """Return click's message without any value of the command line; names of options stay."""
    if isinstance(error, click.NoSuchOption):
        return _no_such_option(error)
    message = error.format_message()
    values = _values(typed) - _commands(getattr(error, "ctx", None))
    for value in sorted(values, key=len, reverse=True):
        message = message.replace(repr(value), f"'{_MASK}'")
        # As a word of its own: "Did you mean pull?" holds what was typed for it.
        message = re.sub(rf"(?<=[ (]){re.escape(value)}(?![\w-])", _MASK, message)
    message += _meant(error, typed)
    if message.startswith("Got unexpected extra argument"):
        return "Too many arguments. An option's value follows its name."
    # Click puts each choice of a missing argument on a line of its own.
    return clean(" ".join(message.split()), 2000)


def _no_such_option(error: click.NoSuchOption) -> str:
    known = sorted(_options(error.ctx), key=len, reverse=True)
    written = error.option_name
    if begins := next((name for name in known if written.startswith(name) and written != name), None):
        return f"No such option. Write a space or = after {begins}."
    if written == _BEFORE and error.ctx is not None:
        name = error.ctx.command_path.partition(" ")[2]
        return f"{_BEFORE} comes before {name}: dockpass {_BEFORE} {name} …"
    close = f" Did you mean {' or '.join(sorted(error.possibilities))}?" if error.possibilities else ""
    named = f": {written}" if _OPTION.fullmatch(written) else ""
    return f"No such option{named}.{close}"


def _meant(error: click.ClickException, typed: Sequence[str]) -> str:
    """Return ` Did you mean push?` where a choice was misspelt; what was typed is never repeated."""
    kind = getattr(getattr(error, "param", None), "type", None)
    if not isinstance(kind, click.Choice):
        return ""
    known = [str(each) for each in kind.choices]
    wrong = [value for value in sorted(_values(typed)) if repr(value) in error.format_message()]
    close = [name for value in wrong for name in difflib.get_close_matches(value, known, 1)]
    return f" Did you mean {close[0]}?" if close else ""


def _options(context: click.Context | None) -> list[str]:
    if context is None:
        return []
    return [name for param in context.command.params for name in param.opts if name.startswith("--")]


def _commands(context: click.Context | None) -> set[str]:
    """Return the names of commands, which are no secrets."""
    if context is None:
        return set()
    root = context.find_root()
    return set(root.command.list_commands(root)) if isinstance(root.command, click.Group) else set()


def _values(typed: Sequence[str]) -> set[str]:
    """Return what was typed as a value: no option's name, and the part behind an option's `=`."""
    found = {word.partition("=")[2] for word in typed if word.startswith("-") and "=" in word}
    found.update(word for word in typed if not word.startswith("-"))
    return {value for value in found if len(value) > 2}
