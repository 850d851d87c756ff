"""Pushes of the embedded engine against a registry, and a proxy before it, with bad days."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace

import pytest
from badproxy import Asked, BadProxy, Cut, Fate, Lose, Refuse, Reword
from cutting import Cutting, ends_when_cut
from logins import Given
from notes import Notes
from sandboxclient import Client, Clock
from transfers import Place

from dockpass.engines.embedded import push
from dockpass.errors import Cancelled, DockpassError
from dockpass.references.credential import Credential
from dockpass.sandbox.accounts import Accounts
from dockpass.sandbox.faults import Faults
from dockpass.sandbox.server import SandboxServer

KB = 1_000
MB = 1_000_000

Before = Callable[[Callable[[Asked], Fate]], BadProxy]


@pytest.fixture
def before(sandbox: SandboxServer) -> Iterator[Before]:
    """Put a proxy before the sandbox that does what a test decides."""
    with ExitStack() as stack:
        yield lambda decide: stack.enter_context(BadProxy(sandbox.host, decide))


@pytest.fixture
def in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have blobs of more than 100 kB go in parts of 200 kB."""
    monkeypatch.setattr(push, "LARGEST_WHOLE", 100 * KB)
    monkeypatch.setattr(push, "PART", 200 * KB)
    monkeypatch.setattr(push, "SMALL_PART", 50 * KB)


def once(fate: Fate, meets: Callable[[Asked], bool], times: int = 1) -> Callable[[Asked], Fate]:
    """Return a decision: the fate for the first requests that are meant."""
    left = [fate] * times
    return lambda asked: left.pop() if left and meets(asked) else None


def is_upload(asked: Asked) -> bool:
    """Tell whether a request carries much of a blob."""
    return "/blobs/uploads/" in asked.target and asked.length > 20 * KB


def is_last(asked: Asked) -> bool:
    """Tell whether a request ends an upload in parts."""
    return asked.method == "PUT" and "digest=" in asked.target and asked.length == 0


def states(notes: Notes) -> set[str]:
    return {state for _, state, _, _ in notes.layers}


def assert_arrives(place: Place, other: Place, owner: Credential, name: str, there: str = "") -> None:
    """Assert that an image can be pulled whole, at another machine, from where it was pushed to."""
    other.engine().pull(there or name, Given(owner), Notes())
    assert other.is_whole(there or name)
    assert other.store.find(there or name).descriptor == place.store.find(name).descriptor  # type: ignore[union-attr]


def test_a_push_keeps_digest_and_bytes(
    sandbox: SandboxServer, place: Place, other: Place, owner: Credential
) -> None:
    name = f"{sandbox.host}/web/app:1"
    manifest = place.image(name, 3 * MB, 10)
    notes = Notes()
    assert place.engine().push(name, Given(owner), notes) == manifest.digest
    assert states(notes) == {"waiting", "pushing", "pushed"}
    assert_arrives(place, other, owner, name)


def test_blobs_that_exist_are_skipped(sandbox: SandboxServer, place: Place, owner: Credential) -> None:
    name = f"{sandbox.host}/web/app:1"
    place.image(name, 300 * KB)
    place.engine().push(name, Given(owner), Notes())
    before = len(sandbox.requests)
    notes = Notes()
    place.engine().push(name, Given(owner), notes)
    assert states(notes) == {"waiting", "exists"}
    assert not [each for each in sandbox.requests[before:] if "/blobs/uploads/" in each.path]


def test_blobs_of_another_repository_are_mounted(
    sandbox: SandboxServer, place: Place, other: Place, owner: Credential
) -> None:
    first, second = f"{sandbox.host}/web/app:1", f"{sandbox.host}/web/copy:1"
    place.image(first, 300 * KB)
    place.engine().push(first, Given(owner), Notes())
    place.engine().tag(first, second)
    notes = Notes()
    place.engine().push(second, Given(owner), notes)
    assert states(notes) == {"waiting", "mounted"}
    assert notes.lines == []
    assert_arrives(place, other, owner, second)


def test_another_registry_is_no_source(
    start: Callable[..., SandboxServer], sandbox: SandboxServer, place: Place, owner: Credential
) -> None:
    elsewhere = start(accounts=sandbox.accounts)
    first, second = f"{sandbox.host}/web/app:1", f"{elsewhere.host}/web/copy:1"
    place.image(first, 300 * KB)
    place.engine().push(first, Given(owner), Notes())
    place.engine().tag(first, second)
    notes = Notes()
    place.engine().push(second, Given(owner), notes)
    assert states(notes) == {"waiting", "pushing", "pushed"}
    assert not [each for each in elsewhere.requests if "mount=" in each.path]


