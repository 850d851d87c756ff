"""A registry on loopback in a thread, for cleanups by the real command; a test changes how it behaves."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

from fakeregistry import CONFIG, IMAGE, INDEX, digest_of

Answer = tuple[int, dict[str, str], bytes]
Intercept = Callable[[str, str, dict[str, str]], "Answer | None"]

UNKNOWN = "MANIFEST_UNKNOWN"


def said(status: int, body: Any = b"", **headers: str) -> Answer:
    """An answer; names of headers with underscores."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return status, {name.replace("_", "-"): value for name, value in headers.items()}, raw


def refusal(status: int, code: str, message: str = "") -> Answer:
    """An error in the distribution specification's form."""
    return said(status, {"errors": [{"code": code, "message": message}]})


class _Server(ThreadingHTTPServer):
    request_queue_size = 256
    daemon_threads = True


@dataclass
class CleanupRegistry:
    """Holds one repository `r`. `intercept` may answer in its place, given method, path and query."""

    manifests: dict[str, bytes] = field(default_factory=dict)
    tags: dict[str, str] = field(default_factory=dict)
    blobs: dict[str, bytes] = field(default_factory=dict)
    asked: list[tuple[str, str]] = field(default_factory=list)
    intercept: Intercept | None = None
    tags_deletable: bool = True
    lock: threading.RLock = field(default_factory=threading.RLock)

    def __enter__(self) -> Self:
        registry = self

        class Handler(BaseHTTPRequestHandler):
            disable_nagle_algorithm = True  # head and body of an answer are two packets
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: object) -> None:
                pass

            def _answer(self) -> None:
                with registry.lock:
                    status, headers, raw = registry.answer(self.command, self.path)
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(raw)))
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(raw)

            do_GET = do_HEAD = do_DELETE = _answer  # noqa: N815

        self._server = _Server(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def repo(self) -> str:
        return f"127.0.0.1:{self._server.server_address[1]}/r"

    @property
    def deletes(self) -> list[str]:
        return [path for method, path in self.asked if method == "DELETE"]

    def image(self, *tags: str, created: str = "2020-01-01T00:00:00Z", **extra: Any) -> str:
        """Store an image that differs by its tags; return its digest."""
        config = json.dumps({"created": created, "os": "linux", "architecture": "amd64"}).encode()
        self.blobs[digest_of(config)] = config
        data = {
            "schemaVersion": 2,
            "mediaType": IMAGE,
            "config": {"mediaType": CONFIG, "digest": digest_of(config), "size": len(config)},
            "layers": [{"digest": digest_of("".join(tags).encode()), "size": 1}],
            **extra,
        }
        return self.put(json.dumps(data).encode(), *tags)

    def index(self, children: list[str], *tags: str, kind: str = IMAGE) -> str:
        """Store an index; return its digest."""
        listed = [{"mediaType": kind, "digest": child, "size": 1} for child in children]
        return self.put(
            json.dumps({"schemaVersion": 2, "mediaType": INDEX, "manifests": listed}).encode(), *tags
        )

    def put(self, raw: bytes, *tags: str) -> str:
        """Store the bytes of a manifest; return their digest."""
        digest = digest_of(raw)
        self.manifests[digest] = raw
        self.tags.update(dict.fromkeys(tags, digest))
        return digest

    def answer(self, method: str, target: str) -> Answer:
        parts = urlsplit(target)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        self.asked.append((method, parts.path))
        if self.intercept and (found := self.intercept(method, parts.path, query)):
            return found
        return self.stored(method, parts.path, query)

    def stored(self, method: str, path: str, query: dict[str, str]) -> Answer:
        """What a registry that follows the specification answers."""
        if path == "/v2/":
            return said(200, {}, Docker_Distribution_Api_Version="registry/2.0")
        if path == "/v2/r/tags/list":
            names = sorted(name for name in self.tags if name > query.get("last", ""))
            page = names[: int(query.get("n", "100000"))]
            link = {}
            if len(page) < len(names):
                link = {"Link": f'</v2/r/tags/list?n={query["n"]}&last={page[-1]}>; rel="next"'}
            status, headers, raw = said(200, {"name": "r", "tags": page})
            return status, headers | link, raw
        kind, _, reference = path.removeprefix("/v2/r/").partition("/")
        if kind == "blobs":
            return (
                said(200, self.blobs[reference]) if reference in self.blobs else refusal(404, "BLOB_UNKNOWN")
            )
        if kind != "manifests":
            return said(404, b"404 page not found")
        if method == "DELETE":
            return self.delete(reference)
        digest = self.tags.get(reference, reference)
        if digest not in self.manifests:
            return refusal(404, UNKNOWN)
        raw = self.manifests[digest]
        try:
            kind = str(json.loads(raw).get("mediaType", ""))
        except (ValueError, AttributeError, RecursionError):
            kind = ""
        return said(200, raw, Docker_Content_Digest=digest, Content_Type=kind)

    def delete(self, reference: str) -> Answer:
        if not reference.startswith("sha256:"):
            if not self.tags_deletable:
                return refusal(400, "DIGEST_INVALID")
            return said(202) if self.tags.pop(reference, None) else refusal(404, UNKNOWN)
        if self.manifests.pop(reference, None) is None:
            return refusal(404, UNKNOWN)
        self.drop(reference)
        return said(202)

    def drop(self, digest: str) -> None:
        """Remove every tag on a digest."""
        for tag in [tag for tag, found in self.tags.items() if found == digest]:
            del self.tags[tag]

    def whole(self, tag: str) -> bool:
        """Tell whether a tag and every manifest below it are there."""
        if tag not in self.tags:
            return False
        waiting, seen = [self.tags[tag]], set[str]()
        while waiting:
            digest = waiting.pop()
            if digest not in self.manifests:
                return False
            if digest not in seen:
                seen.add(digest)
                listed = json.loads(self.manifests[digest]).get("manifests") or []
                waiting.extend(entry["digest"] for entry in listed)
        return True
