"""The SSH agents of `--ssh`, for a step that mounts one (session/sshforward of moby/buildkit).

A step may list the keys of an agent and have it sign; it can neither add keys nor remove any.
"""

from __future__ import annotations

import asyncio
import stat
from collections.abc import Iterable, Mapping
from pathlib import Path

from dockpass.builders.session.channel import Call, CallFailed, Method, Status
from dockpass.builders.session.wire import decode, encode, raw_bytes, text
from dockpass.errors import UsageError
from dockpass.text import clean
from dockpass.typedpath import typed_path

SERVICE = "/moby.sshforward.v1.SSH/"
_ID = "buildkit.ssh.id"
_CHUNK = 32 << 10
_LARGEST = 256 << 10  # what OpenSSH's agent takes
_LENGTH = 4  # bytes in front of a message
_ALLOWED = frozenset({b"\x0b", b"\x0d"})
"""Requests for the list of keys and for a signature (draft-miller-ssh-agent, 5.1)."""
_SECONDS_TO_ANSWER = 5.0
_FAILURE = b"\0\0\0\1\5"


def parse_agents(specs: Iterable[str], environ: Mapping[str, str]) -> dict[str, Path]:
    """Return the agents' sockets by the ids of `--ssh default|ID[=SOCKET]`; raises `UsageError`."""
    found: dict[str, Path] = {}
    for spec in specs:
        name, _, given = spec.partition("=")
        socket = given or environ.get("SSH_AUTH_SOCK", "")
        if not socket:
            raise _unusable(name, "SSH_AUTH_SOCK is not set", "Start an agent with `eval $(ssh-agent)`.")
        path = typed_path(Path(), socket)
        try:
            is_socket = stat.S_ISSOCK(path.stat().st_mode)
        except (OSError, ValueError):
            is_socket = False
        if not is_socket:
            hint = "Add the key to an agent with `ssh-add`, or build with docker buildx."
            raise _unusable(name, f"{clean(socket, 200)} is not the socket of an agent", hint)
        found[name or "default"] = path
    return found


def _unusable(name: str, why: str, hint: str) -> UsageError:
    return UsageError("ssh-unusable", f"--ssh {clean(name, 80)}: {why}.", hint)


def ssh_methods(agents: Mapping[str, Path]) -> dict[str, Method]:
    """Return the methods that lead to agents; none where there are none, which BuildKit says itself."""
    if not agents:
        return {}

    def agent(name: str) -> Path:
        if name not in agents:
            # In the words of docker's command, by which the failure is recognised.
            raise CallFailed(Status.NOT_FOUND, f"unset ssh forward key {clean(name, 80)}")
        return agents[name]

    async def check(call: Call) -> None:
        agent(text(decode(await call.receive() or b""), 1) or "default")
        await call.send(b"")

    async def forward(call: Call) -> None:
        path = agent((call.metadata.get(_ID) or ("default",))[0] or "default")
        try:
            reader, writer = await asyncio.open_unix_connection(str(path))
        except OSError as error:
            raise CallFailed(Status.UNAVAILABLE, "the SSH agent does not answer") from error
        try:
            await _between(call, reader, writer)
        finally:
            writer.close()

    return {f"{SERVICE}CheckAgent": check, f"{SERVICE}ForwardAgent": forward}


async def _between(call: Call, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass questions and answers on until either side ends."""
    questions = asyncio.ensure_future(_questions(call, writer))
    answers = asyncio.ensure_future(_answers(call, reader))
    try:
        done, _ = await asyncio.wait({questions, answers}, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
        await asyncio.wait({answers}, timeout=_SECONDS_TO_ANSWER)
    except ConnectionError as error:
        raise CallFailed(Status.UNAVAILABLE, "the SSH agent does not answer") from error
    finally:
        for task in (questions, answers):
            task.cancel()
        await asyncio.gather(questions, answers, return_exceptions=True)


async def _questions(call: Call, writer: asyncio.StreamWriter) -> None:
    waiting = bytearray()
    while (message := await call.receive()) is not None:
        waiting += raw_bytes(decode(message), 1)
        while len(waiting) >= _LENGTH:
            end = _LENGTH + int.from_bytes(waiting[:_LENGTH], "big")
            if end > _LARGEST:
                raise CallFailed(Status.INVALID_ARGUMENT, "this is no request to an SSH agent")
            if len(waiting) < end:
                break
            request = bytes(waiting[:end])
            del waiting[:end]
            if request[_LENGTH:][:1] in _ALLOWED:
                writer.write(request)
                await writer.drain()
            else:
                await call.send(encode((1, _FAILURE)))
    writer.write_eof()


async def _answers(call: Call, reader: asyncio.StreamReader) -> None:
    while answer := await reader.read(_CHUNK):
        await call.send(encode((1, answer)))
