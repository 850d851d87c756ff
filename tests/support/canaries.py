"""Secrets that are planted in every input, and looked for in every output: whole, cut, and in any spelling."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from html import escape, unescape
from urllib.parse import quote

PIECE = 9
"""So many characters of a secret must not be seen in a row; fewer are a limit that the docs state."""

ODD = "ä\"'/+ &<%7c"
"""What spellings differ in."""


@dataclass(frozen=True)
class Canary:
    """A secret by the input that holds it. Two halves that nothing else holds stand around odd characters."""

    name: str
    plain: bool = False
    """Without odd characters, for inputs that cannot hold them."""

    @cached_property
    def halves(self) -> tuple[str, str]:
        digest = hashlib.sha256(self.name.encode()).digest()
        letters = base64.b32encode(digest).decode().lower().rstrip("=")
        return f"Zq{letters[:16]}", f"{letters[16:32]}Qz"

    @cached_property
    def folded(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """What shows it in a text in small letters, by the spelling."""
        pieces = [piece for half in self.halves for piece in _pieces(half)]
        return (
            ("as it is, or percent-encoded, or escaped", tuple(piece.casefold() for piece in pieces)),
            ("hexadecimal", tuple(piece.encode().hex() for piece in pieces)),
            (
                "every byte percent-encoded",
                tuple("".join(f"%{byte:02x}" for byte in piece.encode()) for piece in pieces),
            ),
        )

    @cached_property
    def exact(self) -> tuple[tuple[str, tuple[str, ...]], ...]:
        """What shows it in a text as it is, by the spelling."""
        once = [each for half in self.halves for each in _in_base64(half.encode())]
        twice = [each for inner in once for each in _in_base64(inner.encode())]
        return (("Base64", tuple(once)), ("Base64 twice", tuple(twice)))

    @property
    def value(self) -> str:
        first, last = self.halves
        return first + last if self.plain else f"{first}{ODD}{last}"

    @property
    def in_address(self) -> str:
        """The value as it stands in the userinfo of an address."""
        return quote(self.value, safe="")

    def auth(self, user: str = "robot") -> str:
        """The value as docker's config holds it."""
        return base64.b64encode(f"{user}:{self.value}".encode()).decode()


class Aviary:
    """The canaries of a test. `find` tells which of them sing in a text."""

    def __init__(self) -> None:
        self._known: dict[str, Canary] = {}
        self._searched: dict[str, list[str]] = {}

    def __call__(self, name: str, *, plain: bool = False) -> Canary:
        """Return the canary of an input, a new one at the first call."""
        if name not in self._known:
            self._known[name] = Canary(name, plain)
            self._searched.clear()
        return self._known[name]

    def find(self, text: str) -> list[str]:
        """Return the names of the canaries that a text shows, each with the spelling."""
        if text not in self._searched:  # children have most of their environment in common
            self._searched[text] = self._find(text)
        return self._searched[text]

    def _find(self, text: str) -> list[str]:
        folded = f"{text}\n{unescape(text)}".casefold()
        return sorted(
            f"{name} ({spelling})"
            for name, canary in self._known.items()
            for spelling in _seen(canary, text, folded)
        )


def _seen(canary: Canary, text: str, folded: str) -> set[str]:
    found = {name for name, pieces in canary.folded if any(piece in folded for piece in pieces)}
    return found | {name for name, pieces in canary.exact if any(piece in text for piece in pieces)}


def _pieces(text: str) -> Iterator[str]:
    return (text[at : at + PIECE] for at in range(len(text) - PIECE + 1))


def _in_base64(raw: bytes) -> Iterator[str]:
    """Yield what Base64 holds of `raw`, wherever in its groups of three it begins."""
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + raw + b"\0" * (-(before + len(raw)) % 3)).decode()
        start = (8 * before + 5) // 6
        end = (8 * (before + len(raw))) // 6
        yield encoded[start:end]


def spellings(value: str, user: str = "robot") -> Mapping[str, str]:
    """Return a secret as servers, proxies and engines write it, by the name of the spelling."""
    pair = f"{user}:{value}"
    raw = value.encode()
    login = json.dumps({"username": user, "password": value}, ensure_ascii=False)
    small = re.sub("%..", lambda found: found[0].lower(), quote(value, safe=""))
    return {
        "as it is": value,
        "percent": quote(value, safe=""),
        "percent, small": small,
        "percent of every byte": "".join(f"%{byte:02x}" for byte in raw),
        "percent in parts": quote(value, safe="/+'&<"),
        "JSON by Python": json.dumps(value)[1:-1],
        "JSON by Go": json.dumps(value, ensure_ascii=False)[1:-1]
        .replace("<", "\\u003c")
        .replace("&", "\\u0026"),
        "JSON by PHP": json.dumps(value)[1:-1].replace("/", "\\/"),
        "HTML": escape(value),
        "HTML by number": "".join(f"&#{ord(letter)};" for letter in value),
        "Base64": base64.b64encode(raw).decode(),
        "Base64 for addresses": base64.urlsafe_b64encode(raw).decode().rstrip("="),
        "Base64 of the pair": base64.b64encode(pair.encode()).decode(),
        "Base64 of the pair, bare": base64.b64encode(pair.encode()).decode().rstrip("="),
        "the engine's header": base64.urlsafe_b64encode(login.encode()).decode(),
        "hexadecimal": raw.hex(),
        "hexadecimal, capitals": raw.hex().upper(),
        "Base64 twice": base64.b64encode(base64.b64encode(pair.encode())).decode(),
        "an address": f"https://{user}:{quote(value, safe='')}@mirror.example/v2/",
        "a shell": "'" + value.replace("'", "'\\''") + "'",
    }


def all_spelled(value: str, user: str = "robot") -> str:
    """Return every spelling in one text."""
    return " ; ".join(spellings(value, user).values())


def in_header(text: str) -> str:
    """Return a text as it can stand in a header: as bytes of UTF-8, which Python's servers write letter by letter."""
    return re.sub(r"[\x00-\x1f\x7f]", "?", text).encode().decode("latin-1")


def strings_of(found: object) -> Iterable[str]:
    """Yield the text forms of a value that end up in a message or a traceback by accident."""
    yield repr(found)
    yield str(found)
    yield f"{found}"
