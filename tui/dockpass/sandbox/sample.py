"""What a sandbox starts with: a small project, and a repository with a history."""

from __future__ import annotations

import asyncio
import hashlib
import json
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from dockpass.colours import Colours
from dockpass.dockerconfig.runconfig import RunConfig
from dockpass.dockerconfig.temporary import write_config
from dockpass.engines.base import BuildRequest
from dockpass.engines.embedded.engine import EmbeddedEngine
from dockpass.engines.embedded.manifest import OCI_CONFIG, OCI_INDEX, OCI_MANIFEST, Descriptor, Manifest
from dockpass.engines.embedded.remote import Remote
from dockpass.engines.embedded.store import Store
from dockpass.references.address import login_key
from dockpass.references.credential import Credential, Logins
from dockpass.references.reference import parse_repository
from dockpass.registry.transport import Transport

GROUP = "workshop"
PROJECT = f"{GROUP}/shop"
BASE = f"{GROUP}/base:3"
SIGNATURE = "application/vnd.dev.cosign.artifact.sig.v1+json"
EMPTY = b"{}"

_BASE_HOST = re.compile(rf"[^\s/]+(?=/{GROUP}/base\b)")

_BASE_FILES = {
    "etc/os-release": "NAME=workshop\nVERSION_ID=3\n",
    "etc/passwd": "root:x:0:0::/root:/sbin/nologin\nweb:x:1000:1000::/srv:/sbin/nologin\n",
    "etc/group": "root:x:0:\nweb:x:1000:\n",
}
CONFIGURATION = """\
build:
  script:
    - dockpass build --tag $CI_REGISTRY_IMAGE:$CI_COMMIT_REF_SLUG
    - dockpass push
publish:
  # The releases are another project's repository: the job's own token may not push there.
  script:
    - dockpass push --repo $RELEASES_IMAGE
release:
  rules:
    - if: $CI_COMMIT_TAG
  environment: production
  script:
    - printf %s "$RELEASES_PASSWORD" |
      dockpass push --repo $RELEASES_IMAGE --registry-username $RELEASES_USER --registry-password-stdin
cleanup:
  rules:
    - if: $CI_PIPELINE_SOURCE == 'schedule'
  script:
    - dockpass cleanup --keep-last 10 --older-than 30d --keep 'v.*' --yes
"""

_PROJECT_FILES = {
    "Dockerfile": (
        "# The base image is private: building needs a login that may pull it.\n"
        "FROM {host}/workshop/base:3\n"
        "ARG VERSION=dev\n"
        'LABEL org.opencontainers.image.title=shop org.opencontainers.image.version="$VERSION"\n'
        "WORKDIR /srv\n"
        "COPY --chown=web:web shop /srv/\n"
        "USER web\n"
        'CMD ["/srv/serve"]\n'
    ),
    "werf.yaml": "project: shop\nconfigVersion: 1\n---\nimage: shop\ndockerfile: Dockerfile\n",
    ".gitlab-ci.yml": CONFIGURATION,
    ".dockerignore": ".git\n*.md\n",
    "README.md": "# shop\n\nA sample project. Change what you like: it is yours until the sandbox ends.\n",
    "shop/serve": "#!/bin/sh\nexec httpd -f -p 8080\n",
    "shop/index.html": "<h1>Shop</h1>\n",
}


@dataclass(frozen=True, slots=True)
class Past:
    """One image of the repository's history: its tags, and its age in days."""

    tags: tuple[str, ...]
    days: float


def history() -> tuple[Past, ...]:
    """Return the images of the sample repository: about 40 tags of several ages, some shared."""
    releases = [
        (f"v1.{minor}.{patch}", 320 - 45 * minor - 8 * patch) for minor in range(6) for patch in (0, 1)
    ]
    named = [Past((name,), days) for name, days in releases[:-1]]
    newest = Past((releases[-1][0], "v1.5", "stable"), releases[-1][1])
    features = [Past((f"feature-{name}",), days) for name, days in _FEATURES.items()]
    merges = [Past((f"merge-{number}",), 4 + 19.5 * (118 - number)) for number in range(110, 119)]
    return (*named, newest, *features, *merges, Past(("main", "latest"), 0.4), Past(("signed",), 12))


_FEATURES: Mapping[str, float] = {
    "basket": 3,
    "checkout": 8,
    "coupons": 21,
    "dark-mode": 33,
    "export": 47,
    "faster-search": 64,
    "invoices": 90,
    "login": 125,
    "ratings": 170,
    "wishlist": 240,
}


def write_project(directory: Path, host: str) -> None:
    """Write the sample project; what a person changed in a kept one stays, but for the registry's address."""
    for name, text in _PROJECT_FILES.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists():
            path.write_text(text.format(host=host) if name == "Dockerfile" else text, encoding="utf-8")
        elif name == "Dockerfile":
            kept = path.read_text(encoding="utf-8", errors="surrogateescape")
            path.write_text(_BASE_HOST.sub(host, kept), encoding="utf-8", errors="surrogateescape")
    (directory / "shop" / "serve").chmod(0o755)


