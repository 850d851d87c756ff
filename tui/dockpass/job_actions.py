"""The actions of the screens about jobs: variables, rules and comparisons."""

from __future__ import annotations

from dockpass.action import Action, back_from, filter_in, health_in, panels_in, scenarios_in, switch_in
from dockpass.readonly import Act


def _of_pipeline(scope: str) -> tuple[Action, ...]:
    """Return the actions that choose the pipeline that a screen looks at."""
    return (
        Action(id="ref", keys="b", title="ref", scope=scope, help="Choose the branch, tag or merge request."),
        Action(
            id="protection",
            keys="t",
            title="protected",
            scope=scope,
            help="Treat the ref as protected, or as unprotected.",
        ),
        Action(id="environment", keys="n", title="environment", scope=scope, help="Choose the environment."),
        Action(
            id="pipeline_source",
            keys="s",
            title="started by",
            scope=scope,
            help="Choose what starts the pipeline.",
        ),
    )


JOB_ACTIONS: tuple[Action, ...] = (
    Action(
        id="edit",
        keys="e",
        title="edit",
        scope="variables",
        help="What if it had another value? Edits win over every level, and change no file.",
    ),
    Action(id="job", keys="J", title="job", scope="variables", help="Choose the job to look at."),
    *_of_pipeline("variables"),
    Action(
        id="import",
        keys="i",
        title="import",
        scope="variables",
        help="Import variables from a file or a paste, with a preview first; on the overview i is images.",
    ),
    filter_in("variables", "variables"),
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
        act=Act.REVEAL,
        help="Show one secret for ten seconds; asks first.",
    ),
    Action(
        id="copy_value",
        keys="Y",
        title="copy value",
        scope="variables",
        shown=False,
        help="Copy the selected value; asks first for a secret, and takes it back where it can.",
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
    scenarios_in("variables"),
    health_in("variables"),
    switch_in("variables"),
    *panels_in("variables", "Variables", "Why"),
    back_from("variables", to_overview=False),
    *_of_pipeline("rules"),
    Action(
        id="variables",
        keys="v",
        title="variables",
        scope="rules",
        opens="variables",
        help="Show the variables of the selected job.",
    ),
    filter_in("rules", "jobs"),
    scenarios_in("rules"),
    health_in("rules"),
    switch_in("rules"),
    *panels_in("rules", "Jobs", "Why", "Pipeline"),
    back_from("rules", to_overview=False),
    Action(id="swap", keys="x", title="swap", scope="compare", help="Swap the left and the right side."),
    Action(id="left", keys="less_than_sign", title="left", scope="compare", help="Choose the left side."),
    Action(
        id="right", keys="greater_than_sign", title="right", scope="compare", help="Choose the right side."
    ),
    Action(
        id="every_run",
        keys="t",
        title="every run",
        scope="compare",
        help="Show what differs in every run, or hide it: ids, times, addresses.",
    ),
    filter_in("compare", "variables"),
    switch_in("compare"),
    *panels_in("compare", "Differences", "Why", "Logins"),
    back_from("compare", to_overview=False),
)
