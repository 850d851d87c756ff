"""The token server as GitLab's, and the registry's check of what it gets."""

import base64
import hmac
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from sandboxclient import Client, Clock, Got

from dockpass.sandbox.accounts import Account, Accounts
from dockpass.sandbox.flavours import Flavour
from dockpass.sandbox.server import SandboxServer
from dockpass.sandbox.tokens import Signer
from dockpass.secrets import Secret

Start = Callable[..., SandboxServer]
REPOSITORY = "web/backend/api"
EVERYTHING = f"repository:{REPOSITORY}:pull,push,delete,*"


def claims(got: Got) -> Any:
    token = got.data["token"].split(".")
    return json.loads(base64.urlsafe_b64decode(token[1] + "=="))


def granted(got: Got) -> dict[str, list[str]]:
    return {entry["name"]: entry["actions"] for entry in claims(got)["access"]}


def account(sandbox: SandboxServer, name: str) -> Account:
    found: Account = getattr(sandbox.accounts, name)
    return found


def with_token(client: Client, token: str, method: str = "GET", target: str = "") -> Got:
    target = target or f"/v2/{REPOSITORY}/tags/list"
    return client.raw(method, target, None, {"Authorization": f"Bearer {token}"})


@pytest.mark.parametrize(
    ("who", "actions", "kind", "subject"),
    [
        ("job", ["pull", "push"], "build", "myuser"),
        ("cleanup", ["pull", "push", "delete", "*"], "personal_access_token", "werf-cleanup"),
        ("personal", ["pull", "push", "delete", "*"], "personal_access_token", "myuser"),
        ("deploy", ["pull", "push"], "deploy_token", "gitlab+deploy-token-1"),
        ("password", ["pull", "push", "delete", "*"], "gitlab_or_ldap", "myuser"),
    ],
)
def test_fewer_actions_than_asked_are_no_error(
    shared: SandboxServer, who: str, actions: list[str], kind: str, subject: str
) -> None:
    got = Client(shared, account(shared, who)).token(EVERYTHING)
    assert (got.status, set(got.data)) == (200, {"token"})
    assert granted(got) == {REPOSITORY: actions}
    found = claims(got)
    assert (found["auth_type"], found["sub"], found["aud"]) == (kind, subject, "container_registry")


def test_a_token_says_when_and_for_which_project(start: Start, clock: Clock) -> None:
    sandbox = start(clock=clock, protected_tags=["^v[0-9]", "stable"])
    client = Client(sandbox, sandbox.accounts.job)
    first, second = (claims(client.token(EVERYTHING)) for _ in range(2))
    assert first["exp"] - first["iat"] == 300
    assert first["iat"] == int(clock.now) >= first["nbf"]
    assert first["jti"] != second["jti"]
    (entry,) = first["access"]
    assert (entry["type"], entry["name"]) == ("repository", REPOSITORY)
    meta = entry["meta"]
    assert meta["project_path"] == "web/backend"
    assert isinstance(meta["project_id"], int)
    assert isinstance(meta["root_namespace_id"], int)
    patterns = ["^v[0-9]", "stable"]
    assert meta["tag_deny_access_patterns"] == {"push": patterns, "delete": patterns}


def test_scopes_may_be_repeated_and_parted_by_blanks(shared: SandboxServer) -> None:
    client = Client(shared, shared.accounts.job)
    target = "/jwt/auth?service=container_registry&scope=repository:a/b:pull+repository:a/c:push"
    target += "&scope=repository:a/d:pull,pull,delete&scope=&scope=nonsense&scope=repository:A/..:pull"
    got = client.raw("GET", target, None, {"Authorization": client.basic})
    assert granted(got) == {"a/b": ["pull"], "a/c": ["push"], "a/d": ["pull"]}


def test_without_a_scope_a_token_tells_only_that_the_login_is_right(shared: SandboxServer) -> None:
    got = Client(shared, shared.accounts.deploy).token()
    assert claims(got)["access"] == []
    assert with_token(Client(shared), got.data["token"], target="/v2/").status == 200
    assert with_token(Client(shared), got.data["token"]).status == 401


