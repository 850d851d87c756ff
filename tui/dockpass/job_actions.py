"""The actions of the screens about jobs: variables, rules and comparisons."""

from __future__ import annotations

from dockpass.action import Action

JOB_ACTIONS: tuple[Action, ...] = (
    Action(
        id="edit",
        keys="e",
        title="edit",
        scope="variables",
        help="What if it had another value? Edits win over every level, and change no file.",
    ),
    Action(id="job", keys="J", title="job", scope="variables", help="Choose the job to look at."),
    Action(
        id="ref", keys="b", title="ref", scope="variables", help="Choose the branch, tag or merge request."
    ),
    Action(
        id="protection",
        keys="t",
        title="protected",
        scope="variables",
        help="Take the ref as protected, or as not protected.",
    ),
    Action(
        id="environment", keys="n", title="environment", scope="variables", help="Choose the environment."
    ),
    Action(
        id="pipeline_source",
        keys="s",
        title="started by",
        scope="variables",
        help="Choose what starts the pipeline.",
    ),
    Action(
        id="import",
        keys="i",
        title="import",
        scope="variables",
        help="Import variables from a file or a paste, with a preview first; on the overview i is images.",
    ),
    Action(
        id="filter",
        keys="slash",
        title="filter",
        scope="variables",
        help="Show only variables that contain a text.",
    ),
    Action(
        id="problems",
        keys="p",
        title="problems",
        scope="variables",
        help="Show only variables that need a look, or all again.",
    ),
    Action(id="unset", keys="u", title="unset", scope="variables", help="What if the variable were missing?"),
    Action(id="undo", keys="backspace", title="undo", scope="variables", help="Undo the last edit."),
    Action(
        id="reveal",
        keys="r",
        title="reveal",
        scope="variables",
        shown=False,
        help="Show one secret for ten seconds; asks first.",
    ),
    Action(
        id="rules",
        keys="w",
        title="rules",
        scope="variables",
        opens="rules",
        help="Show why the job is in the pipeline or not.",
    ),
    Action(
        id="differences",
        keys="d",
        title="compare",
        scope="variables",
        opens="compare",
        help="Compare this with another branch, job, file, a log, or this shell.",
    ),
    Action(id="switch", keys="tab", title="panel", scope="variables", help="Go to the next panel."),
    Action(
        id="back",
        keys="escape",
        title="overview",
        scope="variables",
        help="Go back to the overview; a filter is cleared first.",
    ),
    Action(id="ref", keys="b", title="ref", scope="rules", help="Choose the branch, tag or merge request."),
    Action(
        id="protection",
        keys="t",
        title="protected",
        scope="rules",
        help="Take the ref as protected, or as not protected.",
    ),
    Action(
        id="pipeline_source",
        keys="s",
        title="started by",
        scope="rules",
        help="Choose what starts the pipeline.",
    ),
    Action(id="environment", keys="n", title="environment", scope="rules", help="Choose the environment."),
    Action(
        id="variables",
        keys="v",
        title="variables",
        scope="rules",
        opens="variables",
        help="Show the variables of the selected job.",
    ),
    Action(
        id="filter", keys="slash", title="filter", scope="rules", help="Show only jobs that contain a text."
    ),
    Action(id="switch", keys="tab", title="panel", scope="rules", help="Go to the next panel."),
    Action(
        id="back",
        keys="escape",
        title="back",
        scope="rules",
        help="Go back; a filter is cleared first.",
    ),
    Action(id="swap", keys="x", title="swap", scope="compare", help="Swap the left and the right side."),
    Action(id="left", keys="l", title="left", scope="compare", help="Choose the left side."),
    Action(id="right", keys="r", title="right", scope="compare", help="Choose the right side."),
    Action(
        id="every_run",
        keys="t",
        title="every run",
        scope="compare",
        help="Show what differs in every run, or hide it: ids, times, addresses.",
    ),
    Action(
        id="filter",
        keys="slash",
        title="filter",
        scope="compare",
        help="Show only variables that contain a text.",
    ),
    Action(id="switch", keys="tab", title="panel", scope="compare", help="Go to the next panel."),
    Action(
        id="back",
        keys="escape",
        title="back",
        scope="compare",
        help="Go back; a filter is cleared first.",
    ),
)
