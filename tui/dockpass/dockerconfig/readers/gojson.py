"""JSON as Go's encoding/json reads it into known fields, which is not how Python does.

Field names match in any case, a name that comes twice is applied twice, a value of a wrong type is
left out and remembered, and bytes that are no UTF-8 become replacement characters.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import NoReturn

_BLANKS = " \t\r\n"
_LONE = re.compile("[\ud800-\udfff]")


class BrokenJson(ValueError):
    """The text is not JSON; the message says where, and repeats nothing of it."""


class TooDeep(ValueError):
    """The text is nested deeper than is read here."""


class Members(tuple[tuple[str, object], ...]):
    """The members of an object, in their order and as often as they come."""

    __slots__ = ()


def parse(raw: bytes, *, whole: bool) -> object:
    """Return the value of a JSON text; without `whole` what follows the first value is not looked at.

    Objects become `Members`. Raises `BrokenJson` or `TooDeep`; for an empty text too if `whole`, and
    else returns None, as for an empty file.
    """
    found, rest = parse_first(raw, empty_is_null=not whole)
    if whole and rest:
        raise BrokenJson("something follows the first value")
    return found


def parse_first(raw: bytes, *, empty_is_null: bool = True) -> tuple[object, str]:
    """Return the first value, and what follows it without blanks around. Raises as `parse` does."""
    text = raw.decode("utf-8", "surrogateescape")
    start = len(text) - len(text.lstrip(_BLANKS))
    if start == len(text) and empty_is_null:
        return None, ""
    decoder = json.JSONDecoder(
        object_pairs_hook=lambda pairs: Members((_mended(name), value) for name, value in pairs),
        parse_constant=_no_constant,
        parse_int=float,
    )
    try:
        found, end = decoder.raw_decode(text, start)
    except json.JSONDecodeError as error:
        raise BrokenJson(f"line {error.lineno}, column {error.colno}") from None
    except RecursionError:
        raise TooDeep("nested too deeply") from None
    except ValueError as error:
        raise BrokenJson(str(error)) from None
    return (_mended(found) if isinstance(found, str) else found), text[end:].strip(_BLANKS)


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a value")


def _mended(text: str) -> str:
    return _LONE.sub("\ufffd", text)


@dataclass
class Faults:
    """What did not fit: names of fields with a value of a wrong type, and names that nobody knows."""

    types: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)


def fields(value: object, where: str, known: frozenset[str], faults: Faults) -> Iterator[tuple[str, object]]:
    """Yield the known fields of an object, by their names in lower case, as often as they come."""
    if value is None:
        return
    if not isinstance(value, Members):
        faults.types.append(where)
        return
    for name, found in value:
        folded = name.casefold()
        if folded in known:
            yield folded, found
        else:
            faults.unknown.append(name)


def text(value: object, where: str, before: str, faults: Faults) -> str:
    """Return a text; null leaves what was there before, another type too and is remembered."""
    if isinstance(value, str):
        return _mended(value)
    if value is not None:
        faults.types.append(where)
    return before


def members(value: object, where: str, faults: Faults) -> Iterator[tuple[str, object]] | None:
    """Return the members of a map; None for null, which empties it."""
    if value is None:
        return None
    if isinstance(value, Members):
        return iter(value)
    faults.types.append(where)
    return iter(())


def texts(value: object, where: str, before: Mapping[str, str], faults: Faults) -> dict[str, str]:
    """Return a map of texts, with the members that were there before."""
    found = members(value, where, faults)
    if found is None:
        return {}
    return dict(before) | {name: text(each, f"{where}.{name}", "", faults) for name, each in found}
