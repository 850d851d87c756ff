"""What a reference gives: the secret, or a reason why it is not known; never an empty text, never a crash."""

from __future__ import annotations

import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from dockpass.scenario.model import Reference, ReferenceKind
from dockpass.scenario.references import Reach, Resolver, origin_of
from dockpass.secrets import Secret
from dockpass.unknown import Unknown

SECRET = "hunter2-hunter2"


def reach(directory: Path, **more: object) -> Reach:
    environ = {"PATH": str(directory), "MINE": SECRET, "EMPTY": ""}
    return Reach(environ=environ, home=directory, directory=directory, **more)  # type: ignore[arg-type]


def read(found: Reach, kind: ReferenceKind, *words: str) -> Secret | Unknown:
    return Resolver(found)("KEY", Reference(kind, words))


def program(directory: Path, name: str, body: str) -> str:
    path = directory / name
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)
    return name


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (f"echo {SECRET}", SECRET),
        (f"printf '{SECRET}\\r\\n'", SECRET),
        (f"printf '{SECRET}\\n\\n'", f"{SECRET}\n"),
        (f"printf ' {SECRET} '", f" {SECRET} "),
        ("exit 0", "printed nothing"),
        (f"echo {SECRET}; echo {SECRET} >&2; exit 3", "ended with status 3"),
        ("printf '\\377'", "did not print text"),
    ],
)
def test_a_command_gives_what_it_prints(tmp_path: Path, body: str, expected: str) -> None:
    name = program(tmp_path, "give", body)
    found = read(reach(tmp_path, asks=True), ReferenceKind.COMMAND, name)
    if isinstance(found, Secret):
        assert found.reveal() == expected
    else:
        assert found.is_set
        assert expected in found.why
        assert SECRET not in found.why


def test_a_command_is_run_once_without_a_shell(tmp_path: Path) -> None:
    program(tmp_path, "give", 'echo "$1" >> "${0%/*}/ran"; echo secret-$#')
    resolver = Resolver(reach(tmp_path, asks=True))
    words = ("give", "$(touch no); a | b")
    values = {resolver(key, Reference(ReferenceKind.COMMAND, words)) for key in ("A", "B")}
    assert values == {Secret("secret-1")}
    assert (tmp_path / "ran").read_text() == "$(touch no); a | b\n"
    assert not (tmp_path / "no").exists()


def test_nothing_is_run_or_asked_where_no_value_is_needed(tmp_path: Path) -> None:
    program(tmp_path, "give", 'touch "${0%/*}/ran"')
    found = reach(tmp_path, prompt=lambda key: pytest.fail("asked"))
    for kind, words in (
        (ReferenceKind.COMMAND, ("give",)),
        (ReferenceKind.KEYRING, ("a", "b")),
        (ReferenceKind.PROMPT, ()),
        (ReferenceKind.GITLAB, ("a/b", "K", "*")),
    ):
        value = read(found, kind, *words)
        assert isinstance(value, Unknown)
        assert value.is_set
        assert "read only where a login needs its value" in value.why
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("kind", "words", "why"),
    [
        (ReferenceKind.ENV, ("NONE",), "the variable NONE is not set"),
        (ReferenceKind.ENV, ("EMPTY",), "the variable EMPTY is not set"),
        (ReferenceKind.FILE, ("none",), "none does not exist"),
        (ReferenceKind.FILE, ("empty",), "is empty"),
        (ReferenceKind.FILE, (".",), "is a directory"),
        (ReferenceKind.FILE, ("a\0b",), "cannot be read"),
        (ReferenceKind.COMMAND, ("none",), "is in no absolute directory of PATH"),
        (ReferenceKind.COMMAND, ("/none/of\0these",), "cannot be started"),
        (ReferenceKind.COMMAND, ("./give",), "is in no absolute directory of PATH"),
        (ReferenceKind.PROMPT, (), "this is no terminal"),
        (ReferenceKind.KEYRING, ("a", "b"), "install dockpass[keyring]"),
        (ReferenceKind.GITLAB, ("a/b", "K", "*"), "--from-gitlab"),
    ],
)
def test_what_cannot_be_read_is_set_and_unknown_with_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: ReferenceKind, words: tuple[str, ...], why: str
) -> None:
    monkeypatch.setitem(sys.modules, "keyring", None)
    (tmp_path / "empty").touch()
    found = read(reach(tmp_path, asks=True), kind, *words)
    assert isinstance(found, Unknown)
    assert found.is_set
    assert why in found.why


def test_what_is_there_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "token").write_text(f"{SECRET}\n")
    kept = {("service", "user"): SECRET}
    fake = SimpleNamespace(get_password=lambda *key: kept.get(key))
    monkeypatch.setitem(sys.modules, "keyring", fake)
    found = reach(
        tmp_path, asks=True, prompt=lambda key: f"typed {key}", gitlab=lambda *words: Secret(words[1])
    )
    assert read(found, ReferenceKind.ENV, "MINE") == Secret(SECRET)
    assert read(found, ReferenceKind.FILE, "token") == Secret(SECRET)
    assert read(found, ReferenceKind.FILE, "~/token") == Secret(SECRET)
    assert read(found, ReferenceKind.KEYRING, "service", "user") == Secret(SECRET)
    assert read(found, ReferenceKind.PROMPT) == Secret("typed KEY")
    assert read(found, ReferenceKind.GITLAB, "a/b", "K", "*") == Secret("K")
    missing = read(found, ReferenceKind.KEYRING, "service", "other")
    assert isinstance(missing, Unknown)
    assert "no entry service" in missing.why


def test_a_keyring_that_fails_is_told_without_its_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: str) -> None:
        raise RuntimeError(SECRET)

    monkeypatch.setitem(sys.modules, "keyring", SimpleNamespace(get_password=fail))
    found = read(reach(tmp_path, asks=True), ReferenceKind.KEYRING, "a", "b")
    assert found == Unknown("the keyring gave no answer (RuntimeError)", is_set=True)


def test_the_origin_shows_no_argument_of_a_command() -> None:
    assert (
        origin_of(Reference(ReferenceKind.COMMAND, ("/usr/bin/pass", "show", SECRET))) == "the command pass"
    )
    assert SECRET not in repr(Reference(ReferenceKind.COMMAND, ("pass", SECRET)))
