"""Credential helpers: `docker-credential-NAME get`, run so that none can hang or tear the screen."""

from __future__ import annotations

import json
import os
import re
import selectors
import signal
import subprocess
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from dockpass.auth.credential import Credential
from dockpass.secrets import Secret
from dockpass.text import clean_bytes

SECONDS = 10.0
LARGEST_ANSWER = 64 << 10

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]*", re.ASCII)
_IDENTITY_TOKEN_USER = "<token>"  # noqa: S105 - docker's own marker for an identity token


class HelperOutcome(StrEnum):
    """What a helper did."""

    FOUND = "found"
    NOT_FOUND = "not-found"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class HelperResult:
    """`because` is clean and holds no secret."""

    outcome: HelperOutcome
    because: str
    credential: Credential | None = None


def ask_helper(name: str, key: str, environ: Mapping[str, str], seconds: float = SECONDS) -> HelperResult:
    """Ask `docker-credential-NAME` for the entry of `key`. Never raises for what a helper does."""
    if not _NAME.fullmatch(name) or ".." in name:
        return _failed(f"{clean_bytes(name.encode(errors='replace'), 60)!r} is not a helper's name")
    program = find_program(f"docker-credential-{name}", environ)
    if program is None:
        return _failed(f"docker-credential-{name} is not on PATH")
    try:
        child = subprocess.Popen(
            [str(program), "get"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(environ),
            start_new_session=True,
        )
    except OSError as error:
        return _failed(f"{program.name} cannot be started: {error.strerror}")
    try:
        out, err = _answer(child, key.encode(), seconds)
        status = child.wait(1)
    except _TooMuch:
        return _failed(f"{program.name} answered with more than 64 KiB")
    except (TimeoutError, subprocess.TimeoutExpired):
        return _failed(f"{program.name} did not answer within {seconds:g} s")
    finally:
        _end(child)
    return _result(program.name, status, out, err)


def find_program(name: str, environ: Mapping[str, str]) -> Path | None:
    """Find a program in the absolute directories of PATH, never in the current directory."""
    for directory in environ.get("PATH", os.defpath).split(os.pathsep):
        candidate = Path(directory) / name
        if directory and candidate.is_absolute() and candidate.is_file() and os.access(candidate, os.X_OK):
            return candidate
    return None


class _TooMuch(Exception):
    """The helper said more than any credential has."""


def _answer(child: subprocess.Popen[bytes], key: bytes, seconds: float) -> tuple[bytes, bytes]:
    """Give the key and read both outputs to their ends, bounded in size and time."""
    assert child.stdin and child.stdout and child.stderr  # noqa: S101, PT018 - all are pipes
    with suppress(BrokenPipeError):
        child.stdin.write(key)
        child.stdin.close()
    read: dict[int, bytes] = {child.stdout.fileno(): b"", child.stderr.fileno(): b""}
    deadline = time.monotonic() + seconds
    with selectors.DefaultSelector() as selector:
        for pipe in read:
            selector.register(pipe, selectors.EVENT_READ)
        while selector.get_map():
            ready = selector.select(max(deadline - time.monotonic(), 0))
            if not ready:
                raise TimeoutError
            for pipe in (key.fd for key, _ in ready):
                chunk = os.read(pipe, 16 << 10)
                read[pipe] += chunk
                if len(read[pipe]) > LARGEST_ANSWER:
                    raise _TooMuch
                if not chunk:
                    selector.unregister(pipe)
    return read[child.stdout.fileno()], read[child.stderr.fileno()]


def _end(child: subprocess.Popen[bytes]) -> None:
    with suppress(ProcessLookupError):
        os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    for pipe in (child.stdin, child.stdout, child.stderr):
        if pipe is not None:
            with suppress(BrokenPipeError):
                pipe.close()


def _result(name: str, status: int, out: bytes, err: bytes) -> HelperResult:
    if status != 0:
        said = clean_bytes(out or err, 300).strip() or f"exit status {status}"
        if "credentials not found" in said.lower():
            return HelperResult(HelperOutcome.NOT_FOUND, f"{name} has no entry")
        return _failed(f"{name} failed: {said}")
    try:
        answer = json.loads(out)
    except (ValueError, RecursionError):
        return _failed(f"{name} did not answer with JSON")
    if not isinstance(answer, dict):
        return _failed(f"{name} did not answer with a JSON object")
    username, secret = answer.get("Username"), answer.get("Secret")
    if not isinstance(username, str) or not isinstance(secret, str):
        return _failed(f"{name} answered without Username and Secret")
    if not username or not secret:
        return HelperResult(HelperOutcome.NOT_FOUND, f"{name} has no entry")
    if username == _IDENTITY_TOKEN_USER:
        credential = Credential("", Secret(""), Secret(secret))
    else:
        credential = Credential(username, Secret(secret))
    return HelperResult(HelperOutcome.FOUND, f"from {name}", credential)


def _failed(because: str) -> HelperResult:
    return HelperResult(HelperOutcome.FAILED, because)
