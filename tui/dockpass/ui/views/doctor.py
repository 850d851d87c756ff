"""The doctor: findings by weight, why each matters, how to fix it, and what the fix changes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from re import findall

from dockpass.auth.command import Command
from dockpass.auth.facts import Facts
from dockpass.doctor.check import Check, Need
from dockpass.doctor.concerning import concerned
from dockpass.doctor.examine import Found
from dockpass.doctor.grouping import named, same_words
from dockpass.doctor.places import place_of
from dockpass.doctor.trying import Tried
from dockpass.doctor.visit import Visit, by_level
from dockpass.marks import GLYPH_DONE, GLYPH_LOOK, GLYPH_NOT_REACHED, OF_SEVERITY
from dockpass.settings import Mute
from dockpass.text import clean, plural
from dockpass.ui.views.overview import shown_value
from dockpass.ui.views.words import (
    OF_LEVEL,
    WIDE,
    Line,
    Span,
    cell,
    cells,
    from_home,
    hanging,
    length,
    shorten,
)
from dockpass.variables.catalogue import entry_of
from dockpass.variables.gitlab.model import Definition
from dockpass.variables.inwords import source_words

_LABEL = 16
_NAME = 32
_GAP = 2
_WITH_PLACE = 84
"""Cells from which the place has a column."""
_MOST_SEEN = 4
_MOST_NAMED = 60
_MOST_LISTED = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One row: a finding, muted or not, or a check that found nothing and may explain an error message.

    `within` is the key of the row that it belongs to, where several findings are told as one.
    """

    key: str
    check: Check
    found: Found | None = None
    mute: Mute | None = None
    within: str = ""


def items_of(visit: Visit, unfolded: Collection[str] = ()) -> list[Item]:
    """Return the findings by weight, muted ones last; below one that is `unfolded` each single one too."""
    keys: dict[str, int] = {}

    def item(each: Found, mute: Mute | None = None, within: str = "") -> Item:
        key = f"{each.check.id} {each.finding.id} {each.finding.about}"
        keys[key] = keys.get(key, 0) + 1
        return Item(key=f"{key} {keys[key]}", check=each.check, found=each, mute=mute, within=within)

    items = []
    for each, mute in (*((each, None) for each in visit.found), *visit.muted):
        items.append(one := item(each, mute))
        if one.key in unfolded:
            items += [item(single, mute, one.key) for single in each.members]
    return items


def count_spans(found: Iterable[Found]) -> Line:
    """Return how many findings there are of each level, each in its colour."""
    counted = enumerate(by_level(found))
    return tuple((f"{'  ' if at else ''}{words}", OF_LEVEL[level]) for at, (level, words) in counted)


def finding_row(item: Item, width: int, home: str) -> Line:
    """Return a finding as a row: the mark, what it says, which commands it concerns, and where it is."""
    each = item.found
    if each is None:
        return (
            (f"{GLYPH_NOT_REACHED} ", "label"),
            (cell(item.check.title.rstrip("."), width - 14), "label"),
            (f"  {item.check.id}", "absent"),
        )
    level = each.finding.severity
    mark: Span = (f"{OF_SEVERITY[level]} ", OF_LEVEL[level])
    words, role = each.finding.in_words, "text"
    if item.within:
        mark = ("    ", "text")
    if item.mute is not None:
        role = "absent"
        if not item.within:
            mark, words = (f"{GLYPH_NOT_REACHED} ", "absent"), f"muted: {words}"
    of_commands, of_where = _columns(width)
    told = shorten(commands_in_words(each), of_commands) if of_commands else ""
    where = shorten(where_in_words(each, home), of_where) if of_where else ""
    room = width - len(mark[0]) - (of_where + _GAP if of_where else 0) - (of_commands + _GAP if told else 0)
    gap = " " * _GAP
    return (
        mark,
        (cell(shorten(words, room), room), role),
        (f"{gap}{cell(told, of_commands)}" if told else "", "label"),
        (f"{gap}{cell(where, of_where)}" if of_where else "", "label"),
    )


