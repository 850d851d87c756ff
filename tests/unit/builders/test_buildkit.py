"""A build through a session, with an engine that answers what a test tells it to."""

from __future__ import annotations

import asyncio
import base64
import json
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fakeengine import Answer, FakeEngine
from notes import Notes
from tokenserver import self_signed_files

from dockpass.builders import buildkit
from dockpass.builders.base import BuilderInfo
from dockpass.builders.buildkit import BuildKitBuilder
from dockpass.builders.environment import proxy_arguments
from dockpass.builders.names import BuilderName
from dockpass.builders.session import connection
from dockpass.builders.session.connection import open_session
from dockpass.builders.session.wire import encode
from dockpass.buildfiles.contexts import parse_contexts
from dockpass.dockerconfig.runconfig import RunConfig
from dockpass.dockerconfig.temporary import write_config
from dockpass.engines import buildkit as api
from dockpass.engines.base import BuildExtras, BuildRequest, BuildSecret, EngineInfo
from dockpass.engines.endpoint import Endpoint, TlsFiles
from dockpass.errors import Cancelled, DockpassError, LoginRefused, UsageError
from dockpass.references.credential import Credential
from dockpass.secrets import Secret

ID = "sha256:" + "e" * 64
IMAGE = {"id": "moby.image.id", "aux": {"ID": ID}}
PASSWORD = "canary-password-4711"
HOST = "registry.example"


def trace(*vertexes: bytes) -> Mapping[str, Any]:
    message = b"".join(encode((1, vertex)) for vertex in vertexes)
    return {"id": "moby.buildkit.trace", "aux": base64.b64encode(message).decode()}


def vertex(name: str, error: str = "") -> bytes:
    began = encode((1, 100))
    return encode((1, f"sha256:{name}"), (3, name), (5, began), (6, began), (7, error))


@dataclass
class Store:
    """The engine as far as its images go."""

    lacks: bool = True

    def lacks_containerd_store(self) -> bool:
        return self.lacks

    def info(self) -> EngineInfo:
        return EngineInfo("Docker", "26.1.5", "unix:///x", "a test")


class World:
    """A builder beside an engine, and what is left of its session."""

    def __init__(self, top: Path, engine: FakeEngine) -> None:
        self.top = top
        self.engine = engine
        self.notes = Notes()
        self.store = Store()
        self.builder = BuildKitBuilder(
            BuilderInfo(name=BuilderName.BUILDKIT),
            Endpoint(engine.url, "a test"),
            self.store,  # type: ignore[arg-type]
            {},
            self._contact,
        )
        self.engine.on("POST /session", Answer(upgraded=self._hold))
        self.engine.on("POST /build/cancel", Answer(204))
        self.streams(IMAGE)

    @asynccontextmanager
    async def _contact(self, host: str) -> AsyncIterator[Any]:
        raise LoginRefused("login-refused", f"{host} refused the login of me.")
        yield

    def _hold(self, sock: socket.socket) -> None:
        while sock.recv(1 << 16):
            if self.engine.released.is_set():
                return

    def streams(self, *events: Mapping[str, Any] | bytes, then: Callable[[], Any] | None = None) -> None:
        """Answer the build with these events."""
        self.engine.on("POST /build", Answer(stream=then or (lambda: list(events))))

    def build(self, **given: Any) -> str:
        request = BuildRequest(context=self.top, dockerfile=self.top / "Dockerfile", **given)
        return self.builder.build(request, RunConfig(self.top / "config"), self.notes)


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    for module in (api, buildkit):
        monkeypatch.setattr(module, "SECONDS_TO_CANCEL", 0.2)
    (tmp_path / "config").mkdir(mode=0o700)
    write_config(tmp_path / "config", {HOST: Credential("me", Secret(PASSWORD))})
    (tmp_path / "Dockerfile").write_text("FROM scratch\n")
    engine = FakeEngine()
    yield World(tmp_path, engine)
    engine.stop()


