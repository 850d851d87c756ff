"""Pulls of the embedded engine against a registry with bad days."""

from __future__ import annotations

import shutil

import pytest
from badproxy import BadProxy, Reword
from cutting import Cutting, ends_when_cut
from logins import ANONYMOUS, Given
from notes import Notes
from sandboxclient import CONFIG, INDEX, MANIFEST, Client
from transfers import Place, digest_of, document, in_own_process

from dockpass.engines.embedded.manifest import this_platform
from dockpass.engines.embedded.store import Store
from dockpass.errors import DockpassError
from dockpass.references.credential import Credential
from dockpass.sandbox.faults import Faults
from dockpass.sandbox.server import SandboxServer

MB = 1_000_000
FOREIGN = "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"


def blob_of(place: Place, name: str) -> str:
    """Return the path of an image's first layer, for faults."""
    entry = place.store.find(name)
    assert entry is not None
    return f"/blobs/{place.store.manifest(entry.descriptor).layers[0].digest}"  # type: ignore[union-attr]


@pytest.fixture
def pushed(sandbox: SandboxServer, other: Place, owner: Credential) -> str:
    """An image of three layers in the sandbox."""
    name = f"{sandbox.host}/web/app:1"
    other.image(name, 3 * MB, 2 * MB, 10)
    other.engine().push(name, Given(owner), Notes())
    return name


def test_a_pull_keeps_digest_and_bytes(place: Place, other: Place, owner: Credential, pushed: str) -> None:
    notes = Notes()
    digest = place.engine().pull(pushed, Given(owner), notes)
    entry = place.store.find(pushed)
    assert entry is not None
    assert entry.descriptor.digest == digest
    assert entry.descriptor == other.store.find(pushed).descriptor  # type: ignore[union-attr]
    assert place.is_whole(pushed)
    assert {state for _, state, _, _ in notes.layers} >= {"waiting", "pulling", "pulled"}


def test_a_second_pull_loads_no_blob(
    sandbox: SandboxServer, place: Place, owner: Credential, pushed: str
) -> None:
    place.engine().pull(pushed, Given(owner), Notes())
    before = len(sandbox.requests)
    notes = Notes()
    place.engine().pull(pushed, Given(owner), notes)
    assert {state for _, state, _, _ in notes.layers} == {"exists"}
    assert not [each for each in sandbox.requests[before:] if "/blobs/" in each.path]


def test_layers_come_in_parallel(
    sandbox: SandboxServer, place: Place, owner: Credential, pushed: str
) -> None:
    sandbox.faults = Faults(latency=0.4, path="/blobs/")
    notes = Notes()
    place.engine().pull(pushed, Given(owner), notes)
    first_done = next(n for n, each in enumerate(notes.layers) if each[1] == "pulled")
    assert len({each[0] for each in notes.layers[:first_done]}) >= 3


def test_a_cut_connection_is_resumed_by_range(
    sandbox: SandboxServer, place: Place, other: Place, owner: Credential, pushed: str
) -> None:
    sandbox.faults = Faults(cut_blob_after=1_500_000, path=blob_of(other, pushed))
    notes = Notes()
    place.engine().pull(pushed, Given(owner), notes)
    assert place.is_whole(pushed)
    resumed = [line for line in notes.lines if "Going on at" in line]
    assert len(resumed) == 1
    assert "Going on at 0 bytes" not in resumed[0]


def test_a_part_that_begins_at_another_place_is_refused(
    sandbox: SandboxServer, place: Place, other: Place, owner: Credential, pushed: str
) -> None:
    sandbox.faults = Faults(cut_blob_after=1_500_000, path=blob_of(other, pushed))
    elsewhere = Reword(b"bytes 1500000-", b"bytes 1400000-")
    with (
        BadProxy(sandbox.host, lambda asked: elsewhere if "range" in asked.headers else None) as proxy,
        pytest.raises(DockpassError, match="begins at another offset") as caught,
    ):
        place.engine().pull(pushed.replace(sandbox.host, proxy.host), Given(owner), Notes())
    assert caught.value.id == "answer-refused"
    assert place.names() == []


