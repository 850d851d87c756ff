"""Patients for the doctor, made of the inputs of a case: variables, files, settings, a docker config."""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast
from unittest import mock

from ciproject import Files, config_of, definitions, ref_of

from dockpass.auth.facts import Options
from dockpass.dockerconfig.configfile import ConfigFile, read_config
from dockpass.doctor.check import Patient
from dockpass.doctor.patients import of_files, of_jobs
from dockpass.findings import Finding
from dockpass.probe.model import ActionResult, Challenge, Login, LoginState, Probe, TokenFacts, Verdict
from dockpass.runs.request import BuildOptions
from dockpass.secrets import Redactor, Secret
from dockpass.session.assemble import Process, Sources, VariableSources, assemble
from dockpass.variables.gitlab.resolve import Situation
from dockpass.variables.here import Here, Lies
from dockpass.variables.pipeline import Loaded

CASES = Path(__file__).parents[1] / "cases" / "checks.toml"
NOW = 1_800_000_000.0
"""The time that cases speak of, 15 January 2027, in seconds since the epoch."""


def cases() -> list[dict[str, Any]]:
    """Each case: the name of a finding, what fires it, and a neighbour that does not."""
    found = tomllib.loads(CASES.read_text(encoding="utf-8"))["case"]
    return cast("list[dict[str, Any]]", found)


def patients(given: Mapping[str, Any], directory: Path) -> tuple[Patient, ...]:
    """This machine, or the job of a configuration with its files; files are written to `directory`."""
    for path, text in given.get("files", {}).items():
        (directory / path).parent.mkdir(parents=True, exist_ok=True)
        (directory / path).write_text(_repeating(text), encoding="utf-8")
    if "yaml" in given or "project" in given or "group" in given:
        return _of_job(given)
    return (_machine(given, directory),)


def _repeating(text: str) -> str:
    """Write `<3 $A>` out: `$A$A$A`."""
    return re.sub(r"<(\d+) ([^>]+)>", _repeated, text)


def _repeated(match: re.Match[str]) -> str:
    return match[2] * int(match[1])


def _options(given: Mapping[str, Any]) -> Options:
    options = given.get("options", {})
    password = options.get("registry-password")
    return Options(
        options.get("repo"), options.get("registry-username"), None if password is None else Secret(password)
    )


def _machine(given: Mapping[str, Any], directory: Path) -> Patient:
    process = SimpleNamespace(
        environ=given.get("env", {}), home=directory / "home", cwd=directory, redactor=Redactor()
    )
    files = [directory / name for name in given.get("env_files", ())]
    sources = Sources(
        variables=VariableSources(env_files=files), options=_options(given), froms=given.get("froms", ())
    )
    found = assemble(cast("Process", process), sources, None, BuildOptions(args=given.get("args", {})))
    there = given.get("there", {})
    here = Here(
        lambda: NOW,
        lambda path: Lies(there.get(path.removeprefix(f"{directory}/"), Lies.NOTHING)),
        lambda _path: 0.0,
        lambda _path: given.get("mode", 0o600),
        lambda _path: given.get("tracked", False),
        lambda path: given.get("heads", {}).get(path, ""),
    )
    return Patient(
        facts=found.facts,
        here=here,
        notes=found.notes,
        config=_config(given, directory / given["config"]) if "config" in given else None,
        probe=_probe(given["probe"]) if "probe" in given else None,
    )


def _config(given: Mapping[str, Any], directory: Path) -> ConfigFile:
    if directory.is_dir():
        (directory / "config.json").chmod(given.get("config_mode", 0o600))
    if not given.get("of_somebody_else"):
        return read_config(directory)
    seen, of_somebody = os.fstat, 4711
    with mock.patch(
        "os.fstat", lambda handle: os.stat_result((*(s := seen(handle))[:4], of_somebody, *s[5:]))
    ):
        return read_config(directory)


def _probe(given: Mapping[str, Any]) -> Probe:
    """A probe of `registry.example.com/web/backend` with the verdicts, findings and token of a case."""
    token = given.get("token", {})
    return Probe(
        host="registry.example.com",
        repository="web/backend",
        credential_name="autologin",
        username=given.get("username", "gitlab-ci-token"),
        reached=given.get("reached", True),
        flavour="gitlab",
        ping="401",
        challenge=Challenge(),
        login=Login(LoginState(given.get("login", "accepted")), "the token server answered"),
        actions=tuple(
            ActionResult(action, Verdict(verdict), "the token server's answer")
            for action, verdict in given.get("actions", {"pull": "granted"}).items()
        ),
        token=TokenFacts(life=token.get("life"), deny_delete=tuple(token.get("deny_delete", ()))),
        findings=tuple(Finding(name, "", "It was found.") for name in given.get("findings", ())),
    )


def _of_job(given: Mapping[str, Any]) -> tuple[Patient, ...]:
    yaml = _repeating(given.get("yaml", "build: {script: [env]}\n"))
    files = {".gitlab-ci.yml": yaml, **given.get("files", {})}
    context = {
        "ref": given.get("ref", {}),
        "predefined": given.get("predefined", {"CI_REGISTRY": "registry.example.com"}),
        "project_variables": given.get("project", ()),
        "group_variables": [{"group": "acme", "variables": given["group"]}] if "group" in given else (),
    }
    ref = ref_of(context)
    every = definitions(context, ref)
    loaded = Loaded(config_of(files), Situation(ref=ref, definitions=every))
    job = given.get("job", next(iter(loaded.config.jobs or {}), ""))
    return (of_files(loaded, Files(files)), *of_jobs(loaded, (job,), "/", "/", _options(given)))
