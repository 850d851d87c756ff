"""The pages of a repository's list of tags, followed to the end: a list is whole, or it is refused."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import NoReturn
from urllib.parse import urlsplit

from dockpass.references.reference import is_tag
from dockpass.registry.answer import Where, read_answer
from dockpass.registry.forms import is_named
from dockpass.registry.links import has_path, is_odd, leads_to, next_page
from dockpass.registry.strictjson import NotJson, strict_object
from dockpass.registry.transport import Response, resolve
from dockpass.text import clean

MOST_PAGES = 1000
MOST_TAGS = 200_000
PAGE = 1000

_ABSENT = frozenset({"MANIFEST_UNKNOWN", "NAME_UNKNOWN", "NOT_FOUND"})

GetPage = Callable[[str], Awaitable[Response]]
"""Asks for a page, given its path and query; raises for an answer that is neither 200 nor expected here."""


class NotWhole(ValueError):
    """A list that is not known to be whole, or holds what is no tag; the text says why."""


class Listing:
    """Follows the pages of one repository.

    Distribution names the next page in a `Link`. Some registries cut the list and name none: where a page
    ends at a number at which lists are cut, or has a `Link` that cannot be read, it is asked once more for
    what comes after its last tag.
    """

    def __init__(self, path: str, require_ok: Callable[[Response], None]) -> None:
        self._path = path
        self._name = ""
        self._own = f"/v2/{path}/tags/list"
        self._require_ok = require_ok
        self._found: set[str] = set()
        self._cuts = False

    async def read(self, get: GetPage) -> list[str]:
        """Return the tags, sorted; none for a repository that does not exist. Raises `NotWhole`."""
        target, seen, answered = f"{self._own}?n={PAGE}", set[str](), False
        while target:
            if len(seen) == MOST_PAGES:
                raise NotWhole("the tag list does not end")
            seen.add(target)
            response = await get(target)
            if not answered and response.status == 404 and _code(response) in _ABSENT:
                return []
            if not answered and response.status == 400 and "?" in target:
                target = self._own  # a registry that allows only smaller pages
                continue
            self._require_ok(response)
            if not has_path(response.url, self._own):
                self._refuse(response, "it redirects to", response.url)
            answered = True
            target = self._take(response)
            if target in seen:
                raise NotWhole("the tag list is incomplete: it repeats a page")
        return sorted(self._found)

    def _take(self, response: Response) -> str:
        """Add the tags of a page and return the next one; empty after the last."""
        tags = self._tags_in(response)
        new = self._found.union(tags)
        grown, self._found = len(new) > len(self._found), new
        if len(new) > MOST_TAGS:
            raise NotWhole(f"it has more than {MOST_TAGS:,} tags")
        link = response.headers.get("Link", "")
        if following := next_page(link):
            return self._next(response, following)
        after = "last=" in urlsplit(response.url).query
        if self._cuts and after and not grown:
            return ""
        self._cuts = self._cuts or is_odd(link) or may_be_cut(len(tags))
        return f"{self._own}?n={PAGE}&last={tags[-1]}" if self._cuts and grown else ""

    def _next(self, response: Response, following: str) -> str:
        """Return path and query of the next page, as the registry names it; it knows its own cursor."""
        target = leads_to(response.url, following, self._own)
        if target is None:
            self._refuse(response, "its next page is", resolve(response.url, following) or following)
        parts = urlsplit(target)
        return f"{parts.path}?{parts.query}" if parts.query else parts.path

    def _tags_in(self, response: Response) -> list[str]:
        """Return the tags of a page; each that names a repository has to name this one, in the same way.

        A registry that is mounted under a prefix leaves that out of the name, or puts it in.
        """
        name, tags = _read(response)
        if name and self._name and name != self._name:
            raise NotWhole(f"a later page is the tag list of {clean(response.redact(name), 80)}")
        if name and not is_named(name, self._path):
            raise NotWhole(f"it is the tag list of {clean(response.redact(name), 80)}")
        self._name = self._name or name
        return tags

    def _refuse(self, response: Response, what: str, address: str) -> NoReturn:
        shown = clean(response.redact(address), 200)
        raise NotWhole(f"{what} {shown}, which is not this repository's tag list")


def may_be_cut(count: int) -> bool:
    """Tell whether a page of so many tags looks cut: a full page, a round number or a power of two."""
    return count > 0 and (count % 10 == 0 or count % 25 == 0 or (count >= 16 and not count & (count - 1)))


def _read(response: Response) -> tuple[str, list[str]]:
    """Return the repository that a page names, if it names one, and its tags."""
    try:
        found = strict_object(response.body)
    except NotJson as error:
        raise NotWhole(str(error)) from None
    name, tags = found.get("name"), found.get("tags")
    named = name if isinstance(name, str) else ""
    if "tags" not in found:
        raise NotWhole("it is not a tag list; something other than a registry may have answered")
    if tags is None:
        return named, []
    if not isinstance(tags, list):
        raise NotWhole("its tags are not a list")
    if len(tags) > MOST_TAGS:
        raise NotWhole(f"it has more than {MOST_TAGS:,} tags")
    for tag in tags:
        if not isinstance(tag, str) or not is_tag(tag):
            raise NotWhole(f"{clean(response.redact(str(tag)), 80)} is not a valid tag")
    return named, tags


def _code(response: Response) -> str:
    return read_answer(Where.REGISTRY, response.status, response.body).code
