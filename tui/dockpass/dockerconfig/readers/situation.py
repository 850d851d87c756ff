"""What the readers are asked about, and what they may look at: environment, home, files, helpers."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from dockpass.dockerconfig.helpers import HelperAnswer, find_program, run_helper
from dockpass.dockerconfig.keys import shown_key, without_userinfo
from dockpass.dockerconfig.readers import gojson
from dockpass.dockerconfig.readers.files import FileSystem, RealFileSystem
from dockpass.errors import UsageError
from dockpass.references.grammar import is_named_host
from dockpass.secrets import Secret
from dockpass.text import clean

RunHelper = Callable[[str, str, str, Mapping[str, str]], HelperAnswer]
"""Runs the helper of a name with an action and what is said to it, in an environment."""

HUB = "docker.io"
HUB_KEY = "https://index.docker.io/v1/"

_NOT_FOUND = b"credentials not found in native keychain"
_TOKEN_USER = "<token>"  # noqa: S105 - docker's own marker for an identity token


@dataclass(frozen=True, slots=True)
class Target:
    """A registry, `host[:port]` as it is written, and a repository in it where one is given."""

    host: str
    path: str = ""

    @property
    def shown(self) -> str:
        """The target as it may be shown."""
        return clean(f"{self.host}/{self.path}" if self.path else self.host, 300)


def parse_target(text: str) -> Target:
    """Read HOST or REPO, with docker's rule for what is a host. Raises `UsageError`.

    A word alone is a host, for an image of Docker Hub is `docker.io/NAME`; tag and digest are cut.
    """
    hint = "Give a registry such as registry.example:5000, or a repository such as quay.io/team/app."
    if "://" in text:
        raise UsageError("target-scheme", f"{shown_key(text)} is an address, not a registry's name.", hint)
    if without_userinfo(text) != text:
        raise UsageError("target-name", f"“{shown_key(text)}” has a user name in it.", hint)
    name = text.partition("@")[0].rstrip("/")
    first, _, path = name.partition("/")
    directory, slash, image = path.rpartition("/")
    path = f"{directory}{slash}{image.partition(':')[0]}"
    if not first or any(found.isspace() or not found.isprintable() for found in name):
        raise UsageError("target-name", f"“{shown_key(text)}” is neither a registry nor a repository.", hint)
    if path and not is_named_host(first):
        return Target(HUB, f"{first}/{path}")
    return Target(first, path)


class HelperState(StrEnum):
    """What is known of a helper's answer."""

    FOUND = "found"
    EMPTY = "empty"
    FAILED = "failed"
    NOT_ASKED = "not-asked"


@dataclass(frozen=True, slots=True)
class HelperLogin:
    """A helper's answer as one kind of reader takes it; `evidence` is clean and holds no secret."""

    state: HelperState
    evidence: str
    user: str = ""
    secret: Secret = field(default_factory=lambda: Secret(""))
    is_token: bool = False


@dataclass(frozen=True, slots=True)
class PayloadLogin:
    """A login that GitLab sends along with a job; the runner takes those of the type `registry`."""

    url: str
    username: str
    password: Secret
    type: str = "registry"


@dataclass(frozen=True)
class Situation:
    """What a reader sees. `home` is the home directory, `uid` the user's id.

    `ask` says whether helpers may be run; each is then asked once for each key, whoever asks. `payload` are
    the logins that come with the job; None where they follow from the job's variables.
    """

    environ: Mapping[str, str] = field(repr=False)
    home: Path
    uid: int
    files: FileSystem = field(default_factory=RealFileSystem)
    ask: bool = False
    run: RunHelper = run_helper
    finds: Callable[[str, Mapping[str, str]], object] = find_program
    answers: dict[tuple[str, str, str], HelperAnswer] = field(default_factory=dict)
    payload: tuple[PayloadLogin, ...] | None = None

    def set(self, name: str) -> str:
        """Return the value of a variable, empty where it is not set."""
        return self.environ.get(name, "")

    def installed(self, program: str) -> bool:
        """Tell whether a program is in PATH."""
        return bool(self.finds(program, self.environ))

    def ask_helper(self, name: str, action: str, said: str) -> HelperAnswer | None:
        """Return a helper's answer; None where it may not be asked. A missing helper has failed anyway."""
        question = (name, action, said)
        if question not in self.answers:
            program = f"docker-credential-{name}"
            if not self.installed(program):
                missing = f"{clean(program, 80)} is not in any absolute directory of PATH"
                self.answers[question] = HelperAnswer(name, missing)
            elif not self.ask:
                return None
            else:
                self.answers[question] = self.run(name, action, said, self.environ)
        return self.answers[question]


def go_login(situation: Situation, name: str, key: str) -> HelperLogin:
    """Ask a helper and take its answer as the Go programs do."""
    answer = situation.ask_helper(name, "get", key)
    if answer is None:
        return HelperLogin(HelperState.NOT_ASKED, _would(name, key))
    if answer.problem:
        return HelperLogin(HelperState.FAILED, answer.problem)
    if answer.status:
        if answer.out.strip() == _NOT_FOUND:
            return HelperLogin(HelperState.EMPTY, f"docker-credential-{name} knows no {shown_key(key)}")
        return _failed(name, answer)
    faults = gojson.Faults()
    found = {"username": "", "secret": "", "serverurl": key}
    try:
        value = gojson.parse(answer.out, whole=False)
    except ValueError:
        return HelperLogin(HelperState.FAILED, f"docker-credential-{name} did not answer with JSON")
    if not answer.out.strip():
        return HelperLogin(HelperState.FAILED, f"docker-credential-{name} said nothing")
    for part, each in gojson.fields(value, "the answer", frozenset(found), faults):
        found[part] = gojson.text(each, part, found[part], faults)
    if faults.types:
        return HelperLogin(HelperState.FAILED, f"docker-credential-{name} answered with a wrong type")
    return _login(name, found["username"], found["secret"])


def sdk_login(situation: Situation, name: str, key: str) -> HelperLogin:
    """Ask a helper and take its answer as the docker SDK does."""
    answer = situation.ask_helper(name, "get", key)
    if answer is None:
        return HelperLogin(HelperState.NOT_ASKED, _would(name, key))
    if answer.problem:
        return HelperLogin(HelperState.FAILED, answer.problem)
    if answer.status:
        if _NOT_FOUND in answer.out:
            return HelperLogin(HelperState.EMPTY, f"docker-credential-{name} knows no {shown_key(key)}")
        return _failed(name, answer)
    try:
        found = json.loads(answer.out.decode("utf-8"))
        user, secret = found["Username"], found["Secret"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return HelperLogin(
            HelperState.FAILED, f"docker-credential-{name} answered without Username and Secret"
        )
    if user == "" and secret == "":
        return HelperLogin(HelperState.EMPTY, f"docker-credential-{name} knows no {shown_key(key)}")
    return _login(name, str(user), str(secret))


def _login(name: str, user: str, secret: str) -> HelperLogin:
    said = f"docker-credential-{name} answered"
    if user == _TOKEN_USER:
        return HelperLogin(HelperState.FOUND, said, "", Secret(secret), True)
    return HelperLogin(HelperState.FOUND, said, user, Secret(secret))


def _would(name: str, key: str) -> str:
    return f"docker-credential-{clean(name, 60)} get, with {shown_key(key)}"


def _failed(name: str, answer: HelperAnswer) -> HelperLogin:
    return HelperLogin(HelperState.FAILED, f"docker-credential-{clean(name, 60)} failed: {answer.words}")
