"""A GitLab on loopback that answers soundly, as its documentation shows, until a test replaces an answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from hostile import Hostile, Reply, World

from dockpass.gitlabapi.client import LARGEST_ANSWER, GitlabClient
from dockpass.gitlabapi.taking import Asked, Taken, take
from dockpass.gitlabapi.token import Token
from dockpass.sandbox.gitlab_world import inherited_row, variable_row
from dockpass.secrets import Secret
from dockpass.variables.gitlab.model import Definition, Ref
from dockpass.variables.gitlabplace import GitlabPlace

TOKEN = "glpat-canary-4711-never-shown"
CANARY = "gldt-CanaryValue-8Kq2"
NOW = 1_790_000_000.0
API = "/api/v4"
PROJECT, NUMBER = f"{API}/projects/acme%2Fweb%2Fshop", f"{API}/projects/42"
VARIABLES = f"{NUMBER}/variables"
OUTER, INNER = f"{API}/groups/acme/variables", f"{API}/groups/acme%2Fweb/variables"
INSTANCE = f"{API}/admin/ci/variables"
LINT = f"{NUMBER}/ci/lint"
GRAPHQL = "/api/graphql"
FORBIDDEN = Reply(403, {"message": "403 Forbidden"})
MISSING = Reply(404, {"message": "404 Not Found"})


def variable(key: str, value: object = CANARY, **more: Any) -> dict[str, Any]:
    """A row of a list of variables, as GitLab's documentation shows it."""
    return variable_row(key, value, **more)


def inherited(key: str, group: str = "acme", **more: Any) -> dict[str, Any]:
    """A node of GraphQL's list of inherited variables."""
    return inherited_row(key, group, **more)


def connection(nodes: list[Any], after: str | None = None) -> Reply:
    """An answer of GraphQL with a page of inherited variables."""
    info = {"hasNextPage": after is not None, "endCursor": after}
    found = {"nodes": nodes, "pageInfo": info}
    return Reply(200, {"data": {"project": {"inheritedCiVariables": found}}})


PROJECT_BODY: Mapping[str, Any] = {
    "id": 42,
    "path_with_namespace": "acme/web/shop",
    "default_branch": "main",
    "namespace": {"id": 7, "kind": "group", "full_path": "acme/web"},
    "container_registry_image_prefix": "registry.example.com/acme/web/shop",
    "container_registry_access_level": "enabled",
    "ci_config_path": None,
}


def sound(server: Hostile) -> Hostile:
    """Let a server answer everything."""
    answers: dict[str, object] = {
        PROJECT: dict(PROJECT_BODY),
        f"{API}/version": {"version": "18.4.0-ee", "revision": "abc"},
        INSTANCE: [variable("PROXY")],
        OUTER: [variable("FROM_OUTER"), variable("EVERYWHERE")],
        INNER: [variable("FROM_INNER"), variable("EVERYWHERE")],
        VARIABLES: [variable("DEPLOY_TOKEN", masked=True, protected=True), variable("EMPTY", "")],
        f"{NUMBER}/protected_branches": [{"id": 1, "name": "main"}, {"id": 2, "name": "release/*"}],
        f"{NUMBER}/protected_tags": [{"name": "v*"}],
        f"{NUMBER}/environments": [{"id": 1, "name": "production"}],
        LINT: {
            "valid": True,
            "errors": [],
            "warnings": [],
            "merged_yaml": "---\nbuild:\n  script: make\n",
            "jobs": [{"name": "build", "stage": "test"}],
        },
    }
    for path, body in answers.items():
        server.on(path, Reply(200, body))
    server.on(GRAPHQL, connection([]), method="POST")
    return server


async def gitlab(world: World, *, tls: bool = True) -> Hostile:
    """Start a sound GitLab at gitlab.example."""
    return sound(await world.server("gitlab.example", tls=tls))


async def taken_from(
    world: World,
    server: Hostile,
    *,
    ref: str | None = "feature/x",
    pipeline: int | None = None,
    project: str = "acme/web/shop",
    limit: int = LARGEST_ANSWER,
    pace: Any = None,
) -> Taken:
    """Import from a server."""
    place = GitlabPlace(server.url, project, "the test names it")
    asked = Asked(None if ref is None else Ref(name=ref, protected=None), pipeline)
    async with world.transport(pace) as transport:
        client = GitlabClient(transport, place, Token(Secret(TOKEN), "the test"), limit=limit)
        return await take(client, asked, NOW)


def found(taken: Taken) -> list[tuple[str, str]]:
    """Each variable with where it comes from."""
    return [(each.key, each.source) for each in taken.snapshot.definitions]


def of(taken: Taken, key: str) -> Definition:
    return next(each for each in taken.snapshot.definitions if each.key == key)


def texts_below(folder: Path) -> str:
    """Everything that lies below a folder."""
    return "".join(path.read_text() for path in sorted(folder.rglob("*")) if path.is_file())


def shown(taken: Taken) -> str:
    """Everything that is told of an import."""
    from dockpass.cli.gitlab_import import import_json, import_lines

    return "\n".join((*import_lines(taken), json.dumps(import_json(taken)), *taken.notes))
