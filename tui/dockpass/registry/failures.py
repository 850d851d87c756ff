"""What a registry's refusal means: by where it came from, status, code and form, never by one alone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from dockpass.errors import DockpassError, LoginRefused
from dockpass.registry.clock import span_in_words
from dockpass.registry.forms import Form, form_of, in_short
from dockpass.registry.retry import LONGEST_WAIT, asked_to_wait
from dockpass.registry.strictjson import NotJson, strict_object
from dockpass.text import clean

# Where servers put their words that do not follow the specification: Docker Hub's token server, OAuth2.
_PLAIN_WORDS = ("details", "error_description", "message", "error")

ANONYMOUSLY = "token server, asked without a login"
AT_FIRST = "registry, asked before any login"

TOO_LARGE = "Something before the registry, usually a proxy, limits the size of a request."
SIZE_SETTINGS = (
    "Raise the limit there: client_max_body_size in nginx, the annotation"
    " nginx.ingress.kubernetes.io/proxy-body-size in its ingress, LimitRequestBody in Apache; Cloudflare"
    " takes 100 MB on most plans."
)
REGISTRY_OFF = "The container registry is switched off there."
SWITCH_ON = "Its administrator can switch it on (GitLab: registry_external_url); or the address is wrong."
PROXY_LOGIN = (
    "It answers as a proxy that wants a login, although no proxy is used for it.",
    "Something on the way there, or the server itself, is set up as a proxy; whoever runs it can tell.",
)
TOKEN_PAGE = (
    "The token server answered with a web page, which says nothing about the login.",
    "A proxy or a sign-in page may have answered in its place; ask the registry's administrator.",
)
NOT_FROM_REGISTRY = "This is no registry's answer: a proxy, a firewall or a ban of this address gave it."
BANNED = "Ask from elsewhere, or wait: repeated failed logins get an address banned."


@dataclass(frozen=True, slots=True)
class Answer:
    """An error answer: who gave it (`registry`, `token server`, `ANONYMOUSLY`), status, code, own words.

    `login` is the user name that was asked with: empty if none was, None if that is not known. `wait` is
    for how many seconds it asks to be left alone, None where it does not say.
    """

    where: str
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

    @property
    def is_by_other(self) -> bool:
        """Whether a body has a form in which no registry refuses; a missing one tells nothing."""
        return not self.code and self.form in {Form.PAGE, Form.TEXT}


class RegistryError(DockpassError):
    """The registry did not do what was asked; `answer` is its own."""

    def __init__(self, error_id: str, message: str, hint: str, answer: Answer) -> None:
        super().__init__(error_id, message, hint)
        self.answer = answer


def read_answer(
    where: str,
    status: int,
    body: bytes,
    reason: str = "",
    login: str | None = None,
    headers: Mapping[str, str] | None = None,
) -> Answer:
    """Read the distribution specification's error form; anything else is quoted, of a page its title."""
    code, words = _said(body)
    return Answer(
        where,
        status,
        clean(code, 60),
        clean(words or ("" if code else reason), 400),
        login,
        form_of(body),
        asked_to_wait(headers or {}),
    )


def _said(body: bytes) -> tuple[str, str]:
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


def _word(found: object) -> str:
    """Return a text or a plain number as a text; whatever else is nested there says nothing."""
    if isinstance(found, str):
        return found
    return str(found) if isinstance(found, int) and abs(found) < 10**9 and found is not False else ""


def error_of(what: str, host: str, answer: Answer) -> RegistryError:
    """Return the error for a failed request; `what` names it (`listing of web/backend`)."""
    error_id, meaning, hint = _meaning(answer)
    if error_id == "unsupported" and what.startswith("deletion"):
        meaning, hint = _DELETION_OFF
    words = answer.in_words.rstrip(".")
    message = f"The {clean(what)} failed at {clean(host)}: {words}. {meaning}".rstrip()
    return RegistryError(error_id, message, hint, answer)


def login_refused(host: str, username: str, answer: Answer) -> LoginRefused:
    """Return the error for credentials that were not accepted."""
    # In a login nothing but the credentials can be meant by a 401, whoever gives it.
    _, meaning, hint = _meaning(
        replace(answer, where="token server", form=Form.TEXT) if answer.status == 401 else answer
    )
    return LoginRefused(
        "login-refused",
        f"{clean(host)} refused the login of {clean(username)}: {answer.in_words.rstrip('.')}.",
        hint,
        words=answer.in_words,
        meaning=meaning,
    )


