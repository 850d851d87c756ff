"""What form an answer has, which tells a registry from whatever else stands at an address.

A captive portal, a web application or a wrong port answers 200 to everything. What counts is what only a
registry says: the version header, the specification's errors, a list of this repository's tags.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from dockpass.references.reference import is_tag
from dockpass.registry.strictjson import NotJson, strict_json
from dockpass.text import clean, one_line

LARGEST_FIRST_ANSWER = 1 << 20
"""In bytes, of /v2/: enough for the pages of web applications, which are to be told as pages."""

VERSION_HEADER = "Docker-Distribution-Api-Version"

_VERSION = "registry/2.0"
_BEFORE_MARKUP = b"\xef\xbb\xbf\xff\xfe\x00 \t\r\n"
_TITLE = re.compile(rb"<(title|h1)[^>]{0,200}>(.{1,400}?)</\1", re.IGNORECASE | re.DOTALL)
_TAG = re.compile(r"<[^>]*>")
_LOOKED_AT = 16 << 10


class Form(StrEnum):
    """What a body is."""

    ERRORS = "errors"  # the specification's errors, with a code
    OBJECT = "object"  # another JSON object
    PAGE = "page"  # HTML or XML
    TEXT = "text"  # anything else, other JSON too
    EMPTY = "empty"


def form_of(body: bytes) -> Form:
    """Return the form of a body; its Content-Type says nothing, for real registries send wrong ones."""
    if not body.strip():
        return Form.EMPTY
    if is_page(body):
        return Form.PAGE
    found = _object(body)
    if found is None:
        return Form.TEXT
    return Form.ERRORS if _has_code(found.get("errors")) else Form.OBJECT


def is_page(body: bytes) -> bool:
    """Tell whether a body is HTML or XML, in whatever encoding it comes."""
    return body[:_LOOKED_AT].lstrip(_BEFORE_MARKUP)[:1] == b"<"


def in_short(body: bytes, most: int = 200) -> str:
    """Return what a body without the specification's form says: of a page its title, else its beginning."""
    if not is_page(body):
        return clean(one_line(body.decode("utf-8", "replace")), most)
    found = _TITLE.search(body[:_LOOKED_AT])
    title = html.unescape(_TAG.sub(" ", found[2].decode("utf-8", "replace"))) if found else ""
    title = clean(" ".join(title.split()), most)
    return f"a web page ({title})" if title else "a web page"


def shows_registry(headers: Mapping[str, str], body: bytes) -> bool | None:
    """Tell whether only a registry answers so; False for a web page, None where anything may.

    `{}`, `true` and nothing at all are what registries answer to /v2/, and others too.
    """
    form = form_of(body)
    if form is Form.PAGE:
        return False
    if form is Form.ERRORS or _VERSION in headers.get(VERSION_HEADER, "").lower():
        return True
    return None


def why_no_tag_list(body: bytes, path: str, headers: Mapping[str, str]) -> str:
    """Return why a body is no list of the tags of `path`; empty where it is one.

    A registry that is mounted under a prefix leaves that out of the name, or puts it in. One that names
    nothing has to show itself by the version header.
    """
    found = _object(body)
    if found is None:
        return in_short(body, 80) or "an empty body"
    tags, name = found.get("tags"), found.get("name")
    is_list = isinstance(tags, list) and all(isinstance(tag, str) and is_tag(tag) for tag in tags)
    if "tags" not in found or not (tags is None or is_list):
        return "JSON that is not a tag list"
    if name is None and _VERSION in headers.get(VERSION_HEADER, "").lower():
        return ""
    if not isinstance(name, str) or not name:
        return "JSON that names no repository"
    if not is_named(name, path):
        return f"the tags of another repository, {clean(name, 80)}"
    return ""


def is_named(name: object, path: str) -> bool:
    """Tell whether a list of tags that is called so may be that of `path`, apart from a prefix."""
    if not isinstance(name, str) or not name:
        return False
    return name == path or path.endswith(f"/{name}") or name.endswith(f"/{path}")


def _object(body: bytes) -> dict[str, Any] | None:
    try:
        found = strict_json(body)
    except NotJson:
        return None
    return found if isinstance(found, dict) else None


def _has_code(errors: object) -> bool:
    first = errors[0] if isinstance(errors, list) and errors else None
    return isinstance(first, dict) and isinstance(first.get("code"), str) and bool(first["code"])
