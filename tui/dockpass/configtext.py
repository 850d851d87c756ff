"""What a text is that should be a docker config, and what is wrong with an `auth` in one. Pure.

Docker, podman and the runner say `invalid character` at most; here the usual causes are told apart.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from dockpass.text import clean


class Shape(StrEnum):
    """What the text is."""

    CONFIG = "config"
    PATH = "path"
    BASE64 = "base64"
    BASE64_LOGIN = "base64-login"
    JSON_STRING = "json-string"
    ESCAPED = "escaped"
    BOM = "bom"
    QUOTED = "quoted"
    SINGLE_QUOTES = "single-quotes"
    TYPOGRAPHIC_QUOTES = "typographic-quotes"
    TRAILING_COMMA = "trailing-comma"
    YAML = "yaml"
    NO_AUTHS = "no-auths"
    NESTED = "nested"
    NO_HOST = "no-host"
    BARE_ENTRY = "bare-entry"
    NO_OBJECT = "no-object"
    NO_JSON = "no-json"


@dataclass(frozen=True, slots=True)
class Advice:
    """`is_` goes on after the name of the text (`is Base64 of a config`), `do` says what to do."""

    is_: str
    do: str


_WRAPPED = 'Write {"auths": {"HOST": {"auth": "…"}}}, where … is the Base64 of user:password.'
ADVICE: dict[Shape, Advice] = {
    Shape.PATH: Advice(
        "is a path, not a config (a GitLab variable of type File)",
        "Change its type to Variable, or copy the file to config.json in the directory DOCKER_CONFIG names.",
    ),
    Shape.BASE64: Advice("is a Base64-encoded config", "Store the JSON itself."),
    Shape.BASE64_LOGIN: Advice("is only a Base64-encoded user:password", _WRAPPED),
    Shape.JSON_STRING: Advice(
        "is a config inside a JSON string", "Remove the outer quotes and the backslashes."
    ),
    Shape.ESCAPED: Advice("has backslashes before its quotes", "Remove the backslashes."),
    Shape.BOM: Advice(
        "starts with a byte order mark, which no reader accepts", "Save it as UTF-8 without BOM."
    ),
    Shape.QUOTED: Advice("has quotes around it, which are part of the value", "Remove the outer quotes."),
    Shape.SINGLE_QUOTES: Advice(
        "uses single quotes, as Python prints a dict; JSON needs double quotes", "Use double quotes."
    ),
    Shape.TYPOGRAPHIC_QUOTES: Advice("has typographic quotes", 'Use straight quotes: ".'),
    Shape.TRAILING_COMMA: Advice("has a trailing comma, which JSON does not allow", "Remove the comma."),
    Shape.YAML: Advice("is YAML; it must be JSON", _WRAPPED),
    Shape.NO_AUTHS: Advice("lists registries without auths around them", _WRAPPED),
    Shape.NESTED: Advice("has its auths one level too deep", "Remove the outer object."),
    Shape.NO_HOST: Advice("has no registry between auths and auth", _WRAPPED),
    Shape.BARE_ENTRY: Advice("has a string where a registry's entry must be an object", _WRAPPED),
    Shape.NO_OBJECT: Advice("is JSON, but not an object", _WRAPPED),
}

_PATH = re.compile(r"(~|\.{1,2})?/[^\n{}\"]*|[A-Za-z]:[\\/][^\n{}\"]*|file:/[^\n{}\"]*|\S*/config\.json")
_BASE64 = re.compile(r"[A-Za-z0-9+/_\-\s]+={0,2}\s*")
_COMMA = re.compile(r'("(?:[^"\\]|\\.)*")|,(?=\s*[}\]])')
_QUOTES = ('"', "'")


def shape_of(text: str, depth: int = 2) -> Shape:
    """Return what the text is; `CONFIG` also for one that holds no login."""
    stripped = text.strip()
    if stripped.startswith("\ufeff"):
        return Shape.BOM
    try:
        return _object_shape(json.loads(stripped), depth)
    except (ValueError, RecursionError):
        return _text_shape(stripped, depth)


def _object_shape(value: object, depth: int) -> Shape:
    if isinstance(value, str) and depth and shape_of(value, depth - 1) in {Shape.CONFIG, Shape.JSON_STRING}:
        return Shape.JSON_STRING
    if not isinstance(value, dict):
        return Shape.NO_OBJECT
    sections = {str(name).lower(): each for name, each in value.items()}
    if not sections.keys() & {"auths", "credsstore", "credhelpers"}:
        if any(isinstance(each, dict) and "auths" in each for each in value.values()):
            return Shape.NESTED
        return Shape.NO_AUTHS if any(map(_is_entry, value.values())) else Shape.CONFIG
    auths = sections.get("auths")
    if not isinstance(auths, dict):
        return Shape.CONFIG
    if isinstance(auths.get("auths"), dict) and not _is_entry(auths["auths"]):
        return Shape.NESTED
    if isinstance(auths.get("auth"), str) or isinstance(auths.get("username"), str):
        return Shape.NO_HOST
    return Shape.BARE_ENTRY if any(isinstance(each, str) for each in auths.values()) else Shape.CONFIG


def _is_entry(value: object) -> bool:
    return isinstance(value, dict) and bool(value.keys() & {"auth", "username", "identitytoken"})


def _text_shape(text: str, depth: int) -> Shape:
    if _PATH.fullmatch(text):
        return Shape.PATH
    if depth and (decoded := _decoded(text)) is not None:
        if shape_of(decoded, depth - 1) in {Shape.CONFIG, Shape.BASE64, Shape.NO_AUTHS, Shape.BOM}:
            return Shape.BASE64
        if re.fullmatch(r"[^\s:]+:.+", decoded.strip(), re.DOTALL) and decoded.isprintable():
            return Shape.BASE64_LOGIN
    if depth and len(text) > 1 and text[0] in _QUOTES and text[-1] == text[0]:
        return Shape.QUOTED if shape_of(text[1:-1], depth - 1) is Shape.CONFIG else Shape.NO_JSON
    if re.match(r"\{\s*\\+\"", text):
        return Shape.ESCAPED
    if re.match(r"\{\s*'", text):
        return Shape.SINGLE_QUOTES
    if re.search("[“”„‟«»]", text):
        return Shape.TYPOGRAPHIC_QUOTES
    if re.match(r"(auths|credsStore|credHelpers)\s*:", text):
        return Shape.YAML
    return Shape.TRAILING_COMMA if _is_json(_COMMA.sub(r"\1", text)) else Shape.NO_JSON


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True


def _decoded(text: str, shortest: int = 8) -> str | None:
    """Return what Base64 of either alphabet and with or without padding holds, if it is text."""
    if len(text) < shortest or not _BASE64.fullmatch(text):
        return None
    bare = re.sub(r"\s", "", text).rstrip("=").replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True).decode("utf-8")
    except (binascii.Error, ValueError):
        return None


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with a config: as a whole (`key` empty), or in the entry of a key, as it is written.

    `id` is stable; `is_` goes on after the name of the config, or after `an auth for KEY that`.
    """

    id: str
    key: str
    is_: str
    do: str

    @property
    def in_words(self) -> str:
        """What goes on after the name of the config; user names and passwords in keys are left out."""
        if not self.key:
            return self.is_
        host = clean(re.sub(r"[^/@]*@", "", self.key), 100)
        return f"has an auth for {host} that {self.is_}"


