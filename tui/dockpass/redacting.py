"""Masks the secrets in a whole object, wherever they stand in it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import Enum
from typing import Any

from dockpass.secrets import Redactor

_FIELD = re.compile(r"[a-z][a-z0-9_]{0,31}")


def redacted(found: Any, redact: Redactor) -> Any:
    """Return a JSON value with every text in it redacted.

    Field names and the members of an enumeration are dockpass's own words: a program that reads the
    object finds them even where a secret happens to be the word `example`.
    """
    match found:
        case Enum():
            return found
        case str():
            return redact(found)
        case Mapping():
            return {_redacted_key(key, redact): redacted(value, redact) for key, value in found.items()}
        case list() | tuple():
            return [redacted(each, redact) for each in found]
        case _:
            return found


def _redacted_key(key: str, redact: Redactor) -> str:
    return key if isinstance(key, Enum) or _FIELD.fullmatch(key) else redact(key)
