"""What is said about the lines of an env file: how a value was read where a person may expect another way."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby

from dockpass.auth.facts import EnvFileRemark as Remark
from dockpass.auth.facts import Facts, SourceKind, Variable
from dockpass.findings import Finding, Severity
from dockpass.text import clean, plural

_WORDS: dict[Remark, tuple[Severity, str, str]] = {
    Remark.QUOTES: (
        Severity.WARNING,
        "is in quotes, which are part of the value, as with docker's --env-file",
        "Remove the quotes: everything after = is the value.",
    ),
    Remark.OPEN_QUOTE: (
        Severity.WARNING,
        "begins with a quote, which is part of the value, as with docker's --env-file",
        "Leave the quote out; for a value of several lines, close it at the end of a later line.",
    ),
    Remark.HASH: (
        Severity.NOTE,
        "contains a #, which is part of the value with everything after it, as with docker's --env-file",
        "Put a comment on a line of its own.",
    ),
    Remark.BLANKS: (
        Severity.WARNING,
        "has blanks around =, which were left out; docker refuses the file for them",
        "Write NAME=value without blanks.",
    ),
    Remark.SEVERAL_LINES: (
        Severity.WARNING,
        "is quoted over several lines, which were joined without the quotes; docker takes no such value",
        "Docker would take the first line only, with its quote.",
    ),
    Remark.CONTINUED: (
        Severity.WARNING,
        "is followed by lines that assign nothing, which were taken as part of its value",
        "Look whether they belong to it: docker refuses the file. `export -p` prints such values in quotes.",
    ),
    Remark.COMPUTED: (
        Severity.WARNING,
        "contains what a shell would replace; nothing was run, and the value has it as written",
        "Give the value itself: `export -p` prints it after the shell has replaced it.",
    ),
    Remark.AGAIN: (
        Severity.WARNING,
        "has another value on an earlier line of the file; the last one counts",
        "Remove one of the lines.",
    ),
    Remark.NAME: (
        Severity.NOTE,
        "has a name that no shell takes: a script cannot use it",
        "Use letters, digits and underscores.",
    ),
    Remark.LONG: (
        Severity.NOTE,
        "is longer than 64 KiB; docker refuses the file for that line",
        "",
    ),
}


def find_in_env_files(facts: Facts) -> Iterator[Finding]:
    """Yield what lines of env files carry as remarks, a finding for each; a shell's lines share one."""
    read = [found for found in facts.variables.values() if found.source.kind is SourceKind.ENV_FILE]
    for found in read:
        for remark in found.source.remarks:
            if remark in _WORDS:
                severity, message, hint = _WORDS[remark]
                where = clean(found.source.detail)
                yield Finding(
                    str(remark), clean(found.name, 80), f"({where}) {message}", hint=hint, severity=severity
                )
    yield from _shells(found for found in read if Remark.SHELL in found.source.remarks)


def _shells(read: Iterable[Variable]) -> Iterator[Finding]:
    for file, variables in groupby(read, key=lambda found: found.source.detail.rpartition(":")[0]):
        lines = sorted(int(found.source.detail.rpartition(":")[2]) for found in variables)
        where = f"line {lines[0]}" if len(lines) == 1 else f"lines {lines[0]} to {lines[-1]}"
        yield Finding(
            str(Remark.SHELL),
            clean(file),
            f"has {plural(len(lines), 'variable')} as a shell's export or declare prints them"
            f" ({where}), and they were read as a shell reads them; docker refuses such lines",
            hint="Nothing in the file was run.",
            severity=Severity.NOTE,
        )
