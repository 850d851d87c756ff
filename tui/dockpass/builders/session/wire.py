"""Protocol buffers on the wire: the few shapes of messages that a session needs. Pure.

A message is read as its fields by number, each with all its values in order: numbers for varints and fixed
widths, bytes for everything else. https://protobuf.dev/programming-guides/encoding
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

Value = int | bytes
Fields = dict[int, list[Value]]

_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5
_WIDTHS = {_FIXED64: 8, _FIXED32: 4}
_LONGEST_VARINT = 10
_ALL_BITS = (1 << 64) - 1


class WireError(ValueError):
    """The bytes are no message."""


def encode(*fields: tuple[int, int | bytes | str]) -> bytes:
    """Return the message with these fields, number and value each; what is 0 or empty is left out."""
    return b"".join(_field(number, value) for number, value in fields if value)


def repeated(number: int, values: Iterable[bytes | str]) -> bytes:
    """Return a repeated field; unlike in `encode`, empty values stay."""
    return b"".join(_field(number, value) for value in values)


def _field(number: int, value: int | bytes | str) -> bytes:
    if isinstance(value, int):
        return _varint(number << 3 | _VARINT) + _varint(value & _ALL_BITS)
    raw = value.encode("utf-8", "surrogateescape") if isinstance(value, str) else value
    return _varint(number << 3 | _BYTES) + _varint(len(raw)) + raw


def _varint(value: int) -> bytes:
    found = bytearray()
    while value > 0x7F:
        found.append(value & 0x7F | 0x80)
        value >>= 7
    found.append(value)
    return bytes(found)


def decode(raw: bytes) -> Fields:
    """Return the fields of a message; raises `WireError`."""
    fields: Fields = {}
    for number, value in _read(raw):
        fields.setdefault(number, []).append(value)
    return fields


def _read(raw: bytes) -> Iterator[tuple[int, Value]]:
    at = 0
    while at < len(raw):
        tag, at = _read_varint(raw, at)
        kind = tag & 7
        if kind == _VARINT:
            value, at = _read_varint(raw, at)
            yield tag >> 3, value
            continue
        if kind == _BYTES:
            size, at = _read_varint(raw, at)
        elif kind in _WIDTHS:
            size = _WIDTHS[kind]
        else:
            raise WireError(f"a field of the unknown kind {kind}")
        if at + size > len(raw):
            raise WireError("a field that is longer than its message")
        found = raw[at : at + size]
        at += size
        yield tag >> 3, found if kind == _BYTES else int.from_bytes(found, "little")


def _read_varint(raw: bytes, at: int) -> tuple[int, int]:
    value = 0
    for place in range(_LONGEST_VARINT):
        if at >= len(raw):
            raise WireError("a number without an end")
        byte = raw[at]
        at += 1
        value |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            return value & _ALL_BITS, at
    raise WireError("a number that is too long")


def number(fields: Fields, place: int) -> int:
    """Return the last value of a number, signed as int64; 0 where there is none."""
    value = fields.get(place, [0])[-1]
    if not isinstance(value, int):
        raise WireError(f"field {place} is no number")
    return value - (1 << 64) if value >> 63 else value


def raw_bytes(fields: Fields, place: int) -> bytes:
    """Return the last value of a field of bytes; empty where there is none."""
    value = fields.get(place, [b""])[-1]
    if not isinstance(value, bytes):
        raise WireError(f"field {place} is no text")
    return value


def text(fields: Fields, place: int) -> str:
    """Return the last value of a text; bytes that are no UTF-8 are replaced."""
    return raw_bytes(fields, place).decode("utf-8", "replace")


def all_bytes(fields: Fields, place: int) -> list[bytes]:
    """Return every value of a repeated field of texts or messages."""
    values = fields.get(place, [])
    if not all(isinstance(each, bytes) for each in values):
        raise WireError(f"field {place} is no text")
    return [each for each in values if isinstance(each, bytes)]
