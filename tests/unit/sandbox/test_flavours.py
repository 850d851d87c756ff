"""What makes each flavour another registry."""

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from sandboxclient import Client, Clock, Got

from dockpass.sandbox.accounts import Account, Accounts
from dockpass.sandbox.flavours import PROFILES, WINDOW_SECONDS, Flavour
from dockpass.sandbox.server import SandboxServer
from dockpass.secrets import Secret

Start = Callable[..., SandboxServer]
PUSH = "repository:a/b:pull,push"
PAGE = Path(__file__).parents[3] / "docs" / "sandbox.md"
DELETE = "repository:a/b:pull,delete"


@pytest.mark.parametrize("flavour", Flavour)
def test_every_flavour_is_documented(flavour: Flavour) -> None:
    assert f"\n| `{flavour.value}` |" in PAGE.read_text(encoding="utf-8")


def speaker(sandbox: SandboxServer, account: Account) -> Client:
    return Client(sandbox, account, PROFILES[sandbox.flavour].basic_user)


def token(client: Client, sandbox: SandboxServer, scope: str) -> Got:
    return client.token(scope, PROFILES[sandbox.flavour].service)


def with_wrong_secret(sandbox: SandboxServer) -> Client:
    return speaker(sandbox, replace(sandbox.accounts.personal, secret=Secret("canary-wrong")))


def actions_in(got: Got) -> list[list[str]]:
    claims = json.loads(base64.urlsafe_b64decode(got.data["token"].split(".")[1] + "=="))
    return [entry["actions"] for entry in claims["access"]]


@pytest.mark.parametrize("flavour", Flavour)
def test_every_flavour_takes_an_image_and_gives_it_back(start: Start, flavour: Flavour) -> None:
    sandbox = start(None, flavour)
    client = speaker(sandbox, sandbox.accounts.job)
    digest = client.image("a/b", "v1", "v2")
    assert client.tags("a/b") == ["v1", "v2"]
    got = client.ask("GET", "/v2/a/b/manifests/v1")
    assert got.headers["Docker-Content-Digest"] == digest


@pytest.mark.parametrize("flavour", Flavour)
def test_every_flavour_says_no_to_wrong_credentials(start: Start, flavour: Flavour) -> None:
    sandbox = start(None, flavour)
    got = with_wrong_secret(sandbox).ask("GET", "/v2/")
    status, code, words = PROFILES[flavour].refusal
    assert got.status == status
    assert got.data == ({"details": words} if not code else {"errors": [{"code": code, "message": words}]})


ANONYMOUS = {
    Flavour.GITLAB: (403, 403),
    Flavour.DISTRIBUTION: (401, 401),
    Flavour.DISTRIBUTION_TOKEN: (401, 401),
    Flavour.ANONYMOUS: (200, 401),
    Flavour.NO_DELETE: (403, 403),
    Flavour.DOCKERHUB: (200, 401),
    Flavour.GHCR: (401, 403),
    Flavour.ECR: (401, 401),
}


@pytest.mark.parametrize("flavour", Flavour)
def test_what_nobody_may(start: Start, flavour: Flavour) -> None:
    sandbox = start(None, flavour)
    speaker(sandbox, sandbox.accounts.personal).image("a/b", "v1")
    nobody = Client(sandbox)
    found = [
        nobody.ask("GET", "/v2/a/b/manifests/v1").status,
        nobody.ask("POST", "/v2/a/b/blobs/uploads/").status,
    ]
    assert tuple(found) == ANONYMOUS[flavour]


DELETION = {
    # by digest, by tag, by GitLab's older path: for somebody who may delete
    Flavour.GITLAB: (202, 202, 202),
    Flavour.DISTRIBUTION: (202, 202, 404),
    Flavour.DISTRIBUTION_TOKEN: (202, 202, 404),
    Flavour.ANONYMOUS: (202, 202, 202),
    Flavour.NO_DELETE: (405, 405, 405),
    Flavour.DOCKERHUB: (405, 405, 404),
    Flavour.GHCR: (405, 405, 404),
    Flavour.ECR: (405, 405, 404),
}


@pytest.mark.parametrize("flavour", Flavour)
def test_how_things_are_deleted(start: Start, flavour: Flavour) -> None:
    sandbox = start(None, flavour)
    client = speaker(sandbox, sandbox.accounts.personal)
    digest = client.image("a/b", "v1", "v2")
    other = client.image("a/b", "v3", layer=b"another")
    got = [
        client.ask("DELETE", f"/v2/a/b/manifests/{digest}"),
        client.ask("DELETE", "/v2/a/b/manifests/v3"),
    ]
    client.manifest("a/b", json.loads(b'{"schemaVersion": 2, "mediaType": "x/y"}'), "v4")
    got.append(client.ask("DELETE", "/v2/a/b/tags/reference/v4"))
    assert tuple(one.status for one in got) == DELETION[flavour]
    if DELETION[flavour][0] == 405:
        assert {one.code for one in got if one.status == 405} == {"UNSUPPORTED"}
        assert client.ask("GET", f"/v2/a/b/manifests/{other}").status == 200


def test_a_distribution_with_basic_has_no_rights_of_ones_own(start: Start) -> None:
    sandbox = start(None, Flavour.DISTRIBUTION)
    assert sandbox.realm == ""
    got = Client(sandbox).ask("GET", "/v2/")
    assert (got.status, got.code) == (401, "UNAUTHORIZED")
    assert got.headers["WWW-Authenticate"].startswith("Basic realm=")
    client = Client(sandbox, sandbox.accounts.job)
    client.image("a/b", "v1")
    assert client.ask("DELETE", "/v2/a/b/manifests/v1").status == 202
    assert ("DELETE", "/v2/a/b/manifests/v1", "myuser", 202) in sandbox.requests


