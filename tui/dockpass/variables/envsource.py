"""`--env-file`: any format by detection or by name, and what was found out and left out is told."""

from __future__ import annotations

import codecs
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from dockpass.auth.facts import Source, SourceKind, Variable
from dockpass.errors import UsageError
from dockpass.findings import Finding, Severity
from dockpass.secrets import Secret
from dockpass.text import clean, plural
from dockpass.textfile import LARGEST_FILE, read_bytes_of, text_of
from dockpass.unknown import Unknown
from dockpass.variables.envfile import HINT, read_env_text
from dockpass.variables.formats.detect import propose
from dockpass.variables.formats.reading import Entry, Reading, decode, without_mask
from dockpass.variables.variable import variable

LARGEST = 16 << 20
STDIN = Path("/dev/stdin")
_KIND = "env-file"
_OF_DOCKER_OR_A_DUMP = {"docker", "shell", "env"}
_MOST_TOLD = 20
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def read_env_source(
    path: Path, environ: Mapping[str, str], named: str | None = None
) -> tuple[dict[str, Variable], tuple[Finding, ...]]:
    """Return the variables of a file and what there is to say of it; `named` is the format to read it in.

    Without `named`, what docker takes, and a dump, is read as by `read_env_file`. A value that a log masks is
    `Unknown`, whatever the format. Raises `UsageError`.
    """
    shown = "stdin" if path == STDIN else clean(str(path))
    raw = read_bytes_of(path, _KIND, HINT, LARGEST)
    if len(raw) > LARGEST:
        raise UsageError("env-file-large", f"{shown} is larger than 16 MiB.", HINT)
    text, problems = decode(raw)
    told = tuple(_about_bytes(raw, text, shown))
    proposal = propose(text, str(path))
    name = named or proposal.format
    if named is None and name in _OF_DOCKER_OR_A_DUMP:
        plain = read_env_text(_plain(raw, text, shown), shown, environ)
        known = {name: _unmasked(each) for name, each in plain.items()}
        notes = [
            _unknown(each.name, each.source.detail, each.value)
            for each in known.values()
            if isinstance(each.value, Unknown)
        ]
        return known, (*told, *_bounded(notes, shown))
    from dockpass.variables.formats.catalogue import FORMATS, known_format, read  # they load YAML

    if named is not None:
        known_format(named)
    found = read(name, text, environ)
    because = "--env-format says so" if named else proposal.because
    entries = tuple(replace(entry, value=without_mask(entry.value)) for entry in found.entries)
    told_already = raw.startswith(_UTF16)
    reading = Reading(entries, found.names, (*(() if told_already else problems), *found.problems))
    taken = {entry.key: entry for entry in entries if not _left_out(entry)}
    taken_as = Finding(
        "env-file-format",
        shown,
        f"was read as {FORMATS[name].means} ({name}), because {because};"
        f" {plural(len(taken), 'variable')} taken",
        hint="--env-format reads it in another format.",
        severity=Severity.NOTE,
    )
    variables = {
        key: variable(key, entry.value, Source(SourceKind.ENV_FILE, f"{shown}:{entry.line}"))
        for key, entry in taken.items()
    }
    for alone in reading.names:
        if alone.inherits and alone.key in environ:
            variables[alone.key] = variable(alone.key, environ[alone.key], Source(SourceKind.PROCESS))
    return variables, (taken_as, *told, *_notes(reading, shown))


def _plain(raw: bytes, text: str, shown: str) -> str:
    """Return the text of a file; UTF-16 is read only with its mark, and where all of it is text."""
    if raw.startswith(_UTF16) and len(raw) <= LARGEST_FILE and not {"\0", "\ufffd"} & set(text):
        return text
    return text_of(raw, shown, _KIND, HINT)


def _about_bytes(raw: bytes, text: str, shown: str) -> Iterator[Finding]:
    """Yield what the bytes of a file are for other programs, whatever its lines say."""
    if raw.startswith(_UTF16):
        yield Finding(
            "env-file-encoding",
            shown,
            "is UTF-16, as PowerShell writes it; it was read, but neither docker nor a shell reads it",
            hint="Save it as UTF-8.",
        )
    elif raw.startswith(codecs.BOM_UTF8):
        yield Finding(
            "env-file-encoding",
            shown,
            "begins with a byte order mark, which is left out here and by docker; for a shell it is part of"
            " the first name",
            hint="Save it as UTF-8 without a byte order mark.",
        )
    if count := text.count("\r\n"):
        yield Finding(
            "env-file-crlf",
            shown,
            f"has {plural(count, 'line')} with a Windows line end (CRLF), which is left out here and by"
            " docker; a shell keeps the CR at the end of the value",
            hint="Convert it, for example with dos2unix.",
        )


def _left_out(entry: Entry) -> str:
    """Return why an entry gives no variable here; empty if it gives one, also without a known value."""
    if not entry.key.isprintable() or "\0" in entry.key:
        return "is no name of a variable"
    if entry.scope != "*":
        return f"holds for the environment {clean(entry.scope, 80)} only"
    if entry.file:
        return "is of type File: a job sees the path of a file in place of the value"
    return ""


def _unmasked(found: Variable) -> Variable:
    """Return a variable of a plain file; what GitLab's log puts in place of a value is none."""
    value = found.value.reveal() if isinstance(found.value, Secret) else found.value
    masked = without_mask(value)
    return replace(found, value=masked) if isinstance(masked, Unknown) else found


def _unknown(name: str, where: str, value: object) -> Finding:
    unknown = value if isinstance(value, Unknown) else Unknown()
    is_set = "is set, but" if unknown.is_set else "may be set:"
    return Finding(
        "value-unknown",
        clean(name, 80),
        f"({where}) {is_set} its value is {clean(unknown.in_words(), 200)}",
        hint=f"Export the value and add --set {clean(name, 80)}.",
        severity=Severity.NOTE,
    )


def _notes(reading: Reading, shown: str) -> Iterator[Finding]:
    left = {}
    for entry in reading.entries:
        left[entry.key, entry.scope] = (entry, _left_out(entry))
    notes = [
        Finding("env-file-left-out", clean(entry.key, 80), f"({shown}:{entry.line}) {why}, and was left out")
        if why
        else _unknown(entry.key, f"{shown}:{entry.line}", entry.value)
        for entry, why in left.values()
        if why or isinstance(entry.value, Unknown)
    ]
    for problem in reading.problems:
        where = f"{shown}:{problem.line}" if problem.line else shown
        notes.append(
            Finding(
                "env-file-line", where, f"was not read as it stands: {problem.message}", hint=problem.hint
            )
        )
    yield from _bounded(notes, shown)


def _bounded(notes: Sequence[Finding], shown: str) -> Iterator[Finding]:
    yield from notes[:_MOST_TOLD]
    if len(notes) > _MOST_TOLD:
        yield Finding("env-file-line", shown, f"has {len(notes) - _MOST_TOLD:,} more lines like these")