@pytest.mark.parametrize(
    ("who", "username", "status"),
    [
        ("job", "gitlab-ci-token", 200),
        ("job", "myuser", 401),
        ("cleanup", "werf-cleanup", 200),
        ("cleanup", "somebody", 401),
        ("personal", "whoever", 200),
        ("personal", "gitlab-ci-token", 200),
        ("deploy", "gitlab+deploy-token-1", 200),
        ("deploy", "myuser", 401),
        ("password", "myuser", 200),
        ("password", "somebody", 401),
    ],
)
def test_which_user_name_a_secret_wants(shared: SandboxServer, who: str, username: str, status: int) -> None:
    assert Client(shared, account(shared, who), username).token().status == status


def test_a_wrong_password_is_told_in_gitlabs_words(shared: SandboxServer) -> None:
    wrong = replace(shared.accounts.personal, secret=Secret("canary-wrong"))
    got = Client(shared, wrong).token(EVERYTHING)
    assert (got.status, got.code) == (401, "UNAUTHORIZED")
    assert got.message.startswith("HTTP Basic: Access denied. ")
    assert b"canary-wrong" not in got.body


@pytest.mark.parametrize(
    "header", ["Basic", "Basic !!", "Basic bm9jb2xvbg==", "Basic Og==", "Basic gICA", "Bearer x"]
)
def test_an_authorization_that_is_none(shared: SandboxServer, header: str) -> None:
    got = Client(shared).raw("GET", "/jwt/auth?service=container_registry", None, {"Authorization": header})
    assert (got.status, got.code) == (401, "UNAUTHORIZED")


@pytest.mark.parametrize("scope", ["", f"repository:{REPOSITORY}:pull"])
def test_nobody_gets_a_token(shared: SandboxServer, scope: str) -> None:
    got = Client(shared).token(scope)
    assert (got.status, got.code, got.message) == (403, "DENIED", "access forbidden")


@pytest.mark.parametrize("service", ["", "registry.docker.io", "dependency_proxy"])
def test_another_service_is_not_found(shared: SandboxServer, service: str) -> None:
    got = Client(shared, shared.accounts.personal).token("", service)
    assert (got.status, got.body) == (404, b"")


def test_there_is_no_oauth2(shared: SandboxServer) -> None:
    client = Client(shared, shared.accounts.personal)
    assert client.raw("POST", "/jwt/auth", b"grant_type=password").status == 404


def test_the_challenge_names_realm_service_and_scope(shared: SandboxServer) -> None:
    got = Client(shared).raw("PUT", f"/v2/{REPOSITORY}/manifests/v1")
    assert (got.status, got.code) == (401, "UNAUTHORIZED")
    assert got.headers["WWW-Authenticate"] == (
        f'Bearer realm="{shared.realm}",service="container_registry",'
        f'scope="repository:{REPOSITORY}:pull,push"'
    )
    assert Client(shared).raw("GET", "/v2/").headers["WWW-Authenticate"] == (
        f'Bearer realm="{shared.realm}",service="container_registry"'
    )


@pytest.mark.parametrize(
    ("method", "target", "scope"),
    [
        ("GET", "manifests/v1", "repository:a/b:pull"),
        ("DELETE", "manifests/v1", "repository:a/b:delete"),
        ("DELETE", "tags/reference/v1", "repository:a/b:delete"),
        ("POST", "blobs/uploads/", "repository:a/b:pull,push"),
        ("PATCH", "blobs/uploads/x", "repository:a/b:pull,push"),
        ("DELETE", "blobs/uploads/x", "repository:a/b:pull,push"),
    ],
)
def test_too_few_rights_are_told_with_what_is_missing(
    shared: SandboxServer, method: str, target: str, scope: str
) -> None:
    client = Client(shared, shared.accounts.personal)
    token = client.token("repository:a/other:pull,push,delete").data["token"]
    got = with_token(client, token, method, f"/v2/a/b/{target}")
    assert (got.status, got.code) == (401, "UNAUTHORIZED")
    assert f'scope="{scope}",error="insufficient_scope"' in got.headers["WWW-Authenticate"]
    assert got.data["errors"][0]["detail"][0]["Name"] == "a/b"


