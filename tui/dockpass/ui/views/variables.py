"""The list of variables as a job would get them: value, source, flags, what is overridden, what uses it."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum

from dockpass.auth.command import Command, Method
from dockpass.auth.decision import Decision
from dockpass.auth.facts import Source, SourceKind, Variable
from dockpass.auth.rules import READ_BY_RULES, REGISTRY_IMAGE, RULES
from dockpass.marks import GLYPH_EDITED, GLYPH_LOOK, GLYPH_METHOD
from dockpass.secrets import MASK, Secret
from dockpass.session.desk import Seen
from dockpass.text import clean, plural
from dockpass.ui.views.commands import Decided
from dockpass.ui.views.words import WIDE, Line, Span, cell, fitted, length, method_role
from dockpass.unknown import Unknown
from dockpass.variables.catalogue import entry
from dockpass.variables.gitlab.model import OF_GITLAB, Absent, Definition, Level, Reason, Resolved, Value
from dockpass.variables.inwords import (
    flag_letters,
    source_words,
)
from dockpass.variables.logins import is_secret
from dockpass.variables.token_kind import token_kind
from dockpass.variables.undefined import Undefined

NOWHERE_DEFINED = "used, defined nowhere"


@dataclass(frozen=True, slots=True)
class Use:
    """What reads a variable: a word, and the role of its text."""

    word: str
    role: str


class Rank(IntEnum):
    """The order of the list: what needs a look, what a login reads or would read, others, GitLab's own."""

    TROUBLE = 0
    USED = 1
    NOT_SET = 2
    OTHER = 3
    PREDEFINED = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Listed:
    """One variable of the list.

    `found` is what the job gets, `absent` why it gets nothing; without either it is not set anywhere, and
    `used` tells where the job uses it all the same. `remark` says in a few words what needs a look.
    """

    name: str
    found: Resolved | None = None
    absent: Absent | None = None
    edited: bool = False
    use: Use | None = None
    remark: str = ""
    used: Undefined | None = None
    source: str = ""
    """Where a variable of this process comes from; empty for those of a job, which have levels."""

    @property
    def rank(self) -> Rank:
        """Return where it stands in the list."""
        if self.remark:
            return Rank.TROUBLE
        if self.found is None:
            return Rank.NOT_SET
        known = entry(self.name)
        if self.use or self.edited or (known and known.rule):
            return Rank.USED
        winner = self.found.winner
        return Rank.PREDEFINED if winner.level in OF_GITLAB and not winner.origin else Rank.OTHER


def listed_variables(
    seen: Seen, uses: Mapping[str, Use], edited: Collection[str], *, is_whole: bool
) -> tuple[Listed, ...]:
    """Return every variable of a job, those that are absent or used only, and those that a login would read.

    One that is used only needs a look where every source is loaded (`is_whole`).
    """
    view, used = seen.view, {each.name: each for each in seen.undefined}
    names = {*view.variables, *view.absent, *used, *READ_BY_RULES}
    found = (
        Listed(
            name=name,
            found=view.variables.get(name),
            absent=view.absent.get(name),
            edited=name in edited,
            use=uses.get(name),
            used=used.get(name),
            remark=NOWHERE_DEFINED
            if name in used and is_whole and not used[name].elsewhere
            else remark(name, view.variables.get(name), view.absent.get(name)),
        )
        for name in names
    )
    return tuple(sorted(found, key=lambda each: (each.rank, _place(each.name), each.name)))


def _place(name: str) -> int:
    """Return the place of a name among those that a login reads: the strongest rule's come first."""
    ordered = (REGISTRY_IMAGE, *(name for rule in RULES for name in rule.reads))
    return ordered.index(name) if name in ordered else len(ordered)


def listed_here(variables: Mapping[str, Variable], uses: Mapping[str, Use]) -> tuple[Listed, ...]:
    """Return the variables of this process in the same form: nothing is expanded, nothing is overridden."""
    found = {
        name: Resolved(winner=_definition_here(each), gitlab_value=_text(each), value=_text(each))
        for name, each in variables.items()
    }
    listed = (
        Listed(
            name=name,
            found=found.get(name),
            edited=name in found and variables[name].source.kind is SourceKind.EDIT,
            use=uses.get(name),
            source=_origin(variables[name].source) if name in found else "",
        )
        for name in {*found, *READ_BY_RULES}
    )
    return tuple(sorted(listed, key=lambda each: (each.rank, _place(each.name), each.name)))


