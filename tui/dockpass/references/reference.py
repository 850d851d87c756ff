"""References to repositories and images, by the grammar of the distribution project.

A name is `[host[:port]/]component[/component…]`, with `:tag` and `@digest` behind it; the whole name
has at most 255 characters. Nothing that does not fit this grammar is ever sent anywhere.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

from dockpass.errors import UsageError
from dockpass.references.address import DOCKER_HUB_HOST, host_of_reference, is_docker_hub
from dockpass.references.grammar import COMPONENT, HOST_NAME, IMAGE_ID, LONGEST_NAME, TAG, split_host
from dockpass.secrets import MASK, without_value
from dockpass.text import clean

_HOST = re.compile(rf"(?:{HOST_NAME}|\[[0-9A-Fa-f:.]+\])(?::(\d{{1,5}}))?", re.ASCII)
_COMPONENT = re.compile(COMPONENT, re.ASCII)
_DIGEST = re.compile(r"sha256:[a-f0-9]{64}|sha512:[a-f0-9]{128}")
# A password may hold `@` and `/` too. Digits and a slash behind the colon are a port.
_PASSWORD = re.compile(r"^([A-Za-z][A-Za-z0-9+.-]*://)?[^/@:\[]*:(?!//|\d+/).*@(?!sha\d)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Repository:
    """A repository: `host[:port]` in lower case and the path in it."""

    host: str
    path: str

    def __str__(self) -> str:
        return f"{self.host}/{self.path}"

    @property
    def familiar(self) -> str:
        """The short form that docker shows: no host and no `library/` for Docker Hub."""
        official = self.path.removeprefix("library/")
        short = self.path if "/" in official else official
        stays = self.host == DOCKER_HUB_HOST and host_of_reference(short) == DOCKER_HUB_HOST
        return short if stays else str(self)


@dataclass(frozen=True, slots=True)
class Reference:
    """An image: a repository with a tag, a digest, both, or neither."""

    host: str
    path: str
    tag: str | None = None
    digest: str | None = None

    @property
    def repository(self) -> Repository:
        """The repository of the image."""
        return Repository(self.host, self.path)

    def __str__(self) -> str:
        return str(self.repository) + self._suffix

    @property
    def familiar(self) -> str:
        """The short form that docker shows."""
        return self.repository.familiar + self._suffix

    @property
    def with_tag(self) -> Reference:
        """The reference itself, with the tag `latest` if it has neither tag nor digest."""
        return self if self.tag or self.digest else replace(self, tag="latest")

    @property
    def _suffix(self) -> str:
        return (f":{self.tag}" if self.tag else "") + (f"@{self.digest}" if self.digest else "")


def parse_reference(text: str) -> Reference:
    """Parse an image reference; raises `UsageError` that names the part at fault."""
    if "://" in text:
        raise _invalid(text, "it is an address with a scheme", "Leave out everything up to `://`.")
    if _PASSWORD.search(text):
        raise _invalid(text, "it holds a user name with a password", "Give the credentials as options.")
    name, at, digest = text.partition("@")
    if at and not _DIGEST.fullmatch(digest):
        why = f"the digest {quoted(digest)} is not sha256: and 64 hexadecimal digits"
        raise _invalid(text, why, "Copy the whole digest, or give a tag instead.")
    head, slash, last = name.rpartition("/")
    if last.endswith("]") or "]:" in last:
        raise _invalid(text, f"the host {quoted(last)} has no path behind it")
    last, colon, tag = last.partition(":")
    if colon and (why := wrong_tag(tag)):
        raise _invalid(text, f"the tag {quoted(tag)} {why}", "Give a tag such as 1.2.0, or leave it out.")
    host, path = _host_and_path(text, head + slash + last)
    return Reference(host, path, tag or None, digest or None)


def parse_repository(text: str) -> Repository:
    """Parse a repository, which has neither tag nor digest; raises `UsageError`."""
    reference = parse_reference(text)
    if not reference.tag and not reference.digest:
        return reference.repository
    if "/" not in text and (reference.tag or "").isdigit() and "." in reference.path:
        raise _invalid(text, "this is a host with a port, and the path of the repository is missing")
    part = f"the tag {reference.tag}" if reference.tag else "a digest"
    raise _invalid(
        text, f"a repository is expected, but it has {part}", f"Give {reference.repository.familiar}."
    )


def is_tag(text: str) -> bool:
    """Tell whether `text` is a valid tag."""
    return bool(TAG.fullmatch(text))


def is_host(text: str) -> bool:
    """Tell whether `text` is a host name or an address, with an optional port."""
    found = _HOST.fullmatch(text)
    return found is not None and (found[1] is None or 0 < int(found[1]) < 65536)


def is_digest(text: str) -> bool:
    """Tell whether `text` is a sha256 or sha512 digest."""
    return bool(_DIGEST.fullmatch(text))


def is_repository_path(text: str) -> bool:
    """Tell whether `text` is a valid name of a repository within its registry."""
    return len(text) <= LONGEST_NAME and all(map(_COMPONENT.fullmatch, text.split("/")))


def _host_and_path(text: str, name: str) -> tuple[str, str]:
    if not name:
        raise _invalid(text, "it is empty")
    if len(name) > LONGEST_NAME:
        raise _invalid(text, f"it has {len(name)} characters, and {LONGEST_NAME} are allowed")
    named, path = split_host(name)
    if named:
        _check_host(text, named)
    host = host_of_reference(name)
    if is_docker_hub(host) and "/" not in path:
        _check_component(text, path)
        path = f"library/{path}"
    for component in path.split("/"):
        _check_component(text, component)
    if not named and IMAGE_ID.fullmatch(name):
        raise _invalid(text, "64 hexadecimal digits are an image id, not a name")
    return (host if named else DOCKER_HUB_HOST), path


def _check_host(text: str, host: str) -> None:
    found = _HOST.fullmatch(host)
    if not found:
        raise _invalid(text, f"the host {quoted(host)} is not a host name with an optional port")
    if found[1] and not 0 < int(found[1]) < 65536:
        raise _invalid(text, f"the port {found[1]} is not between 1 and 65535")
    if host != host.lower() and not ("." in host or ":" in host):
        raise _invalid(text, f"the part {quoted(host)} has upper-case letters", "Use lower case.")


def _check_component(text: str, component: str) -> None:
    if _COMPONENT.fullmatch(component):
        return
    if not component:
        raise _invalid(text, "a part between two slashes is empty")
    hint = ""
    if component.startswith(("-", ".", "_")) or component.endswith(("-", ".", "_")):
        why = "begins or ends with a separator"
    elif _COMPONENT.fullmatch(component.lower()):
        why, hint = "has upper-case letters", "Use lower case."
    else:
        why = "may hold only lower-case letters, digits and single separators (. _ __ -)"
    raise _invalid(text, f"the part {quoted(component)} {why}", hint)


def wrong_tag(tag: str) -> str:
    """Return what is wrong with a tag, such as `is empty`; empty for a valid one."""
    if TAG.fullmatch(tag):
        return ""
    if not tag:
        return "is empty"
    if len(tag) > 128:
        return f"has {len(tag)} characters, and 128 are allowed"
    if tag[0] in ".-":
        return f"begins with “{tag[0]}”"
    return "may hold only letters, digits, _, . and -"


def _invalid(text: str, why: str, hint: str = "") -> UsageError:
    return UsageError(
        "reference-invalid",
        f"{quoted(text)} is not a valid reference: {why}.",
        hint or "It should look like registry.myhost.com/group/project.",
    )


def quoted(text: str) -> str:
    """Return what was given for a reference, a tag or a host in quotes, inert and without a password."""
    masked = _PASSWORD.sub(rf"\g<1>{MASK}@", text)
    return f"“{clean(without_value(masked), 80)}”"
