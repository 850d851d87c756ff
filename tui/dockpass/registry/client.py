"""A small registry client: what a cleanup and a deployment need, and nothing else.

Follows the distribution specification; credentials go to the registry (Basic) or to its realm (Bearer).
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote, urljoin

from dockpass.auth.address import DOCKER_HUB_HOST
from dockpass.auth.credential import Credential
from dockpass.auth.reference import is_digest, is_tag
from dockpass.errors import DockpassError
from dockpass.registry.challenge import Challenge, choose, parse_challenges
from dockpass.registry.failures import Answer, RegistryError, error_of, login_refused, read_answer
from dockpass.registry.links import next_page
from dockpass.registry.token import Tokens, basic, check_realm
from dockpass.registry.transport import Response, Transport, is_loopback, origin
from dockpass.text import clean

MEDIA_TYPES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
LARGEST_MANIFEST = 4 << 20
LARGEST_PAGE = 8 << 20
MOST_PAGES = 1000
MOST_TAGS = 200_000
PAGE = 1000
LONGEST_WAIT = 60.0
RETRIES = 3

_HUB_API = "registry-1.docker.io"
_ABSENT = frozenset({"MANIFEST_UNKNOWN", "NAME_UNKNOWN", "NOT_FOUND"})


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest or index; `digest` is that of its bytes, checked."""

    digest: str
    media_type: str
    data: Mapping[str, Any]
    size: int

    @property
    def is_index(self) -> bool:
        """Whether it lists manifests, one a platform."""
        return self.media_type in MEDIA_TYPES[:2] or isinstance(self.data.get("manifests"), list)


@dataclass(frozen=True, slots=True)
class LoginResult:
    """The registry accepted the credentials; `words` say how that was seen."""

    words: str


