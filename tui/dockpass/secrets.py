"""Secrets that cannot be printed by accident, and the redactor that every output passes."""

from __future__ import annotations

import base64
import json
import re
import threading
from collections.abc import Iterable
from typing import Any
from urllib.parse import quote, quote_plus

MASK = "••••"

_SHORTEST = 3
_SUBSTRING_FROM = 8


class Secret:
    """A value that is shown only by `reveal()`; equal by value, masked in every text form."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """Return the value itself, for the one place that sends it."""
        return self._value

    def __len__(self) -> int:
        return len(self._value)

    def __bool__(self) -> bool:
        return bool(self._value)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(("Secret", self._value))

    def __repr__(self) -> str:
        return f"Secret({MASK})"

    def __str__(self) -> str:
        return MASK

    def __format__(self, spec: str) -> str:
        return format(MASK, spec)

    def __reduce__(self) -> Any:
        raise TypeError("a secret is not pickled")


class Redactor:
    """Masks every known secret in a text, in the forms in which secrets usually travel.

    Secrets of 8 characters and more are masked wherever they stand. Shorter ones are masked only
    as whole words, because masking `test` everywhere would make the text useless.
    """

    def __init__(self, secrets: Iterable[Secret] = ()) -> None:
        self._forms: set[str] = set()
        self._pattern: re.Pattern[str] | None = None
        self._lock = threading.Lock()
        for secret in secrets:
            self.learn(secret)

    def learn(self, secret: Secret, username: str | None = None) -> None:
        """Mask `secret` from now on, also as Basic credentials of `username`."""
        value = secret.reveal()
        if len(value) < _SHORTEST:
            return
        forms = set(_forms(value))
        if username:
            forms.update(_base64_forms(f"{username}:{value}"))
        with self._lock:
            if not forms <= self._forms:
                self._forms |= forms
                self._pattern = _compile(self._forms)

    def __call__(self, text: str) -> str:
        """Return `text` with every known secret replaced by a mask."""
        pattern = self._pattern
        return pattern.sub(MASK, text) if pattern else text


def _forms(value: str) -> Iterable[str]:
    yield value
    yield quote(value, safe="")
    yield quote_plus(value)
    yield json.dumps(value)[1:-1]
    yield repr(value)[1:-1]
    yield from _base64_forms(value)
    lines = [line.strip() for line in value.splitlines()]
    if len(lines) > 1:
        yield from (line for line in lines if len(line) >= _SUBSTRING_FROM)
    if value.count(".") == 2:  # a JWT: its parts are secrets too
        yield from (part for part in value.split(".") if len(part) >= 2 * _SUBSTRING_FROM)


def _base64_forms(value: str) -> Iterable[str]:
    raw = value.encode("utf-8", "surrogatepass")
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        encoded = encode(raw).decode("ascii")
        yield encoded
        if len(encoded.rstrip("=")) >= _SUBSTRING_FROM:
            yield encoded.rstrip("=")


def _compile(forms: set[str]) -> re.Pattern[str]:
    ordered = sorted((form for form in forms if len(form) >= _SHORTEST), key=len, reverse=True)
    return re.compile(
        "|".join(
            re.escape(form)
            if len(form) >= _SUBSTRING_FROM
            else rf"(?<![A-Za-z0-9]){re.escape(form)}(?![A-Za-z0-9])"
            for form in ordered
        )
    )
