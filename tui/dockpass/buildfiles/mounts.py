"""The mounts of a RUN: where each takes its files from, and why BuildKit refuses one.

The rules are those of BuildKit's own reader of `--mount`, and were seen there: `mount-…` in the test cases.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from posixpath import join, normpath

from dockpass.buildfiles.lines import Instruction
from dockpass.text import clean

_TYPES = frozenset({"bind", "cache", "tmpfs", "secret", "ssh"})
_SHARING = frozenset({"shared", "private", "locked"})
_TARGETS = frozenset({"target", "dst", "destination"})
_SWITCHES = frozenset({"readonly", "ro", "readwrite", "rw"})
_ONLY_OF = {"required": ("secret", "ssh"), "size": ("tmpfs",)}
"""Fields that a type has only if it was named before them."""

_OWNERS = ("mode", "uid", "gid")
_OWNED = frozenset({"cache", "secret", "ssh"})
_KNOWN = frozenset({"type", "from", "source", "src", "id", "sharing", "env"}).union(
    _TARGETS, _SWITCHES, _ONLY_OF, _OWNERS
)
OF_BUILDAH = frozenset(
    {"z", "u", "relabel", "bind-propagation", "bind-nonrecursive", "consistency"}
    | {"tmpfs-size", "tmpfs-mode", "tmpcopyup", "notmpcopyup"}
    | {"dev", "nodev", "exec", "noexec", "suid", "nosuid"}
    | {"shared", "rshared", "private", "rprivate", "slave", "rslave"}
)
"""Fields that `podman build` and buildah have besides; BuildKit refuses them."""

_BOOLEAN = re.compile("1|t|T|TRUE|true|True|0|f|F|FALSE|false|False")
_OCTAL = re.compile("0*[0-7]{1,10}|0*[1-3][0-7]{10}")
_SIZE = re.compile(r"[0-9]+(?:\.[0-9]+)? ?(?:[kKmMgGtTpP]?[iI]?[bB]?)")
_LARGEST_ID = 2**32 - 1


def mounts(at: Instruction) -> list[tuple[str, str]]:
    """Return for each mount of a RUN the `from` of it, and why it cannot be read; both may be empty."""
    return [_source(value) for value in _values(at)]


def why_mount_refused(at: Instruction, directory: str | None) -> str:
    """Return why BuildKit refuses a mount when it comes to its RUN; values with variables are not judged.

    `directory` is the working directory there: empty where nothing in the file sets one, None if unknown.
    """
    return next(filter(None, (_Mount(value).why(directory) for value in _values(at))), "")


def _values(at: Instruction) -> Iterator[str]:
    for flag in at.flags if at.keyword == "RUN" else ():
        name, _, value = flag.partition("=")
        if name == "--mount":
            yield value


def _source(value: str) -> tuple[str, str]:
    try:
        fields = next(csv.reader([value], strict=True), [])
    except csv.Error:
        return "", "the fields of --mount are not separated by commas"
    if not value:
        return "", "--mount has no value"
    source = ""
    for each in fields:
        key, equals, found = each.partition("=")
        if key.lower() == "from" and equals:
            source = found
            if re.search(r"\$.", found):
                return "", "variables are not replaced in from= of --mount; name a stage"
    return source, ""


class _Mount:
    """One mount, read field by field: the last of two equal ones counts, but each has to be right."""

    def __init__(self, value: str) -> None:
        self._fields = next(csv.reader([value]), [])
        self._given: dict[str, str] = {}

    def why(self, directory: str | None) -> str:
        """Return why it is refused; empty where it is not."""
        for field in self._fields:
            key, equals, value = field.partition("=")
            key = key.lower()
            if key in OF_BUILDAH:
                continue  # which builder takes it is a matter of its abilities
            if why := self._why_key(field, key, has_value=bool(equals)):
                return why
            if equals and "$" not in value and (why := _why_value(key, value)):
                return why
            self._given[_name(key)] = value
        return self._why_whole() or self._why_target(directory)

    @property
    def _kind(self) -> str:
        """The type as far as it was read; empty where a variable has it."""
        kind = self._given.get("type", "bind").lower()
        return "" if "$" in kind else kind

    def _why_key(self, field: str, key: str, *, has_value: bool) -> str:
        if not has_value and key not in _SWITCHES and key != "required":
            return f"the field {clean(field, 40) or 'without a name'} of --mount needs a value"
        if key not in _KNOWN:
            return f"{clean(key, 40) or 'the empty text'} is no field of --mount"
        if self._kind and self._kind not in _ONLY_OF.get(key, (self._kind,)):
            types = " or ".join(_ONLY_OF[key])
            return f"only a mount of type {types} has {key}=, and type= stands before it"
        return ""

    def _why_whole(self) -> str:
        kind, given = self._kind, self._given
        if not kind:
            return ""
        owner = next((key for key in _OWNERS if key in given), "")
        if owner and kind not in _OWNED:
            return f"a mount of type {kind} has no {owner}="
        if given.get("sharing") and kind != "cache":
            return "only a mount of type cache has sharing="
        if kind != "secret":
            return ""
        if given.get("from"):
            return "a mount of type secret has no from="
        if given.get("id") and given.get("source"):
            return "a mount of type secret has id= or source=, not both"
        if not any(given.get(key) for key in ("id", "source", "target", "env")):
            return "a mount of type secret needs id= or target="
        return ""

    def _why_target(self, directory: str | None) -> str:
        target = self._given.get("target", "")
        if target == "/":
            return "nothing can be mounted on /"
        if self._kind not in {"bind", "cache", "tmpfs"} or target.startswith("/") or "$" in target:
            return ""
        if not target and directory in {"", "/"}:
            return f"a mount of type {self._kind} needs target=, because no WORKDIR is set"
        if directory and normpath(join(directory, target)).lstrip("/") == "":
            return "nothing can be mounted on /, to which target= leads"
        return ""


def _name(key: str) -> str:
    return "target" if key in _TARGETS else "source" if key == "src" else key


def _why_value(key: str, value: str) -> str:
    shown = clean(value, 40) or "the empty text"
    if key == "type" and value.lower() not in _TYPES:
        return f"{shown} is not a type of mount"
    if key == "sharing" and value.lower() not in _SHARING:
        return f"sharing= is shared, private or locked, not {shown}"
    if key in _SWITCHES or key == "required":
        return "" if _BOOLEAN.fullmatch(value) else f"{key}= is true or false, not {shown}"
    if key == "mode":
        return "" if _OCTAL.fullmatch(value) else f"mode= is an octal number such as 0755, not {shown}"
    if key in _OWNERS:
        return "" if _is_id(value) else f"{key}= is a number, not {shown}"
    if key == "size":
        return "" if _SIZE.fullmatch(value) else f"size= is a number of bytes such as 64m, not {shown}"
    return ""


def _is_id(value: str) -> bool:
    digits = value.lstrip("0") or value
    return value.isascii() and value.isdigit() and len(digits) <= 10 and int(digits) <= _LARGEST_ID