def test_a_source_that_may_not_be_read_is_told_and_uploaded(
    start: Callable[..., SandboxServer], place: Place, other: Place
) -> None:
    accounts = Accounts.random()
    accounts = replace(accounts, deploy=replace(accounts.deploy, projects=("web",)))
    sandbox = start(accounts=accounts)
    owner = accounts.personal.credential
    first, second = f"{sandbox.host}/secret/app:1", f"{sandbox.host}/web/copy:1"
    place.image(first, 300 * KB)
    place.engine().push(first, Given(owner), Notes())
    place.engine().tag(first, second)
    notes = Notes()
    place.engine().push(second, Given(accounts.deploy.credential), notes)
    assert states(notes) == {"waiting", "pushing", "pushed"}
    told = [line for line in notes.lines if "not mounted from secret/app" in line]
    assert len(told) == 2  # the layer and the config
    assert_arrives(place, other, owner, second)


@pytest.mark.parametrize("status", [0, 404], ids=["no-answer", "refused"])
def test_a_mount_that_fails_is_told_and_uploaded(
    place: Place, owner: Credential, before: Before, status: int
) -> None:
    fate = Refuse(status) if status else Lose()
    proxy = before(lambda asked: fate if "mount=" in asked.target else None)
    first, second = f"{proxy.host}/web/app:1", f"{proxy.host}/web/copy:1"
    place.image(first, 300 * KB)
    place.engine().push(first, Given(owner), Notes())
    place.engine().tag(first, second)
    notes = Notes()
    place.engine().push(second, Given(owner), notes)
    assert any("not mounted from web/app: " in line for line in notes.lines)


@pytest.mark.usefixtures("in_parts")
def test_a_large_blob_goes_in_parts(place: Place, other: Place, owner: Credential, before: Before) -> None:
    proxy = before(lambda _: None)
    name = f"{proxy.host}/web/app:1"
    place.image(name, 500 * KB)
    place.engine().push(name, Given(owner), Notes())
    parts = [each for each in proxy.asked if each.method == "PATCH"]
    assert [each.length for each in parts][:2] == [200 * KB, 200 * KB]
    assert parts[1].headers["content-range"] == "200000-399999"
    assert_arrives(place, other, owner, name)


@pytest.mark.usefixtures("in_parts")
def test_a_part_that_breaks_off_goes_on_where_it_did(
    place: Place, other: Place, owner: Credential, before: Before
) -> None:
    # More than is kept in buffers on the way, so that the registry has some of it for certain.
    cut = once(Cut(150 * KB), lambda asked: asked.headers.get("content-range") == "200000-399999")
    proxy = before(cut)
    name = f"{proxy.host}/web/app:1"
    place.image(name, 500 * KB)
    notes = Notes()
    place.engine().push(name, Given(owner), notes)
    begins = [int(a.headers["content-range"].partition("-")[0]) for a in proxy.asked if a.method == "PATCH"]
    assert begins[:2] == [0, 200 * KB]
    assert 200 * KB < begins[2] <= 350 * KB
    assert "retrying" in states(notes)
    assert any("Trying again" in line for line in notes.lines)
    assert_arrives(place, other, owner, name)


@pytest.mark.usefixtures("in_parts")
@pytest.mark.parametrize("fate", [Refuse(502), Lose(), Cut(0)], ids=["502", "answer-lost", "cut"])
def test_the_last_request_of_an_upload_is_tried_again(
    place: Place, other: Place, owner: Credential, before: Before, fate: Fate
) -> None:
    proxy = before(once(fate, is_last, times=2))
    name = f"{proxy.host}/web/app:1"
    place.image(name, 500 * KB)
    place.engine().push(name, Given(owner), Notes())
    parts = [each for each in proxy.asked if each.method == "PATCH"]
    assert len(parts) == 3  # nothing is sent twice
    assert_arrives(place, other, owner, name)


