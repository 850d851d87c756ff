"""Secrets that cannot be printed by accident, and the redactor that every output passes."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

from dockpass.packings import holds_text, packed
from dockpass.secret_parts import SHORTEST, SUBSTRING_FROM, forms_of, misread, parts_of, raw_of, short_tokens
from dockpass.spellings import Reading, is_spelled, readings

MASK = "••••"

_LAYERS = 3
"""How many encodings, one around the other, are undone."""

_EDGE = 4
"""A decoded line that ends or begins with so many characters of a secret holds a part of it."""

_TRIES = 64
"""So many places are tried where a line may end with a secret's beginning, the longest first."""

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
    The user name and password of an address, and what has the form of a token, are masked in any case.
    """

    def __init__(self, secrets: Iterable[Secret] = ()) -> None:
        self._sought = _Sought()
        self._lock = threading.Lock()
        self.learn_all(secrets)

    def learn(self, secret: Secret, username: str | None = None) -> None:
        """Mask `secret` from now on, also as Basic credentials of `username`."""
        self.learn_all((secret,), username)

    def learn_all(self, secrets: Iterable[Secret], username: str | None = None) -> None:
        """Mask all `secrets` from now on; each call sorts everything that is known, so give many at once."""
        parts: set[str] = set()
        tokens: set[str] = set()
        raw: set[bytes] = set()
        for value in {secret.reveal() for secret in secrets}:
            if len(value) >= SHORTEST:
                found = {form for part in parts_of(value) for form in forms_of(part)}
                parts |= {_folded(shown) for form in found for shown in (form, *misread(form))}
                tokens |= set(short_tokens(value, username))
                raw |= {each for form in found for each in raw_of(form)}
        with self._lock:
            known = self._sought
            if not (parts <= known.parts and tokens <= known.tokens):
                self._sought = _Sought.of(known.parts | parts, known.tokens | tokens, known.raw | raw)

    def __call__(self, text: str, *, is_cut: bool = False) -> str:
        """Return `text` with every known secret replaced by a mask.

        Of a text that was cut already, a secret's beginning at the very end is masked too.
        """
        sought = self._sought
        if sought.parts and len(text) >= SHORTEST and (is_cut or sought.may_be_in(text)):
            text = _masked(text, _spans(text, sought, is_cut=is_cut))
        return mask_shapes(text)


def mask_shapes(text: str) -> str:
    """Mask what is a secret by its form: userinfo and secret parameters of addresses, tokens."""
    return mask_tokens(mask_parameters(mask_userinfo(text)))


def mask_tokens(text: str) -> str:
    """Mask every token that says by its prefix what it is (`glpat-…`, `ghp_…`, a JWT); the prefix stays."""
    return _TOKEN.sub(rf"\g<prefix>{MASK}", text)


def mask_parameters(text: str) -> str:
    """Mask each parameter of an address whose name says that it is secret: `?access_token=…`, `&sig=…`."""
    return _PARAMETER.sub(rf"\1{MASK}", text) if "=" in text and ("?" in text or "&" in text) else text


def without_value(text: str) -> str:
    """Return `NAME=••••` of NAME=VALUE that was given where neither belongs; other texts as they are."""
    name, equals, value = text.partition("=")
    return f"{name}={MASK}" if equals and value else text


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
    r"(?<![^\s\"'“‘<>=,;(\[{/])[^\s/:@\"'“‘<>=,;(){}\[\]]{0,256}:(?!/|\d+[/?#])[^\s\"'“”‘’<>]{1,512}@"
    r"(?!sha\d+:)(?=[\w-]{0,63}(?:\.[\w-]{1,63}){0,8}(?:\.[A-Za-z][\w-]{1,63}|:\d)|\d+\.\d+\.\d+\.\d+|localhost|\[)"
)
_PARAMETER = re.compile(
    r"([?&](?!offline_token=)[\w.-]{0,40}(?:token|passw(?:or)?d|secret|sig|signature|(?:api|access)[_-]?key)=)"
    r"[^\s&#\"'<>“”]{1,4096}",
    re.IGNORECASE,
)
TOKEN_PREFIXES = (
    *("glpat-", "glcbt-", "gldt-", "glrt-", "glrtr-", "glptt-", "glft-", "glimt-", "glagent-"),
    *("glsoat-", "glffct-", "gloas-", "glwt-"),
    *("ghp_", "github_pat_", "gho_", "ghu_", "ghs_", "ghr_", "dckr_pat_", "dckr_oat_", "ya29."),
)
"""What tokens of GitLab, GitHub, Docker Hub and Google begin with."""

# A capital letter is asked for, because names of images and projects may begin in the same way.
_TOKEN = re.compile(
    rf"(?P<prefix>{'|'.join(map(re.escape, TOKEN_PREFIXES))}|eyJ(?=[\w-]{{8,4096}}\.[\w-]{{8,4096}}\.))"
    r"(?=[a-z0-9._-]{0,256}[A-Z])[\w.-]{16,8192}"
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
        long = tuple(sorted((part for part in parts if len(part) >= SUBSTRING_FROM), key=len, reverse=True))
        return cls(
            parts,
            tokens,
            raw,
            long,
            tuple(part for part in parts if len(part) < SUBSTRING_FROM),
            tuple(part.replace("+", " ") for part in long if " " in part),
            _alternatives((part for part in parts if len(part) < SUBSTRING_FROM), "[a-z0-9]"),
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
    for at, _ in _occurrences(text[-len(part) - _CUT_ESCAPE :], part[:SUBSTRING_FROM]):
        start = at + max(len(text) - len(part) - _CUT_ESCAPE, 0)
        if part.startswith(text[start : len(text) - _CUT_ESCAPE]):
            yield start, len(text)
            return  # what begins behind it is masked with it


def _is_part_of(line: str, parts: tuple[str, ...]) -> bool:
    """Tell whether a decoded line is inside a part, ends with its beginning, or begins with its end.

    Base64 and hexadecimal are printed in lines of a fixed width, and each line comes by itself.
    """
    for part in parts:
        if len(line) >= SUBSTRING_FROM and line in part:
            return True
        end, start = line[-len(part) :], line[: len(part)]
        begun = islice(_occurrences(end, part[:_EDGE]), _TRIES)
        ended = islice(_occurrences(start, part[-_EDGE:]), _TRIES)
        if any(part.startswith(end[at:]) for at, _ in begun) or any(
            part.endswith(start[:at]) for _, at in ended
        ):
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


def _alternatives(found: Iterable[str], inside: str) -> re.Pattern[str] | None:
    ordered = sorted(found, key=len, reverse=True)
    if not ordered:
        return None
    words = "|".join(map(re.escape, ordered))
    return re.compile(f"(?<!{inside})(?:{words})(?!{inside})")
