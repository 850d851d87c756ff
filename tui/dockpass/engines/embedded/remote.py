"""One repository of a registry, as the transfer of images needs it (distribution specification)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import NoReturn
from urllib.parse import urlsplit

from dockpass.engines.embedded.manifest import ACCEPT, INDEXES, MANIFESTS
from dockpass.errors import DockpassError
from dockpass.references.credential import Logins
from dockpass.references.reference import Repository, is_digest
from dockpass.registry.answer import Where, read_answer
from dockpass.registry.connection_errors import refused
from dockpass.registry.failures import error_of
from dockpass.registry.retry import SERVER_ERRORS, may_pass
from dockpass.registry.session import LARGEST_WORDS, Session
from dockpass.registry.slow_body import Body
from dockpass.registry.transport import Response, Stream, Transport
from dockpass.registry.uploads import upload_location
from dockpass.text import clean

LARGEST_MANIFEST = 4 << 20
_RANGE = re.compile(r"bytes (\d{1,15})-(\d{1,15})/(?:\d{1,15}|\*)")
_UPLOADED = re.compile(r"(?:bytes=)?0-(\d{1,15})")


@dataclass(frozen=True, slots=True)
class Fetched:
    """A manifest as it came: its type and digest, and its bytes, which have that digest."""

    media_type: str
    digest: str
    raw: bytes


@dataclass(frozen=True, slots=True)
class Upload:
    """An open upload: where its next part goes (path and query)."""

    target: str


class BrokenOffError(Exception):
    """A transfer that may be tried again; `reason` is why it broke off."""

    def __init__(self, reason: DockpassError) -> None:
        super().__init__(reason.message)
        self.reason = reason


class TooLargeError(Exception):
    """A request that is larger than the registry, or a proxy before it, takes; `reason` is its answer."""

    def __init__(self, reason: DockpassError) -> None:
        super().__init__(reason.message)
        self.reason = reason


class Remote:
    """One repository. Every method raises only `DockpassError`s, and the two above where it says so."""

    def __init__(
        self,
        repository: Repository,
        logins: Logins,
        transport: Transport,
    ) -> None:
        self.repository = repository
        self._path = repository.path
        self._session = Session(repository.host, logins.login_for(repository.host), transport)

    async def manifest(self, reference: str) -> Fetched:
        """Return the manifest of a tag or a digest."""
        what = f"lookup of {self.repository}{'@' if is_digest(reference) else ':'}{reference}"
        response = await self.again(
            lambda: self._session.send(
                "GET",
                f"/v2/{self._path}/manifests/{reference}",
                self._pull,
                limit=LARGEST_MANIFEST,
                headers={"Accept": ACCEPT},
            )
        )
        self._require(response, what, 200)
        claimed = response.headers.get("Docker-Content-Digest", "")
        wanted = reference if is_digest(reference) else claimed or _digest("sha256", response.body)
        for digest in filter(None, (wanted, claimed)):
            if not is_digest(digest) or _digest(digest.partition(":")[0], response.body) != digest:
                self._refuse(what, f"its content does not match the digest {clean(digest, 80)}")
        kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
        known = kind if kind in INDEXES | MANIFESTS else ""
        return Fetched(known, wanted, response.body)

    @asynccontextmanager
    async def blob(self, digest: str, offset: int) -> AsyncIterator[Stream]:
        """Open a blob from `offset` on; the answer is whole (200) where the server knows no ranges."""
        headers = {"Range": f"bytes={offset}-"} if offset else {}
        target = f"/v2/{self._path}/blobs/{digest}"
        what = f"download of {digest[:19]} from {self.repository}"
        async with self._session.stream(
            "GET", target, self._pull, headers=headers, leaves_origin=True
        ) as stream:
            if stream.status in SERVER_ERRORS:
                raise BrokenOffError(self._error(await stream.whole(LARGEST_WORDS), what))
            if stream.status not in {200, 206}:
                raise self._error(await stream.whole(LARGEST_WORDS), what)
            if stream.status == 206 and not _begins_at(stream, offset):
                self._refuse(what, "it begins at another offset than requested")
            yield stream

    async def has_blob(self, digest: str) -> bool:
        """Tell whether the repository has a blob already."""
        response = await self.again(
            lambda: self._session.send(
                "HEAD",
                f"/v2/{self._path}/blobs/{digest}",
                self._push,
                limit=LARGEST_WORDS,
                leaves_origin=True,
            )
        )
        if response.status == 404:
            return False
        self._require(response, f"lookup of {digest[:19]} in {self.repository}", 200)
        return True

    async def mount(self, digest: str, source: str, tell: Callable[[str], None]) -> Upload | None:
        """Mount a blob of another repository here; None if that was done, else an upload to use.

        A source that may not be read is no failure: the registry opens an upload, or is asked for one, and
        `tell` is given the reason.
        """
        scope = f"{self._push} repository:{source}:pull"
        target = f"/v2/{self._path}/blobs/uploads/?mount={digest}&from={source}"
        try:
            response = await self._session.send("POST", target, scope, limit=LARGEST_WORDS)
        except DockpassError as error:
            tell(f"not mounted from {source}: {error.message}")
            return await self.start_upload()
        if response.status == 201:
            return None
        if response.status == 202:
            tell(f"not mounted from {source}: the registry opened an upload in its place")
            return self._upload(response)
        tell(f"not mounted from {source}: {self._error(response, f'mount from {source}').message}")
        return await self.start_upload()

    async def start_upload(self) -> Upload:
        """Open an upload."""
        target = f"/v2/{self._path}/blobs/uploads/"
        response = await self.again(
            lambda: self._session.send("POST", target, self._push, limit=LARGEST_WORDS)
        )
        self._require(response, f"upload to {self.repository}", 202)
        return self._upload(response)

    async def upload_whole(self, upload: Upload, digest: str, size: int, body: Body) -> None:
        """Upload a blob in one request. Raises `BrokenOffError` and `TooLargeError`."""
        response = await self._send_part("PUT", _with_digest(upload.target, digest), size, body, {})
        self._require(response, f"upload of {digest[:19]} to {self.repository}", 201)

    async def upload_part(self, upload: Upload, offset: int, size: int, body: Body) -> Upload:
        """Upload bytes from `offset` on. Raises `BrokenOffError` and `TooLargeError`."""
        headers = {"Content-Range": f"{offset}-{offset + size - 1}"}
        response = await self._send_part("PATCH", upload.target, size, body, headers)
        if response.status == 416:  # other bytes have arrived than the last answer said
            raise BrokenOffError(self._error(response, f"upload to {self.repository}"))
        self._require(response, f"upload to {self.repository}", 202)
        return self._upload(response)

    async def finish_upload(self, upload: Upload, digest: str) -> None:
        """Say that all parts are there. Raises `BrokenOffError`."""
        response = await self._send_part("PUT", _with_digest(upload.target, digest), 0, _nothing, {})
        self._require(response, f"upload of {digest[:19]} to {self.repository}", 201)

    async def uploaded(self, upload: Upload) -> tuple[Upload, int] | None:
        """Return how many bytes of an upload have arrived; None if it is gone or may be empty.

        `0-0` is said of one byte, and by many registries of none: a new upload is right for both.
        """
        response = await self.again(
            lambda: self._session.send("GET", upload.target, self._push, limit=LARGEST_WORDS)
        )
        found = _UPLOADED.fullmatch(response.headers.get("Range", ""))
        if response.status != 204 or not found or int(found[1]) == 0:
            return None
        return self._upload(response), int(found[1]) + 1

    async def put_manifest(self, reference: str, raw: bytes, media_type: str, digest: str) -> None:
        """Push a manifest under a tag or its digest."""

        async def body() -> AsyncIterator[bytes]:
            yield raw

        what = f"push of {self.repository}{'@' if is_digest(reference) else ':'}{reference}"
        response = await self.again(
            lambda: self._session.send(
                "PUT",
                f"/v2/{self._path}/manifests/{reference}",
                self._push,
                limit=LARGEST_WORDS,
                headers={"Content-Type": media_type, "Content-Length": str(len(raw))},
                data=body,
            )
        )
        self._require(response, what, 201)
        stored = response.headers.get("Docker-Content-Digest", digest)
        if stored != digest:
            self._refuse(what, f"the registry stored it as {clean(stored, 80)}")

    async def again(self, ask: Callable[[], Awaitable[Response]]) -> Response:
        """Send an idempotent request, several times where the way there or the server fails."""
        return await self._session.retries.again(ask)

    async def pause(self, attempt: int) -> None:
        """Wait before another attempt: half a second, doubled each time."""
        await self._session.retries.pause(attempt)

    async def _send_part(
        self, method: str, target: str, size: int, body: Body, headers: dict[str, str]
    ) -> Response:
        sent = {"Content-Type": "application/octet-stream", "Content-Length": str(size), **headers}
        try:
            response = await self._session.send(
                method, target, self._push, limit=LARGEST_WORDS, headers=sent, data=body
            )
        except DockpassError as error:
            if may_pass(error):
                raise BrokenOffError(error) from error
            raise
        if response.status in SERVER_ERRORS:
            raise BrokenOffError(self._error(response, f"upload to {self.repository}"))
        if response.status == 413:
            raise TooLargeError(self._error(response, f"upload to {self.repository}"))
        return response

    @property
    def _pull(self) -> str:
        return f"repository:{self._path}:pull"

    @property
    def _push(self) -> str:
        return f"repository:{self._path}:pull,push"

    def _upload(self, response: Response) -> Upload:
        """Return where the upload goes on: on this registry, or nowhere."""
        parts = urlsplit(upload_location(response, self._path))
        return Upload(f"{parts.path}?{parts.query}" if parts.query else parts.path)

    def _require(self, response: Response, what: str, status: int) -> None:
        if response.status != status:
            raise self._error(response, what)

    def _error(self, response: Response, what: str) -> DockpassError:
        login = self._session.login_name
        answer = read_answer(
            Where.REGISTRY, response.status, response.body, response.reason, login, response.headers
        )
        return error_of(what, self.repository.host, answer)

    def _refuse(self, what: str, why: str) -> NoReturn:
        raise refused(self._session.base, clean(why, 300), what)


async def _nothing() -> AsyncIterator[bytes]:
    yield b""


def _digest(algorithm: str, raw: bytes) -> str:
    return f"{algorithm}:{hashlib.new(algorithm, raw).hexdigest()}"


def _begins_at(stream: Stream, offset: int) -> bool:
    found = _RANGE.fullmatch(stream.headers.get("Content-Range", ""))
    return bool(found) and int(found[1] if found else -1) == offset


def _with_digest(target: str, digest: str) -> str:
    return f"{target}{'&' if '?' in target else '?'}digest={digest}"
