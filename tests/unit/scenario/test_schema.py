"""What a scenario's file may hold, and what is said where it holds something else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockpass.auth.command import Command
from dockpass.errors import UsageError
from dockpass.scenario.model import Kind, Reference, ReferenceKind, Scenario
from dockpass.scenario.reading import LARGEST, read_scenario
from dockpass.secrets import Secret
from dockpass.variables.gitlab.model import Level, RefType

EXAMPLE = """\
schema = 1
name = "push from a feature branch"
platform = "gitlab"                 # gitlab | github | generic
command = "push"                    # build | push | pull | cleanup | deploy
job = "publish"

[context]
ref_type = "branch"                 # branch | tag | merge_request
ref = "feature/x"
protected = false
pipeline_source = "push"
environment = ""                    # empty: job without environment; absent: take it from the job
docker_cli = "28.3.0"
unset = ["DOCKER_AUTH_CONFIG"]

[[source]]
kind = "gitlab-yaml"
path = ".gitlab-ci.yml"

[[source]]
kind = "gitlab-api-json"
path = "ci/project-vars.json"
level = "project"

[[variable]]
key = "CI_REGISTRY"
value = "registry.example.com"

[[variable]]
key = "CI_JOB_TOKEN"
level = "persisted"
secret = { env = "MY_GITLAB_TOKEN" }
flags = ["masked"]

[expect]
method = "autologin"
username = "gitlab-ci-token"
registry = "registry.example.com"
jobs = [
    "publish",
    "test",
]
findings = []