@pytest.mark.parametrize("each", [40_000, 100_000, 300_000])
def test_eight_cuts_in_a_row_still_get_there_as_long_as_bytes_come(
    sandbox: SandboxServer, place: Place, other: Place, owner: Credential, pushed: str, each: int
) -> None:
    sandbox.faults = Faults(cut_blob_after=each, cut_times=8, path=blob_of(other, pushed))
    notes = Notes()
    place.engine().pull(pushed, Given(owner), notes)
    assert place.is_whole(pushed)
    went_on = [line for line in notes.lines if "Going on at" in line]
    assert [line.split("Going on at ")[1] for line in went_on] == [
        f"{each * number:,} bytes." for number in range(1, 9)
    ]


def test_a_line_on_which_nothing_comes_is_given_up(
    sandbox: SandboxServer, place: Place, owner: Credential, pushed: str
) -> None:
    sandbox.faults = Faults(cut_blob_after=0, cut_times=1000, path="/blobs/")
    with pytest.raises(DockpassError):
        place.engine().pull(pushed, Given(owner), Notes())
    assert place.names() == []
    assert list((place.store.root / "ingest").iterdir()) == []


@pytest.mark.parametrize(
    "faults",
    [
        Faults(too_many=2, retry_after=1),
        Faults(server_errors=3),
        Faults(server_errors=2, path="/blobs/"),
        Faults(too_many=1, retry_after=1, path="/jwt/auth"),
        Faults(expired_tokens=1),
    ],
    ids=["429", "500", "500-of-blobs", "429-of-tokens", "expired-token"],
)
def test_passing_faults_pass(
    sandbox: SandboxServer, place: Place, owner: Credential, pushed: str, faults: Faults
) -> None:
    sandbox.faults = faults
    place.engine().pull(pushed, Given(owner), Notes())
    assert place.is_whole(pushed)


@pytest.mark.parametrize("path", ["/blobs/", "/manifests/"])
def test_wrong_bytes_are_never_named(
    sandbox: SandboxServer, place: Place, owner: Credential, pushed: str, path: str
) -> None:
    sandbox.faults = Faults(wrong_digest=1, path=path)
    with pytest.raises(DockpassError) as caught:
        place.engine().pull(pushed, Given(owner), Notes())
    assert caught.value.id in {"blob-wrong", "answer-refused"}
    assert place.names() == []
    blobs = list((place.store.root / "blobs" / "sha256").glob("*"))
    assert all(digest_of(path.read_bytes()) == f"sha256:{path.name}" for path in blobs)


def _image(client: Client, repository: str, marker: str) -> str:
    return client.image(repository, layer=marker.encode(), annotations={"marker": marker})


def _listed(digest: str, system: str, architecture: str, variant: str = "") -> dict[str, object]:
    platform = {"os": system, "architecture": architecture} | ({"variant": variant} if variant else {})
    return {"mediaType": MANIFEST, "digest": digest, "size": 1, "platform": platform}


def test_an_index_gives_this_platform_and_keeps_its_digest(
    sandbox: SandboxServer, place: Place, client: Client, owner: Credential
) -> None:
    here = this_platform()
    children = {name: _image(client, "web/multi", name) for name in ("arm", "here", "windows", "proof")}
    index = {
        "schemaVersion": 2,
        "mediaType": INDEX,
        "manifests": [
            _listed(children["proof"], "unknown", "unknown"),
            _listed(children["windows"], "windows", here.architecture),
            _listed(children["arm"], "linux", "s390x"),
            _listed(children["here"], "linux", here.architecture, here.variant),
        ],
    }
    digest = client.manifest("web/multi", index, "1")
    name = f"{sandbox.host}/web/multi:1"
    notes = Notes()
    assert place.engine().pull(name, Given(owner), notes) == digest
    assert place.store.find(name).descriptor.digest == children["here"]  # type: ignore[union-attr]
    assert any("an index of 4" in line for line in notes.lines)


def test_an_index_without_this_platform_names_what_is_there(
    sandbox: SandboxServer, place: Place, client: Client, owner: Credential
) -> None:
    child = _image(client, "web/multi", "x")
    index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [_listed(child, "linux", "s390x")]}
    client.manifest("web/multi", index, "1")
    with pytest.raises(DockpassError, match="linux/s390x"):
        place.engine().pull(f"{sandbox.host}/web/multi:1", Given(owner), Notes())


