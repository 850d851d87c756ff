"""A small registry client: what a cleanup and a deployment need, and nothing else.

Follows the distribution specification. What a server says is checked before it is used: names against
the grammar of references, bytes against their digest, addresses against the registry's own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, NoReturn, Self
from urllib.parse import urlsplit

from dockpass.auth.credential import Credential
from dockpass.auth.reference import is_digest, is_path, is_tag
from dockpass.errors import DockpassError
from dockpass.registry.claims import Claims, read_claims
from dockpass.registry.failures import Answer, RegistryError, error_of, read_answer
from dockpass.registry.links import next_page
from dockpass.registry.policy import Guard, Policy
from dockpass.registry.session import LARGEST_WORDS, Session
from dockpass.registry.strictjson import NotJson, strict_object
from dockpass.registry.transport import Response, Transport, origin, resolve
from dockpass.text import clean

INDEX_TYPES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
MEDIA_TYPES = (
    *INDEX_TYPES,
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
LARGEST_MANIFEST = 4 << 20
LARGEST_PAGE = 4 << 20
MOST_PAGES = 1000
MOST_TAGS = 200_000
PAGE = 1000

_ACCEPT = {"Accept": ", ".join(MEDIA_TYPES)}
_ABSENT = frozenset({"MANIFEST_UNKNOWN", "NAME_UNKNOWN", "NOT_FOUND"})
_DONE = frozenset({200, 202, 204})


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest or index; `digest` is that of its bytes, checked; `size` is their number."""

    digest: str
    media_type: str
    data: Mapping[str, Any]
    size: int

    @property
    def is_index(self) -> bool:
        """Whether it lists manifests, one a platform."""
        return self.media_type in INDEX_TYPES or isinstance(self.data.get("manifests"), list)


@dataclass(frozen=True, slots=True)
class LoginResult:
    """The registry accepted the credentials; `words` say how that was seen."""

    words: str


