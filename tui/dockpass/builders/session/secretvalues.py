"""The values of `--secret`, for a step that mounts one (session/secrets of moby/buildkit)."""

from __future__ import annotations

from collections.abc import Iterable

from dockpass.builders.options import LARGEST_SECRET
from dockpass.builders.session.channel import Call, CallFailed, Method, Status
from dockpass.builders.session.wire import decode, encode, text
from dockpass.engines.base import BuildSecret
from dockpass.system import reason
from dockpass.text import clean

PATH = "/moby.buildkit.secrets.v1.Secrets/GetSecret"


def secret_methods(given: Iterable[BuildSecret]) -> dict[str, Method]:
    """Return the method that gives secrets; a file is read when a step asks for it."""
    by_id = {secret.id: secret for secret in given}

    async def get_secret(call: Call) -> None:
        name = text(decode(await call.receive() or b""), 1)
        secret = by_id.get(name)
        if secret is None:
            raise CallFailed(Status.NOT_FOUND, f"there is no --secret with the id {clean(name, 80)}")
        await call.send(encode((1, _value(secret))))

    return {PATH: get_secret}


def _value(secret: BuildSecret) -> bytes:
    if secret.value is not None:
        return secret.value.reveal().encode("utf-8", "surrogateescape")
    if secret.file is None:
        return b""
    try:
        with secret.file.open("rb") as file:
            found = file.read(LARGEST_SECRET + 1)
    except OSError as error:
        words = f"the secret {clean(secret.id, 80)} cannot be read: {reason(error)}"
        raise CallFailed(Status.FAILED_PRECONDITION, words) from error
    if len(found) > LARGEST_SECRET:
        raise CallFailed(
            Status.FAILED_PRECONDITION, f"the secret {clean(secret.id, 80)} is larger than 500 KiB"
        )
    return found
