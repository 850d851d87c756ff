"""The engine over the Docker SDK: Docker itself, and podman's service, which speaks the same."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import docker.errors
import requests
import urllib3.exceptions
from docker.auth import encode_header

from dockpass.auth.credential import Credential
from dockpass.auth.reference import parse_reference
from dockpass.engines.base import BuildRequest, EngineInfo, Sink
from dockpass.engines.client import CONNECT_SECONDS, RunClient
from dockpass.engines.context import open_context
from dockpass.engines.endpoint import Endpoint
from dockpass.engines.failures import classify, failed, login_failed
from dockpass.engines.stream import Reporter, StreamError, objects
from dockpass.errors import Cancelled, DockpassError
from dockpass.text import clean

_FAULTS = (
    docker.errors.DockerException,
    requests.exceptions.RequestException,
    urllib3.exceptions.HTTPError,
    StreamError,
    OSError,
    ValueError,
    AttributeError,  # http.client on a socket that was shut down in another thread
)


def open_engine(endpoint: Endpoint) -> DockerEngine:
    """Connect; raises `DockpassError` that names the endpoint and how to start an engine."""
    if endpoint.url.partition("://")[0] not in {"unix", "tcp", "http", "https"}:
        raise DockpassError(
            "endpoint-unsupported",
            f"{endpoint.how} names {clean(endpoint.url)}, and dockpass speaks to unix:// and tcp:// only.",
            "Forward the engine's socket, for example with `ssh -L`, and set DOCKER_HOST to it.",
        )
    try:
        return DockerEngine(RunClient(endpoint), endpoint)
    except _FAULTS as error:
        raise _not_reached(endpoint, error) from error


class DockerEngine:
    """One connection for one run."""

    def __init__(self, client: RunClient, endpoint: Endpoint) -> None:
        self._client = client
        self._endpoint = endpoint
        self._was_cut = threading.Event()

    def info(self) -> EngineInfo:
        """Return which engine answered."""
        server = self._client.server
        components = server.get("Components")
        names = [part.get("Name", "") for part in components] if isinstance(components, list) else []
        name = "Podman" if any("podman" in str(part).lower() for part in names) else "Docker"
        version = clean(str(server.get("Version", "")), 40)
        return EngineInfo(name, version, clean(self._endpoint.url), self._endpoint.how)

    def login(self, key: str, credential: Credential) -> str:
        """Ask the registry through the engine, whatever is stored anywhere; return its words."""
        data = _auth(credential) | {"serveraddress": key}
        try:
            response = self._client._post_json(self._client._url("/auth"), data=data, timeout=60)
            self._client._raise_for_status(response)
            answer = response.json() if response.content else {}
        except _FAULTS as error:
            if self._was_cut.is_set():
                raise Cancelled from None
            raise login_failed(key, credential.username, _words(error)) from error
        return clean(str(answer.get("Status") or "Login Succeeded"))

    def image_id(self, reference: str) -> str | None:
        """Return the id of a local image, or None."""
        with self._work(f"look-up of {reference}"):
            try:
                return str(self._client.inspect_image(reference)["Id"])
            except docker.errors.ImageNotFound:
                return None

    def tag(self, image: str, reference: str) -> None:
        """Give a local image another name."""
        parsed = parse_reference(reference)
        with self._work(f"tagging of {reference}"):
            self._client.tag(image, str(parsed.repository), parsed.tag, force=True)

    def untag(self, reference: str) -> bool:
        """Remove a local name, unless it is the last one: docker would delete the image with it."""
        with self._work(f"removal of the name {reference}"):
            tags = set(self._client.inspect_image(reference).get("RepoTags") or ())
            parsed = parse_reference(reference)
            if not tags - {str(parsed), parsed.familiar}:
                return False
            self._client.remove_image(reference, noprune=True)
            return True

    def pull(self, reference: str, credential: Credential | None, sink: Sink) -> str:
        """Pull one reference; return its digest."""
        parsed = parse_reference(reference)
        with self._work(f"pull of {reference}"):
            response = self._client._post(
                self._client._url("/images/create"),
                params={
                    "fromImage": str(parsed.repository),
                    "tag": parsed.digest or parsed.tag or "latest",
                },
                headers=_auth_header(credential),
                stream=True,
                timeout=(CONNECT_SECONDS, None),
            )
            return self._digest(reference, self._report(response, sink))

    def push(self, reference: str, credential: Credential | None, sink: Sink) -> str:
        """Push one reference; return its digest."""
        parsed = parse_reference(reference)
        with self._work(f"push of {reference}"):
            response = self._client._post(
                self._client._url("/images/{0}/push", str(parsed.repository)),
                params={"tag": parsed.tag or "latest"},
                headers=_auth_header(credential),
                stream=True,
                timeout=(CONNECT_SECONDS, None),
            )
            return self._digest(reference, self._report(response, sink))

    def build(self, request: BuildRequest, credentials: Mapping[str, Credential], sink: Sink) -> str:
        """Build with the classic builder; return the image's id."""
        with self._work(f"build of {request.dockerfile}"):
            context = open_context(request.context, request.dockerfile)
            sink.log(f"sending {len(context.names):,} files of {context.root}")
            response = self._client._post(
                self._client._url("/build"),
                data=context.chunks(sink.check),
                params=_build_parameters(request, context.dockerfile),
                headers={"Content-Type": "application/tar"} | _registry_config(credentials),
                stream=True,
                timeout=(CONNECT_SECONDS, None),
            )
            reporter = self._report(response, sink)
            if not reporter.image_id:
                raise StreamError("the engine named no image at the end of the build")
            return reporter.image_id

    def cut(self) -> None:
        """End whatever blocks, from another thread."""
        self._was_cut.set()
        self._client.cut()

    def close(self) -> None:
        """Release the connection."""
        self._client.close()

    def _report(self, response: requests.Response, sink: Sink) -> Reporter:
        self._client._raise_for_status(response)
        reporter = Reporter(sink)
        for event in objects(response.raw.stream(64 << 10, decode_content=True)):
            reporter.take(event)
        reporter.finish()
        sink.check()
        return reporter

    def _digest(self, reference: str, reporter: Reporter) -> str:
        if reporter.digest:
            return reporter.digest
        repository = parse_reference(reference).repository
        names = {str(repository), repository.familiar}
        for known in self._client.inspect_image(reference).get("RepoDigests") or ():
            name, _, digest = str(known).partition("@")
            if name in names:
                return digest
        return ""

    @contextmanager
    def _work(self, what: str) -> Iterator[None]:
        try:
            yield
        except DockpassError:
            raise
        except _FAULTS as error:
            if self._was_cut.is_set():
                raise Cancelled from None
            raise failed(clean(what), _words(error)) from error


