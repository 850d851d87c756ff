"""The registry client and the deletion plan against docker-registry, with and without a token server."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from images import Pusher
from logins import ANONYMOUS, Given
from servers import CLEANUP_PASSWORD, JOB_TOKEN, PASSWORD, USER, Registry
from tokenactions import granted_actions

from dockpass.cleanup.execute import TagResult, execute
from dockpass.cleanup.inventory import can_delete_single_tags, survey
from dockpass.cleanup.options import CleanupOptions
from dockpass.cleanup.plan import DeletionPlan, Policy, plan_deletion
from dockpass.errors import LoginRefused
from dockpass.references.credential import Credential
from dockpass.registry.client import RegistryClient
from dockpass.registry.failures import RegistryError
from dockpass.secrets import Secret

pytestmark = pytest.mark.registry

StartRegistry = Callable[..., Registry]
PATH = "web/backend"
NOW = datetime.now(UTC)
OLD = NOW - timedelta(days=100)
ME = Credential(USER, Secret(PASSWORD))
CLEANUP = Credential("werf-cleanup", Secret(CLEANUP_PASSWORD))
JOB = Credential("gitlab-ci-token", Secret(JOB_TOKEN))


async def plan_of(client: RegistryClient, **rules: object) -> DeletionPlan:
    tags = await survey(client, PATH, lambda done, total: None)
    single = await can_delete_single_tags(client, PATH)
    return plan_deletion(tags, Policy(NOW, CleanupOptions(**rules)), single_tags=single)  # type: ignore[arg-type]


async def clean_up(client: RegistryClient, **rules: object) -> dict[str, str]:
    results: list[TagResult] = []
    await execute(client, PATH, await plan_of(client, **rules), results.append)
    return {result.tag: result.outcome for result in results}


@pytest.mark.parametrize("auth", ["htpasswd", "token"])
async def test_a_right_login_is_accepted_and_a_wrong_one_told_in_the_registrys_words(
    start_registry: StartRegistry, auth: str
) -> None:
    registry = start_registry(auth)
    async with RegistryClient(registry.host, Given(ME)) as client:
        assert (await client.login()).words.startswith("accepted by ")
    async with RegistryClient(registry.host, Given(Credential(USER, Secret("wrong-canary")))) as client:
        with pytest.raises(LoginRefused) as caught:
            await client.login()
    words = "authentication required" if auth == "htpasswd" else "HTTP Basic: Access denied"
    assert words in caught.value.words
    assert (
        caught.value.meaning
        == "User name and password were not accepted: one of them is wrong, or the token has expired."
    )
    assert "wrong-canary" not in str(vars(caught.value))


async def test_a_registry_without_login_is_open(start_registry: StartRegistry) -> None:
    registry = start_registry()
    async with RegistryClient(registry.host, ANONYMOUS) as client:
        assert await client.tags(PATH) == []


@pytest.mark.parametrize("auth", ["none", "htpasswd", "token"])
async def test_an_image_is_read_with_its_config(start_registry: StartRegistry, auth: str) -> None:
    registry = start_registry(auth)
    digest = Pusher(registry, PATH).image("v1", created=OLD, labels={"stage": "test"})
    async with RegistryClient(registry.host, Given(ME)) as client:
        assert await client.tags(PATH) == ["v1"]
        manifest = await client.manifest(PATH, "v1")
        config = await client.config(PATH, manifest.data["config"]["digest"])
    assert manifest.digest == digest
    assert config["config"]["Labels"] == {"stage": "test"}


async def test_nobody_reads_a_registry_that_wants_a_login(start_registry: StartRegistry) -> None:
    registry = start_registry("token")
    async with RegistryClient(registry.host, ANONYMOUS) as client:
        with pytest.raises(RegistryError) as caught:
            await client.tags(PATH)
    assert "No credentials for this registry" in caught.value.message


@pytest.mark.parametrize(("auth", "who"), [("none", ME), ("htpasswd", ME), ("token", CLEANUP)])
async def test_old_tags_are_deleted_and_young_ones_kept(
    start_registry: StartRegistry, auth: str, who: Credential
) -> None:
    registry = start_registry(auth)
    pusher = Pusher(registry, PATH)
    for number in range(5):
        pusher.image(f"v{number}", created=OLD, labels={"n": str(number)})
    pusher.image("new", created=NOW)
    async with RegistryClient(registry.host, Given(who)) as client:
        outcomes = await clean_up(client, older_than=timedelta(days=30).total_seconds())
        assert outcomes == {f"v{number}": "deleted" for number in range(5)}
        assert await client.tags(PATH) == ["new"]
        assert await clean_up(client, older_than=timedelta(days=30).total_seconds()) == {}


async def test_a_job_token_may_not_delete_and_is_refused_once(start_registry: StartRegistry) -> None:
    registry = start_registry("token")
    pusher = Pusher(registry, PATH)
    digests = [pusher.image(f"v{number}", created=OLD, labels={"n": str(number)}) for number in range(3)]
    results: list[TagResult] = []
    async with RegistryClient(registry.host, Given(JOB)) as client:
        tags = await survey(client, PATH, lambda done, total: None)
        plan = plan_deletion(tags, Policy(NOW, CleanupOptions(match=".*")), single_tags=None)
        with pytest.raises(RegistryError) as caught:
            await execute(client, PATH, plan, results.append)
        assert await client.tags(PATH) == ["v0", "v1", "v2"]
    assert caught.value.answer.status == 401  # docker-registry says 401 where one would expect 403
    assert not results
    assert all(map(pusher.has, digests))
    assert registry.tokens
    scopes = [scopes for user, scopes in registry.tokens.requests if user == "gitlab-ci-token"]
    assert [f"repository:{PATH}:*"] in scopes


async def test_deletion_switched_off_is_explained(start_registry: StartRegistry) -> None:
    registry = start_registry(delete=False)
    digest = Pusher(registry, PATH).image("v1", created=OLD)
    async with RegistryClient(registry.host, ANONYMOUS) as client:
        with pytest.raises(RegistryError) as caught:
            await client.delete_digest(PATH, digest)
    assert caught.value.answer.status == 405
    assert "switched off" in caught.value.message


async def test_a_tag_that_shares_its_image_with_a_kept_one_is_kept(start_registry: StartRegistry) -> None:
    registry = start_registry()
    pusher = Pusher(registry, PATH)
    pusher.image("v1", "stable", created=OLD)
    pusher.image("v2", "v2-also", created=OLD, labels={"n": "2"})
    async with RegistryClient(registry.host, ANONYMOUS) as client:
        plan = await plan_of(client, match="v.*")
        rows = {row.info.tag: row for row in plan.rows}
        assert "this registry cannot delete a single tag" in rows["v1"].reason
        outcomes = await clean_up(client, match="v.*")
        assert outcomes == {"v2": "deleted", "v2-also": "deleted"}
        assert await client.tags(PATH) == ["stable", "v1"]


async def test_the_images_of_a_kept_index_stay(start_registry: StartRegistry) -> None:
    registry = start_registry()
    pusher = Pusher(registry, PATH)
    part = pusher.image("v1-amd64", created=OLD)
    pusher.index("v1", children=[part])
    gone = pusher.image("v0-amd64", created=OLD, labels={"n": "0"})
    async with RegistryClient(registry.host, ANONYMOUS) as client:
        assert await clean_up(client, match=".*-amd64") == {"v0-amd64": "deleted"}
        assert await client.manifest(PATH, "v1")
    assert pusher.has(part)
    assert not pusher.has(gone)


async def test_an_index_goes_with_its_images(start_registry: StartRegistry) -> None:
    registry = start_registry()
    pusher = Pusher(registry, PATH)
    part = pusher.image("v1-amd64", created=OLD)
    pusher.index("v1", children=[part])
    async with RegistryClient(registry.host, ANONYMOUS) as client:
        assert await clean_up(client, match=".*") == {"v1": "deleted", "v1-amd64": "deleted"}
        assert await client.tags(PATH) == []


async def test_signatures_share_the_fate_of_their_image(start_registry: StartRegistry) -> None:
    registry = start_registry()
    pusher = Pusher(registry, PATH)
    kept, old = pusher.image("new", created=NOW), pusher.image("old", created=OLD)
    signatures = {}
    for digest in (kept, old):
        signatures[digest] = f"{digest.replace(':', '-')}.sig"
        pusher.image(signatures[digest], labels={"signs": digest})
    pusher.image("sbom", labels={"describes": kept}, subject=kept)
    async with RegistryClient(registry.host, ANONYMOUS) as client:
        outcomes = await clean_up(client, older_than=timedelta(days=30).total_seconds())
        assert outcomes == {"old": "deleted", signatures[old]: "deleted"}
        assert set(await client.tags(PATH)) == {"new", "sbom", signatures[kept]}


async def test_a_tag_that_moves_between_plan_and_deletion_is_left_alone(
    start_registry: StartRegistry,
) -> None:
    registry = start_registry()
    pusher = Pusher(registry, PATH)
    pusher.image("v1", created=OLD)
    pusher.image("v2", created=OLD, labels={"n": "2"})
    rolled_back = pusher.image("v3", created=OLD, labels={"n": "3"})
    pusher.image("latest", created=NOW)
    results: list[TagResult] = []
    async with RegistryClient(registry.host, ANONYMOUS) as client:
        plan = await plan_of(client, match="v.*")
        moved_to = pusher.image("v1", created=OLD, labels={"n": "moved"})
        assert pusher.image("latest", created=OLD, labels={"n": "3"}) == rolled_back
        await execute(client, PATH, plan, results.append)
        assert await client.tags(PATH) == ["latest", "v1", "v3"]
    assert {result.tag: result.outcome for result in results} == {
        "v1": "moved",
        "v2": "deleted",
        "v3": "kept",
    }
    assert pusher.has(moved_to)


def test_a_token_names_the_actions_that_were_granted(start_registry: StartRegistry) -> None:
    registry = start_registry("token")
    assert registry.tokens
    scope = f"/jwt/auth?service=container_registry&scope=repository:{PATH}:pull,push,delete"
    status, body = registry.tokens.answer(scope, "Basic Z2l0bGFiLWNpLXRva2VuOmNhbmFyeS1qb2ItdG9rZW4tNDcxMQ==")
    assert status == 200
    assert granted_actions(Secret(str(body["token"])), PATH) == {"pull", "push"}