def test_a_mount_needs_the_right_to_read_its_source(shared: SandboxServer) -> None:
    client = Client(shared, shared.accounts.personal)
    digest = client.blob("secret/source", b"data")
    token = client.token("repository:a/b:pull,push").data["token"]
    target = f"/v2/a/b/blobs/uploads/?mount={digest}&from=secret/source"
    got = with_token(client, token, "POST", target)
    assert got.status == 401
    assert 'scope="repository:a/b:pull,push repository:secret/source:pull"' in got.headers["WWW-Authenticate"]
    assert client.ask("POST", target).status == 201


def test_a_star_stands_for_every_action(shared: SandboxServer, path: str) -> None:
    client = Client(shared, shared.accounts.personal)
    client.image(path, "v1")
    token = client.token(f"repository:{path}:*").data["token"]
    assert with_token(client, token, "DELETE", f"/v2/{path}/manifests/v1").status == 202


def test_a_job_token_may_not_delete_until_it_may(start: Start) -> None:
    sandbox = start()
    client = Client(sandbox, sandbox.accounts.job)
    client.image(REPOSITORY, "v1")
    got = client.ask("DELETE", f"/v2/{REPOSITORY}/manifests/v1")
    assert got.status == 401
    assert 'error="insufficient_scope"' in got.headers["WWW-Authenticate"]
    sandbox.job_token_may_delete = True
    assert granted(client.token(EVERYTHING)) == {REPOSITORY: ["pull", "push", "delete"]}
    assert client.ask("DELETE", f"/v2/{REPOSITORY}/manifests/v1").status == 202
    assert start(job_token_may_delete=True).job_token_may_delete


def test_a_token_ends_after_five_minutes_and_the_leeway(start: Start, clock: Clock) -> None:
    sandbox = start(clock=clock)
    client = Client(sandbox, sandbox.accounts.personal)
    client.image(REPOSITORY, "v1")
    token = client.token(EVERYTHING).data["token"]
    clock.now += 359
    assert with_token(client, token).status == 200
    clock.now += 1
    got = with_token(client, token)
    assert got.status == 401
    assert 'error="invalid_token"' in got.headers["WWW-Authenticate"]
    clock.now -= 360 + 70
    assert with_token(client, token).status == 401


def tampered(token: str, part: int, change: Callable[[Any], Any]) -> str:
    parts = token.split(".")
    raw = json.loads(base64.urlsafe_b64decode(parts[part] + "=="))
    parts[part] = base64.urlsafe_b64encode(json.dumps(change(raw)).encode()).decode().rstrip("=")
    return ".".join(parts)


def signed_with(key: bytes, token: str) -> str:
    signed = token.rpartition(".")[0]
    signature = hmac.digest(key, signed.encode(), "sha256")
    return f"{signed}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"


def test_a_forged_token_is_refused(shared: SandboxServer) -> None:
    client = Client(shared, shared.accounts.job)
    client.image(REPOSITORY, "v1")
    token = client.token(f"repository:{REPOSITORY}:pull").data["token"]
    assert with_token(client, token).status == 200
    header, body, signature = token.split(".")
    more = tampered(token, 1, lambda found: {**found, "exp": found["exp"] + 9999})
    unsigned = tampered(token, 0, lambda found: {**found, "alg": "none"})
    other_algorithm = tampered(token, 0, lambda found: {**found, "alg": "RS256"})
    forged = [more, unsigned, other_algorithm, signed_with(b"", token), signed_with(b"secret", token)]
    forged += [
        Signer().sign(json.loads(base64.urlsafe_b64decode(body + "=="))),
        f"{header}.{body}.",
        f"{header}.{body}",
        "..",
        "x",
        "a.b.c",
    ]
    forged += [f"{header}.{body}.{signature}A", f"{body}.{header}.{signature}", "é" * 9, "W10.W10.W10"]
    for one in forged:
        got = client.raw(
            "GET",
            f"/v2/{REPOSITORY}/tags/list",
            None,
            {"Authorization": f"Bearer {one}".encode()},  # type: ignore[dict-item]
        )
        assert got.status == 401, one
        assert 'error="invalid_token"' in got.headers["WWW-Authenticate"]


