"""The part of GitLab's API that reads a project's settings, for the sample project and as GitLab answers.

Statuses, bodies and headers follow GitLab's `lib/api`: 401 for no token or a job's, 403 for what the
role does not allow, 404 for what there is not or may not be seen, and offset pages with `Link`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import unquote

from aiohttp import web

from dockpass.sandbox.accounts import Account, AccountKind
from dockpass.sandbox.gate import USER, Gate
from dockpass.sandbox.gitlab_world import BRANCHES, PIPELINE, TAGS, VERSION, GitlabWorld
from dockpass.sandbox.sample import CONFIGURATION, GROUP, PROJECT
from dockpass.sandbox.tokens import number_of

API, GRAPHQL = "/api/v4/", "/api/graphql"
LARGEST_QUERY = 64 << 10

_PAGE, _MOST = 20, 100


def is_api(path: str) -> bool:
    """Tell whether a path is the API's."""
    return path.startswith(API) or path == GRAPHQL


async def answer_api(request: web.Request, gate: Gate) -> web.Response:
    """Answer one request."""
    account = _account(request, gate)
    if account is None:
        return _said(401, "401 Unauthorized")
    request[USER] = account.username
    if account is not gate.accounts.personal:
        scopes = {"error": "insufficient_scope", "scope": "api read_api"}
        words = "The request requires higher privileges than provided by the access token."
        return web.json_response({**scopes, "error_description": words}, status=403)
    url = gate.base()
    world = GitlabWorld(url, url.partition("://")[2], gate.accounts, CONFIGURATION)
    if request.path == GRAPHQL:
        return await _graphql(request, world)
    if request.method != "GET":
        return _said(405, "405 Method Not Allowed")
    return _get(request, world, request.rel_url.raw_path.removeprefix(API))


def _account(request: web.Request, gate: Gate) -> Account | None:
    """Return whose access token it is: a job's token and a password are none."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer":
        token = request.headers.get("PRIVATE-TOKEN", "")
    kind = AccountKind.PERSONAL
    return next(
        (each for each in gate.accounts if each.kind is kind and each.accepts(each.username, token.strip())),
        None,
    )


def _get(request: web.Request, world: GitlabWorld, path: str) -> web.Response:
    first, _, rest = path.partition("/")
    if path == "version":
        return web.json_response({"version": VERSION, "revision": "sandbox"})
    if path == "admin/ci/variables":
        return _said(403, "403 Forbidden")
    name, _, what = rest.partition("/")
    name = unquote(name)
    if first == "groups":
        return _said(403, "403 Forbidden") if name == GROUP else _said(404, "404 Group Not Found")
    if first != "projects" or name.lower() not in {PROJECT, str(number_of(PROJECT))}:
        return _said(404, "404 Project Not Found" if first == "projects" else "404 Not Found")
    if not what:
        return web.json_response(world.project)
    if what in world.lists:
        return _page(request, world.lists[what])
    if what == f"pipelines/{PIPELINE}":
        return web.json_response(world.pipeline)
    if what == "ci/lint":
        return _lint(request, world)
    return _said(404, "404 Not found")


def _lint(request: web.Request, world: GitlabWorld) -> web.Response:
    query = request.query
    content = query.get("content_ref", query.get("sha", "main"))
    ref = query.get("dry_run_ref", query.get("ref", "main"))
    if content not in (*BRANCHES, *TAGS):
        return _said(404, "404 Commit Not Found")
    return web.json_response(world.lint(ref, with_jobs=query.get("include_jobs") == "true"))


def _page(request: web.Request, rows: Sequence[dict[str, Any]]) -> web.Response:
    number = max(_number(request.query.get("page", ""), 1), 1)
    size = min(max(_number(request.query.get("per_page", ""), _PAGE), 1), _MOST)
    pages = max(-(-len(rows) // size), 1)
    shown = rows[(number - 1) * size : number * size]
    links = {"first": 1, "last": pages}
    links |= {"next": number + 1} if number < pages else {}
    response = web.json_response(list(shown))
    response.headers.update(
        {
            "Link": ", ".join(f'<{_at(request, page, size)}>; rel="{name}"' for name, page in links.items()),
            "X-Page": str(number),
            "X-Per-Page": str(size),
            "X-Next-Page": str(number + 1) if number < pages else "",
            "X-Total": str(len(rows)),
            "X-Total-Pages": str(pages),
        }
    )
    return response


def _at(request: web.Request, page: int, size: int) -> str:
    return f"{request.scheme}://{request.host}{request.rel_url.raw_path}?page={page}&per_page={size}"


def _number(text: str, missing: int) -> int:
    return int(text) if text.isdecimal() and len(text) < 9 else missing


async def _graphql(request: web.Request, world: GitlabWorld) -> web.Response:
    """Answer the one query that is asked here, for inherited variables; its text is not looked at."""
    if request.method != "POST" or (request.content_length or 0) > LARGEST_QUERY:
        return _said(404, "404 Not Found")
    try:
        asked = await request.json()
        path = asked["variables"]["path"]
    except (ValueError, KeyError, TypeError):
        return web.json_response({"errors": [{"message": "Unexpected end of document"}]})
    if path != PROJECT:
        return web.json_response({"data": {"project": None}})
    found = {"nodes": world.inherited, "pageInfo": {"hasNextPage": False, "endCursor": "MQ"}}
    return web.json_response({"data": {"project": {"inheritedCiVariables": found}}})


def _said(status: int, message: str) -> web.Response:
    return web.json_response({"message": message}, status=status)
