"""What the version of docker's command line in a job makes of `DOCKER_AUTH_CONFIG`. Pure."""

from __future__ import annotations

from dockpass.auth.facts import Facts
from dockpass.findings import Finding, Severity

NAME = "DOCKER_AUTH_CONFIG"
_READ_SINCE = (28, 3)


def docker_note(version: str, facts: Facts) -> Finding | None:
    """Tell whether that docker reads the variable; None without the variable, or without a version."""
    if not version or not facts.is_set(NAME):
        return None
    numbers = tuple(int(each) for each in version.split("."))
    if numbers >= _READ_SINCE:
        return Finding(
            "docker-reads-variable",
            NAME,
            f"wins over the config of docker {version}: a login to a host that it names is ignored",
            hint="dockpass leaves it out of its own runs; in a script, unset it before docker login.",
        )
    return Finding(
        "docker-reads-variable",
        NAME,
        f"is not read by docker {version}, only by GitLab Runner for the job's images",
        severity=Severity.NOTE,
    )
