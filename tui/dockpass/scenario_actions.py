"""The actions of the screen of scenarios."""

from __future__ import annotations

from dockpass.action import Action, back_from, filter_in, panels_in, switch_in
from dockpass.readonly import Act

SCENARIO_ACTIONS: tuple[Action, ...] = (
    Action(
        id="check",
        keys="c",
        title="check again",
        scope="scenarios",
        help="Read every scenario again, and compare what it expects with what is found.",
    ),
    Action(
        id="save",
        keys="s",
        title="save",
        scope="scenarios",
        act=Act.WRITE,
        help="Save the job and the ref that are looked at, with the edits, as a scenario; never a secret.",
    ),
    Action(
        id="mark",
        keys="space",
        title="mark",
        scope="scenarios",
        shown=False,
        help="Mark the scenario for a comparison, or take the mark away.",
    ),
    Action(
        id="compare",
        keys="d",
        title="compare",
        scope="scenarios",
        help="Compare the scenario with the marked one, else with what is looked at.",
    ),
    Action(
        id="edit_file",
        keys="e",
        title="edit",
        scope="scenarios",
        act=Act.PROGRAM,
        help="Open the file in $EDITOR, at the first expectation that is not met.",
    ),
    Action(
        id="close",
        keys="x",
        title="close",
        scope="scenarios",
        help="Close the open scenario, and go back to what was looked at before.",
    ),
    filter_in("scenarios", "scenarios"),
    switch_in("scenarios"),
    *panels_in("scenarios", "Scenarios", "Scenario"),
    back_from("scenarios", to_overview=False),
)
