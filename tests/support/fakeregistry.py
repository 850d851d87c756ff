"""A registry on loopback that holds images in memory, answers as told, and remembers what it was asked."""

from __future__ import annotations

import hashlib
import json
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from types import TracebackType
from typing import Any, Self

import pytest
from aiohttp import web

IMAGE = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"


@dataclass(frozen=True)
class Asked:
    """One request as it came in."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def authorization(self) -> str:
        return self.headers.get("Authorization", "")


@dataclass(frozen=True)
class Said:
    """One answer."""

    status: int = 200
    body: bytes | str | Mapping[str, Any] | list[Any] = b""
    headers: tuple[tuple[str, str], ...] = ()

    def as_response(self) -> web.Response:
        raw = self.body if isinstance(self.body, bytes) else _text(self.body).encode()
        response = web.Response(status=self.status, body=raw)
        response.headers["Content-Type"] = "application/json"
        for name, value in self.headers:
            if name in {"Content-Type", "Docker-Content-Digest"}:
                response.headers[name] = value
            else:
                response.headers.add(name, value)
        return response


def refusal(status: int, code: str, message: str = "", *headers: tuple[str, str]) -> Said:
    """Return an error answer in the distribution specification's form."""
    return Said(status, {"errors": [{"code": code, "message": message}]}, headers)


def digest_of(raw: bytes) -> str:
    return f"sha256:{hashlib.sha256(raw).hexdigest()}"


@dataclass
class FakeRegistry:
    """Async context manager. `say` overrides what the stored images would answer."""

    bearer: bool = False
    tags_deletable: bool = False
    manifests: dict[str, tuple[bytes, str]] = field(default_factory=dict)
    blobs: dict[str, bytes] = field(default_factory=dict)
    tagged: dict[str, str] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    host: str = ""
    before: Callable[[Asked], None] | None = None

    def __post_init__(self) -> None:
        self._scripts: dict[tuple[str, str], list[Said]] = {}

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._handle)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        port = self._runner.addresses[0][1]
        self.host = f"127.0.0.1:{port}"
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._runner.cleanup()

    @property
    def url(self) -> str:
        return f"http://{self.host}"

    @property
    def challenge(self) -> tuple[str, str]:
        return "WWW-Authenticate", f'Bearer realm="{self.url}/token",service="fake"'

    def say(self, method: str, path: str, *answers: Said) -> None:
        """Answer requests for `path` in this order; the last answer is repeated."""
        self._scripts[method, path] = list(answers)

    def requests(self, method: str, path: str) -> list[Asked]:
        return [asked for asked in self.asked if (asked.method, asked.path) == (method, path)]

    def image(self, tag: str = "", created: datetime | str | None = None, **extra: Any) -> str:
        """Store an image and tag it; return its digest. `extra` goes into the manifest."""
        config: dict[str, Any] = {"architecture": "amd64", "os": "linux", "config": {}}
        if created is not None:
            config["created"] = created if isinstance(created, str) else created.isoformat()
        raw = json.dumps(config).encode()
        self.blobs[digest_of(raw)] = raw
        data = {
            "schemaVersion": 2,
            "mediaType": IMAGE,
            "config": {"mediaType": CONFIG, "digest": digest_of(raw), "size": len(raw)},
            "layers": [{"digest": digest_of(b"layer"), "size": 100}],
            **extra,
        }
        return self.manifest(data, tag)

    def index(self, tag: str, children: Iterable[str], attestations: Iterable[str] = ()) -> str:
        """Store an index of the digests and tag it; return its digest."""
        listed: list[dict[str, Any]] = [
            {"mediaType": IMAGE, "digest": child, "size": 1} for child in children
        ]
        listed += [
            {"mediaType": IMAGE, "digest": child, "size": 1, "platform": {"os": "unknown"}}
            for child in attestations
        ]
        return self.manifest({"schemaVersion": 2, "mediaType": INDEX, "manifests": listed}, tag)

    def manifest(self, data: Mapping[str, Any], tag: str = "") -> str:
        raw = json.dumps(data).encode()
        digest = digest_of(raw)
        self.manifests[digest] = (raw, str(data.get("mediaType", "")))
        if tag:
            self.tagged[tag] = digest
        return digest

    async def _handle(self, request: web.Request) -> web.Response:
        asked = Asked(
            request.method,
            request.path,
            request.rel_url.raw_query_string,
            dict(request.headers),
            await request.read(),
        )
        self.asked.append(asked)
        if self.before:
            self.before(asked)
        script = self._scripts.get((asked.method, asked.path))
        if script:
            return (script.pop(0) if len(script) > 1 else script[0]).as_response()
        if asked.path == "/token":
            return Said(200, {"token": f"token-{len(self.requests('GET', '/token'))}"}).as_response()
        if self.bearer and not asked.authorization.startswith("Bearer "):
            return refusal(401, "UNAUTHORIZED", "authentication required", self.challenge).as_response()
        return self._stored(asked).as_response()

    def _stored(self, asked: Asked) -> Said:
        if asked.path == "/v2/":
            return Said(200, {})
        kind, _, reference = asked.path.removeprefix("/v2/").rpartition("/")
        if asked.path.endswith("/tags/list"):
            return Said(200, {"name": kind.removesuffix("/tags"), "tags": list(self.tagged) or None})
        if kind.endswith("/blobs"):
            found = self.blobs.get(reference)
            return refusal(404, "BLOB_UNKNOWN") if found is None else Said(200, found)
        if not kind.endswith("/manifests"):
            return Said(404, b"404 page not found")
        if asked.method == "DELETE":
            return self._delete(reference)
        digest = self.tagged.get(reference, reference)
        if digest not in self.manifests:
            return refusal(404, "MANIFEST_UNKNOWN", "manifest unknown")
        raw, media_type = self.manifests[digest]
        headers = (("Content-Type", media_type), ("Docker-Content-Digest", digest))
        return Said(200, raw, headers)

    def _delete(self, reference: str) -> Said:
        if not reference.startswith("sha256:"):
            if not self.tags_deletable:
                return refusal(400, "DIGEST_INVALID", "provided digest did not match uploaded content")
            return Said(202) if self.tagged.pop(reference, "") else refusal(404, "MANIFEST_UNKNOWN")
        if self.manifests.pop(reference, None) is None:
            return refusal(404, "MANIFEST_UNKNOWN")
        self.tagged = {tag: digest for tag, digest in self.tagged.items() if digest != reference}
        return Said(202)


def _text(body: object) -> str:
    return body if isinstance(body, str) else json.dumps(body)


@pytest.fixture
async def fake() -> AsyncIterator[FakeRegistry]:
    """A registry for a test; a room's conftest takes the fixture from here."""
    async with FakeRegistry() as registry:
        yield registry
