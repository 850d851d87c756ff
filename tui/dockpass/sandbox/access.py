"""Who asks, what a request needs, and what was granted."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from dockpass.sandbox.routes import Kind, Route, require_repository

PULL, PUSH, DELETE, ALL = "pull", "push", "delete", "*"
REPOSITORY, REGISTRY = "repository", "registry"


class Scope(NamedTuple):
    """`repository:NAME:ACTION,ACTION`: asked for, granted, or needed."""

    type: str
    name: str
    actions: tuple[str, ...]

    def __str__(self) -> str:
        return f"{self.type}:{self.name}:{','.join(self.actions)}"


@dataclass(frozen=True, slots=True)
class Caller:
    """Who sent a request. `grants` None: everything. `denied` has patterns of tags, by push and delete."""

    user: str = ""
    grants: tuple[Scope, ...] | None = None
    denied: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def may(self, needed: Scope) -> bool:
        """Tell whether every action was granted; `*` stands for all of them, as in Distribution."""
        if self.grants is None:
            return True
        granted = {
            action
            for grant in self.grants
            if (grant.type, grant.name) == (needed.type, needed.name)
            for action in grant.actions
        }
        return ALL in granted or granted.issuperset(needed.actions)

    def denying(self, action: str, tags: Iterable[str]) -> str:
        """Return the first of the tags that a protection rule keeps from `action`, or nothing."""
        patterns = [re.compile(pattern) for pattern in self.denied.get(action, ())]
        return next((tag for tag in tags if any(pattern.search(tag) for pattern in patterns)), "")


def parse_scope(text: str) -> Scope | None:
    """Parse a scope; the type ends at the first colon, the actions begin at the last one."""
    kind, first, rest = text.partition(":")
    name, last, actions = rest.rpartition(":")
    if not (first and last and kind and name):
        return None
    return Scope(kind, name, tuple(dict.fromkeys(filter(None, actions.split(",")))))


def needs(method: str, route: Route, source: str = "") -> tuple[Scope, ...]:
    """Return what a request needs; `source` is the repository that a blob is mounted from."""
    if route.kind is Kind.BASE:
        return ()
    if route.kind is Kind.CATALOG:
        return (Scope(REGISTRY, "catalog", (ALL,)),)
    actions: tuple[str, ...] = (PULL,)
    if route.kind in {Kind.UPLOADS, Kind.UPLOAD} or method in {"POST", "PUT", "PATCH"}:
        actions = (PULL, PUSH)
    elif method == "DELETE":
        actions = (DELETE,)
    needed = Scope(REPOSITORY, route.repository, actions)
    if source and route.kind is Kind.UPLOADS:
        return needed, Scope(REPOSITORY, require_repository(source), (PULL,))
    return (needed,)
