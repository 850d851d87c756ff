"""How a row about a login is run: who logs in with what, which masks and tokens there are, and GitLab's own names.

Rows say kinds of tokens and methods in words of their own. They are compared by which of the program's words
they are nearest to, so that other words for the same pass and those of another kind do not.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from dockpass.auth.command import Command, Method
from dockpass.auth.decide import decide
from dockpass.auth.decision import Decision
from dockpass.auth.facts import Facts, Options, Source, SourceKind
from dockpass.dockerconfig.readers.cliversions import BEFORE, NEWEST, Version
from dockpass.dockerconfig.readers.dockercli import VARIABLE, read_cli, said_of_variable
from dockpass.dockerconfig.readers.files import FileKind, FileRead
from dockpass.dockerconfig.readers.hosts import runner_path
from dockpass.dockerconfig.readers.model import Reading
from dockpass.dockerconfig.readers.runner import JOB, read_runner_image
from dockpass.dockerconfig.readers.situation import PayloadLogin, Situation, Target
from dockpass.secrets import Secret
from dockpass.variables.formats.github import login_action_error
from dockpass.variables.gitlab.model import Ref, RefType, Value
from dockpass.variables.gitlab.predefined import Project, project_variables, ref_variables
from dockpass.variables.masking import why_not_maskable
from dockpass.variables.token_kind import _SHAPES, RegistryUse, kind_of
from dockpass.variables.variable import variable

HOME = Path("/home/somebody")


class _Files:
    """One home in memory."""

    def __init__(self, files: dict[str, str]) -> None:
        self.files = {HOME / name: text.encode() for name, text in files.items()}

    def read(self, path: Path) -> FileRead:
        raw = self.files.get(path)
        return FileRead(path, FileKind.MISSING) if raw is None else FileRead(path, FileKind.FILE, raw)

    def exists(self, path: Path) -> bool:
        return path in self.files


def _text(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else json.dumps(value)


def _take(given: dict[str, Any], *names: str) -> tuple[Any, ...]:
    """Take fields out of what is given; what is left over at the end fails."""
    return tuple(given.pop(name, None) for name in names)


def _same(expected: dict[str, Any], found: dict[str, Any]) -> None:
    """Compare every field that is expected; one that nothing finds is a `KeyError`."""
    assert {name: found[name] for name in expected} == expected


def _user(reading: Reading) -> str | None:
    return reading.winner.user if reading.winner else None


def run_runner_image_auth(row: dict[str, Any]) -> None:
    given = dict(row["input"])
    image, raw, config, dockercfg, credentials = _take(
        given, "image", VARIABLE, "home_docker_config", "home_dockercfg", "job_credentials"
    )
    assert not given
    files = {".docker/config.json": _text(config), ".dockercfg": _text(dockercfg)}
    payload = tuple(
        PayloadLogin(each["url"], each["username"], Secret(each["password"]), each["type"])
        for each in credentials or ()
    )
    situation = Situation(
        {VARIABLE: _text(raw)},
        HOME,
        1000,
        _Files({name: text for name, text in files.items() if text}),
        payload=payload,
        finds=lambda *_: None,
    )
    reading = read_runner_image(image, situation)
    if row["expected"] is None:
        assert reading.winner is None
        return
    said = " ".join(f"{found.message} {found.hint}" for found in reading.findings)
    wanted = dict(row["expected"])
    assert wanted.pop("warning", "") in said
    winner = reading.winner
    places = {VARIABLE: VARIABLE, JOB: "job"}
    _same(
        wanted,
        {
            "username": _user(reading),
            "matched": runner_path(winner.key) if winner else None,
            "from": places.get(winner.source, "home") if winner else None,
        },
    )


def _version(text: str | None) -> Version:
    """`>=28.3.0` and `<28.3.0`, or a version."""
    if not text or text.startswith(">"):
        return NEWEST
    numbers = [int(each) for each in re.findall(r"\d+", text)]
    return BEFORE if text.startswith("<") else (numbers[0], numbers[1])


def run_docker_cli_env_auth(row: dict[str, Any]) -> None:
    given = dict(row["input"])
    raw, config, registry, cli = _take(given, VARIABLE, "config.json", "registry", "docker_cli")
    assert not given
    files = _Files({".docker/config.json": _text(config)} if config is not None else {})
    situation = Situation({VARIABLE: _text(raw)}, HOME, 1000, files, finds=lambda *_: None)
    reading = read_cli(Target(registry), situation, _version(cli))
    said = said_of_variable(_text(raw), _version(cli))
    found = {"username": _user(reading), "warn_on_login": said.on_login, "stderr": said.always}
    _same(row["expected"], {name: value or None for name, value in found.items()})


def run_mask_rule(row: dict[str, Any]) -> None:
    given = dict(row["input"])
    value, raw = _take(given, "value", "raw")
    assert not given
    why = why_not_maskable(value, raw=bool(raw))
    _same(row["expected"], {"maskable": not why})


def run_predefined(row: dict[str, Any]) -> None:
    given = dict(row["input"])
    on_instance, on_project, address, proxy = _take(
        given,
        "registry_enabled_instance",
        "registry_enabled_project",
        "registry_host_port",
        "dependency_proxy_enabled",
    )
    host, port, protocol, path, default, source = _take(
        given,
        "CI_SERVER_HOST",
        "CI_SERVER_PORT",
        "CI_SERVER_PROTOCOL",
        "CI_PROJECT_PATH",
        "CI_DEFAULT_BRANCH",
        "CI_PIPELINE_SOURCE",
    )
    name, protected, ref_type = _take(given, "CI_COMMIT_REF_NAME", "protected", "ref_type")
    assert not given
    project = Project(
        path=path,
        host=host,
        port=str(port or 443),
        protocol=protocol or "https",
        default_branch=default,
        registry=None if on_instance is False else address,
        registry_enabled=False if on_instance is False else on_project,
        dependency_proxy=proxy is not False,
    )
    ref = Ref(type=RefType(ref_type or "branch"), name=name or "main", protected=protected)
    found: dict[str, Value] = project_variables(project) | ref_variables(ref, source or "push")
    wanted = dict(row["expected"])
    assert not [key for key in wanted.pop("absent", ()) if key in found]
    _same(wanted, found)


def _nearest(words: str, choices: Iterable[str]) -> set[str]:
    """Return the choices that share the most words; a choice of the same words beats all."""
    wanted = set(re.findall(r"\w+", words.lower()))
    likeness = {each: _likeness(wanted, set(re.findall(r"\w+", each.lower()))) for each in choices}
    return {each for each, found in likeness.items() if found == max(likeness.values())}


def _likeness(one: set[str], other: set[str]) -> float:
    return len(one & other) / (len(one | other) or 1)


def run_token_kind(row: dict[str, Any]) -> None:
    given = dict(row["input"])
    (value,) = _take(given, "value")
    assert not given
    kind, wanted = kind_of(Secret(value)), dict(row["expected"])
    known = {str(each) for _, each in _SHAPES}
    assert str(kind) in _nearest(wanted.pop("kind"), known)
    if "registry_login" in wanted:
        uses = [str(each) for each in RegistryUse if each]
        nearest = _nearest(wanted.pop("registry_login"), uses)
        assert kind.registry_login.partition(",")[0] in {use.partition(",")[0] for use in nearest}
    assert not wanted


METHODS = {
    "home docker config": Method.AMBIENT,
    "docker config": Method.AMBIENT,
    "ambient": Method.AMBIENT,
    "autologin": Method.AUTOLOGIN,
    "cleanup password": Method.CLEANUP_TOKEN,
    "cleanup token": Method.CLEANUP_TOKEN,
    "options": Method.OPTIONS,
    "external config": Method.EXTERNAL,
    "external docker config": Method.EXTERNAL,
    "WERF_DOCKER_CONFIG": Method.EXTERNAL,
}


def run_autologin_flag(row: dict[str, Any]) -> None:
    given = dict(row["input"])
    command, repo, options, froms = _take(given, "command", "repo", "options", "from")
    options = dict(options or {})
    user, password = _take(options, "registry-username", "registry-password")
    assert not options
    assert all(name.isupper() for name in given), "a part of the input that nothing looks at"
    source = Source(SourceKind.PROCESS)
    facts = Facts(
        {name: variable(name, value, source) for name, value in given.items()},
        Options(repo, user, None if password is None else Secret(password)),
        froms,
        str(HOME),
    )
    decided = decide(Command(command), facts)
    assert isinstance(decided, Decision)
    wanted = dict(row["expected"])
    assert METHODS[wanted.pop("method")] is decided.method
    reason = wanted.pop("reason", "").replace("is not empty", "is set")
    because = " ".join(step.because for step in decided.trace)
    assert reason in because
    _same(wanted, {"username": decided.username, "config_dir": decided.config_dir})


def run_login_action(row: dict[str, Any]) -> None:
    given = dict(row["input"])
    _, username, password = _take(given, "registry", "username", "password")
    assert not given
    _same(row["expected"], {"error": login_action_error(username or "", password or "") or None})


KINDS = {
    "runner_image_auth": run_runner_image_auth,
    "docker_cli_env_auth": run_docker_cli_env_auth,
    "mask_rule": run_mask_rule,
    "predefined": run_predefined,
    "token_kind": run_token_kind,
    "autologin_flag": run_autologin_flag,
    "login_action": run_login_action,
}
