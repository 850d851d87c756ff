"""The debug log's line for each request, and what must never stand in it."""

import logging
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from fakerealm import PATH, FakeRealm
from fakeregistry import FakeRegistry, Said
from hypothesis import given
from hypothesis import strategies as st

from dockpass.errors import DockpassError, UsageError
from dockpass.logfile import LEVELS, log_level, log_problem, start_log
from dockpass.references.credential import Credential
from dockpass.registry.request_log import shown_address
from dockpass.registry.session import Session
from dockpass.registry.transport import Transport
from dockpass.secrets import Redactor, Secret

CANARY = "cAnArY-7f3a"
LINE = re.compile(r"^\S+ \S+ DEBUG dockpass\.http (\S+) (\S+) (\d{3}|no response \([\w-]+\)) \d+ ms$")


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Path]:
    """A log whose redactor knows no secret at all: what is not there needs no masking."""
    start_log(tmp_path / "log", Redactor(), logging.DEBUG)
    yield tmp_path / "log"
    logger = logging.getLogger("dockpass")
    logger.handlers[:] = []
    logger.setLevel(logging.NOTSET)


def lines(log: Path) -> list[tuple[str, str, str]]:
    text = log.read_text()
    assert CANARY not in text
    found = [LINE.match(line) for line in text.splitlines()]
    assert all(found), text
    return [(line[1], line[2], line[3]) for line in found if line]


async def send(method: str, url: str, *, leaves: bool = False) -> None:
    headers = {"Authorization": f"Bearer {CANARY}"}
    async with Transport() as transport:
        await transport.request(method, url, headers=headers, limit=1 << 10, leaves_origin=leaves)


async def test_a_login_is_logged_without_anything_that_it_carried(log: Path) -> None:
    async with FakeRealm(realm="/auth", token=lambda _: Said(200, {"token": CANARY})) as realm:
        realm.service = f"x?token={CANARY}"
        async with Transport() as transport:
            credential = Credential(f"user-{CANARY}", Secret(CANARY))
            session = Session(realm.host, credential, transport)
            await session.send(
                "GET", f"/v2/{PATH}/tags/list?n=1&last={CANARY}", f"repository:{PATH}:pull", limit=1 << 10
            )
        base = f"http://{realm.host}"
        assert lines(log)[1:] == [
            ("GET", f"{base}/v2/", "401"),
            ("GET", f"{base}/auth", "200"),
            ("GET", f"{base}/v2/{PATH}/tags/list?n=1", "200"),
        ]
        assert lines(log)[0] == ("GET", f"https://{realm.host}/v2/", "no response (not-tls)")


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        (f"/v2/a/b/blobs/uploads/{CANARY}?_state={CANARY}", "/v2/a/b/blobs/uploads/…"),
        (f"/v2/a/b/blobs/uploads/{CANARY}/{CANARY}?digest=sha256:0", "/v2/a/b/blobs/uploads/…"),
        (f"/v2/a/b/blobs/upload/{CANARY}", "/v2/a/b/blobs/upload/…"),
        (f"/artifacts-uploads/namespaces/p/uploads/{CANARY}", "/artifacts-uploads/namespaces/p/uploads/…"),
        (f"/upload/{CANARY}", "/upload/…"),
        ("/v2/a/b/blobs/uploads/", "/v2/a/b/blobs/uploads/"),
        ("/v2/uploads/app/manifests/v1", "/v2/uploads/app/manifests/v1"),
        (f"/v2/a/tags/list?n=100&last={CANARY}&next_page_token={CANARY}", "/v2/a/tags/list?n=100"),
    ],
)
async def test_an_address_is_logged_without_its_secrets(
    fake: FakeRegistry, log: Path, path: str, shown: str
) -> None:
    fake.say("PATCH", path.partition("?")[0], Said(202))
    await send("PATCH", fake.url + path)
    assert lines(log) == [("PATCH", fake.url + shown, "202")]


async def test_of_another_origin_that_a_redirect_names_only_the_host_is_logged(
    fake: FakeRegistry, log: Path
) -> None:
    async with FakeRegistry() as storage:
        location = f"{storage.url}/{CANARY}/blob?X-Amz-Signature={CANARY}"
        fake.say("GET", "/v2/a/blobs/sha256:0", Said(307, headers=(("Location", location),)))
        storage.say("GET", f"/{CANARY}/blob", Said(200, b"blob"))
        await send("GET", f"{fake.url}/v2/a/blobs/sha256:0", leaves=True)
        assert lines(log) == [
            ("GET", f"{fake.url}/v2/a/blobs/sha256:0", "307"),
            ("GET", f"{storage.url}/…", "200"),
        ]


async def test_a_request_without_a_response_is_logged_with_the_reason(log: Path) -> None:
    with pytest.raises(DockpassError):
        await send("GET", f"http://127.0.0.1:1/v2/?password={CANARY}")
    assert lines(log) == [("GET", "http://127.0.0.1:1/v2/", "no response (connection-refused)")]


async def test_nothing_is_logged_at_the_usual_level(fake: FakeRegistry, tmp_path: Path) -> None:
    start_log(tmp_path / "log", Redactor())
    await send("GET", f"{fake.url}/v2/")
    assert not (tmp_path / "log").exists()
    logging.getLogger("dockpass").handlers[:] = []


@given(st.text("abc/?#@:&=%_.-", max_size=40), st.text("abc", min_size=1, max_size=5))
def test_no_user_and_no_value_of_a_query_is_shown(rest: str, user: str) -> None:
    shown = shown_address(
        f"https://{user}:{CANARY}@registry.example/{rest.partition('?')[0]}?x={CANARY}&{rest}"
    )
    assert CANARY not in shown
    assert shown.startswith("https://registry.example/")


def test_the_level_is_read_from_the_environment() -> None:
    assert log_level({}) == log_level({"DOCKPASS_LOG_LEVEL": ""}) == logging.INFO
    for name, level in LEVELS.items():
        assert (
            log_level({"DOCKPASS_LOG_LEVEL": name})
            == log_level({"DOCKPASS_LOG_LEVEL": name.upper()})
            == level
        )


def test_what_comes_after_the_log_failed_is_not_printed_in_its_place(
    log: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    start_log(Path("/dev/full"), Redactor())
    for _ in range(3):
        logging.getLogger("dockpass.http").error("a warning with %s", CANARY)
    assert log_problem() == "the log file cannot be written: No space left on device"
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    ("value", "meant"),
    [("debg", "debug"), ("warn", "warning"), ("Debug ", "debug"), ("trace", ""), ("1", "")],
)
def test_a_wrong_level_is_an_error_that_names_the_right_one(value: str, meant: str) -> None:
    with pytest.raises(UsageError) as caught:
        log_level({"DOCKPASS_LOG_LEVEL": value})
    assert caught.value.id == "log-level-invalid"
    assert value in caught.value.message
    assert caught.value.hint.startswith(f"Did you mean {meant}?" if meant else "The levels are")