[expect.cleanup]
method = "cleanup-token"
"""


def read(text: str | bytes, directory: Path) -> Scenario:
    path = directory / "s.toml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_scenario(path, "s.toml", {})


def refused(text: str | bytes, directory: Path) -> UsageError:
    with pytest.raises(UsageError) as caught:
        read(text, directory)
    return caught.value


def test_the_whole_form_is_read(tmp_path: Path) -> None:
    found = read(EXAMPLE, tmp_path)
    assert (found.name, found.job, found.command) == ("push from a feature branch", "publish", Command.PUSH)
    assert found.context.ref_type is RefType.BRANCH
    assert found.context.environment == ""
    assert found.context.protected is False
    assert [(each.kind, each.path, each.level) for each in found.sources] == [
        ("gitlab-yaml", ".gitlab-ci.yml", None),
        ("gitlab-api-json", "ci/project-vars.json", Level.PROJECT),
    ]
    registry, token = found.variables
    assert (registry.value, registry.level, registry.line) == ("registry.example.com", Level.WHAT_IF, 25)
    assert token.value == Reference(ReferenceKind.ENV, ("MY_GITLAB_TOKEN",))
    assert (token.level, token.flags) == (Level.PERSISTED, {"masked"})
    assert [(each.kind, each.wanted, each.command, each.line) for each in found.expected] == [
        (Kind.METHOD, "autologin", Command.PUSH, 36),
        (Kind.USERNAME, "gitlab-ci-token", Command.PUSH, 37),
        (Kind.REGISTRY, "registry.example.com", Command.PUSH, 38),
        (Kind.METHOD, "cleanup-token", Command.CLEANUP, 46),
        (Kind.JOB, "publish", None, 40),
        (Kind.JOB, "test", None, 41),
        (Kind.FINDINGS, "", None, 43),
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "s.toml: schema is missing: write schema = 1 at the top."),
        ("schema = true", "s.toml:1: schema must be a whole number; the newest is 1."),
        ('schema = "1"', "schema must be a whole number"),
        ("schema = 0", "schema must be a whole number"),
        (
            "schema = 1\n[context]\nprotcted = true",
            "s.toml:3: context.protcted is not a known key; did you mean protected?",
        ),
        (
            "schema = 1\nvariables = 1",
            "s.toml:2: variables is not a known key; did you mean variable?",
        ),
        ("schema = 1\nzzz = 1", "zzz is not a known key; known are schema, name, platform"),
        (
            'schema = 1\nplatform = "gitlub"',
            "s.toml:2: platform is not a known value; did you mean gitlab?",
        ),
        ("schema = 1\nname = 1979-05-27", "name must be a text in quotes, not a date or time."),
        ("schema = 1\nname = nan", "name must be a text in quotes, not a number."),
        ("schema = 1\nname = {}", "name must be a text in quotes, not a table."),
        ("schema = 1\ncontext = 3", "context must be a table, not a number."),
        ("schema = 1\n[context]\nprotected = 1", "context.protected must be true or false, not a number."),
        ("schema = 1\n[context]\nunset = 'A'", "context.unset must be a list of texts, not a text."),
        (
            "schema = 1\n[context]\nunset = ['A',\n 3]",
            "s.toml:4: context.unset[2] must be a text in quotes, not a number.",
        ),
        (
            "schema = 1\n[context]\nref_type = 'tag'",
            "s.toml:2: context.ref is missing: a tag has no default.",
        ),
        ("schema = 1\n[source]\nkind='env-file'", "s.toml:2: source must be written as [[source]]"),
        ("schema = 1\n[[source]]\npath='a'", "s.toml:2: source[1].kind is missing."),
        ("schema = 1\n[[source]]\nkind='env-fil'\npath='a'", "did you mean env-file?"),
        (
            "schema = 1\n[[source]]\nkind='gitlab-yaml'\npath='a'\n[[source]]\nkind='gitlab-yaml'\npath='b'",
            "s.toml:5: source[2] is a second configuration, and a project has one.",
        ),
        ("schema = 1\n[[source]]\nkind='env0'\ndialect='go'\npath='a'", "goes with kind = “env-file” only"),
        ("schema = 1\n[[variable]]\nkey='A'", "s.toml:2: variable[1] has neither value nor secret."),
        ("schema = 1\n[[variable]]\nkey='A B'\nvalue='1'", "variable[1].key must have letters, digits and _"),
        (
            "schema = 1\n[[variable]]\nkey='A'\nvalue='1'\nsecret={env='B'}",
            "s.toml:4: variable[1].value and secret exclude each other: keep one of them.",
        ),
        (
            "schema = 1\n[[variable]]\nkey='API_TOKEN'\nvalue='hunter2hunter2'",
            "s.toml:4: variable[1].value must not hold a secret, and API_TOKEN is the name of a secret:",
        ),
        (
            "schema = 1\n[[variable]]\nkey='PLAIN'\nvalue='glpat-hunter2hunter2'",
            "PLAIN has a value that looks like a secret",
        ),
        ("schema = 1\nname = 'glpat-hunter2hunter2'", "name holds what looks like a secret"),
        (
            "schema = 1\n[[variable]]\nkey='A'\nsecret='B'",
            'must be a table such as { env = "NAME" }, not a text.',
        ),
        ("schema = 1\n[[variable]]\nkey='A'\nsecret={}", "needs exactly one of env, file, command, keyring,"),
        ("schema = 1\n[[variable]]\nkey='A'\nsecret={env='B',file='c'}", "needs exactly one of"),
        (
            "schema = 1\n[[variable]]\nkey='A'\nsecret={envv='B'}",
            "secret.envv is not a known key; did you mean env?",
        ),
        ("schema = 1\n[[variable]]\nkey='A'\nsecret={env='B-C'}", "must be the name of a variable."),
        ("schema = 1\n[[variable]]\nkey='A'\nsecret={prompt=false}", "secret.prompt must be true."),
        (
            "schema = 1\n[[variable]]\nkey='A'\nsecret={command='pass x'}",
            "must be a list of texts, not a text.",
        ),
        ("schema = 1\n[[variable]]\nkey='A'\nsecret={command=[]}", "must name a program"),
        ("schema = 1\n[[variable]]\nkey='A'\nsecret={keyring=['a']}", "must be two texts"),
        ("schema = 1\n[[variable]]\nkey='A'\nsecret={gitlab='a/b'}", "secret.key is missing."),
        (
            "schema = 1\n[[variable]]\nkey='A'\nvalue='1'\nflags=['maskd']",
            "variable[1].flags[1] is not a known value; did you mean masked?",
        ),
        ("schema = 1\n[expect]\nmethod='autologin'", "s.toml:3: expect.method needs command"),
        ("schema = 1\n[expect.push]\nmethod='autologn'", "did you mean autologin?"),
        ("schema = 1\n[expect.psh]\nmethod='autologin'", "expect.psh is not a known key; did you mean push?"),
        (
            "schema = 1\ncommand='push'\n[expect]\nmethod='options'\n[expect.push]\nmethod='options'",
            "s.toml:6: expect.push.method is given twice: as expect.method too.",
        ),
        ("schema = 1\n[expect.push]\nerror='x'\nmethod='options'", "error excludes method"),
        ("schema = 1\nplatform='generic'\njob='a'", "job holds only with platform = “gitlab”."),
        ("schema = 1\nplatform='github'\n[expect]\njobs=['a']", "names jobs, which holds only with platform"),
        (
            "schema = 1\nmuted = 'DP-SEC-010'",
            "s.toml:2: muted must be written as [[muted]], a table for each.",
        ),
        ("schema = 1\n[[muted]]\nbecause='x'", "s.toml:2: muted[1].check is missing."),
        ("schema = 1\n[[muted]]\ncheck='DP-SEC-010'", "s.toml:2: muted[1].because is missing."),
        ("schema = 1\n[[muted]]\ncheck='A'\nbecause=' '", "s.toml:4: muted[1].because must say why."),
        ("schema = 1\n[[muted]]\ncheck='A'\nbecause=''", "s.toml:4: muted[1].because must not be empty."),
        ("schema = 1\n[[muted]]\ncheck='A'\nbecause='x'\nreason='y'", "muted[1].reason is not a known key"),
        (
            "schema = 1\n[[muted]]\ncheck='A'\nbecause='x'\nabout=[1]",
            "muted[1].about[1] must be a text in quotes",
        ),
        ("schema = 1\n[[muted]]\ncheck='A'\nbecause='x'\nabout=[]", "muted[1].about must not be empty"),
        ('schema = 1\n"a\\u001b[31mb" = 1', "is not a known key"),
    ],
)
def test_what_is_wrong_is_said_with_line_and_key(tmp_path: Path, text: str, said: str) -> None:
    error = refused(text, tmp_path)
    assert error.id == "scenario-invalid"
    assert said in f"{error.message} {error.hint}"
    assert "hunter2" not in f"{error.message} {error.hint}"
    assert "\x1b" not in f"{error.message} {error.hint}"


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    error = refused("schema = 1\nnme = 'x'\n[context]\nprotcted = 1\n", tmp_path)
    assert "s.toml:2: nme" in error.message
    assert "s.toml:4: context.protcted" in error.hint


@pytest.mark.parametrize(
    ("text", "id_"),
    [
        ("schema = ", "scenario-toml"),
        ("schema = 1\nschema = 1", "scenario-toml"),
        ("x = " + "[" * 5000, "scenario-toml"),
        ("x = " + "{a=" * 5000, "scenario-toml"),
        ("a." * 50_000 + "a = 1", "scenario-toml"),
        ("x = " + "9" * 5000, "scenario-toml"),
        (b"\xff\xfes\x00c\x00", "scenario-binary"),
        (b"schema = 1\nname = '\x00'", "scenario-binary"),
        (b"schema = 1\nname = '\xe9'", "scenario-binary"),
        ("#" * (LARGEST + 1), "scenario-large"),
    ],
)
def test_a_hostile_file_is_refused_in_words(tmp_path: Path, text: str | bytes, id_: str) -> None:
    assert refused(text, tmp_path).id == id_


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    for path, id_ in ((tmp_path, "scenario-kind"), (tmp_path / "none", "scenario-missing")):
        with pytest.raises(UsageError) as caught:
            read_scenario(path, "s", {})
        assert caught.value.id == id_


def test_a_byte_order_mark_and_dos_line_ends_change_nothing(tmp_path: Path) -> None:
    text = b"\xef\xbb\xbf" + EXAMPLE.replace("\n", "\r\n").encode()
    assert read(text, tmp_path) == read(EXAMPLE, tmp_path)


def test_a_newer_form_is_read_as_far_as_it_is_known(tmp_path: Path) -> None:
    found = read("schema = 2\njob = 'a'\nmood = 'good'\n[context]\nplanet = 'mars'\n", tmp_path)
    assert (found.schema, found.job) == (2, "a")
    assert [each.about for each in found.notes] == ["s.toml", "mood", "context.planet"]
    assert refused("schema = 2\njob = 1\n", tmp_path).id == "scenario-invalid"


def test_a_secret_in_the_file_stays_only_where_nobody_else_reads_it(tmp_path: Path) -> None:
    text = "schema = 1\n[[variable]]\nkey='API_TOKEN'\nvalue='hunter2hunter2'\nallow_plain = true\n"
    error = refused(text, tmp_path)
    assert error.id == "scenario-plain-secret"
    assert "chmod 600" in error.message
    (tmp_path / "s.toml").chmod(0o600)
    assert read(text, tmp_path).variables[0].value == Secret("hunter2hunter2")


def test_a_secret_in_a_file_that_git_would_keep_is_refused(tmp_path: Path) -> None:
    import os
    import subprocess

    environ = {"PATH": os.environ["PATH"]}
    subprocess.run(["git", "init", "-q"], cwd=tmp_path, check=True)
    path = tmp_path / "s.toml"
    path.write_text("schema = 1\n[[variable]]\nkey='API_TOKEN'\nvalue='hunter2'\nallow_plain = true\n")
    path.chmod(0o600)
    with pytest.raises(UsageError, match="not ignored"):
        read_scenario(path, "s.toml", environ)
    (tmp_path / ".gitignore").write_text("*.toml\n")
    assert read_scenario(path, "s.toml", environ).variables


VALUES = st.recursive(
    st.one_of(st.text(max_size=8), st.integers(), st.booleans(), st.dates(), st.floats()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(
            st.sampled_from(
                ["schema", "name", "context", "ref", "source", "kind", "variable", "key", "secret", "env"]
            ),
            inner,
            max_size=4,
        ),
    ),
    max_leaves=12,
)


@given(
    st.dictionaries(
        st.sampled_from(
            ["schema", "platform", "command", "context", "source", "variable", "expect", "job", "x"]
        ),
        VALUES,
        max_size=6,
    )
)
def test_any_document_is_read_or_refused_in_words(document: dict[str, Any]) -> None:
    from dockpass.scenario.schema import check

    checked = check(document, {})
    assert checked.scenario is not None
    assert all(each.message and "\n" not in each.message for each in checked.wrong)
