"""The sandbox's GitLab: who may read what, pages, and that its settings fit its registry."""

from __future__ import annotations

import json
from http.client import HTTPConnection
from typing import Any

import pytest
from sandboxclient import Client

from dockpass.registry.links import next_page
from dockpass.sandbox.flavours import Flavour
from dockpass.sandbox.gitlab_world import RELEASES
from dockpass.sandbox.sample import BASE, PROJECT
from dockpass.sandbox.server import SandboxServer
from dockpass.secrets import Secret

SHOP = "/api/v4/projects/workshop%2Fshop"


def ask(
    sandbox: SandboxServer,
    path: str,
    secret: Secret | None = None,
    *,
    header: str = "Authorization",
    body: object = None,
) -> tuple[int, Any, Any]:
    connection = HTTPConnection(sandbox.host, timeout=10)
    value = "" if secret is None else secret.reveal()
    headers = {header: f"Bearer {value}" if header == "Authorization" else value} if secret else {}
    method, raw = ("GET", None) if body is None else ("POST", json.dumps(body))
    connection.request(method, path, raw, {**headers, "Content-Type": "application/json"})
    answer = connection.getresponse()
    found = answer.status, json.loads(answer.read()), answer.headers
    connection.close()
    return found


@pytest.fixture(scope="module")
def sandbox(shared: SandboxServer) -> SandboxServer:
    return shared


@pytest.mark.parametrize("header", ["Authorization", "PRIVATE-TOKEN"])
def test_a_personal_token_reads_the_project(sandbox: SandboxServer, header: str) -> None:
    status, found, _ = ask(sandbox, SHOP, sandbox.accounts.personal.secret, header=header)
    assert (status, found["path_with_namespace"]) == (200, PROJECT)
    again = ask(sandbox, f"/api/v4/projects/{found['id']}", sandbox.accounts.personal.secret)
    assert again[:2] == (200, found)


@pytest.mark.parametrize("path", [SHOP, f"{SHOP}/variables", "/api/graphql", "/api/v4/version"])
def test_no_other_secret_reads_it(sandbox: SandboxServer, path: str) -> None:
    accounts = sandbox.accounts
    for secret in (None, accounts.job.secret, accounts.deploy.secret, accounts.password.secret, Secret("x")):
        assert ask(sandbox, path, secret)[:2] == (401, {"message": "401 Unauthorized"})
    status, found, _ = ask(sandbox, path, accounts.cleanup.secret)
    assert (status, found["error"]) == (403, "insufficient_scope")


@pytest.mark.parametrize(
    ("path", "status", "message"),
    [
        ("/api/v4/admin/ci/variables", 403, "403 Forbidden"),
        ("/api/v4/groups/workshop/variables", 403, "403 Forbidden"),
        ("/api/v4/groups/other/variables", 404, "404 Group Not Found"),
        ("/api/v4/projects/workshop%2Fother", 404, "404 Project Not Found"),
        ("/api/v4/projects/workshop/shop", 404, "404 Project Not Found"),
        (f"{SHOP}/pipelines/9", 404, "404 Not found"),
        (f"{SHOP}/ci/lint?content_ref=nowhere", 404, "404 Commit Not Found"),
    ],
)
def test_what_may_not_be_seen(sandbox: SandboxServer, path: str, status: int, message: str) -> None:
    assert ask(sandbox, path, sandbox.accounts.personal.secret)[:2] == (status, {"message": message})


def test_nothing_can_be_changed(sandbox: SandboxServer) -> None:
    status, _, _ = ask(sandbox, f"{SHOP}/variables", sandbox.accounts.personal.secret, body={"key": "A"})
    assert status == 405


def test_lists_come_in_pages(sandbox: SandboxServer) -> None:
    secret = sandbox.accounts.personal.secret
    path, keys = f"{SHOP}/variables?per_page=4", []
    while path:
        status, rows, headers = ask(sandbox, path, secret)
        assert status == 200
        keys += [row["key"] for row in rows]
        assert len(rows) <= 4
        link = next_page(headers["Link"])
        assert bool(headers["X-Next-Page"]) is bool(link)
        path = link.removeprefix(sandbox.url)
    assert keys == [row["key"] for row in ask(sandbox, f"{SHOP}/variables", secret)[1]]
    assert len(keys) == 9
    assert ask(sandbox, f"{SHOP}/variables?page=99", secret)[1] == []


def test_the_settings_fit_the_registry(sandbox: SandboxServer) -> None:
    rows = ask(sandbox, f"{SHOP}/variables", sandbox.accounts.personal.secret)[1]
    found = {row["key"]: row for row in rows}
    cleanup, releases = found["WERF_IMAGES_CLEANUP_PASSWORD"], found["RELEASES_PASSWORD"]
    assert (cleanup["value"], cleanup["protected"]) == (sandbox.accounts.cleanup.secret.reveal(), True)
    assert (releases["value"], releases["protected"]) == (sandbox.accounts.deploy.secret.reveal(), True)
    assert found["RELEASES_IMAGE"]["value"] == f"{sandbox.host}/{RELEASES}"
    assert (found["SIGNING_KEY"]["value"], found["SIGNING_KEY"]["hidden"]) == (None, True)


def test_graphql_names_the_groups_variables_without_values(sandbox: SandboxServer) -> None:
    body = {"query": "query", "variables": {"path": PROJECT}}
    found = ask(sandbox, "/api/graphql", sandbox.accounts.personal.secret, body=body)[1]
    nodes = found["data"]["project"]["inheritedCiVariables"]["nodes"]
    assert "SHARED_DEPLOY_TOKEN" in [node["key"] for node in nodes]
    assert not any("value" in node for node in nodes)
    body["variables"] = {"path": "other/project"}
    assert ask(sandbox, "/api/graphql", sandbox.accounts.personal.secret, body=body)[1] == {
        "data": {"project": None}
    }


@pytest.mark.parametrize("flavour", [Flavour.ECR, Flavour.DOCKERHUB])
def test_other_registries_have_no_such_api(flavour: Flavour) -> None:
    with SandboxServer(None, flavour) as sandbox:
        connection = HTTPConnection(sandbox.host, timeout=10)
        connection.request("GET", SHOP)
        assert connection.getresponse().status == 404
        connection.close()


def test_the_job_may_push_to_its_own_project_alone() -> None:
    with SandboxServer() as sandbox:
        owner = Client(sandbox, sandbox.accounts.personal)
        owner.image(RELEASES, "v1")
        owner.image(BASE.partition(":")[0], "3")
        sandbox.confine_job(PROJECT, (BASE.partition(":")[0],))
        job = Client(sandbox, sandbox.accounts.job)
        job.image(PROJECT, "mine")
        assert job.ask("GET", f"/v2/{BASE.replace(':', '/manifests/')}").status == 200
        assert job.ask("POST", f"/v2/{BASE.partition(':')[0]}/blobs/uploads/").status == 401
        assert job.ask("POST", f"/v2/{RELEASES}/blobs/uploads/").status == 401
        assert job.ask("GET", f"/v2/{RELEASES}/manifests/v1").status == 401
        assert (
            Client(sandbox, sandbox.accounts.deploy).ask("POST", f"/v2/{RELEASES}/blobs/uploads/").status
            == 202
        )
