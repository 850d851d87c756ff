"""A small client for sandboxes: sends paths as they are, and fetches the token that a challenge asks for."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPMessage
from typing import Any
from urllib.parse import urlencode, urlsplit

from dockpass.registry.challenge import choose, parse_challenges
from dockpass.sandbox.accounts import Account
from dockpass.sandbox.server import SandboxServer

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"
LAYER = "application/vnd.oci.image.layer.v1.tar"


@dataclass(frozen=True)
class Got:
    """One answer."""

    status: int
    headers: HTTPMessage
    body: bytes

    @property
    def data(self) -> Any:
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The first error's code."""
        return str(self.data["errors"][0]["code"])

    @property
    def message(self) -> str:
        return str(self.data["errors"][0]["message"])


class Clock:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 1_790_000_000.0

    def __call__(self) -> float:
        return self.now


def digest_of(raw: bytes, algorithm: str = "sha256") -> str:
    return f"{algorithm}:{hashlib.new(algorithm, raw).hexdigest()}"


class Client:
    """Speaks for one account; None is anonymous."""

    def __init__(self, sandbox: SandboxServer, account: Account | None = None, username: str = "") -> None:
        self._sandbox = sandbox
        self._tokens: dict[str, str] = {}
        self.basic = ""
        if account:
            pair = f"{username or account.username}:{account.secret.reveal()}"
            self.basic = "Basic " + base64.b64encode(pair.encode()).decode()

    def ask(
        self,
        method: str,
        target: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Got:
        """Send a request; after a 401 with a challenge once more, with what it asks for."""
        got = self.raw(method, target, body, headers)
        challenge = choose(parse_challenges(got.headers.get_all("WWW-Authenticate", ())))
        if got.status != 401 or challenge is None:
            return got
        if challenge.scheme == "basic":
            authorization = self.basic
        else:
            answer = self.token(challenge.parameters.get("scope", ""), challenge.parameters["service"])
            if answer.status != 200:
                return answer
            authorization = f"Bearer {answer.data['token']}"
        sent = {**(headers or {}), **({"Authorization": authorization} if authorization else {})}
        return self.raw(method, target, body, sent)

    def raw(
        self,
        method: str,
        target: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Got:
        """Send one request as it is."""
        connection = HTTPConnection(self._sandbox.host, timeout=20)
        try:
            connection.request(method, target, body, dict(headers or {}))
            answer = connection.getresponse()
            return Got(answer.status, answer.headers, answer.read())
        finally:
            connection.close()

    def token(self, scope: str = "", service: str = "container_registry") -> Got:
        """Ask the token server; several scopes are parted by blanks."""
        query = urlencode([("service", service), *(("scope", part) for part in scope.split())])
        headers = {"Authorization": self.basic} if self.basic else {}
        return self.raw("GET", f"{urlsplit(self._sandbox.realm).path}?{query}", None, headers)

    def blob(self, path: str, raw: bytes) -> str:
        """Push a blob in one request; return its digest."""
        digest = digest_of(raw)
        got = self.ask("POST", f"/v2/{path}/blobs/uploads/?digest={digest}", raw)
        assert got.status == 201, got
        return digest

    def image(self, path: str, *tags: str, layer: bytes = b"a layer", **extra: object) -> str:
        """Push an image under each tag (none: under its digest only); return its digest."""
        config = b'{"architecture": "amd64", "os": "linux", "created": "2026-01-01T00:00:00Z"}'
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": {"mediaType": CONFIG, "digest": self.blob(path, config), "size": len(config)},
            "layers": [{"mediaType": LAYER, "digest": self.blob(path, layer), "size": len(layer)}],
            **extra,
        }
        return self.manifest(path, manifest, *tags)

    def manifest(self, path: str, manifest: Mapping[str, object], *tags: str) -> str:
        """Push a manifest under each tag (none: under its digest only); return its digest."""
        raw = json.dumps(manifest).encode()
        for reference in tags or (digest_of(raw),):
            got = self.put(path, reference, raw, str(manifest.get("mediaType", "")))
            assert got.status == 201, got
        return digest_of(raw)

    def put(self, path: str, reference: str, raw: bytes, media_type: str = MANIFEST) -> Got:
        """Push a manifest's bytes."""
        return self.ask(
            "PUT",
            f"/v2/{path}/manifests/{reference}",
            raw,
            {"Content-Type": media_type} if media_type else {},
        )

    def tags(self, path: str) -> list[str]:
        """Return the tags of a repository."""
        found: list[str] = self.ask("GET", f"/v2/{path}/tags/list").data["tags"]
        return found
