"""What a registry's refusal means: by where it came from, its status and its code, never by one alone."""

from __future__ import annotations

from dataclasses import dataclass, replace

from dockpass.errors import DockpassError, LoginRefused
from dockpass.registry.strictjson import NotJson, strict_object
from dockpass.text import clean, clean_bytes

# Where servers put their words that do not follow the specification: Docker Hub's token server, OAuth2.
_PLAIN_WORDS = ("details", "error_description", "message", "error")

ANONYMOUSLY = "token server, asked without a login"


@dataclass(frozen=True, slots=True)
class Answer:
    """An error answer: who gave it (`registry`, `token server`, `ANONYMOUSLY`), status, code, own words.

    `login` is the user name that was asked with: empty if none was, None if that is not known.
    """

    where: str
    status: int
    code: str
    words: str
    login: str | None = None

    @property
    def in_words(self) -> str:
        """Return `401 UNAUTHORIZED: authentication required`."""
        code = f" {self.code}" if self.code else ""
        return f"{self.status}{code}: {self.words}" if self.words else f"{self.status}{code}"


class RegistryError(DockpassError):
    """The registry did not do what was asked; `answer` is its own."""

    def __init__(self, error_id: str, message: str, hint: str, answer: Answer) -> None:
        super().__init__(error_id, message, hint)
        self.answer = answer


def read_answer(where: str, status: int, body: bytes, reason: str = "", login: str | None = None) -> Answer:
    """Read the distribution specification's error form; anything else is quoted as it is."""
    code, words = _said(body)
    return Answer(where, status, clean(code, 60), clean(words or ("" if code else reason), 400), login)


def _said(body: bytes) -> tuple[str, str]:
    try:
        found = strict_object(body)
    except NotJson:
        return "", clean_bytes(body, 200).strip()
    errors = found.get("errors")
    if isinstance(errors, list) and errors and isinstance(errors[0], dict):
        return str(errors[0].get("code") or ""), str(errors[0].get("message") or "")
    for name in _PLAIN_WORDS:
        if isinstance(found.get(name), str):
            return "", found[name]
    return "", clean_bytes(body, 200).strip()


def error_of(what: str, host: str, answer: Answer) -> RegistryError:
    """Return the error for a failed request; `what` names it (`listing of web/backend`)."""
    error_id, meaning, hint = _meaning(answer)
    words = answer.in_words.rstrip(".")
    message = f"The {clean(what)} failed at {clean(host)}: {words}. {meaning}".rstrip()
    return RegistryError(error_id, message, hint, answer)


def login_refused(host: str, username: str, answer: Answer) -> LoginRefused:
    """Return the error for credentials that were not accepted."""
    # In a login nothing but the credentials can be meant by a 401, whoever gives it.
    _, meaning, hint = _meaning(replace(answer, where="token server") if answer.status == 401 else answer)
    return LoginRefused(
        "login-refused",
        f"{clean(host)} refused the login of {clean(username)}: {answer.in_words.rstrip('.')}.",
        hint,
        words=answer.in_words,
        meaning=meaning,
    )


def _meaning(answer: Answer) -> tuple[str, str, str]:
    lowered = answer.words.lower()
    if answer.status == 429 or answer.code == "TOOMANYREQUESTS":
        return "rate-limited", "It has had too many requests.", "Wait a while, then try again."
    if answer.status == 405 or answer.code == "UNSUPPORTED":
        return (
            "unsupported",
            "The registry does not do this; deletion is switched off there.",
            "Its operator can switch it on (in Distribution: storage.delete.enabled).",
        )
    if answer.status == 403 and not answer.code and answer.where != ANONYMOUSLY:
        return (
            "forbidden-by-other",
            "This is no registry's answer: a proxy, a firewall or a ban of this address gave it.",
            "Ask from elsewhere, or wait: repeated failed logins get an address banned.",
        )
    if answer.status in {401, 403} and (answer.where == ANONYMOUSLY or answer.login == ""):
        return (
            "unauthorized",
            "No login is known for this registry, and it does not answer just anybody.",
            "Give --registry-username and --registry-password, or see `dockpass explain` for other ways.",
        )
    if answer.status == 401:
        return _unauthorized(answer, lowered)
    if answer.status == 403 or answer.code == "DENIED":
        return (
            "denied",
            f"The registry knows {answer.login or 'who asks'}, and does not allow this.",
            "Check the repository's name and what this login may do there.",
        )
    if answer.status == 404:
        return (
            "not-found",
            "It is not there, or this login may not see it.",
            "Check the name: a private repository is often shown as absent.",
        )
    if answer.status >= 500:
        return "registry-failed", "The registry itself has a problem.", "Try again later."
    return "registry-answered", "", "The registry's log may say more."


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