def fill(host: str, credential: Credential, workspace: Path, now: datetime) -> None:
    """Push the base image, and the repository's history on top of it. `workspace` is emptied by others."""
    write_config(workspace, {login_key(host): credential})
    logins = RunConfig(workspace)
    base = _push_base(host, logins, workspace)
    asyncio.run(_push_history(host, logins, base, now))


def _push_base(host: str, logins: Logins, workspace: Path) -> _Base:
    files = workspace / "base"
    for name, text in _BASE_FILES.items():
        path = files / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        path.chmod(0o644)
    dockerfile = workspace / "Dockerfile.base"
    dockerfile.write_text("FROM scratch\nCOPY . /\n", encoding="utf-8")
    store = Store(workspace / "images")
    engine = EmbeddedEngine(store, "the sandbox")
    name = f"{host}/{BASE}"
    engine.build(BuildRequest(files, dockerfile, (name,)), logins, _Silent())
    engine.push(name, logins, _Silent())
    entry = store.find(name)
    manifest = store.manifest(entry.descriptor) if entry else None
    if not isinstance(manifest, Manifest):
        raise RuntimeError("the base image was not built")
    return _Base(manifest.layers, tuple(store.config(manifest)["rootfs"]["diff_ids"]))


@dataclass(frozen=True, slots=True)
class _Base:
    """The layers that every image begins with, and the digest of each one's uncompressed bytes."""

    layers: tuple[Descriptor, ...]
    diff_ids: tuple[str, ...]


async def _push_history(host: str, logins: Logins, base: _Base, now: datetime) -> None:
    async with Transport() as transport:
        remote = Remote(parse_repository(f"{host}/{PROJECT}"), logins, transport)
        for layer in base.layers:
            await remote.mount(layer.digest, BASE.partition(":")[0], _Silent().log)
        writer = _Writer(remote, base)
        gate = asyncio.Semaphore(8)

        async def push(past: Past) -> Descriptor:
            async with gate:
                return await writer.image(past.tags, now - timedelta(days=past.days))

        pushed = await asyncio.gather(*(push(past) for past in history()))
        platforms = [
            (await writer.image((), now - timedelta(days=1), architecture=name), name)
            for name in ("amd64", "arm64")
        ]
        await writer.index("multi", platforms)
        await writer.signature(pushed[-1])


class _Writer:
    """Writes small images upon the base image's layers."""

    def __init__(self, remote: Remote, base: _Base) -> None:
        self._remote = remote
        self._base = base

    async def image(
        self, tags: Sequence[str], created: datetime, *, architecture: str = "amd64"
    ) -> Descriptor:
        """Push one image under each tag, or under its digest alone."""
        moment = created.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        config = {
            "created": moment,
            "architecture": architecture,
            "os": "linux",
            "config": {"Labels": {"org.opencontainers.image.version": tags[0] if tags else "multi"}},
            "rootfs": {"type": "layers", "diff_ids": list(self._base.diff_ids)},
            "history": [
                {"created": moment, "created_by": f"FROM {BASE}", "comment": "the sandbox"}
                for _ in self._base.layers
            ],
        }
        described = await self._blob(_json(config), OCI_CONFIG)
        layers = [layer.as_json() for layer in self._base.layers]
        return await self._manifest(
            {"mediaType": OCI_MANIFEST, "config": described.as_json(), "layers": layers}, tags
        )

    async def index(self, tag: str, children: Sequence[tuple[Descriptor, str]]) -> None:
        """Push an index of images of several platforms."""
        listed = [
            child.as_json() | {"platform": {"os": "linux", "architecture": name}} for child, name in children
        ]
        await self._manifest({"mediaType": OCI_INDEX, "manifests": listed}, (tag,))

    async def signature(self, subject: Descriptor) -> None:
        """Push what refers to an image, as a signature does."""
        empty = await self._blob(EMPTY, "application/vnd.oci.empty.v1+json")
        document = {
            "mediaType": OCI_MANIFEST,
            "artifactType": SIGNATURE,
            "config": empty.as_json(),
            "layers": [empty.as_json()],
            "subject": subject.as_json(),
        }
        await self._manifest(document, ())

    async def _manifest(self, document: dict[str, Any], tags: Sequence[str]) -> Descriptor:
        raw = _json({"schemaVersion": 2, **document})
        found = Descriptor(document["mediaType"], _digest(raw), len(raw))
        for reference in tags or (found.digest,):
            await self._remote.put_manifest(reference, raw, found.media_type, found.digest)
        return found

    async def _blob(self, raw: bytes, media_type: str) -> Descriptor:
        async def body() -> AsyncIterator[bytes]:
            yield raw

        upload = await self._remote.start_upload()
        await self._remote.upload_whole(upload, _digest(raw), len(raw), body)
        return Descriptor(media_type, _digest(raw), len(raw))


class _Silent:
    """A sink for work that nobody watches."""

    def log(self, text: str) -> None:
        """Drop it."""

    def output(self, text: str, colours: Colours) -> None:
        """Drop it."""

    def layer(self, layer_id: str, state: str, current: int, total: int) -> None:
        """Drop it."""

    def check(self) -> None:
        """Go on."""


def _json(document: object) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()


def _digest(raw: bytes) -> str:
    return f"sha256:{hashlib.sha256(raw).hexdigest()}"
