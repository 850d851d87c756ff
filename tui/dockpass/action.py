"""What a key does: one row of the table of actions."""

from __future__ import annotations

from dataclasses import dataclass

from dockpass.readonly import Act


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """`keys` are Textual's names, separated by commas; `scope` is one of `SCOPES`.

    `opens` names the place whose screen the action opens: `ui/screens` has it in the module of that name.
    `act` is what the action does beyond reading. One that `asks_first` shows its plan also in read-only mode,
    where the plan says why it cannot be run. `within` names the panel that must have the keys; `panel` is the
    panel that the action goes to, from 1.
    """

    id: str
    keys: str
    title: str
    help: str
    scope: str
    shown: bool = True
    opens: str = ""
    act: Act | None = None
    asks_first: bool = False
    within: str = ""
    panel: int = 0


def filter_in(scope: str, what: str) -> Action:
    """Return the action that filters a screen's list; `what` is in the list."""
    return Action(
        id="filter",
        keys="slash",
        title="filter",
        scope=scope,
        help=f"Show only {what} that contain a text; in a panel of text, search it.",
    )


def switch_in(scope: str, *, shown: bool = True) -> Action:
    """Return the action that goes through a screen's panels."""
    return Action(
        id="switch", keys="tab", title="panel", scope=scope, shown=shown, help="Go to the next panel."
    )


def panels_in(scope: str, *titles: str, first: int = 1, key: int = 1) -> tuple[Action, ...]:
    """Return the actions that go to each panel by a digit; the first of these has the digit `key`."""
    return tuple(
        Action(
            id=f"panel_{first + at}",
            keys=str(key + at),
            title=f"panel {title}",
            scope=scope,
            shown=False,
            help=f"Go to the panel {title}.",
            panel=first + at,
        )
        for at, title in enumerate(titles)
    )


def health_in(scope: str) -> Action:
    """Return the action that opens the doctor from a screen."""
    return Action(
        id="health",
        keys="H",
        title="health",
        scope=scope,
        opens="doctor",
        help="Show what is wrong, why it matters and how to fix it; each fix was tried.",
    )


def scenarios_in(scope: str) -> Action:
    """Return the action that opens the scenarios from a screen."""
    return Action(
        id="scenarios",
        keys="S",
        title="scenarios",
        scope=scope,
        opens="scenarios",
        help="Open, check, compare or save scenarios: a job and its pipeline as a file and a test.",
    )


def back_from(scope: str, *, to_overview: bool = True) -> Action:
    """Return the action that leaves a screen, which was opened from the overview or from another one too."""
    title, where = ("overview", " to the overview") if to_overview else ("back", "")
    return Action(
        id="back", keys="escape", title=title, scope=scope, help=f"Go back{where}; a filter is cleared first."
    )
