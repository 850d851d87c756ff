"""BuildKit's progress as the engine tells it: messages `StatusResponse`, read into the objects of rawjson.

Source of the shapes: api/services/control/control.proto of moby/buildkit.
"""

from __future__ import annotations

from typing import Any

from dockpass.builders.session.wire import Fields, all_bytes, decode, number, raw_bytes, text


def read_status(raw: bytes) -> dict[str, Any]:
    """Return the vertexes, statuses, logs and warnings of a message, named as in rawjson.

    Moments are seconds and data is bytes here, where rawjson has texts. Raises `WireError`.
    """
    fields = decode(raw)
    return {
        "vertexes": [_vertex(decode(each)) for each in all_bytes(fields, 1)],
        "statuses": [_status(decode(each)) for each in all_bytes(fields, 2)],
        "logs": [_log(decode(each)) for each in all_bytes(fields, 3)],
        "warnings": [{"short": raw_bytes(decode(each), 3)} for each in all_bytes(fields, 4)],
    }


def _vertex(fields: Fields) -> dict[str, Any]:
    return {
        "digest": text(fields, 1),
        "name": text(fields, 3),
        "cached": bool(number(fields, 4)),
        "started": _moment(fields, 5),
        "completed": _moment(fields, 6),
        "error": text(fields, 7),
    }


def _status(fields: Fields) -> dict[str, Any]:
    return {
        "id": text(fields, 1),
        "vertex": text(fields, 2),
        "name": text(fields, 3),
        "current": number(fields, 4),
        "total": number(fields, 5),
        "completed": _moment(fields, 8),
    }


def _log(fields: Fields) -> dict[str, Any]:
    return {"vertex": text(fields, 1), "stream": number(fields, 3), "data": raw_bytes(fields, 4)}


def _moment(fields: Fields, place: int) -> float | None:
    """Return a timestamp in seconds; None where there is none."""
    if place not in fields:
        return None
    stamp = decode(raw_bytes(fields, place))
    return number(stamp, 1) + number(stamp, 2) / 1e9
