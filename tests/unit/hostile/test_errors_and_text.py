"""A24 to A28: what servers and engines say, on its way to a person."""

from __future__ import annotations

import base64
import json
import tracemalloc
from collections.abc import Iterator

import pytest
from hostile import ME, PASSWORD, Hostile, Reply, World, bearer
from notes import Notes
from screens import painted

from dockpass.engines.stream import LONGEST_LINE, LONGEST_SHOWN, Reporter, StreamError, objects
from dockpass.errors import DockpassError, ExitCode, LoginRefused, UsageError
from dockpass.references.reference import is_digest, is_repository_path, is_tag, parse_reference
from dockpass.runs import events as ev
from dockpass.ui.app import DockpassApp
from dockpass.ui.screens.run import RunScreen
from scenes import JOB, session

LIST = "/v2/web/tags/list"

ESCAPES = (
    "\x1b]0;owned\x07title",
    "\x1b]52;c;b3duZWQ=\x07clipboard",
    "\x1b[2J\x1b[Hscreen",
    "\x1b]8;;https://evil.example\x1b\\link\x1b]8;;\x1b\\",
    "bell\x07",
    "\x9b2Jc1",
    "\x9d0;owned\x9cc1 title",
    "\u202egnp.exe",
    "zero\u200bwidth\u2066",
    "\x1bcreset",
    "\x1bP+q544e\x1b\\dcs",
    "back\x08\x08\x08space\r over",
    "\ud800lone",
)
MARKUP = ("[@click=app.quit]quit[/]", "[link=https://evil.example]x[/link]", "[/]", "[bold", "[[", "\\[x]")


def inert(text: str) -> bool:
    return text.isprintable() and not any("\u202a" <= sign <= "\u2069" for sign in text)


async def said(world: World, reply: Reply) -> DockpassError:
    """What listing the tags says of this answer."""
    server = await world.server("registry.example")
    server.on("/v2/", Reply())
    server.on(LIST, reply)
    with pytest.raises(DockpassError) as caught:
        await (await world.client(server.host)).tags("web")
    return caught.value


async def shown(*texts: str) -> str:
    """Show texts wherever a run shows words of a server; return the screen with its blanks."""
    text = " ".join(texts)
    script = (
        ev.PhaseStarted(0.1, ev.Phase.LOGIN, text),
        *(ev.Log(0.1, kind, each) for kind in ev.LogKind for each in texts),
        ev.LoginRefused(0.2, "registry.myhost.com", "me", text, text, text),
        ev.PhaseEnded(0.2, ev.Phase.LOGIN, ev.Status.FAILED, text),
        ev.Ended(0.3, ev.Status.FAILED, ExitCode.FAILED, "x", text, text),
    )
    app = DockpassApp(session(JOB, script=script))
    async with app.run_test(size=(160, 48), notifications=True, tooltips=True) as pilot:
        await pilot.pause()
        for key in ("2", "enter", "r"):
            await pilot.press(key)
            await pilot.pause()
        assert isinstance(app.screen, RunScreen)
        app.screen.pump()
        app.notify(text, markup=False)
        await pilot.pause()
        for row in range(4, 30, 2):
            await pilot.click(offset=(60, row))
        await pilot.pause()
        assert app.is_running
        assert app.clipboard == ""
        return painted(app)


@pytest.mark.parametrize("payload", ESCAPES)
async def test_a24_escapes_in_an_error_reach_nobody(world: World, payload: str) -> None:
    as_json = {"errors": [{"code": payload, "message": payload, "detail": payload}]}
    for reply in (
        Reply(403, as_json),
        Reply(500, {"message": payload}),
        Reply(404, payload.encode("utf-8", "surrogatepass")),
        Reply(
            401, b"", (("WWW-Authenticate", payload.encode("utf-8", "surrogatepass").replace(b"\r", b"")),)
        ),
        Reply(
            raw=b"HTTP/1.1 500 " + payload.encode("utf-8", "surrogatepass").replace(b"\r", b"") + b"\r\n\r\n"
        ),
    ):
        error = await said(world, reply)
        assert inert(error.message)
        assert inert(error.hint)
        assert "owned" not in error.message


async def test_a24_nor_the_screen(world: World) -> None:
    error = await said(world, Reply(403, {"errors": [{"code": "DENIED", "message": "".join(ESCAPES)}]}))
    picture = await shown(error.message)
    assert "screen" in picture
    assert all(sign.isprintable() or sign == "\n" for sign in picture)
    assert "evil.example" not in picture


@pytest.mark.parametrize("payload", MARKUP)
async def test_a25_markup_in_an_error_is_literal_text(world: World, payload: str) -> None:
    error = await said(world, Reply(403, {"errors": [{"code": "DENIED", "message": payload}]}))
    assert payload in error.message
    assert payload in await shown(error.message, payload)


NAMES = (
    "v1\x1b[2J",
    "v1\nv2",
    "x" * 10_240,
    "v1 ",
    " v1",
    "",
    ".v1",
    "-v1",
    "v1/../../x",
    "v1?digest=x",
    "v1%2f..",
    "v1#x",
    "а1",  # Cyrillic
    "ｖ1",
    "v1\u200b",
    "v1\x00",
)


