"""What a prune must never take."""

from __future__ import annotations

from transfers import Place, document

from dockpass.engines.embedded.manifest import OCI_INDEX
from dockpass.engines.embedded.upkeep import prune


def test_a_prune_keeps_what_a_named_index_lists(place: Place) -> None:
    name = "keep.example/app:1"
    manifest = place.image(name, 100)
    index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": [manifest.descriptor.as_json()]}
    place.store.name(name, place.store.put(document(index), OCI_INDEX))
    prune(place.store)
    assert place.store.has(manifest.descriptor)
    assert all(map(place.store.is_sound, manifest.blobs))