def _definition_here(variable: Variable) -> Definition:
    secret = isinstance(variable.value, Secret)
    return Definition(key=variable.name, value=_text(variable), level=Level.RUNNER, raw=True, masked=secret)


def _origin(source: Source) -> str:
    return clean(source.detail or str(source.kind), 200)


def _text(variable: Variable) -> Value:
    return variable.value.reveal() if isinstance(variable.value, Secret) else variable.value


def remark(name: str, found: Resolved | None, absent: Absent | None) -> str:
    """Return what needs a look, in a few words; empty where nothing does."""
    if found is None:
        if absent is None or all(each.reason is Reason.UNSET for each in absent.losers):
            return ""
        return short_reason(absent)
    if isinstance(found.value, Unknown) and found.value.may_be_missing:
        return "protected" if found.winner.protected else ""
    if found.winner.level not in OF_GITLAB and found.winner.level is not Level.WHAT_IF:
        hidden = [each for each in found.losers if each.definition.level in OF_GITLAB]
        if hidden and all(each.reason is Reason.WEAKER for each in hidden):
            return "hides GitLab's own"
    return f"cut by {lost[2]}" if (lost := lost_characters(name, found)) else ""


def lost_characters(name: str, found: Resolved) -> tuple[int, int, str] | None:
    """Return of a secret that expansion changes how many characters are left, of how many, and the sign."""
    stored = found.winner.value
    seen = found.content if found.winner.file else found.value
    if not isinstance(stored, str) or not isinstance(seen, str) or not is_secret(name, found):
        return None
    return (len(seen), len(stored), "$") if seen != stored and len(seen) < len(stored) else None


def short_reason(absent: Absent) -> str:
    """Return why a job does not get a variable, in a word or two."""
    first = absent.losers[0]
    words = {
        Reason.PROTECTED: "protected",
        Reason.SCOPE: f"only {clean(first.definition.scope, 80)}",
        Reason.NOT_INHERITED: "not inherited",
        Reason.JOB_ONLY: "job only",
        Reason.UNSET: "unset by you",
    }
    return words.get(first.reason, "overridden")


def uses_of(decided: Iterable[Decided]) -> dict[str, Use]:
    """Return what reads each variable under these decisions; of the others, which rule would read it."""
    uses: dict[str, Use] = {}
    for decision in decided:
        if not isinstance(decision, Decision):
            continue
        role = method_role(decision.method)
        for name in decision.chosen.looked_at:
            if name.isupper():
                uses.setdefault(name, Use(decision.method.label, role))
        if decision.command is not Command.BUILD:
            uses.setdefault(REGISTRY_IMAGE, Use("address", role))
    for rule in RULES:
        if rule.method is not None and rule.method is not Method.AMBIENT:
            for name in rule.reads:
                uses.setdefault(name, Use(rule.method.label, method_role(rule.method)))
    return uses


def matching(listed: Iterable[Listed], text: str) -> list[Listed]:
    """Return those whose name, value or source holds a text; no secret is looked at."""
    return [each for each in listed if text in "\n".join(_searched(each)).casefold()]


def _searched(each: Listed) -> Iterator[str]:
    yield clean(each.name, 255)
    yield each.remark
    if each.found is not None:
        yield source_words(each.found.winner)
        value = each.found.value
        if isinstance(value, str) and not is_secret(each.name, each.found):
            yield clean(value)
    if each.used is not None:
        yield f"{NOWHERE_DEFINED} {each.used.in_words()}"
    if each.absent is not None:
        yield from (source_words(loser.definition) for loser in each.absent.losers)


# Columns: cells with the blank behind them.
_MARK = 2
_FLAGS = 6
_OVER = 5
_LONGEST = 32
_WITH_SOURCE = 66
"""Cells from which the source has a column beside whole names."""


