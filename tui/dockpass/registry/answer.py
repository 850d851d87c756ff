"""An error response, read in whatever form it comes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from dockpass.registry.forms import Form, form_of, in_short
from dockpass.registry.retry import asked_to_wait
from dockpass.registry.strictjson import NotJson, strict_object
from dockpass.text import clean, one_line

# Where servers put a message that does not follow the specification: Docker Hub's token server, OAuth2.
_PLAIN_WORDS = ("details", "error_description", "message", "error")


class Where(StrEnum):
    """Who answered, and to what. Two askers: a run's client, and a probe, which asks step by step."""

    PING = "ping"  # the registry's /v2/, before any login
    TOKEN = "token server"  # asked with credentials and a scope at once  # noqa: S105
    LOGIN = "login"  # the token server, before it has accepted these credentials (probe)
    SCOPE = "scope"  # the token server, after it has accepted them (probe)
    ANONYMOUS = "anonymous"  # the token server, asked without credentials
    REGISTRY = "registry"  # any request of a run's client
    LIST = "list"  # the registry, asked by a probe for the tags of a repository


@dataclass(frozen=True, slots=True)
class Answer:
    """An error response: who gave it, status, error code, message.

    `login` is the user name of the request: empty for an anonymous one, None if not known. `wait` is the
    number of seconds that `Retry-After` asks for, None without one.
    """

    where: Where
    status: int
    code: str
    words: str
    login: str | None = None
    form: Form = Form.TEXT
    wait: float | None = None

    @property
    def in_words(self) -> str:
        """Return `401 UNAUTHORIZED: authentication required`."""
        code = f" {self.code}" if self.code else ""
        return f"{self.status}{code}: {self.words}" if self.words else f"{self.status}{code}"


def read_answer(
    where: Where,
    status: int,
    body: bytes,
    reason: str = "",
    login: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """Read the distribution specification's error form; anything else is quoted, a web page by its title."""
    code, words = _code_and_words(body)
    return Answer(
        where,
        status,
        clean(code, 60),
        clean(one_line(words or ("" if code else reason)), 400),
        login,
        form_of(body),
        asked_to_wait(headers or {}),
    )


def _code_and_words(body: bytes) -> tuple[str, str]:
    try:
        found = strict_object(body)
    except NotJson:
        return "", in_short(body)
    if not found:
        return "", ""
    errors = found.get("errors")
    if isinstance(errors, list) and errors and isinstance(errors[0], dict):
        return _word(errors[0].get("code")), _word(errors[0].get("message"))
    for name in _PLAIN_WORDS:
        if isinstance(found.get(name), str):
            return "", found[name]
    return "", in_short(body)


def _word(value: object) -> str:
    """Return a string or a plain number as text, and nothing for other JSON values."""
    if isinstance(value, str):
        return value
    return str(value) if isinstance(value, int) and abs(value) < 10**9 and value is not False else ""
