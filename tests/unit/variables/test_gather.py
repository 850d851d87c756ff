"""Where values come from, which of them wins, and what a bad source says."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockpass.auth.facts import Source, SourceKind
from dockpass.errors import UsageError
from dockpass.secrets import Secret
from dockpass.text import clean
from dockpass.variables.envfile import read_env_file
from dockpass.variables.gather import gather, variable

CANARY = "canary-0123456789"


def env_file(folder: Path, text: str | bytes, name: str = "job.env") -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def test_a_later_source_wins_and_says_where_it_is(tmp_path: Path) -> None:
    first = env_file(tmp_path, "A=first\nB=first\nC=first\n", "first.env")
    second = env_file(tmp_path, "# comment\n\nB=second\n", "second.env")
    found = gather({"A": "process", "D": "process"}, env_files=[first, second], sets=["C=set=1"])
    assert {name: (each.value, each.source.kind, each.source.detail) for name, each in found.items()} == {
        "A": ("first", SourceKind.ENV_FILE, f"{first}:1"),
        "B": ("second", SourceKind.ENV_FILE, f"{second}:3"),
        "C": ("set=1", SourceKind.SET, ""),
        "D": ("process", SourceKind.PROCESS, ""),
    }


def test_unset_beats_every_source(tmp_path: Path) -> None:
    path = env_file(tmp_path, "A=1\n")
    assert gather({"A": "0"}, env_files=[path], sets=["A=2"], unsets=["A", "never-there"]) == {}


def test_a_clean_environment_leaves_only_what_is_given() -> None:
    assert set(gather({"A": "1"}, sets=["B=2"], clean_env=True)) == {"B"}


def test_a_value_may_be_empty() -> None:
    assert gather({}, sets=["A="])["A"].value == ""


def test_bytes_that_are_no_text_stay_as_they_are() -> None:
    odd = b"caf\xe9".decode("utf-8", "surrogateescape")
    found = gather({"A": odd, "CI_JOB_TOKEN": odd})
    assert found["A"].value == odd
    assert found["CI_JOB_TOKEN"].value == Secret(odd)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CI_JOB_TOKEN", "x"),
        ("ANYTHING", "glpat-abcdefghij"),
        ("CI_REGISTRY", "https://me:pw@registry.myhost.com"),
        ("HTTP_PROXY", "http://me:pw@proxy:3128"),
    ],
)
def test_what_is_or_looks_like_a_secret_is_one(name: str, value: str) -> None:
    assert gather({name: value})[name].value == Secret(value)


def test_a_bad_line_does_not_repeat_a_secret(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        read_env_file(env_file(tmp_path, f"export A=1\nexport CI_JOB_TOKEN='{CANARY}\n"))
    assert CANARY not in f"{caught.value.message}{caught.value.hint}"


@pytest.mark.parametrize(
    ("content", "error", "words"),
    [
        (b"A=1\nB=\xff\xfe\n", "env-file-binary", "line 2: byte 6 is not UTF-8"),
        (b"\x7fELF\x00\x00", "env-file-binary", "line 1: it holds a NUL"),
        ("A=1".encode("utf-16"), "env-file-binary", "line 1"),
        (b"A=" + b"x" * (1 << 20), "env-file-large", "larger than 1 MiB"),
    ],
)
def test_a_file_that_is_no_text_is_told(content: bytes, error: str, words: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        read_env_file(env_file(tmp_path, content))
    assert caught.value.id == error
    assert words in caught.value.message


def test_a_missing_file_a_directory_and_a_pipe_are_told_apart(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for name, error in (("none", "env-file-missing"), (".", "env-file-kind"), ("pipe", "env-file-kind")):
        with pytest.raises(UsageError) as caught:
            read_env_file(tmp_path / name)
        assert caught.value.id == error
    with pytest.raises(UsageError, match="cannot be read"):
        read_env_file(Path("a\0b"))


def test_what_a_shell_pipes_in_is_read() -> None:
    readable, writable = os.pipe()
    writer = threading.Thread(target=lambda: (os.write(writable, b"A=piped\n"), os.close(writable)))
    writer.start()
    try:
        assert read_env_file(Path(f"/dev/fd/{readable}"))["A"].value == "piped"
    finally:
        writer.join(5)
        os.close(readable)


@pytest.mark.parametrize("text", ["A", "=x", "", "a b=c", "A\x1b=1"])
def test_a_set_that_is_no_assignment_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        gather({}, sets=[text])
    assert caught.value.id == "set-invalid"
    assert caught.value.message.isprintable()


def test_a_set_without_a_value_takes_what_the_environment_has() -> None:
    found = gather({"CI_JOB_TOKEN": "canary-1"}, sets=["CI_JOB_TOKEN"], clean_env=True)
    assert found["CI_JOB_TOKEN"] == variable("CI_JOB_TOKEN", "canary-1", Source(SourceKind.SET))


@given(text=st.text(max_size=60))
def test_any_text_is_read_or_refused(text: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / "any.env"
    path.write_text(text, encoding="utf-8", errors="replace")
    refused = ""
    try:
        read_env_file(path)
    except UsageError as error:
        refused = error.message
    assert clean(refused) == refused