def test_a_layer_that_is_kept_elsewhere_is_told(
    sandbox: SandboxServer, place: Place, client: Client, owner: Credential
) -> None:
    config = b'{"os":"windows"}'
    foreign = {
        "mediaType": FOREIGN,
        "digest": digest_of(b"elsewhere"),
        "size": 9,
        "urls": ["https://elsewhere.example/layer"],
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {"mediaType": CONFIG, "digest": client.blob("web/win", config), "size": len(config)},
        "layers": [foreign],
    }
    client.manifest("web/win", manifest, "1")
    with pytest.raises(DockpassError) as caught:
        place.engine().pull(f"{sandbox.host}/web/win:1", Given(owner), Notes())
    assert caught.value.id == "layer-elsewhere"
    assert "elsewhere.example" in caught.value.message
    assert place.names() == []


def test_zstd_layers_are_pulled_as_they_are_and_told_by_a_build(
    sandbox: SandboxServer, place: Place, client: Client, owner: Credential
) -> None:
    config = document({"os": "linux", "architecture": "amd64", "rootfs": {"diff_ids": [digest_of(b"")]}})
    layer = b"\x28\xb5\x2f\xfd compressed"
    kind = "application/vnd.oci.image.layer.v1.tar+zstd"
    manifest = {
        "schemaVersion": 2,
        "mediaType": MANIFEST,
        "config": {"mediaType": CONFIG, "digest": client.blob("web/z", config), "size": len(config)},
        "layers": [{"mediaType": kind, "digest": client.blob("web/z", layer), "size": len(layer)}],
    }
    client.manifest("web/z", manifest, "1")
    name = f"{sandbox.host}/web/z:1"
    place.engine().pull(name, Given(owner), Notes())
    assert place.is_whole(name)
    request = place.context(f"FROM {name}\nCOPY a /\n", {"a": b"a"})
    with pytest.raises(DockpassError, match="zstd") as caught:
        place.engine().build(request, ANONYMOUS, Notes())
    assert "--engine docker" in caught.value.hint


def test_a_damaged_blob_is_named_and_repaired_by_pulling_again(
    place: Place, owner: Credential, pushed: str
) -> None:
    place.engine().pull(pushed, Given(owner), Notes())
    entry = place.store.find(pushed)
    manifest = place.store.manifest(entry.descriptor)  # type: ignore[union-attr]
    layers = [place.store.blob(layer.digest) for layer in manifest.layers]  # type: ignore[union-attr]
    layers[0].write_bytes(b"x" * layers[0].stat().st_size)
    layers[1].unlink()
    elsewhere = pushed.replace(":1", "-copy:1")
    place.engine().tag(pushed, elsewhere)
    shutil.rmtree(place.store.root / "sources")  # nothing can be mounted
    with pytest.raises(DockpassError) as caught:
        place.engine().push(elsewhere, Given(owner), Notes())
    assert caught.value.id == "store-damaged"
    assert any(str(path) in caught.value.message for path in layers)
    assert "Pull" in caught.value.hint
    place.engine().pull(pushed, Given(owner), Notes())
    assert place.is_whole(pushed)
    place.engine().push(elsewhere, Given(owner), Notes())


def test_an_index_json_that_is_no_json_is_named_and_repaired(
    place: Place, owner: Credential, pushed: str
) -> None:
    place.engine().pull(pushed, Given(owner), Notes())
    (place.store.root / "index.json").write_text("{ broken")
    with pytest.raises(DockpassError, match=r"index\.json"):
        place.engine().image_id(pushed)
    notes = Notes()
    place.engine().pull(pushed, Given(owner), notes)
    assert place.is_whole(pushed)
    assert any("a new one is begun" in line for line in notes.lines)
    assert len(list(place.store.root.glob("index.json.damaged-*"))) == 1


PULL = """
import sys
from pathlib import Path
from dockpass.references.credential import Credential
from dockpass.engines.embedded.engine import open_embedded
from dockpass.secrets import Secret
from dockpass.errors import DockpassError
from notes import Notes
from logins import Given
import resource
root, name, user, secret, limit = sys.argv[1:]
if int(limit):
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), int(limit)))
    import signal
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
class Told(Notes):
    def layer(self, layer_id, state, current, total):
        if state == "pulling" and current > 1000000:
            print("pulling", flush=True)
try:
    open_embedded(Path(root), "the test", {}).pull(name, Given(Credential(user, Secret(secret))), Told())
except DockpassError as error:
    print(error.id, error.message, flush=True)
    sys.exit(7)
# Not getrusage, in which the memory of the process counts that started this one.
status = Path("/proc/self/status").read_text().splitlines()
print("most", next(line for line in status if line.startswith("VmHWM")).split()[1], flush=True)
"""


