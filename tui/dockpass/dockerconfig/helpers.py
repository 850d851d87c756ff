"""Credential helpers: `docker-credential-NAME get`, run so that none can hang or tear the screen."""

from __future__ import annotations

import json
import os
import re
import selectors
import signal
import stat
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from dockpass.dockerconfig.keys import host_of_key
from dockpass.references.address import normalise_host
from dockpass.references.credential import Credential
from dockpass.secret_names import is_secret_name
from dockpass.secrets import Secret
from dockpass.text import clean, inert, one_line

SECONDS = 10.0
LARGEST_ANSWER = 64 << 10
_RECOGNISED_FROM = 8

_MOST_WORDS = 300  # characters of what a helper says that are shown
_QUOTES = str.maketrans("“”", '""')
_ANSWER = re.compile(r"[{}]|\bsecret\W{0,3}[:=]", re.IGNORECASE)
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,63}", re.ASCII)
_IDENTITY_TOKEN_USER = "<token>"  # noqa: S105 - docker's own marker for an identity token
_NOT_FOUND = "credentials not found"  # helpers tell it by this sentence, not by their exit status
_TERMINAL_OF_GPG = "GPG_TTY"  # would let a helper's pinentry draw on the terminal

_OF_HELPERS = {
    "ecr": ("AWS_",),
    "gc": ("GOOGLE_", "CLOUDSDK_"),
    "acr": ("AZURE_", "ACR_", "IDENTITY_", "MSI_"),
    "ghcr": ("GITHUB_TOKEN", "GH_TOKEN"),
    "pass": ("PASSWORD_STORE_",),
}
"""Names with the look of a secret that belong to helpers whose name begins so: the login of their cloud."""


class HelperOutcome(StrEnum):
    """What a helper did."""

    FOUND = "found"
    NOT_FOUND = "not-found"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class HelperResult:
    """`because` is clean and holds nothing of a well-formed answer."""

    outcome: HelperOutcome
    because: str
    credential: Credential | None = None


@dataclass(frozen=True, slots=True)
class HelperAnswer:
    """What a helper's process said; `problem` says why there is no answer. `out` may hold a secret."""

    name: str
    problem: str = ""
    status: int = 0
    out: bytes = field(default=b"", repr=False)
    err: bytes = field(default=b"", repr=False)

    @property
    def words(self) -> str:
        """Why it failed: its own words in quotes, or its exit status where they look like an answer."""
        said = self.said
        if not said or _ANSWER.search(said):
            return f"exit status {self.status}"
        shown = clean(said, _MOST_WORDS)
        return f"“{shown}”{' (cut)' if len(said) > _MOST_WORDS else ''}"

    @property
    def said(self) -> str:
        """What it wrote, as one line, masked; no quote in it ends those around it."""
        text = (self.out.strip() or self.err.strip()).decode("utf-8", "replace")
        return inert(one_line(text)).strip().translate(_QUOTES)


def ask_helper(name: str, key: str, environ: Mapping[str, str], seconds: float = SECONDS) -> HelperResult:
    """Ask `docker-credential-NAME` for the entry of `key`. Never raises for what a helper does."""
    answer = run_helper(name, "get", key, environ, seconds)
    if answer.problem:
        return _failed(answer.problem)
    return _result(key, answer)


def run_helper(
    name: str, action: str, said: str, environ: Mapping[str, str], seconds: float = SECONDS
) -> HelperAnswer:
    """Run `docker-credential-NAME ACTION` with `said` on its stdin. Never raises for what a helper does."""
    if not _NAME.fullmatch(name) or ".." in name:
        return HelperAnswer(name, f"“{clean(name, 60)}” is not a helper's name")
    program = find_program(f"docker-credential-{name}", environ)
    if program is None:
        return HelperAnswer(name, f"docker-credential-{name} is not in any absolute directory of PATH")
    command = [str(program), action]
    return run_bounded(command, said.encode("utf-8", "replace"), helper_environ(name, environ), seconds)


def run_bounded(
    command: Sequence[str], said: bytes, environ: Mapping[str, str], seconds: float = SECONDS
) -> HelperAnswer:
    """Run a program with `said` on its stdin, bounded in time and in what it says; never by a shell.

    The answer's name is the program's file name. Never raises for what the program does.
    """
    name = Path(command[0]).name
    try:
        child = subprocess.Popen(
            list(command),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(environ),
            start_new_session=True,
        )
    except (OSError, ValueError) as error:
        return HelperAnswer(name, f"{name} cannot be started: {clean(str(error))}")
    try:
        status, out, err = _answer(child, said, time.monotonic() + seconds)
    except _TooMuch:
        return HelperAnswer(name, f"{name} answered with more than 64 KiB")
    except TimeoutError:
        return HelperAnswer(name, f"{name} did not answer within {seconds:g} s")
    finally:
        _end(child)
    return HelperAnswer(name, "", status, out, err)


