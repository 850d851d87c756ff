"""One variable in detail: what the job gets and from where, what lost and why, the values on the way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from dockpass.marks import GLYPH_DONE, GLYPH_FAILED, GLYPH_LOOK, GLYPH_NOT_REACHED
from dockpass.secrets import MASK, Secret
from dockpass.text import clean, plural
from dockpass.ui.views.variables import Listed, lost_characters
from dockpass.ui.views.words import Line, Span, cell, fitted, hanging
from dockpass.unknown import Unknown
from dockpass.variables.catalogue import entry
from dockpass.variables.gitlab.model import Definition, Level, Loser, Reason, Ref, Resolved, Value
from dockpass.variables.inwords import (
    flag_words,
    level_words,
    reason_words,
    source_words,
)
from dockpass.variables.logins import is_secret
from dockpass.variables.token_kind import describe_secret

_SOURCE = 17
_LONGEST_VALUE = 400


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What a detail may say of the job.

    `looked` are the sources that were looked at, each with what to say where it does not name the variable;
    `not_loaded` tells in sentences what was not looked at.
    """

    ref: Ref
    of_job: bool = True
    looked: tuple[tuple[str, str], ...] = ()
    not_loaded: tuple[str, ...] = ()


def detail_lines(each: Listed, around: Around, width: int) -> list[Line]:
    """Return the sentence, the chain with its reasons, the values on the way, and what it means."""
    lines: list[Line] = [*_sentence(each, around), ()]
    if around.of_job:
        chain = list(_chain(each, around, width))
        lines += [*chain, ()] if chain else []
    if each.found is not None:
        lines += _values(each.name, each.found, width)
    known = entry(each.name)
    if known is not None:
        lines += hanging((("Means  ", "heading"),), f"{known.means}.", "label", width)
    while lines and not lines[-1]:
        lines.pop()
    return lines


def _sentence(each: Listed, around: Around) -> Iterator[Line]:
    name = clean(each.name, 255)
    if each.found is not None:
        yield from _found_sentence(name, each.found, around, each.source)
    elif each.absent is not None:
        yield from _absent_sentence(name, each.absent.losers[0], around)
    elif each.used is not None:
        yield ((name, "strong"), (f" is used in {each.used.in_words()}.", "text"))
        yield (("Nothing that is loaded defines it.", "bad" if each.remark else "look"),)
    else:
        yield ((name, "strong"), (" is not set.", "text"))


def _found_sentence(name: str, found: Resolved, around: Around, source: str) -> Iterator[Line]:
    winner = found.winner
    subject: list[Span] = [(name, "strong")]
    if isinstance(found.value, Unknown) and found.value.may_be_missing and found.winner.protected:
        yield (
            *subject,
            (" is there only if ", "text"),
            (clean(around.ref.name, 100), "strong"),
            (f" is protected: {level_words(winner)} is protected.", "text"),
        )
        return
    if isinstance(found.value, Unknown):
        why = found.value.why or "it depends on a value that is not known here"
        state = "may be missing" if found.value.may_be_missing else "is present"
        yield (*subject, (f" {state}, and its value is not known here: {clean(why, 200)}.", "text"))
        return
    empty = " is empty, and counts as not set. It" if found.value == "" else ""
    where = level_words(winner).removeprefix("the value in ")
    over = ""
    if len(found.losers) == 1:
        over = f" and overrides {level_words(found.losers[0].definition)}"
    elif found.losers:
        over = f" and overrides {plural(len(found.losers), 'other definition')}"
    yield (*subject, (f"{empty} comes from {source or where}{over}.", "text"))


def _absent_sentence(name: str, loser: Loser, around: Around) -> Iterator[Line]:
    what = level_words(loser.definition)
    start: tuple[Span, ...] = ((name, "strong"), (" is absent: ", "text"))
    match loser.reason:
        case Reason.PROTECTED:
            yield (
                *start,
                (f"{what} is protected, and ", "text"),
                (clean(loser.detail or around.ref.name, 100), "strong"),
                (" is not.", "text"),
            )
        case Reason.SCOPE:
            scope = clean(loser.definition.scope, 80)
            job = f"this one is {clean(loser.detail, 80)}" if loser.detail else "this job has none"
            yield (
                *start,
                (f"{what} is for the environment ", "text"),
                (scope, "strong"),
                (f", and {job}.", "text"),
            )
        case Reason.NOT_INHERITED:
            yield (*start, ("the job's inherit:variables leaves it out.", "text"))
        case Reason.UNSET:
            yield (*start, ("you unset it. Nothing outside of this screen has changed.", "text"))
        case _:
            yield (*start, (f"{what}: {reason_words(loser)}.", "text"))


