"""The part of GitLab's API that is read here: usable answers, refusals of one level, and errors.

Every request goes to the one server that the person agreed to. Redirects are never followed, and the next
page has to belong to the same list. The token goes into `Authorization`, which takes every kind of token.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, quote, urlencode, urlsplit

from dockpass.errors import DockpassError, LoginRefused
from dockpass.gitlabapi.token import Token
from dockpass.registry.forms import in_short, is_page
from dockpass.registry.links import leads_to, next_page
from dockpass.registry.retry import Retry, asked_to_wait
from dockpass.registry.strictjson import NotJson, strict_json
from dockpass.registry.transport import Response, Transport, resolve
from dockpass.text import clean
from dockpass.units import about
from dockpass.variables.gitlabplace import GitlabPlace

PAGE = 100
"""The most rows that GitLab puts on a page."""
MOST_PAGES = 400
MOST_ROWS = 30_000
LARGEST_ANSWER = 16 << 20
"""In bytes; a page of 100 variables of 10,000 characters each, all escaped, has less."""
LARGEST_LIST = 64 << 20
"""In bytes, of all pages of a list."""

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_REFUSALS = frozenset({403, 404})


@dataclass(frozen=True, slots=True)
class Refusal:
    """GitLab's own 403 or 404 for one thing; `words` say why, in clean text."""

    status: int
    words: str

    @property
    def why(self) -> str:
        """The refusal in short: `403 Forbidden`."""
        return (
            self.words if self.words.startswith(str(self.status)) else f"{self.status} {self.words}".strip()
        )