def problems_in(text: str) -> Iterator[Problem]:
    """Yield what is wrong with a text that should be a docker config; nothing for an empty one."""
    if not text.strip():
        return
    shape = shape_of(text)
    if shape is Shape.NO_JSON:
        yield Problem(str(shape), "", f"is not JSON{_where(text)}", _WRAPPED)
    elif advice := ADVICE.get(shape):
        yield Problem(str(shape), "", advice.is_, advice.do)
    else:
        yield from _entry_problems(json.loads(text.strip()))


def _entry_problems(config: dict[str, object]) -> Iterator[Problem]:
    auths = {str(name).lower(): value for name, value in config.items()}.get("auths")
    for key, entry in auths.items() if isinstance(auths, dict) else ():
        fields = (
            {str(name).lower(): value for name, value in entry.items()} if isinstance(entry, dict) else {}
        )
        auth = fields.get("auth")
        advice = about_auth(auth) if isinstance(auth, str) else None
        if advice or (advice := _about_fields(fields)):
            yield Problem("auth-value", str(key), advice.is_, advice.do)


def _about_fields(fields: dict[str, object]) -> Advice | None:
    """Say what is wrong with the fields beside `auth`, which wins over user name and password."""
    names = {"identitytoken": "identity token", "registrytoken": "registry token"}
    if not fields.get("auth"):
        names |= {"username": "user name", "password": "password"}
    for name, label in names.items():
        value = fields.get(name)
        if not isinstance(value, str) or value == value.strip():
            continue
        if value.endswith(("\n", "\r")):
            return Advice(
                f"contains a line break after the {label}, which is sent as part of it",
                "Store it without the line break: `echo` adds one, printf %s does not.",
            )
        return Advice(f"contains a space before or after the {label}, which is sent too", "Remove the space.")
    return None


