"""Scopes of tokens: `type:name:actions`, where the name may hold the colon of a `host:port`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from dockpass.text import clean

MOST_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Scope:
    """What a token is for; texts are as they were written."""

    kind: str
    name: str
    actions: frozenset[str]


def parse_scope(text: str) -> Scope | None:
    """Split at the first and at the last colon; None for what has no three parts."""
    kind, _, rest = text.partition(":")
    name, _, actions = rest.rpartition(":")
    found = frozenset(filter(None, actions.split(",")))
    return Scope(kind, name, found) if kind and name and found else None


def beyond(asked: str, planned: str) -> str:
    """Return for people what of the scopes `asked` is not in those `planned`, both apart by blanks."""
    plan: dict[tuple[str, str], frozenset[str]] = {}
    for scope in _scopes(planned):
        plan[scope.kind, scope.name] = plan.get((scope.kind, scope.name), frozenset()) | scope.actions
    more = []
    for scope in _scopes(asked):
        extra = scope.actions - plan.get((scope.kind, scope.name), frozenset())
        if extra:
            more.append(clean(f"{scope.kind}:{scope.name}:{','.join(sorted(extra))}", 120))
    shown = list(dict.fromkeys(more))
    return ", ".join(shown[:MOST_SHOWN]) + (", …" if len(shown) > MOST_SHOWN else "")


def _scopes(text: str) -> Iterable[Scope]:
    return filter(None, map(parse_scope, text.split()))
