"""Facts and findings are put together once, whoever asks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from dockpass.auth.command import Command
from dockpass.auth.facts import Options
from dockpass.errors import UsageError
from dockpass.runs.request import BuildOptions
from dockpass.secrets import MASK, Redactor, Secret
from dockpass.session.assemble import Sources, VariableSources, assemble, findings_of

TOKEN, PASSWORD, FROM_FILE = "canary-token-0123", "canary-password-0123", "canary-file-0123"


@dataclass(frozen=True)
class Process:
    environ: Mapping[str, str]
    home: Path
    cwd: Path
    redactor: Redactor = field(default_factory=Redactor)


@pytest.fixture
def process(tmp_path: Path) -> Process:
    return Process({"CI_REGISTRY": "registry.example ", "CI_JOB_TOKEN": TOKEN}, tmp_path / "home", tmp_path)


def test_the_redactor_learns_every_secret_of_every_source(process: Process) -> None:
    (process.cwd / "job.env").write_text(f"CI_REGISTRY_PASSWORD={FROM_FILE}\n")
    sources = Sources(
        variables=VariableSources(env_files=[process.cwd / "job.env"]),
        options=Options("registry.example/a", "me", Secret(PASSWORD)),
    )
    found = assemble(process, sources, Command.PUSH, BuildOptions())
    assert found.facts.options.registry_username == "me"
    for secret in (TOKEN, PASSWORD, FROM_FILE):
        assert process.redactor(f"x {secret} y") == f"x {MASK} y"


def test_findings_are_those_of_the_facts_then_the_notes_on_the_files(process: Process) -> None:
    (process.cwd / "job.log").write_text("++ export 'CI_REGISTRY_USER=a'\n++ CI_REGISTRY_USER=a\n")
    sources = Sources(variables=VariableSources(env_files=[process.cwd / "job.log"]))
    found = assemble(process, sources, Command.PUSH, BuildOptions())
    assert found.findings == findings_of(found.facts, found.notes)
    ids = [finding.id for finding in found.findings]
    assert ids.index("blanks") < ids.index("env-file-format")


@pytest.mark.parametrize("command", [Command.PUSH, None])
def test_a_broken_build_file_stops_a_build_only(process: Process, command: Command | None) -> None:
    (process.cwd / "Dockerfile").write_text("FORM alpine\n")
    with pytest.raises(UsageError):
        assemble(process, Sources(), Command.BUILD, BuildOptions())
    found = assemble(process, Sources(), command, BuildOptions())
    assert [note.about for note in found.notes] == ([] if command else ["Dockerfile:1"])


def test_images_that_are_named_need_no_file(process: Process) -> None:
    for command in (Command.BUILD, Command.PUSH, None):
        found = assemble(process, Sources(froms=["alpine:3"]), command, BuildOptions())
        assert [image.reference for image in found.facts.base_images or ()] == ["alpine:3"]


def test_what_a_build_pulls_is_not_looked_for_where_nothing_is_built(process: Process) -> None:
    (process.cwd / "Dockerfile").write_text("FROM alpine:3\n")
    assert assemble(process, Sources(), Command.PUSH, BuildOptions()).facts.base_images is None
    for command in (Command.BUILD, None):
        facts = assemble(process, Sources(), command, BuildOptions()).facts
        assert [image.reference for image in facts.base_images or ()] == ["alpine:3"]
