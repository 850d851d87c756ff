"""The sandbox and dockpass's own client of registries, which know nothing of each other."""

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from logins import Given
from sandboxclient import MANIFEST, Client
from tokenactions import granted_actions

from dockpass.cleanup.execute import TagResult, execute
from dockpass.cleanup.inventory import can_delete_single_tags, survey
from dockpass.cleanup.options import CleanupOptions
from dockpass.cleanup.plan import Policy, plan_deletion
from dockpass.errors import LoginRefused
from dockpass.references.credential import Credential
from dockpass.registry.client import RegistryClient
from dockpass.registry.failures import RegistryError
from dockpass.sandbox.faults import Faults
from dockpass.sandbox.flavours import PROFILES, Flavour
from dockpass.sandbox.manifests import read_manifest
from dockpass.sandbox.server import SandboxServer
from dockpass.sandbox.storage import Storage
from dockpass.secrets import Secret

Start = Callable[..., SandboxServer]
PATH = "web/backend"
NOW = datetime(2026, 9, 1, tzinfo=UTC)


@pytest.fixture
def sandbox(start: Start) -> SandboxServer:
    return start()


@pytest.mark.parametrize("flavour", [flavour for flavour in Flavour if not PROFILES[flavour].basic_user])
async def test_a_login_is_accepted(start: Start, flavour: Flavour) -> None:
    sandbox = start(None, flavour)
    for account in sandbox.accounts:
        async with RegistryClient(sandbox.host, Given(account.credential)) as client:
            assert (await client.login()).words.startswith("accepted by ")


async def test_a_wrong_login_is_told_in_gitlabs_words(sandbox: SandboxServer) -> None:
    wrong = Credential("gitlab-ci-token", Secret("canary-wrong"))
    async with RegistryClient(sandbox.host, Given(wrong)) as client:
        with pytest.raises(LoginRefused) as caught:
            await client.login()
    assert "HTTP Basic: Access denied." in caught.value.words
    assert (
        caught.value.meaning
        == "User name and password were not accepted: one of them is wrong, or the token has expired."
    )


async def test_an_image_is_read_whole(sandbox: SandboxServer) -> None:
    pusher = Client(sandbox, sandbox.accounts.job)
    digest = pusher.image(PATH, "v1", "v2")
    async with RegistryClient(sandbox.host, Given(sandbox.accounts.job.credential)) as client:
        assert await client.tags(PATH) == ["v1", "v2"]
        assert await client.tags("web/absent") == []
        manifest = await client.manifest(PATH, "v1")
        config = await client.config(PATH, manifest.data["config"]["digest"])
    assert manifest.digest == digest
    assert config["architecture"] == "amd64"


async def test_a_long_list_is_read_in_pages(start: Start, tmp_path: Path) -> None:
    names = [f"v{number:04}" for number in range(2500)]
    storage = Storage(tmp_path / "kept")
    raw = b'{"schemaVersion": 2}'
    manifest = read_manifest(raw, storage.content.write(raw), MANIFEST)
    for name in reversed(names):
        storage.put_manifest(PATH, manifest, [name])
    storage.close()
    sandbox = start(tmp_path / "kept")
    async with RegistryClient(sandbox.host, Given(sandbox.accounts.job.credential)) as client:
        assert await client.tags(PATH) == names
    pages = [asked for asked in sandbox.requests if "/tags/list" in asked.path and asked.status == 200]
    assert len(pages) == 4  # 500 tags on the third, which may be where a list was cut


