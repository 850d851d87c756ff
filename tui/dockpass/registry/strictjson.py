"""JSON from a server, read so that two readers cannot take it for two different things."""

from __future__ import annotations

import json
import math
from typing import Any, NoReturn


class NotJson(ValueError):
    """The bytes are no JSON, or such that readers differ about them; the text says why."""


def strict_json(raw: bytes) -> Any:
    """Return the value; raises `NotJson` for anything that is not plain.

    That is: bytes that are not UTF-8, a key twice in one object, NaN and infinity, numbers of thousands
    of digits, and nesting too deep to be read.
    """
    try:
        return json.loads(
            raw.decode("utf-8"),
            object_pairs_hook=_object,
            parse_constant=_no_constant,
            parse_float=_finite,
        )
    except NotJson:
        raise
    except RecursionError:
        raise NotJson("it is nested too deeply") from None
    except UnicodeDecodeError:
        raise NotJson("it is not UTF-8") from None
    except ValueError as error:
        # The interpreter reads no integers of more than some thousand digits.
        huge = not isinstance(error, json.JSONDecodeError)
        raise NotJson("it contains a number that is out of range" if huge else "it is not JSON") from None


def strict_object(raw: bytes) -> dict[str, Any]:
    """Return the object; raises `NotJson` as `strict_json` does, and for any other value."""
    found = strict_json(raw)
    if not isinstance(found, dict):
        raise NotJson("it is not a JSON object")
    return found


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise NotJson("it has a duplicate key")
    return found


def _no_constant(name: str) -> NoReturn:
    raise NotJson(f"{name} is not a value")


def _finite(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise NotJson("it contains a number that is out of range")
    return number