def test_a_distribution_with_tokens_names_what_it_does_not_grant(start: Start, clock: Clock) -> None:
    sandbox = start(None, Flavour.DISTRIBUTION_TOKEN, clock=clock)
    got = token(Client(sandbox), sandbox, PUSH)
    assert got.status == 200
    assert actions_in(got) == [[]]
    assert got.data["access_token"] == got.data["token"]
    assert got.data["expires_in"] == 300
    assert got.data["issued_at"] == "2026-09-21T14:13:20Z"


def test_docker_hub_refuses_at_the_realm_what_a_limited_token_asks_for(start: Start) -> None:
    sandbox = start(None, Flavour.DOCKERHUB)
    limited = Client(sandbox, sandbox.accounts.job)
    got = token(limited, sandbox, DELETE)
    assert (got.status, got.data) == (401, {"details": "access token has insufficient scopes"})
    assert actions_in(token(limited, sandbox, PUSH)) == [["pull", "push"]]
    assert actions_in(token(Client(sandbox), sandbox, PUSH)) == [["pull"]]


def test_docker_hub_counts_pulls_by_account_or_address(start: Start, clock: Clock) -> None:
    accounts = Accounts.random()
    sandbox = start(None, Flavour.DOCKERHUB, accounts=accounts, clock=clock)
    client = Client(sandbox, accounts.personal)
    client.image("a/b", "v1")

    def limits(who: Client, method: str = "GET") -> tuple[str, str, str]:
        got = who.ask(method, "/v2/a/b/manifests/v1")
        names = ("ratelimit-limit", "ratelimit-remaining", "docker-ratelimit-source")
        return tuple(got.headers[name] for name in names)  # type: ignore[return-value]

    assert limits(client) == ("200;w=21600", "199;w=21600", "myuser")
    nobody = Client(sandbox)
    assert limits(nobody, "HEAD") == ("100;w=21600", "100;w=21600", "127.0.0.1")
    fetched = token(nobody, sandbox, "repository:a/b:pull").data["token"]
    bearer = {"Authorization": f"Bearer {fetched}"}
    statuses = [nobody.raw("GET", "/v2/a/b/manifests/v1", None, bearer).status for _ in range(101)]
    assert statuses == [200] * 100 + [429]
    got = nobody.raw("GET", "/v2/a/b/manifests/v1", None, bearer)
    assert (got.code, got.headers["ratelimit-remaining"]) == ("TOOMANYREQUESTS", "0;w=21600")
    assert nobody.raw("HEAD", "/v2/a/b/manifests/v1", None, bearer).status == 200
    assert limits(client)[1] == "198;w=21600"
    clock.now += WINDOW_SECONDS
    assert limits(nobody)[1] == "99;w=21600"


def test_other_flavours_count_nothing(shared: SandboxServer, owner: Client, path: str) -> None:
    owner.image(path, "v1")
    assert "ratelimit-limit" not in owner.ask("GET", f"/v2/{path}/manifests/v1").headers


def test_ghcr_gives_tokens_that_nobody_can_read(start: Start, clock: Clock) -> None:
    sandbox = start(None, Flavour.GHCR, clock=clock)
    client = Client(sandbox, sandbox.accounts.personal)
    client.image("a/b", "v1")
    opaque = token(client, sandbox, "repository:a/b:pull").data["token"]
    assert "." not in opaque
    bearer = {"Authorization": f"Bearer {opaque}"}
    assert client.raw("GET", "/v2/a/b/tags/list", None, bearer).status == 200
    assert client.raw("GET", "/v2/a/c/tags/list", None, bearer).status == 401
    clock.now += 360
    got = client.raw("GET", "/v2/a/b/tags/list", None, bearer)
    assert (got.status, 'error="invalid_token"' in got.headers["WWW-Authenticate"]) == (401, True)


def test_ghcr_refuses_a_push_without_the_right_at_the_realm(start: Start) -> None:
    accounts = Accounts.random()
    reader = replace(accounts.deploy, actions=frozenset({"pull"}))
    sandbox = start(None, Flavour.GHCR, accounts=replace(accounts, deploy=reader))
    client = Client(sandbox, reader)
    got = token(client, sandbox, PUSH)
    assert (got.status, got.code) == (403, "DENIED")
    assert token(client, sandbox, DELETE).status == 200


def test_ecr_knows_one_user_name_and_tells_rights_apart(start: Start) -> None:
    sandbox = start(None, Flavour.ECR)
    assert Client(sandbox, sandbox.accounts.job).ask("GET", "/v2/").status == 401
    accounts = Accounts.random()
    reader = replace(accounts.deploy, actions=frozenset({"pull"}))
    sandbox = start(None, Flavour.ECR, accounts=replace(accounts, deploy=reader))
    speaker(sandbox, accounts.job).image("a/b", "v1")
    client = speaker(sandbox, reader)
    assert client.ask("GET", "/v2/a/b/manifests/v1").status == 200
    got = client.ask("POST", "/v2/a/b/blobs/uploads/")
    assert (got.status, got.code) == (403, "DENIED")
    assert "is not authorized to perform" in got.message
