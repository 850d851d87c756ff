"""One look at everything: who was looked at, what was found, what of it is muted, what was not checked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from dockpass.doctor.check import Need, Patient
from dockpass.doctor.examine import Found, examine
from dockpass.doctor.grouping import grouped
from dockpass.doctor.muting import muting
from dockpass.doctor.table import TABLE
from dockpass.findings import Severity
from dockpass.settings import Mute
from dockpass.text import clean, plural

_MOST_JOBS = 4
_WORDS = ((Severity.ERROR, "error"), (Severity.WARNING, "warning"), (Severity.NOTE, "note"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """Who was looked at, what was found, and what of it is muted."""

    patients: tuple[Patient, ...]
    found: tuple[Found, ...]
    muted: tuple[tuple[Found, Mute], ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def not_run(self) -> dict[Need, int]:
        """How many checks had nothing to look at, by what was missing."""
        there = frozenset[Need]().union(*(patient.has for patient in self.patients))
        return dict(Counter(check.need.first_lacking(there) for check in TABLE if check.need not in there))

    @property
    def clear(self) -> int:
        """How many checks were run and found nothing."""
        fired = {each.check.id for each in self.found} | {each.check.id for each, _ in self.muted}
        return len(TABLE) - sum(self.not_run.values()) - len(fired)


def visit(
    patients: Iterable[Patient], mutes: Sequence[Mute], notes: Iterable[str] = (), *, about: str = ""
) -> Visit:
    """Run every check over the patients; what is muted stands apart, with its reason.

    With `about`, a pattern, only what is about that is found, and each finding stands for itself.
    """
    looked_at = tuple(patients)
    examined = examine(looked_at, TABLE)
    if about:
        examined = tuple(each for each in examined if fnmatchcase(each.finding.about, about))
    found, muted = judged(examined, mutes, tuple if about else grouped)
    return Visit(patients=looked_at, found=found, muted=muted, notes=tuple(notes))


def judged(
    found: Sequence[Found],
    mutes: Sequence[Mute],
    put_together: Callable[[Iterable[Found]], tuple[Found, ...]] = grouped,
) -> tuple[tuple[Found, ...], tuple[tuple[Found, Mute], ...]]:
    """Return what counts and what is muted, each with like findings as one."""
    silent: dict[Mute, list[Found]] = {}
    counting: list[Found] = []
    for each in found:
        mute = muting(each, mutes)
        (counting if mute is None else silent.setdefault(mute, [])).append(each)
    muted = ((each, mute) for mute, those in silent.items() for each in put_together(those))
    return put_together(counting), tuple(muted)


def skipped_lines(of: Visit) -> Iterator[str]:
    """Yield how many checks had nothing to look at, and what was missing."""
    for need, count in of.not_run.items():
        yield f"{plural(count, 'check')} skipped: {'it needs' if count == 1 else 'they need'} {need}."


def jobs_in_words(jobs: Sequence[str]) -> str:
    """Return ` (in build, test)` for the end of a line; empty for none."""
    if not jobs:
        return ""
    shown = ", ".join(clean(name, 80) for name in jobs[:_MOST_JOBS])
    more = f" and {len(jobs) - _MOST_JOBS} more" if len(jobs) > _MOST_JOBS else ""
    return f" (in {shown}{more})"


def by_level(found: Iterable[Found]) -> tuple[tuple[Severity, str], ...]:
    """Return how many findings there are of each level, the worst first, such as `2 errors`."""
    count = Counter(each.finding.severity for each in found)
    return tuple((level, plural(count[level], word)) for level, word in _WORDS if count[level])


def counts(found: Sequence[Found]) -> str:
    """Return `1 error, 2 warnings.`"""
    told = [words for _, words in by_level(found)]
    return f"{', '.join(told)}." if told else "Nothing found."
