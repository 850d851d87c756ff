"""Certificates are checked as docker checks them, on every Python."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
from hostile import Authority

from dockpass.registry.policy import Policy
from dockpass.registry.tls import Contexts

HOST = "registry.example:5000"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """A CA without key identifiers and key usage, which Python 3.13 refuses unless it is told otherwise."""
    return Authority(tmp_path)


def certificate_directory(tmp_path: Path, authority: Authority) -> Path:
    place = tmp_path / "certs.d"
    (place / HOST).mkdir(parents=True)
    (place / HOST / "ca.crt").write_bytes(authority.file.read_bytes())
    return place


def shakes_hands(context: ssl.SSLContext, server: ssl.SSLContext, name: str) -> bool:
    """Let client and server speak in memory; raises what the client finds wrong."""
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    client_side = context.wrap_bio(to_client, to_server, server_hostname=name)
    server_side = server.wrap_bio(to_server, to_client, server_side=True)
    done = set()
    for _ in range(10):
        for side in (client_side, server_side):
            try:
                side.do_handshake()
                done.add(side)
            except ssl.SSLWantReadError:
                continue
    return len(done) == 2


def test_no_context_is_stricter_than_docker(tmp_path: Path, authority: Authority) -> None:
    policies = [
        Policy(),
        Policy(ca_file=authority.file),
        Policy(certificate_directories=(certificate_directory(tmp_path, authority),)),
        Policy(skip_tls_verify=frozenset({HOST})),
    ]
    for policy in policies:
        context = Contexts(policy).of(f"https://{HOST}/v2/")
        assert isinstance(context, ssl.SSLContext)
        assert not context.verify_flags & ssl.VERIFY_X509_STRICT
        assert context.verify_flags & ssl.VERIFY_X509_PARTIAL_CHAIN


@pytest.mark.parametrize("way", ["--ca-file", "certs.d"])
def test_a_ca_that_docker_takes_is_taken(tmp_path: Path, authority: Authority, way: str) -> None:
    policy = Policy(ca_file=authority.file)
    if way == "certs.d":
        policy = Policy(certificate_directories=(certificate_directory(tmp_path, authority),))
    context = Contexts(policy).of(f"https://{HOST}/v2/")
    assert isinstance(context, ssl.SSLContext)
    assert shakes_hands(context, authority.context("registry.example"), "registry.example")


def test_what_is_wrong_with_a_certificate_is_still_wrong(tmp_path: Path, authority: Authority) -> None:
    context = Contexts(Policy(ca_file=authority.file)).of(f"https://{HOST}/v2/")
    stranger = Contexts(Policy()).of(f"https://{HOST}/v2/")
    assert isinstance(context, ssl.SSLContext)
    assert isinstance(stranger, ssl.SSLContext)
    for client, server in (
        (context, authority.context("other.example")),
        (context, authority.context("registry.example", days=-1)),
        (stranger, authority.context("registry.example")),
    ):
        with pytest.raises(ssl.SSLCertVerificationError):
            shakes_hands(client, server, "registry.example")
