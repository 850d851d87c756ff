"""A37 to A43: helpers, config files, the temporary config, and secrets where they do not belong."""

from __future__ import annotations

import json
import logging
import os
import resource
import stat
import threading
import traceback
from collections.abc import Iterator, Mapping
from pathlib import Path

import needed
import pytest
from fakeengine import Answer, FakeEngine
from helperprograms import WriteHelper, helper_writer
from program import Program
from screens import painted

from dockpass.auth.command import Command
from dockpass.auth.decide import decide
from dockpass.auth.decision import Decision, Refusal
from dockpass.auth.facts import Facts, Options
from dockpass.dockerconfig.configfile import LARGEST_FILE, FileState, read_config
from dockpass.dockerconfig.helpers import HelperOutcome, ask_helper, find_program
from dockpass.dockerconfig.places import Place, places
from dockpass.dockerconfig.sweep import sweep
from dockpass.dockerconfig.temporary import TemporaryConfig
from dockpass.errors import DockpassError, UsageError
from dockpass.logfile import start_log
from dockpass.references.credential import Credential
from dockpass.references.reference import parse_repository
from dockpass.registry.token import basic
from dockpass.secrets import MASK, Redactor, Secret
from dockpass.ui.app import DockpassApp
from dockpass.variables.findings import find_findings
from dockpass.variables.gather import gather
from scenes import JOB, session

KEY = "registry.example"
SECRET = "canary-secret-0123456789"
ENTRIES = {KEY: Credential("me", Secret(SECRET))}


@pytest.fixture
def write_helper(tmp_path: Path) -> WriteHelper:
    """Write `docker-credential-NAME` as a shell script; returns an environment that finds it."""
    return helper_writer(tmp_path / "helpers")


def config_of(directory: Path, content: bytes | str) -> Path:
    directory.mkdir(exist_ok=True)
    raw = content if isinstance(content, bytes) else content.encode()
    (directory / "config.json").write_bytes(raw)
    (directory / "config.json").chmod(0o600)
    return directory


# Helpers


@pytest.mark.parametrize(
    "name",
    [
        "../evil",
        "a/b",
        "/bin/sh",
        "..",
        "a..b",
        "a b",
        "-x",
        "--help",
        "a\x00b",
        "",
        ".",
        "a\n",
        "é",
        "a;b",
        "$(id)",
    ],
)
def test_a37_a_name_that_is_no_plain_word_starts_nothing(
    write_helper: WriteHelper, tmp_path: Path, name: str
) -> None:
    environ = write_helper("evil", f"touch {tmp_path}/ran")
    (tmp_path / "helpers" / "docker-credential-..").mkdir()
    result = ask_helper(name, KEY, environ)
    assert result.outcome is HelperOutcome.FAILED
    assert "not a helper's name" in result.because
    assert result.because.isprintable()
    assert not (tmp_path / "ran").exists()


