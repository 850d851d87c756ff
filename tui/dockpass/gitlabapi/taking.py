"""Reads a project's settings from GitLab, level by level. What a person may not read is normal, and is said.

A level that answers 403 or 404 is unknown to this person. Anything else that goes wrong ends the import, and
what was kept of an earlier one stays as it is.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from urllib.parse import quote

from dockpass.errors import DockpassError
from dockpass.gitlabapi.client import MOST_PAGES, PAGE, GitlabClient, Refusal
from dockpass.gitlabapi.rows import Lint, Oddities, inherited_of, lint_of, names_of, variables_of
from dockpass.gitlabapi.token import Token
from dockpass.references.reference import is_host
from dockpass.registry.connection_errors import timed_out
from dockpass.registry.policy import Policy
from dockpass.registry.transport import Transport
from dockpass.text import clean
from dockpass.variables.gitlab.model import Definition, Level, Ref, RefType
from dockpass.variables.gitlabplace import GitlabPlace
from dockpass.variables.snapshot import Extent, Reach, Snapshot

_INHERITED = """\
query inherited($path: ID!, $first: Int!, $after: String) {
  project(fullPath: $path) {
    inheritedCiVariables(first: $first, after: $after) {
      nodes { key variableType environmentScope protected masked raw groupName groupCiCdSettingsPath }
      pageInfo { hasNextPage endCursor }
    }
  }
}
"""
_RENAMED_SINCE = (16, 10)
"""Since then the dry run takes `content_ref` and `dry_run_ref`; before they were `sha` and `ref`."""

LONGEST = 600
"""In seconds, of a whole import."""

_NO_FORM = "no variable in the response could be read"

Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Asked:
    """What to look at: a branch or tag, the default branch where None; and a pipeline by its number."""

    ref: Ref | None = None
    pipeline: int | None = None


@dataclass(frozen=True, slots=True)
class Taken:
    """What was read: the settings with their values, the configuration, and what to say of them.

    It is kept in memory; `snapshot.without_values()` is what may lie on a disk. The notes are clean.
    """

    snapshot: Snapshot = field(repr=False)
    lint: Lint | None = None
    no_lint: str = ""
    notes: tuple[str, ...] = ()


@asynccontextmanager
async def gitlab_client(place: GitlabPlace, token: Token, policy: Policy) -> AsyncIterator[GitlabClient]:
    """Open a client for one server."""
    async with Transport(policy, connections=4) as transport:
        yield GitlabClient(transport, place, token)


async def take(client: GitlabClient, asked: Asked, now: float, tell: Tell = lambda _: None) -> Taken:
    """Read everything that this token may read; raises `DockpassError` where the project cannot be read.

    `now` is in seconds since the epoch; `tell` gets a line of progress before each request.
    """
    try:
        async with asyncio.timeout(LONGEST):
            return await _Taking(client, asked, now, tell).take()
    except TimeoutError as error:
        raise timed_out(
            f"{clean(client.place.host, 200)} did not answer everything within {LONGEST // 60} minutes.",
            "Try again later. What was imported before is still there.",
        ) from error


class _Taking:
    def __init__(self, client: GitlabClient, asked: Asked, now: float, tell: Tell) -> None:
        self._client = client
        self._asked = asked
        self._now = now
        self._tell = tell
        self._notes: list[str] = []
        self._reaches: list[Reach] = []
        self._definitions: list[Definition] = []

    async def take(self) -> Taken:
        self._tell("the project")
        project = await self._project()
        number, path = project["id"], str(project.get("path_with_namespace") or self._client.place.project)
        version = await self._version()
        pipeline_ref = await self._pipeline_ref(number)
        default = _text(project, "default_branch")
        ref = self._asked.ref or pipeline_ref or Ref(name=default or "main", protected=None)
        await self._level(Level.INSTANCE, "", "admin/ci/variables")
        await self._groups(project, path)
        await self._level(Level.PROJECT, "", f"projects/{number}/variables")
        if self._asked.pipeline is not None:
            origin = str(self._asked.pipeline)
            await self._level(Level.PIPELINE, origin, f"projects/{number}/pipelines/{origin}/variables")
        snapshot = Snapshot(
            server=self._client.place.url,
            project=path if self._client.place.is_by_number else self._client.place.project,
            taken=self._now,
            ref=ref,
            pipeline_ref=pipeline_ref,
            levels=tuple(self._reaches),
            definitions=tuple(self._definitions),
            protected_branches=await self._names(
                "protected branches", f"projects/{number}/protected_branches"
            ),
            protected_tags=await self._names("protected tags", f"projects/{number}/protected_tags"),
            environments=await self._names("environments", f"projects/{number}/environments"),
            default_branch=default or None,
            registry=_registry(project),
            registry_enabled=_registry_enabled(project),
            config_path=_text(project, "ci_config_path"),
            version=version,
        )
        lint, why = await self._lint(number, ref, version)
        snapshot = replace(snapshot, jobs=lint.jobs if lint else None)
        return Taken(snapshot, lint, why, tuple(self._notes))

    async def _project(self) -> Mapping[str, Any]:
        place = self._client.place
        found, moved = await self._client.project()
        shown = clean(place.project, 200)
        if isinstance(found, Refusal):
            raise DockpassError(
                "gitlab-project-refused",
                f"{clean(place.host, 200)} does not show the project {shown}: {found.why}.",
                "Check its path, and that the token's owner is a member: GitLab also says 404 for what a"
                " token may not see.",
            )
        number, path = found.get("id"), found.get("path_with_namespace")
        if isinstance(number, bool) or not isinstance(number, int) or number < 1:
            raise self._client.rejected("its project has no valid number")
        if path is not None and (not isinstance(path, str) or len(path) > 1024):
            raise self._client.rejected("the path of its project is not text")
        if moved:
            self._notes.append(f"{shown} has moved: it is {clean(path or str(number), 200)} now")
        elif path and not place.is_by_number and path.lower() != place.project.lower():
            raise self._client.rejected(f"it names another project, {clean(path, 200)}")
        return found

    async def _version(self) -> str:
        try:
            found = await self._client.get("version")
        except DockpassError:
            return ""  # it only tells how the dry run is asked for
        version = "" if isinstance(found, Refusal) else _text(found, "version")
        return clean(version, 40)

    async def _pipeline_ref(self, number: int) -> Ref | None:
        if self._asked.pipeline is None:
            return None
        self._tell(f"pipeline {self._asked.pipeline}")
        found = await self._client.get(f"projects/{number}/pipelines/{self._asked.pipeline}")
        if isinstance(found, Refusal):
            raise DockpassError(
                "gitlab-pipeline-refused",
                f"GitLab does not show pipeline {self._asked.pipeline} of this project: {found.why}.",
                "Give the number that the pipeline's address ends with, not the one with # of the project.",
            )
        name = _text(found, "ref")
        if match := re.fullmatch(r"refs/merge-requests/\d+/(?:head|merge|train)", name):
            return Ref(type=RefType.MERGE_REQUEST, name=match[0], protected=False)
        if not name:
            raise self._client.rejected("its pipeline has no ref")
        return Ref(
            type=RefType.TAG if found.get("tag") is True else RefType.BRANCH, name=name, protected=None
        )

    async def _level(self, level: Level, origin: str, path: str) -> bool:
        """Read the variables of a level; return whether they could be read."""
        reach = Reach(level, origin, Extent.WHOLE)
        self._tell(f"variables of the {reach.label}")
        rows = await self._client.rows(path)
        if isinstance(rows, Refusal):
            self._reaches.append(replace(reach, extent=Extent.NOTHING, why=rows.why))
            return False
        odd = Oddities()
        found = variables_of(rows, level, origin, odd)
        self._notes += odd.notes(f"variables of the {reach.label}")
        if rows and not found:
            self._reaches.append(replace(reach, extent=Extent.NOTHING, why=_NO_FORM))
            return False
        self._reaches.append(reach)
        self._definitions += found
        return True

    async def _groups(self, project: Mapping[str, Any], path: str) -> None:
        """Read each group, the outermost first; of those that are refused, the list of names tells more."""
        namespace = project.get("namespace")
        if isinstance(namespace, dict) and namespace.get("kind") == "user":
            return
        parts = path.split("/")[:-1]
        first = len(self._reaches)
        groups = ["/".join(parts[: count + 1]) for count in range(len(parts))]
        read = {
            group: await self._level(Level.GROUP, group, f"groups/{quote(group, safe='')}/variables")
            for group in groups
        }
        if all(read.values()):
            return
        inherited, why = await self._inherited(path)
        if why:
            self._notes.append(f"GitLab does not list the inherited variables: {why}")
            return
        self._add_inherited(inherited, [group for group in groups if not read[group]], first)

    def _add_inherited(self, inherited: Sequence[Definition], refused: Sequence[str], first: int) -> None:
        """Take the names of the groups that refused their variables, in the order of the groups."""
        groups = [reach.origin for reach in self._reaches[first:]]
        of: dict[str, list[Definition]] = {group: [] for group in groups}
        homeless = 0
        for each in inherited:
            group = _group_of(each.origin, groups, refused)
            if group is None:
                homeless += 1
            else:
                of[group].append(replace(each, origin=group))
        for group in refused:
            index = groups.index(group) + first
            self._reaches[index] = replace(self._reaches[index], extent=Extent.NAMES)
            self._definitions += of[group]
        order = {group: index for index, group in enumerate(groups)}
        self._definitions.sort(key=lambda each: (each.level, order.get(each.origin, 0)))
        if homeless:
            self._notes.append(
                f"inherited variables: {homeless:,} left out, of groups that this project is not in"
            )

    async def _inherited(self, path: str) -> tuple[tuple[Definition, ...], str]:
        """Return the inherited variables without values; or why there are none."""
        self._tell("names of the inherited variables")
        odd, nodes, after = Oddities(), list[Any](), None
        for _ in range(MOST_PAGES):
            try:
                answer = await self._client.query(_INHERITED, {"path": path, "first": PAGE, "after": after})
            except DockpassError as error:
                return (), error.message.rstrip(".")
            page = (
                None
                if isinstance(answer, Refusal)
                else _dig(answer, "data", "project", "inheritedCiVariables")
            )
            if not isinstance(page, dict) or not isinstance(page.get("nodes"), list):
                return (), answer.why if isinstance(answer, Refusal) else _graphql_words(answer)
            nodes += page["nodes"]
            info = page.get("pageInfo")
            cursor = (
                info.get("endCursor") if isinstance(info, dict) and info.get("hasNextPage") is True else None
            )
            if not isinstance(cursor, str) or not cursor or cursor == after:
                found = inherited_of(nodes, odd)
                self._notes += odd.notes("inherited variables")
                return found, ""
            after = cursor
        return (), "the list never ends"

    async def _names(self, what: str, path: str) -> tuple[str, ...] | None:
        self._tell(what)
        rows = await self._client.rows(path)
        if isinstance(rows, Refusal):
            self._notes.append(f"you may not read the {what} ({rows.why})")
            return None
        odd = Oddities()
        found = names_of(rows, odd)
        self._notes += odd.notes(what)
        return None if odd.counted else found  # half a list would tell that something is not protected

    async def _lint(self, number: int, ref: Ref, version: str) -> tuple[Lint | None, str]:
        """Let GitLab simulate a pipeline of the ref, which creates none; say why where there is no answer."""
        self._tell(f"the configuration on {clean(ref.name, 100)}")
        new = _release(version) is None or (_release(version) or ()) >= _RENAMED_SINCE
        content, context = ("content_ref", "dry_run_ref") if new else ("sha", "ref")
        query = {"dry_run": "true", "include_jobs": "true", content: ref.name, context: ref.name}
        try:
            found = await self._client.get(f"projects/{number}/ci/lint", **query)
        except DockpassError as error:
            return None, error.message.rstrip(".")
        if isinstance(found, Refusal):
            return None, found.why
        lint = lint_of(found)
        return lint, "" if lint else "the response does not say whether the configuration is valid"


def _group_of(origin: str, groups: Sequence[str], refused: Sequence[str]) -> str | None:
    """Return which of the groups an inherited variable is of, by path or, from older servers, by name.

    A name may differ from the last part of the path; it can only be that of the one group that is not known.
    """
    wanted = origin.lower()
    by_path = {group.lower(): group for group in groups}
    by_name = {group.rpartition("/")[2].lower(): group for group in groups}
    only = refused[0] if len(refused) == 1 and "/" not in origin else None
    return by_path.get(wanted) or by_name.get(wanted) or only


def _text(found: Mapping[str, Any], name: str) -> str:
    value = found.get(name)
    return value if isinstance(value, str) and len(value) <= 1024 else ""


def _registry(project: Mapping[str, Any]) -> str | None:
    host = _text(project, "container_registry_image_prefix").partition("/")[0].lower()
    return host if is_host(host) else None


def _registry_enabled(project: Mapping[str, Any]) -> bool | None:
    level, old = project.get("container_registry_access_level"), project.get("container_registry_enabled")
    if isinstance(level, str):
        return level != "disabled"
    return old if isinstance(old, bool) else None


def _release(version: str) -> tuple[int, int] | None:
    found = re.match(r"(\d{1,3})\.(\d{1,3})", version)
    return (int(found[1]), int(found[2])) if found else None


def _dig(found: Any, *names: str) -> Any:
    for name in names:
        found = found.get(name) if isinstance(found, dict) else None
    return found


def _graphql_words(answer: Mapping[str, Any]) -> str:
    """Return GraphQL's first error; no project and no error stand for one that may not be seen."""
    errors = answer.get("errors")
    first = errors[0] if isinstance(errors, list) and errors else None
    words = first.get("message") if isinstance(first, dict) else None
    return clean(words, 200).rstrip(".") if isinstance(words, str) else "it may not be seen with this token"