class RegistryClient:
    """Speaks to one registry host; an async context manager.

    Every method raises only `DockpassError`s: `RegistryError` with the registry's own words where it
    declined, others where no answer came or none that can be trusted.
    """

    def __init__(
        self,
        host: str,
        credential: Credential | None,
        *,
        policy: Policy | None = None,
        transport: Transport | None = None,
        guard: Guard | None = None,
    ) -> None:
        self.host = host
        self._transport = transport or Transport(policy)
        self._session = Session(host, credential, self._transport, guard=guard)
        self._delete_actions: tuple[str, ...] = ("pull,delete", "*")

    async def __aenter__(self) -> Self:
        await self._transport.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._transport.__aexit__(kind, error, trace)

    async def connect(self) -> None:
        """Find out where credentials would go, and send none; raises `RealmNotAgreed` where they may not."""
        await self._session.connect()

    async def login(self) -> LoginResult:
        """Check the credentials as `docker login` does: without asking for any repository."""
        return LoginResult(await self._session.login())

    async def claims(self, path: str, actions: str) -> Claims | None:
        """Return what the token for these actions says of itself; None where nothing is visible."""
        token = await self._session.token(f"repository:{path}:{actions}")
        return None if token is None else read_claims(token)

    async def tags(self, path: str) -> list[str]:
        """Return the repository's tags, sorted; an absent repository has none.

        Raises `DockpassError` for a listing that leaves the registry, repeats itself or has no end: half
        a list would be taken for the whole.
        """
        what = f"listing of {path}"
        target = f"/v2/{path}/tags/list?n={PAGE}"
        found: set[str] = set()
        seen: set[str] = set()
        while target and len(seen) < MOST_PAGES and len(found) <= MOST_TAGS:
            seen.add(target)
            response = await self._get(target, path, LARGEST_PAGE)
            if response.status == 404 and _code(response) in _ABSENT:
                return []
            if response.status == 400 and target.endswith(f"?n={PAGE}"):
                target = f"/v2/{path}/tags/list"  # a registry that allows only smaller pages
                continue
            self._require_ok(response, what)
            found.update(self._tags_in(response, what))
            target = self._next(response, what)
            if target in seen:
                self._refuse(what, "its next page is one that was there already")
        if target:
            self._refuse(what, "it has no end")
        return sorted(found)

    async def manifest(self, path: str, reference: str) -> Manifest:
        """Return the manifest of a tag or digest; its bytes are checked against the digest."""
        what = f"look-up of {path}{'@' if ':' in reference else ':'}{reference}"
        if not (is_tag(reference) or is_digest(reference)):
            self._refuse(what, "this is neither a tag nor a digest")
        response = await self._get(
            f"/v2/{path}/manifests/{reference}", path, LARGEST_MANIFEST, headers=_ACCEPT
        )
        self._require_ok(response, what)
        digest = self._digest(response, reference, what)
        data = self._object(response, what)
        media_type = data.get("mediaType") or response.headers.get("Content-Type", "").partition(";")[0]
        return Manifest(digest, clean(str(media_type), 120), data, len(response.body))

    async def config(self, path: str, digest: str) -> Mapping[str, Any]:
        """Return the config blob of an image, checked against its digest."""
        what = f"look-up of the config {digest[:19]} in {path}"
        if not is_digest(digest):
            self._refuse(what, "it is not named by a digest")
        response = await self._get(f"/v2/{path}/blobs/{digest}", path, LARGEST_MANIFEST, leaves_origin=True)
        self._require_ok(response, what)
        if _hash(digest, response.body) != digest:
            self._refuse(what, "its bytes do not have that digest")
        return self._object(response, what)

    async def referrers(self, path: str, digest: str) -> tuple[str, ...]:
        """Return the digests of what refers to an image: by the registry's list, else by the fallback tag."""
        if not is_digest(digest):
            self._refuse(f"look-up of what refers to {digest} in {path}", "this is no digest")
        what = f"look-up of what refers to {digest[:19]} in {path}"
        for target in (f"referrers/{digest}", f"manifests/{digest.replace(':', '-')}"):
            response = await self._get(f"/v2/{path}/{target}", path, LARGEST_MANIFEST, headers=_ACCEPT)
            if response.status != 404:
                self._require_ok(response, what)
                return digests_in(self._object(response, what).get("manifests"))
        return ()

    async def delete_digest(self, path: str, digest: str) -> bool:
        """Delete a manifest with every tag on it; False if it was gone already."""
        what = f"deletion of {path}@{digest[:19]}"
        if not is_digest(digest):
            self._refuse(what, "it is not named by a digest")
        return await self._delete(f"/v2/{path}/manifests/{digest}", path, what)

    async def delete_tag(self, path: str, tag: str) -> bool:
        """Delete one tag and nothing else; False if it was gone already.

        Tries the specification's form, then GitLab's older one. Raises `RegistryError` with the id
        `tag-deletion-unsupported` where the registry has neither.
        """
        what = f"deletion of {path}:{tag}"
        if not is_tag(tag):
            self._refuse(what, "its name is no valid tag")
        try:
            return await self._delete(f"/v2/{path}/manifests/{tag}", path, what)
        except RegistryError as error:
            if not _is_unsupported(error):
                raise
        try:
            return await self._delete(f"/v2/{path}/tags/reference/{tag}", path, what)
        except RegistryError as error:
            if not _is_unsupported(error):
                raise
            raise RegistryError(
                "tag-deletion-unsupported",
                f"{clean(self.host)} cannot delete a single tag: {error.answer.in_words}.",
                "Only whole digests can be deleted there, with every tag on them.",
                error.answer,
            ) from error

    async def _delete(self, target: str, path: str, what: str) -> bool:
        self._check_path(path, what)
        first: RegistryError | None = None
        # GitLab's older token service does not know the action delete, and grants it with `*`.
        for actions in self._delete_actions:
            scope = f"repository:{path}:{actions}"
            response = await self._session.send("DELETE", target, scope, limit=LARGEST_WORDS)
            if response.status in _DONE or (response.status == 404 and _code(response) in _ABSENT):
                self._delete_actions = (actions,)
                return response.status in _DONE
            answer = self._answer(response)
            first = first or self._error(what, answer)
            if answer.status != 401 or not self._session.uses_tokens:
                break
        raise first or RuntimeError("a deletion without any request")

    async def _get(
        self,
        target: str,
        path: str,
        limit: int,
        *,
        headers: Mapping[str, str] | None = None,
        leaves_origin: bool = False,
    ) -> Response:
        self._check_path(path, f"look-up in {path}")
        return await self._session.send(
            "GET",
            target,
            f"repository:{path}:pull",
            limit=limit,
            headers=headers,
            leaves_origin=leaves_origin,
        )

    def _check_path(self, path: str, what: str) -> None:
        if not is_path(path):
            self._refuse(what, "its name is no repository's")

    def _next(self, response: Response, what: str) -> str:
        """Return path and query of the next page, as the registry names it; it knows its own cursor."""
        following = next_page(response.headers.get("Link", ""))
        if not following:
            return ""
        target = resolve(response.url, following)
        if target is None or origin(target) != origin(self._session.base):
            self._refuse(what, f"its next page is {clean(response.redact(following), 200)}")
        parts = urlsplit(target)
        return f"{parts.path}?{parts.query}" if parts.query else parts.path

    def _tags_in(self, response: Response, what: str) -> list[str]:
        tags = self._object(response, what).get("tags")
        if tags is None:
            return []
        if not isinstance(tags, list):
            self._refuse(what, "its tags are no list")
        for tag in tags:
            if not isinstance(tag, str) or not is_tag(tag):
                self._refuse(what, f"{clean(response.redact(str(tag)), 80)} is no valid tag")
        return tags

    def _digest(self, response: Response, reference: str, what: str) -> str:
        """Return the digest of the bytes; raises if it is not the one asked for or the one claimed."""
        claimed = response.headers.get("Docker-Content-Digest", "")
        wanted = reference if is_digest(reference) else claimed
        for digest in filter(None, (wanted, claimed)):
            if not is_digest(digest) or _hash(digest, response.body) != digest:
                self._refuse(what, f"its bytes do not have the digest {clean(digest, 80)}")
        return wanted or _hash("sha256:", response.body)

    def _object(self, response: Response, what: str) -> dict[str, Any]:
        try:
            return strict_object(response.body)
        except NotJson as error:
            self._refuse(what, str(error))

    def _require_ok(self, response: Response, what: str) -> None:
        if response.status != 200:
            raise self._error(what, self._answer(response))

    def _answer(self, response: Response) -> Answer:
        login = self._session.login_name
        return read_answer(
            "registry", response.status, response.body, response.reason, login, response.headers
        )

    def _error(self, what: str, answer: Answer) -> RegistryError:
        error = error_of(what, self.host, answer)
        if answer.status in {401, 403} and self._session.server_asked_for:
            error.hint += (
                f" It also asked for {self._session.server_asked_for}, which is more than this needs:"
                " no token was asked for that."
            )
        return error

    def _refuse(self, what: str, why: str) -> NoReturn:
        raise DockpassError(
            "answer-refused",
            f"The {clean(what)} at {clean(self.host)} is not accepted: {why}.",
            "Nothing was changed because of it; the registry's operator can tell.",
        )


def digests_in(entries: object) -> tuple[str, ...]:
    """Return the valid digests of a list of descriptors, as an index has it."""
    listed = entries if isinstance(entries, list) else []
    found = (entry.get("digest") for entry in listed if isinstance(entry, dict))
    return tuple(digest for digest in found if isinstance(digest, str) and is_digest(digest))


def _hash(digest: str, raw: bytes) -> str:
    """Return the digest of `raw` by the algorithm of `digest`."""
    algorithm = digest.partition(":")[0]
    return f"{algorithm}:{hashlib.new(algorithm, raw).hexdigest()}"


def _code(response: Response) -> str:
    return read_answer("registry", response.status, response.body).code


def _is_unsupported(error: RegistryError) -> bool:
    answer = error.answer
    return answer.status in {404, 405} or answer.code in {"DIGEST_INVALID", "UNSUPPORTED"}
