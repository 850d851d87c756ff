"""`--scenario`: what a file says of job, pipeline and variables, with the other options on top."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from dockpass.cli.output import is_terminal
from dockpass.cli.variables_settings import fresh_settings
from dockpass.cli.world import World
from dockpass.errors import UsageError
from dockpass.scenario.opening import Opened
from dockpass.scenario.references import FromGitlab
from dockpass.secrets import Secret
from dockpass.session.scenarios import open_file, without_jobs
from dockpass.text import clean
from dockpass.unknown import Unknown
from dockpass.variables.gitlab.model import Definition, RefType
from dockpass.variables.gitlabplace import origin_of
from dockpass.variables.projectsettings import ProjectSettings

_PIPELINE = ("ref", "tag", "merge_request")


def open_given(world: World, given: Mapping[str, Any]) -> Opened:
    """Read the scenario that the options name, with the files it names; raises `UsageError`."""
    return open_file(
        given["scenario"],
        world,
        asks=bool(given.get("asks")),
        prompt=_typed if given.get("asks") and is_terminal() else None,
        gitlab=_from_gitlab(world, given) if given["from_gitlab"] else None,
    )


def on_top(opened: Opened, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the options with what the scenario says where they say nothing.

    What is known of a ref does not hold for another one. What was imported on this machine is left out: the
    answer is the same everywhere.
    """
    if without_jobs(opened):
        raise UsageError(
            "scenario-platform",
            f"{opened.file} has no GitLab job: its platform is {opened.scenario.platform}.",
            "Use it with explain, probe, config, a run, or scenario check.",
        )
    context = opened.scenario.context
    found = {**given, "job": given["job"] or opened.scenario.job or None, "no_snapshot": True}
    if not any(given[name] for name in _PIPELINE):
        found["tag" if context.ref_type is RefType.TAG else "ref"] = context.ref
        found["merge_request"] = context.ref_type is RefType.MERGE_REQUEST
        if given["protected"] is None:
            found["protected"] = context.protected
        found["pipeline_source"] = given["pipeline_source"] or context.pipeline_source
    found["gitlab_version"] = given["gitlab_version"] or context.gitlab_version or None
    if given["environment"] is None:
        found["environment"] = context.environment
    typed = {text.partition("=")[0] for text in given["sets"]}
    found["unsets"] = (*given["unsets"], *(name for name in context.unset if name not in typed))
    return found


def _typed(key: str) -> str:
    return str(click.prompt(f"Value of {clean(key, 200)}", hide_input=True, err=True, default=""))


def _from_gitlab(world: World, given: Mapping[str, Any]) -> FromGitlab:
    asked: dict[str, ProjectSettings] = {}

    def ask(project: str, key: str, scope: str) -> Secret | Unknown:
        if project not in asked:
            asked[project] = fresh_settings(world, project, origin_of(world.cwd, world.environ), None, given)
        snapshot = asked[project].snapshot
        found = (
            [each for each in snapshot.definitions if (each.key, each.scope) == (key, scope)]
            if snapshot
            else []
        )
        return _strongest(found) if found else Unknown("GitLab has no such variable", is_set=True)

    return ask


def _strongest(found: list[Definition]) -> Secret | Unknown:
    value = max(found, key=lambda each: each.level).value
    return value if isinstance(value, Unknown) else Secret(value)