def _columns(width: int) -> tuple[int, int, int, int, bool]:
    """Return the cells of name, value, source and use, and whether flags and overrides have room."""
    room = width - _MARK
    name = _LONGEST if width >= _WITH_SOURCE else min(_LONGEST, max(room * 3 // 7, 20))
    rest = room - name
    if width >= WIDE:
        rest -= _FLAGS + _OVER
        use = 19
        source = max(min(rest // 3, 34), 18)
        return name, rest - use - source, source, use, True
    if width < _WITH_SOURCE:
        return max(min(_LONGEST, room - 16), 8), max(room - _LONGEST, 16), 0, 0, False
    source = max(rest // 3, 12)
    return name, rest - source, source, 0, False


def heading(width: int) -> Line:
    """Return the names of the columns."""
    name, value, source, _, whole = _columns(width)
    words = f"{'':{_MARK}}{'name':{name}}{'value':{value}}{'from' if source else '':{source}}"
    return ((words + ("flags over used by" if whole else ""), "heading"),)


def variable_row(each: Listed, width: int) -> Line:
    """Return one row of the list."""
    name, value, source, use, whole = _columns(width)
    faint = each.found is None and each.absent is None
    role = "bad" if each.remark and each.found is None else "absent" if faint and not each.used else "text"
    spans: list[Span] = [_mark(each), (cell(clean(each.name, 255), name - 1) + " ", role)]
    spans += _padded(value_spans(each, value - 1), value)
    winner = _definition_of(each)
    if each.source:
        spans.append((cell(each.source, source), "look" if each.edited else "label"))
        winner = None
    elif each.used is not None:
        spans.append((cell(clean(str(each.used.place), 200), source - 1) + " " if source else "", "label"))
    elif winner is not None:
        edit = winner.level is Level.WHAT_IF
        words = cell(source_words(winner), source - 1) + " " if source else ""
        spans.append((words, "look" if edit else "label"))
    else:
        spans.append((" " * source, "text"))
    if whole:
        flags = flag_letters(winner) if winner is not None else ""
        over = str(len(each.found.losers)) if each.found is not None and each.found.losers else ""
        spans += [(cell(flags, _FLAGS), "label"), (over.rjust(_OVER - 2) + "  ", "label")]
        spans.append(_use_span(each, use))
    return tuple(spans)


def _use_span(each: Listed, room: int) -> Span:
    if each.remark and each.found is not None:
        return (fitted(each.remark, room), "look")
    if each.use is None or (each.found is None and each.absent is None):
        return ("", "text")
    return (fitted(each.use.word, room), each.use.role)


def _definition_of(each: Listed) -> Definition | None:
    if each.found is not None:
        return each.found.winner
    return each.absent.losers[0].definition if each.absent is not None else None


def _mark(each: Listed) -> Span:
    if each.remark:
        return (f"{GLYPH_LOOK} ", "look")
    if each.edited:
        return (f"{GLYPH_EDITED} ", "look")
    if each.use and each.found is not None:
        return (f"{GLYPH_METHOD} ", each.use.role)
    return ("  ", "text")


def _padded(spans: list[Span], width: int) -> list[Span]:
    taken = length(spans)
    return [*spans, (" " * max(width - taken, 0), "text")]


def value_spans(each: Listed, room: int) -> list[Span]:
    """Return the value in a width: a secret as length and kind only, what is not known in words."""
    if each.found is None:
        if each.used is not None:
            return [(fitted(NOWHERE_DEFINED, room), "bad" if each.remark else "look")]
        if each.absent is None:
            return [("not set", "absent")]
        words = short_reason(each.absent)
        return [("absent", "bad"), (fitted(f"  {words}", max(room - 6, 0)), "label")]
    text, role = shown_value(each.name, each.found, room)
    return [(fitted(text, room), role)]


def shown_value(name: str, found: Resolved, room: int) -> tuple[str, str]:
    """Return a value as it is shown, and its role."""
    value = found.content if found.winner.file else found.value
    if isinstance(value, Unknown):
        if value.may_be_missing and not found.winner.protected:
            return _fitting(("unknown, may be missing", "may be missing"), room), "label"
        if value.may_be_missing:
            return _fitting(("only if the ref is protected", "if protected"), room), "look"
        known = entry(name)
        is_plain = found.winner.level in OF_GITLAB and not (known and known.rule)
        words = _fitting(("present, value unknown", "value unknown", "unknown"), room)
        return words, "label" if is_plain else "look"
    if value is None or value == "":
        return ("empty file" if found.winner.file else "empty"), "look"
    if found.winner.file:
        return _fitting(
            (f"{MASK} file, {plural(len(value.encode('utf-8', 'replace')), 'byte')}",), room
        ), "look"
    if not is_secret(name, found):
        return clean(value, 2000), "text"
    if lost := lost_characters(name, found):
        return f"{MASK} {lost[0]} of {plural(lost[1], 'character')}", "look"
    kind = token_kind(Secret(value)).removeprefix("GitLab ")
    size, short = plural(len(value), "character"), str(len(value))
    long = (f"{size}, {kind}", f"{short}, {kind}") if kind else (size,)
    return f"{MASK} {_fitting((*long, size, short), room - len(MASK) - 1)}", "look"


def _fitting(choices: Sequence[str], room: int) -> str:
    return next((each for each in choices if len(each) <= room), choices[-1])
