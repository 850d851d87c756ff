"""The list of findings under an error message: what explains it, then what it can mean, then the rest."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from dockpass.doctor.examine import Found
from dockpass.doctor.symptoms import explaining, firing_first
from dockpass.doctor.table import TABLE
from dockpass.doctor.visit import Visit
from dockpass.text import clean
from dockpass.ui.views.doctor import Item, finding_row
from dockpass.ui.views.words import Line, fitted

_MOST_EXPLAINING = 12


def explained(items: Sequence[Item], visit: Visit, symptom: str, said: str) -> list[tuple[str, Item]]:
    """Return every finding and the checks that explain an error message, each with its heading.

    `said` is what may be shown of the message.
    """
    fired, others = firing_first(explaining(symptom, TABLE), visit.found)
    words = f"“{fitted(clean(said.strip().splitlines()[0], 400), 60)}”"
    first = [each for found in fired for each in _with_singles(items, found)]
    may = [Item(key=f"check {each.id}", check=each) for each in others[:_MOST_EXPLAINING]]
    also = "It can also mean" if first else f"{words} can mean"
    return [
        *((f"What was found that explains {words}", each) for each in first),
        *((also, each) for each in may),
        *(("Everything else that was found", each) for each in items if each not in first),
    ]


def _with_singles(items: Sequence[Item], found: Found) -> list[Item]:
    keys = {each.key for each in items if each.found is found}
    return [each for each in items if each.key in keys or each.within in keys]


def headed(items: Iterable[tuple[str, Item]], width: int, home: str) -> Iterator[tuple[str | None, Line]]:
    """Yield the rows, a heading above the first of each."""
    told = ""
    for head, item in items:
        if head != told:
            if told:
                yield None, ()
            yield None, ((head, "heading"),)
            told = head
        yield item.key, finding_row(item, width, home)
