"""The engine over the SDK, against an engine that answers as told."""

from __future__ import annotations

import logging
import re
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest
from fakeengine import Answer, FakeEngine
from logins import ANONYMOUS, Given
from notes import Notes

from dockpass.engines import client as client_module
from dockpass.engines.base import BuildRequest
from dockpass.engines.client import RunClient
from dockpass.engines.docker import DockerEngine, open_engine
from dockpass.engines.endpoint import Endpoint
from dockpass.errors import Cancelled, DockpassError, LoginRefused
from dockpass.logfile import start_log
from dockpass.references.credential import Credential
from dockpass.secrets import Redactor, Secret

REFERENCE = "registry.test/team/app:1"
HOST = "registry.test"
ID = "sha256:" + "1" * 64
DIGEST = "sha256:" + "a" * 64
ME = Credential("me", Secret("canary-pässword"))
TOKEN = Credential("<token>", Secret(""), Secret("canary-identity"))
BROKEN_HOMES = [
    "{",
    '{"auths": {"registry.test": {"auth": "bm9jb2xvbg=="}}}',
    '{"credsStore": "no-such-helper", "credHelpers": {"other.test": "no-such-helper"}}',
    '{"auths": {"registry.test": {"auth": "aG9tZTpob21l"}}, "HttpHeaders": {"X-Home": "1"}}',
]


@pytest.fixture
def context(tmp_path: Path) -> BuildRequest:
    root = tmp_path / "context"
    root.mkdir()
    (root / "Dockerfile").write_text("FROM scratch\nCOPY big /\n")
    (root / "big").write_bytes(bytes(4 << 20))
    return BuildRequest(root, root / "Dockerfile", ("mine:1",), "last", {"A": "1"})


def cut_when(engine: DockerEngine, ready: threading.Event) -> threading.Thread:
    """Cut from another thread as soon as `ready`."""

    def cut() -> None:
        assert ready.wait(10)
        engine.cut()

    thread = threading.Thread(target=cut)
    thread.start()
    return thread


def test_requests_are_logged_without_the_values_of_their_queries(
    fake: FakeEngine, context: BuildRequest, notes: Notes, tmp_path: Path
) -> None:
    fake.answers["POST /build"] = Answer()
    start_log(tmp_path / "log", Redactor(), logging.DEBUG)
    engine = open_engine(Endpoint(fake.url, "the test"))
    try:
        with suppress(DockpassError):
            engine.build(replace(context, build_args={"TOKEN": "canary-argument"}), Given({HOST: ME}), notes)
    finally:
        engine.close()
        logging.getLogger("dockpass").handlers[:] = []
    text = (tmp_path / "log").read_text()
    assert re.search(r"DEBUG dockpass.http GET \S+/version 200 \d+ ms", text)
    assert re.search(r"DEBUG dockpass.http POST \S+/build 200 \d+ ms", text)
    assert "canary" not in text


# Credentials


@pytest.mark.parametrize("home", BROKEN_HOMES)
def test_the_persons_own_config_is_never_read(
    fake: FakeEngine, notes: Notes, in_home: Callable[[str], Path], context: BuildRequest, home: str
) -> None:
    in_home(home)
    fake.on("POST /images/create", Answer(stream=lambda: [{"status": f"Digest: {DIGEST}"}]))
    fake.on("POST /build", Answer(stream=lambda: [{"aux": {"ID": ID}}]))
    fake.on("POST /auth", Answer(body={"Status": "Login Succeeded"}))
    engine = open_engine(Endpoint(fake.url, "the test"))
    assert engine.login(HOST, Given(ME)) == "Login Succeeded"
    assert engine.pull(REFERENCE, ANONYMOUS, notes) == DIGEST
    assert engine.build(context, ANONYMOUS, notes) == ID
    assert fake.last("/images/create").decoded("X-Registry-Auth") == {}
    assert fake.last("/build").decoded("X-Registry-Config") == {}
    assert not [asked for asked in fake.asked if "X-Home" in asked.headers]


def test_a_login_asks_the_registry_each_time(
    fake: FakeEngine, engine: DockerEngine, in_home: Callable[[str], Path]
) -> None:
    in_home('{"auths": {"registry.test": {"auth": "bWU6b2xk"}}}')
    fake.on("POST /auth", Answer(body={"Status": "Login Succeeded"}))
    engine.login(HOST, Given(ME))
    fake.on("POST /auth", Answer(500, {"message": "unauthorized: authentication required"}))
    with pytest.raises(LoginRefused):
        engine.login(HOST, Given(ME))
    assert len([asked for asked in fake.asked if asked.path == "/auth"]) == 2


