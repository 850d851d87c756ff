"""What of a secret is one by itself, and what programs make of its letters."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from typing import Any
from unicodedata import normalize

from dockpass.text import inert

SHORTEST = 3
"""Characters; of anything shorter nothing is masked."""

SUBSTRING_FROM = 8
"""Characters; anything shorter is masked as a whole word only."""


def parts_of(value: str) -> Iterator[str]:
    """Yield what of a secret is one by itself: its lines, a token's parts, the passwords in a config."""
    yield value
    if (shown := inert(value)) != value and len(shown) >= SHORTEST:
        yield shown
    pieces = [piece.strip() for piece in re.split(r"[\r\n\t]+", value)]
    if len(pieces) > 1:
        yield from (piece for piece in pieces if len(piece) >= SUBSTRING_FROM)
    if value.count(".") == 2:
        yield from (part for part in value.split(".") if len(part) >= 2 * SUBSTRING_FROM)
    if "://" in value:
        yield from _passwords_of_address(value)
    if value.lstrip()[:1] == "{":
        yield from _passwords_of_config(value)


def forms_of(part: str) -> Iterator[str]:
    """Yield a part as it is, and with its accents joined to their letters or apart from them."""
    yield part
    if not part.isascii():
        yield normalize("NFC", part)
        yield normalize("NFD", part)


def misread(form: str) -> Iterator[str]:
    """Yield what programs make of letters that they take for another encoding's, or cannot print."""
    if form.isascii():
        return
    raw = form.encode("utf-8", "surrogatepass")
    for codec in ("latin-1", "cp1252"):
        shown = raw.decode(codec, "replace")
        yield from (shown, inert(shown))
    if len(raw.decode("ascii", "ignore")) >= SUBSTRING_FROM:
        for errors in ("ignore", "replace"):
            yield form.encode("ascii", errors).decode("ascii")
        yield form.encode("latin-1", "replace").decode("utf-8", "replace")


def _passwords_of_address(value: str) -> Iterator[str]:
    from urllib.parse import unquote

    userinfo, at, _ = value.partition("://")[2].partition("/")[0].rpartition("@")
    password = userinfo.partition(":")[2] or userinfo
    if at:
        yield from (each for each in (password, unquote(password)) if len(each) >= SHORTEST)


_SECRET_FIELDS = frozenset({"auth", "password", "identitytoken", "registrytoken", "secret", "token"})


def _passwords_of_config(value: str) -> Iterator[str]:
    try:
        waiting: list[Any] = [json.loads(value)]
    except (ValueError, RecursionError):
        return
    while waiting:
        found = waiting.pop()
        if isinstance(found, list):
            waiting += found
        elif isinstance(found, dict):
            waiting += found.values()
            for name, field in found.items():
                if name.lower() in _SECRET_FIELDS and isinstance(field, str) and len(field) >= SHORTEST:
                    yield field
                    if name.lower() == "auth":
                        yield from _password_of_auth(field)


def _password_of_auth(auth: str) -> Iterator[str]:
    try:
        pair = base64.b64decode(auth).decode("utf-8", "surrogateescape")
    except ValueError:
        return
    password = pair.partition(":")[2].rstrip("\0")
    if len(password) >= SHORTEST:
        yield password


def short_tokens(value: str, username: str | None) -> Iterator[str]:
    """Yield Base64 and hexadecimal of a value that is too short to be found by decoding."""
    if len(value) >= SUBSTRING_FROM:
        return
    for text in (value, f"{username}:{value}") if username else (value,):
        raw = text.encode("utf-8", "surrogatepass")
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            encoded = encode(raw).decode("ascii")
            yield encoded
            yield encoded.rstrip("=")
        yield raw.hex()
        yield raw.hex().upper()


def raw_of(part: str) -> Iterator[bytes]:
    if not part.isascii():
        yield part.encode("utf-8", "surrogatepass").lower()
        yield part.encode("latin-1", "ignore").lower()
        for codec in ("utf-16-le", "utf-16-be"):
            yield part.encode(codec, "surrogatepass").replace(b"\0", b"").lower()
