"""A registry and a token server that repeat the login that they were sent: no output shows it."""

from __future__ import annotations

import base64
import os
from collections.abc import Callable
from pathlib import Path

import pytest
from canaries import all_spelled, in_header
from plainserver import Give, Got, PlainServer, bearer
from planted import Planted, planted

PASSWORD = ("--registry-username", "robot", "--registry-password-stdin")


class Mirror:
    """Answers with the login that came, in every spelling, in a form of answer of the test's choice."""

    def __init__(self, form: str) -> None:
        self.form = form
        self.heard = ""

    def __call__(self, server: PlainServer, got: Got) -> Give:
        self._listen(got)
        if not self.heard:
            challenge = {"WWW-Authenticate": 'Basic realm="mirror"'}
            return bearer(server) if self.form.startswith("token") else Give(401, {}, challenge)
        said = all_spelled(self.heard)
        if self.form.startswith("token") and got.path != "/token":
            return bearer(server)
        return FORMS[self.form](server, said)

    def _listen(self, got: Got) -> None:
        scheme, _, sent = got.authorization.partition(" ")
        if scheme == "Basic":
            pair = base64.b64decode(sent).decode("utf-8", "replace")
            self.heard = pair.partition(":")[2]


def _errors(said: str) -> dict[str, object]:
    return {
        "errors": [{"code": "DENIED", "message": f"no {said}", "detail": {"sent": said}}],
        "message": said,
    }


def quoted(said: str) -> str:
    """Return a text as it stands between the quotes of a challenge."""
    return in_header(said).replace("\\", "\\\\").replace('"', '\\"')


FORMS: dict[str, Callable[[PlainServer, str], Give]] = {
    "errors": lambda _, said: Give(401, _errors(said), {"WWW-Authenticate": 'Basic realm="mirror"'}),
    "page": lambda _, said: Give(403, f"<html><title>{said}</title><p>{said}".encode()),
    "text": lambda _, said: Give(400, ("x" * 400 + said).encode(), {"Server": in_header(said)}),
    "redirect": lambda server, said: Give(
        307, b"", {"Location": f"http://robot:x@{server.host}/{in_header(said)}/v2/?{in_header(said)}"}
    ),
    "realm": lambda server, said: Give(
        401, _errors(said), {"WWW-Authenticate": f'Bearer realm="http://{server.host}/{quoted(said)}"'}
    ),
    "challenge": lambda _, said: Give(
        401, b"", {"WWW-Authenticate": f'Negotiate {in_header(said)}, Basic realm="{quoted(said)}"'}
    ),
    "limit": lambda _, said: Give(429, _errors(said), {"Retry-After": in_header(said)}),
    "names": lambda _, said: Give(200, {"name": said, "tags": ["!" * 57 + said, said]}),
    "token errors": lambda _, said: Give(401, _errors(said)),
    "token page": lambda _, said: Give(200, f"<html><title>{said}".encode()),
    "token of nothing": lambda _, said: Give(
        200, {"error": said, "error_description": said, "details": said}
    ),
}
COMMANDS = {
    "probe": ("probe", "push"),
    "probe --json": ("probe", "push", "--json"),
    "probe --compare": ("probe", "push", "--compare"),
    "deploy": ("deploy", "--tag", "t1"),
    "cleanup --json": ("cleanup", "--keep-last", "1", "--yes", "--json"),
    "pull": ("pull", "--engine", "embedded"),
    "build": ("build", "--engine", "embedded", "--file", "Dockerfile.base"),
}
SOURCES = ("stdin", "CI_JOB_TOKEN", "auth", "password", "identitytoken", "a helper's answer")


def given(machine: Planted, source: str) -> tuple[tuple[str, ...], bytes, dict[str, str]]:
    """Let the login of the machine's registry come from a source; return options, stdin and variables."""
    if source == "stdin":
        return PASSWORD, machine.aviary("the password on stdin").value.encode(), {}
    if source == "CI_JOB_TOKEN":
        return (), b"", {}
    entries = {
        "auth": {"auth": machine.aviary("auth").auth()},
        "password": {"username": "robot", "password": machine.aviary("password").value},
        "identitytoken": {"identitytoken": machine.aviary("identitytoken").value},
    }
    if source in entries:
        machine.docker_config["auths"] = {machine.at: entries[source]}
    else:
        machine.docker_config = {"credHelpers": {machine.at: "canary"}}
    machine.write_docker_config()
    return (), b"", {"CI_JOB_TOKEN": "", "CI_REGISTRY": ""}


CASES = [
    (form, command, SOURCES[(number + place) % len(SOURCES)])
    for number, form in enumerate(FORMS)
    for place, command in enumerate(COMMANDS)
    if (number + place) % 2 == 0 or form in {"errors", "token errors"}
]


@pytest.mark.parametrize(("form", "command", "source"), CASES)
def test_a_registry_that_repeats_the_login(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    form: str,
    command: str,
    source: str,
) -> None:
    mirror = Mirror(form)
    with PlainServer(mirror) as server, planted(tmp_path, monkeypatch, capfd, server.host) as machine:
        options, stdin, variables = given(machine, source)
        words = (*COMMANDS[command], *options, "--no-proxy")
        if not command.startswith("build"):
            words += ("--repo", f"{server.host}/web/app{os.getpid()}")
        ended = machine.run(*words, stdin=stdin, **variables)
        assert not machine.leaks(ended.all), ended.all
        assert "Internal error" not in ended.all
        assert machine.leaks_elsewhere() == []
    assert mirror.heard or source == "identitytoken", (server.got, ended)
