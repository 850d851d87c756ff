"""Makes variables: here is decided whether a value is a secret."""

from __future__ import annotations

from collections.abc import Mapping

from dockpass.auth.facts import Source, Variable
from dockpass.errors import UsageError
from dockpass.secret_names import is_secret_name
from dockpass.secrets import Secret
from dockpass.unknown import Unknown
from dockpass.variables.token_kind import looks_secret


def variable(name: str, value: str | Unknown, source: Source, *, secret: bool = False) -> Variable:
    """Make a variable, whose value is a secret if its name says so or the value looks like one.

    A value that is not known here is given as `Unknown`; the variable is there all the same.
    """
    if isinstance(value, Unknown):
        return Variable(name, value, source)
    is_secret = secret or is_secret_name(name) or looks_secret(value)
    return Variable(name, Secret(value) if is_secret else value, source)


def assigned(text: str, environ: Mapping[str, str]) -> tuple[str, str]:
    """Return name and value of an argument of `--set`: `NAME=VALUE`, or `NAME` for the value in `environ`.

    Raises `UsageError`, which shows nothing of the argument: it may be a secret with a typing error in front.
    """
    name, equals, value = text.partition("=")
    if not equals and text in environ:
        return text, environ[text]
    if equals and name and name.isascii() and name.isprintable() and " " not in name:
        return name, value
    what = "what stands before its = is no variable's name"
    if not equals:
        what = "there is no = in it, and no variable of that name in the environment"
    raise UsageError(
        "set-invalid",
        f"The argument of --set is not NAME=VALUE: {what}.",
        "Write --set NAME=VALUE, or --set NAME for the value in the environment.",
    )
