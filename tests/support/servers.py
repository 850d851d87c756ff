"""Starts real servers on loopback for tests: docker-registry, a token server, and a Docker Engine."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

import bcrypt
import guard
from tokenserver import TokenServer

USER, PASSWORD = "myuser", "canary-password-4711"
CLEANUP_PASSWORD = "canary-cleanup-4711"
JOB_TOKEN = "canary-job-token-4711"


class Missing(Exception):
    """A program that the tests need is not on this machine."""


@dataclass(frozen=True)
class Registry:
    """A running registry; `host` is `127.0.0.1:PORT`."""

    host: str
    directory: Path
    tokens: TokenServer | None = None

    @property
    def url(self) -> str:
        return f"http://{self.host}"


def program(name: str) -> str:
    """Find a program, or raise `Missing`."""
    found = shutil.which(name, path=os.environ.get("PATH", "") + ":/usr/sbin:/sbin")
    if found is None:
        raise Missing(f"{name} is not installed")
    return found


def free_port() -> int:
    """Return a port of 127.0.0.1 that is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(ready: Callable[[], bool], seconds: float, what: str) -> None:
    """Poll until `ready`; fails loudly after `seconds`."""
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} did not come within {seconds} s")
        time.sleep(0.02)


@contextmanager
def running(
    command: list[str], log: Path, environ: Mapping[str, str] | None = None, *, remove: Path | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server for the length of the block, and not longer than this process (`guard.start`)."""
    with log.open("wb") as output:
        child = guard.start(command, output, environ=environ, remove=remove)
        try:
            yield child
        finally:
            guard.stop(child)


@contextmanager
def registry(auth: str = "none", *, delete: bool = True, storage: Path | None = None) -> Iterator[Registry]:
    """Run docker-registry with `auth` none, htpasswd or token; its files lie in `storage`, or in memory."""
    binary = program("docker-registry")
    directory = Path(tempfile.mkdtemp(prefix="registry-test-"))
    port = free_port()
    tokens = TokenServer(directory) if auth == "token" else None
    try:
        if tokens:
            tokens.start()
        config = directory / "config.yml"
        config.write_text(_config(directory, port, auth, delete, tokens, storage))
        with running([binary, "serve", str(config)], directory / "log", remove=directory) as child:
            found = Registry(f"127.0.0.1:{port}", directory, tokens)
            wait_until(lambda: child.poll() is None and _answers(found.url), 15, "docker-registry")
            yield found
    finally:
        if tokens:
            tokens.stop()
        shutil.rmtree(directory, ignore_errors=True)


def _answers(url: str) -> bool:
    try:
        with urlopen(f"{url}/v2/", timeout=2):
            return True
    except OSError as error:
        return getattr(error, "code", None) == 401


def _config(
    directory: Path, port: int, auth: str, delete: bool, tokens: TokenServer | None, storage: Path | None
) -> str:
    # In memory for tests: its storage on disk truncates a link before it writes it again, and of pushes of one blob
    # at once some get a 500 or a 400. On disk for what is large: in memory each chunk copies what came before it.
    lines = [
        "version: 0.1",
        "log: {level: warn, accesslog: {disabled: true}}",
        "storage:",
        f"  filesystem: {{rootdirectory: {storage}}}" if storage else "  inmemory: {}",
        f"  delete: {{enabled: {str(delete).lower()}}}",
        "  cache: {blobdescriptor: inmemory}",
        "  maintenance: {uploadpurging: {enabled: false}}",
        f'http: {{addr: "127.0.0.1:{port}", secret: x}}',
    ]
    if auth == "htpasswd":
        hashed = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
        (directory / "htpasswd").write_text(f"{USER}:{hashed}\n")
        lines.append(f"auth: {{htpasswd: {{realm: test, path: {directory}/htpasswd}}}}")
    if tokens:
        lines.append(
            f'auth: {{token: {{realm: "{tokens.realm}", service: container_registry,'
            f" issuer: {tokens.issuer}, rootcertbundle: {tokens.certificate}}}}}"
        )
    return "\n".join(lines) + "\n"


@contextmanager
def engine(root: Path | None = None, *, with_containerd: bool = False) -> Iterator[str]:
    """Run a Docker Engine of the tests' own; yields its `unix://` address.

    `root` is where another release is unpacked; it runs with the machine's own runc.

    It has no bridge and no firewall rules, so that it disturbs nothing of the machine's. `with_containerd`
    has it keep its images in containerd's store.
    """
    binary = program("dockerd") if root is None else str(root / "usr/sbin/dockerd")
    environ = dict(os.environ)
    if root is not None:
        environ["PATH"] = f"{root}/usr/bin:{root}/usr/sbin:{environ['PATH']}:/usr/sbin"
    if os.geteuid() != 0:
        raise Missing("dockerd needs root")
    if Path("/sys/class/net/docker0").exists():
        # A second engine in the same network namespace would take the first one's bridge away.
        raise Missing("another Docker Engine runs on this machine, and is not disturbed")
    directory = Path(tempfile.mkdtemp(prefix="engine-test-"))
    address = f"unix://{directory}/docker.sock"
    try:
        settings = {"features": {"containerd-snapshotter": True}} if with_containerd else {}
        (directory / "daemon.json").write_text(json.dumps(settings))
        for driver in ("native",) if with_containerd else ("overlay2", "vfs"):
            command = [binary, "--data-root", f"{directory}/data", "--exec-root", f"{directory}/exec"]
            command += ["--pidfile", f"{directory}/pid", "-H", address, "--log-level=warn"]
            command += ["--config-file", f"{directory}/daemon.json"]
            command += [
                "--bridge=none",
                "--iptables=false",
                "--ip6tables=false",
                f"--storage-driver={driver}",
            ]
            with running(command, directory / "log", environ, remove=directory) as child:
                if _comes_up(child, directory / "docker.sock"):
                    yield address
                    return
        raise Missing(f"dockerd does not start: {(directory / 'log').read_text()[-400:]}")
    finally:
        guard.unmount_below(directory)
        shutil.rmtree(directory, ignore_errors=True)


def _comes_up(child: subprocess.Popen[bytes], path: Path) -> bool:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline and child.poll() is None:
        if path.exists():
            probe = subprocess.run(
                [program("docker"), "-H", f"unix://{path}", "version"], capture_output=True, timeout=20
            )
            if probe.returncode == 0:
                return True
        time.sleep(0.05)
    return False
