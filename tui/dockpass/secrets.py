"""Secrets that cannot be printed by accident, and the redactor that every output passes."""

from __future__ import annotations

import base64
import json
import re
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from unicodedata import normalize

from dockpass.spellings import Reading, holds_text, is_spelled, packed, readings
from dockpass.text import inert

MASK = "••••"

_SHORTEST = 3
_SUBSTRING_FROM = 8
_LAYERS = 3
"""How many encodings, one around the other, are undone."""

_EDGE = 4
"""A decoded line that ends or begins with so many characters of a secret holds a part of it."""

_CUT_ESCAPE = 12
"""What a cut may leave of an escape, behind the last whole character."""


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
    """Masks every known secret in a text, in whatever spelling it stands there (`spellings`).

    Secrets of 8 characters and more are masked wherever they stand, in capitals or small letters. Shorter
    ones are masked only as whole words, because masking `test` everywhere would make the text useless.
    The user name and password of an address are masked whether they are known or not.
    """

    def __init__(self, secrets: Iterable[Secret] = ()) -> None:
        self._sought = _Sought()
        self._lock = threading.Lock()
        for secret in secrets:
            self.learn(secret)

    def learn(self, secret: Secret, username: str | None = None) -> None:
        """Mask `secret` from now on, also as Basic credentials of `username`."""
        value = secret.reveal()
        if len(value) < _SHORTEST:
            return
        found = {form for part in _parts(value) for form in _forms(part)}
        parts = {_folded(shown) for form in found for shown in (form, *_misread(form))}
        tokens = set(_short_tokens(value, username))
        raw = {each for form in found for each in _raw(form)}
        with self._lock:
            known = self._sought
            if not (parts <= known.parts and tokens <= known.tokens):
                self._sought = _Sought.of(known.parts | parts, known.tokens | tokens, known.raw | raw)

    def __call__(self, text: str, *, is_cut: bool = False) -> str:
        """Return `text` with every known secret replaced by a mask.

        Of a text that was cut already, a secret's beginning at the very end is masked too.
        """
        sought = self._sought
        if sought.parts and len(text) >= _SHORTEST and (is_cut or sought.may_be_in(text)):
            text = _masked(text, _spans(text, sought, is_cut=is_cut))
        return mask_userinfo(text)


def mask_userinfo(text: str) -> str:
    """Mask user name and password in every address (`[scheme://]user:password@host`) of a text."""
    if "@" not in text:
        return text
    if "//" in text:
        text = _USERINFO.sub(_without_userinfo, text)
    if ":/" in text:
        text = _USERINFO_OF_PATH.sub(rf"\1{MASK}@", text)
    return _BARE_USERINFO.sub(f"{MASK}@", text)


# Bounded everywhere: a hostile text must not make the search take longer than its length allows.
_USERINFO = re.compile(
    r"((?<![A-Za-z0-9+.-])[A-Za-z][A-Za-z0-9+.-]{0,30}:)?(//)"
    r"([^\s/?#\"'<>]{0,4096}|[^\s/?#\"'<>@:]{0,256}:(?!\d+[/?#])[^\s\"'<>]{0,256})@"
)
_USERINFO_OF_PATH = re.compile(
    r"(https?:/)[^\s/@\"'<>]{1,1024}@"
)  # an address that was taken for a file's path
# Without a scheme only what is followed by the name or address of a host: `app:1.0@sha256:…` has no password.
_BARE_USERINFO = re.compile(
    r"(?<![^\s\"'“‘<>=,;(\[{/])[^\s/:@\"'“‘<>=,;(){}\[\]]{1,256}:(?!/|\d+[/?#])[^\s@\"'“”‘’<>]{1,512}@"
    r"(?!sha\d+:)(?=[\w-]{0,63}(?:\.[\w-]{1,63}){0,8}(?:\.[A-Za-z][\w-]{1,63}|:\d)|\d+\.\d+\.\d+\.\d+|localhost|\[)"
)
_USER_OF_SSH = re.compile(r"[A-Za-z0-9_.-]+")


def _without_userinfo(match: re.Match[str]) -> str:
    scheme, slashes, userinfo = match[1] or "", match[2], match[3]
    if not userinfo or (scheme.lower() == "ssh:" and _USER_OF_SSH.fullmatch(userinfo)):
        return match[0]  # the account at the other end of ssh is no secret
    return f"{scheme}{slashes}{MASK}@"


