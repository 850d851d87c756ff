"""The job that is looked at: what it is, behind the keys that change it, and which logins it leads to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dockpass.auth.decision import Decision
from dockpass.marks import GLYPH_LOOK
from dockpass.text import clean
from dockpass.ui.views.commands import CommandState, Decided, warning_words
from dockpass.ui.views.words import WIDE, Line, Span, cells, fitted, length, method_role
from dockpass.variables.gitlab.model import Ref
from dockpass.variables.inwords import protection_words, ref_words, source_of_pipeline


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What the list is about, in words."""

    job: str
    ref: Ref
    environment: str
    source: str


def context_line(context: Context, keys: Mapping[str, str], width: int) -> Line:
    """Return what is looked at, each part behind the key that changes it; the last ones give way."""
    protected = {True: "good", False: "look", None: "look"}[context.ref.protected]
    parts: tuple[tuple[str, str, str, str], ...] = (
        (keys["job"], "job", context.job, "text"),
        (keys["ref"], "ref", ref_words(context.ref), "text"),
        (keys["protection"], "", protection_words(context.ref), protected),
        (keys["environment"], "environment", context.environment, "text"),
        (keys["pipeline_source"], "started by", source_of_pipeline(context.source), "text"),
    )
    fixed = sum(cells(key) + 1 + cells(label) + bool(label) for key, label, _, _ in parts)
    gap = 4 if width >= WIDE else 2
    room = width - fixed - gap * (len(parts) - 1)
    words = _shared([text for _, _, text, _ in parts], room)
    spans: list[Span] = []
    for (key, label, _, role), shown in zip(parts, words, strict=True):
        if spans:
            spans.append((" " * gap, "text"))
        spans += [(f"{key} ", "accent"), (f"{label} " if label else "", "label"), (shown, role)]
    return tuple(spans)


def _shared(texts: Sequence[str], room: int) -> list[str]:
    """Cut the longest texts until all fit."""
    lengths = [cells(text) for text in texts]
    while sum(lengths) > room and max(lengths) > 6:
        lengths[lengths.index(max(lengths))] -= 1
    return [fitted(text, length) for text, length in zip(texts, lengths, strict=True)]


def logins_line(states: Sequence[CommandState], width: int, *, changed: bool) -> Line:
    """Return what a change did to the logins, or, without a change, which there are."""
    head: Line = (("Logins  ", "label"),)
    moved = [state for state in states if _shape(state.now) != _shape(state.before)] if changed else []
    if moved:
        count = f"{len(moved)} of the {len(states)} logins"
        short: Line = (("this changes ", "label"), (count, "strong"))
        return _fitted([*((*head, *_moves(moved, words=words)) for words in (True, False)), short], width)
    same: Line = (("no change: ", "label"),) if changed else ()
    return _fitted(
        [
            (*head, *same, *_grouped(states, words=True)),
            (*head, *same, *_grouped(states, words=False)),
            (*same, *_grouped(states, words=False)),
            (*same, *_counted(states)),
        ],
        width,
    )


def _fitted(choices: Sequence[Line], width: int) -> Line:
    """Return the first that fits; the last one is cut."""
    for line in choices:
        if length(line) <= width:
            return line
    room, spans = width, []
    for text, role in choices[-1]:
        spans.append((fitted(text, room), role) if room > 0 else ("", role))
        room -= cells(text)
    return tuple(spans)


def _moves(states: Sequence[CommandState], *, words: bool) -> list[Span]:
    spans: list[Span] = []
    groups: dict[tuple[object, object, str], list[CommandState]] = {}
    for state in states:
        key = (_shape(state.before), _shape(state.now), warning_words(state.now))
        groups.setdefault(key, []).append(state)
    for alike in groups.values():
        state = alike[0]
        commands = ", ".join(str(each.command) for each in alike)
        spans += [("   " if spans else "", "text"), (f"{commands} ", "strong")]
        if _method(state.now) != _method(state.before):
            spans += [_method(state.before), (" → ", "label"), _method(state.now)]
        else:
            spans += [_method(state.now), (f" at {_where(state.now)}", "text")]
        spans += _whose(state.now, words=words)
        spans += _warned(state.now, words=words)
    return spans


def _whose(decided: Decided, *, words: bool) -> list[Span]:
    """Return that docker's config is not the one of this machine, where there is room for it."""
    of_runner = isinstance(decided, Decision) and decided.config_of_runner
    return [(" of its runner or image, not known here", "label")] if of_runner and words else []


def _warned(decided: Decided, *, words: bool) -> list[Span]:
    found = warning_words(decided)
    return [(f" {GLYPH_LOOK}{f' {found}' if words else ''}", "look")] if found else []


def _grouped(states: Sequence[CommandState], *, words: bool) -> list[Span]:
    groups: dict[tuple[Span, str], list[CommandState]] = {}
    for state in states:
        groups.setdefault((_method(state.now), warning_words(state.now)), []).append(state)
    spans: list[Span] = []
    for (method, _), alike in groups.items():
        commands = ", ".join(str(each.command) for each in alike)
        spans += [("   " if spans else "", "text"), (f"{commands} ", "text"), method]
        spans += _whose(alike[0].now, words=words)
        spans += _warned(alike[0].now, words=words)
    return spans


def _counted(states: Sequence[CommandState]) -> list[Span]:
    """Return how many commands use which method, such as `4 of 5 commands use autologin, 1 docker's own`."""
    counted = Counter(_method(state.now) for state in states).most_common()
    spans: list[Span] = []
    for method, count in counted:
        first = (
            f"{count} of {len(states)} commands use " if len(counted) > 1 else f"all {count} commands use "
        )
        spans += [(f", {count} " if spans else first, "label"), method]
    return spans


def _shape(decided: Decided) -> tuple[Span, str]:
    return _method(decided), _where(decided)


def _method(decided: Decided) -> Span:
    if isinstance(decided, Decision):
        return (decided.method.label, method_role(decided.method))
    return ("no repository", "look")


def _where(decided: Decided) -> str:
    return clean(decided.login[0]) if isinstance(decided, Decision) and decided.login else "no registry"
