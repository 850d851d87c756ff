"""The real tools as judges of the readers: each is made to show what it would send, to servers of the test's own."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
import subprocess
import threading
import warnings
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace
from typing import Any
from unittest import mock
from urllib.parse import parse_qs

from fakeengine import Answer, FakeEngine

from dockpass.dockerconfig.readers.model import (
    Candidate,
    Reader,
    Reading,
    SecretKind,
    Verdict,
    fingerprint_of,
)
from dockpass.dockerconfig.readers.reasons import Reason
from dockpass.secrets import Secret

Outcome = tuple[str, ...]
"""`("login", kind, user, fingerprint)`, `("anonymous",)` or `("fails",)`."""

ANONYMOUS: Outcome = ("anonymous",)
FAILS: Outcome = ("fails",)

_IMAGE_5_24 = {"skopeo": (1, 11), "podman": (4, 4), "buildah": (1, 29)}
"""The first versions with containers/image 5.24, which reads no other file after the named one."""


def login(kind: SecretKind, user: str, secret: str) -> Outcome:
    """What is sent; a token speaks for itself, whoever's name is beside it."""
    return ("login", str(kind), user if kind is SecretKind.PASSWORD else "", fingerprint_of(Secret(secret)))


def allowed(reading: Reading) -> set[Outcome]:
    """What may happen by a reading."""
    match reading.verdict:
        case Verdict.ANONYMOUS:
            return {ANONYMOUS}
        case Verdict.FAILS:
            return {FAILS}
        case Verdict.UNDECIDED:
            return set()
    stops = reading.reader in {Reader.PODMAN, Reader.SKOPEO}
    return {_of(found, stops=stops) for found in reading.candidates if found.accepted}


def _of(found: Candidate, *, stops: bool) -> Outcome:
    if found.secret_kind is SecretKind.NONE:
        return FAILS if stops and found.reason is Reason.BROKEN_ENTRY else ANONYMOUS
    user = found.user if found.secret_kind is SecretKind.PASSWORD else ""
    return ("login", str(found.secret_kind), user, found.fingerprint)


def sent_by(header: Mapping[str, Any]) -> Outcome:
    """What an engine makes of the object in X-Registry-Auth; names of fields come in any case."""
    fields = {name.lower(): str(value or "") for name, value in header.items()}
    if fields.get("registrytoken"):
        return login(SecretKind.REGISTRY_TOKEN, "", fields["registrytoken"])
    if fields.get("identitytoken"):
        return login(SecretKind.IDENTITY_TOKEN, "", fields["identitytoken"])
    user, password = fields.get("username", ""), fields.get("password", "")
    return login(SecretKind.PASSWORD, user, password) if user or password else ANONYMOUS


class DockerCli:
    """A docker command line, and an engine that notes what a pull brings along."""

    def __init__(self, program: str) -> None:
        self.program = program
        said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
        found = re.search(r"(\d+)\.(\d+)", said)
        assert found, said
        self.version = (int(found[1]), int(found[2]))
        self.engine = FakeEngine()
        self.engine.on("GET /_ping", Answer(body="OK", headers={"Api-Version": "1.44", "OSType": "linux"}))
        self.engine.on("POST /images/create", Answer(500, {"message": "not here"}))

    def sends(self, image: str, environ: Mapping[str, str]) -> Outcome:
        """What `docker pull` of an image brings along."""
        self.engine.asked.clear()
        subprocess.run(
            [self.program, "pull", image],
            env={**environ, "DOCKER_HOST": self.engine.url},
            capture_output=True,
            stdin=subprocess.DEVNULL,
            timeout=30,
        )
        pulls = [asked for asked in self.engine.asked if asked.path == "/images/create"]
        return sent_by(pulls[0].decoded("X-Registry-Auth")) if pulls else FAILS

    def stop(self) -> None:
        """End the engine."""
        self.engine.stop()


def sdk_sends(image: str, environ: Mapping[str, str]) -> Outcome:
    """What the docker SDK of this process would send for an image, its constructor included."""
    from docker import auth

    with mock.patch.dict(os.environ, environ, clear=True), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            client = SimpleNamespace(_auth_configs=auth.load_config(), credstore_env=None)
            registry, _ = auth.resolve_repository_name(image)
            header = auth.get_config_header(client, registry)
        except Exception:  # noqa: BLE001 - whatever it raises, the SDK stops there
            return FAILS
    return ANONYMOUS if header is None else sent_by(json.loads(base64.urlsafe_b64decode(header)))


