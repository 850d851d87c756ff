"""Builds with the BuildKit that is in a Docker Engine, asked for through the engine's own API.

What BuildKit needs beside the request (files, logins, secrets) it asks of a session: `builders/session`.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from http import HTTPStatus
from typing import Any

from dockpass.engines.base import BuildRequest, Sink
from dockpass.engines.client import LONG_WORK, RunClient
from dockpass.engines.docker import build_parameters
from dockpass.engines.endpoint import OPEN_SECONDS, Endpoint
from dockpass.engines.faults import FAULTS
from dockpass.engines.stream import StreamError, objects
from dockpass.references.reference import is_digest
from dockpass.text import clean, clean_lines

LONGEST_TRACE = 8 << 20
"""Bytes of one object of the stream, in which the progress is base64."""
SECONDS_TO_CANCEL = 3.0
_TRACE = "moby.buildkit.trace"


class BuildKitApi:
    """One build in the engine at `endpoint`. `cancel` and `cut` are called from other threads."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._client = RunClient(endpoint)

    def build(
        self,
        request: BuildRequest,
        identities: Mapping[str, str],
        take: Callable[[bytes], None],
        sink: Sink,
    ) -> str:
        """Build with the session that `identities` name; return the image's id, empty where none is named.

        `take` gets each message of the progress. Raises `StreamError` in BuildKit's words, and what the
        connection raises.
        """
        self._client.ask_version(OPEN_SECONDS)
        parameters = {
            **build_parameters(request, request.dockerfile.name),
            "version": 2,
            "remote": "client-session",
            "cachefrom": json.dumps(list(request.extras.cache_from)),
            **identities,
        }
        response = self._client._post(
            self._client._url("/build"), params=parameters, stream=True, timeout=LONG_WORK
        )
        self._client._raise_for_status(response)
        if response.status_code >= HTTPStatus.MULTIPLE_CHOICES:
            raise StreamError(f"the engine answers {response.status_code}, which is no answer to this")
        image = ""
        for event in objects(response.raw.stream(64 << 10, decode_content=True), LONGEST_TRACE):
            image = _image_of(event) or image
            if (trace := _trace_of(event)) is not None:
                take(trace)
            elif event.get("error") or event.get("errorDetail"):
                raise StreamError(_error_of(event))
            else:
                _tell(event, sink)
        return image

    def cancel(self, build_id: str) -> None:
        """Ask the engine to end a build, within a few seconds; it may not know it, or not answer any more."""
        with suppress(*FAULTS):
            client = RunClient(self._endpoint)
            try:
                url = client._url("/build/cancel", versioned_api=False)
                client._post(url, params={"id": build_id}, timeout=(OPEN_SECONDS, SECONDS_TO_CANCEL))
            finally:
                client.close()

    def cut(self) -> None:
        """End the request for the build, with which the build ends too."""
        self._client.cutter.cut()

    def close(self) -> None:
        """Release the connection."""
        self._client.close()


def _trace_of(event: Mapping[str, Any]) -> bytes | None:
    if event.get("id") != _TRACE:
        return None
    aux = event.get("aux")
    try:
        return base64.b64decode(aux) if isinstance(aux, str) else b""
    except (ValueError, binascii.Error):
        return b""


def _image_of(event: Mapping[str, Any]) -> str:
    aux = event.get("aux")
    found = aux.get("ID") if isinstance(aux, dict) else None
    return found if isinstance(found, str) and is_digest(found) else ""


def _error_of(event: Mapping[str, Any]) -> str:
    detail = event.get("errorDetail")
    words = detail.get("message") if isinstance(detail, dict) else None
    return clean(str(words or event.get("error") or detail), 2000)


def _tell(event: Mapping[str, Any], sink: Sink) -> None:
    """Report what the engine says in plain words, as an old one does."""
    said = event.get("stream") or event.get("status")
    if isinstance(said, str):
        for line in clean_lines(said[:LONGEST_TRACE]):
            if line.strip():
                sink.log(line)