def _auth(credential: Credential) -> dict[str, str]:
    if credential.identity_token:
        return {"identitytoken": credential.identity_token.reveal()}
    return {"username": credential.username, "password": credential.password.reveal()}


def _auth_header(credential: Credential | None) -> dict[str, Any]:
    """Return the header of one request; an empty object asks the engine to pull anonymously."""
    return {"X-Registry-Auth": encode_header(_auth(credential) if credential else {})}


def _registry_config(credentials: Mapping[str, Credential]) -> dict[str, str]:
    auths = {key: _auth(credential) for key, credential in credentials.items()}
    raw = json.dumps(auths).encode("ascii")
    return {"X-Registry-Config": base64.urlsafe_b64encode(raw).decode("ascii")}


def _build_parameters(request: BuildRequest, dockerfile: str) -> dict[str, Any]:
    return {
        "t": list(request.tags),
        "dockerfile": dockerfile,
        "target": request.target,
        "buildargs": json.dumps(dict(request.build_args)),
        "rm": True,
        "forcerm": True,
    }


def _words(error: Exception) -> str:
    """Return what the engine or the connection said, without the SDK's wrapping."""
    if isinstance(error, docker.errors.APIError) and error.explanation:
        explanation = error.explanation
        return explanation.decode("utf-8", "replace") if isinstance(explanation, bytes) else str(explanation)
    inner: BaseException = error
    while inner.__cause__ or inner.__context__:
        inner = inner.__cause__ or inner.__context__ or inner
    strerror = getattr(inner, "strerror", None)
    return str(strerror or inner or type(inner).__name__)


def _not_reached(endpoint: Endpoint, error: Exception) -> DockpassError:
    words = clean(_words(error), 300)
    url = clean(endpoint.url)
    if classify(words).id == "socket-permission" or "permission denied" in words.lower():
        return failed(f"connection to {url} ({endpoint.how})", f"permission denied: connect to {url}")
    return DockpassError(
        "no-engine",
        f"No engine answers at {url} ({endpoint.how}): {words}.",
        "Start one with `systemctl start docker`, or name another with DOCKER_HOST.",
    )