def _columns(width: int) -> tuple[int, int]:
    """Return the cells of the commands and of the place; none where the words need the room."""
    if width < _WITH_PLACE:
        return 0, 0
    return (18 if width >= WIDE else 0), min(20 + max(width - WIDE, 0) // 8, 36)


def commands_in_words(each: Found) -> str:
    """Return the commands whose login a finding is about."""
    found = concerned(each)
    others = [str(command) for command in Command if command not in found]
    if not others:
        return "every command"
    return f"all but {others[0]}" if len(others) == 1 else ", ".join(map(str, found))


def where_in_words(each: Found, home: str) -> str:
    """Return where a finding is: file and line, the settings, or the variable's source. Clean.

    Of several that are told as one it is what all have, or the number of places.
    """
    if each.members:
        places = list(dict.fromkeys(where_in_words(single, home) for single in each.members))
        return places[0] if len(places) == 1 else plural(len(places), "place")
    place = place_of(each.patient, each.finding)
    if place.line:
        return from_home(clean(str(place), 300), home)
    about = each.finding.about
    definition = definition_of(each, about)
    if definition is not None:
        return clean(source_words(definition), 200)
    if (variable := each.patient.facts.variables.get(about)) is not None:
        return from_home(clean(variable.source.detail or str(variable.source.kind), 200), home)
    if about.startswith("--"):
        return "option"
    if each.check.need is Need.CONFIG and each.patient.config is not None:
        return from_home(clean(str(each.patient.config.path), 300), home)
    return from_home(about, home) if about.startswith("/") else ""


def definition_of(each: Found, name: str) -> Definition | None:
    """Return the definition of a variable that a job gets, or that it does not get."""
    view = each.patient.view
    if view is None:
        return None
    if found := view.variables.get(name):
        return found.winner
    absent = view.absent.get(name)
    return absent.losers[0].definition if absent and absent.losers else None


def end_rows(visit: Visit, keys: Mapping[str, str]) -> list[Line]:
    """Return what stands below the findings: how many checks found nothing, and which had nothing to look at.

    `keys` are those of the actions that give them something.
    """
    clear = plural(visit.clear, "check")
    lines: list[Line] = [((f"{GLYPH_DONE} ", "good"), (f"{clear} found nothing", "text"))]
    if not visit.found and not visit.muted:
        nothing = "No problem found in what could be checked here."
        lines = [((f"{GLYPH_DONE} ", "good"), (nothing, "text")), (), *lines]
    for need, count in visit.not_run.items():
        words = f"{plural(count, 'check')} {'needs' if count == 1 else 'need'} {need}"
        hint = _hint(need, keys)
        lines.append(((f"{GLYPH_NOT_REACHED} ", "absent"), (words, "label"), *hint))
    lines += [((f"{GLYPH_LOOK} ", "look"), (note, "text")) for note in visit.notes]
    return lines


def _hint(need: Need, keys: Mapping[str, str]) -> Line:
    words = {Need.REGISTRY: ("ask", "asks it"), Need.JOB: ("variables", "chooses one")}.get(need)
    if words is None or not keys.get(words[0]):
        return ()
    return ((": ", "label"), (keys[words[0]], "accent"), (f" {words[1]}", "label"))


def detail_lines(
    item: Item, tried: Sequence[Tried] | None, keys: Mapping[str, str], home: str, width: int
) -> list[Line]:
    """Return what was seen, why it matters, the fix, and what the fix changes.

    `tried` is None while the fix is tried.
    """
    check, each = item.check, item.found
    lines: list[Line] = []
    if each is not None:
        lines += _labelled("Seen", each.finding.in_words, "strong", width)
        lines += _all_of(each, keys, width) if each.members else _seen(each, home, width)
        lines.append(())
    lines += [*_labelled("Why it matters", check.matters, "text", width), ()]
    lines += _labelled("Fix", fix_in_words(item), "text", width)
    lines += _tried_lines(item, tried, keys, width)
    if item.mute is not None:
        lines += [(), *_labelled("Muted because", clean(item.mute.because, 300), "text", width)]
    ids = f"{check.id}  {each.finding.id if each else check.name}"
    source = f"  {check.source}" if check.source.startswith("https://") else ""
    return [*lines, (), *hanging(((cell("", _LABEL), "text"),), f"{ids}{source}", "absent", width)]


def first_to_try(tried: Sequence[Tried]) -> Tried | None:
    """Return the first fix that can be made as edits."""
    return next((each for each in tried if each.edits), None)


def _labelled(label: str, text: str, role: str, width: int) -> list[Line]:
    return hanging(((cell(label, _LABEL), "heading"),), text, role, width)


def fix_in_words(item: Item) -> str:
    """Return what to do about a finding."""
    return (item.found.finding.hint if item.found else "") or item.check.fix


def _seen(each: Found, home: str, width: int) -> Iterator[Line]:
    """Yield the variables and options that a finding names: a secret only as length and kind."""
    facts = each.patient.facts
    for name in _names(each)[:_MOST_SEEN]:
        option = name.startswith("--")
        entry = entry_of(name.removeprefix("--"))
        if option != entry.option:
            continue
        head: Line = ((cell("", _LABEL), "text"), (cell(name, min(_NAME, max(cells(name) + 2, 20))), "text"))
        room = max(width - length(head), 12)
        value, role = shown_value(entry, facts, room)
        if each.patient.view is not None and name in each.patient.view.absent:
            value = "missing"
        source = _source(each, name, facts, home)
        tail = f"  {source}" if source and cells(value) + cells(source) + 2 <= room else ""
        yield (*head, (shorten(value, room), role), (tail, "label"))


def _all_of(each: Found, keys: Mapping[str, str], width: int) -> Iterator[Line]:
    """Yield what is told as one: the names and what is said of the first, or a line for each."""
    indent: Line = ((cell("", _LABEL), "text"),)
    if same_words(each):
        yield from hanging(indent, f"{each.members[0].finding.in_words}.", "text", width)
        yield from _labelled("Which", named(each, _MOST_NAMED), "text", width)
    else:
        for number, single in enumerate(each.members[:_MOST_LISTED]):
            yield from _labelled("" if number else "Which", single.finding.in_words, "text", width)
        if (rest := len(each.members) - _MOST_LISTED) > 0:
            yield (*indent, (f"and {rest:,} more", "text"))
    yield (*indent, (keys["each"], "accent"), (" shows each by itself, with its own fix", "label"))


def _names(each: Found) -> list[str]:
    facts, view = each.patient.facts, each.patient.view
    told = [
        each.finding.about,
        *findall(r"(?<![\w-])(?:--[a-z-]+|[A-Z][A-Z0-9_]{2,})(?!\w)", each.finding.message),
    ]
    absent = view.absent.keys() if view is not None else frozenset()
    there = [name for name in told if name in facts.variables or name in absent or name.startswith("--")]
    return list(dict.fromkeys(there))


def _source(each: Found, name: str, facts: Facts, home: str) -> str:
    definition = definition_of(each, name)
    if definition is not None:
        return clean(source_words(definition), 120)
    variable = facts.variables.get(name)
    if variable is None:
        return ""
    return from_home(clean(variable.source.detail or str(variable.source.kind), 120), home)


def _tried_lines(
    item: Item, tried: Sequence[Tried] | None, keys: Mapping[str, str], width: int
) -> Iterator[Line]:
    if item.found is None or item.found.check.mend is None or item.mute is not None:
        return
    if tried is None:
        yield ()
        yield from _labelled("Tried", "trying the fix", "label", width)
    can_try = first_to_try(tried or ())
    for number, each in enumerate(tried or ()):
        yield ()
        yield from _labelled("Tried" if number == 0 else "or", each.in_words, "text", width)
        for effect in each.changes:
            yield from hanging(((cell("", _LABEL), "text"),), effect, "label", width)
        if each is can_try:
            yield (
                (cell("", _LABEL), "text"),
                (keys["try"], "accent"),
                (" tries it here, and changes no file", "label"),
            )