@pytest.mark.parametrize("name", NAMES)
async def test_a26_a_tag_that_is_none_makes_no_address(world: World, name: str) -> None:
    error = await said(world, Reply(200, {"name": "web", "tags": ["good", name]}))
    assert error.id == "answer-refused"
    assert inert(error.message)
    assert len(error.message) < 400
    server = await world.server("quiet.example")
    client = await world.client(server.host)
    for call in (client.delete_tag("web", name), client.manifest("web", name)):
        with pytest.raises(DockpassError) as caught:
            await call
        assert caught.value.id == "answer-refused"
    assert not server.asked


@pytest.mark.parametrize(
    "name", ["../other", "web/../x", "Web", "web?x", "web%2f", "", "/web", "web/", "web//x", "w" * 300, "а/b"]
)
async def test_a26_neither_does_a_repository_that_is_none(world: World, name: str) -> None:
    server = await world.server("quiet.example")
    client = await world.client(server.host)
    digest = "sha256:" + "a" * 64
    for call in (
        client.tags(name),
        client.manifest(name, "v1"),
        client.config(name, digest),
        client.delete_digest(name, digest),
        client.delete_tag(name, "v1"),
    ):
        with pytest.raises(DockpassError) as caught:
            await call
        assert caught.value.id == "answer-refused"
    assert not server.asked


@pytest.mark.parametrize("name", NAMES)
def test_a26_the_grammar_takes_none_of_them(name: str) -> None:
    assert not is_tag(name)
    assert not is_digest(name)
    assert not is_repository_path(name)
    with pytest.raises(UsageError) as caught:
        parse_reference(f"registry.example/web:{name}")
    assert inert(caught.value.message)


def reported(chunks: list[bytes]) -> Notes:
    notes = Notes()
    reporter = Reporter(notes, lambda: 0.0)
    for event in objects(chunks):
        reporter.take(event)
    reporter.finish()
    return notes


@pytest.mark.parametrize("payload", [*ESCAPES, *MARKUP])
def test_a27_the_engines_stream_is_inert_however_it_is_cut(payload: str) -> None:
    raw = (json.dumps({"stream": f"{payload}\n"}) + "\r\n").encode()
    raw += (
        json.dumps({"status": payload, "id": payload}, ensure_ascii=False).encode("utf-8", "replace") + b"\n"
    )
    raw += payload.encode("utf-8", "replace") + b"\n{broken\n"
    whole = reported([raw]).lines
    assert whole
    assert all(inert(line) for line in whole)
    for size in (1, 3):  # also inside a UTF-8 sequence
        assert reported([raw[at : at + size] for at in range(0, len(raw), size)]).lines == whole


def test_a27_a_line_of_50_mib_and_bytes_that_are_no_text_are_bounded() -> None:
    def chunks() -> Iterator[bytes]:
        yield b'{"stream":"'
        for _ in range(800):
            yield b"\xff" * (1 << 16)
        yield b'"}\n{"stream":"after\\n"}\n'

    tracemalloc.start()
    try:
        notes = Notes()
        reporter = Reporter(notes, lambda: 0.0)
        for event in objects(chunks()):
            reporter.take(event)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert notes.lines[-1] == "after"
    assert peak < 8 * LONGEST_LINE
    assert all(len(line) <= LONGEST_SHOWN and inert(line) for line in notes.lines)


def test_a27_an_error_of_the_engine_is_inert_too() -> None:
    for payload in (*ESCAPES, *MARKUP):
        with pytest.raises(StreamError) as caught:
            reported([json.dumps({"errorDetail": {"message": payload}}).encode()])
        assert inert(str(caught.value))


async def mirrored(world: World, server: Hostile, echo: bytes) -> DockpassError:
    server.on("/v2/", Reply(401, echo, (("WWW-Authenticate", "Basic"),)))
    with pytest.raises(LoginRefused) as caught:
        await (await world.client(server.host)).login()
    return caught.value


@pytest.mark.parametrize("form", ["{}", '{{"errors":[{{"code":"X","message":"you sent {}"}}]}}', "<b>{}</b>"])
async def test_a28_a_mirrored_authorization_is_masked(world: World, form: str) -> None:
    encoded = base64.b64encode(f"myuser:{PASSWORD}".encode()).decode()
    server = await world.server("registry.example")
    for echo in (f"Basic {encoded}", encoded, f"myuser:{PASSWORD}", PASSWORD, encoded.rstrip("=")):
        error = await mirrored(world, server, form.format(echo).encode())
        everything = " ".join((error.message, error.hint, str(vars(error))))
        assert PASSWORD not in everything
        assert encoded.rstrip("=") not in everything


async def test_a28_nor_does_a_token_server_show_what_it_got(world: World) -> None:
    server = await world.server("registry.example")
    server.on("/v2/", bearer(f"{server.url}/token"))
    encoded = base64.b64encode(f"{ME.username}:{PASSWORD}".encode()).decode()
    server.on("/token", Reply(401, {"message": f"{encoded} is {PASSWORD}"}))
    with pytest.raises(LoginRefused) as caught:
        await (await world.client(server.host)).tags("web")
    assert PASSWORD not in str(vars(caught.value))
    assert encoded not in str(vars(caught.value))
