"""Makes variables: here is decided whether a value is a secret."""

from __future__ import annotations

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


def set_invalid(why: str, hint: str = "Write --set NAME=VALUE.") -> UsageError:
    """Return the error for an argument of `--set`; none of it is shown, because it may be a secret."""
    return UsageError("set-invalid", f"The argument of --set is not NAME=VALUE: {why}.", hint)
