"""What goes wrong between dockpass and an engine's API, in words."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import docker.errors
import requests
import urllib3.exceptions

from dockpass.engines.client import NotAnEngine
from dockpass.engines.endpoint import Endpoint
from dockpass.engines.stream import StreamError
from dockpass.errors import DockpassError
from dockpass.text import clean

Explain = Callable[[str], DockpassError]
"""Makes the error of the engine's own words."""

SAID = (docker.errors.APIError, StreamError)
"""What the engine itself says went wrong."""

FAULTS = (
    docker.errors.DockerException,
    requests.exceptions.RequestException,
    urllib3.exceptions.HTTPError,
    OSError,
    ValueError,  # an answer that is not JSON
)
"""What goes wrong on the way to the engine and back."""


@contextmanager
def explained(endpoint: Endpoint, explain: Explain) -> Iterator[None]:
    """Turn what goes wrong in this block into `DockpassError`s."""
    try:
        yield
    except SAID as error:
        raise explain(words_of(error)) from error
    except FAULTS as error:
        raise DockpassError(
            "engine-lost",
            f"The connection to the engine at {clean(endpoint.url)} was lost: {clean(words_of(error), 300)}.",
            "See whether the engine runs, and what its own log says.",
        ) from error


def words_of(error: Exception) -> str:
    """Return what the engine or the connection said, without the SDK's wrapping."""
    if isinstance(error, docker.errors.APIError) and error.explanation:
        explanation = error.explanation
        return explanation.decode("utf-8", "replace") if isinstance(explanation, bytes) else str(explanation)
    if isinstance(error, StreamError | NotAnEngine | TimeoutError):
        return str(error)
    inner: BaseException = error
    while inner.__cause__ or inner.__context__:
        inner = inner.__cause__ or inner.__context__ or inner
    strerror = getattr(inner, "strerror", None)
    return str(strerror or inner or type(inner).__name__)
