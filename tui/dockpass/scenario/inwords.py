"""What stands in a scenario, in the words of a person. Clean, and without any secret."""

from __future__ import annotations

from dockpass.scenario.model import FLAGS, Given, Reference
from dockpass.scenario.references import origin_of
from dockpass.secrets import MASK, Secret
from dockpass.settings import Mute
from dockpass.text import clean, cut
from dockpass.unknown import Unknown
from dockpass.variables.gitlab.model import Definition

_LONGEST = 60


def value_in_words(given: Given, found: Definition) -> str:
    """Return the value of a variable, or where its secret is and whether it is known here."""
    if isinstance(given.value, Reference):
        unknown = isinstance(found.value, Unknown)
        return f"from {origin_of(given.value)}{', not known here' if unknown else ''}"
    return MASK if isinstance(given.value, Secret) else cut(clean(given.value), _LONGEST) or "empty"


def flags_in_words(given: Given) -> str:
    """Return the flags, such as `protected masked`."""
    return " ".join(flag for flag in FLAGS if flag in given.flags)


def mute_json(mute: Mute) -> dict[str, str]:
    """Return what is muted, where, and why; clean."""
    return {
        "check": clean(mute.check, 80),
        "about": clean(", ".join(mute.patterns), 200),
        "because": clean(mute.because, 300),
    }
