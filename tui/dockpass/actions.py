"""Every action once: bindings, footer, palette, help and the page of keys are made from this table."""

from __future__ import annotations

from dockpass.action import Action, back_from, filter_in, health_in, scenarios_in, switch_in
from dockpass.doctor_actions import DOCTOR_ACTIONS
from dockpass.job_actions import JOB_ACTIONS
from dockpass.readonly import Act
from dockpass.scenario_actions import SCENARIO_ACTIONS

__all__ = ["ACTIONS", "PLACES", "RUN", "SCOPES", "Action"]


ACTIONS: tuple[Action, ...] = (
    Action(
        id="run",
        keys="enter",
        title="run",
        scope="overview",
        act=Act.RUN,
        asks_first=True,
        help="Show the plan of the selected command, then run it.",
    ),
    Action(id="clear", keys="escape", title="clear filter", scope="overview", help="Clear the filter."),
    Action(
        id="edit",
        keys="e",
        title="edit",
        scope="overview",
        help="Edit the selected variable or option, with a preview of the effect.",
    ),
    Action(
        id="unset", keys="u", title="unset", scope="overview", help="Unset the selected variable or option."
    ),
    Action(id="undo", keys="backspace", title="undo", scope="overview", help="Undo the last edit."),
    Action(
        id="reveal",
        keys="r",
        title="reveal",
        scope="overview",
        shown=False,
        act=Act.REVEAL,
        help="Show one secret for ten seconds; asks first.",
    ),
    Action(
        id="whose",
        keys="o",
        title="whose view",
        scope="overview",
        help="Go from the logins of the chosen job to those of this process, and back.",
    ),
    Action(
        id="access",
        keys="a",
        title="access",
        scope="overview",
        opens="access",
        help="Ask the registry what the login may do.",
    ),
    health_in("overview"),
    Action(
        id="program",
        keys="exclamation_mark",
        title="program",
        scope="overview",
        act=Act.PROGRAM,
        help="Run any program with the login of the selected command, in a temporary docker config.",
    ),
    Action(
        id="shell",
        keys="dollar_sign",
        title="shell",
        scope="overview",
        shown=False,
        act=Act.PROGRAM,
        help="Open your shell with the login of the selected command.",
    ),
    filter_in("overview", "variables and options"),
    switch_in("overview"),
    Action(
        id="readers",
        keys="c",
        title="configs",
        scope="overview",
        opens="readers",
        help="Compare how each tool reads docker's config.",
    ),
    Action(
        id="images",
        keys="i",
        title="images",
        scope="overview",
        opens="images",
        help="Show the images of the embedded engine.",
    ),
    Action(
        id="variables",
        keys="v",
        title="variables",
        scope="overview",
        opens="variables",
        help="Show every variable as a GitLab job would get it, and why.",
    ),
    Action(
        id="rules",
        keys="w",
        title="rules",
        scope="overview",
        opens="rules",
        help="Show why a job is in the pipeline or not: each rule, and what it compared.",
    ),
    Action(
        id="differences",
        keys="d",
        title="compare",
        scope="overview",
        opens="compare",
        help="Compare two branches, jobs, files, a log, or this shell.",
    ),
    scenarios_in("overview"),
    Action(id="command_1", keys="1", title="build", scope="overview", shown=False, help="Select build."),
    Action(id="command_2", keys="2", title="push", scope="overview", shown=False, help="Select push."),
    Action(id="command_3", keys="3", title="pull", scope="overview", shown=False, help="Select pull."),
    Action(id="command_4", keys="4", title="cleanup", scope="overview", shown=False, help="Select cleanup."),
    Action(id="command_5", keys="5", title="deploy", scope="overview", shown=False, help="Select deploy."),
    Action(
        id="tour_do",
        keys="space",
        title="do it",
        scope="sandbox",
        shown=False,
        help="Do the tour's current step.",
    ),
    Action(
        id="tour_next",
        keys="n",
        title="next",
        scope="sandbox",
        shown=False,
        help="Go to the tour's next step.",
    ),
    Action(
        id="tour_back",
        keys="p",
        title="back",
        scope="sandbox",
        shown=False,
        help="Go to the tour's previous step.",
    ),
    Action(id="tour", keys="t", title="tour", scope="sandbox", help="Leave the tour, or return to it."),
    Action(id="cancel", keys="x", title="cancel", scope="run", help="Cancel the run."),
    Action(
        id="search",
        keys="slash",
        title="search",
        scope="run",
        help="Show only log lines that contain a text; in a panel of text, search it.",
    ),
    Action(id="follow", keys="f", title="follow", scope="run", help="Follow the end of the log, or pause."),
    Action(
        id="back",
        keys="escape",
        title="overview",
        scope="run",
        help="Go back to the overview; a search is cleared first.",
    ),
    Action(
        id="probe", keys="enter", title="probe", scope="access", help="Probe with the login of this command."
    ),
    Action(
        id="compare",
        keys="c",
        title="compare",
        scope="access",
        help="Probe with every available login, side by side.",
    ),
    Action(
        id="ask_push",
        keys="p",
        title="push too",
        scope="access",
        act=Act.CREATE,
        help="Ask for push to a repository that does not exist yet.",
    ),
    Action(
        id="accept",
        keys="t",
        title="trust",
        scope="access",
        act=Act.TRUST,
        help="Accept a changed token server; asks first.",
    ),
    Action(id="panel", keys="tab", title="panel", scope="access", help="Go to the next panel."),
    filter_in("access", "requests and reasons"),
    Action(
        id="leave",
        keys="escape",
        title="overview",
        scope="access",
        help="Go back to the overview; a filter is cleared first.",
    ),
    Action(
        id="ask",
        keys="a",
        title="ask helpers",
        scope="readers",
        help="Ask the credential helpers of the selected registry.",
    ),
    switch_in("readers"),
    filter_in("readers", "registries"),
    back_from("readers"),
    Action(
        id="remove",
        keys="d",
        title="delete",
        scope="images",
        act=Act.DELETE,
        help="Delete the selected name; asks first.",
    ),
    Action(
        id="prune",
        keys="p",
        title="prune",
        scope="images",
        act=Act.DELETE,
        help="Remove everything that belongs to no named image; asks first.",
    ),
    Action(id="reload", keys="r", title="reload", scope="images", help="Reload the image store."),
    filter_in("images", "images"),
    switch_in("images"),
    back_from("images"),
    *JOB_ACTIONS,
    *DOCTOR_ACTIONS,
    *SCENARIO_ACTIONS,
    Action(
        id="copy",
        keys="y",
        title="copy",
        scope="everywhere",
        help="Copy the command line that does the same, with secrets as $NAME; on run and images,"
        " what is shown; on doctor, the fix.",
    ),
    Action(
        id="report",
        keys="R",
        title="report",
        scope="everywhere",
        shown=False,
        act=Act.WRITE,
        help="Write a Markdown report for a ticket; no secret is in it.",
    ),
    Action(id="help", keys="question_mark", title="help", scope="everywhere", help="Show every key."),
    Action(
        id="quit",
        keys="q",
        title="quit",
        scope="everywhere",
        help="Quit. Asks first if a run is still going, and stops it within 5 seconds.",
    ),
)

RUN = ACTIONS[0]
SCOPES = {
    "overview": "Overview",
    "sandbox": "Overview of a sandbox",
    "run": "Run",
    "access": "Access",
    "readers": "Configs",
    "images": "Images",
    "variables": "Variables",
    "rules": "Rules",
    "compare": "Compare",
    "doctor": "Doctor",
    "scenarios": "Scenarios",
    "everywhere": "Everywhere",
}
"""Where keys work, with a title each."""

_OF_OVERVIEW = ("overview", "sandbox")

PLACES = {
    "overview": (*_OF_OVERVIEW, "everywhere"),
    **{
        scope: (scope, "everywhere") for scope in SCOPES if scope not in {"overview", "sandbox", "everywhere"}
    },
}
"""The scopes whose keys work at the same time; a key may stand for one action in each place only."""