def test_a_login_at_the_registry_itself_is_sent_to_the_realm(shared: SandboxServer) -> None:
    client = Client(shared, shared.accounts.personal)
    got = client.raw("GET", "/v2/", None, {"Authorization": client.basic})
    assert got.status == 401
    assert got.headers["WWW-Authenticate"].startswith("Bearer realm=")


@pytest.mark.parametrize("who", ["job", "personal"])
def test_protected_tags_are_neither_pushed_nor_deleted(start: Start, who: str) -> None:
    sandbox = start(protected_tags=["^v[0-9]", "^stable$"], job_token_may_delete=True)
    client = Client(sandbox, account(sandbox, who))
    client.image(REPOSITORY, "dev", "unstable")
    raw = client.ask("GET", f"/v2/{REPOSITORY}/manifests/dev").body
    got = client.put(REPOSITORY, "v1", raw)
    assert (got.status, got.code) == (403, "DENIED")
    assert "v1" in got.message
    assert client.put(REPOSITORY, "stable", raw).status == 403
    assert client.tags(REPOSITORY) == ["dev", "unstable"]
    assert client.ask("DELETE", f"/v2/{REPOSITORY}/manifests/dev").status == 202


def test_a_digest_with_a_protected_tag_stays(start: Start, tmp_path: Any) -> None:
    with SandboxServer(tmp_path / "kept") as open_one:
        digest = Client(open_one, open_one.accounts.personal).image(REPOSITORY, "v1", "dev")
    sandbox = start(tmp_path / "kept", protected_tags=["^v"])
    client = Client(sandbox, sandbox.accounts.cleanup)
    for reference in (digest, "v1"):
        assert client.ask("DELETE", f"/v2/{REPOSITORY}/manifests/{reference}").status == 403
    assert client.ask("DELETE", f"/v2/{REPOSITORY}/tags/reference/v1").status == 403
    assert client.tags(REPOSITORY) == ["dev", "v1"]
    assert client.ask("DELETE", f"/v2/{REPOSITORY}/manifests/dev").status == 202


def test_an_account_may_be_limited_to_projects(start: Start) -> None:
    accounts = Accounts.random()
    job = replace(accounts.job, projects=("web/backend",))
    sandbox = start(accounts=replace(accounts, job=job))
    client = Client(sandbox, job)
    scopes = "repository:web/backend:pull repository:web/backend/x:pull repository:web/backendx:pull"
    assert set(granted(client.token(scopes))) == {"web/backend", "web/backend/x"}


def test_only_an_admin_reads_the_catalog(shared: SandboxServer) -> None:
    assert Client(shared, shared.accounts.job).ask("GET", "/v2/_catalog").status == 401
    assert Client(shared, shared.accounts.password).ask("GET", "/v2/_catalog").status == 200


def test_many_scopes_fit_into_one_token(shared: SandboxServer) -> None:
    client = Client(shared, shared.accounts.job)
    got = client.token(" ".join(f"repository:web/r{number}:pull,push" for number in range(60)))
    assert len(granted(got)) == 60
    token = got.data["token"]
    assert len(token) > 8190
    assert with_token(client, token, target="/v2/web/r59/tags/list").status == 404


def test_a_directory_says_nothing_of_secrets(tmp_path: Any) -> None:
    with SandboxServer(tmp_path, Flavour.GHCR) as sandbox:
        client = Client(sandbox, sandbox.accounts.personal)
        client.token(EVERYTHING, "ghcr.io")
        client.token(EVERYTHING, "ghcr.io")
        secrets = [found.secret.reveal().encode() for found in sandbox.accounts]
        kept = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    assert not any(secret in kept for secret in secrets)
