"""What a token says of itself, for people to read: nothing here is verified, and nothing is decided by it.

A token may be anything that a server likes to send. What does not have the form of a JWT is opaque; what
has the form and is odd in it is shown as odd.
"""

from __future__ import annotations

import base64
import binascii
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from dockpass.registry.strictjson import strict_object
from dockpass.secrets import Secret
from dockpass.text import clean

LONGEST_TOKEN = 64 << 10
MOST_ENTRIES = 200
MOST_ACTIONS = 20
MOST_PATTERNS = 100
LONGEST_PATTERN = 256

_REPOSITORY = "repository"
_DENY = "tag_deny_access_patterns"


@dataclass(frozen=True, slots=True)
class Access:
    """One entry of the access list: what may be done with `kind` `name`; the texts are clean.

    `deny_push` and `deny_delete` are patterns of tags, as the server wrote them.
    """

    kind: str
    name: str
    actions: tuple[str, ...]
    deny_push: tuple[str, ...] = ()
    deny_delete: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Claims:
    """The readable part of a JWT. Times are seconds since 1970, None where they are not given.

    `odd` says in words what a well-made token would not have.
    """

    subject: str = ""
    audience: str = ""
    auth_type: str = ""
    issued: float | None = None
    expires: float | None = None
    access: tuple[Access, ...] = ()
    odd: tuple[str, ...] = ()

    @property
    def life(self) -> float | None:
        """How many seconds the token was made for."""
        if self.issued is None or self.expires is None or self.expires < self.issued:
            return None
        return self.expires - self.issued

    def of(self, repository: str) -> tuple[Access, ...]:
        """Return the entries for exactly this repository."""
        return tuple(entry for entry in self.access if (entry.kind, entry.name) == (_REPOSITORY, repository))

    def actions(self, repository: str) -> frozenset[str]:
        """Return the actions that are listed for exactly this repository."""
        return frozenset(action for entry in self.of(repository) for action in entry.actions)

    def others(self, repository: str) -> tuple[str, ...]:
        """Return what else the token is for, as `repository web/other: pull`."""
        return tuple(
            f"{entry.kind} {entry.name}: {', '.join(entry.actions) or 'nothing'}"
            for entry in self.access
            if (entry.kind, entry.name) != (_REPOSITORY, repository)
        )


def read_claims(token: Secret) -> Claims | None:
    """Return what a JWT says; None for a token that is opaque. Never raises."""
    parts = token.reveal().split(".")
    if len(parts) != 3 or len(token) > LONGEST_TOKEN:
        return None
    payload = _object(parts[1])
    if payload is None:
        return None
    header = _object(parts[0])
    odd = [*_odd_header(header), *_odd_claims(payload)]
    entries = payload.get("access")
    listed = entries if isinstance(entries, list) else []
    if entries is not None and not isinstance(entries, list):
        odd.append("its access list is not a list")
    access = tuple(_access(listed, odd))
    return Claims(
        _text(payload.get("sub")),
        _audience(payload.get("aud")),
        _text(payload.get("auth_type"), 60),
        _time(payload.get("iat")),
        _time(payload.get("exp")),
        access,
        tuple(dict.fromkeys(odd)),
    )


def _object(part: str) -> dict[str, object] | None:
    """Decode one part of a JWT; padding is tolerated, everything else has to fit."""
    bare = part.rstrip("=")
    if not bare.isascii():
        return None
    try:
        return strict_object(base64.b64decode(bare + "=" * (-len(bare) % 4), altchars=b"-_", validate=True))
    except (binascii.Error, ValueError):  # `NotJson` too
        return None


def _odd_header(header: Mapping[str, object] | None) -> Iterator[str]:
    if header is None:
        yield "its header cannot be read"
    elif not isinstance(named := header.get("alg", "none"), str) or named.lower() in {"", "none"}:
        yield "it is not signed (alg none)"


def _odd_claims(payload: Mapping[str, object]) -> Iterator[str]:
    for name in ("sub", "auth_type"):
        if payload.get(name) is not None and not isinstance(payload[name], str):
            yield f"its {name} is not text"
    for name in ("iat", "exp"):
        if payload.get(name) is not None and _time(payload[name]) is None:
            yield f"its {name} is not a time"
    issued, expires = _time(payload.get("iat")), _time(payload.get("exp"))
    if issued is not None and expires is not None and expires < issued:
        yield "it expires before it was issued"


def _access(entries: list[object], odd: list[str]) -> Iterator[Access]:
    if len(entries) > MOST_ENTRIES:
        odd.append(f"its access list has {len(entries):,} entries, of which {MOST_ENTRIES} were read")
    for entry in entries[:MOST_ENTRIES]:
        kind, name = (entry.get("type"), entry.get("name")) if isinstance(entry, dict) else (None, None)
        # Cleaning could turn another name into the one asked for, so only clean ones are taken.
        if not (isinstance(entry, dict) and _is_clean(kind, 40) and _is_clean(name, 255)):
            odd.append("its access list has an entry that cannot be read")
            continue
        actions = _texts(entry.get("actions"), MOST_ACTIONS, 40, odd, "an action")
        yield Access(str(kind), str(name), actions, *_denied(entry.get("meta"), odd))


def _denied(meta: object, odd: list[str]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    found = meta.get(_DENY) if isinstance(meta, dict) else None
    if not isinstance(found, dict):
        return (), ()
    what = "a pattern of protected tags"
    return (
        _texts(found.get("push"), MOST_PATTERNS, LONGEST_PATTERN, odd, what),
        _texts(found.get("delete"), MOST_PATTERNS, LONGEST_PATTERN, odd, what),
    )


def _texts(found: object, most: int, longest: int, odd: list[str], what: str) -> tuple[str, ...]:
    listed = found if isinstance(found, list) else []
    usable = [text for text in listed[:most] if _is_clean(text, longest)]
    if len(usable) < len(listed) or (found is not None and not isinstance(found, list)):
        odd.append(f"it has {what} that cannot be read")
    return tuple(dict.fromkeys(usable))


def _is_clean(found: object, longest: int) -> bool:
    return isinstance(found, str) and len(found) <= longest and clean(found, longest) == found


def _text(found: object, longest: int = 200) -> str:
    return clean(found, longest) if isinstance(found, str) else ""


def _audience(found: object) -> str:
    return ", ".join(map(_text, found[:5])) if isinstance(found, list) else _text(found)


def _time(found: object) -> float | None:
    if isinstance(found, bool) or not isinstance(found, int | float):
        return None
    try:
        seconds = float(found)
    except OverflowError:
        return None
    return seconds if math.isfinite(seconds) and abs(seconds) < 1e12 else None