def test_credentials_travel_with_the_request_that_they_are_for(
    fake: FakeEngine, engine: DockerEngine, notes: Notes, context: BuildRequest
) -> None:
    fake.on("POST /images/create", Answer(stream=lambda: [{"status": f"Digest: {DIGEST}"}]))
    fake.on(f"POST /images/{HOST}/team/app/push", Answer(stream=lambda: [{"status": f"digest: {DIGEST}"}]))
    fake.on("POST /build", Answer(stream=lambda: [{"aux": {"ID": ID}}]))
    engine.pull(REFERENCE, Given(ME), notes)
    engine.push(REFERENCE, Given(TOKEN), notes)
    engine.build(context, Given(by_key={HOST: ME}), notes)
    pair = {"username": "me", "password": "canary-pässword"}
    assert fake.last("/images/create").decoded("X-Registry-Auth") == pair
    pushed = fake.last(f"/images/{HOST}/team/app/push")
    assert pushed.decoded("X-Registry-Auth") == {"identitytoken": "canary-identity"}
    assert fake.last("/build").decoded("X-Registry-Config") == {HOST: pair}


def test_a_redirect_is_not_followed(fake: FakeEngine, engine: DockerEngine, notes: Notes) -> None:
    fake.on("POST /images/create", Answer(307, headers={"Location": "/v1.41/elsewhere"}))
    with pytest.raises(DockpassError, match="307"):
        engine.pull(REFERENCE, Given(ME), notes)
    assert not [asked for asked in fake.asked if asked.path == "/elsewhere"]


# What is asked


def test_a_pull_asks_for_the_tag_or_the_digest(fake: FakeEngine, engine: DockerEngine, notes: Notes) -> None:
    fake.on("POST /images/create", Answer(stream=lambda: [{"status": f"Digest: {DIGEST}"}]))
    for reference, tag in ((REFERENCE, "1"), ("alpine", "latest"), (f"{HOST}/a:2@{DIGEST}", DIGEST)):
        engine.pull(reference, ANONYMOUS, notes)
        assert fake.last("/images/create").query["tag"] == [tag]
    assert fake.asked[2].query["fromImage"] == ["docker.io/library/alpine"]


def test_a_build_asks_for_everything_and_removes_what_it_leaves(
    fake: FakeEngine, engine: DockerEngine, notes: Notes, context: BuildRequest
) -> None:
    fake.on("POST /build", Answer(stream=lambda: [{"stream": "Step 1/1 : X\n"}, {"aux": {"ID": ID}}]))
    assert engine.build(context, ANONYMOUS, notes) == ID
    query = fake.last("/build").query
    assert query == {
        "t": ["mine:1"],
        "dockerfile": ["Dockerfile"],
        "target": ["last"],
        "buildargs": ['{"A": "1"}'],
        "rm": ["True"],
        "forcerm": ["True"],
    }
    assert "Step 1/1 : X" in notes.lines
    assert notes.layers[-1][:2] == ("context", "pushed")
    assert len(fake.last("/build").body) > 4 << 20


def test_an_image_named_only_in_words_is_looked_up(
    fake: FakeEngine, engine: DockerEngine, notes: Notes, context: BuildRequest
) -> None:
    fake.on("POST /build", Answer(stream=lambda: [{"stream": "Successfully built 111111111111\n"}]))
    fake.on("GET /images/111111111111/json", Answer(body={"Id": ID}))
    assert engine.build(context, ANONYMOUS, notes) == ID


def test_a_build_that_names_no_image_has_failed(
    fake: FakeEngine, engine: DockerEngine, notes: Notes, context: BuildRequest
) -> None:
    fake.on("POST /build", Answer(stream=lambda: [{"stream": "fine\n"}]))
    with pytest.raises(DockpassError, match="named no image"):
        engine.build(context, ANONYMOUS, notes)


