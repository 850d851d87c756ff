"""What a shell script runs, uses and sets, as far as it can be read. Nothing in it is ever run. Pure.

Follows the POSIX shell and bash: quotes, expansions, substitutions, pipes, redirections, here-documents
(whose text is passed over) and `case`. What sets variables that cannot be read, as `eval` and `source` do,
makes a script open.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass, field

from dockpass.variables.formats.shellword import unescaped
from dockpass.variables.shellcommand import NAME, Simple, Word, effect_of

MOST_CHARACTERS = 128 << 10
"""Of a longer script nothing is read."""
DEEPEST = 24
"""So many substitutions, one in the other, are read."""

_ANSI_QUOTED = re.compile(r"\$'((?:[^'\\]|\\.)*)'?", re.DOTALL)
_PLAIN = re.compile(r"[^ \t\r\f\v\n;&|()<>'\"\\$`]+")
_ENDS_WORD = frozenset(" \t\r\f\v\n;&|()<>")
_PLAIN_QUOTED = re.compile(r"[^\"\\$`]+")
_BLANKS = re.compile(r"(?:[ \t\r\f\v]|\\\n)+")
_DEFAULT = re.compile(r":?[-+=]")
_ONE_SIGN = frozenset("0123456789@*#?-$!")
_OTHER_LANGUAGE = re.compile(r"\$env:\w|(?m:^\s*\$\w+\s*=)|\bWrite-(?:Host|Output)\b", re.IGNORECASE)
"""PowerShell: its variables are written alike and follow other rules."""

_RESERVED = frozenset(
    {"if", "then", "else", "elif", "do", "while", "until", "!", "{", "}", "time", "done", "fi"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """What is in a script.

    `uses` are variables whose value it needs, each with its first line; one with a default of its own, or
    that the script asks for (`[ -n "$NAME" ]`), is none of them. `is_open` tells that it may set more than
    `assigned`.
    """

    commands: tuple[Simple, ...] = ()
    uses: Mapping[str, int] = field(default_factory=dict)
    assigned: frozenset[str] = frozenset()
    is_open: bool = False


def read_script(text: str) -> Script:
    """Read a script; one that is too long or too deep is open, with what was read before."""
    if len(text) > MOST_CHARACTERS:
        return Script(is_open=True)
    reader = _Reader(text)
    try:
        reader.read_list("")
    except _TooDeep:
        reader.is_open = True
    uses = {name: line for name, line in reader.uses.items() if name not in reader.asked}
    is_open = reader.is_open or bool(_OTHER_LANGUAGE.search(text))
    return Script(
        commands=tuple(reader.commands), uses=uses, assigned=frozenset(reader.assigned), is_open=is_open
    )


class _TooDeep(Exception):
    """Substitutions are too deep in each other."""


@dataclass(slots=True)
class _Open:
    """A command that is being read."""

    at: int
    before: int
    words: list[Word] = field(default_factory=list)
    inputs: list[Word] = field(default_factory=list)
    here: list[Word] = field(default_factory=list)
    outputs: list[Word] = field(default_factory=list)


@dataclass(slots=True)
class _Parts:
    """A word that is being read."""

    texts: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=list)
    fixed: bool = True

    def word(self) -> Word:
        return Word("".join(self.texts), tuple(dict.fromkeys(self.names)), self.fixed)


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.depth = 0
        self.closing = [""]
        self.bodies: list[tuple[str, bool]] = []
        self.starts = [0, *(found.end() for found in re.finditer("\n", text))]
        self.commands: list[Simple] = []
        self.uses: dict[str, int] = {}
        self.asked: set[str] = set()
        self.assigned: set[str] = set()
        self.is_open = False

    # Commands

    def read_list(self, closing: str) -> None:
        """Read commands up to a closing sign, or to the end."""
        self.closing.append(closing)
        command, source, cases, groups = self._open(), None, 0, 0
        while self._blanks() < len(self.text):
            sign = self.text[self.at]
            if sign not in "\n;&|()`#<>" or (sign == "`" and closing != "`"):
                command.at = command.at if command.words else self.at
                command.words.append(self._word())
                continue
            if sign == "#":
                self.at = self._line_end()
                continue
            if sign in "<>":
                self._redirection(command)
                continue
            ended = self._ended(command, source)
            source = (
                ended
                if sign == "|" and not self.text.startswith("||", self.at)
                else (source if ended is None and sign == "\n" else None)
            )
            first = ended.words[0].text if ended else ""
            cases += (first == "case") - (first == "esac" and cases > 0)
            self.at += 1
            if sign == "\n":
                self._pass_bodies()
            elif sign == "(":
                groups += 1
            elif sign == ")" and groups:
                groups -= 1
            elif sign == "`" or (sign == ")" and closing == ")" and not cases):
                self.closing.pop()
                return
            command = self._open()
        self._ended(command, source)
        self.closing.pop()

    def _open(self) -> _Open:
        return _Open(self.at, len(self.commands))

    def _ended(self, command: _Open, source: Simple | None) -> Simple | None:
        """Note a command that is whole; None where there is nothing."""
        while command.words and command.words[0].text in _RESERVED and command.words[0].fixed:
            del command.words[0]
        if not command.words:
            return None
        found = Simple(
            words=tuple(command.words),
            line=self._line(command.at),
            source=source,
            inputs=tuple(command.inputs),
            here=tuple(command.here),
            outputs=tuple(command.outputs),
        )
        effect = effect_of(command.words, self.commands[command.before :])
        self.assigned |= effect.assigned
        self.asked |= effect.asks
        self.is_open = self.is_open or effect.is_open
        self.commands.append(found)
        return found

    def _redirection(self, command: _Open) -> None:
        rest = self.text[self.at : self.at + 3]
        if rest[:2] in {"<(", ">("}:
            self.at += 2
            self._nested(")")
            command.words.append(Word("$(…)", fixed=False))
            return
        if command.words and command.words[-1].text.isdigit() and self.text[self.at - 1].isdigit():
            del command.words[-1]  # `2>` names a descriptor
        if rest == "<<<":
            self.at += 3
            self._blanks()
            command.here.append(self._word())
            return
        if rest[:2] == "<<":
            self.at += 3 if rest == "<<-" else 2
            self._blanks()
            delimiter = self._raw_word()
            if delimiter:
                self.bodies.append((delimiter, rest == "<<-"))
            return
        self.at += 1
        while self.at < len(self.text) and self.text[self.at] in "<>&|":
            self.at += 1
        self._blanks()
        target = self._word()
        if target.text:
            (command.outputs if rest[0] == ">" else command.inputs).append(target)

    def _raw_word(self) -> str:
        """Return the delimiter of a here-document: in it nothing is replaced."""
        start = self.at
        found = re.compile(r"(?:'[^']*'|\"[^\"]*\"|\\.|[^\s;&|()<>'\"\\])+").match(self.text, start)
        self.at = found.end() if found else start
        return re.sub(r"['\"\\]", "", found[0]) if found else ""

    def _pass_bodies(self) -> None:
        """Pass over the here-documents that begin on this line."""
        for delimiter, tabs in self.bodies:
            lines = re.compile(rf"^{chr(9) + '*' if tabs else ''}{re.escape(delimiter)}$", re.MULTILINE)
            found = lines.search(self.text, self.at)
            self.at = min(found.end() + 1, len(self.text)) if found else len(self.text)
        self.bodies.clear()

    # Words

    def _word(self) -> Word:
        parts = _Parts()
        while self.at < len(self.text):
            if found := _PLAIN.match(self.text, self.at):
                parts.texts.append(found[0])
                self.at = found.end()
                continue
            sign = self.text[self.at]
            if sign in _ENDS_WORD or (sign == "`" and self.closing[-1] == "`"):
                break
            self._piece(sign, parts)
        return parts.word()

    def _piece(self, sign: str, parts: _Parts) -> None:
        """Read a quote, an escape or an expansion."""
        match sign:
            case "'":
                parts.texts.append(self._to("'", self.at + 1))
            case '"':
                self.at += 1
                self._quoted(parts)
            case "\\":
                parts.texts.append(self.text[self.at + 1 : self.at + 2].replace("\n", ""))
                self.at += 2
            case "`":
                self.at += 1
                self._nested("`")
                self._computed(parts)
            case _:
                self._dollar(parts, quoted=False)

    def _quoted(self, parts: _Parts) -> None:
        """Read up to the closing double quote."""
        while self.at < len(self.text):
            if found := _PLAIN_QUOTED.match(self.text, self.at):
                parts.texts.append(found[0])
                self.at = found.end()
                continue
            sign = self.text[self.at]
            if sign == '"':
                self.at += 1
                return
            if sign == "$":
                self._dollar(parts, quoted=True)
            elif sign == "\\" and self.text[self.at + 1 : self.at + 2] not in set('"\\$`\n'):
                parts.texts.append(sign)
                self.at += 1
            elif sign == "`" and self.closing[-1] == "`":
                return  # the quote is not closed in this command
            else:
                self._piece(sign, parts)

    def _to(self, sign: str, start: int) -> str:
        """Return the text up to a sign, and go behind it."""
        end = self.text.find(sign, start)
        end = len(self.text) if end < 0 else end
        self.at = end + len(sign)
        return self.text[start:end]

    # What a $ begins

    def _dollar(self, parts: _Parts, *, quoted: bool) -> None:
        text, at = self.text, self.at
        if not quoted and (found := _ANSI_QUOTED.match(text, at)):
            parts.texts.append(unescaped(found[1]))
            self.at = found.end()
        elif not quoted and text.startswith('$"', at):
            self.at += 1
        elif text.startswith("$[[", at):  # an input of the configuration, which GitLab puts in
            self._to("]]", at + 3)
            self._computed(parts)
        elif text.startswith("$((", at):
            self.at += 3
            self._arithmetic()
            self._computed(parts)
        elif text.startswith("$(", at):
            self.at += 2
            self._nested(")")
            self._computed(parts)
        elif text.startswith("${", at):
            self.at += 2
            self._braced(parts, quoted=quoted)
        elif found := NAME.match(text, at + 1):
            self.at = found.end()
            self._use(found[0], at)
            self._named(parts, found[0], f"${found[0]}")
        elif text[at + 1 : at + 2] in _ONE_SIGN:
            parts.texts.append(text[at : at + 2])
            parts.fixed = False
            self.at += 2
        else:
            parts.texts.append("$")
            self.at += 1

    def _braced(self, parts: _Parts, *, quoted: bool) -> None:
        begun = self.at
        if self.text[self.at : self.at + 1] in {"!", "#"}:
            self.at += 1
        found = NAME.match(self.text, self.at)
        if found is None:
            self._rest_of_braces(quoted=quoted)
            self._computed(parts)
            return
        name, self.at = found[0], found.end()
        if self.text.startswith("[", self.at):
            self._to("]", self.at)
        default = _DEFAULT.match(self.text, self.at)
        if default is None:
            self._use(name, begun)
        else:
            self.asked.add(name)
            if default[0].endswith("="):
                self.assigned.add(name)
        plain = self.text.startswith("}", self.at)
        self._rest_of_braces(quoted=quoted)
        self._named(parts, name, f"${{{name}}}" if plain else f"${{{name}…}}")

    def _rest_of_braces(self, *, quoted: bool) -> None:
        with_quotes = "" if quoted else "'"
        self._enter()
        inside = _Parts()
        while self.at < len(self.text) and self.text[self.at] != "}":
            sign = self.text[self.at]
            if sign in '"\\`$' + with_quotes and not (sign == "`" and self.closing[-1] == "`"):
                self._piece(sign, inside) if sign != "$" else self._dollar(inside, quoted=quoted)
            else:
                self.at += 1
        self.at += 1
        self.depth -= 1

    def _arithmetic(self) -> None:
        """Read up to `))`; a name without $ counts as 0 where it is not set."""
        self._enter()
        open_, inside = 2, _Parts()
        while self.at < len(self.text) and open_:
            sign = self.text[self.at]
            if sign == "$":
                self._dollar(inside, quoted=True)
                continue
            open_ += (sign == "(") - (sign == ")")
            self.at += 1
        self.depth -= 1

    def _nested(self, closing: str) -> None:
        self._enter()
        self.read_list(closing)
        self.depth -= 1

    def _enter(self) -> None:
        self.depth += 1
        if self.depth > DEEPEST:
            raise _TooDeep

    # Small things

    def _computed(self, parts: _Parts) -> None:
        parts.texts.append("$(…)")
        parts.fixed = False

    def _named(self, parts: _Parts, name: str, shown: str) -> None:
        parts.texts.append(shown)
        parts.names.append(name)
        parts.fixed = False

    def _use(self, name: str, at: int) -> None:
        if name != "_":
            self.uses.setdefault(name, self._line(at))

    def _line(self, at: int) -> int:
        return bisect_right(self.starts, at) - 1

    def _line_end(self) -> int:
        end = self.text.find("\n", self.at)
        return len(self.text) if end < 0 else end

    def _blanks(self) -> int:
        if found := _BLANKS.match(self.text, self.at):
            self.at = found.end()
        return self.at