def test_the_request_names_the_session_and_holds_no_login_and_no_secret(world: World) -> None:
    extras = BuildExtras(
        secrets=(BuildSecret(id="tok", value=Secret("canary-secret")),),
        cache_from=("registry.example/cache",),
        pull=True,
        network="host",
    )
    world.streams(trace(vertex("[1/1] FROM scratch")), IMAGE)
    assert world.build(tags=("a:1", "b:2"), target="last", build_args={"V": "1"}, extras=extras) == ID
    session, build = world.engine.last("/session"), world.engine.last("/build")
    assert build.query["session"] == [session.headers["X-Docker-Expose-Session-Uuid"]]
    assert (build.query["version"], build.query["remote"]) == (["2"], ["client-session"])
    assert (build.query["t"], build.query["dockerfile"]) == (["a:1", "b:2"], ["Dockerfile"])
    assert json.loads(build.query["cachefrom"][0]) == ["registry.example/cache"]
    assert json.loads(build.query["buildargs"][0]) == {"V": "1"}
    assert {"pull", "networkmode", "target"} <= build.query.keys()
    assert build.body == b""
    assert not [
        name for name in build.headers if name.lower().startswith("x-registry")
    ]  # BuildKit ignores them
    assert not [
        asked for asked in world.engine.asked if PASSWORD in str(asked) or "canary-secret" in str(asked)
    ]
    assert [name for _, name, _, _ in world.notes.steps] == ["[1/1] FROM scratch"]


def test_the_persons_proxies_are_build_arguments_unless_others_are_given(world: World) -> None:
    world.builder._proxies = proxy_arguments(
        {"default": {"httpProxy": "http://proxy:1", "noProxy": "a"}}, "x"
    )
    world.build(build_args={"NO_PROXY": "b", "V": "1"})
    assert json.loads(world.engine.last("/build").query["buildargs"][0]) == {
        "http_proxy": "http://proxy:1",
        "HTTP_PROXY": "http://proxy:1",
        "no_proxy": "a",
        "NO_PROXY": "b",
        "V": "1",
    }


@pytest.mark.parametrize(
    ("proxies", "found"),
    [
        ({"default": {"HTTPSProxy": "p"}}, {"https_proxy": "p", "HTTPS_PROXY": "p"}),
        (
            {"default": {"httpProxy": "p"}, "unix:///x": {"allProxy": "q"}},
            {"all_proxy": "q", "ALL_PROXY": "q"},
        ),
        ({"unix:///y": {"allProxy": "q"}}, {}),
        ({"default": {"httpProxy": "", "ftpProxy": 5, "odd": "x"}}, {}),
        ({"default": []}, {}),
        ([], {}),
        (None, {}),
    ],
)
def test_proxies_are_read_as_dockers_command_reads_them(proxies: object, found: dict[str, str]) -> None:
    assert proxy_arguments(proxies, "unix:///x") == found


def test_each_build_has_a_session_of_its_own(world: World) -> None:
    world.build()
    world.build()
    names = [
        asked.headers["X-Docker-Expose-Session-Uuid"]
        for asked in world.engine.asked
        if asked.path == "/session"
    ]
    assert len(set(names)) == 2


@pytest.mark.parametrize(
    "answer",
    [
        Answer(404, {"message": "page not found"}),
        Answer(200, {}),
        Answer(upgraded=lambda sock: None, status=500, body={}),
    ],
)
def test_an_engine_without_sessions_says_so_or_the_build_ends(world: World, answer: Answer) -> None:
    world.engine.on("POST /session", answer)
    if answer.upgraded:
        world.streams(then=world.engine.stalling())
    with pytest.raises(DockpassError) as raised:
        world.build()
    assert raised.value.id == ("builder-failed" if answer.upgraded else "session-refused")
    assert answer.upgraded or "--builder classic needs none" in raised.value.hint
    assert not answer.upgraded or world.engine.last("/build/cancel").query["id"]


def test_a_cancel_ends_the_build_in_the_engine(world: World) -> None:
    world.streams(then=world.engine.stalling(trace(vertex("[1/1] RUN sleep"))))
    cutter = threading.Thread(target=lambda: (world.engine.began.wait(10), world.builder.cut()))
    cutter.start()
    with pytest.raises(Cancelled):
        world.build()
    cutter.join(10)
    cancelled, build = world.engine.last("/build/cancel"), world.engine.last("/build")
    assert cancelled.query["id"] == build.query["buildid"]
    assert world.engine.lost.wait(10)
    with pytest.raises(Cancelled):
        world.build()