@pytest.mark.usefixtures("in_parts")
def test_parts_that_get_nowhere_are_given_up(place: Place, owner: Credential, before: Before) -> None:
    proxy = before(lambda asked: Refuse(502) if is_last(asked) else None)
    name = f"{proxy.host}/web/app:1"
    place.image(name, 500 * KB)
    with pytest.raises(DockpassError):
        place.engine().push(name, Given(owner), Notes())
    assert len([each for each in proxy.asked if is_last(each)]) == 5


@pytest.mark.parametrize("fate", [Refuse(503), Cut(100 * KB), Lose()], ids=["503", "cut", "answer-lost"])
def test_a_blob_in_one_request_is_tried_again(
    place: Place, other: Place, owner: Credential, before: Before, fate: Fate
) -> None:
    proxy = before(once(fate, is_upload))
    name = f"{proxy.host}/web/app:1"
    place.image(name, 300 * KB)
    notes = Notes()
    place.engine().push(name, Given(owner), notes)
    sent = [each for each in proxy.asked if is_upload(each)]
    assert len(sent) == (1 if fate == Lose() else 2)  # what has arrived is not sent again
    assert "retrying" in states(notes)
    assert place.pauses
    assert_arrives(place, other, owner, name)


@pytest.mark.parametrize("reads", [True, False], ids=["told", "cut"])
def test_a_blob_that_is_too_large_for_one_request_goes_in_parts(
    monkeypatch: pytest.MonkeyPatch,
    place: Place,
    other: Place,
    owner: Credential,
    before: Before,
    reads: bool,
) -> None:
    monkeypatch.setattr(push, "SMALL_PART", 2 * MB)
    proxy = before(lambda asked: Refuse(413, reads) if asked.length > 3 * MB else None)
    name = f"{proxy.host}/web/app:1"
    place.image(name, 30 * MB)  # more than is on the way when the refusal comes
    notes = Notes()
    place.engine().push(name, Given(owner), notes)
    assert any("parts of 2,000,000 bytes" in line for line in notes.lines)
    assert len([each for each in proxy.asked if each.length > 3 * MB]) <= 2
    assert_arrives(place, other, owner, name)


@pytest.mark.usefixtures("in_parts")
def test_parts_that_are_too_large_become_smaller(
    place: Place, other: Place, owner: Credential, before: Before
) -> None:
    proxy = before(lambda asked: Refuse(413) if asked.length > 60 * KB else None)
    name = f"{proxy.host}/web/app:1"
    place.image(name, 500 * KB)
    place.engine().push(name, Given(owner), Notes())
    assert max(asked.length for asked in proxy.asked) > 60 * KB  # it was refused before
    assert_arrives(place, other, owner, name)


@pytest.mark.usefixtures("in_parts")
def test_a_limit_below_every_part_is_told(
    place: Place, owner: Credential, client: Client, before: Before
) -> None:
    proxy = before(lambda asked: Refuse(413) if asked.length > 10 * KB else None)
    name = f"{proxy.host}/web/app:1"
    place.image(name, 500 * KB)
    with pytest.raises(DockpassError, match="413"):
        place.engine().push(name, Given(owner), Notes())
    assert client.ask("GET", "/v2/web/app/manifests/1").status == 404


@pytest.mark.parametrize("path", ["/blobs/uploads/", "/manifests/", "/blobs/sha256"])
def test_a_registry_that_is_busy_is_waited_for(
    sandbox: SandboxServer, place: Place, other: Place, owner: Credential, path: str
) -> None:
    name = f"{sandbox.host}/web/app:1"
    place.image(name, 300 * KB)
    sandbox.faults = Faults(too_many=1, retry_after=7, path=path)
    place.engine().push(name, Given(owner), Notes())
    assert place.pauses == [7.0]
    assert_arrives(place, other, owner, name)


@pytest.mark.usefixtures("in_parts")
def test_a_token_that_expires_in_mid_transfer_is_renewed(
    start: Callable[..., SandboxServer], place: Place, other: Place
) -> None:
    clock = Clock()
    sandbox = start(clock=clock)
    owner = sandbox.accounts.personal.credential

    def decide(asked: Asked) -> Fate:
        if asked.headers.get("content-range") == "200000-399999" and not late:
            late.append(asked)
            clock.now += 24 * 3600
        return None

    late: list[Asked] = []
    with BadProxy(sandbox.host, decide) as proxy:
        name = f"{proxy.host}/web/app:1"
        place.image(name, 500 * KB)
        notes = Notes()
        place.engine().push(name, Given(owner), notes)
        assert "retrying" not in states(notes)
        assert_arrives(place, other, owner, name)
    refused = [each for each in sandbox.requests if (each.method, each.status) == ("PATCH", 401)]
    assert len(refused) == 1