def test_a_digest_that_no_stream_told_comes_from_the_image_if_it_has_but_one(
    fake: FakeEngine, engine: DockerEngine, notes: Notes
) -> None:
    fake.on("POST /images/create", Answer(stream=lambda: [{"stream": "done"}]))
    digests = [f"{HOST}/team/app@{DIGEST}", f"{HOST}/other@sha256:{'b' * 64}"]
    fake.on(f"GET /images/{REFERENCE}/json", Answer(body={"Id": ID, "RepoDigests": digests}))
    assert engine.pull(REFERENCE, ANONYMOUS, notes) == DIGEST
    digests.append(f"{HOST}/team/app@sha256:{'c' * 64}")
    assert engine.pull(REFERENCE, ANONYMOUS, notes) == ""


def test_the_last_name_of_an_image_is_kept(fake: FakeEngine, engine: DockerEngine) -> None:
    tags = [REFERENCE]
    fake.on(f"GET /images/{REFERENCE}/json", Answer(body={"Id": ID, "RepoTags": tags}))
    fake.on(f"DELETE /images/{REFERENCE}", Answer(body=[{"Untagged": REFERENCE}]))
    assert engine.untag(REFERENCE) is False
    tags.append("other:1")
    assert engine.untag(REFERENCE) is True
    assert fake.last(f"/images/{REFERENCE}").query == {"force": ["False"], "noprune": ["True"]}


def test_an_image_that_is_not_there_has_no_id(fake: FakeEngine, engine: DockerEngine) -> None:
    fake.on("GET /images/nope:1/json", Answer(404, {"message": "No such image: nope:1"}))
    assert engine.image_id("nope:1") is None
    assert engine.untag("nope:1") is False


# Errors


def test_an_error_in_a_stream_of_status_200_fails_the_push(
    fake: FakeEngine, engine: DockerEngine, notes: Notes
) -> None:
    events = [{"status": "Preparing", "id": "aa"}, {"errorDetail": {"message": "denied: access forbidden"}}]
    fake.on(f"POST /images/{HOST}/team/app/push", Answer(stream=lambda: events))
    with pytest.raises(DockpassError) as caught:
        engine.push(REFERENCE, Given(ME), notes)
    assert caught.value.id == "denied"
    assert "denied: access forbidden" in caught.value.message


def test_both_channels_say_the_same(fake: FakeEngine, engine: DockerEngine, notes: Notes) -> None:
    words = "manifest unknown: manifest unknown"
    found = []
    for answer in (Answer(404, {"message": words}), Answer(stream=lambda: [{"error": words}])):
        fake.on("POST /images/create", answer)
        with pytest.raises(DockpassError) as caught:
            engine.pull(REFERENCE, Given(ME), notes)
        found.append((caught.value.id, caught.value.message))
    assert found[0] == found[1]
    assert found[0][0] == "not-found"


def test_what_unauthorized_means_depends_on_the_login_before(
    fake: FakeEngine, engine: DockerEngine, notes: Notes
) -> None:
    fake.on("POST /images/create", Answer(500, {"message": "unauthorized: authentication required"}))
    with pytest.raises(DockpassError, match="No credentials for this registry"):
        engine.pull(REFERENCE, ANONYMOUS, notes)
    with pytest.raises(LoginRefused):
        engine.pull(REFERENCE, Given(ME), notes)
    fake.on("POST /auth", Answer(body={"Status": "Login Succeeded"}))
    engine.login(HOST, Given(ME))
    with pytest.raises(DockpassError, match="The login was accepted, so this user is not allowed") as caught:
        engine.pull(REFERENCE, Given(ME), notes)
    assert caught.value.id == "denied"


def test_a_refused_base_image_is_judged_by_its_own_host(
    fake: FakeEngine, engine: DockerEngine, notes: Notes, context: BuildRequest
) -> None:
    for base, kind in ((f"{HOST}/base:1", LoginRefused), ("other.test/base:1", DockpassError)):
        events = [{"stream": f"Step 1/2 : FROM {base}\n"}, {"error": "unauthorized: authentication required"}]
        fake.on("POST /build", Answer(stream=lambda events=events: events))
        with pytest.raises(DockpassError) as caught:
            engine.build(context, Given(by_key={HOST: ME}), notes)
        assert type(caught.value) is kind


