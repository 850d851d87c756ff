"""A judgement on a response, and a row of the table that finds it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from dockpass.registry.answer import Answer, Where
from dockpass.registry.flavour import Flavour
from dockpass.registry.forms import Form


class Outcome(StrEnum):
    """What the response says about what was asked."""

    CREDENTIALS = "credentials"  # they were not accepted
    REFUSED = "refused"
    ABSENT = "absent"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a response means and what to do next.

    `id` is a probe's finding; `error_id` is a run's error where that is coarser. `{login}` in the meaning
    stands for the user name.
    """

    id: str
    outcome: Outcome
    meaning: str
    hint: str = ""
    error_id: str = ""

    @property
    def error(self) -> str:
        """The error id of a run that ends with it."""
        return self.error_id or self.id


@dataclass(frozen=True, slots=True)
class Row:
    """One row: a judgement, and the responses that it is for. An empty field matches everything.

    `words` is a regular expression for the message. `coded` tells whether there is an error code, `login`
    whether the request is known to have carried one: True with its name, False anonymous.
    """

    judgement: Judgement
    where: frozenset[Where] = frozenset()
    statuses: frozenset[int] = frozenset()
    codes: frozenset[str] = frozenset()
    words: str = ""
    flavours: frozenset[Flavour] = frozenset()
    forms: frozenset[Form] = frozenset()
    coded: bool | None = None
    login: bool | None = None

    def fits(self, answer: Answer, flavour: Flavour) -> bool:
        """Tell whether the row is for this response."""
        return (
            (not self.where or answer.where in self.where)
            and (not self.statuses or answer.status in self.statuses)
            and (not self.codes or answer.code in self.codes)
            and (not self.flavours or flavour in self.flavours)
            and (not self.forms or answer.form in self.forms)
            and (self.coded is None or self.coded is bool(answer.code))
            and (self.login is None or (answer.login is not None and self.login is bool(answer.login)))
            and re.search(self.words, answer.words, re.IGNORECASE) is not None
        )


def row(
    judgement: Judgement,
    *where: Where,
    statuses: tuple[int, ...] = (),
    codes: tuple[str, ...] = (),
    words: str = "",
    flavours: tuple[Flavour, ...] = (),
    forms: tuple[Form, ...] = (),
    coded: bool | None = None,
    login: bool | None = None,
) -> Row:
    """Return a row; see `Row` for its criteria."""
    return Row(
        judgement,
        frozenset(where),
        frozenset(statuses),
        frozenset(codes),
        words,
        frozenset(flavours),
        frozenset(forms),
        coded,
        login,
    )
