"""The actions of the doctor's screen."""

from __future__ import annotations

from dockpass.action import Action, back_from, filter_in, panels_in, switch_in
from dockpass.readonly import Act

DOCTOR_ACTIONS: tuple[Action, ...] = (
    Action(
        id="try",
        keys="t",
        title="try the fix",
        scope="doctor",
        help="Try the fix as edits: what would change? No file changes.",
    ),
    Action(id="undo", keys="backspace", title="undo", scope="doctor", help="Undo the last edit."),
    Action(
        id="explain",
        keys="e",
        title="error message",
        scope="doctor",
        help="Paste an error message: the checks that explain it come first.",
    ),
    Action(
        id="ask",
        keys="a",
        title="ask registry",
        scope="doctor",
        help="Ask the registry too what the login of a push may do; nothing is sent before.",
    ),
    Action(
        id="each",
        keys="space",
        title="each",
        scope="doctor",
        help="Show each of several findings that are told as one, with its own fix; or fold them again.",
    ),
    Action(
        id="mute",
        keys="m",
        title="mute",
        scope="doctor",
        act=Act.WRITE,
        help="Mute the finding, with a reason that is written to the settings; or let it count again.",
    ),
    Action(
        id="whose",
        keys="o",
        title="whose view",
        scope="doctor",
        help="Go from the findings of the chosen job to those of this process, and back.",
    ),
    Action(
        id="variables",
        keys="v",
        title="variables",
        scope="doctor",
        opens="variables",
        help="Show the variable that the finding is about, as a GitLab job would get it.",
    ),
    filter_in("doctor", "findings"),
    switch_in("doctor"),
    *panels_in("doctor", "Findings", "Finding"),
    back_from("doctor", to_overview=False),
)