class GitlabClient:
    """Asks one server with one token. `transport` is open; `limit` bounds each answer, in bytes."""

    def __init__(
        self, transport: Transport, place: GitlabPlace, token: Token, *, limit: int = LARGEST_ANSWER
    ) -> None:
        self.place = place
        self._transport = transport
        self._token = token
        self._limit = limit

    async def project(self) -> tuple[Mapping[str, Any] | Refusal, bool]:
        """Return the project, and whether it has moved: GitLab then names it by its number, once."""
        path = f"projects/{quote(self.place.project, safe='')}"
        response = await self._send("GET", f"{self.place.api}/{path}")
        moved = response.status in _REDIRECTS and self._number_in(response)
        if moved:
            response = await self._send("GET", f"{self.place.api}/projects/{moved}")
        return self._object(response), bool(moved)

    async def get(self, path: str, **query: str) -> Mapping[str, Any] | Refusal:
        """Return an object; raises `DockpassError` for every answer that is neither one nor a refusal."""
        return self._object(await self._send("GET", self._url(path, query)))

    async def rows(self, path: str, **query: str) -> list[Any] | Refusal:
        """Return all rows of a list, page by page; raises as `get`, and for a list without an end."""
        found: list[Any] = []
        async for page in self._pages(path, query):
            if isinstance(page, Refusal):
                return page
            found += page
            if len(found) > MOST_ROWS:
                raise self.rejected(f"the list has more than {MOST_ROWS:,} rows")
        return found

    async def query(self, text: str, variables: Mapping[str, object]) -> Mapping[str, Any] | Refusal:
        """Return the answer to a query of GraphQL, which is read only as it is written; raises as `get`."""
        body = json.dumps({"query": text, "variables": dict(variables)}).encode()

        async def pieces() -> AsyncIterator[bytes]:
            yield body

        headers = {"Content-Type": "application/json", "Content-Length": str(len(body))}
        response = await self._send("POST", self.place.graphql, headers, pieces)
        return self._object(response)

    async def _pages(self, path: str, query: Mapping[str, str]) -> AsyncIterator[list[Any] | Refusal]:
        url = self._url(path, {**query, "per_page": str(PAGE)})
        own, seen, number, size = urlsplit(url).path, set[str](), 1, 0
        while url:
            if url in seen or len(seen) == MOST_PAGES:
                raise self.rejected("the list never ends")
            seen.add(url)
            response = await self._send("GET", url)
            rows, size = self._judged(response), size + len(response.body)
            if size > LARGEST_LIST:
                raise self.rejected(f"the list is larger than {LARGEST_LIST >> 20} MiB")
            if isinstance(rows, Refusal):
                if number > 1:
                    raise self.rejected(f"page {number} of the list was refused: {rows.why}")
                yield rows
                return
            if not isinstance(rows, list):
                raise self.rejected("it is not a list")
            yield rows
            number += 1
            url = self._next(response, own, len(rows), url, number)

    def _next(self, response: Response, own: str, count: int, url: str, number: int) -> str:
        """Return the next page by `Link`, else by `X-Next-Page`; without both, a full page has one."""
        if link := next_page(response.headers.get("Link", "")):
            target = leads_to(url, link, own)
            if target is None:
                raise self.rejected(
                    f"its next page is {clean(response.redact(link), 200)}, which is not part of this list;"
                    " nothing was sent there"
                )
            return target
        following = response.headers.get("X-Next-Page")
        if following is None:
            return self._page(url, number) if count == PAGE else ""
        if not following.strip():
            return ""
        if not (following.isascii() and following.isdecimal()) or len(following) > 6:
            raise self.rejected(f"its next page has the invalid number {clean(following, 40)}")
        return self._page(url, int(following))

    def _page(self, url: str, number: int) -> str:
        parts = urlsplit(url)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        return parts._replace(query=urlencode({**query, "page": str(number)})).geturl()

    def _url(self, path: str, query: Mapping[str, str]) -> str:
        return f"{self.place.api}/{path}" + (f"?{urlencode(query)}" if query else "")

    async def _send(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str] | None = None,
        body: Any = None,
    ) -> Response:
        sent = {
            "Authorization": f"Bearer {self._token.secret.reveal()}",
            "Accept": "application/json",
            **(headers or {}),
        }
        try:
            return await self._transport.request(
                method,
                url,
                headers=sent,
                data=body,
                limit=self._limit,
                follows=False,
                retry=Retry.WHEN_BUSY,
            )
        except DockpassError as error:
            raise _as_gitlabs(error) from error

    def _number_in(self, response: Response) -> str:
        """Return the number of a project that has moved, if that is what a redirect says; else nothing."""
        target = resolve(response.url, response.headers.get("Location", "")) or ""
        own = f"{self.place.api}/projects/"
        # GitLab may name itself by http here: what counts is the number, asked for at its own address.
        _, _, rest = target.partition("://")
        number = rest.removeprefix(own.partition("://")[2])
        return number if number.isascii() and number.isdecimal() and len(number) < 20 else ""

    def _object(self, response: Response) -> Mapping[str, Any] | Refusal:
        found = self._judged(response)
        if isinstance(found, Refusal | dict):
            return found
        raise self.rejected("it is not an object")

    def _judged(self, response: Response) -> Any:
        """Return what an answer holds, or the refusal that it is; raises for every other one."""
        status = response.status
        if status in _REDIRECTS:
            shown = clean(response.redact(response.headers.get("Location", "")), 200) or "nowhere"
            raise self.rejected(
                f"it redirects to {shown}, which was not followed; a sign-in proxy may be in front of it"
            )
        if status == 429:
            raise self._busy(response)
        if status >= 500:
            raise DockpassError(
                "gitlab-failed",
                f"{self._host} failed: {status} {response.reason}. Nothing was changed.",
                "Try again later, or ask the server's administrator.",
            )
        found = self._json(response)
        if status == 200:
            return found
        words = _words(found, response)
        if status == 401:
            raise LoginRefused(
                "gitlab-token-refused",
                f"{self._host} rejected the token from {self._token.origin}: {words}.",
                "It may have expired or been revoked. It needs the scope read_api; `glab auth login` renews"
                " glab's token.",
                words=words,
            )
        if status in _REFUSALS:
            return Refusal(status, words)
        raise DockpassError(
            "gitlab-refused",
            f"{self._host} refused the request: {status} {words}.",
            "Ask the server's administrator.",
        )

    def _json(self, response: Response) -> Any:
        try:
            return strict_json(response.body)
        except NotJson as error:
            said = clean(response.redact(in_short(response.body, 100)), 200)
            what = said if is_page(response.body) else f"unusable JSON: {error}"
            raise DockpassError(
                "gitlab-unreadable",
                f"{self._host} answered {response.status} with {what}; GitLab's API never does.",
                "Something else may be answering there: a sign-in page, a proxy, another web server."
                f"{self._folder_hint()}",
            ) from error

    def _folder_hint(self) -> str:
        """Say how a GitLab below a folder is named: the path of its project begins with that folder."""
        folder, _, rest = clean(self.place.project, 80).partition("/")
        if urlsplit(self.place.url).path or "/" not in rest:
            return ""
        return f" If GitLab is below /{folder} there, set CI_SERVER_URL={self.place.url}/{folder}."

    def _busy(self, response: Response) -> DockpassError:
        asked = asked_to_wait(response.headers)
        wait = f" It asks to wait {about(asked)}." if asked is not None else ""
        return DockpassError(
            "gitlab-busy",
            f"{self._host} got too many requests (429).{wait}",
            "Try again later. What was imported before is still there.",
        )

    def rejected(self, why: str) -> DockpassError:
        """Return the error for a response that is not used."""
        return DockpassError(
            "gitlab-answer-refused",
            f"Response from {self._host} rejected: {why}.",
            "Another server may be answering there. If it is GitLab, its external_url may be wrong.",
        )

    @property
    def _host(self) -> str:
        return clean(self.place.host, 200)


def _words(found: Any, response: Response) -> str:
    """Return GitLab's words: `message`, or OAuth's `error` with its description."""
    said: list[str] = []
    if isinstance(found, dict):
        if found.get("error") == "insufficient_scope":
            return "the token lacks the scope read_api"
        said = [
            found[name]
            for name in ("message", "error_description", "error")
            if isinstance(found.get(name), str)
        ]
    words = said[0] if said else response.reason
    return clean(response.redact(words), 200).rstrip(".")


def _as_gitlabs(error: DockpassError) -> DockpassError:
    """Say of a GitLab server what the transport says of a registry."""
    hints = {
        "answer-refused": "Something other than GitLab may be answering there.",
        "registry-unreadable": "Check host and port: is it a GitLab server?",
        "not-tls": "A token is only sent over https. Check host and port.",
    }
    message = error.message.replace("did not answer as a registry", "did not answer as a GitLab server")
    return type(error)(error.id, message, hints.get(error.id, error.hint)) if error.id in hints else error
