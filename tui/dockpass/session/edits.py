"""The edits that a person makes on the screen: of a variable or of an option."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from dockpass.auth.facts import Edit, EditKind, Source, SourceKind, Variable
from dockpass.secret_names import is_secret_name
from dockpass.secrets import Secret


def edit_of(name: str, text: str, *, option: bool) -> Edit:
    """Return the edit that sets a variable or gives an option; secrets become secrets at once."""
    secret = name == "registry-password" if option else is_secret_name(name)
    value = Secret(text) if secret else text
    return Edit(EditKind.GIVE if option else EditKind.SET, name, value)


def removal_of(name: str, *, option: bool) -> Edit:
    """Return the edit that unsets a variable or drops an option."""
    return Edit(EditKind.DROP if option else EditKind.UNSET, name)


def unset_by(edits: Iterable[Edit]) -> tuple[str, ...]:
    """Return the names of the variables that edits take away in the end, sorted."""
    last = {each.name: each.kind for each in edits if each.kind in {EditKind.SET, EditKind.UNSET}}
    return tuple(sorted(name for name, kind in last.items() if kind is EditKind.UNSET))


def told_as_edited(variables: Mapping[str, Variable], edits: Iterable[Edit]) -> dict[str, Variable]:
    """Return variables of which those that edits set come from them."""
    edited = {each.name for each in edits if each.kind is EditKind.SET}
    return {
        name: replace(each, source=Source(SourceKind.EDIT)) if name in edited else each
        for name, each in variables.items()
    }