def helper_environ(name: str, environ: Mapping[str, str]) -> dict[str, str]:
    """Return what `docker-credential-NAME` gets: no secret but those that are a helper's own.

    Left out are variables with the name of a secret, and those whose value holds one of these secrets.
    A helper's own are those of its cloud, and those that begin with its name (`VAULT_…` for `vault`).
    """
    own = f"{re.sub(r'[^A-Z0-9]', '_', name.upper())}_"
    prefixes = (own, *(each for begin, of in _OF_HELPERS.items() if name.startswith(begin) for each in of))
    secret = {each for each in environ if is_secret_name(each) and not each.startswith(prefixes)}
    values = {environ[each] for each in secret if len(environ[each]) >= _RECOGNISED_FROM}
    return {
        each: value
        for each, value in environ.items()
        if each not in secret | {_TERMINAL_OF_GPG} and not any(known in value for known in values)
    }


def find_program(name: str, environ: Mapping[str, str]) -> Path | None:
    """Find a program in the absolute directories of PATH, never in the current directory."""
    for directory in environ.get("PATH", os.defpath).split(os.pathsep):
        candidate = Path(directory) / name
        if candidate.is_absolute() and _is_program(candidate):
            return candidate
    return None


def _is_program(path: Path) -> bool:
    try:
        return stat.S_ISREG(path.stat().st_mode) and os.access(path, os.X_OK)
    except (OSError, ValueError):
        return False  # what cannot be looked at cannot be run either


class _TooMuch(Exception):
    """The helper said more than any credential has."""


def _answer(child: subprocess.Popen[bytes], key: bytes, deadline: float) -> tuple[int, bytes, bytes]:
    """Give the key, read both outputs to their ends, bounded in size and time; and wait for the exit."""
    assert child.stdin and child.stdout and child.stderr  # noqa: S101, PT018 - all are pipes
    with suppress(BrokenPipeError):
        child.stdin.write(key)
        child.stdin.close()
    read: dict[int, bytes] = {child.stdout.fileno(): b"", child.stderr.fileno(): b""}
    with selectors.DefaultSelector() as selector:
        for pipe in read:
            selector.register(pipe, selectors.EVENT_READ)
        while selector.get_map():
            ready = selector.select(max(deadline - time.monotonic(), 0))
            if not ready:
                raise TimeoutError
            for pipe in (pipe.fd for pipe, _ in ready):
                chunk = os.read(pipe, 16 << 10)
                read[pipe] += chunk
                if len(read[pipe]) > LARGEST_ANSWER:
                    raise _TooMuch
                if not chunk:
                    selector.unregister(pipe)
    try:
        status = child.wait(max(deadline - time.monotonic(), 0.1))
    except subprocess.TimeoutExpired:
        raise TimeoutError from None
    return status, read[child.stdout.fileno()], read[child.stderr.fileno()]


def _end(child: subprocess.Popen[bytes]) -> None:
    # The group of a child that was waited for may be somebody else's by now, and is left alone.
    if child.returncode is None:
        with suppress(ProcessLookupError):
            os.killpg(child.pid, signal.SIGKILL)
        child.wait()
    for pipe in (child.stdin, child.stdout, child.stderr):
        if pipe is not None:
            with suppress(BrokenPipeError):
                pipe.close()


def _result(key: str, answer: HelperAnswer) -> HelperResult:
    name = answer.name
    if answer.status != 0:
        if _NOT_FOUND in answer.said.lower():
            return HelperResult(HelperOutcome.NOT_FOUND, f"{name} has no entry")
        return _failed(f"{name} failed: {answer.words}")
    try:
        found = json.loads(answer.out)
    except (ValueError, RecursionError):
        return _failed(f"{name} did not answer with JSON")
    if not isinstance(found, dict):
        return _failed(f"{name} did not answer with a JSON object")
    return _credential(name, key, {str(field).lower(): value for field, value in found.items()})


def _credential(name: str, key: str, answer: Mapping[str, object]) -> HelperResult:
    username, secret, server = (answer.get(field) for field in ("username", "secret", "serverurl"))
    if not _is_text(username) or not _is_text(secret):
        return _failed(f"{name} answered without Username and Secret as text")
    if not username or not secret:
        return HelperResult(HelperOutcome.NOT_FOUND, f"{name} has no entry")
    if server and not (_is_text(server) and _same_host(str(server), key)):
        return _failed(f"{name} answered for another registry: {clean(str(server), 200)}")
    if username == _IDENTITY_TOKEN_USER:
        credential = Credential("", Secret(""), Secret(str(secret)))
    else:
        credential = Credential(str(username), Secret(str(secret)))
    return HelperResult(HelperOutcome.FOUND, f"from {name}", credential)


def _same_host(one: str, other: str) -> bool:
    return normalise_host(host_of_key(one)) == normalise_host(host_of_key(other))


def _is_text(value: object) -> bool:
    return isinstance(value, str) and not any("\ud800" <= character <= "\udfff" for character in value)


def _failed(because: str) -> HelperResult:
    return HelperResult(HelperOutcome.FAILED, because)
