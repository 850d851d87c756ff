"""Whether two hosts belong to one owner, by the domain that somebody registered."""

from __future__ import annotations

import ipaddress
import re
from functools import lru_cache

from publicsuffixlist import PublicSuffixList

_TENANTS = re.compile(
    r"azurecr\.(io|cn|us)"
    r"|dkr\.ecr(-fips)?\.[a-z0-9-]+\.(amazonaws\.com(\.cn)?|on\.aws|on\.amazonwebservices\.com\.cn)"
    r"|gcr\.io"
    r"|pkg\.dev"
    r"|jfrog\.io"
    r"|tencentcloudcr\.com"
)
"""Domains of registries under which each label is a customer of its own; the public list has none of them."""


def same_site(one: str, other: str) -> bool:
    """Tell whether two hosts (without ports, in lower case) are equal or under one registered domain.

    The public suffix list tells where registered domains begin, `co.uk` and `github.io` included. Two
    addresses are one site only if they are equal, or both this machine's.
    """
    if one == other or (_is_this_machine(one) and _is_this_machine(other)):
        return True
    site = _site(one)
    return site is not None and site == _site(other)


def _site(host: str) -> str | None:
    """Return the registered domain of a host; None for an address, and for a host without one."""
    labels = host.removesuffix(".").split(".")
    if ":" in host or labels[-1].isdecimal() or not all(labels):
        return None
    for cut in range(1, len(labels)):
        if _TENANTS.fullmatch(".".join(labels[cut:])):
            return ".".join(labels[cut - 1 :])
    if _TENANTS.fullmatch(".".join(labels)):
        return None
    return _suffixes().privatesuffix(".".join(labels))


@lru_cache(maxsize=1)
def _suffixes() -> PublicSuffixList:
    """Return the list that the package ships; nothing is downloaded."""
    return PublicSuffixList()


def _is_this_machine(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
