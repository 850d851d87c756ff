"""Keys of `auths` and `credHelpers`: which host a key stands for, by docker's rule."""

from __future__ import annotations

import re

from dockpass.references.address import normalise_host
from dockpass.secrets import MASK, mask_userinfo
from dockpass.text import clean

# A word, where in it a host follows, and where a user name with a colon begins, which is no host with a port.
_WORD = re.compile(r"[^\s“”]+")
_BEFORE_HOST = re.compile(r"@(?!sha(?:256|512):)(?=[A-Za-z0-9\[])")
_USER = re.compile(r"(?<![^(])[^/@:(\[]*:(?!//|\d+/)")
_PORT = re.compile(r":\d*\Z", re.ASCII)


def host_of_key(key: str) -> str:
    """Return `host[:port]` of a key, its case kept (docker/cli, `ConvertToHostname`).

    With a scheme it is that of the URL; without one the text before the first slash.
    """
    _, scheme, rest = key.partition("://")
    if not scheme:
        return key.partition("/")[0]
    host = re.split(r"[/?#]", rest, maxsplit=1)[0].rpartition("@")[2].removesuffix(":")
    if host.startswith("[") and host.endswith("]"):  # Go leaves the brackets out where no port follows
        return host[1:-1]
    return host or key.partition("/")[0]


def shown_key(key: str, limit: int = 200) -> str:
    """Return a key, or words about one, inert and without a user name and password in it."""
    return clean(without_userinfo(key), limit)


def without_userinfo(text: str) -> str:
    """Mask `user:password@` before a host in a text about keys, with a scheme and without one.

    The password may hold `@` and `/` too.
    """
    return _WORD.sub(_without_login, mask_userinfo(text)) if "@" in text else text


def _without_login(found: re.Match[str]) -> str:
    word, ends = found[0], [each.start() for each in _BEFORE_HOST.finditer(found[0])]
    user = _USER.search(word, 0, ends[-1]) if ends else None
    return word[: user.start()] + MASK + word[ends[-1] :] if user else word


def looks_like(one: str, other: str) -> bool:
    """Tell whether a person could take two keys for the same registry, though docker does not."""
    return _essence(one) == _essence(other)


def _essence(key: str) -> str:
    host = normalise_host(host_of_key(key))
    return _PORT.sub("", host) if host.endswith((":443", ":80")) else host
