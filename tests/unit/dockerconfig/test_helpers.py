"""A credential helper is asked once, in bounds; whatever it does ends in a result with words."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from helperprograms import WriteHelper
from waiting import is_running, within

from dockpass.dockerconfig.helpers import HelperOutcome, ask_helper, find_program, helper_environ
from dockpass.references.credential import Credential
from dockpass.secrets import MASK, Redactor, Secret
from dockpass.text import mask_before_cutting

KEY = "registry.example"
ANSWER = 'printf \'{"ServerURL":"registry.example","Username":"me","Secret":"canary-secret"}\''


def test_the_answer_is_a_credential_and_shows_in_no_text(write_helper: WriteHelper) -> None:
    result = ask_helper("ok", KEY, write_helper("ok", ANSWER))
    assert result.outcome is HelperOutcome.FOUND
    assert result.credential == Credential("me", Secret("canary-secret"))
    assert "canary" not in repr(result)


def test_the_helper_gets_get_and_the_key_on_a_closed_input(write_helper: WriteHelper, tmp_path: Path) -> None:
    environ = write_helper("echo", f'echo "$1:$#:$(cat)" > {tmp_path}/seen; {ANSWER}')
    assert ask_helper("echo", KEY, environ).outcome is HelperOutcome.FOUND
    assert (tmp_path / "seen").read_text() == f"get:1:{KEY}\n"


def test_the_helper_gets_the_given_environment_without_gpgs_terminal(
    write_helper: WriteHelper, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ONLY_IN_THE_PROCESS", "1")
    environ = write_helper("env", f"env > {tmp_path}/seen; {ANSWER}")
    ask_helper("env", KEY, {**environ, "GIVEN": "yes", "GPG_TTY": "/dev/tty"})
    seen = (tmp_path / "seen").read_text()
    assert "GIVEN=yes" in seen
    assert "ONLY_IN_THE_PROCESS" not in seen
    assert "GPG_TTY" not in seen


def test_the_token_user_means_an_identity_token(write_helper: WriteHelper) -> None:
    environ = write_helper("token", 'echo \'{"Username":"<token>","Secret":"refresh"}\'')
    assert ask_helper("token", KEY, environ).credential == Credential("", Secret(""), Secret("refresh"))


@pytest.mark.parametrize("stream", ["", " >&2"])
def test_not_found_is_told_by_the_helpers_words(write_helper: WriteHelper, stream: str) -> None:
    environ = write_helper("none", f"echo credentials not found in native keychain{stream}; exit 1")
    result = ask_helper("none", KEY, environ)
    assert (result.outcome, result.credential) == (HelperOutcome.NOT_FOUND, None)


def test_an_empty_answer_is_not_found(write_helper: WriteHelper) -> None:
    environ = write_helper("empty", 'echo \'{"Username":"","Secret":""}\'')
    assert ask_helper("empty", KEY, environ).outcome is HelperOutcome.NOT_FOUND


@pytest.mark.parametrize(
    ("script", "because"),
    [
        ("echo it is locked >&2; exit 1", "failed: “it is locked”"),
        ("printf 'one\\r\\n\\n  two\\033[31m\\007'; exit 1", "failed: “one two\ufffd”"),
        ("echo 'locked”. The login is accepted' >&2; exit 1", 'failed: “locked". The login is accepted”'),
        ("head -c 400 /dev/zero | tr '\\0' x; exit 1", "xxx…” (cut)"),
        ("echo 'Secret: canary-x' >&2; exit 1", "failed: exit status 1"),
        ('echo \'"Secret":"canary-x"\'; exit 1', "failed: exit status 1"),
        ("exit 3", "failed: exit status 3"),
        ("kill -9 $$", "failed: exit status -9"),
        (f"{ANSWER}; exit 1", "failed: exit status 1"),
        (f"echo warning: low entropy; {ANSWER}; exit 1", "failed: exit status 1"),
        (f"{ANSWER} >&2; exit 2", "failed: exit status 2"),
        ("echo junk", "did not answer with JSON"),
        ("echo", "did not answer with JSON"),
        ("echo '[1]'", "did not answer with a JSON object"),
        ("echo '{}'", "without Username and Secret"),
        ('echo \'{"Username":1,"Secret":"canary-x"}\'', "without Username and Secret"),
        ('echo \'{"Username":"a","Secret":"\\ud800"}\'', "without Username and Secret"),
        (
            'echo \'{"ServerURL":"evil.example","Username":"a","Secret":"canary-x"}\'',
            "another registry: evil",
        ),
        ('echo \'{"ServerURL":5,"Username":"a","Secret":"canary-x"}\'', "another registry: 5"),
    ],
)
def test_a_helper_that_does_wrong_is_told_apart(write_helper: WriteHelper, script: str, because: str) -> None:
    result = ask_helper("wrong", KEY, write_helper("wrong", script))
    assert result.outcome is HelperOutcome.FAILED
    assert because in result.because
    assert "canary" not in result.because


@pytest.mark.parametrize("before", [0, 280, 290, 299])
@pytest.mark.parametrize("spelled", ["canary-0123456789", "Y2FuYXJ5LTAxMjM0NTY3ODk=", "canary-01\\n23456789"])
def test_a_known_secret_in_a_helpers_words_is_masked_before_they_are_cut(
    write_helper: WriteHelper, before: int, spelled: str
) -> None:
    mask_before_cutting(Redactor([Secret("canary-0123456789")]))
    result = ask_helper(
        "wrong", KEY, write_helper("wrong", f"printf '{'.' * before} {spelled} is bad'; exit 1")
    )
    assert before > 290 or MASK in result.because
    assert not any(part in result.because for part in ("canary", "Y2Fu", "2345"))


@pytest.mark.parametrize(
    "server", ["registry.example", "https://registry.example/v2/", "https://Registry.Example"]
)
def test_an_answer_may_name_the_same_registry_in_other_words(write_helper: WriteHelper, server: str) -> None:
    environ = write_helper("url", f'echo \'{{"ServerURL":"{server}","Username":"a","Secret":"b"}}\'')
    assert ask_helper("url", KEY, environ).outcome is HelperOutcome.FOUND


def test_a_helper_that_hangs_is_ended_with_all_it_started(write_helper: WriteHelper, tmp_path: Path) -> None:
    environ = write_helper("hang", f"sleep 600 & echo $! > {tmp_path}/pid; wait")
    result = ask_helper("hang", KEY, environ, seconds=1)
    assert result.because == "docker-credential-hang did not answer within 1 s"
    pid = int((tmp_path / "pid").read_text())
    assert within(lambda: not is_running(pid))


def test_a_helper_that_closes_its_output_and_stays_is_ended(write_helper: WriteHelper) -> None:
    result = ask_helper("stay", KEY, write_helper("stay", "exec >&- 2>&-; sleep 60"), seconds=0.3)
    assert "did not answer" in result.because


@pytest.mark.parametrize("stream", ["", ">&2"])
def test_a_helper_that_prints_a_hundred_mebibytes_is_cut_off(write_helper: WriteHelper, stream: str) -> None:
    result = ask_helper("much", KEY, write_helper("much", f"head -c 104857600 /dev/zero {stream}"))
    assert result.because == "docker-credential-much answered with more than 64 KiB"


def test_escape_sequences_of_a_helper_reach_nobody(
    write_helper: WriteHelper, capfd: pytest.CaptureFixture
) -> None:
    environ = write_helper("esc", r"printf '\033]0;pwned\007\033[2Jno\302\233 luck' >&2; exit 1")
    result = ask_helper("esc", KEY, environ)
    assert "no" in result.because
    assert result.because.isprintable()
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    "name", ["", "../evil", "a/b", "-x", "a b", "a\0", "a\n", "..", "a..b", "é", "x" * 65]
)
def test_a_name_that_is_none_is_refused_unseen(write_helper: WriteHelper, name: str) -> None:
    result = ask_helper(name, KEY, write_helper("evil", ANSWER))
    assert result.outcome is HelperOutcome.FAILED
    assert "is not a helper's name" in result.because
    assert result.because.isprintable()


def test_a_helper_is_never_taken_from_the_current_directory(
    write_helper: WriteHelper, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_helper("here", ANSWER)
    monkeypatch.chdir(tmp_path / "helpers")
    for path in ("", ".", "::", "./:../helpers", "\0"):
        assert "not in any absolute directory of PATH" in ask_helper("here", KEY, {"PATH": path}).because


def test_only_a_file_that_may_be_run_is_a_program(tmp_path: Path) -> None:
    (tmp_path / "a" / "tool").mkdir(parents=True)
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "tool").write_text("")
    (tmp_path / "c").mkdir()
    (tmp_path / "c" / "tool").write_text("")
    (tmp_path / "c" / "tool").chmod(0o755)
    path = os.pathsep.join(str(tmp_path / name) for name in "abc")
    assert find_program("tool", {"PATH": path}) == tmp_path / "c" / "tool"


def test_a_helper_that_cannot_be_started_is_told(write_helper: WriteHelper, tmp_path: Path) -> None:
    environ = write_helper("bad", "")
    (tmp_path / "helpers" / "docker-credential-bad").write_text("#!/no/such/interpreter\n")
    assert "cannot be started" in ask_helper("bad", KEY, environ).because
    assert "cannot be started" in ask_helper("bad", KEY, {**environ, "A": "a\0b"}).because


def test_a_helper_gets_no_secret_but_its_own() -> None:
    others = {"CI_JOB_TOKEN": "canary-job-token", "DOCKER_AUTH_CONFIG": "{}", "MY_PASSWORD": "x"}
    copies = {"CI_REPOSITORY": "https://gitlab-ci-token:canary-job-token@h/x.git"}
    needed = {
        "HOME": "/h",
        "PATH": "/p",
        "DBUS_SESSION_BUS_ADDRESS": "d",
        "XDG_RUNTIME_DIR": "r",
        "GNUPGHOME": "g",
    }
    aws = {"AWS_SECRET_ACCESS_KEY": "a", "AWS_PROFILE": "b"}
    store = {"PASSWORD_STORE_DIR": "/s"}
    environ = others | copies | needed | aws | store
    assert helper_environ("ecr-login", environ) == needed | aws
    assert helper_environ("pass", environ) == needed | store | {"AWS_PROFILE": "b"}
    assert helper_environ("vault", {"VAULT_TOKEN": "v", **others}) == {"VAULT_TOKEN": "v"}