@pytest.mark.parametrize("what", ["POST /session", "POST /build"])
def test_a_cancel_ends_what_waits_for_an_engine_that_hangs(world: World, what: str) -> None:
    for each in (what, "POST /build/cancel"):
        world.engine.on(each, Answer(takes_body=False))
    cutter = threading.Thread(target=lambda: (world.engine.began.wait(10), world.builder.cut()))
    cutter.start()
    with pytest.raises(Cancelled):
        world.build()
    cutter.join(10)


def test_an_engine_that_hangs_at_the_session_is_given_up(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "SECONDS", 0.2)
    world.engine.on("POST /session", Answer(takes_body=False))
    with pytest.raises(DockpassError, match=r"no answer within 0\.2 s"):
        world.build()


def test_odd_words_in_the_stream_are_told_and_clean_and_end_nothing(world: World) -> None:
    world.streams(
        {"id": "moby.buildkit.trace", "aux": "no base64 ÿ"},
        {"id": "moby.buildkit.trace", "aux": {"odd": 1}},
        {"id": "moby.buildkit.trace", "aux": base64.b64encode(b"\x0a\xff").decode()},
        {"stream": "Successfully \x1b[31mtagged a:1\n"},
        {"status": 5},
        {"aux": {"ID": "no digest"}},
        b"no json\n",
        trace(vertex("a\x1b[2Jb\n")),
        IMAGE,
    )
    assert world.build() == ID
    assert "\x1b" not in str(world.notes.lines) + str(world.notes.steps)
    assert "Successfully tagged a:1" in world.notes.lines
    assert len(world.notes.steps) == 1


def test_an_image_without_an_id_is_not_called_built(world: World) -> None:
    world.streams({"stream": "done\n"})
    with pytest.raises(DockpassError) as raised:
        world.build()
    assert raised.value.id == "builder-failed"


METADATA = f"[internal] load metadata for {HOST}/b:1"


@pytest.mark.parametrize(
    ("words", "accepted", "error"),
    [
        ("pulling failed: 401 Unauthorized", frozenset(), LoginRefused),
        ("pulling failed: 401 Unauthorized", frozenset({HOST}), DockpassError),
        ('process "/bin/sh -c x" did not complete successfully: exit code: 7', frozenset(), DockpassError),
    ],
)
def test_what_buildkit_says_is_the_error(
    world: World, words: str, accepted: frozenset[str], error: type
) -> None:
    said = {"errorDetail": {"message": f"failed to solve: {words}"}, "error": words}
    world.streams(trace(vertex(METADATA, words)), said)
    with pytest.raises(error) as raised:
        world.build(accepted=accepted)
    assert words.partition(":")[0].split()[0] in raised.value.message
    assert (type(raised.value) is LoginRefused) == (error is LoginRefused)


def test_an_error_of_the_request_is_the_engines_own(world: World) -> None:
    world.engine.on(
        "POST /build", Answer(500, {"message": "dockerfile parse error line 3: unknown instruction: X"})
    )
    with pytest.raises(DockpassError, match="unknown instruction: X"):
        world.build()


def test_a_lost_connection_is_no_success(world: World) -> None:
    def stream() -> Iterator[Mapping[str, Any]]:
        yield trace(vertex("x"))
        raise OSError("gone")

    world.streams(then=stream)
    with pytest.raises(DockpassError) as raised:
        world.build()
    assert raised.value.id in {"engine-lost", "builder-failed"}


def test_what_dockpass_ran_into_says_more_than_buildkit(world: World) -> None:
    class Auth:
        """What dockpass ran into at one registry."""

        problem = LoginRefused("login-refused", "registry.example refused the login of me.")

        def problem_of(self, reference: str) -> DockpassError | None:
            return self.problem if reference.startswith(f"{HOST}/") else None

    auth: Any = Auth()
    other = DockpassError("context-unreadable", "a cannot be read")
    failed = DockpassError("build-failed", "failed")
    assert buildkit._cause(failed, f"{HOST}/b:1", auth, []) is Auth.problem
    assert buildkit._cause(failed, "other.example/b:1", auth, []) is None
    assert buildkit._cause(failed, "", auth, []) is None
    assert buildkit._cause(failed, "No Image", auth, []) is None
    assert buildkit._cause(failed, "", auth, [other]) is other
    assert buildkit._cause(Cancelled(), f"{HOST}/b:1", auth, [other]) is None


