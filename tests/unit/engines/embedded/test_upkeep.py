"""What a removal and a prune take, and what they must never take."""

from __future__ import annotations

import errno
import io
import os
from pathlib import Path

import pytest
from logins import ANONYMOUS
from notes import Notes
from transfers import Place, document

from dockpass.engines.embedded.export import export
from dockpass.engines.embedded.manifest import OCI_INDEX
from dockpass.engines.embedded.store import Store
from dockpass.engines.embedded.upkeep import Removed, prune, remove_image, to_prune, to_remove
from dockpass.errors import DockpassError, UsageError


def test_a_prune_keeps_what_a_named_index_lists(place: Place) -> None:
    name = "keep.example/app:1"
    manifest = place.image(name, 100)
    index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [manifest.descriptor.as_json()]}
    place.store.name(name, place.store.put(document(index), OCI_INDEX))
    prune(place.store)
    assert place.store.has(manifest.descriptor)
    assert all(map(place.store.is_sound, manifest.blobs))


def test_an_image_goes_by_the_id_that_is_shown(place: Place) -> None:
    manifest = place.image("here.example/app:1", 100)
    place.image("here.example/other:1", 100)
    short = manifest.config.digest[7:19]
    assert to_remove(place.store, short)[0] == ()
    assert manifest.layers[0].digest in remove_image(place.store, short).blobs
    assert place.names() == ["here.example/other:1"]
    assert place.is_whole("here.example/other:1")


@pytest.mark.parametrize("cut", [slice(7, 12), slice(8, 20)], ids=["five-digits", "not-its-begin"])
def test_what_is_no_begin_of_an_id_is_no_image(place: Place, cut: slice) -> None:
    manifest = place.image("here.example/app:1", 100)
    with pytest.raises(UsageError) as caught:
        remove_image(place.store, manifest.config.digest[cut])
    assert caught.value.id == "image-missing"
    assert place.names() == ["here.example/app:1"]


def test_an_ambiguous_id_lists_the_candidates(place: Place) -> None:
    first = place.image("here.example/app:1", 100)
    raw = first.raw + b" "  # another manifest of the same config
    place.store.name("here.example/app:2", place.store.put(raw, first.media_type))
    with pytest.raises(UsageError, match=r"app:1 .*app:2 ") as caught:
        remove_image(place.store, first.config.digest[7:19])
    assert caught.value.id == "image-ambiguous"
    assert len(place.names()) == 2


@pytest.mark.parametrize("cut", [slice(None), slice(7, 19)], ids=["whole", "short"])
def test_an_id_with_several_names_removes_none(place: Place, cut: slice) -> None:
    manifest = place.image("here.example/app:1", 100)
    place.engine().tag("here.example/app:1", "here.example/app:2")
    with pytest.raises(UsageError, match=r"app:1, here\.example/app:2") as caught:
        remove_image(place.store, manifest.config.digest[cut])
    assert caught.value.id == "image-has-names"
    assert len(place.names()) == 2


@pytest.mark.parametrize("by", ["name", "shown-id"])
def test_a_damaged_image_can_be_removed(place: Place, by: str) -> None:
    manifest = place.image("here.example/app:1", 100)
    place.image("here.example/other:1", 100)
    place.store.blob(manifest.digest).write_bytes(b"broken")
    remove_image(place.store, "here.example/app:1" if by == "name" else manifest.digest[7:19])
    assert place.names() == ["here.example/other:1"]
    prune(place.store)
    assert not place.store.has(manifest.layers[0])
    assert place.is_whole("here.example/other:1")


def test_blobs_stay_and_say_why_where_another_image_is_damaged(place: Place) -> None:
    manifest = place.image("here.example/app:1", 100)
    other = place.image("here.example/other:1", 100)
    place.store.blob(other.digest).write_bytes(b"broken")
    removed = remove_image(place.store, "here.example/app:1")
    assert removed.blobs == ()
    assert "damaged" in removed.kept
    assert place.store.has(manifest.layers[0])


def test_a_prune_takes_what_a_killed_pull_left(place: Place) -> None:
    place.image("here.example/app:1", 100)
    ingest = place.store.root / "ingest"
    (ingest / "tmp1").write_bytes(b"x" * 1000)
    (ingest / "tmp2").mkdir()
    (ingest / "tmp2" / "1").write_bytes(b"x" * 500)
    going = to_prune(place.store)
    assert (going.leftovers, going.size) == (2, 1500)
    with place.store.in_use(), pytest.raises(DockpassError, match="Another dockpass"):
        prune(place.store)
    assert prune(place.store) == going
    assert list(ingest.iterdir()) == []
    assert place.is_whole("here.example/app:1")


def test_a_prune_takes_a_list_that_was_not_finished(place: Place) -> None:
    place.image("here.example/app:1", 100)
    half = place.store.root / ".index.json-killed"
    half.write_bytes(b"x" * 70)
    aside = place.store.root / "index.json.damaged-kept"
    aside.write_bytes(b"{")
    assert prune(place.store).leftovers == 1
    assert not half.exists()
    assert aside.exists()
    assert place.is_whole("here.example/app:1")


def test_a_look_at_what_could_go_makes_no_store(tmp_path: Path) -> None:
    assert to_prune(Store(tmp_path / "absent")) == Removed()
    assert not (tmp_path / "absent").exists()


@pytest.mark.parametrize("cut", [slice(None), slice(7, 19)], ids=["whole", "short"])
def test_an_image_with_several_names_is_exported_by_its_id(place: Place, tmp_path: Path, cut: slice) -> None:
    manifest = place.image("here.example/app:1", 100)
    place.engine().tag("here.example/app:1", "here.example/app:2")
    digest, converted = export(place.store, manifest.config.digest[cut], tmp_path / "out")
    assert (digest, converted) == (manifest.digest, False)
    assert Store(tmp_path / "out").is_sound(manifest.layers[0])


def test_what_is_not_there_is_not_exported(place: Place, tmp_path: Path) -> None:
    place.image("here.example/app:1", 100)
    with pytest.raises(UsageError) as caught:
        export(place.store, "abcdef012345", tmp_path / "out")
    assert caught.value.id == "image-missing"
    assert not (tmp_path / "out").exists()


def test_a_store_that_cannot_be_locked_says_so(place: Place) -> None:
    place.image("here.example/app:1", 100)
    (place.store.root / "use.lock").unlink()
    (place.store.root / "use.lock").mkdir()
    with pytest.raises(DockpassError) as caught, place.store.in_use():
        pass
    assert caught.value.id == "store-unwritable"


def test_a_full_disk_on_closing_a_blob_hides_no_other_failure(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full(io.BytesIO):
        def close(self) -> None:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("os.fdopen", lambda handle, _: os.close(handle) or Full())
    place.store.root.mkdir(parents=True)
    (place.store.root / "oci-layout").write_text("{}")
    with pytest.raises(DockpassError, match="the one that counts"), place.store.ingest():
        raise DockpassError("test", "the one that counts")
    assert list((place.store.root / "ingest").iterdir()) == []


def test_an_archive_for_which_there_is_no_room_says_so(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("tempfile.TemporaryDirectory", full)
    request = place.context("FROM scratch\nCOPY a /\n", {"a": b"a"})
    with pytest.raises(DockpassError, match="No space left") as caught:
        place.engine().build(request, ANONYMOUS, Notes())
    assert caught.value.id == "store-unwritable"