def refuses_login(answer: Answer) -> bool:
    """Tell whether an answer to a login is about the login, and not somebody else's on the way."""
    return answer.status in {401, 403} and _meaning(answer)[0] in {"unauthorized", "denied"}


def too_many(wait: float | None) -> tuple[str, str]:
    """Return what a 429 means and what to do, by the seconds that it asks to wait."""
    if not wait:
        return "It has had too many requests.", "Wait a while, then try again."
    asks = f"It has had too many requests, and asks to wait {span_in_words(wait)}"
    if wait <= LONGEST_WAIT:
        return f"{asks}.", "Try again after that; with a login, most registries allow more requests."
    return (
        f"{asks}, which is longer than dockpass waits.",
        f"Try again in {span_in_words(wait)}; with a login, most registries allow more requests.",
    )


def _meaning(answer: Answer) -> tuple[str, str, str]:
    lowered = answer.words.lower()
    if answer.status == 429 or answer.code == "TOOMANYREQUESTS":
        return ("rate-limited", *too_many(answer.wait))
    if answer.status == 407:
        return "proxy-login", *PROXY_LOGIN
    if answer.status == 413:
        meaning = "The registry limits the size of a request." if answer.code else TOO_LARGE
        return "too-large", meaning, SIZE_SETTINGS
    if answer.status == 404 and "not enabled" in lowered:
        return "registry-off", REGISTRY_OFF, SWITCH_ON
    if answer.status == 405 or answer.code == "UNSUPPORTED":
        return (
            "unsupported",
            "The registry does not do this.",
            "Its operator can tell whether it can be set up.",
        )
    if answer.status in {401, 403}:
        return _not_allowed(answer, lowered)
    if answer.code == "DENIED":
        return _denied(answer)
    if answer.status == 404:
        return (
            "not-found",
            "It is not there, or this login may not see it.",
            "Check the name: a private repository is often shown as absent.",
        )
    if answer.status >= 500:
        return "registry-failed", "The registry itself has a problem.", "Try again later."
    return "registry-answered", "", "The registry's log may say more."


_DELETION_OFF = (
    "The registry does not do this; deletion is switched off there.",
    "Its operator can switch it on (in Distribution: storage.delete.enabled).",
)


def _not_allowed(answer: Answer, lowered: str) -> tuple[str, str, str]:
    if "authorization token has expired" in lowered:
        return (
            "unauthorized",
            "The password has expired.",
            "Fetch a new one (`aws ecr get-login-password`).",
        )
    if answer.status == 403 and answer.is_by_other:
        return "forbidden-by-other", NOT_FROM_REGISTRY, BANNED
    if answer.status == 403 and answer.where == AT_FIRST:
        return (
            "denied",
            "It refuses before any login was sent: a list of allowed addresses does that.",
            "Ask from an address that it allows; its operator can tell which.",
        )
    if answer.status == 401 and answer.form is Form.PAGE and answer.where in {"token server", ANONYMOUSLY}:
        return "no-token", *TOKEN_PAGE
    if answer.where == ANONYMOUSLY or answer.login == "":
        return (
            "unauthorized",
            "No login is known for this registry, and it does not answer just anybody.",
            "Give --registry-username and --registry-password, or see `dockpass explain` for other ways.",
        )
    if answer.status == 401:
        return _unauthorized(answer, lowered)
    return _denied(answer)


def _denied(answer: Answer) -> tuple[str, str, str]:
    if answer.form is Form.EMPTY and not answer.code:
        return (
            "denied",
            "It does not allow this, and gives no reason: the registry, or a firewall before it.",
            "`dockpass probe` asks what this login may do there.",
        )
    return (
        "denied",
        f"The registry knows {answer.login or 'who asks'}, and does not allow this.",
        "Check the repository's name and what this login may do there.",
    )


def _unauthorized(answer: Answer, lowered: str) -> tuple[str, str, str]:
    if "2fa" in lowered or "two-factor" in lowered:
        return (
            "unauthorized",
            "The account uses two-factor authentication, so its password is not taken here.",
            "Use a personal access token or a deploy token in place of the password.",
        )
    if answer.where == "token server":
        return (
            "unauthorized",
            "The user name or the secret is wrong, or the token has expired.",
            "Check where they come from with `dockpass explain`; a job token ends with its job.",
        )
    return (
        "unauthorized",
        f"The login {answer.login} may not do it."
        if answer.login
        else "This login may not do it, or none was sent.",
        "`dockpass probe` asks the registry what this login may do; `dockpass explain` says which one it is.",
    )