@dataclass(frozen=True, slots=True)
class _Sought:
    """What a redactor looks for.

    `parts` are folded values, `tokens` encodings of those too short to decode, `raw` the bytes of those that
    are not ASCII, in small letters.
    """

    parts: frozenset[str] = frozenset()
    tokens: frozenset[str] = frozenset()
    raw: frozenset[bytes] = frozenset()
    long: tuple[str, ...] = ()
    short: tuple[str, ...] = ()
    with_blank: tuple[str, ...] = ()
    words: re.Pattern[str] | None = None
    exact: re.Pattern[str] | None = None

    @classmethod
    def of(cls, parts: frozenset[str], tokens: frozenset[str], raw: frozenset[bytes]) -> _Sought:
        long = tuple(sorted((part for part in parts if len(part) >= _SUBSTRING_FROM), key=len, reverse=True))
        return cls(
            parts,
            tokens,
            raw,
            long,
            tuple(part for part in parts if len(part) < _SUBSTRING_FROM),
            tuple(part.replace("+", " ") for part in long if " " in part),
            _alternatives((part for part in parts if len(part) < _SUBSTRING_FROM), "[a-z0-9]"),
            _alternatives(tokens, "[A-Za-z0-9]"),
        )

    def may_be_in(self, text: str) -> bool:
        """Tell quickly whether a text has to be looked at closely; never no where something is found."""
        folded = text.lower() if text.isascii() else text.casefold()
        for part in self.long:
            if part in folded:
                return True
        for word in self.short:
            if word in folded and self.words and self.words.search(folded):
                return True
        for token in self.tokens:
            if token in text and self.exact and self.exact.search(text):
                return True
        if self.with_blank and "+" in folded:
            spaced = folded.replace("+", " ")
            if any(part in spaced for part in self.with_blank):
                return True
        return is_spelled(text) or self.may_be_packed(packed(text))

    def may_be_packed(self, held: bytes) -> bool:
        """Tell quickly whether decoded bytes can hold a value, or an encoding of one."""
        held = held.replace(b"\0", b"")
        if not held or not self.raw:
            return holds_text(held, ascii_only=True)
        small = held.lower()
        return holds_text(held, ascii_only=False) or any(each in small for each in self.raw)


def _spans(text: str, sought: _Sought, *, is_cut: bool) -> list[tuple[int, int]]:
    """Return where known secrets stand in `text`, at any layer of encoding."""
    found: list[tuple[int, int]] = []
    layer = [Reading(text)]
    seen = {(text, 0, len(text))}
    for depth in range(_LAYERS + 1):
        following: list[Reading] = []
        for reading in layer:
            whole = reading.span(0, len(reading.text))
            ends = is_cut and whole[1] >= len(text) - _CUT_ESCAPE
            found += [reading.span(*span) for span in _found(reading.text, sought, ends=ends)]
            if reading.is_packed and _is_part_of(_folded(reading.text), sought.long):
                found.append(whole)
            if depth == _LAYERS:
                continue
            for inner in readings(reading, sought.may_be_packed):
                mark = (inner.text, *inner.span(0, len(inner.text)))
                if mark not in seen:
                    seen.add(mark)
                    following.append(inner)
        layer = following
    return found


def _found(text: str, sought: _Sought, *, ends: bool) -> Iterator[tuple[int, int]]:
    folded = _folded(text)
    places: list[int] | None = None
    if len(folded) != len(text):
        places = [at for at, letter in enumerate(text) for _ in letter.casefold()]
    for start, end in _found_folded(folded, sought, ends=ends):
        yield (start, end) if places is None else (places[start], places[end - 1] + 1)
    if sought.exact:
        yield from (match.span() for match in sought.exact.finditer(text))


def _found_folded(folded: str, sought: _Sought, *, ends: bool) -> Iterator[tuple[int, int]]:
    for part in sought.long:
        yield from _occurrences(folded, part)
        if ends:
            yield from _begun(folded, part)
    if sought.with_blank and "+" in folded:
        spaced = folded.replace("+", " ")
        for part in sought.with_blank:
            yield from _occurrences(spaced, part)
            if ends:
                yield from _begun(spaced, part)
    if sought.words:
        yield from (match.span() for match in sought.words.finditer(folded))


def _occurrences(text: str, part: str) -> Iterator[tuple[int, int]]:
    at = text.find(part)
    while at >= 0:
        yield at, at + len(part)
        at = text.find(part, at + 1)


def _begun(text: str, part: str) -> Iterator[tuple[int, int]]:
    """Yield where `part` begins so near the end of `text` that the rest of it was cut away."""
    for at, _ in _occurrences(text[-len(part) - _CUT_ESCAPE :], part[:_SUBSTRING_FROM]):
        start = at + max(len(text) - len(part) - _CUT_ESCAPE, 0)
        there = text[start:]
        alike = next(
            (i for i, (one, other) in enumerate(zip(there, part, strict=False)) if one != other), None
        )
        if alike is None or alike >= len(there) - _CUT_ESCAPE:
            yield start, len(text)


