"""Servers on loopback that send what no honest registry sends, under names and address kinds of a test's choice."""

from __future__ import annotations

import asyncio
import ipaddress
import json
import socket
import ssl
from collections.abc import Iterable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from aiohttp.abc import AbstractResolver, ResolveResult
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from logins import Given

from dockpass.references.credential import Credential
from dockpass.registry.addresses import kind_of
from dockpass.registry.client import RegistryClient
from dockpass.registry.policy import Policy
from dockpass.registry.slow_body import Pace
from dockpass.registry.transport import Transport
from dockpass.secrets import Secret

PASSWORD = "canary-password-4711"
ME = Credential("myuser", Secret(PASSWORD))
BASIC = "Basic bXl1c2VyOmNhbmFyeS1wYXNzd29yZC00NzEx"

PUBLIC, ELSEWHERE, PRIVATE = "127.0.1.1", "127.0.1.2", "127.0.2.1"
"""Addresses of this machine that a test takes for two public ones and a private one."""


def kind(address: str) -> str:
    """Take 127.0.1.x for public and 127.0.2.x for private; everything else is what it is."""
    if address.startswith("127.0.1."):
        return ""
    return "a private" if address.startswith("127.0.2.") else kind_of(address)


class Names(AbstractResolver):
    """Resolves the names that a test makes up; `asked` holds each that was looked up."""

    def __init__(self) -> None:
        self.addresses: dict[str, list[str]] = {}
        self.asked: list[str] = []

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        self.asked.append(host)
        if host not in self.addresses:
            raise socket.gaierror(socket.EAI_NONAME, "no such name in this test")
        return [
            ResolveResult(hostname=host, host=address, port=port, family=family, proto=0, flags=0)
            for address in self.addresses[host]
        ]

    async def close(self) -> None:
        pass