class Puller:
    """skopeo, podman or buildah, and a registry with tokens that notes who asks for one."""

    def __init__(self, program: str) -> None:
        self.program = program
        self.name = Path(program).name.split("-")[0]
        said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True).stdout
        found = re.search(r"(\d+)\.(\d+)", said)
        assert found, said
        self.version = (int(found[1]), int(found[2]))
        self.storage = TemporaryDirectory()  # podman takes no path of more than 50 characters
        self.server = _Registry()

    @property
    def host(self) -> str:
        """The registry's address."""
        return f"localhost:{self.server.server_port}"

    @property
    def goes_on(self) -> bool:
        """Whether it has containers/image before 5.24."""
        return self.version < _IMAGE_5_24[self.name]

    def sends(self, image: str, environ: Mapping[str, str]) -> Outcome:
        """As whom it asks for a token for an image, which is not there."""
        self.server.seen.clear()
        done = subprocess.run(
            [self.program, *self._arguments(), "--tls-verify=false", f"docker://{image}"],
            env=dict(environ),
            capture_output=True,
            text=True,
            errors="replace",
            stdin=subprocess.DEVNULL,
            timeout=30,
        )
        assert done.returncode, "there is no image"
        if self.server.seen:
            return self.server.seen[-1]
        # Whatever stops it before it asks has to be about credentials.
        assert re.search(r"password|credential|auth|config|named\.json", done.stderr, re.IGNORECASE), (
            done.stderr
        )
        return FAILS

    def _arguments(self) -> list[str]:
        if self.name == "skopeo":
            return ["inspect"]
        root, run = f"{self.storage.name}/root", f"{self.storage.name}/run"
        return ["--root", root, "--runroot", run, "--storage-driver", "vfs", "pull"]

    def stop(self) -> None:
        """End the registry, and remove what was kept."""
        self.server.shutdown()
        self.server.server_close()
        self.storage.cleanup()


class _Registry(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        self.seen: list[Outcome] = []
        super().__init__(("127.0.0.1", 0), _Handler)
        threading.Thread(target=self.serve_forever, args=(0.02,), daemon=True).start()


class _Handler(BaseHTTPRequestHandler):
    disable_nagle_algorithm = True  # head and body of an answer are two packets
    server: _Registry
    protocol_version = "HTTP/1.1"

    def handle(self) -> None:
        with contextlib.suppress(OSError):
            super().handle()

    def do_GET(self) -> None:
        if self.path.startswith("/token"):
            self.server.seen.append(_basic(self.headers.get("Authorization", "")))
            self._say(200, {"token": "t", "expires_in": 300})
        elif self.headers.get("Authorization"):
            self._say(404, {"errors": [{"code": "MANIFEST_UNKNOWN", "message": "unknown"}]})
        else:
            realm = f'Bearer realm="http://localhost:{self.server.server_port}/token",service="s"'
            self._say(401, {"errors": [{"code": "UNAUTHORIZED", "message": "log in"}]}, realm)

    def do_POST(self) -> None:
        form = parse_qs(self._body().decode())
        self.server.seen.append(login(SecretKind.IDENTITY_TOKEN, "", form["refresh_token"][0]))
        self._say(200, {"access_token": "t", "expires_in": 300})

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        body = b""
        while size := int(self.rfile.readline(), 16):
            body += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return body

    def _say(self, status: int, body: object, challenge: str = "") -> None:
        raw = json.dumps(body).encode()
        self.send_response(status)
        if challenge:
            self.send_header("WWW-Authenticate", challenge)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(raw)))
        self.end_headers()
        self.wfile.write(raw)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass


def _basic(header: str) -> Outcome:
    if not header.startswith("Basic "):
        return ANONYMOUS
    text = base64.b64decode(header[6:]).decode("utf-8", "surrogateescape")
    user, _, password = re.sub("[\ud800-\udfff]", "\N{REPLACEMENT CHARACTER}", text).partition(":")
    return login(SecretKind.PASSWORD, user, password)