def pull_elsewhere(place: Place, name: str, owner: Credential, limit: int = 0):  # type: ignore[no-untyped-def]
    """Pull in another process, which may write files of `limit` bytes (0: any)."""
    secret = owner.password.reveal()
    return in_own_process(PULL, str(place.store.root), name, owner.username, secret, str(limit))


def test_a_full_disk_leaves_the_store_as_it_was(place: Place, owner: Credential, pushed: str) -> None:
    place.image("before.example/a:1", 100)
    before = place.state()
    child = pull_elsewhere(place, pushed, owner, limit=1_500_000)
    out, err = child.communicate(timeout=60)
    assert (child.returncode, err) == (7, "")
    assert "store-unwritable" in out
    assert "What was there before is unchanged" in out
    # Blobs that came whole may stay: nothing names them, and the next pull needs them.
    after = place.state()
    assert before.items() <= after.items()
    assert all(name.startswith(("blobs/", "sources/")) for name in after.keys() - before.keys())
    assert place.names() == ["before.example/a:1"]
    assert list((place.store.root / "ingest").iterdir()) == []
    place.engine().pull(pushed, Given(owner), Notes())
    assert place.is_whole(pushed)


def test_a_kill_in_mid_pull_leaves_a_store_that_works(
    sandbox: SandboxServer, place: Place, other: Place, owner: Credential
) -> None:
    name = f"{sandbox.host}/web/large:1"
    other.image(name, 60 * MB)
    other.engine().push(name, Given(owner), Notes())
    child = pull_elsewhere(place, name, owner)
    assert child.stdout is not None
    assert child.stdout.readline() == "pulling\n"
    child.kill()
    child.communicate(timeout=20)
    assert place.names() == []
    place.engine().pull(name, Given(owner), Notes())
    assert place.is_whole(name)


def test_two_processes_pull_the_same_image(place: Place, owner: Credential, pushed: str) -> None:
    children = [pull_elsewhere(place, pushed, owner) for _ in range(2)]
    ended = [child.communicate(timeout=60) for child in children]
    assert [child.returncode for child in children] == [0, 0], ended
    assert place.names() == [pushed]
    assert place.is_whole(pushed)


def test_memory_does_not_grow_with_a_layer(
    sandbox: SandboxServer, place: Place, other: Place, owner: Credential
) -> None:
    most = []
    for size in (1 * MB, 100 * MB):
        name = f"{sandbox.host}/web/size{size}:1"
        other.image(name, size)
        other.engine().push(name, Given(owner), Notes())
        child = pull_elsewhere(place, name, owner)
        out, err = child.communicate(timeout=110)
        assert child.returncode == 0, err
        most.append(int(out.split()[-1]))
    assert most[1] < 120_000
    assert most[1] - most[0] < 30_000


def test_a_cut_ends_a_pull_within_half_a_second(
    sandbox: SandboxServer, place: Place, owner: Credential, pushed: str
) -> None:
    sandbox.faults = Faults(hang=10, path="/blobs/")
    engine = place.engine()
    notes = Cutting("waiting")
    assert ends_when_cut(engine, lambda sink: engine.pull(pushed, Given(owner), sink), notes) < 0.5
    assert place.names() == []


def test_a_cut_ends_a_pull_that_is_looking_at_what_is_there(
    sandbox: SandboxServer, place: Place, owner: Credential, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"{sandbox.host}/web/large:1"
    place.image(name, 50 * MB)
    place.engine().push(name, Given(owner), Notes())
    engine = place.engine()
    notes = Cutting("never")
    sound = Store.is_sound

    def looking(self: Store, *given: object) -> bool:
        notes.reached.set()
        return all(sound(self, *given) for _ in range(80))  # type: ignore[arg-type]

    monkeypatch.setattr(Store, "is_sound", looking)
    assert ends_when_cut(engine, lambda sink: engine.pull(name, Given(owner), sink), notes) < 0.5