@pytest.mark.parametrize(
    "extras", [BuildExtras(cache_from=("type=local,src=x",)), BuildExtras(cache_to=("type=gha",))]
)
def test_caches_that_are_no_images_are_refused_before_anything_is_created(
    world: World, extras: BuildExtras
) -> None:
    request = BuildRequest(
        context=world.top,
        dockerfile=world.top / "Dockerfile",
        extras=extras,
    )
    with pytest.raises(UsageError) as raised:
        world.builder.check(request)
    assert raised.value.id == "cache-unsupported"


@pytest.mark.parametrize(
    ("value", "error_id"),
    [
        ("other", ""),
        ("docker-image://alpine", ""),
        ("https://git.example/x.git", ""),
        ("nowhere", "context-missing"),
        ("other/file", "context-missing"),
        ("oci-layout:///srv/layout", "build-context-invalid"),
        ("target:base", "build-context-invalid"),
    ],
)
def test_a_named_context_that_a_session_cannot_give_is_refused_before_anything_is_created(
    world: World, value: str, error_id: str
) -> None:
    (world.top / "other").mkdir()
    (world.top / "other" / "file").touch()
    request = BuildRequest(
        context=world.top,
        dockerfile=world.top / "Dockerfile",
        contexts=parse_contexts([f"name={value}"]),
        named_root=world.top,
    )
    if not error_id:
        world.builder.check(request)
        return
    with pytest.raises(UsageError) as raised:
        world.builder.check(request)
    assert raised.value.id == error_id
    assert value in raised.value.message


@pytest.mark.parametrize(
    ("platform", "cache_to", "words"),
    [
        ("linux/amd64,linux/arm64", (), "cannot build for linux/amd64 and linux/arm64 at once"),
        ("", ("registry.example/c:1",), "cannot export a cache to registry.example/c:1"),
        ("", ("type=inline", "type=registry,ref=x"), "cannot export a cache to type=registry,ref=x"),
        ("linux/arm64", ("type=inline",), ""),
    ],
)
def test_what_needs_containerds_store_is_refused_where_the_engine_has_another(
    world: World, platform: str, cache_to: tuple[str, ...], words: str
) -> None:
    request = BuildRequest(
        context=world.top,
        dockerfile=world.top / "Dockerfile",
        platform=platform,
        extras=BuildExtras(cache_to=cache_to),
    )
    if words:
        with pytest.raises(UsageError) as raised:
            world.builder.check(request)
        assert raised.value.id == "needs-containerd-store"
        assert f"{words}: Docker 26.1.5 does not keep" in raised.value.message
        world.store.lacks = False
    world.builder.check(request)


@pytest.mark.parametrize("verified", [False, True])
async def test_a_remote_engine_is_asked_by_tls_and_verified(tmp_path: Path, verified: bool) -> None:
    certificate, key = self_signed_files(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    heads: list[bytes] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.append(await reader.readuntil(b"\r\n\r\n"))
        writer.write(b"HTTP/1.1 101 Switching Protocols\r\n\r\nPRI")
        await reader.read()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0, ssl=context)
    port = server.sockets[0].getsockname()[1]
    endpoint = Endpoint(f"tcp://127.0.0.1:{port}", "a test", TlsFiles(verify=verified))
    async with server:
        if verified:
            with pytest.raises(DockpassError, match="certificate") as raised:
                await open_session(endpoint, {"Uuid": "x"}, ("/a",))
            assert raised.value.id == "session-refused"
            assert heads == []
            return
        reader, writer = await open_session(endpoint, {"Uuid": "x"}, ("/a", "/b"))
        assert await reader.readexactly(3) == b"PRI"
        writer.close()
    assert heads[0].count(b"X-Docker-Expose-Session-Grpc-Method") == 2
