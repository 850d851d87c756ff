"""The grammar of image names, as the distribution project defines it; everything that reads names uses it."""

from __future__ import annotations

import re

LONGEST_NAME = 255
"""How many characters a name may have, with its host and without tag and digest."""

LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?"
HOST_NAME = rf"{LABEL}(?:\.{LABEL})*"
COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
TAG = re.compile(r"\w[\w.-]{0,127}", re.ASCII)
IMAGE_ID = re.compile(r"[a-f0-9]{64}")


def is_named_host(first: str) -> bool:
    """Tell whether the part before the first slash of a name is a host, as docker tells it.

    A part with upper-case letters is one too, for no path may have them.
    """
    return "." in first or ":" in first or first == "localhost" or first != first.lower()


def split_host(name: str) -> tuple[str, str]:
    """Return the host that a name begins with, empty if it names none, and the rest."""
    first, slash, rest = name.partition("/")
    return (first, rest) if slash and is_named_host(first) else ("", name)