def _not_loaded(around: Around, width: int) -> Iterator[Line]:
    for words in around.not_loaded:
        yield from hanging(((f"{GLYPH_LOOK} ", "look"),), words, "label", width)


def _chain(each: Listed, around: Around, width: int) -> Iterator[Line]:
    """Yield the winner and every loser, strongest first, each with its reason, flags and place."""
    if each.found is not None:
        yield from _chain_row(each.found.winner, GLYPH_DONE, "good", "used", width)
    losers = each.found.losers if each.found is not None else each.absent.losers if each.absent else ()
    for loser in losers:
        weaker = loser.reason in {Reason.WEAKER, Reason.LATER, Reason.SCOPE_RANK}
        glyph, role = (GLYPH_NOT_REACHED, "absent") if weaker else (GLYPH_FAILED, "bad")
        yield from _chain_row(_told_of(loser), glyph, role, reason_words(loser), width)
    if each.found is None:
        named = {_source(loser.definition) for loser in losers}
        for source, words in around.looked:
            if source not in named:
                head: Line = ((f"{GLYPH_NOT_REACHED} ", "absent"), (f"{cell(source, _SOURCE)} ", "text"))
                yield from hanging(head, words, "label", width)
        yield from _not_loaded(around, width)


def _source(definition: Definition) -> str:
    return "YAML" if definition.level is Level.YAML else source_words(definition)


def _told_of(loser: Loser) -> Definition:
    """Return a definition without the flag that its reason tells already."""
    match loser.reason:
        case Reason.PROTECTED:
            return replace(loser.definition, protected=False)
        case Reason.SCOPE:
            return replace(loser.definition, scope="*")
    return loser.definition


def _chain_row(definition: Definition, glyph: str, role: str, reason: str, width: int) -> list[Line]:
    source = source_words(definition)
    room = max(_SOURCE, min(len(source), 30))
    head: Line = ((f"{glyph} ", role), (f"{cell(source, room)} ", "text"))
    flags = flag_words(definition)
    return hanging(head, f"{reason}{f'; {flags}' if flags else ''}", "label", width)


def _values(name: str, found: Resolved, width: int) -> Iterator[Line]:
    """Yield the value as written, as GitLab sends it and as the job sees it, where they differ."""
    secret = is_secret(name, found)
    seen: Value | None = found.content if found.winner.file else found.value
    stages: list[tuple[str, Value | None]] = [
        ("as written", found.winner.value),
        ("sent by GitLab", found.gitlab_value),
        ("in the file" if found.winner.file else "in the job", seen),
    ]
    if isinstance(found.winner.value, Unknown) or all(value == seen for _, value in stages):
        stages = stages[-1:]
        stages[0] = ("value", seen)
    rows: list[tuple[str, str, str]] = [(title, *_shown(value, secret=secret)) for title, value in stages]
    if found.winner.file and isinstance(found.value, str):
        rows.append(("the job gets", f"the path of a file: {clean(found.value, 200)}", "text"))
    for title, words, role in rows:
        yield from hanging(((f"{cell(title, 15)} ", "label"),), words, role, width)
    if lost := lost_characters(name, found):
        left, of, sign = lost
        words = (
            f"{plural(of - left, 'character')} lost to expansion: {sign} begins a reference."
            f" Write {sign}{sign} for it, or turn off “Expand variable reference”."
        )
        yield from hanging(((f"{GLYPH_LOOK} ", "look"),), words, "text", width)
    for step in found.steps:
        words = f"{clean(step.reference, 100)} → the value of {clean(step.source, 100)}, by {step.by}"
        yield from hanging(((f"{cell('replaced', 15)} ", "label"),), words, "text", width)
    yield ()


def _shown(value: Value | None, *, secret: bool) -> tuple[str, str]:
    if isinstance(value, Unknown):
        return f"not known here{f': {clean(value.why, 200)}' if value.why else ''}", "look"
    if not value:
        return "empty", "look"
    if secret:
        return f"{MASK} {describe_secret(Secret(value))}", "look"
    return fitted(clean(value, 4000), _LONGEST_VALUE), "text"