def test_a37_a_helper_is_never_taken_from_the_current_directory(
    write_helper: WriteHelper, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_helper("here", f"touch {tmp_path}/ran")
    monkeypatch.chdir(tmp_path / "helpers")
    for path in ("", ".", ":", "./", "../helpers", ":/usr/bin", "helpers"):
        assert find_program("docker-credential-here", {"PATH": path}) is None
        assert ask_helper("here", KEY, {"PATH": path}).outcome is HelperOutcome.FAILED
    assert not (tmp_path / "ran").exists()


def test_a38_a_helper_that_hangs_is_ended(write_helper: WriteHelper) -> None:
    result = ask_helper("hang", KEY, write_helper("hang", "sleep 600"), seconds=0.3)
    assert "did not answer within" in result.because


def test_a38_a_helper_that_never_stops_talking_is_ended(write_helper: WriteHelper) -> None:
    for stream in ("", " >&2"):
        environ = write_helper("loud", f"exec head -c 104857600 /dev/zero{stream}")
        assert "more than 64 KiB" in ask_helper("loud", KEY, environ).because


@pytest.mark.parametrize(
    ("script", "because"),
    [
        (r"printf '\033]0;owned\007\033[2Jlocked' >&2; exit 1", "failed: “locked”"),
        ("echo junk", "did not answer with JSON"),
        ('echo \'{"Username":"a"} and more\'', "did not answer with JSON"),
        ("head -c 60000 /dev/zero | tr '\\0' '['", "did not answer with JSON"),
        (
            'echo \'{"ServerURL":"evil.example","Username":"a","Secret":"canary-x"}\'',
            "another registry: evil.example",
        ),
        ('echo \'{"Username":"a","Secret":["canary-x"]}\'', "without Username and Secret"),
        ('echo \'{"Username":"a","Secret":"canary-x"}\' >&2; exit 1', "exit status 1"),
    ],
)
def test_a38_what_a_helper_does_wrong_is_told_inertly(
    write_helper: WriteHelper, script: str, because: str
) -> None:
    result = ask_helper("wrong", KEY, write_helper("wrong", script))
    assert result.outcome is HelperOutcome.FAILED
    assert because in result.because
    assert result.because.isprintable()
    assert "canary" not in result.because


# The config file


def test_a39_what_is_no_regular_file_is_told_at_once(tmp_path: Path) -> None:
    for number, make in enumerate(
        (
            os.mkfifo,
            lambda path: Path(path).symlink_to("/dev/zero"),
            lambda path: Path(path).symlink_to("/dev/tty"),
            lambda path: Path(path).symlink_to(path),
            lambda path: Path(path).mkdir(),
        )
    ):
        directory = tmp_path / str(number)
        directory.mkdir()
        make(directory / "config.json")
        found = read_config(directory)  # which would wait for ever at a pipe
        assert found.state is FileState.UNREADABLE


def test_a39_a_file_of_a_gibibyte_is_not_read(tmp_path: Path) -> None:
    directory = config_of(tmp_path / "docker", "{}")
    os.truncate(directory / "config.json", 1 << 30)
    found = read_config(directory)
    assert found.state is FileState.UNREADABLE
    assert "larger than 1 MiB" in found.problem
    assert LARGEST_FILE == 1 << 20


def test_a39_a_link_is_followed_and_the_rights_of_its_target_are_told(tmp_path: Path) -> None:
    text = json.dumps({"auths": {KEY: {"auth": "bWU6Y2FuYXJ5"}}})
    target = config_of(tmp_path / "target", text) / "config.json"
    target.chmod(0o644)
    directory = tmp_path / "docker"
    directory.mkdir()
    (directory / "config.json").symlink_to(target)
    assert [finding.id for finding in read_config(directory).findings] == ["config-readable-by-others"]


def test_a39_a_foreign_owner_is_told(tmp_path: Path) -> None:
    needed.root("only root can give a file away")
    directory = config_of(tmp_path / "docker", "{}")
    os.chown(directory / "config.json", 12345, 12345)
    assert [finding.id for finding in read_config(directory).findings] == ["config-foreign-owner"]


def test_a39_a_file_that_is_written_meanwhile_never_hangs_nor_fails(tmp_path: Path) -> None:
    directory = config_of(tmp_path / "docker", "{}")
    ended = threading.Event()

    def write() -> None:
        while not ended.is_set():
            for content in (b"", b"{", b'{"auths":{}}', b"x" * (1 << 21)):
                (directory / "config.json").write_bytes(content)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        states = {read_config(directory).state for _ in range(300)}
    finally:
        ended.set()
        writer.join()
    assert states <= {FileState.READ, FileState.BROKEN, FileState.UNREADABLE}


# The temporary config


def test_a40_what_stands_under_a_name_already_is_not_used(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dockpass.dockerconfig import temporary

    target = tmp_path / "target"
    target.mkdir()
    for make in (lambda path: path.mkdir(), lambda path: path.symlink_to(target), lambda path: path.touch()):
        name = f"dockpass-1-{os.urandom(6).hex()}"
        monkeypatch.setattr(temporary, "new_name", lambda name=name: name)
        make(tmp_path / name)
        before = (tmp_path / name).lstat()
        with pytest.raises(DockpassError) as caught:
            TemporaryConfig.create(ENTRIES, environ={}, where=(Place(tmp_path, "the test"),))
        assert caught.value.id == "config-not-created"
        assert (tmp_path / name).lstat() == before
    assert list(target.iterdir()) == []


def test_a40_a_directory_that_others_may_rename_in_or_own_is_no_place(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    runtime = tmp_path / "runtime"
    runtime.mkdir(mode=0o755)
    link = tmp_path / "link"
    link.symlink_to(runtime)
    refused = {
        place.path: place.refused
        for place in places({"TMPDIR": str(tmp_path), "XDG_RUNTIME_DIR": str(runtime)})
    }
    assert refused[tmp_path]
    assert refused[runtime]
    assert places({"XDG_RUNTIME_DIR": str(link)})[0].refused


def test_a40_nobody_else_can_read_it_at_any_moment(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        config = TemporaryConfig.create(ENTRIES, environ={}, where=(Place(tmp_path, "the test"),))
    finally:
        os.umask(before)
    try:
        assert stat.S_IMODE(config.path.stat().st_mode) == 0o700
        assert stat.S_IMODE(config.config_file.stat().st_mode) == 0o600
    finally:
        assert config.remove().gone


def test_a40_what_a_kill_left_is_swept_and_what_somebody_else_made_is_not(tmp_path: Path) -> None:
    left = tmp_path / "dockpass-4711-0123456789ab"
    left.mkdir(mode=0o700)
    (left / ".lock").touch(mode=0o600)
    (left / "config.json").write_text(SECRET)
    other = tmp_path / "dockpass-4712-0123456789ab"
    other.mkdir(mode=0o755)
    (tmp_path / "dockpass-4713-0123456789ab").symlink_to(tmp_path)
    assert [swept.path for swept in sweep({}, directories=[tmp_path])] == [left]
    assert not left.exists()
    assert other.exists()


# Secrets


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    made = Program(tmp_path)
    yield made
    made.remove()


@pytest.fixture
def engine() -> Iterator[FakeEngine]:
    made = FakeEngine()
    yield made
    made.stop()


def descendants(of: int) -> list[int]:
    """The processes below one, as /proc has them now."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except (OSError, IndexError):
                continue  # it has ended meanwhile
    found = [of]
    for pid in found:
        found += [child for child, parent in parents.items() if parent == pid and child not in found]
    return found[1:]


def allow_core() -> None:
    """Let a process leave a core dump, as far as this machine allows it."""
    hard = resource.getrlimit(resource.RLIMIT_CORE)[1]
    resource.setrlimit(resource.RLIMIT_CORE, (hard, hard))


def test_a41_no_secret_is_in_arguments_childrens_environments_files_or_output(
    program: Program, engine: FakeEngine
) -> None:
    import subprocess

    secrets = {"CI_JOB_TOKEN": "canary-job-0123456789", "MY_PASSWORD": "canary-my-0123456789"}
    engine.on("POST /auth", Answer(body={"Status": "Login Succeeded"}))
    engine.on("POST /images/create", Answer(stream=engine.stalling({"status": "Pulling", "id": "aa"})))
    environ = program.variables(
        DOCKER_HOST=engine.url, CI_REGISTRY="127.0.0.1:1", CI_REGISTRY_IMAGE="127.0.0.1:1/a", **secrets
    )
    child = subprocess.Popen(
        program.command("pull", "--tag", "v1"),
        cwd=program.work,
        env=environ,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=allow_core,
    )
    try:
        assert engine.began.wait(60)
        below = descendants(child.pid)
        assert below, "there is no guardian to look at"
        assert b"canary" not in Path(f"/proc/{child.pid}/cmdline").read_bytes()
        for pid in (child.pid, *below):
            limits = Path(f"/proc/{pid}/limits").read_text()
            assert "Max core file size        0 " in limits
        for pid in below:
            for name in ("cmdline", "environ"):
                assert b"canary" not in Path(f"/proc/{pid}/{name}").read_bytes()
        engine.released.set()
        out, err = child.communicate(timeout=60)
    finally:
        child.kill()
        child.wait()
    assert b"canary" not in out + err
    assert "canary" not in program.written()
    assert program.left == []


def test_a41_a_crash_says_no_secret_in_log_output_or_traceback(tmp_path: Path) -> None:
    redactor = Redactor([Secret(SECRET)])
    start_log(tmp_path / "state" / "log", redactor)
    try:
        try:
            raise RuntimeError(f"it went wrong with {SECRET} and {basic(ENTRIES[KEY])}", ENTRIES)
        except RuntimeError as error:
            logging.getLogger("dockpass").exception("a fault with %s", SECRET)
            assert SECRET not in repr(ENTRIES) + str(Credential("me", Secret(SECRET)))
            shown = "".join(traceback.format_exception(error))
    finally:
        logging.getLogger("dockpass").handlers[:] = []
    assert SECRET not in redactor(shown)
    written = (tmp_path / "state" / "log").read_text()
    assert MASK in written
    assert SECRET not in written
    assert stat.S_IMODE((tmp_path / "state" / "log").stat().st_mode) == 0o600


async def test_a41_a_picture_of_the_screen_shows_no_secret() -> None:
    app = DockpassApp(session({**JOB, "MY_TOKEN": SECRET}))
    async with app.run_test(size=(160, 60), notifications=True, tooltips=True) as pilot:
        await pilot.pause()
        await pilot.press("tab", "down", "down")
        await pilot.pause()
        picture = painted(app)
    assert SECRET not in picture
    assert JOB["CI_JOB_TOKEN"] not in picture


@pytest.mark.parametrize("word", ["test", "web", "ab", "x", "main", "password"])
def test_a42_a_short_or_common_secret_does_not_mangle_the_text(word: str) -> None:
    redact = Redactor([Secret(word)])
    text = "latest webhook cabin remainder passwordless xylophone: protest, testing"
    assert redact(text) == text or len(word) >= 8
    masked = redact(f"sent {word} there")
    assert (MASK in masked) is (len(word) >= 3)


def test_a42_a_weak_secret_is_told() -> None:
    facts = Facts(gather({"CI_JOB_TOKEN": "abc", "WERF_IMAGES_CLEANUP_PASSWORD": "ab"}))
    weak = [finding.about for finding in find_findings(facts) if finding.id == "weak"]
    assert weak == ["CI_JOB_TOKEN", "WERF_IMAGES_CLEANUP_PASSWORD"]


@pytest.mark.parametrize(
    "repo",
    [
        "https://evil@good.example/a",
        "evil@good.example/a",
        "user:pw@good.example/a",
        "good.example/../evil",
        "good.example/./evil",
        "good.example//evil",
        "good。example/a",
        "good．example/a",
        "goоd.example/a",
        "good.example./a",
        ".good.example/a",
        "good..example/a",
        "good.example /a",
        " good.example/a",
        "good.example/a b",
        "good.example/a\n",
        "good.example/a\x00",
        "good.example:99999/a",
        "good.example:port/a",
        "good.example:0/a",
        "-oProxyCommand=touch/a",
        "--config/a",
        "-x.example/a",
        "good.example/-a",
        "good.example/$(id)",
        "good.example/`id`",
        "good.example/a;id",
        "good.example/a|id",
        "good.example\\evil.example/a",
        "[::1/a",
        "good.example/%2e%2e/a",
        "good.example/a?x=1",
        "good.example/a#x",
        "\u202egood.example/a",
    ],
)
def test_a43_a_registry_that_is_no_plain_host_is_refused(repo: str) -> None:
    with pytest.raises(UsageError) as caught:
        parse_repository(repo)
    assert caught.value.message.isprintable()
    assert "user:pw" not in caught.value.message
    for facts in (Facts(options=Options(repo=repo)), Facts(gather({"CI_REGISTRY_IMAGE": repo}))):
        refused = decide(Command.PUSH, facts)
        assert isinstance(refused, Refusal)
        assert refused.id == "repo-invalid"


@pytest.mark.parametrize("password", ["a\nb", "a\rb", "a\0b", "canary\n", "\ud912"])
def test_a43_credentials_with_line_ends_are_not_sent(password: str) -> None:
    with pytest.raises(DockpassError) as caught:
        basic(Credential("me", Secret(password)))
    assert caught.value.id == "credential-unusable"
    assert password not in caught.value.message


# Where a secret of the environment goes


JOB_VARIABLES = {
    "CI_REGISTRY": "registry.example",
    "CI_REGISTRY_IMAGE": "registry.example/web/backend",
    "CI_JOB_TOKEN": "canary-job-token-0123456789",
}


def decided(
    command: Command, process: Mapping[str, str], env_file: Path | None = None, **options: str
) -> Decision:
    variables = gather(process, env_files=[env_file] if env_file else [])
    found = decide(command, Facts(variables, Options(**options)))  # type: ignore[arg-type]
    assert isinstance(found, Decision)
    return found


def foreign(decision: Decision) -> str:
    return next(
        (notice.message for notice in decision.warnings if notice.id == "token-to-foreign-registry"), ""
    )


@pytest.mark.parametrize(
    "lines",
    [
        "CI_REGISTRY=evil.example\nCI_REGISTRY_IMAGE=evil.example/a\n",
        "CI_REGISTRY=evil.example\n",
        "CI_REGISTRY_IMAGE=evil.example/a\n",
        "CI_REGISTRY_IMAGE=registry.example/other\n",
    ],
)
@pytest.mark.parametrize("command", [Command.PUSH, Command.PULL, Command.CLEANUP, Command.DEPLOY])
def test_a45_a_file_of_the_project_does_not_choose_where_the_environments_token_goes(
    tmp_path: Path, command: Command, lines: str
) -> None:
    (tmp_path / ".env").write_text(lines)
    assert foreign(decided(command, JOB_VARIABLES)) == ""
    assert foreign(decided(command, JOB_VARIABLES, tmp_path / ".env"))


def test_a45_a_file_that_brings_the_token_itself_may_say_where_it_goes(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("".join(f"{name}={value}\n" for name, value in JOB_VARIABLES.items()))
    assert foreign(decided(Command.PUSH, {}, tmp_path / ".env")) == ""


def test_a45_a_build_file_never_makes_the_token_leave_ci_registry() -> None:
    from dockpass.auth.facts import BaseImage

    images = tuple(BaseImage(name) for name in ("evil.example/a", "registry.example/b"))
    found = decide(Command.BUILD, Facts(gather(JOB_VARIABLES), base_images=images))
    assert isinstance(found, Decision)
    assert found.login == ("registry.example",)


def test_a45_the_program_sends_nothing_then(program: Program, engine: FakeEngine) -> None:
    (program.work / ".env").write_text("CI_REGISTRY=127.0.0.1:1\nCI_REGISTRY_IMAGE=127.0.0.1:1/a\n")
    ended = program.run("pull", "--tag", "v1", "--env-file", ".env", DOCKER_HOST=engine.url, **JOB_VARIABLES)
    assert ended.returncode == 5
    assert "--allow-foreign-registry" in ended.stderr
    assert engine.asked == []


def test_a46_a_registry_that_is_not_the_images_is_foreign() -> None:
    overridden = {**JOB_VARIABLES, "CI_REGISTRY": "evil.example"}
    for options in ({}, {"repo": "evil.example/a"}, {"repo": "registry.example/a"}):
        assert foreign(decided(Command.PUSH, overridden, **options))
    from dockpass.auth.facts import BaseImage

    found = decide(Command.BUILD, Facts(gather(overridden), base_images=(BaseImage("evil.example/a"),)))
    assert isinstance(found, Decision)
    assert found.login == ("evil.example",)
    assert foreign(found)
