"""What docker gets when buildx builds: its command line, its environment, its config. A script stands for docker."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import stat
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from notes import Notes
from waiting import is_running

from dockpass.builders import survey
from dockpass.builders.base import BuilderInfo
from dockpass.builders.buildx import Buildx, BuildxBuilder
from dockpass.builders.names import BuilderName
from dockpass.builders.options import cache_reference, parse_secrets
from dockpass.builders.survey import all_builders, remembered
from dockpass.buildfiles.contexts import parse_contexts
from dockpass.buildfiles.needs import Feature
from dockpass.dockerconfig.runconfig import RunConfig
from dockpass.dockerconfig.temporary import write_config
from dockpass.engines.base import BuildExtras, BuildRequest, EngineInfo
from dockpass.engines.endpoint import Endpoint, TlsFiles
from dockpass.errors import DockpassError, LoginRefused, UsageError
from dockpass.references.credential import Credential
from dockpass.secrets import Secret

ID = "sha256:" + "e" * 64
SCRIPT = """#!/bin/sh
if [ "$2" = version ]; then
    {version}
fi
env -0 > {out}/environ
printf '%s\\0' "$@" > {out}/argv
while [ $# -gt 0 ]; do
    [ "$1" != --iidfile ] || printf %s {id} > "$2"
    shift
done
{end}
"""
ANSWERS = "echo github.com/docker/buildx v0.13.1 abc; exit 0"
CANARY = "canary-value-of-a-secret"


@pytest.fixture
def out(tmp_path: Path) -> Path:
    for name in ("out", "bin", "config", "context"):
        (tmp_path / name).mkdir(mode=0o700)
    write_config(tmp_path / "config", {"registry.example": Credential("me", Secret("canary-password"))})
    docker(tmp_path)
    return tmp_path / "out"


def docker(top: Path, end: str = "exit 0", version: str = ANSWERS) -> None:
    file = top / "bin" / "docker"
    file.write_text(SCRIPT.format(out=top / "out", id=ID, end=end, version=version))
    file.chmod(0o755)


def built(out: Path, environ: Mapping[str, str], notes: Notes | None = None, **given: Any) -> str:
    top = out.parent
    given.setdefault("context", top / "context")
    request = BuildRequest(dockerfile=top / "context" / "Dockerfile", **given)
    endpoint = Endpoint("tcp://engine:2376", "a test", TlsFiles("/c/ca.pem", "/c/cert.pem", "/c/key.pem"))
    buildx = Buildx(program=(str(top / "bin" / "docker"), "buildx"), endpoint=endpoint, sections={})
    info = BuilderInfo(name=BuilderName.BUILDX)
    builder = BuildxBuilder(info, buildx, None, {"PATH": os.environ["PATH"], **environ})  # type: ignore[arg-type]
    return builder.build(request, RunConfig(top / "config"), notes or Notes())


def argv(out: Path) -> list[str]:
    return (out / "argv").read_text().rstrip("\0").split("\0")


def environment(out: Path) -> dict[str, str]:
    pairs = (line.partition("=") for line in (out / "environ").read_text().rstrip("\0").split("\0"))
    return {name: value for name, _, value in pairs}


def test_every_option_is_handed_on(out: Path) -> None:
    extras = BuildExtras(
        ssh=("default",), cache_from=("a/b",), cache_to=("type=inline",), push=True, pull=True, network="host"
    )
    contexts = parse_contexts(["base=docker-image://registry.example/b:1", "src=../src"])
    assert (
        built(
            out,
            {},
            tags=("registry.example/app:1",),
            target="last",
            platform="linux/arm64",
            contexts=contexts,
            named_root=out,
            extras=extras,
        )
        == ID
    )
    words = argv(out)
    assert words[:4] == ["buildx", "build", "--builder", "default"]
    assert words[-2:] == ["--", str(out.parent / "context")]
    for pair in (
        ("--tag", "registry.example/app:1"),
        ("--target", "last"),
        ("--platform", "linux/arm64"),
        ("--ssh", "default"),
        ("--cache-from", "a/b"),
        ("--cache-to", "type=inline"),
        ("--network", "host"),
        ("--build-context", "base=docker-image://registry.example/b:1"),
        ("--build-context", f"src={out}/../src"),
    ):
        assert pair in set(itertools.pairwise(words))
    assert {"--push", "--pull", "--progress=rawjson"} <= set(words)


def test_the_environment_leads_to_the_config_and_nothing_hostile_is_handed_on(out: Path) -> None:
    hostile = {
        "BUILDX_CONFIG": "/home/me/.docker/buildx",
        "BUILDX_BUILDER": "mine",
        "DOCKER_AUTH_CONFIG": CANARY,
        "DOCKER_CONTEXT": "other",
        "DOCKER_CONFIG": "/home/me/.docker",
        "DOCKER_HOST": "unix:///other",
        "BUILDKIT_HOST": "tcp://other",
        "CI_JOB_TOKEN": CANARY,
        "HTTPS_PROXY": "http://proxy:3128",
    }
    built(out, hostile)
    seen, config = environment(out), str(out.parent / "config")
    assert CANARY not in str(seen)
    assert seen["DOCKER_CONFIG"] == config
    assert seen["BUILDX_CONFIG"] == f"{config}/buildx"
    assert seen["DOCKER_HOST"] == "tcp://engine:2376"
    assert (seen["DOCKER_TLS_VERIFY"], seen["DOCKER_CERT_PATH"]) == ("1", "/c")
    assert seen["HTTPS_PROXY"] == "http://proxy:3128"
    assert not seen.keys() & {"BUILDX_BUILDER", "DOCKER_AUTH_CONFIG", "DOCKER_CONTEXT", "BUILDKIT_HOST"}


def test_no_value_of_a_secret_or_an_argument_is_in_the_command_line(out: Path) -> None:
    (out / "key.pem").write_text(CANARY)
    secrets = parse_secrets(
        ["id=tok,env=TOK", 'id=key,"src=key.pem"', "id=NAMED"], {"TOK": CANARY, "NAMED": CANARY}, out
    )
    built(
        out,
        {"TOK": "x"},
        extras=BuildExtras(secrets=secrets),
        build_args={"TOKEN": CANARY, "EMPTY": "", "PATH": "/a"},
    )
    words = argv(out)
    assert CANARY not in str(words)
    assert words[words.index("--build-arg") + 1] == "TOKEN"
    assert "PATH=/a" in words
    seen = environment(out)
    assert (seen["TOKEN"], seen["EMPTY"], seen["PATH"]) == (CANARY, "", os.environ["PATH"])
    given = [words[at + 1] for at, word in enumerate(words) if word == "--secret"]
    assert given[1] == f"id=key,src={out}/key.pem"
    assert [seen[given[at].partition("env=")[2]] for at in (0, 2)] == [CANARY, CANARY]


@pytest.mark.parametrize(
    ("spec", "error"),
    [
        (CANARY, "secret-invalid"),
        (f"id=a,value={CANARY}", "secret-invalid"),
        ("id=", "secret-invalid"),
        ("id=a,type=odd", "secret-invalid"),
        ('id=a,"src=x', "secret-invalid"),
        ("id=a,env=NOT_SET", "secret-missing"),
        ("id=a,src=nowhere", "secret-missing"),
        ("id=a", "secret-missing"),
        ("id=a,src=large", "secret-invalid"),
    ],
)
def test_a_secret_that_cannot_be_is_refused_without_repeating_it(
    spec: str, error: str, tmp_path: Path
) -> None:
    (tmp_path / "large").write_bytes(b"x" * (600 << 10))
    with pytest.raises(UsageError) as raised:
        parse_secrets([spec], {}, tmp_path)
    assert raised.value.id == error
    assert CANARY not in f"{raised.value.message}{raised.value.hint}"


def test_a_path_with_a_comma_stays_one_field(out: Path) -> None:
    (out / "a,b").write_text("x")
    built(out, {}, extras=BuildExtras(secrets=parse_secrets(['id=key,"src=a,b"'], {}, out)))
    assert f'id=key,"src={out}/a,b"' in argv(out)


def test_buildx_that_does_not_answer_in_this_config_ends_the_run_before_the_build(out: Path) -> None:
    docker(out.parent, version="echo 'unknown command: docker buildx'; exit 1")
    with pytest.raises(DockpassError) as raised:
        built(out, {})
    assert raised.value.id == "builder-unusable"
    assert not (out / "argv").exists()


def refusing(base: str) -> str:
    failed = {"vertexes": [{"digest": "x", "name": f"[internal] load metadata for {base}", "error": "401"}]}
    return f"cat >&2 <<'EOF'\n{json.dumps(failed)}\nERROR: failed to solve: {base}: 401 Unauthorized\nEOF\nexit 1"


@pytest.mark.parametrize(
    ("host", "accepted", "kind", "error"),
    [
        ("registry.example", frozenset(), LoginRefused, "unauthorized"),
        ("registry.example", frozenset({"registry.example"}), DockpassError, "denied"),
        ("other.example", frozenset({"registry.example"}), DockpassError, "unauthorized"),
    ],
)
def test_a_refusal_is_told_by_what_that_registry_was_sent(
    out: Path, host: str, accepted: frozenset[str], kind: type, error: str
) -> None:
    docker(out.parent, end=refusing(f"{host}/b:1"))
    with pytest.raises(kind) as raised:
        built(out, {}, accepted=accepted)
    assert raised.value.id == error


def test_an_image_without_an_id_is_not_called_built(out: Path) -> None:
    file = out.parent / "bin" / "docker"
    file.write_text(file.read_text().replace(ID, "''"))
    with pytest.raises(DockpassError) as raised:
        built(out, {})
    assert raised.value.id == "builder-failed"


@pytest.mark.parametrize("metadata", ["[" * 100_000, "{", "[]", '{"containerimage.digest": 1}'])
def test_metadata_that_cannot_be_read_names_no_image(out: Path, metadata: str) -> None:
    file = out.parent / "bin" / "docker"
    text = file.read_text().replace(ID, "''").replace("exit 0\nfi", "exit 0; fi", 1)
    (out / "metadata").write_text(metadata)
    copies = f'[ "$1" != --metadata-file ] || cat {out}/metadata > "$2"\n    shift'
    file.write_text(text.replace("    shift", f"    {copies}", 1))
    with pytest.raises(DockpassError) as raised:
        built(out, {})
    assert raised.value.id == "builder-failed"


DOCKER = EngineInfo("Docker", "26.1.5", "unix:///x", "a test")


def surveyed(tmp_path: Path, **environ: str) -> BuilderInfo:
    home = tmp_path / "home"
    home.mkdir(exist_ok=True)
    found = all_builders(
        DOCKER,
        {
            "PATH": f"{tmp_path / 'bin'}:/usr/bin:/bin",
            "TMPDIR": str(tmp_path),
            "DOCKER_HOST": "unix:///x",
            **environ,
        },
        home,
    )
    return found[0].info


@pytest.mark.parametrize(
    ("version", "unusable"),
    [
        (ANSWERS, ""),
        ("echo github.com/docker/buildx v0.9.1 abc; exit 0", "docker buildx 0.9.1 is too old"),
        ("echo 'docker: unknown command: docker buildx' >&2; exit 1", "docker has no buildx plugin"),
        ("""echo "docker: 'buildx' is not a docker command." >&2; exit 1""", "docker has no buildx plugin"),
        ("echo no >&2; exit 1", "docker buildx does not answer: no"),
        ("echo hello; exit 0", "docker buildx does not answer: hello"),
        (
            "exec yes github.com/docker/buildx v0.20.0",
            "docker buildx tells no version: docker answered with more",
        ),
    ],
)
def test_buildx_is_asked_for_its_version_in_a_config_like_the_runs(
    out: Path, version: str, unusable: str
) -> None:
    docker(out.parent, version=version)
    assert unusable in surveyed(out.parent).unusable
    assert bool(unusable) == bool(surveyed(out.parent).unusable)
    assert not list(out.parent.glob("dockpass-*"))


def test_nothing_that_a_program_starts_outlives_the_question_for_its_version(
    out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(survey, "SECONDS_TO_ANSWER", 0.3)
    docker(out.parent, version=f"sleep 300 & echo $! > {out}/pid; wait")
    assert (
        surveyed(out.parent).unusable == "docker buildx tells no version: docker did not answer within 0.3 s"
    )
    assert not is_running(int((out / "pid").read_text()))


def test_the_persons_plugins_and_proxies_are_carried_over_and_no_login(out: Path) -> None:
    own = out.parent / "own"
    (own / "cli-plugins").mkdir(parents=True)
    proxies = {"default": {"httpProxy": "http://proxy:1"}}
    (own / "config.json").write_text(
        json.dumps({"auths": {"a": {"auth": "YTpi"}}, "proxies": proxies, "credsStore": "x"})
    )
    found = all_builders(
        DOCKER, {"PATH": str(out.parent / "bin"), "DOCKER_CONFIG": str(own), "DOCKER_HOST": "unix:///x"}, out
    )
    assert found[0].sections == {"proxies": proxies, "cliPluginsExtraDirs": [str(own / "cli-plugins")]}


@pytest.mark.parametrize("named_by", ["currentContext", "DOCKER_CONTEXT"])
def test_the_engine_of_the_persons_context_is_the_one_that_builds(out: Path, named_by: str) -> None:
    own = out.parent / "own"
    identity = hashlib.sha256(b"remote").hexdigest()
    meta = own / "contexts" / "meta" / identity
    meta.mkdir(parents=True)
    current = "remote" if named_by == "currentContext" else "another-one"
    (own / "config.json").write_text(json.dumps({"currentContext": current}))
    described = {"Name": "remote", "Endpoints": {"docker": {"Host": "tcp://remote.example:2376"}}}
    (meta / "meta.json").write_text(json.dumps(described))
    docker(out.parent, version=f"env -0 > {out}/asked; {ANSWERS}")
    environ = {"PATH": f"{out.parent / 'bin'}:/usr/bin:/bin", "DOCKER_CONFIG": str(own), "TMPDIR": str(out)}
    if named_by == "DOCKER_CONTEXT":
        environ["DOCKER_CONTEXT"] = "remote"
    found, by_session, *_ = all_builders(replace(DOCKER, has_buildkit=True), environ, out)
    assert not found.info.unusable
    opened = by_session.open(None, environ, None, None)  # type: ignore[arg-type]
    assert opened._endpoint.url == "tcp://remote.example:2376"  # type: ignore[attr-defined]
    asked = (out / "asked").read_text().split("\0")
    assert "DOCKER_HOST=tcp://remote.example:2376" in asked
    assert f"DOCKER_CONFIG={own}" not in asked
    assert "currentContext" not in found.sections


@pytest.mark.parametrize(
    ("engine", "unusable"),
    [
        (EngineInfo("Docker", "26.1.5", "unix:///x", "a test", has_buildkit=True), ""),
        (EngineInfo("Docker", "dev", "unix:///x", "a test", has_buildkit=True), ""),
        (
            EngineInfo("Docker", "19.03.15", "unix:///x", "a test", has_buildkit=True),
            "Docker 19.03.15 is too old",
        ),
        (EngineInfo("Docker", "26.1.5", "unix:///x", "a test"), "Docker 26.1.5 has no BuildKit"),
    ],
)
def test_the_engines_buildkit_comes_after_buildx_and_nothing_is_asked(
    tmp_path: Path, engine: EngineInfo, unusable: str
) -> None:
    info = all_builders(engine, {"PATH": "", "TMPDIR": str(tmp_path), "DOCKER_HOST": "unix:///x"}, tmp_path)[
        1
    ].info
    assert info.name is BuilderName.BUILDKIT
    assert unusable in info.unusable
    assert bool(unusable) == bool(info.unusable)
    assert Feature.SECURITY not in info.can
    assert (Feature.HEREDOC in info.can) == (engine.version != "19.03.15")


def test_a_survey_is_made_once_for_each_place_that_it_would_look_at(tmp_path: Path) -> None:
    asked: list[str] = []

    def find(_engine: EngineInfo, environ: Mapping[str, str], _home: Path) -> tuple[()]:
        asked.append(environ["PATH"])
        return ()

    once = remembered(find)
    for path in ("/a", "/a", "/b"):
        once(DOCKER, {"PATH": path, "OTHER": path}, tmp_path)
    assert asked == ["/a", "/b"]


def test_without_docker_there_is_no_buildx(tmp_path: Path) -> None:
    assert "not installed" in surveyed(tmp_path, PATH=str(tmp_path)).unusable


@pytest.mark.parametrize(
    ("spec", "image"),
    [
        ("registry.example/cache", "registry.example/cache"),
        ("type=registry,ref=registry.example/cache:1,mode=max", "registry.example/cache:1"),
        ("type=local,dest=/x", ""),
        ("type=inline", ""),
        ('type="x', ""),
    ],
)
def test_a_cache_names_its_image(spec: str, image: str) -> None:
    assert cache_reference(spec) == image


def test_the_config_keeps_its_modes(out: Path) -> None:
    built(out, {})
    assert stat.S_IMODE((out.parent / "config" / "config.json").stat().st_mode) == 0o600
