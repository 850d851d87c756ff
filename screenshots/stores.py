"""Image stores for pictures: what a person who built and pulled a little would have."""

from __future__ import annotations

import atexit
import hashlib
import json
import shutil
import tempfile
from pathlib import Path

from dockpass.engines.embedded.manifest import OCI_CONFIG, OCI_LAYER_GZIP, OCI_MANIFEST, Descriptor
from dockpass.engines.embedded.store import Store

REPO = "registry.myhost.com/web/backend"
BASE = (("base", 31_400_000), ("certificates", 212_000))


def home_with(*, images: bool) -> Path:
    """Make a home whose image store holds images, or is not there yet; it goes with the process."""
    home = Path(tempfile.mkdtemp(prefix="pictures-"))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    if images:
        _fill(store_in(home))
    return home


def store_in(home: Path) -> Store:
    """Return the store of a home."""
    return Store(home / ".local/share/dockpass/images")


def _fill(store: Store) -> None:
    _image(store, "2026-01-12T08:30:00Z", BASE, "registry.myhost.com/web/base:3")
    main = (*BASE, ("application", 18_700_000), ("settings", 4_096))
    _image(store, "2026-02-28T16:05:00Z", main, f"{REPO}:main", f"{REPO}:1.4.2")
    _image(store, "2026-02-27T09:12:00Z", (*BASE, ("older", 18_500_000)), f"{REPO}:1.4.1")
    _image(store, "2026-02-27T08:51:00Z", (*BASE, ("attempt", 18_500_000)))
    _image(store, "2025-11-03T12:00:00Z", (("tool", 7_300_000),), "quay.io/prometheus/busybox:latest")


def _image(store: Store, created: str, layers: tuple[tuple[str, int], ...], *names: str) -> None:
    config = {
        "os": "linux",
        "architecture": "amd64",
        "created": created,
        "config": {
            "Entrypoint": ["/srv/backend"],
            "Cmd": ["--port", "8080"],
            "User": "web",
            "Env": ["PATH=/usr/bin", "LANG=C.UTF-8"],
            "Labels": {"org.opencontainers.image.source": "https://gitlab.myhost.com/web/backend"},
        },
    }
    described = store.put(json.dumps(config).encode(), OCI_CONFIG)
    document = {
        "schemaVersion": 2,
        "mediaType": OCI_MANIFEST,
        "config": described.as_json(),
        "layers": [_layer(store, name, size).as_json() for name, size in layers],
    }
    found = store.put(json.dumps(document).encode(), OCI_MANIFEST)
    for name in names or ("",):
        store.name(name, found)


def _layer(store: Store, name: str, size: int) -> Descriptor:
    """Make a layer that takes no room: a file of that size with nothing in it."""
    found = Descriptor(OCI_LAYER_GZIP, f"sha256:{hashlib.sha256(name.encode()).hexdigest()}", size)
    with store.blob(found.digest).open("wb") as file:
        file.truncate(size)
    return found