@dataclass(frozen=True)
class Asked:
    """A request as it came in."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes
    raw: bytes

    @property
    def path(self) -> str:
        return self.target.partition("?")[0]

    @property
    def authorization(self) -> str:
        return self.headers.get("authorization", "")


@dataclass(frozen=True)
class Reply:
    """What is sent: `raw` as it is, else a status line, headers, and the body's pieces without a length.

    A `headless` one is its pieces only; one that `hangs` keeps the connection open after them.
    """

    status: int = 200
    body: object = b""
    headers: tuple[tuple[str, str | bytes], ...] = ()
    raw: bytes | None = None
    pieces: Iterable[bytes] | None = None
    headless: bool = False
    hangs: bool = False

    def head(self, length: int | None) -> bytes:
        lines = [b"HTTP/1.1 %d Answer" % self.status, b"Connection: close"]
        if length is not None:
            lines.append(b"Content-Length: %d" % length)
        for name, value in self.headers:
            lines.append(name.encode() + b": " + (value if isinstance(value, bytes) else value.encode()))
        return b"\r\n".join(lines) + b"\r\n\r\n"

    def payload(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


def bearer(realm: str, more: str = "") -> Reply:
    """A 401 that sends for tokens to `realm`."""
    return Reply(401, b"", (("WWW-Authenticate", f'Bearer realm="{realm}",service="hostile"{more}'),))


def moved(location: str | bytes, status: int = 307) -> Reply:
    return Reply(status, b"", (("Location", location),))


@dataclass
class Hostile:
    """One server; answers by method and path, the last of several again and again; 404 for the rest."""

    name: str
    address: str
    context: ssl.SSLContext | None
    asked: list[Asked] = field(default_factory=list)
    port: int = 0

    def __post_init__(self) -> None:
        self._replies: dict[tuple[str, str], list[Reply]] = {}

    @property
    def host(self) -> str:
        return f"{self.name}:{self.port}"

    @property
    def url(self) -> str:
        return f"{'https' if self.context else 'http'}://{self.host}"

    def on(self, path: str, *replies: Reply, method: str = "GET") -> None:
        self._replies[method, path] = list(replies)

    def requests(self, path: str) -> list[Asked]:
        return [asked for asked in self.asked if asked.path == path]

    @property
    def seen(self) -> bytes:
        """Every byte that came in."""
        return b"".join(asked.raw for asked in self.asked)

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(
            self._serve, self.address, self.port, ssl=self.context, limit=1 << 20
        )
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.close()
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            first = await reader.readexactly(1)
            if first == b"\x16":  # a TLS greeting, where plain http is spoken
                writer.write(b"HTTP/1.0 400 Bad Request\r\n\r\n")
                return
            asked = await _read(first, reader)
            self.asked.append(asked)
            await self._answer(asked, writer)
        except (OSError, asyncio.IncompleteReadError, ssl.SSLError):
            pass  # the client hung up, as it may
        finally:
            writer.close()

    async def _answer(self, asked: Asked, writer: asyncio.StreamWriter) -> None:
        replies = self._replies.get((asked.method, asked.path), [Reply(404)])
        reply = replies.pop(0) if len(replies) > 1 else replies[0]
        if reply.raw is not None:
            writer.write(reply.raw)
        elif reply.pieces is not None:
            if not reply.headless:
                writer.write(reply.head(None))
            for piece in reply.pieces:
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(
                    0
                )  # a client that has hung up is only noticed between two steps of the loop
            if reply.hangs:
                await asyncio.Event().wait()
        else:
            payload = reply.payload()
            writer.write(reply.head(len(payload)) + payload)
        await writer.drain()


async def _read(start: bytes, reader: asyncio.StreamReader) -> Asked:
    raw = start + await reader.readuntil(b"\r\n\r\n")
    first, *lines = raw.decode("latin-1").split("\r\n")
    headers = {
        name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
    }
    body = await reader.readexactly(int(headers.get("content-length") or 0))
    method, target, _ = first.split(" ", 2)
    return Asked(method, target, headers, body, raw + body)


class Authority:
    """A CA of the tests' own; certificates for any name, from any time."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "a CA of the tests")])
        now = datetime.now(UTC)
        made = (
            x509.CertificateBuilder()
            .subject_name(self._name)
            .issuer_name(self._name)
            .public_key(self._key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(days=1000))
            .not_valid_after(now + timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
            .sign(self._key, hashes.SHA256())
        )
        self.file = directory / "ca.pem"
        self.file.write_bytes(made.public_bytes(serialization.Encoding.PEM))

    def files(self, name: str, *, days: int = 1) -> tuple[Path, Path]:
        """Make a certificate for `name` that ends in `days`; return its file and its key's."""
        key = ec.generate_private_key(ec.SECP256R1())
        end = datetime.now(UTC) + timedelta(days=days)
        made = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:60])]))
            .issuer_name(self._name)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(end - timedelta(days=30))
            .not_valid_after(end)
            .add_extension(x509.SubjectAlternativeName([_general_name(name)]), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        certificate = self._directory / f"{name.replace(':', '_')}.{days}.cert"
        certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
        private = certificate.with_suffix(".key")
        form = (serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
        private.write_bytes(key.private_bytes(serialization.Encoding.PEM, *form))
        return certificate, private

    def context(self, name: str, *, days: int = 1) -> ssl.SSLContext:
        """Return a server's context for `name`."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self.files(name, days=days))
        return context


def _general_name(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


class World:
    """Servers by name, and clients that see these names only; everything ends with the block."""

    def __init__(self, authority: Authority) -> None:
        self.authority = authority
        self.names = Names()
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def server(
        self, name: str, *, address: str = PUBLIC, tls: bool = True, context: ssl.SSLContext | None = None
    ) -> Hostile:
        """Start a server that `name` leads to."""
        if tls and context is None:
            context = self.authority.context(name)
        self.names.addresses[name] = [address]
        return await self._stack.enter_async_context(Hostile(name, address, context))

    def transport(self, pace: Pace | None = None, **policy: Any) -> Transport:
        """Return a transport of the policy given, which trusts the tests' CA."""
        policy.setdefault("ca_file", self.authority.file)
        return Transport(Policy(**policy), lookup=self.names, kind=kind, pace=pace or Pace())

    async def client(self, host: str, credential: Credential | None = ME, **policy: Any) -> RegistryClient:
        """Return an open client."""
        made = RegistryClient(host, Given(credential), transport=self.transport(**policy))
        return await self._stack.enter_async_context(made)
