"""The table of commands: what each logs in with. A column that has no room is left out, never cut."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dockpass.auth.command import Command
from dockpass.auth.decision import Decision, Refusal, WarningId
from dockpass.findings import Severity
from dockpass.marks import GLYPH_EDITED, GLYPH_FAILED, GLYPH_LOOK, GLYPH_METHOD
from dockpass.text import clean, plural
from dockpass.ui.views.words import Line, Span, cell, length, method_role, shorten

Decided = Decision | Refusal

GAP = 2

_SHORT_WARNINGS: Mapping[str, str] = {
    WarningId.FOREIGN_REGISTRY: "foreign registry",
    WarningId.MAY_NOT_DELETE: "may not delete",
    WarningId.HALF_CREDENTIALS: "half a login",
    WarningId.OPTIONS_IGNORED: "options ignored",
    WarningId.OPTIONS_UNUSED: "options unused",
    WarningId.IGNORE_LOOKS_FALSE: "switch is on",
    WarningId.OLD_VARIABLE: "old name",
    WarningId.OTHERS_ANONYMOUS: "others anonymous",
    WarningId.SENT_TO_MANY: "sent to many",
    WarningId.NO_BUILD_FILE: "images not known",
}


@dataclass(frozen=True, slots=True)
class CommandState:
    """What is decided for a command, and what was decided before the edits.

    `found` has the levels of what else the doctor found about its login.
    """

    command: Command
    now: Decided
    before: Decided
    found: tuple[Severity, ...] = ()


def command_lines(states: Sequence[CommandState], width: int) -> list[Line]:
    """Return one row for each command, in columns that are the same for all.

    The warning has room always. Of the others the secret's name goes first, then the address, the method
    before the edits, and the user.
    """
    rows = [
        _Cells(state.now, state.before, state.found) for state in states if isinstance(state.now, Decision)
    ]
    columns = _fitting(rows, width - _HEAD)
    return [_line(number, state, columns, width) for number, state in enumerate(states, 1)]


_HEAD = 2 + 9
_LAYOUTS = (
    ("change", "user", "where", "secret"),
    ("change", "user", "where"),
    ("change", "user"),
    ("method", "user"),
    ("change",),
    ("method",),
)


def warning_words(decided: Decided) -> str:
    """Return the first warning of a decision in two or three words; empty where there is none."""
    if isinstance(decided, Refusal) or not decided.warnings:
        return ""
    first = decided.warnings[0].id
    return _SHORT_WARNINGS.get(first, str(first))


class _Cells:
    """The cells of a row, by column: a text and its role."""

    def __init__(self, now: Decision, before: Decided, found: Sequence[Severity]) -> None:
        role = method_role(now.method)
        was = ""
        if isinstance(before, Decision) and before.method is not now.method:
            was = f"{before.method.label} → "
        mark: Span = (f"{GLYPH_EDITED} ", "look") if was else (f"{GLYPH_METHOD} ", role)
        method: Span = (now.method.label, role)
        where = clean(_where(now))
        self.columns: dict[str, Line] = {
            "method": (mark, method),
            "change": (mark, *(((was, "absent"),) if was else ()), method),
            "user": ((clean(now.username or "no login"), "text" if now.username else "absent"),),
            "where": ((where, "text" if now.login else "label"),),
            "secret": ((_secret_words(now), "label"),),
        }
        self.warning = _mark(now, found)


def _mark(now: Decided, found: Sequence[Severity]) -> Line:
    """Return what there is to say of a login: errors that were found, and what the decision warns of."""
    errors, others = found.count(Severity.ERROR), found.count(Severity.WARNING)
    warning = warning_words(now)
    spans: list[Span] = []
    if errors:
        spans.append((f"{GLYPH_FAILED} {plural(errors, 'error')}{'  ' if warning else ''}", "bad"))
    if warning:
        more = f" +{others}" if others and not errors else ""
        spans.append((f"{GLYPH_LOOK} {warning}{more}", "look"))
    elif others and not errors:
        spans.append((f"{GLYPH_LOOK} {plural(others, 'warning')}", "look"))
    return tuple(spans)


def _length(cells: Line) -> int:
    return length(cells)


def _fitting(rows: Sequence[_Cells], room: int) -> dict[str, int]:
    """Return the widest layout that fits, as columns with their widths."""
    columns: dict[str, int] = {}
    for layout in _LAYOUTS:
        columns = {name: max((_length(row.columns[name]) for row in rows), default=0) for name in layout}
        before_warning = sum(width + GAP for width in columns.values() if width)
        if before_warning + max((_length(row.warning) for row in rows), default=0) <= room:
            break
    return columns


def _line(number: int, state: CommandState, columns: dict[str, int], width: int) -> Line:
    head: Line = ((f"{number} ", "absent"), (cell(str(state.command), _HEAD - 2), "strong"))
    if isinstance(state.now, Refusal):
        words = shorten(state.now.message, width - _HEAD - 2)
        return (*head, (f"{GLYPH_LOOK} ", "look"), (words, "look"))
    cells = _Cells(state.now, state.before, state.found)
    line: list[Span] = list(head)
    for name, wide in columns.items():
        if wide:
            found = cells.columns[name]
            line += [*found, (" " * (wide + GAP - _length(found)), "text")]
    last = cells.warning
    if not last and "where" not in columns:
        last = cells.columns["where"]
    if _length(tuple(line)) + _length(last) <= width:
        line += last
    return tuple(line)


def _where(decision: Decision) -> str:
    """Return where it logs in: the first host and how many more, else the config that is used."""
    if not decision.login:
        known = "not known here"
        return decision.config_dir or (
            f"of its runner or image, {known}" if decision.config_of_runner else known
        )
    more = f" +{len(decision.login) - 1}" if len(decision.login) > 1 else ""
    return decision.login[0] + more


def _secret_words(decision: Decision) -> str:
    if decision.secret_from is None:
        return ""
    words = "the given password" if decision.secret_from == "option" else decision.secret_from  # noqa: S105
    return f"{words} (not known here)" if decision.secret_from in decision.unknown else words