def test_a_cut_ends_a_push_within_half_a_second(
    sandbox: SandboxServer, place: Place, owner: Credential, client: Client
) -> None:
    name = f"{sandbox.host}/web/app:1"
    place.image(name, 300 * KB)
    sandbox.faults = Faults(hang=10, path="/blobs/", method="PUT")
    engine, notes = place.engine(), Cutting("pushing")
    assert ends_when_cut(engine, lambda sink: engine.push(name, Given(owner), sink), notes) < 0.5
    assert client.ask("GET", "/v2/web/app/manifests/1").status == 404


def test_a_cancelled_sink_ends_a_push(sandbox: SandboxServer, place: Place, owner: Credential) -> None:
    class Cancelling(Notes):
        def layer(self, layer_id: str, state: str, current: int, total: int) -> None:
            if state == "pushing":
                self.cancelled.set()

    name = f"{sandbox.host}/web/app:1"
    place.image(name, 3 * MB)
    with pytest.raises(Cancelled):
        place.engine().push(name, Given(owner), Cancelling())


def test_nothing_is_tagged_where_a_blob_failed(
    sandbox: SandboxServer, place: Place, owner: Credential, client: Client
) -> None:
    name = f"{sandbox.host}/web/app:1"
    manifest = place.image(name, 300 * KB, 200 * KB)
    place.store.blob(manifest.layers[1].digest).write_bytes(b"x" * manifest.layers[1].size)
    with pytest.raises(DockpassError) as caught:
        place.engine().push(name, Given(owner), Notes())
    assert caught.value.id == "store-damaged"
    assert client.ask("GET", "/v2/web/app/manifests/1").status == 404
    assert not [each for each in sandbox.requests if each.method == "PUT" and "/manifests/" in each.path]


@pytest.mark.usefixtures("in_parts")
def test_a_damaged_blob_that_goes_in_parts_is_not_blamed_on_the_registry(
    sandbox: SandboxServer, place: Place, owner: Credential
) -> None:
    name = f"{sandbox.host}/web/app:1"
    manifest = place.image(name, 500 * KB)
    place.store.blob(manifest.layers[0].digest).write_bytes(b"x" * manifest.layers[0].size)
    with pytest.raises(DockpassError) as caught:
        place.engine().push(name, Given(owner), Notes())
    assert caught.value.id == "store-damaged"


def test_a_registry_that_says_it_stored_another_manifest_is_not_believed(
    place: Place, owner: Credential, before: Before
) -> None:
    other_digest = Reword(b"Docker-Content-Digest: sha256:", b"Docker-Content-Digest: sha512:")
    proxy = before(lambda asked: other_digest if "/manifests/" in asked.target else None)
    place.image(f"{proxy.host}/web/app:1", 100)
    with pytest.raises(DockpassError, match="the registry stored it as sha512:") as caught:
        place.engine().push(f"{proxy.host}/web/app:1", Given(owner), Notes())
    assert caught.value.id == "answer-refused"


def test_a_name_with_only_a_digest_is_pushed_by_that_digest(
    sandbox: SandboxServer, place: Place, other: Place, owner: Credential, client: Client
) -> None:
    manifest = place.image("here.example/app:1", 300 * KB)
    name = f"{sandbox.host}/web/app@{manifest.digest}"
    place.engine().tag("here.example/app:1", name)
    assert place.engine().push(name, Given(owner), Notes()) == manifest.digest
    assert client.ask("GET", "/v2/web/app/manifests/latest").status == 404
    assert_arrives(place, other, owner, name)


def test_a_name_with_the_digest_of_something_else_is_refused(
    sandbox: SandboxServer, place: Place, owner: Credential
) -> None:
    place.image("here.example/app:1", 300 * KB)
    name = f"{sandbox.host}/web/app:1@sha256:{'0' * 64}"
    place.engine().tag("here.example/app:1", name)
    with pytest.raises(DockpassError, match="digest") as caught:
        place.engine().push(name, Given(owner), Notes())
    assert caught.value.id == "push-digest"
    assert not [each for each in sandbox.requests if each.method in {"PUT", "POST"}]
