"""The probe at every kind of registry that the sandbox can be, with every kind of login."""

from __future__ import annotations

import json
from dataclasses import asdict

import pytest
from sandboxclient import Client

from dockpass.probe.model import LoginState, Probe
from dockpass.probe.prober import probe
from dockpass.probe.question import ProbeContext, Question
from dockpass.references.credential import Credential
from dockpass.registry.transport import Transport
from dockpass.sandbox.flavours import PROFILES, Flavour
from dockpass.sandbox.server import SandboxServer
from dockpass.secrets import Secret

F, PATH = Flavour, "web/backend"
G, R, V, N = "granted", "refused", "not-visible", "not-probed"
ALL, WRITES, READS = [G, G, G, G], [G, G, R, R], [G, R, R, R]
ONLY_READING, NOTHING, UNSEEN = [G, V, V, V], [R, N, N, N], [R, V, V, V]

EXPECTED = {
    F.GITLAB: (ALL, WRITES, NOTHING),
    F.DISTRIBUTION: (ONLY_READING, ONLY_READING, UNSEEN),
    F.DISTRIBUTION_TOKEN: (ALL, WRITES, [R, N, R, R]),
    F.ANONYMOUS: (ALL, WRITES, READS),
    F.NO_DELETE: (ALL, WRITES, NOTHING),
    F.DOCKERHUB: (ALL, WRITES, READS),
    F.GHCR: (ONLY_READING, ONLY_READING, NOTHING),
    F.ECR: (ONLY_READING, None, UNSEEN),
}
"""What the personal token, the job token and nobody are seen to have: pull, push, delete, everything."""


async def asked(sandbox: SandboxServer, credential: Credential | None) -> Probe:
    async with Transport() as transport:
        found = await probe(Question(sandbox.host, PATH, credential, "it"), ProbeContext(transport))
    secrets = [account.secret.reveal() for account in sandbox.accounts]
    assert not any(secret in json.dumps(asdict(found)) for secret in secrets)
    return found


def verdicts(found: Probe) -> list[str]:
    return [str(result.verdict) for result in found.actions]


@pytest.mark.parametrize("flavour", Flavour)
async def test_what_each_login_may_do_is_told_as_far_as_it_can_be_seen(flavour: Flavour) -> None:
    with SandboxServer(None, flavour) as sandbox:
        accounts = sandbox.accounts
        user = PROFILES[flavour].basic_user or accounts.personal.username
        Client(sandbox, accounts.personal, user).image(PATH, "v1")
        personal, job, nobody = EXPECTED[flavour]
        assert verdicts(await asked(sandbox, Credential(user, accounts.personal.secret))) == personal
        if job is not None:
            assert verdicts(await asked(sandbox, accounts.job.credential)) == job
        anonymous = await asked(sandbox, None)
        assert (anonymous.login.state, verdicts(anonymous)) == (LoginState.ANONYMOUS, nobody)


@pytest.mark.parametrize("flavour", Flavour)
async def test_a_wrong_secret_is_sent_once_and_told(flavour: Flavour) -> None:
    with SandboxServer(None, flavour) as sandbox:
        found = await asked(sandbox, Credential("myuser", Secret("canary-wrong")))
        assert len([request for request in found.requests if request.carried != "nothing"]) == 1
    assert found.login.state is LoginState.REJECTED
    assert verdicts(found) == [N, N, N, N]


async def test_protected_tags_and_the_kind_of_token_are_shown() -> None:
    with SandboxServer(protected_tags=("^release-",)) as sandbox:
        Client(sandbox, sandbox.accounts.personal).image(PATH, "v1")
        found = await asked(sandbox, sandbox.accounts.job.credential)
    assert (found.flavour, found.token.auth_type) == ("GitLab", "build")
    assert found.token.deny_delete == ("^release-",)


async def test_no_probe_makes_or_changes_anything() -> None:
    with SandboxServer() as sandbox:
        found = await asked(sandbox, sandbox.accounts.personal.credential)
        assert {request.method for request in sandbox.requests} == {"GET"}
        assert not any("push" in request.scope for request in found.requests)
