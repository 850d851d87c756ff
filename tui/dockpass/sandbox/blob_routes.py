"""Blobs and their uploads, as the distribution specification has them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from aiohttp import web

from dockpass.sandbox.answers import Refused
from dockpass.sandbox.blobs import CHUNK, Upload, hash_of
from dockpass.sandbox.call import Call
from dockpass.sandbox.faults import SOUND
from dockpass.sandbox.routes import require_algorithm, require_digest

_RANGE = re.compile(r"(?:bytes[= ])?(\d{1,18})-(\d{1,18})(?:/(?:\d+|\*))?")


async def read_blob(call: Call) -> web.StreamResponse:
    """GET and HEAD: the content, or the range of it that is asked for."""
    digest = _require_blob(call)
    headers = {"Content-Type": "application/octet-stream", "Docker-Content-Digest": digest}
    if call.spoil != SOUND:
        return await _spoilt(call, digest, headers)
    headers["Cache-Control"] = "max-age=31536000"
    return web.FileResponse(call.storage.content.path(digest), chunk_size=CHUNK, headers=headers)


async def delete_blob(call: Call) -> web.StreamResponse:
    """Take the blob out of this repository."""
    call.storage.unlink_blob(call.route.repository, _require_blob(call))
    return web.Response(status=202)


async def begin_upload(call: Call) -> web.StreamResponse:
    """POST: mount from another repository, upload in one request, or open a session.

    Without a source a blob is mounted only where it is already. The algorithm of `digest-algorithm` need
    not be remembered: the closing request names it with the digest.
    """
    name, storage = call.route.repository, call.storage
    if call.query.get("digest-algorithm"):
        require_algorithm(call.query["digest-algorithm"])
    mount = call.query.get("mount", "")
    if mount:
        source = call.query.get("from", "") or name
        if storage.has_blob(source, require_digest(mount)):
            storage.link_blob(name, mount)
            return _created(name, mount)
    digest = "" if mount else call.query.get("digest", "")
    if digest:
        require_digest(digest)
    upload = storage.content.begin(name)
    if not digest:
        return web.Response(status=202, headers=_session(upload))
    try:
        await _receive(call, upload)
        return await _finish(call, upload, digest)
    except BaseException:
        storage.content.discard(upload)  # nobody knows this session's name
        raise


async def write_chunk(call: Call) -> web.StreamResponse:
    """PATCH: the next chunk, in order."""
    upload = _require_upload(call)
    await _receive(call, upload)
    return web.Response(status=202, headers=_session(upload))


async def finish_upload(call: Call) -> web.StreamResponse:
    """PUT: the last chunk, if any, and the digest of the whole."""
    upload = _require_upload(call)
    digest = require_digest(call.query.get("digest", ""))
    await _receive(call, upload)
    return await _finish(call, upload, digest)


async def show_upload(call: Call) -> web.StreamResponse:
    """GET: how much has come."""
    return web.Response(status=204, headers=_session(_require_upload(call)))


async def cancel_upload(call: Call) -> web.StreamResponse:
    """DELETE: end the session without a blob."""
    upload = _require_upload(call)
    with _writing(upload):
        call.storage.content.discard(upload)
    return web.Response(status=204)


async def _receive(call: Call, upload: Upload) -> None:
    """Write the body behind what is there; a body that is not what its headers say leaves no trace."""
    with _writing(upload):
        expected = _expected(call, upload)
        before = upload.mark()
        async for data in call.request.content.iter_any():
            upload.append(data)
        if expected is not None and upload.offset - before.offset != expected:
            upload.back_to(before)
            raise Refused(400, "SIZE_INVALID", headers=_session(upload))


def _expected(call: Call, upload: Upload) -> int | None:
    """Return the length that Content-Range promises; refuses one that does not continue the upload."""
    header = call.request.headers.get("Content-Range", "")
    if not header:
        return None
    found = _RANGE.fullmatch(header.strip())
    if not found or int(found[1]) != upload.offset or int(found[2]) < int(found[1]):
        raise Refused(
            416, "RANGE_INVALID", "this chunk does not continue the upload", headers=_session(upload)
        )
    return int(found[2]) - int(found[1]) + 1


async def _finish(call: Call, upload: Upload, digest: str) -> web.StreamResponse:
    with _writing(upload):
        algorithm = digest.partition(":")[0]
        found = await asyncio.to_thread(hash_of, upload, algorithm)
        content, name = call.storage.content, call.route.repository
        if found != digest:
            content.discard(upload)
            raise Refused(400, "DIGEST_INVALID", detail={"digest": digest})
        content.finish(upload, digest)
        call.storage.link_blob(name, digest)
    return _created(name, digest)


@contextmanager
def _writing(upload: Upload) -> Iterator[None]:
    if upload.busy:
        raise Refused(416, "RANGE_INVALID", "another request writes to this upload", headers=_session(upload))
    upload.busy = True
    try:
        yield
    finally:
        upload.busy = False


def _require_blob(call: Call) -> str:
    digest = call.route.reference
    if not call.storage.has_blob(call.route.repository, digest):
        raise Refused(404, "BLOB_UNKNOWN", detail={"digest": digest})
    return digest


def _require_upload(call: Call) -> Upload:
    found = call.storage.content.upload(call.route.repository, call.route.reference)
    if found is None:
        raise Refused(404, "BLOB_UPLOAD_UNKNOWN")
    return found


def _session(upload: Upload) -> Mapping[str, str]:
    return {
        "Location": f"/v2/{upload.repository}/blobs/uploads/{upload.id}",
        "Range": f"0-{max(upload.offset - 1, 0)}",
        "Docker-Upload-UUID": upload.id,
    }


def _created(repository: str, digest: str) -> web.Response:
    headers = {"Location": f"/v2/{repository}/blobs/{digest}", "Docker-Content-Digest": digest}
    return web.Response(status=201, headers=headers)


async def _spoilt(call: Call, digest: str, headers: Mapping[str, str]) -> web.StreamResponse:
    """Send other bytes than the digest's, or break off within them; from where the range begins."""
    content, spoil = call.storage.content, call.spoil
    size = content.size(digest)
    begin = _begin(call, size)
    response = web.StreamResponse(status=206 if begin else 200, headers=headers)
    response.content_length = size - begin
    if begin:
        response.headers["Content-Range"] = f"bytes {begin}-{size - 1}/{size}"
    await response.prepare(call.request)
    left = size - begin if spoil.cut_after is None else spoil.cut_after
    flip = spoil.wrong_digest
    with content.path(digest).open("rb") as file:
        file.seek(begin)
        while left > 0 and (data := file.read(min(CHUNK, left))):
            left -= len(data)
            await response.write(bytes([data[0] ^ 1]) + data[1:] if flip else data)
            flip = False
    if spoil.cut_after is not None and call.request.transport is not None:
        call.request.transport.close()
    return response


def _begin(call: Call, size: int) -> int:
    """Return where an open range (`bytes=N-`) begins; 0 for any other, of which all is sent."""
    try:
        asked = call.request.http_range
    except ValueError:
        return 0
    begin = asked.start or 0
    return begin if asked.stop is None and 0 <= begin < size else 0
