"""Manifests, tags and referrers, as the distribution specification has them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from urllib.parse import urlencode

from aiohttp import web

from dockpass.sandbox.access import DELETE, PUSH
from dockpass.sandbox.answers import Refused
from dockpass.sandbox.call import Call
from dockpass.sandbox.manifests import INDEX, LARGEST, Manifest, read_manifest
from dockpass.sandbox.routes import require_tag

LONGEST_COUNT = 18  # digits: what is sure to fit the 64 bits of other registries


async def read_one(call: Call) -> web.StreamResponse:
    """GET and HEAD, by tag or digest."""
    manifest = _require_manifest(call)
    etag = f'"{manifest.digest}"'
    headers = {"Docker-Content-Digest": manifest.digest, "ETag": etag}
    if call.request.headers.get("If-None-Match") == etag:
        return web.Response(status=304, headers=headers)
    headers["Content-Type"] = manifest.media_type
    raw = call.storage.content.read(manifest.digest)
    # A blank more is still the same JSON, with another digest.
    return web.Response(body=raw + b" " if call.spoil.wrong_digest else raw, headers=headers)


async def write_one(call: Call) -> web.StreamResponse:
    """PUT, by tag, or by digest with `tag` parameters; what it needs has to be in the repository."""
    name, reference = call.route.repository, call.route.reference
    by_digest = ":" in reference
    tags = call.request.query.getall("tag", []) if by_digest else [reference]
    _refuse_protected(call, PUSH, [require_tag(tag) for tag in tags])
    raw = await _body(call.request)
    content_type = call.request.headers.get("Content-Type", "").partition(";")[0].strip()
    manifest = read_manifest(raw, "", content_type)
    _require_parts(call, manifest)
    digest = call.storage.content.write(raw, reference.partition(":")[0] if by_digest else "sha256")
    if by_digest and digest != reference:
        call.storage.drop_unlinked(digest)
        raise Refused(400, "DIGEST_INVALID", detail={"digest": reference})
    manifest = read_manifest(raw, digest, content_type)
    call.storage.put_manifest(name, manifest, tags)
    headers = {"Location": f"/v2/{name}/manifests/{digest}", "Docker-Content-Digest": digest}
    if by_digest and tags:
        headers["OCI-Tag"] = ", ".join(tags)
    if manifest.subject:
        headers["OCI-Subject"] = manifest.subject
    return web.Response(status=201, headers=headers)


async def delete_one(call: Call) -> web.StreamResponse:
    """DELETE: a tag alone, or a digest with every tag on it."""
    manifest, name = _require_manifest(call), call.route.repository
    if call.route.reference != manifest.digest:
        _refuse_protected(call, DELETE, [call.route.reference])
        call.storage.remove_tag(name, call.route.reference)
    else:
        _refuse_protected(call, DELETE, call.storage.tags_of(name, manifest.digest))
        call.storage.remove_manifest(name, manifest.digest)
    return web.Response(status=202)


async def list_tags(call: Call) -> web.StreamResponse:
    """GET: the tags in lexical order, `n` of them behind `last`, with a Link to the next page."""
    name = call.route.repository
    tags, more = call.storage.tags(name, _count(call), call.query.get("last", ""))
    headers = _link(call, tags[-1]) if more else {}
    return web.json_response({"name": name, "tags": tags}, headers=headers)


async def list_repositories(call: Call) -> web.StreamResponse:
    """GET: the repositories, paged as tags are."""
    names, more = call.storage.catalog(_count(call), call.query.get("last", ""))
    return web.json_response({"repositories": names}, headers=_link(call, names[-1]) if more else {})


async def list_referrers(call: Call) -> web.StreamResponse:
    """GET: an index of the manifests about this digest, which need not be there itself."""
    found = call.storage.referrers(call.route.repository, call.route.reference)
    wanted = call.query.get("artifactType", "")
    headers = {"OCI-Filters-Applied": "artifactType"} if wanted else {}
    index = {
        "schemaVersion": 2,
        "mediaType": INDEX,
        "manifests": [
            manifest.as_descriptor() for manifest in found if not wanted or manifest.artifact_type == wanted
        ],
    }
    return web.Response(body=json.dumps(index).encode(), headers={**headers, "Content-Type": INDEX})


def _require_manifest(call: Call) -> Manifest:
    found = call.storage.manifest(call.route.repository, call.route.reference)
    if found is None:
        detail = {"name": call.route.repository, "reference": call.route.reference}
        raise Refused(404, "MANIFEST_UNKNOWN", detail=detail)
    return found


def _require_parts(call: Call, manifest: Manifest) -> None:
    name = call.route.repository
    missing = [digest for digest in manifest.blobs if not call.storage.has_blob(name, digest)]
    missing += [digest for digest in manifest.children if call.storage.manifest(name, digest) is None]
    if missing:
        raise Refused(400, "MANIFEST_BLOB_UNKNOWN", detail={"digest": missing[0]})


def _refuse_protected(call: Call, action: str, tags: list[str]) -> None:
    protected = call.caller.denying(action, tags)
    if protected:
        raise Refused(403, "DENIED", f"the tag {protected} is protected", {"tag": protected})


async def _body(request: web.Request) -> bytes:
    body = bytearray()
    async for data in request.content.iter_any():
        body += data
        if len(body) > LARGEST:
            raise Refused(413, "SIZE_INVALID", f"a manifest has at most {LARGEST >> 20} MiB")
    return bytes(body)


def _count(call: Call) -> int | None:
    text = call.query.get("n", "")
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and len(text) <= LONGEST_COUNT):
        raise Refused(400, "PAGINATION_NUMBER_INVALID", detail={"n": text[:20]})
    return int(text)


def _link(call: Call, last: str) -> Mapping[str, str]:
    query = urlencode({"last": last, "n": call.query["n"]})
    return {"Link": f'<{call.request.path}?{query}>; rel="next"'}
