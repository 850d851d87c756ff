"""Hosts whose own login goes along: their names, and what is known of them before a program runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dockpass.errors import UsageError
from dockpass.programs.also import Foreseen, also_hosts, foreseen
from dockpass.runs.services import Services


def test_each_host_is_there_once_and_docker_hub_has_one_name() -> None:
    given = ("Quay.io:443", "docker.io", "quay.io:443", "index.docker.io", "[::1]:5000")
    assert also_hosts(given) == ("quay.io:443", "docker.io", "[::1]:5000")
    for wrong in ("https://quay.io", "quay.io/team", "user@quay.io", "a,b", "--also"):
        with pytest.raises(UsageError, match="is not a host name"):
            also_hosts((wrong,))


@pytest.mark.parametrize("host", ["me:canary-pw@quay", "me:p@canary-pw@quay.io:443", ":canary-pw@quay/x"])
def test_a_password_before_a_host_is_not_repeated(host: str) -> None:
    with pytest.raises(UsageError, match="is not a host name") as caught:
        also_hosts((host,))
    assert "canary" not in caught.value.message


def test_what_the_config_has_is_told_and_no_helper_is_asked(tmp_path: Path) -> None:
    (tmp_path / ".docker").mkdir()
    config = {
        "auths": {"https://index.docker.io/v1/": {"auth": "bWU6Y2FuYXJ5LW93bg=="}, "empty.example": {}},
        "credHelpers": {"ghcr.io": "not-there"},
    }
    (tmp_path / ".docker" / "config.json").write_text(json.dumps(config))
    services = Services({}, tmp_path, tmp_path, tmp_path)
    found = foreseen("docker.io ghcr.io quay.io", services)
    said = dict(found.hosts)
    assert "of me" in said["docker.io"]
    assert "docker-credential-not-there is asked at the start" in said["ghcr.io"]
    assert "has no entry for it" in said["quay.io"]
    assert foreseen("", services) == Foreseen(others=("docker.io", "ghcr.io"))
    assert "is not a host name" in foreseen("quay.io,ghcr.io", services).problem
