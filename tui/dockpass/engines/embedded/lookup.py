"""Which images of the store a person means."""

from __future__ import annotations

import re
from collections.abc import Iterable

from dockpass.engines.embedded.store import Entry, Store
from dockpass.errors import UsageError
from dockpass.references.reference import parse_reference
from dockpass.text import clean

_ID = re.compile(r"(?:sha(?:256|512):)?[0-9a-f]{6,128}")
"""An image id, or what it begins with: as many digits as tell it from others, and at least six."""


def entries_of(store: Store, entries: Iterable[Entry], name: str) -> list[Entry]:
    """Return the entry of a name, or every entry of the one image whose id begins so; at least one.

    Raises `UsageError` where there is no such image, and where the ids of several begin so.
    """
    entries = list(entries)
    found = _named(entries, name) or _by_id(store, entries, name)
    if not found:
        _full_name(name)  # raises for what is no name either
        raise UsageError(
            "image-missing", f"There is no image {clean(name)} in the store.", "`dockpass images` lists them."
        )
    return found


def _named(entries: Iterable[Entry], name: str) -> list[Entry]:
    try:
        wanted = _full_name(name)
    except UsageError:
        return []  # an id is no name
    return [each for each in entries if each.name == wanted]


def _by_id(store: Store, entries: Iterable[Entry], begin: str) -> list[Entry]:
    """Return the entries of the one image whose id begins so; none where none does."""
    if not _ID.fullmatch(begin):
        return []
    part = slice(None) if ":" in begin else slice(7, None)
    found = [
        each for each in entries if any(known[part].startswith(begin) for known in store.ids(each.descriptor))
    ]
    if len({each.descriptor.digest for each in found}) > 1:
        candidates = ", ".join(f"{each.name or '(no name)'} ({each.descriptor.digest})" for each in found)
        raise UsageError(
            "image-ambiguous",
            f"The ids of several images begin with {clean(begin)}: {candidates}.",
            "Give a name, or more digits of an id or digest.",
        )
    return found


def _full_name(name: str) -> str:
    return str(parse_reference(name).with_tag)
