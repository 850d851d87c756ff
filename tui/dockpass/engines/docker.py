"""The engine over the Docker SDK: Docker itself, and podman's service, which speaks the same.

The SDK reads no config and no credential helper here: every request carries the login that the run's
config has for its registry, or says that there is none.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from typing import Any

import docker.errors
import requests

from dockpass.engines.auth_headers import auth_fields, auth_header, registry_config
from dockpass.engines.base import BuildRequest, EngineInfo, Sink
from dockpass.engines.client import LONG_WORK, NotAnEngine, RunClient
from dockpass.engines.context import open_context
from dockpass.engines.endpoint import OPEN_SECONDS, Endpoint, no_engine
from dockpass.engines.failures import Proof, failed, login_failed
from dockpass.engines.faults import FAULTS, Explain, explained, words_of
from dockpass.engines.starting import how_to_start
from dockpass.engines.stream import Reporter, StreamError, objects
from dockpass.errors import Cancelled, DockpassError, LoginRefused
from dockpass.references.address import host_of_reference, host_of_registry, login_key
from dockpass.references.credential import Credential, Logins
from dockpass.references.reference import is_digest, parse_reference
from dockpass.registry.proxies import proxies_of
from dockpass.text import clean, plural

_CONTAINERD = "io.containerd.snapshotter.v1"
_SCHEMES = frozenset({"unix", "tcp", "http", "https"})


def open_engine(endpoint: Endpoint, seconds: float = OPEN_SECONDS) -> DockerEngine:
    """Connect, and wait at most `seconds` for an answer.

    Raises `DockpassError` that names the endpoint and how to start an engine there.
    """
    scheme, _, address = endpoint.url.partition("://")
    if scheme not in _SCHEMES:
        raise _unsupported(endpoint, scheme, address)
    client = None
    try:
        client = RunClient(endpoint)
        client.ask_version(seconds)
    except (*FAULTS, NotAnEngine) as error:
        if client is not None:
            client.close()
        raise _not_reached(endpoint, error) from error
    return DockerEngine(client, endpoint)


class DockerEngine:
    """One connection for one run."""

    def __init__(self, client: RunClient, endpoint: Endpoint) -> None:
        self._client = client
        self._cutter = client.cutter
        self._endpoint = endpoint
        self._accepted: dict[str, Credential] = {}

    def info(self) -> EngineInfo:
        """Return which engine answered."""
        server = self._client.server
        components = server.get("Components")
        parts = components if isinstance(components, list) else []
        names = " ".join(str(part.get("Name", "")) for part in parts if isinstance(part, dict))
        name = "Podman" if "podman" in names.lower() else "Docker"
        version = clean(str(server.get("Version", "")), 40)
        # Windows builds with the classic builder only.
        has_buildkit = name == "Docker" and server.get("Os") == "linux"
        return EngineInfo(name, version, clean(self._endpoint.url), self._endpoint.how, has_buildkit)

    def own_proxy(self) -> str:
        """Return the daemon's proxies as `docker info` shows them; what it does not tell is none."""
        found = self._told()
        told = proxies_of(
            {"HTTPS_PROXY": _text(found, "HttpsProxy"), "HTTP_PROXY": _text(found, "HttpProxy")}
        )
        proxies = ", ".join(dict.fromkeys(map(str, told.all)))
        without = clean(_text(found, "NoProxy"), 200)
        return f"{proxies}, but not for {without}" if proxies and without else proxies

    def lacks_containerd_store(self) -> bool:
        """Look at the storage driver that `docker info` shows; what it does not tell is not lacking."""
        found = self._told()
        if not _text(found, "Driver"):
            return False
        status = found.get("DriverStatus") if isinstance(found, dict) else None
        return ["driver-type", _CONTAINERD] not in (status if isinstance(status, list) else [])

    def _told(self) -> object:
        """Return what `docker info` shows; None where the engine does not tell."""
        try:
            with self._work(lambda words: failed("lookup of the engine's settings", words)):
                response = self._client._get(self._client._url("/info"))
                return response.json() if response.ok else None
        except Cancelled:
            raise
        except DockpassError:
            return None

    def login(self, key: str, logins: Logins) -> str:
        """Ask the registry through the engine, whatever is stored anywhere; return its words."""
        credential = logins.login_for(host_of_registry(key))
        if credential is None:
            raise LoginRefused(
                "login-missing",
                f"The temporary docker config has no login for {clean(key)} any more.",
                "Something changed it during the run. Start the run again.",
            )
        data = auth_fields(credential) | {"serveraddress": key}
        with self._work(lambda words: login_failed(key, credential.username, words)):
            response = self._client._post_json(self._client._url("/auth"), data=data, timeout=LONG_WORK)
            self._expect_success(response)
            answer = response.json() if response.content else {}
        self._accepted[key] = credential
        status = answer.get("Status") if isinstance(answer, dict) else None
        return clean(str(status or "Login Succeeded"))

    def image_id(self, reference: str) -> str | None:
        """Return the id of a local image, or None."""
        with self._work(lambda words: failed(f"lookup of {clean(reference)}", words, names=(reference,))):
            try:
                return str(self._client.inspect_image(reference)["Id"])
            except docker.errors.ImageNotFound:
                return None

    def tag(self, image: str, reference: str) -> None:
        """Give a local image another name."""
        parsed = parse_reference(reference)
        with self._change(lambda words: failed(f"tagging of {parsed}", words, names=(image, reference))):
            self._client.tag(image, str(parsed.repository), parsed.tag, force=True)

    def untag(self, reference: str) -> bool:
        """Remove a local name, unless it is the last one: docker would delete the image with it."""
        parsed = parse_reference(reference)
        with self._change(lambda words: failed(f"removal of the name {parsed}", words, names=(reference,))):
            try:
                tags = set(self._client.inspect_image(reference).get("RepoTags") or ())
            except docker.errors.ImageNotFound:
                return False
            if not tags - {str(parsed), parsed.familiar}:
                return False
            self._client.remove_image(reference, noprune=True)
            return True

    def pull(self, reference: str, logins: Logins, sink: Sink) -> str:
        """Pull one reference; return its digest."""
        parsed = parse_reference(reference)
        params = {"fromImage": str(parsed.repository), "tag": parsed.digest or parsed.tag or "latest"}
        return self._transfer("pull", reference, "/images/create", params, logins, sink)

    def push(self, reference: str, logins: Logins, sink: Sink) -> str:
        """Push one reference; return its digest."""
        parsed = parse_reference(reference)
        path, params = f"/images/{parsed.repository}/push", {"tag": parsed.tag or "latest"}
        return self._transfer("push", reference, path, params, logins, sink)

    def check_build(self, request: BuildRequest) -> None:
        """What the classic builder lacks is known before it is chosen."""

    def build(self, request: BuildRequest, logins: Logins, sink: Sink) -> str:
        """Build with the classic builder; return the image's id."""
        credentials = logins.logins()
        reporter = Reporter(sink)
        what = f"build of {clean(str(request.dockerfile))}"

        def explain(words: str) -> DockpassError:
            proof = self._proof_of_build(reporter.base, credentials)
            return failed(what, words, proof, (reporter.base, *request.tags))

        with self._work(explain):
            return self._build(request, credentials, sink, reporter)

    def cut(self) -> None:
        """End whatever blocks, from another thread."""
        self._cutter.cut()

    def close(self) -> None:
        """Release the connection."""
        self._client.close()

    def _transfer(
        self,
        what: str,
        reference: str,
        path: str,
        params: Mapping[str, str],
        logins: Logins,
        sink: Sink,
    ) -> str:
        credential = logins.login_for(host_of_reference(reference))
        names = (reference, str(parse_reference(reference)))
        proof = self._proof(reference, credential)
        with self._work(lambda words: failed(f"{what} of {clean(reference)}", words, proof, names)):
            response = self._client._post(
                self._client._url(path),
                params=params,
                headers=auth_header(credential),
                stream=True,
                timeout=LONG_WORK,
            )
            reporter = self._report(response, Reporter(sink))
            return reporter.digest or self._known_digest(reference)

    def _build(
        self,
        request: BuildRequest,
        credentials: Mapping[str, Credential],
        sink: Sink,
        reporter: Reporter,
    ) -> str:
        context = open_context(request.context, request.dockerfile, sink.check)
        sink.log(f"sending {plural(len(context.names), 'file')} of {clean(str(context.root))}")

        def told(sent: int) -> None:
            sink.check()
            reporter.layer("context", "pushing", sent, max(context.size, sent))

        response = self._client._post(
            self._client._url("/build"),
            data=context.chunks(told),
            params=build_parameters(request, context.dockerfile),
            headers={"Content-Type": "application/tar"} | registry_config(credentials),
            stream=True,
            timeout=LONG_WORK,
        )
        if context.size:
            reporter.layer("context", "pushed", context.size, context.size)
        self._report(response, reporter)
        if not reporter.image_id:
            raise StreamError("the engine named no image at the end of the build")
        if is_digest(reporter.image_id):
            return reporter.image_id
        return str(self._client.inspect_image(reporter.image_id)["Id"])

    def _report(self, response: requests.Response, reporter: Reporter) -> Reporter:
        self._expect_success(response)
        for event in objects(response.raw.stream(64 << 10, decode_content=True)):
            reporter.take(event)
        reporter.finish()
        return reporter

    def _expect_success(self, response: requests.Response) -> None:
        self._client._raise_for_status(response)
        if response.status_code >= HTTPStatus.MULTIPLE_CHOICES:
            raise StreamError(f"the engine answers {response.status_code}, which is no answer to this")

    def _known_digest(self, reference: str) -> str:
        """Return the digest under which the engine knows a reference; empty unless it is the only one."""
        repository = parse_reference(reference).repository
        names = {str(repository), repository.familiar}
        known = self._client.inspect_image(reference).get("RepoDigests") or ()
        pairs = [str(each).partition("@") for each in known]
        digests = {digest for name, _, digest in pairs if name in names and is_digest(digest)}
        return digests.pop() if len(digests) == 1 else ""

    def _proof(self, reference: str, credential: Credential | None) -> Proof:
        if credential is None:
            return Proof.NONE_SENT
        accepted = self._accepted.get(login_key(host_of_reference(reference)))
        return Proof.ACCEPTED if accepted == credential else Proof.SENT

    def _proof_of_build(self, base: str, credentials: Mapping[str, Credential]) -> Proof:
        """Judge by the base image that was asked for last, as far as the engine named it."""
        if base:
            return self._proof(base, credentials.get(login_key(host_of_reference(base))))
        if not credentials:
            return Proof.NONE_SENT
        return Proof.ACCEPTED if credentials.items() <= self._accepted.items() else Proof.SENT

    @contextmanager
    def _work(self, explain: Explain) -> Iterator[None]:
        """Do what may be cut, and then ends with `Cancelled`, however it ended by itself."""
        if self._cutter.is_cut:
            raise Cancelled
        try:
            with explained(self._endpoint, explain):
                yield
        except Exception:
            if self._cutter.is_cut:  # a connection that was shut down may raise anything
                raise Cancelled from None
            raise
        if self._cutter.is_cut:
            raise Cancelled

    @contextmanager
    def _change(self, explain: Explain) -> Iterator[None]:
        """Do what is left to end when cut: in the middle of it nobody would know what was changed."""
        with self._cutter.protected(), explained(self._endpoint, explain):
            yield


