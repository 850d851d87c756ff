"""What the readers share: real files, fingerprints, comparing, hosts, and that nothing gets out."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest
from readerworld import CONFIG, MemoryFiles, World, basic

from dockpass.dockerconfig.readers.compare import disagreements
from dockpass.dockerconfig.readers.files import FileKind, RealFileSystem
from dockpass.dockerconfig.readers.hosts import docker_host, runner_path
from dockpass.dockerconfig.readers.model import Reader, SecretKind, Verdict, fingerprint_of
from dockpass.dockerconfig.readers.read import known_hosts, read, read_all
from dockpass.dockerconfig.readers.reasons import Reason, reason_words
from dockpass.dockerconfig.readers.situation import Situation, Target, parse_target
from dockpass.dockerconfig.readers.words import verdict_short, verdict_words
from dockpass.errors import UsageError
from dockpass.secrets import Secret

HOST = "reg.example"
CANARY = "canary-secret-4711"


def test_every_reason_has_words() -> None:
    words = [reason_words(reason) for reason in Reason]
    assert len(set(words)) == len(words)


def test_equal_secrets_have_equal_fingerprints_and_no_others() -> None:
    assert fingerprint_of(Secret("a")) == fingerprint_of(Secret("a"))
    assert fingerprint_of(Secret("a")) != fingerprint_of(Secret("b"))
    assert fingerprint_of(Secret("")) == ""


def test_no_secret_is_in_any_reading() -> None:
    """Not in the entry, the variable, the job's login, nor in a helper's answer."""
    world = World(
        {
            CONFIG: {
                "auths": {HOST: basic("u", CANARY), f"{HOST}/a": {"identitytoken": CANARY}},
                "credsStore": "s",
            }
        },
        {
            "DOCKER_AUTH_CONFIG": json.dumps({"auths": {f"https://{HOST}": basic("v", CANARY)}}),
            "CI_REGISTRY": HOST,
            "CI_JOB_TOKEN": CANARY,
        },
        {"s": (1, b'{"Secret": "' + CANARY.encode() + b'"}')},
        ask=True,
    )
    readings = world.read_all(HOST)
    encoded = json.loads(world.environ["DOCKER_AUTH_CONFIG"])["auths"][f"https://{HOST}"]["auth"]
    for text in (repr(readings), *disagreements(readings)):
        assert CANARY not in text
        assert encoded not in text


def test_texts_are_clean() -> None:
    world = World(
        {CONFIG: {"auths": {f"https://{HOST}/\x1b[2J": basic("\x1b]0;owned\x07\u202eu"), "a\x1bb": 5}}}
    )
    for reading in world.read_all(HOST):
        assert "\x1b" not in repr(reading).replace("\\x1b", "\x1b")
        assert "\u202e" not in str(reading)


def test_one_helper_is_asked_once_for_all() -> None:
    world = World({CONFIG: {"credHelpers": {HOST: "h"}}}, helpers={"h": {HOST: ("u", "s")}}, ask=True)
    readings = world.read_all(HOST)
    assert world.asked == [("h", "get", HOST)]
    assert {reading.winner.user for reading in readings if reading.winner} == {"u"}
    assert disagreements(readings) == ()


def test_an_identity_token_of_a_helper() -> None:
    world = World({CONFIG: {"credsStore": "h"}}, helpers={"h": {HOST: ("<token>", "s")}}, ask=True)
    winner = world.read(Reader.CLI, HOST).winner
    assert winner is not None
    assert (winner.user, winner.secret_kind) == ("", SecretKind.IDENTITY_TOKEN)


@pytest.mark.parametrize("reader", [Reader.CLI_BEFORE, Reader.CLI])
def test_a_registry_token_goes_with_the_helpers_login(reader: Reader) -> None:
    entry = {"registrytoken": "t", "username": "f"}
    world = World({CONFIG: {"auths": {HOST: entry}, "credsStore": "h"}}, helpers={"h": {}}, ask=True)
    winner = world.read(reader, HOST).winner
    assert winner is not None
    assert (winner.secret_kind, winner.reason) == (SecretKind.REGISTRY_TOKEN, Reason.TOKEN_STAYS)


def test_the_sdk_drops_auth_where_there_is_a_token_even_an_empty_one() -> None:
    both = basic("u") | {"identitytoken": "t"}
    assert World({CONFIG: {"auths": {HOST: both}}}).read(Reader.SDK, HOST).winner.user == ""  # type: ignore[union-attr]
    empty = basic("u") | {"identitytoken": ""}
    assert World({CONFIG: {"auths": {HOST: empty}}}).read(Reader.SDK, HOST).verdict is Verdict.ANONYMOUS
    assert World({CONFIG: {"auths": {HOST: empty}}}).read(Reader.CLI, HOST).winner.user == "u"  # type: ignore[union-attr]


# Comparing


def test_agreement_is_silent() -> None:
    world = World({CONFIG: {"auths": {HOST: basic("u")}}})
    assert disagreements(world.read_all(HOST)) == ()


def test_the_variable_and_the_file() -> None:
    world = World(
        {CONFIG: {"auths": {HOST: basic("alice")}}},
        {"DOCKER_AUTH_CONFIG": json.dumps({"auths": {HOST: basic("ci-reader")}})},
    )
    (sentence,) = disagreements(world.read_all(HOST))
    assert sentence == (
        "docker 28.3 and later and GitLab Runner would use the entry of DOCKER_AUTH_CONFIG (ci-reader),"
        " docker before 28.3, the docker SDK, podman and skopeo would use the entry of"
        " /home/dev/.docker/config.json (alice): a push from them logs in as another user"
    )


def test_the_runner_pulls_and_does_not_push() -> None:
    """Only the images of a job and its services are the runner's; what a script pushes is docker's."""
    world = World({}, {"CI_REGISTRY": HOST, "CI_JOB_TOKEN": "token"})
    (sentence,) = disagreements(world.read_all(HOST))
    assert "a pull by GitLab Runner logs in as gitlab-ci-token" in sentence
    assert "push" not in sentence


def test_the_same_user_with_another_secret_is_a_disagreement() -> None:
    world = World(
        {CONFIG: {"auths": {HOST: basic("u", "old")}}},
        {"DOCKER_AUTH_CONFIG": json.dumps({"auths": {HOST: basic("u", "new")}})},
    )
    (sentence,) = disagreements(world.read_all(HOST))
    assert sentence.endswith("logs in as the same user with another secret")


def test_who_finds_nothing_logs_in_as_nobody() -> None:
    world = World({CONFIG: {"auths": {HOST: basic("u")}, "credsStore": "s"}}, helpers={"s": {}}, ask=True)
    sentences = disagreements(world.read_all(HOST))
    assert len(sentences) == 1
    assert "docker 28.3 and later and docker before 28.3 find no login" in sentences[0]
    assert sentences[0].endswith("logs in as u")


@pytest.mark.parametrize(
    "environ", [{}, {"DOCKER_CONFIG": "/none"}, {"REGISTRY_AUTH_FILE": "/none/auth.json"}]
)
def test_of_a_file_that_is_not_there_nothing_else_is_said(environ: dict[str, str]) -> None:
    world = World({}, environ=environ)
    for reading in world.read_all(HOST):
        sources = [found.source for found in reading.candidates]
        assert len(sources) == len(set(sources)), reading.reader


def test_what_depends_on_a_helper_is_not_compared() -> None:
    world = World({CONFIG: {"auths": {HOST: basic("u")}, "credsStore": "s"}}, helpers={"s": {}})
    assert disagreements(world.read_all(HOST)) == ()  # podman and skopeo alone have decided, and agree


def test_every_verdict_has_words() -> None:
    worlds = [
        World({CONFIG: {"auths": {HOST: basic("u")}}}),
        World(),
        World({CONFIG: {"auths": {HOST: {"auth": "!"}}}}),
        World({CONFIG: {"auths": {f"{HOST}/a": basic("u"), f"{HOST}/b": basic("v")}}}),
        World({CONFIG: {"credsStore": "s"}}, helpers={"s": {}}),
    ]
    seen = set()
    for world in worlds:
        for reading in world.read_all(HOST):
            seen.add(reading.verdict)
            assert verdict_words(reading)
            assert verdict_short(reading)
    assert seen == set(Verdict)


# Targets and hosts


@pytest.mark.parametrize(
    ("text", "target"),
    [
        ("reg.example", Target("reg.example")),
        ("reg.example:5000/", Target("reg.example:5000")),
        ("reg.example:5000/a/b:1.2", Target("reg.example:5000", "a/b")),
        ("reg.example/a@sha256:00", Target("reg.example", "a")),
        ("library/alpine:3", Target("docker.io", "library/alpine")),
        ("localhost/a", Target("localhost", "a")),
        ("REG/a", Target("REG", "a")),
        ("[::1]:5000/a", Target("[::1]:5000", "a")),
    ],
)
def test_targets(text: str, target: Target) -> None:
    assert parse_target(text) == target


@pytest.mark.parametrize("text", ["", "/", "https://reg.example", "a b", "a\x1b[2J", "@sha256:0"])
def test_what_is_no_target(text: str) -> None:
    with pytest.raises(UsageError):
        parse_target(text)


@pytest.mark.parametrize(
    ("key", "old", "new"),
    [
        ("reg.example/a", "reg.example", "reg.example"),
        ("https://reg.example:5000/v2/", "reg.example:5000", "reg.example:5000"),
        ("https://u:p@reg.example/", "reg.example", "reg.example"),
        ("https://reg.example:/", "reg.example", "reg.example"),
        ("https://[::1]:5000/", "[::1]:5000", "[::1]:5000"),
        ("1http://reg.example/", "1http:", "reg.example"),
        ("https://reg.example/%zz", "https:", "reg.example"),
        ("https://reg.example:abc/", "https:", "reg.example:abc"),
        ("reg.example", "reg.example", "reg.example"),
    ],
)
def test_hosts_of_keys(key: str, old: str, new: str) -> None:
    assert docker_host(key, lenient=False) == old
    assert docker_host(key, lenient=True) == new


@pytest.mark.parametrize(
    ("key", "path"),
    [
        ("https://index.docker.io/v1/", "docker.io"),
        ("HTTPS://Reg.Example:5000/v2/", "reg.example:5000"),
        ("Reg.Example/Group/App:1", "reg.example/Group/App"),
        ("reg.example:5000", "reg.example:5000"),
        ("reg.example/", "reg.example"),
    ],
)
def test_paths_of_the_runner(key: str, path: str) -> None:
    assert runner_path(key) == path


def test_known_hosts() -> None:
    config = {"auths": {"https://index.docker.io/v1/": {}, "x.invalid": {}, "a.example/b": {}}}
    world = World(
        {CONFIG: config | {"credHelpers": {"h.example": "h"}}, "/home/dev/.config/containers/auth.json": "{"},
        {"CI_REGISTRY": "ci.example:5050", "DOCKER_AUTH_CONFIG": json.dumps({"auths": {"v.example": {}}})},
    )
    hosts = known_hosts(world.situation, ["https://first.example/x"])
    assert hosts == ("first.example", "ci.example:5050", "v.example", "docker.io", "a.example", "h.example")


# Real files


def situation(home: Path, **environ: str) -> Situation:
    return Situation({"HOME": str(home), **environ}, home, os.getuid())


def write(path: Path, content: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(content))
    path.chmod(0o600)
    return path


def test_a_real_file_is_read(tmp_path: Path) -> None:
    write(tmp_path / ".docker" / "config.json", {"auths": {HOST: basic("u")}})
    readings = read_all(Target(HOST), situation(tmp_path))
    assert {reading.winner.user for reading in readings if reading.winner} == {"u"}
    assert len([reading for reading in readings if reading.winner]) == len(Reader)


def test_a_link_and_a_readable_file_are_told(tmp_path: Path) -> None:
    real = write(tmp_path / "real.json", {"auths": {HOST: basic("u")}})
    real.chmod(0o644)
    (tmp_path / ".docker").mkdir()
    (tmp_path / ".docker" / "config.json").symlink_to(real)
    reading = read(Reader.CLI, Target(HOST), situation(tmp_path))
    found = {finding.id: finding for finding in reading.findings}
    assert str(real) in found["file-is-a-link"].message
    assert "0644" in found["file-readable-by-others"].message


def test_a_fifo_and_a_device_do_not_hang(tmp_path: Path) -> None:
    (tmp_path / ".docker").mkdir()
    os.mkfifo(tmp_path / ".docker" / "config.json")
    files = RealFileSystem()
    assert files.read(tmp_path / ".docker" / "config.json").kind is FileKind.SPECIAL
    assert files.read(Path("/dev/zero")).kind is FileKind.SPECIAL
    verdicts = {reading.verdict for reading in read_all(Target(HOST), situation(tmp_path))}
    assert verdicts == {Verdict.UNDECIDED}


def test_what_real_paths_can_be(tmp_path: Path) -> None:
    files = RealFileSystem()
    (tmp_path / "large").write_bytes(b" " * ((1 << 20) + 1))
    (tmp_path / "dangling").symlink_to(tmp_path / "gone")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    kinds = {
        name: files.read(tmp_path / name).kind
        for name in ("large", "dangling", "loop", "gone", "large/x", "nul\0", "")
    }
    assert kinds == {
        "large": FileKind.TOO_LARGE,
        "dangling": FileKind.MISSING,
        "loop": FileKind.UNREADABLE,
        "gone": FileKind.MISSING,
        "large/x": FileKind.PARENT_IS_A_FILE,
        "nul\0": FileKind.UNREADABLE,
        "": FileKind.DIRECTORY,
    }
    assert files.exists(tmp_path)
    assert not files.exists(tmp_path / "gone")
    assert not files.exists(Path("nul\0"))


@pytest.mark.bound_by_modes
def test_a_file_without_rights(tmp_path: Path) -> None:
    path = write(tmp_path / ".docker" / "config.json", {})
    path.chmod(0)
    assert RealFileSystem().read(path).kind is FileKind.UNREADABLE


def test_a_helper_in_the_current_directory_is_not_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(tmp_path / ".docker" / "config.json", {"credsStore": "evil"})
    helper = tmp_path / "docker-credential-evil"
    helper.write_text(f"#!/bin/sh\ntouch {tmp_path}/ran\n")
    helper.chmod(helper.stat().st_mode | stat.S_IXUSR)
    monkeypatch.chdir(tmp_path)
    for path in ("", ".", "./"):
        made = Situation({"HOME": str(tmp_path), "PATH": path}, tmp_path, 0, ask=True)
        assert read(Reader.CLI, Target(HOST), made).verdict is Verdict.FAILS
    assert not (tmp_path / "ran").exists()


def test_a_real_helper_is_run_only_where_it_may_be(tmp_path: Path) -> None:
    write(tmp_path / ".docker" / "config.json", {"credsStore": "real"})
    helper = tmp_path / "docker-credential-real"
    helper.write_text(
        f'#!/bin/sh\necho "$1 $(cat)" >> {tmp_path}/log\necho \'{{"Username":"u","Secret":"s"}}\'\n'
    )
    helper.chmod(0o755)
    environ = {"HOME": str(tmp_path), "PATH": f"{tmp_path}:/usr/bin:/bin"}
    quiet = Situation(environ, tmp_path, os.getuid())
    assert {reading.verdict for reading in read_all(Target(HOST), quiet)} >= {Verdict.UNDECIDED}
    assert not (tmp_path / "log").exists()
    asking = Situation(environ, tmp_path, os.getuid(), ask=True)
    reading = read(Reader.CLI, Target(HOST), asking)
    assert reading.winner is not None
    assert reading.winner.user == "u"
    assert (tmp_path / "log").read_text() == f"get {HOST}\n"


def test_memory_and_real_files_agree(tmp_path: Path) -> None:
    """The tests' files in memory say the same as real ones."""
    path = write(tmp_path / "a.json", {"a": 1})
    memory = MemoryFiles({str(path): {"a": 1}}).read(path)
    real = RealFileSystem().read(path)
    assert (memory.kind, memory.raw, memory.mode) == (real.kind, real.raw, real.mode)


@pytest.mark.parametrize("name", ["REGISTRY_AUTH_FILE", "DOCKER_CONFIG"])
def test_podman_stops_where_a_named_file_is_missing_and_skopeo_goes_on(tmp_path: Path, name: str) -> None:
    from dockpass.dockerconfig.readers.model import Verdict
    from dockpass.dockerconfig.readers.podman import read_podman
    from dockpass.dockerconfig.readers.situation import Situation, parse_target

    situation = Situation({name: str(tmp_path / "missing")}, tmp_path, 1000, ask=False)
    target = parse_target("registry.example/team/app")
    found = read_podman(target, situation)
    assert found.verdict is Verdict.FAILS
    assert "missing" in found.candidates[0].source
    assert read_podman(target, situation, skopeo=True).verdict is Verdict.ANONYMOUS
