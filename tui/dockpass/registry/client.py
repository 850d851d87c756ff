"""A small registry client: what a cleanup and a deployment need, and nothing else.

Follows the distribution specification. What a server says is checked before it is used: names against
the grammar of references, bytes against their digest, addresses against the registry's own.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import TracebackType
from typing import Any, NoReturn, Self

from dockpass.errors import DockpassError
from dockpass.references.credential import Logins
from dockpass.references.reference import is_digest, is_repository_path, is_tag
from dockpass.registry.answer import Answer, Where, read_answer
from dockpass.registry.claims import Claims, read_claims
from dockpass.registry.connection_errors import refused
from dockpass.registry.contents import (
    LARGEST_MANIFEST,
    MEDIA_TYPES,
    Manifest,
    Seen,
    read_content,
)
from dockpass.registry.failures import RegistryError, error_of
from dockpass.registry.listing import Listing, NotWhole
from dockpass.registry.policy import Guard, Policy
from dockpass.registry.retry import Retry
from dockpass.registry.session import LARGEST_WORDS, Session
from dockpass.registry.strictjson import NotJson, strict_object
from dockpass.registry.transport import Response, Transport
from dockpass.secrets import Secret
from dockpass.text import clean

LARGEST_PAGE = 4 << 20

_ACCEPT = {"Accept": ", ".join(MEDIA_TYPES)}
_ABSENT = frozenset({"MANIFEST_UNKNOWN", "NAME_UNKNOWN", "NOT_FOUND"})
_BROKEN = _ABSENT | {"BLOB_UNKNOWN", "MANIFEST_INVALID"}
_ABOUT_ONE_IMAGE = frozenset({404, 406, 409, 410, 412, 415, 422, 423, 451})
"""Answers that say something of an image and not of the login: it is locked, in quarantine, or not there."""
_DONE = frozenset({200, 202, 204})


@dataclass(frozen=True, slots=True)
class LoginResult:
    """The registry accepted the credentials; `words` say how that was seen."""

    words: str


class TooManyRequests(RegistryError):
    """A deletion was answered by 429 and not sent again; `response` says how long to wait."""

    def __init__(self, error: RegistryError, response: Response) -> None:
        super().__init__(error.id, error.message, error.hint, error.answer)
        self.response = response


class RegistryClient:
    """Speaks to one registry host, with the login that `logins` has for it; an async context manager.

    Every method raises only `DockpassError`s: `RegistryError` with the registry's own words where it
    declined, others where no answer came or none that can be trusted.
    """

    def __init__(
        self,
        host: str,
        logins: Logins,
        *,
        policy: Policy | None = None,
        transport: Transport | None = None,
        guard: Guard | None = None,
    ) -> None:
        self.host = host
        self._transport = transport or Transport(policy)
        self._session = Session(host, logins.login_for(host), self._transport, guard=guard)
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

    @property
    def uses_tokens(self) -> bool:
        """Whether the registry takes tokens; known once it is connected."""
        return self._session.uses_tokens

    async def token(self, scopes: str) -> tuple[Secret, float] | None:
        """Return a token for scopes apart by blanks, and for how many seconds it is still used.

        None where the registry takes no tokens.
        """
        token = await self._session.token(scopes)
        return None if token is None else (token, self._session.seconds_left(scopes))

    def check_realm(self, realm: str, service: str) -> None:
        """Raise `DockpassError` where somebody else was sent to another token server than this client."""
        self._session.check_realm(realm, service)

    async def claims(self, path: str, actions: str) -> Claims | None:
        """Return what the token for these actions says of itself; None where nothing is visible."""
        token = await self._session.token(f"repository:{path}:{actions}")
        return None if token is None else read_claims(token)

    async def tags(self, path: str) -> list[str]:
        """Return the repository's tags, sorted; an absent repository has none.

        Raises `DockpassError` for a listing that leaves the repository, repeats itself or has no end: half
        a list would be taken for the whole.
        """
        what = f"listing of {path}"
        listing = Listing(path, lambda page: self._require_ok(page, what))
        try:
            return await listing.read(lambda target: self._get(target, path, LARGEST_PAGE))
        except NotWhole as error:
            self._refuse(what, str(error))

    async def manifest(self, path: str, reference: str) -> Manifest:
        """Return the manifest of a tag or digest; its bytes are checked against the digest."""
        what = f"lookup of {path}{'@' if ':' in reference else ':'}{reference}"
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

    async def look(self, path: str, reference: str) -> Seen:
        """Look at a tag or digest as a cleanup does: what cannot be read is told, with what its bytes name.

        Raises `DockpassError` only where the registry, the login or the connection failed.
        """
        what = f"lookup of {path}{'@' if ':' in reference else ':'}{reference}"
        if not (is_tag(reference) or is_digest(reference)):
            self._refuse(what, "this is neither a tag nor a digest")
        target = f"/v2/{path}/manifests/{reference}"
        try:
            response = await self._get(target, path, LARGEST_MANIFEST, headers=_ACCEPT)
        except RegistryError:
            raise
        except DockpassError as error:
            if error.id != "answer-refused":
                raise
            return Seen(status=0, problem=error.message)
        if response.status != 200:
            answer = self._answer(response)
            if answer.status not in _ABOUT_ONE_IMAGE and answer.code not in _BROKEN:
                raise self._error(what, answer)
            absent = answer.status == 404 and answer.code in _ABSENT
            return Seen(status=answer.status, problem=answer.in_words, absent=absent)
        try:
            digest = self._digest(response, reference, what)
        except DockpassError as error:
            return Seen(problem=error.message)
        claimed = is_digest(reference) or bool(response.headers.get("Docker-Content-Digest"))
        content_type = response.headers.get("Content-Type", "")
        seen = read_content(response.body, digest, content_type, claimed=claimed)
        is_other = seen.digest.startswith("sha512:")
        return replace(seen, twin=_hash("sha256:", response.body)) if is_other else seen

    async def current_digest(self, path: str, tag: str) -> str:
        """Return where a tag points, by an answer without a body; empty where that does not tell."""
        try:
            response = await self._session.send(
                "HEAD",
                f"/v2/{path}/manifests/{tag}",
                f"repository:{path}:pull",
                limit=LARGEST_WORDS,
                headers=_ACCEPT,
            )
        except DockpassError:
            return ""  # whoever asks looks at the image itself then, and learns what is wrong
        if response.status != 200:
            return ""
        digest = response.headers.get("Docker-Content-Digest") or response.headers.get("ETag", "").strip('"')
        return digest if is_digest(digest) else ""

    async def config(self, path: str, digest: str) -> Mapping[str, Any]:
        """Return the config blob of an image, checked against its digest."""
        what = f"lookup of the config {digest[:19]} in {path}"
        if not is_digest(digest):
            self._refuse(what, "the reference is not a digest")
        response = await self._get(f"/v2/{path}/blobs/{digest}", path, LARGEST_MANIFEST, leaves_origin=True)
        self._require_ok(response, what)
        if _hash(digest, response.body) != digest:
            self._refuse(what, "its content does not match that digest")
        return self._object(response, what)

    async def delete_digest(self, path: str, digest: str) -> bool:
        """Delete a manifest with every tag on it; False if it was gone already."""
        what = f"deletion of {path}@{digest[:19]}"
        if not is_digest(digest):
            self._refuse(what, "the reference is not a digest")
        return await self._delete(f"/v2/{path}/manifests/{digest}", path, what)

    async def delete_tag(self, path: str, tag: str) -> bool:
        """Delete one tag and nothing else; False if it was gone already.

        Tries the specification's form, then GitLab's older one. Raises `RegistryError` with the id
        `tag-deletion-unsupported` where the registry has neither.
        """
        what = f"deletion of {path}:{tag}"
        if not is_tag(tag):
            self._refuse(what, "this is not a valid tag")
        try:
            return await self._delete(f"/v2/{path}/manifests/{tag}", path, what)
        except RegistryError as error:
            if not _is_unsupported(error):
                raise
            first = error.answer
        try:
            return await self._delete(f"/v2/{path}/tags/reference/{tag}", path, what)
        except RegistryError as error:
            if not _is_unsupported(error):
                raise
            raise RegistryError(
                "tag-deletion-unsupported",
                f"{clean(self.host)} cannot delete a single tag: {first.in_words}.",
                "Only whole digests can be deleted there, with every tag on them.",
                first,
            ) from error

    async def _delete(self, target: str, path: str, what: str) -> bool:
        self._check_path(path, what)
        first: RegistryError | None = None
        # GitLab's older token service does not know the action delete, and grants it with `*`.
        for actions in self._delete_actions:
            scope = f"repository:{path}:{actions}"
            response = await self._session.send(
                "DELETE", target, scope, limit=LARGEST_WORDS, retry=Retry.ONCE
            )
            if response.status in _DONE or (response.status == 404 and _code(response) in _ABSENT):
                self._delete_actions = (actions,)
                return response.status in _DONE
            answer = self._answer(response)
            if answer.status == 429:
                raise TooManyRequests(self._error(what, answer), response)
            first = first or self._error(what, answer)
            if answer.status != 401 or not self._session.uses_tokens:
                break
        raise first or RuntimeError("a deletion without a request")

    async def _get(
        self,
        target: str,
        path: str,
        limit: int,
        *,
        headers: Mapping[str, str] | None = None,
        leaves_origin: bool = False,
    ) -> Response:
        self._check_path(path, f"lookup in {path}")
        return await self._session.send(
            "GET",
            target,
            f"repository:{path}:pull",
            limit=limit,
            headers=headers,
            leaves_origin=leaves_origin,
        )

    def _check_path(self, path: str, what: str) -> None:
        if not is_repository_path(path):
            self._refuse(what, "this is not a valid repository name")

    def _digest(self, response: Response, reference: str, what: str) -> str:
        """Return the digest of the bytes; raises if it is not the one asked for or the one claimed."""
        claimed = response.headers.get("Docker-Content-Digest", "")
        wanted = reference if is_digest(reference) else claimed
        for digest in filter(None, (wanted, claimed)):
            if not is_digest(digest) or _hash(digest, response.body) != digest:
                self._refuse(what, f"its content does not match the digest {clean(digest, 80)}")
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
            Where.REGISTRY, response.status, response.body, response.reason, login, response.headers
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
        raise refused(self._session.base, why, what)


def _hash(digest: str, raw: bytes) -> str:
    """Return the digest of `raw` by the algorithm of `digest`."""
    algorithm = digest.partition(":")[0]
    return f"{algorithm}:{hashlib.new(algorithm, raw).hexdigest()}"


def _code(response: Response) -> str:
    return read_answer(Where.REGISTRY, response.status, response.body).code


def _is_unsupported(error: RegistryError) -> bool:
    answer = error.answer
    return answer.status in {404, 405} or answer.code in {"DIGEST_INVALID", "UNSUPPORTED"}