def _text(found: object, name: str) -> str:
    text = found.get(name) if isinstance(found, dict) else None
    return text if isinstance(text, str) else ""


def build_parameters(request: BuildRequest, dockerfile: str) -> dict[str, Any]:
    """Return a build as the engine's API takes it; `dockerfile` is the name that the engine sees."""
    return {
        "t": list(request.tags),
        "dockerfile": dockerfile,
        "target": request.target,
        "buildargs": json.dumps(dict(request.build_args)),
        **({"platform": request.platform} if request.platform else {}),
        **({"pull": True} if request.extras.pull else {}),
        **({"networkmode": request.extras.network} if request.extras.network else {}),
        "rm": True,
        "forcerm": True,
    }


def _unsupported(endpoint: Endpoint, scheme: str, address: str) -> DockpassError:
    hint = "Forward the engine's socket to this machine, and set DOCKER_HOST to it."
    if scheme == "ssh":
        host = address.partition("/")[0]
        forward = f"ssh -nNT -L /tmp/docker.sock:/var/run/docker.sock {clean(host)}"
        hint = f"Run `{forward}` beside it, and set DOCKER_HOST=unix:///tmp/docker.sock."
    return DockpassError(
        "endpoint-unsupported",
        f"The engine is at {clean(endpoint.url)} ({endpoint.how}), and dockpass speaks to unix:// and"
        " tcp:// only.",
        hint,
    )


def _not_reached(endpoint: Endpoint, error: Exception) -> DockpassError:
    words = clean(words_of(error), 300).rstrip(".")
    url = clean(endpoint.url)
    if isinstance(error, NotAnEngine):
        return DockpassError(
            "not-an-engine",
            f"What answers at {url} ({endpoint.how}) is no container engine: {words}.",
            "Check the address.",
        )
    if "permission denied" in words.lower():
        return failed(f"connection to {url} ({endpoint.how})", "permission denied on the socket")
    return no_engine(
        f"No engine answers at {url} ({endpoint.how}): {words}.",
        f"{how_to_start(endpoint.url)}, or name another with DOCKER_HOST.",
    )
