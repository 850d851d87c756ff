"""What a CI calls its registry, its token and its images: one row for each CI, and today one CI."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Ci:
    """The names of the variables that a job has, and the user that its token logs in as.

    `registry_user` and `registry_password` are the job's own login once more, which nothing here reads.
    """

    name: str
    registry: str
    image: str
    token: str
    user: str
    registry_user: str
    registry_password: str
    servers: tuple[str, ...]


GITLAB = Ci(
    name="GitLab",
    registry="CI_REGISTRY",
    image="CI_REGISTRY_IMAGE",
    token="CI_JOB_TOKEN",  # noqa: S106 - a variable's name
    user="gitlab-ci-token",
    registry_user="CI_REGISTRY_USER",
    registry_password="CI_REGISTRY_PASSWORD",  # noqa: S106 - a variable's name
    servers=("CI_SERVER_HOST", "CI_SERVER_URL"),
)