class RegistryClient:
    """Speaks to one registry host; an async context manager."""

    def __init__(
        self, host: str, credential: Credential | None, *, transport: Transport | None = None
    ) -> None:
        self.host = host
        self._api = _HUB_API if host == DOCKER_HUB_HOST else host
        self._credential = credential
        self._transport = transport or Transport()
        self._tokens = Tokens(self._transport, host, credential)
        self._base = ""
        self._challenge: Challenge | None = None
        self._connecting = asyncio.Lock()

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

    async def login(self) -> LoginResult:
        """Check the credentials as `docker login` does: without asking for any repository."""
        await self._connect()
        challenge, credential = self._challenge, self._credential
        if challenge is None or credential is None:
            return LoginResult("the registry asks for no login")
        if challenge.scheme == "bearer":
            realm = check_realm(self._api, self._scheme, challenge.parameters)
            token = await self._tokens.get(realm, ())
            headers = {"Authorization": f"Bearer {token.reveal()}"}
        else:
            headers = {"Authorization": basic(credential)}
        response = await self._transport.request("GET", f"{self._base}/v2/", headers=headers, limit=64 << 10)
        if response.status == 200:
            return LoginResult(f"accepted ({challenge.scheme})")
        answer = read_answer("registry", response.status, response.body, response.reason)
        raise login_refused(self.host, credential.username, answer)

    async def tags(self, path: str) -> list[str]:
        """Return the repository's tags, sorted; an absent repository has none.

        Raises `DockpassError` for a listing that leaves the registry, repeats itself or has no end.
        """
        url = f"/v2/{path}/tags/list?n={PAGE}"
        found: dict[str, None] = {}
        seen: set[str] = set()
        for _ in range(MOST_PAGES):
            seen.add(url)
            response = await self._get(url, path, "pull", LARGEST_PAGE)
            if response.status == 404:
                return []
            self._require_ok(response, f"listing of {path}")
            found.update(dict.fromkeys(self._tags_in(response, path)))
            following = next_page(response.headers.get("Link", ""))
            if not following:
                return sorted(found)
            target = urljoin(response.url, following)
            if origin(target) != origin(self._base) or target.removeprefix(self._base) in seen:
                raise self._unreadable(f"listing of {path}", f"its next page is {clean(target, 200)}")
            url = target.removeprefix(self._base)
            if len(found) > MOST_TAGS:
                break
        raise self._unreadable(f"listing of {path}", "it has no end")

    async def manifest(self, path: str, reference: str) -> Manifest:
        """Return the manifest of a tag or digest; its bytes are checked against the digest."""
        what = f"look-up of {path}:{reference}"
        response = await self._get(
            f"/v2/{path}/manifests/{quote(reference, safe=':')}",
            path,
            "pull",
            LARGEST_MANIFEST,
            {"Accept": ", ".join(MEDIA_TYPES)},
        )
        self._require_ok(response, what)
        digest = f"sha256:{hashlib.sha256(response.body).hexdigest()}"
        for claimed in (reference, response.headers.get("Docker-Content-Digest", "")):
            if claimed.startswith("sha256:") and claimed != digest:
                raise self._unreadable(what, f"its bytes have the digest {digest}, not {clean(claimed, 80)}")
        data = self._object(response, what)
        media_type = data.get("mediaType") or response.headers.get("Content-Type", "").partition(";")[0]
        return Manifest(digest, clean(str(media_type), 120), data, len(response.body))

    async def config(self, path: str, digest: str) -> Mapping[str, Any]:
        """Return the config blob of an image, checked against its digest."""
        what = f"look-up of the config {digest[:19]} in {path}"
        if not is_digest(digest):
            raise self._unreadable(what, "it is not named by a digest")
        response = await self._get(f"/v2/{path}/blobs/{digest}", path, "pull", LARGEST_MANIFEST)
        self._require_ok(response, what)
        algorithm, _, wanted = digest.partition(":")
        if hashlib.new(algorithm, response.body).hexdigest() != wanted:
            raise self._unreadable(what, "its bytes do not have that digest")
        return self._object(response, what)

    async def referrers(self, path: str, digest: str) -> tuple[str, ...]:
        """Return digests of what refers to an image; empty where the registry has no such listing."""
        response = await self._get(f"/v2/{path}/referrers/{digest}", path, "pull", LARGEST_MANIFEST)
        if response.status != 200:
            return ()
        manifests = self._object(response, f"referrers of {digest[:19]}").get("manifests")
        entries = manifests if isinstance(manifests, list) else []
        found = (entry.get("digest") for entry in entries if isinstance(entry, dict))
        return tuple(digest for digest in found if isinstance(digest, str) and is_digest(digest))

    async def delete_digest(self, path: str, digest: str) -> bool:
        """Delete a manifest with every tag on it; False if it was gone already."""
        return await self._delete(f"/v2/{path}/manifests/{digest}", path, f"deletion of {path}@{digest[:19]}")

    async def delete_tag(self, path: str, tag: str) -> bool:
        """Delete one tag and nothing else; False if it was gone already.

        Tries the specification's form, then GitLab's older one. Raises `RegistryError` with the id
        `tag-deletion-unsupported` where the registry has neither.
        """
        if not is_tag(tag):
            raise self._unreadable(f"deletion of {path}:{tag}", "its name is no valid tag")
        try:
            return await self._delete(f"/v2/{path}/manifests/{tag}", path, f"deletion of {path}:{tag}")
        except RegistryError as error:
            if error.answer.code not in {"DIGEST_INVALID", "UNSUPPORTED"} and error.answer.status != 405:
                raise
        response = await self._send("DELETE", f"/v2/{path}/tags/reference/{tag}", path, "delete", 64 << 10)
        if response.status in {200, 202, 204}:
            return True
        answer = read_answer("registry", response.status, response.body, response.reason)
        raise RegistryError(
            "tag-deletion-unsupported",
            f"{clean(self.host)} cannot delete a single tag: {answer.in_words}.",
            "Only whole digests can be deleted there, with every tag on them.",
            answer,
        )

    async def _delete(self, url: str, path: str, what: str) -> bool:
        first: Answer | None = None
        # GitLab's older token service does not know the action delete, and grants it with `*`.
        for action in ("delete", "*"):
            response = await self._send("DELETE", url, path, action, 64 << 10)
            if response.status in {200, 202, 204}:
                return True
            answer = read_answer("registry", response.status, response.body, response.reason)
            if response.status == 404 and answer.code in _ABSENT:
                return False
            first = first or answer
            if answer.status != 401:
                break
        raise error_of(what, self.host, first or Answer("registry", 0, "", ""))

    async def _get(
        self, url: str, path: str, action: str, limit: int, headers: Mapping[str, str] | None = None
    ) -> Response:
        for _ in range(RETRIES):
            response = await self._send("GET", url, path, action, limit, headers)
            if response.status != 429:
                break
            await asyncio.sleep(retry_after(response.headers.get("Retry-After", "")))
        return response

    async def _send(
        self,
        method: str,
        url: str,
        path: str,
        action: str,
        limit: int,
        headers: Mapping[str, str] | None = None,
    ) -> Response:
        """Send with authorization; after a 401 ask for one fresh token and repeat once."""
        await self._connect()
        leaves = "/blobs/" in url
        for fresh in (False, True):
            authorization = await self._authorization(path, action, fresh=fresh)
            response = await self._transport.request(
                method,
                self._base + url,
                headers={**(headers or {}), **authorization},
                limit=limit,
                leaves_origin=leaves,
            )
            if response.status != 401 or not self._learns_from(response):
                return response
        return response

    async def _authorization(self, path: str, action: str, *, fresh: bool) -> dict[str, str]:
        challenge, credential = self._challenge, self._credential
        if challenge is None:
            return {}
        if challenge.scheme == "basic":
            return {"Authorization": basic(credential)} if credential and credential.password else {}
        actions = {"delete": "pull,delete"}.get(action, action)
        realm = check_realm(self._api, self._scheme, challenge.parameters)
        token = await self._tokens.get(realm, (f"repository:{path}:{actions}",), fresh=fresh)
        return {"Authorization": f"Bearer {token.reveal()}"}

    def _learns_from(self, response: Response) -> bool:
        """Take over a challenge that was not known; tell whether asking once more makes sense."""
        found = choose(parse_challenges(response.challenges))
        if found is None:
            return False
        known, self._challenge = self._challenge, self._challenge or found
        return known is None or known.scheme == "bearer"

    async def _connect(self) -> None:
        """Find out once how the registry speaks and what it asks for."""
        if self._base:
            return
        async with self._connecting:
            if not self._base:
                base, response = await self._ping()
                if response.status not in {200, 401}:
                    answer = read_answer("registry", response.status, response.body, response.reason)
                    raise DockpassError(
                        "not-a-registry",
                        f"{clean(self.host)} does not answer as a registry: {answer.in_words}.",
                        "Check host and port: a registry often has a port of its own.",
                    )
                self._challenge = choose(parse_challenges(response.challenges))
                self._base = base

    async def _ping(self) -> tuple[str, Response]:
        base = f"https://{self._api}"
        try:
            return base, await self._transport.request("GET", f"{base}/v2/", limit=64 << 10)
        except DockpassError:
            if not is_loopback(self._api):
                raise
        base = f"http://{self._api}"  # this machine's own registry, as for docker
        return base, await self._transport.request("GET", f"{base}/v2/", limit=64 << 10)

    @property
    def _scheme(self) -> str:
        return self._base.partition("://")[0]

    def _require_ok(self, response: Response, what: str) -> None:
        if response.status != 200:
            answer = read_answer("registry", response.status, response.body, response.reason)
            raise error_of(what, self.host, answer)

    def _tags_in(self, response: Response, path: str) -> list[str]:
        tags = self._object(response, f"listing of {path}").get("tags")
        if tags is None:
            return []
        if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
            raise self._unreadable(f"listing of {path}", "its tags are no list of names")
        return [tag for tag in tags if is_tag(tag)]

    def _object(self, response: Response, what: str) -> dict[str, Any]:
        try:
            found = json.loads(response.body)
        except (ValueError, RecursionError):
            found = None
        if not isinstance(found, dict):
            raise self._unreadable(what, "it is not a JSON object")
        return found

    def _unreadable(self, what: str, why: str) -> DockpassError:
        return DockpassError(
            "answer-refused",
            f"The {clean(what)} at {clean(self.host)} is not accepted: {why}.",
            "Nothing was changed because of it; the registry's operator can tell.",
        )


def retry_after(header: str, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> float:
    """Return the seconds to wait (RFC 9110: seconds or a date), at least 1 and at most 60."""
    if header.strip().isdecimal():
        return min(max(float(header), 1.0), LONGEST_WAIT)
    try:
        seconds = (parsedate_to_datetime(header) - now()).total_seconds()
    except (TypeError, ValueError):
        return 1.0
    return min(max(seconds, 1.0), LONGEST_WAIT)
