"""Where the credentials of a method come from: one of three ways, which `decide` and its kin handle each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class TokenLogin:
    """A token in a variable, sent with a fixed user name; `what` names it for people."""

    user: str
    variable: str
    what: str


@dataclass(frozen=True, slots=True)
class GivenLogin:
    """The user name and the password that are given as options."""


@dataclass(frozen=True, slots=True)
class ConfigEntries:
    """The entries of the docker config in the directory that a variable names; no login is made.

    `below_home` is the directory if the variable is not set; empty if the variable is always set.
    """

    variable: str
    below_home: str = ""


LoginSource: TypeAlias = TokenLogin | GivenLogin | ConfigEntries
