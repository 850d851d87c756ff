"""Secrets and SSH agents, for the steps that mount them and for no other."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest
from sessionclient import asking

from dockpass.builders.session.channel import Status
from dockpass.builders.session.secretvalues import PATH, secret_methods
from dockpass.builders.session.ssh import SERVICE, parse_agents, ssh_methods
from dockpass.builders.session.wire import decode, encode, raw_bytes
from dockpass.engines.base import BuildSecret
from dockpass.errors import UsageError
from dockpass.secrets import Secret

LIST = b"\0\0\0\1\x0b"
REMOVE_ALL = b"\0\0\0\1\x13"
FAILURE = b"\0\0\0\1\5"


async def test_a_secret_is_given_by_its_id_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"\0\xffkey\n")
    (tmp_path / "large").write_bytes(b"x" * (600 << 10))
    secrets = [
        BuildSecret(id="value", value=Secret("a\udcffb")),
        BuildSecret(id="file", file=tmp_path / "key"),
        BuildSecret(id="gone", file=tmp_path / "gone"),
        BuildSecret(id="large", file=tmp_path / "large"),
    ]
    async with asking(secret_methods(secrets)) as client:
        answers = {
            name: await client.call(PATH, encode((1, name)))
            for name in ("value", "file", "gone", "large", "other", "")
        }
    assert raw_bytes(decode(answers["value"].messages[0]), 1) == b"a\xffb"
    assert raw_bytes(decode(answers["file"].messages[0]), 1) == b"\0\xffkey\n"
    assert answers["gone"].status == answers["large"].status == Status.FAILED_PRECONDITION
    assert answers["other"].status == answers[""].status == Status.NOT_FOUND


@asynccontextmanager
async def agent(path: Path, heard: list[bytes]) -> AsyncIterator[None]:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError):
            while True:
                heard.append(await reader.readexactly(len(LIST)))
                writer.write(b"\0\0\0\5\x0c\0\0\0\0")
        writer.close()

    async with await asyncio.start_unix_server(serve, path):
        yield


async def test_an_agent_lists_and_signs_and_is_not_changed(tmp_path: Path) -> None:
    heard: list[bytes] = []
    async with (
        agent(tmp_path / "agent", heard),
        asking(ssh_methods({"default": tmp_path / "agent"})) as client,
    ):
        assert (await client.call(f"{SERVICE}CheckAgent", encode((1, "default")))).status == Status.OK
        assert (await client.call(f"{SERVICE}CheckAgent", encode((1, "x")))).status == Status.NOT_FOUND
        answer, stream = client.begin(f"{SERVICE}ForwardAgent", last=False)
        for piece in (LIST[:3], LIST[3:] + REMOVE_ALL, LIST):
            client.send(stream, encode((1, piece)))
        async with asyncio.timeout(5):
            while sum(len(raw_bytes(decode(each), 1)) for each in answer.messages) < 5 + 9 + 9:
                await asyncio.sleep(0.01)
        client.end(stream)
        await answer.ended.wait()
    assert b"".join(heard) == LIST + LIST
    assert FAILURE in [raw_bytes(decode(each), 1) for each in answer.messages]


async def test_what_is_no_request_to_an_agent_is_not_passed_on(tmp_path: Path) -> None:
    heard: list[bytes] = []
    async with agent(tmp_path / "agent", heard), asking(ssh_methods({"a": tmp_path / "agent"})) as client:
        answer = await client.call(
            f"{SERVICE}ForwardAgent", encode((1, b"GET / HTTP/1.1")), **{"buildkit.ssh.id": "a"}
        )
    assert answer.status == Status.INVALID_ARGUMENT
    assert heard == []


async def test_an_agent_that_ends_meanwhile_ends_the_call(tmp_path: Path) -> None:
    async def dies(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        writer.close()

    async with (
        await asyncio.start_unix_server(dies, tmp_path / "agent"),
        asking(ssh_methods({"default": tmp_path / "agent"})) as client,
    ):
        answer, _ = client.begin(f"{SERVICE}ForwardAgent", [encode((1, LIST))], last=False)
        async with asyncio.timeout(5):
            await answer.ended.wait()
    assert answer.messages == []


async def test_what_was_asked_last_is_answered_though_nothing_more_is_asked(tmp_path: Path) -> None:
    heard: list[bytes] = []
    async with (
        agent(tmp_path / "agent", heard),
        asking(ssh_methods({"default": tmp_path / "agent"})) as client,
    ):
        answer = await client.call(f"{SERVICE}ForwardAgent", encode((1, LIST)))
    assert (answer.status, len(answer.messages)) == (Status.OK, 1)


async def test_an_agent_that_is_gone_is_said(tmp_path: Path) -> None:
    async with asking(ssh_methods({"default": tmp_path / "gone"})) as client:
        assert (await client.call(f"{SERVICE}ForwardAgent")).status == Status.UNAVAILABLE


def test_agents_are_found_by_the_variable_or_by_their_path(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(tmp_path / "agent"))
        environ = {"SSH_AUTH_SOCK": str(tmp_path / "agent")}
        assert parse_agents(["default", f"other={tmp_path}/agent"], environ) == {
            "default": tmp_path / "agent",
            "other": tmp_path / "agent",
        }
    (tmp_path / "key").write_text("no socket")
    for spec, given, words in (
        ("default", {}, "SSH_AUTH_SOCK is not set"),
        (f"a={tmp_path}/key", environ, "is not the socket of an agent"),
        ("a=/nowhere", environ, "is not the socket of an agent"),
    ):
        with pytest.raises(UsageError, match=words) as raised:
            parse_agents([spec], given)
        assert raised.value.id == "ssh-unusable"