def _is_part_of(line: str, parts: tuple[str, ...]) -> bool:
    """Tell whether a decoded line is inside a part, ends with its beginning, or begins with its end.

    Base64 and hexadecimal are printed in lines of a fixed width, and each line comes by itself.
    """
    for part in parts:
        if len(line) >= _SUBSTRING_FROM and line in part:
            return True
        end, start = line[-len(part) :], line[: len(part)]
        if any(part.startswith(end[at:]) for at, _ in _occurrences(end, part[:_EDGE])):
            return True
        if any(part.endswith(start[:at]) for _, at in _occurrences(start, part[-_EDGE:])):
            return True
    return False


def _masked(text: str, spans: list[tuple[int, int]]) -> str:
    shown: list[str] = []
    at = 0
    for start, end in sorted(spans):
        if start >= at:
            shown += text[at:start], MASK
        at = max(at, end)
    return "".join((*shown, text[at:])) if shown else text


def _folded(text: str) -> str:
    return text.lower() if text.isascii() else text.casefold()


def _parts(value: str) -> Iterator[str]:
    """Yield what of a secret is one by itself: its lines, a token's parts, the passwords in a config."""
    yield value
    if (shown := inert(value)) != value and len(shown) >= _SHORTEST:
        yield shown
    pieces = [piece.strip() for piece in re.split(r"[\r\n\t]+", value)]
    if len(pieces) > 1:
        yield from (piece for piece in pieces if len(piece) >= _SUBSTRING_FROM)
    if value.count(".") == 2:
        yield from (part for part in value.split(".") if len(part) >= 2 * _SUBSTRING_FROM)
    if "://" in value:
        yield from _passwords_of_address(value)
    if value.lstrip()[:1] == "{":
        yield from _passwords_of_config(value)


def _forms(part: str) -> Iterator[str]:
    """Yield a part as it is, and with its accents joined to their letters or apart from them."""
    yield part
    if not part.isascii():
        yield normalize("NFC", part)
        yield normalize("NFD", part)


def _misread(form: str) -> Iterator[str]:
    """Yield what programs make of letters that they take for another encoding's, or cannot print."""
    if form.isascii():
        return
    raw = form.encode("utf-8", "surrogatepass")
    for codec in ("latin-1", "cp1252"):
        shown = raw.decode(codec, "replace")
        yield from (shown, inert(shown))
    if len(raw.decode("ascii", "ignore")) >= _SUBSTRING_FROM:
        for errors in ("ignore", "replace"):
            yield form.encode("ascii", errors).decode("ascii")
        yield form.encode("latin-1", "replace").decode("utf-8", "replace")


def _passwords_of_address(value: str) -> Iterator[str]:
    from urllib.parse import unquote

    userinfo, at, _ = value.partition("://")[2].partition("/")[0].rpartition("@")
    password = userinfo.partition(":")[2] or userinfo
    if at:
        yield from (each for each in (password, unquote(password)) if len(each) >= _SHORTEST)


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
                if name.lower() in _SECRET_FIELDS and isinstance(field, str) and len(field) >= _SHORTEST:
                    yield field
                    if name.lower() == "auth":
                        yield from _password_of_auth(field)


def _password_of_auth(auth: str) -> Iterator[str]:
    try:
        pair = base64.b64decode(auth).decode("utf-8", "surrogateescape")
    except ValueError:
        return
    password = pair.partition(":")[2].rstrip("\0")
    if len(password) >= _SHORTEST:
        yield password


def _short_tokens(value: str, username: str | None) -> Iterator[str]:
    """Yield Base64 and hexadecimal of a value that is too short to be found by decoding."""
    if len(value) >= _SUBSTRING_FROM:
        return
    for text in (value, f"{username}:{value}") if username else (value,):
        raw = text.encode("utf-8", "surrogatepass")
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            encoded = encode(raw).decode("ascii")
            yield encoded
            yield encoded.rstrip("=")
        yield raw.hex()
        yield raw.hex().upper()


def _raw(part: str) -> Iterator[bytes]:
    if not part.isascii():
        yield part.encode("utf-8", "surrogatepass").lower()
        yield part.encode("latin-1", "ignore").lower()
        for codec in ("utf-16-le", "utf-16-be"):
            yield part.encode(codec, "surrogatepass").replace(b"\0", b"").lower()


def _alternatives(found: Iterable[str], inside: str) -> re.Pattern[str] | None:
    ordered = sorted(found, key=len, reverse=True)
    if not ordered:
        return None
    words = "|".join(map(re.escape, ordered))
    return re.compile(f"(?<!{inside})(?:{words})(?!{inside})")