def _where(text: str) -> str:
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        return f" (line {error.lineno}, column {error.colno})"
    except (ValueError, RecursionError):  # the parser names no place for these
        return ""
    return ""


def about_auth(auth: str) -> Advice | None:
    """Say what is wrong with an `auth`; None where it is empty or the Base64 of a plain `user:password`."""
    if not auth:
        return None
    again = "Encode it again: printf %s 'user:password' | base64 -w0"
    if re.match(r"(basic|bearer)\s", auth, re.IGNORECASE):
        return Advice("starts with Basic or Bearer, like a header", "Remove that word.")
    if re.fullmatch(r"\$\w+|\$\{\w+\}", auth):
        return Advice("is an unexpanded variable reference", again)
    if re.fullmatch(r"\[masked\]|\*{3,}|x{4,}|<[^<>]*>", auth, re.IGNORECASE):
        return Advice("is a placeholder from a log or from documentation", again)
    plain = _strictly(auth)
    if plain is None:
        return Advice(_why_not_base64(auth), again)
    if not plain.isascii() and "\ufffd" in plain:
        return Advice("does not decode to text", again)
    return next(_about_login(plain, again), None)


def _strictly(auth: str) -> str | None:
    """Decode as Go does: strictly, but for line ends."""
    try:
        raw = base64.b64decode(auth.replace("\r", "").replace("\n", ""), validate=True)
    except (binascii.Error, ValueError):
        return None
    return raw.decode("utf-8", "replace")


def _why_not_base64(auth: str) -> str:
    if ":" in auth:
        return "is a plain user:password; it must be Base64-encoded"
    if auth != auth.strip(" \t") or " " in auth:
        return "contains a space, so it is not valid Base64"
    if re.fullmatch(r"[A-Za-z0-9_=\-\s]+", auth) and re.search("[-_]", auth):
        return "is URL-safe Base64 (- and _); standard Base64 (+ and /) is required"
    if re.fullmatch(r"[A-Za-z0-9+/]+", auth):
        return "is Base64 without padding (=), or was cut off"
    return "is not valid Base64"


def _about_login(plain: str, again: str) -> Iterator[Advice]:
    user, colon, password = plain.partition(":")
    if not colon:
        twice = _decoded(plain, 4)
        if twice and ":" in twice:
            yield Advice("is Base64-encoded twice", again)
        yield Advice("decodes to a text without a colon; it must be user:password", again)
        return
    if plain[:1] in _QUOTES and plain.rstrip("\r\n")[-1:] == plain[:1]:
        yield Advice("contains quotes around user:password, which are sent too", again)
    if not user:
        yield Advice("has no user name before the colon", again)
    if password.endswith(("\n", "\r")):
        yield Advice(
            "contains a line break after the password, which is sent as part of it",
            "Encode it with printf, because echo adds a line break: printf %s 'user:password' | base64 -w0",
        )
    elif password != password.strip() or user != user.strip():
        yield Advice("contains a space before or after the user name or password, which is sent too", again)
    if not password:
        yield Advice("has no password after the colon", again)
    if user and password.startswith(f"{user}:") and len(password) > len(user) + 1:
        yield Advice("contains the user name twice", again)
    if user and (inner := _decoded(password, 4)) and inner.startswith(f"{user}:"):
        yield Advice("contains a Base64-encoded user:password in place of the password", again)
