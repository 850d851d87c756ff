"""Errors of requests that a registry or its token server refused."""

from __future__ import annotations

from dataclasses import replace

from dockpass.errors import DockpassError, LoginRefused
from dockpass.registry.answer import Answer, Where
from dockpass.registry.forms import Form
from dockpass.registry.meanings import DELETION_OFF, UNSUPPORTED, judge
from dockpass.text import clean


class RegistryError(DockpassError):
    """The registry refused a request; `answer` is its response."""

    def __init__(self, error_id: str, message: str, hint: str, answer: Answer) -> None:
        super().__init__(error_id, message, hint)
        self.answer = answer


def error_of(what: str, host: str, answer: Answer) -> RegistryError:
    """Return the error for a failed request; `what` names it (`listing of web/backend`)."""
    judgement = judge(answer)
    if judgement == UNSUPPORTED and what.startswith("deletion"):
        judgement = DELETION_OFF
    words = answer.in_words.rstrip(".")
    message = f"The {clean(what)} failed at {clean(host)}: {words}. {judgement.meaning}".rstrip()
    return RegistryError(judgement.error, message, judgement.hint, answer)


def login_refused(host: str, username: str, answer: Answer) -> LoginRefused:
    """Return the error for credentials that were not accepted."""
    # Whoever answers a login with 401, it is about the credentials.
    about_login = replace(answer, where=Where.TOKEN, form=Form.TEXT)
    judgement = judge(about_login if answer.status == 401 else answer)
    return refused_login(host, username, answer.in_words, judgement.meaning, judgement.hint)


def refused_login(host: str, username: str, words: str, meaning: str, hint: str) -> LoginRefused:
    """Return the error for credentials that a registry refused in `words`, which mean `meaning`."""
    message = f"{clean(host)} refused the login of {clean(username)}: {words.rstrip('.')}."
    return LoginRefused("login-refused", message, hint, words=words, meaning=meaning)


def refuses_login(answer: Answer) -> bool:
    """Tell whether a response to a login is about the credentials, not from a proxy or firewall."""
    return answer.status in {401, 403} and judge(answer).error in {"unauthorized", "denied"}
