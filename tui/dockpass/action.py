"""What a key does: one row of the table of actions."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """`keys` are Textual's names, separated by commas; `scope` is one of `SCOPES`.

    `opens` names the place whose screen the action opens: `ui/screens` has it in the module of that name.
    """

    id: str
    keys: str
    title: str
    help: str
    scope: str
    shown: bool = True
    opens: str = ""