@pytest.mark.parametrize("chunked", [True, False])
def test_odd_streams_are_tolerated(
    fake: FakeEngine, engine: DockerEngine, notes: Notes, chunked: bool
) -> None:
    stream = [b"\xff\xfe no json\n", b"[1, 2]\n", b"x" * (3 << 20) + b"\n", {"status": f"Digest: {DIGEST}"}]
    fake.on("POST /images/create", Answer(stream=lambda: stream, chunked=chunked))
    assert engine.pull(REFERENCE, ANONYMOUS, notes) == DIGEST
    assert all(len(line) <= 4096 for line in notes.lines)


def test_an_engine_that_dies_in_the_middle_is_told_as_such(
    fake: FakeEngine, engine: DockerEngine, notes: Notes
) -> None:
    def stream() -> object:
        yield {"status": "Pulling", "id": "aa"}
        raise OSError("gone")

    fake.on("POST /images/create", Answer(stream=stream))
    with pytest.raises(DockpassError) as caught:
        engine.pull(REFERENCE, ANONYMOUS, notes)
    assert caught.value.id == "engine-lost"
    assert fake.url in caught.value.message


def test_a_build_refused_before_all_is_sent_says_why(
    fake: FakeEngine, engine: DockerEngine, notes: Notes, context: BuildRequest
) -> None:
    fake.on("POST /build", Answer(400, {"message": "dockerfile parse error line 1"}, takes_body=False))
    fake.released.set()
    with pytest.raises(DockpassError) as caught:
        engine.build(context, ANONYMOUS, notes)
    assert caught.value.id == "dockerfile-invalid"


# Cutting


@pytest.mark.parametrize("what", ["pull", "push", "build", "login", "image_id"])
def test_whatever_waits_for_an_answer_ends_when_cut(
    fake: FakeEngine, engine: DockerEngine, notes: Notes, context: BuildRequest, what: str
) -> None:
    for path in (
        "POST /images/create",
        f"POST /images/{HOST}/team/app/push",
        "POST /build",
        "POST /auth",
        f"GET /images/{REFERENCE}/json",
    ):
        fake.on(path, Answer(takes_body=False))
    work: dict[str, Callable[[], object]] = {
        "pull": lambda: engine.pull(REFERENCE, Given(ME), notes),
        "push": lambda: engine.push(REFERENCE, Given(ME), notes),
        "build": lambda: engine.build(context, ANONYMOUS, notes),  # in the middle of the upload
        "login": lambda: engine.login(HOST, Given(ME)),
        "image_id": lambda: engine.image_id(REFERENCE),
    }

    def cut() -> None:
        assert fake.began.wait(10)
        engine.cut()

    thread = threading.Thread(target=cut)
    thread.start()
    with pytest.raises(Cancelled):
        work[what]()
    thread.join()
    assert not fake.released.is_set()  # the engine has not answered to this moment


@pytest.mark.parametrize("chunked", [True, False])
def test_a_stream_that_is_silent_ends_when_cut_and_the_engine_sees_it(
    fake: FakeEngine, engine: DockerEngine, notes: Notes, chunked: bool
) -> None:
    stream = fake.stalling({"status": "Pulling fs layer", "id": "aa"})
    fake.on("POST /images/create", Answer(stream=stream, chunked=chunked))
    thread = cut_when(engine, fake.began)
    with pytest.raises(Cancelled):
        engine.pull(REFERENCE, Given(ME), notes)
    thread.join()
    assert fake.lost.wait(2)


def test_a_cut_before_the_work_begins_is_not_missed(
    fake: FakeEngine, engine: DockerEngine, notes: Notes
) -> None:
    engine.cut()
    with pytest.raises(Cancelled):
        engine.pull(REFERENCE, Given(ME), notes)
    assert not [asked for asked in fake.asked if asked.path == "/images/create"]


def test_a_cut_between_the_look_and_the_connection_is_not_missed(fake: FakeEngine, notes: Notes) -> None:
    """The request is on its way, and there is no socket yet that could be shut down."""
    fake.on("POST /images/create", Answer(takes_body=False))
    client = RunClient(Endpoint(fake.url, "the test"))
    client.ask_version(2)
    send = client.send
    client.send = lambda *a, **k: (client.cutter.cut(), send(*a, **k))[1]
    with pytest.raises(Cancelled):
        DockerEngine(client, Endpoint(fake.url, "the test")).pull(REFERENCE, Given(ME), notes)