async def test_a_job_token_may_not_delete_and_the_cleanup_token_may(sandbox: SandboxServer) -> None:
    digest = Client(sandbox, sandbox.accounts.job).image(PATH, "v1", "v2")
    async with RegistryClient(sandbox.host, Given(sandbox.accounts.job.credential)) as client:
        for deletion in (client.delete_tag(PATH, "v1"), client.delete_digest(PATH, digest)):
            with pytest.raises(RegistryError) as caught:
                await deletion
            assert caught.value.answer.status == 401
            assert "The login gitlab-ci-token is not allowed to do this." in caught.value.message
    async with RegistryClient(sandbox.host, Given(sandbox.accounts.cleanup.credential)) as client:
        assert await client.delete_tag(PATH, "v1")
        assert not await client.delete_tag(PATH, "v1")
        assert await client.tags(PATH) == ["v2"]
        assert await client.delete_digest(PATH, digest)
        assert await client.tags(PATH) == []


@pytest.mark.parametrize("flavour", [Flavour.NO_DELETE, Flavour.DOCKERHUB, Flavour.GHCR])
async def test_deletion_that_is_switched_off_is_explained(start: Start, flavour: Flavour) -> None:
    sandbox = start(None, flavour)
    digest = Client(sandbox, sandbox.accounts.personal).image(PATH, "v1")
    async with RegistryClient(sandbox.host, Given(sandbox.accounts.personal.credential)) as client:
        with pytest.raises(RegistryError) as caught:
            await client.delete_digest(PATH, digest)
        assert "switched off" in caught.value.message
        with pytest.raises(RegistryError) as caught:
            await client.delete_tag(PATH, "v1")
        assert caught.value.id == "tag-deletion-unsupported"


async def test_a_cleanup_deletes_single_tags(sandbox: SandboxServer) -> None:
    pusher = Client(sandbox, sandbox.accounts.job)
    pusher.image(PATH, "v1", "stable")
    pusher.image(PATH, "v2", layer=b"another")
    results: list[TagResult] = []
    async with RegistryClient(sandbox.host, Given(sandbox.accounts.cleanup.credential)) as client:
        tags = await survey(client, PATH, lambda done, total: None)
        single = await can_delete_single_tags(client, PATH)
        assert single
        plan = plan_deletion(tags, Policy(NOW, CleanupOptions(match="v.*")), single_tags=single)
        await execute(client, PATH, plan, results.append)
        assert await client.tags(PATH) == ["stable"]
    assert {result.tag: result.outcome for result in results} == {"v1": "deleted", "v2": "deleted"}


async def test_faults_are_met_as_on_a_bad_day(sandbox: SandboxServer) -> None:
    digest = Client(sandbox, sandbox.accounts.job).image(PATH, "v1")
    async with RegistryClient(sandbox.host, Given(sandbox.accounts.job.credential)) as client:
        assert (await client.manifest(PATH, "v1")).digest == digest
        sandbox.faults = Faults(wrong_digest=1)
        with pytest.raises(Exception, match="digest"):
            await client.manifest(PATH, "v1")
        sandbox.faults = Faults(server_errors=1)
        with pytest.raises(RegistryError) as caught:
            await client.manifest(PATH, "v1")
        assert caught.value.answer.status == 500
        sandbox.faults = Faults(too_many=1, path="/manifests/")
        assert (await client.manifest(PATH, "v1")).digest == digest


async def test_an_expired_token_is_fetched_anew_once(sandbox: SandboxServer) -> None:
    Client(sandbox, sandbox.accounts.job).image(PATH, "v1")
    sandbox.faults = Faults(expired_tokens=1)
    async with RegistryClient(sandbox.host, Given(sandbox.accounts.job.credential)) as client:
        assert await client.tags(PATH) == ["v1"]
    sandbox.faults = Faults(expired_tokens=2)
    async with RegistryClient(sandbox.host, Given(sandbox.accounts.job.credential)) as client:
        with pytest.raises(RegistryError) as caught:
            await client.tags(PATH)
    assert caught.value.answer.status == 401


def test_granted_actions_are_read_from_the_token(sandbox: SandboxServer) -> None:
    got = Client(sandbox, sandbox.accounts.job).token(f"repository:{PATH}:pull,push,delete")
    assert granted_actions(Secret(got.data["token"]), PATH) == {"pull", "push"}
