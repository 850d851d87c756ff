"""Env files: read by the rule of `docker run --env-file`, and what docker refuses as a shell's dump.

Docker's rule (docker/cli, pkg/kvfile): blanks before a line go, a line that then begins with `#` or is
empty is left out, the first `=` ends the name, and everything behind it is the value as it stands: quotes,
`#`, `$`, backslashes and blanks at its end belong to it. A name without `=` takes the value that the
process has, and is left out where there is none. A name with a blank in it is refused.

A file that docker refuses is read as what `env`, `export -p` or `declare -x` print. Wherever something
else than docker's rule is done, or a person could expect it to be, the variable carries a remark.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path

from dockpass.auth.facts import EnvFileRemark as Remark
from dockpass.auth.facts import Source, SourceKind, Variable
from dockpass.errors import UsageError
from dockpass.secret_names import is_secret_name
from dockpass.text import clean
from dockpass.textfile import read_text_file
from dockpass.variables.formats.docker import GO_SPACE, LONGEST_LINE, taken_by_docker
from dockpass.variables.formats.shellword import NotLiteral, is_shell_line, read_words
from dockpass.variables.token_kind import looks_secret
from dockpass.variables.variable import variable

HINT = "Name a text file of NAME=value lines with --env-file."

_DUMPED = re.compile(r"([A-Za-z_][\w.-]*)([ \t]*)=", re.ASCII)


@dataclass(frozen=True, slots=True)
class _Line:
    """What a line assigns. `value` is None for a name without `=`."""

    number: int
    name: str
    value: str | None
    remarks: tuple[Remark, ...] = ()


def read_env_file(path: Path, environ: Mapping[str, str] | None = None) -> dict[str, Variable]:
    """Return the variables of a file; of two lines with one name the last counts.

    `environ` is where a name without `=` takes its value from. Raises `UsageError` with file, line and
    reason; no value is ever repeated in it.
    """
    return read_env_text(read_text_file(path, "env-file", HINT), clean(str(path)), environ)


def read_env_text(text: str, shown: str, environ: Mapping[str, str] | None = None) -> dict[str, Variable]:
    """Return the variables of a text, whose file is `shown` in messages; as `read_env_file`."""
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    docker = all(map(taken_by_docker, lines))
    found: dict[str, Variable] = {}
    texts: dict[str, str] = {}
    for line in _by_dockers_rule(lines) if docker else _as_a_dump(lines, shown):
        if not line.name.isprintable():
            raise _bad_line(shown, line.number, f"“{clean(line.name, 80)}” is not a variable's name")
        if line.value is not None:
            remarks = (*line.remarks, *_more_remarks(line.name, line.value, texts))
            texts[line.name] = line.value
            source = Source(SourceKind.ENV_FILE, f"{shown}:{line.number}", remarks)
            swallowed = _swallowed_secret(line.value, source)
            found[line.name] = variable(line.name, line.value, source, secret=swallowed)
        elif environ is not None and line.name in environ:
            found[line.name] = variable(line.name, environ[line.name], Source(SourceKind.PROCESS))
    return found


def _more_remarks(name: str, value: str, before: Mapping[str, str]) -> Iterator[Remark]:
    if len(value) > LONGEST_LINE:
        yield Remark.LONG
    if before.get(name, value) != value:
        yield Remark.AGAIN
    if not re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", name):
        yield Remark.NAME


def _swallowed_secret(value: str, source: Source) -> bool:
    """Tell whether a line that went to the value before it assigns what may be a secret: `MY TOKEN=…`."""
    if Remark.CONTINUED not in source.remarks:
        return False
    return any(
        is_secret_name(re.sub(r"\W+", "_", line.partition("=")[0])) or looks_secret(line.partition("=")[2])
        for line in value.split("\n")[1:]
        if "=" in line
    )


def _by_dockers_rule(lines: list[str]) -> Iterator[_Line]:
    at = 0
    while at < len(lines):
        line, number = lines[at].lstrip(GO_SPACE), at + 1
        at += 1
        if not line or line.startswith("#"):
            continue
        name, equals, value = line.partition("=")
        if not equals:
            yield _Line(number, name, None)
        elif whole := _several_lines(value, lines, at):
            value, more = whole
            at += more
            yield _Line(number, name, value, (Remark.SEVERAL_LINES,))
        else:
            yield _Line(number, name, value, _remarks(value))


def _as_a_dump(lines: list[str], shown: str) -> Iterator[_Line]:
    """Read what `env`, `export -p` or `declare -x` print; a line that assigns nothing continues a value."""
    text, starts = "\n".join(lines), list(accumulate((len(line) + 1 for line in lines), initial=0))
    before: _Line | None = None
    at, end = 0, 0  # the value before ends with the line before `end`
    while at < len(lines):
        line, number = lines[at].lstrip(GO_SPACE), at + 1
        at += 1
        if not line or line.startswith("#"):
            continue
        if is_shell_line(line):
            if before:
                yield before
            before = None
            words, taken = _shell_words(shown, number, text, starts[at] - len(line) - 1)
            at += taken - 1
            yield from words
        elif assigned := _DUMPED.match(line):
            if before:
                yield before
            value = line[assigned.end() :]
            remarks: tuple[Remark, ...] = _remarks(value)
            if assigned[2]:
                value, remarks = value.strip(" \t"), (Remark.BLANKS,)
            if whole := _several_lines(value, lines, at):
                value, more = whole
                at += more
                remarks = (Remark.SEVERAL_LINES,)
            elif more := _lines_of_key(value, lines, at):
                value = "\n".join([value, *lines[at : at + more]])
                at += more
                remarks = (Remark.CONTINUED,)
            before, end = _Line(number, assigned[1], value, remarks), at
        elif before is None or re.match(r"=[^=]", line):
            why = "there is no name before =" if line.startswith("=") else "the line is not NAME=value"
            raise _bad_line(shown, number, why)
        else:
            value = "\n".join([before.value or "", *lines[end:at]])
            before, end = _Line(before.number, before.name, value, (Remark.CONTINUED,)), at
    if before:
        yield before


def _shell_words(shown: str, number: int, text: str, start: int) -> tuple[list[_Line], int]:
    try:
        words, taken = read_words(text, start)
    except NotLiteral as error:
        raise _bad_line(shown, number, str(error)) from None
    remarks = {False: (Remark.SHELL,), True: (Remark.COMPUTED,)}
    valued = [word for word in words if word.value is not None]
    return [_Line(number, word.name, word.value, remarks[word.computed]) for word in valued], taken


def _several_lines(value: str, lines: list[str], at: int) -> tuple[str, int] | None:
    """Return a quoted value that is closed at the end of a later line, and how many more lines it takes."""
    quote = value[:1]
    if quote not in {"'", '"'} or _quote_in(value[1:], quote) >= 0:
        return None
    for last in range(at, len(lines)):
        line = lines[last]
        closes = _quote_in(line, quote)
        if closes < 0:
            continue
        if re.fullmatch(r"\s*[\w.-]+=", line[:closes]) or line[closes + 1 :].strip(" \t"):
            return None  # it opens the value of that line, or stands in the middle of one
        whole = "\n".join([value[1:], *lines[at:last], line[:closes]])
        return (re.sub(r'\\(["\\$`])', r"\1", whole) if quote == '"' else whole), last + 1 - at
    return None


def _lines_of_key(value: str, lines: list[str], at: int) -> int:
    """Return how many more lines a key or certificate in the form of PEM takes; its lines may hold `=`."""
    if not value.startswith("-----BEGIN ") or "-----END " in value:
        return 0
    ends = (last + 1 - at for last in range(at, len(lines)) if lines[last].startswith("-----END "))
    return next(ends, 0)


def _quote_in(text: str, quote: str) -> int:
    """Return where the quote stands in a text, but for an escaped one; -1 where it does not."""
    found = re.search(r'(?<!\\)(?:\\\\)*"' if quote == '"' else "'", text)
    return found.end() - 1 if found else -1


def _remarks(value: str) -> tuple[Remark, ...]:
    if value[:1] in {"'", '"'}:
        closed = len(value) > 1 and value.rstrip(" \t").endswith(value[0])
        return (Remark.QUOTES if closed else Remark.OPEN_QUOTE,)
    return (Remark.HASH,) if re.search(r"[ \t]#", value) else ()


def _bad_line(shown: str, line: int, why: str) -> UsageError:
    return UsageError(
        "env-file-line",
        f"{shown}, line {line}: {why}.",
        "Write NAME=value, one variable a line, as docker reads it; or give what `export -p` prints.",
    )