def test_names_are_still_given_back_after_a_cut(fake: FakeEngine, engine: DockerEngine) -> None:
    tags = [REFERENCE, "other:1"]
    fake.on(f"GET /images/{REFERENCE}/json", Answer(body={"Id": ID, "RepoTags": tags}))
    fake.on(f"DELETE /images/{REFERENCE}", Answer(body=[]))
    fake.on(f"POST /images/{ID}/tag", Answer(201))
    engine.cut()
    assert engine.untag(REFERENCE)
    engine.tag(ID, REFERENCE)
    assert fake.last(f"/images/{ID}/tag").query["tag"] == ["1"]


def test_a_cancelled_sink_ends_an_upload(
    fake: FakeEngine, engine: DockerEngine, notes: Notes, context: BuildRequest
) -> None:
    notes.cancelled.set()
    with pytest.raises(Cancelled):
        engine.build(context, ANONYMOUS, notes)
    assert not [asked for asked in fake.asked if asked.path == "/build"]


def test_an_engine_that_is_slow_to_read_an_upload_is_waited_for(
    fake: FakeEngine, notes: Notes, context: BuildRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The limit for connecting, here a tenth of a second, is none for sending."""
    monkeypatch.setattr(client_module, "CONNECT_SECONDS", 0.1)
    monkeypatch.setattr("dockpass.engines.docker.LONG_WORK", (0.1, None))
    fake.on("POST /build", Answer(400, {"message": "dockerfile parse error"}, takes_body=False))
    engine = open_engine(Endpoint(fake.url, "the test"))
    threading.Timer(0.6, fake.released.set).start()
    with pytest.raises(DockpassError) as caught:
        engine.build(context, ANONYMOUS, notes)
    assert caught.value.id == "dockerfile-invalid"


# The SDK


def test_the_client_sets_up_all_that_the_sdks_own_constructor_does(
    fake: FakeEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A newer SDK that keeps more in its client is noticed here."""
    from docker import APIClient

    theirs = APIClient(base_url=fake.url.replace("unix://", "http+unix://"), version="1.41")
    ours = RunClient(Endpoint(fake.url, "the test"))
    assert vars(theirs).keys() <= vars(ours).keys()


# The daemon's proxy


@pytest.mark.parametrize(
    ("told", "words"),
    [
        ({}, ""),
        ({"HttpProxy": "", "HttpsProxy": "", "NoProxy": "x"}, ""),
        ({"HttpsProxy": "http://p.example:1"}, "http://p.example:1"),
        (
            {"HttpProxy": "http://u:canary@p.example:1", "HttpsProxy": "http://u:canary@p.example:1"},
            "http://••••@p.example:1",
        ),
        (
            {"HttpProxy": "a:1", "HttpsProxy": "b:2", "NoProxy": ".c\x1b[2J"},
            "http://b:2, http://a:1, but not for .c",
        ),
        ({"HttpProxy": 5, "HttpsProxy": ["x"], "NoProxy": None}, ""),
    ],
)
def test_the_proxy_of_the_daemon_is_told(
    fake: FakeEngine, engine: DockerEngine, told: dict[str, object], words: str
) -> None:
    fake.on("GET /info", Answer(body=told))
    assert engine.own_proxy() == words


@pytest.mark.parametrize(
    ("told", "lacks"),
    [
        ({"Driver": "overlay2", "DriverStatus": [["Backing Filesystem", "extfs"]]}, True),
        ({"Driver": "vfs", "DriverStatus": None}, True),
        ({"Driver": "overlayfs", "DriverStatus": [["driver-type", "io.containerd.snapshotter.v1"]]}, False),
        ({}, False),
        (["x"], False),
        ({"Driver": "x", "DriverStatus": {"driver-type": 1}}, True),
    ],
)
def test_containerds_store_is_only_lacking_where_the_engine_tells_another(
    fake: FakeEngine, engine: DockerEngine, told: object, lacks: bool
) -> None:
    fake.on("GET /info", Answer(body=told))
    assert engine.lacks_containerd_store() is lacks


@pytest.mark.parametrize(
    "answer",
    [Answer(500, {"message": "no"}), Answer(500, ["no"]), Answer(404), Answer(body=["x"]), Answer(body=5)],
)
def test_a_daemon_that_does_not_tell_its_proxy_is_no_failure(
    fake: FakeEngine, engine: DockerEngine, answer: Answer
) -> None:
    fake.on("GET /info", answer)
    assert engine.own_proxy() == ""
