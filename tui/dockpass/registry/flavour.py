"""The kinds of registry whose responses are known."""

from __future__ import annotations

import re
from enum import StrEnum
from urllib.parse import urlsplit

from dockpass.references.address import is_docker_hub, is_google


class Flavour(StrEnum):
    """A kind of registry; the value is its name for people."""

    GITLAB = "GitLab"
    HUB = "Docker Hub"
    GHCR = "GitHub's registry"
    GOOGLE = "Google's registry"
    ECR = "Amazon ECR"
    OTHER = "the token server"


def flavour_of(host: str, realm: str = "", service: str = "") -> Flavour:
    """Return the kind of registry, by its host and by what its challenge names."""
    name = host.partition(":")[0].lower()
    if is_docker_hub(host):
        return Flavour.HUB
    if service == "container_registry" and urlsplit(realm).path.endswith("/jwt/auth"):
        return Flavour.GITLAB
    if name == "ghcr.io":
        return Flavour.GHCR
    if is_google(host):
        return Flavour.GOOGLE
    if re.fullmatch(r"\d+\.dkr\.ecr\.[a-z0-9-]+\.amazonaws\.com(\.cn)?", name):
        return Flavour.ECR
    return Flavour.OTHER
