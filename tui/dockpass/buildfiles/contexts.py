"""Named build contexts: `--build-context NAME=VALUE` says what stands for an image or a stage."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dockpass.errors import UsageError
from dockpass.references.imagenames import familiar, normalised
from dockpass.text import clean

_IMAGE = "docker-image://"
_ELSEWHERE = ("http://", "https://", "git://", "git@", "ssh://", "oci-layout://", "target:", "input:")


@dataclass(frozen=True, slots=True)
class NamedContext:
    """What stands for a name: an `image` (`scratch` is none), a `directory` as given, or what else it is.

    Exactly one of the three is not empty.
    """

    image: str = ""
    directory: str = ""
    other: str = ""


NamedContexts = Mapping[str, NamedContext]


def parse_contexts(pairs: Sequence[str]) -> dict[str, NamedContext]:
    """Return named contexts by the short form of their name; raises `UsageError`."""
    found: dict[str, NamedContext] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not value or not familiar(name):
            shown = clean(name, 80) or "it"
            raise context_invalid(f"{shown} is not NAME=VALUE with the name of a stage or an image")
        found[familiar(name)] = _context(value)
    return found


def context_invalid(why: str) -> UsageError:
    """Return the error for a named context that cannot be used."""
    return UsageError(
        "build-context-invalid",
        f"--build-context: {why}.",
        "Give for example base=docker-image://registry.myhost.com/base:1 or src=../src.",
    )


def context_of(name: str, contexts: NamedContexts) -> NamedContext | None:
    """Return what stands for the name of an image or a stage."""
    return contexts.get(familiar(name)) if contexts else None


def _context(value: str) -> NamedContext:
    if value.startswith(_IMAGE):
        image = value.removeprefix(_IMAGE)
        if image != "scratch" and not normalised(image):
            raise context_invalid(f"{clean(image, 200) or 'nothing'} is not a valid image")
        return NamedContext(image=image)
    if value.startswith(_ELSEWHERE) or value.endswith(".git"):
        return NamedContext(other=value)
    return NamedContext(directory=value)
