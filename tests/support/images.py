"""Pushes tiny images to a real registry over plain HTTP, so that tests of the registry need no engine."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

from servers import PASSWORD, USER, Registry

IMAGE = "application/vnd.docker.distribution.manifest.v2+json"
INDEX = "application/vnd.docker.distribution.manifest.list.v2+json"
CONFIG = "application/vnd.docker.container.image.v1+json"
OCI_IMAGE = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
OCI_CONFIG = "application/vnd.oci.image.config.v1+json"


class Pusher:
    """Pushes to one repository as a user who may."""

    def __init__(self, registry: Registry, path: str, user: str = USER, password: str = PASSWORD) -> None:
        self._registry = registry
        self._path = path
        self._basic = "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()
        self._authorization = self._basic
        if registry.tokens:
            query = urlencode({"service": "container_registry", "scope": f"repository:{path}:pull,push"})
            with urlopen(
                Request(f"{registry.tokens.realm}?{query}", headers={"Authorization": self._basic}),
                timeout=20,
            ) as answer:
                self._authorization = f"Bearer {json.load(answer)['token']}"

    def image(
        self,
        *tags: str,
        created: datetime | None = None,
        labels: Mapping[str, str] | None = None,
        architecture: str = "amd64",
        subject: str = "",
    ) -> str:
        """Push an image under each tag (none: under its digest only); return its digest."""
        layer = b"a layer"
        config = {
            "architecture": architecture,
            "os": "linux",
            "config": {"Labels": dict(labels or {})},
            "rootfs": {"type": "layers", "diff_ids": [_digest(layer)]},
            **({"created": created.isoformat()} if created else {}),
        }
        raw = json.dumps(config).encode()
        self._blob(raw)
        self._blob(layer)
        kind, config_kind = (OCI_IMAGE, OCI_CONFIG) if subject else (IMAGE, CONFIG)
        manifest: dict[str, Any] = {
            "schemaVersion": 2,
            "mediaType": kind,
            "config": {"mediaType": config_kind, "size": len(raw), "digest": _digest(raw)},
            "layers": [
                {
                    "mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip",
                    "size": len(layer),
                    "digest": _digest(layer),
                }
            ],
        }
        if subject:
            manifest["subject"] = {"mediaType": IMAGE, "size": 1, "digest": subject}
        return self._manifest(manifest, kind, tags)

    def index(self, *tags: str, children: Iterable[str]) -> str:
        """Push an index of images that are there; return its digest."""
        listed = [
            {
                "mediaType": IMAGE,
                "digest": child,
                "size": 1,
                "platform": {"os": "linux", "architecture": "amd64"},
            }
            for child in children
        ]
        return self._manifest({"schemaVersion": 2, "mediaType": INDEX, "manifests": listed}, INDEX, tags)

    def has(self, reference: str) -> bool:
        """Tell whether the registry still has a tag or digest."""
        try:
            self._ask(
                "GET",
                f"/v2/{self._path}/manifests/{reference}",
                headers={"Accept": f"{IMAGE}, {INDEX}, {OCI_IMAGE}"},
            )
        except HTTPError as error:
            if error.code == 404:
                return False
            raise
        return True

    def architectures(self, tag: str) -> set[str]:
        """Return what an index in the registry has images for."""
        headers = {"Accept": f"{INDEX}, {OCI_INDEX}", "Authorization": self._authorization}
        url = f"{self._registry.url}/v2/{self._path}/manifests/{tag}"
        with urlopen(Request(url, headers=headers), timeout=20) as answer:
            return {each["platform"]["architecture"] for each in json.load(answer)["manifests"]}

    def _manifest(self, manifest: Mapping[str, Any], kind: str, tags: Iterable[str]) -> str:
        raw = json.dumps(manifest).encode()
        for reference in tuple(tags) or (_digest(raw),):
            self._ask("PUT", f"/v2/{self._path}/manifests/{reference}", raw, {"Content-Type": kind})
        return _digest(raw)

    def _blob(self, raw: bytes) -> None:
        location = self._ask("POST", f"/v2/{self._path}/blobs/uploads/", b"")["Location"]
        joiner = "&" if "?" in location else "?"
        self._ask(
            "PUT",
            f"{location}{joiner}digest={_digest(raw)}",
            raw,
            {"Content-Type": "application/octet-stream"},
        )

    def _ask(
        self, method: str, target: str, body: bytes | None = None, headers: Mapping[str, str] | None = None
    ) -> Mapping[str, str]:
        url = target if target.startswith("http") else self._registry.url + target
        request = Request(url, body, {**(headers or {}), "Authorization": self._authorization}, method=method)
        with urlopen(request, timeout=20) as answer:
            return answer.headers


def _digest(raw: bytes) -> str:
    return f"sha256:{hashlib.sha256(raw).hexdigest()}"
