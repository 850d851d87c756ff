"""The screen of the images: what it shows, asks, and takes away."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from screens import painted
from textual.pilot import Pilot

from dockpass.engines.embedded.manifest import OCI_CONFIG, OCI_LAYER_GZIP, OCI_MANIFEST
from dockpass.engines.embedded.store import Store
from dockpass.ui.app import DockpassApp
from dockpass.ui.screens.images import ImagesScreen
from dockpass.ui.screens.overview import Overview
from scenes import JOB, session


def put_image(store: Store, text: str, *names: str) -> None:
    """Store an image with one layer, under each name."""
    layer = store.put(text.encode(), OCI_LAYER_GZIP)
    inner = {"Cmd": ["/serve", text], "User": "web", "Env": ["A=hidden-value"], "Labels": {"team": "shop"}}
    config = {"os": "linux", "architecture": "amd64", "created": "2026-02-26T00:00:00Z", "config": inner}
    stored = store.put(json.dumps(config).encode(), OCI_CONFIG)
    manifest = {"schemaVersion": 2, "mediaType": OCI_MANIFEST}
    manifest |= {"config": stored.as_json(), "layers": [layer.as_json()]}
    found = store.put(json.dumps(manifest).encode(), OCI_MANIFEST)
    for name in names or ("",):
        store.name(name, found)


@asynccontextmanager
async def opened(store: Store, size: tuple[int, int] = (120, 36)) -> AsyncIterator[Pilot[int]]:
    made = session(JOB)
    made.open_store = lambda: store
    async with DockpassApp(made).run_test(size=size, notifications=True, tooltips=True) as pilot:
        await pilot.pause()
        await pilot.app.workers.wait_for_complete()
        await press(pilot, "i")
        assert isinstance(pilot.app.screen, ImagesScreen)
        yield pilot


async def press(pilot: Pilot[int], *keys: str) -> None:
    for key in keys:
        await pilot.press(key)
        await pilot.pause()
        for screen in pilot.app.screen_stack:
            if isinstance(screen, ImagesScreen):
                screen.pump()
        await pilot.pause()


def shot(pilot: Pilot[int]) -> str:
    return painted(pilot.app)


async def test_an_empty_store_says_how_to_get_an_image(tmp_path: Path) -> None:
    async with opened(Store(tmp_path / "store")) as pilot:
        assert "dockpass pull --engine embedded" in shot(pilot)
        await press(pilot, "escape")
        assert isinstance(pilot.app.screen, Overview)
    assert not (tmp_path / "store").exists()


async def test_an_image_is_shown_without_the_values_of_its_environment(tmp_path: Path) -> None:
    store = Store(tmp_path)
    put_image(store, "one", "quay.io/team/app:1")
    for size in ((120, 36), (80, 24)):
        async with opened(store, size) as pilot:
            found = shot(pilot)
            for words in ("quay.io/team/app:1", "linux/amd64", "3 days", "1 image ·"):
                assert words in found
            assert "hidden-value" not in found


async def test_nothing_is_deleted_without_a_yes(tmp_path: Path) -> None:
    store = Store(tmp_path)
    put_image(store, "one", "quay.io/team/app:1")
    async with opened(store) as pilot:
        await press(pilot, "d")
        assert "last name" in shot(pilot)
        await press(pilot, "n")
        assert [entry.name for entry in store.entries()] == ["quay.io/team/app:1"]
        await press(pilot, "d", "y")
        assert store.entries() == ()
        assert "There are no images here yet" in shot(pilot)
    assert not list((tmp_path / "blobs" / "sha256").iterdir())


async def test_blobs_that_another_process_may_need_stay_and_it_is_said(tmp_path: Path) -> None:
    store = Store(tmp_path)
    put_image(store, "one", "quay.io/team/app:1")
    async with opened(store) as pilot:
        with Store(tmp_path).in_use():
            await press(pilot, "d", "y")
        await pilot.pause()
        told = shot(pilot)
        assert "stay for a prune" in told
        assert "Another dockpass is using" in told
    assert store.entries() == ()
    assert len(list((tmp_path / "blobs" / "sha256").iterdir())) == 3


async def test_one_of_two_names_goes_alone(tmp_path: Path) -> None:
    store = Store(tmp_path)
    put_image(store, "one", "quay.io/team/app:1", "quay.io/team/app:2")
    async with opened(store) as pilot:
        await press(pilot, "d")
        assert "stays, as quay.io/team/app:2" in shot(pilot)
        await press(pilot, "y")
    assert [entry.name for entry in store.entries()] == ["quay.io/team/app:2"]
    assert len(list((tmp_path / "blobs" / "sha256").iterdir())) == 3


async def test_a_prune_shows_what_would_go_and_leaves_what_has_a_name(tmp_path: Path) -> None:
    store = Store(tmp_path)
    put_image(store, "named", "quay.io/team/app:1")
    put_image(store, "unnamed")
    async with opened(store) as pilot:
        await press(pilot, "p")
        assert "1 image without a name" in shot(pilot)
        await press(pilot, "y")
    assert [entry.name for entry in store.entries()] == ["quay.io/team/app:1"]
    assert len(list((tmp_path / "blobs" / "sha256").iterdir())) == 3


async def test_a_damaged_list_is_told_in_words(tmp_path: Path) -> None:
    store = Store(tmp_path)
    put_image(store, "one", "quay.io/team/app:1")
    (tmp_path / "index.json").write_text("{")
    async with opened(store) as pilot:
        assert "The image store is damaged" in shot(pilot)


async def test_a_damaged_image_can_be_removed_and_takes_nothing_of_others(tmp_path: Path) -> None:
    store = Store(tmp_path)
    put_image(store, "one", "quay.io/team/app:1")
    put_image(store, "two", "quay.io/team/other:1")
    store.blob(store.entries()[0].descriptor.digest).unlink()
    async with opened(store) as pilot:
        assert "damaged" in shot(pilot)
        await press(pilot, "d", "y")
        assert [entry.name for entry in store.entries()] == ["quay.io/team/other:1"]
        manifest = store.manifest(store.entries()[0].descriptor)
        assert all(store.has(blob) for blob in manifest.blobs)


async def test_a_store_that_cannot_be_locked_is_told_in_words(tmp_path: Path) -> None:
    store = Store(tmp_path)
    put_image(store, "one", "quay.io/team/app:1")
    (tmp_path / "index.lock").unlink()
    (tmp_path / "index.lock").mkdir()
    async with opened(store) as pilot:
        await press(pilot, "d", "y")
        assert "cannot be written" in shot(pilot)
        assert store.entries()
