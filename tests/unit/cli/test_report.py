"""A report can be pasted anywhere: no secret is in it, and nothing in it is Markdown, HTML, a name or a reference."""

from __future__ import annotations

import base64
import json
import re
from pathlib import Path
from urllib.parse import quote

import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st
from jobclone import make_clone
from markdown_it import MarkdownIt
from markdown_it.token import Token

from dockpass.cli.main import cli
from dockpass.session.report import _inert

TOKEN, WORD = "glpat-Ab3dEf6hIj9kLm2nOp5q", "hunterZq9Xw7Vt"
JOB = "build @all #12 !34 ![i](http://e.example/i.png) <img src=x> </details>```"
BRANCH = "feature/@all-#1-[x](y)-`z`-&#64;bob"
PAIR = base64.b64encode(f"bob:{WORD}B".encode()).decode()
YAML = f"""
variables: {{DB: "postgres://u:{WORD}C@db/x", API_TOKEN: "{WORD}D", U: "$NOWHERE-{TOKEN}", N: 012}}
include: [{{remote: 'https://oauth2:{WORD}E@e.example/a.yml'}}, {{local: /ci/{TOKEN}.yml}}]
{json.dumps(JOB)}:
  image: "u:{WORD}F@r.example/x"
  environment: "{TOKEN}"
  rules: [{{if: '$API_TOKEN == "{WORD}D"'}}, {{when: always}}]
  script:
    - docker login -u bob -p {WORD}G r.example
    - echo {WORD}H | docker login -u bob --password-stdin r.example
    - docker login --password={WORD}J -u {TOKEN} r.example
"""
SETTINGS = [
    {"key": "DATABASE", "value": f"pa${WORD}K", "masked": False},
    {"key": "SECRET_KEY", "value": f"{WORD}L$y", "masked": True},
    {"key": TOKEN, "value": "a", "protected": True},
]
ENV = {
    "CI_REGISTRY": f"https://u:{WORD}O@r.example",
    "CI_REGISTRY_IMAGE": f"u:{WORD}P@r.example/acme",
    "CI_COMMIT_BRANCH": TOKEN,
    "CI_JOB_NAME": TOKEN,
    "DOCKER_HOST": f"tcp://u:{WORD}Q@docker:2375",
    "DOCKER_TLS_CERTDIR": "/certs",
    "HTTPS_PROXY": f"http://u:{WORD}R@proxy:1",
    "DOCKER_AUTH_CONFIG": json.dumps({"auths": {"r.example": {"username": "b", "password": f"{WORD}S"}}}),
    "WERF_DOCKER_CONFIG": f"/x/{TOKEN}",
    "WERF_REPO": f"u:{WORD}V@r.example/x",
    "WERF_IMAGES_CLEANUP_PASSWORD": PAIR,
}


@pytest.fixture
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = make_clone(tmp_path / "shop", YAML, origin=f"https://u:{WORD}@gitlab.example.com/acme/shop.git")
    (root / "ci").mkdir()
    (root / "ci" / f"{TOKEN}.yml").write_text("variables: {M: 0x1F}\n")
    (root / "p.json").write_text(json.dumps(SETTINGS))
    monkeypatch.chdir(root)
    monkeypatch.setenv("HOME", str(tmp_path))
    return root


def tokens(text: str) -> list[Token]:
    found = MarkdownIt("commonmark").enable("table").enable("strikethrough").parse(text)
    return [each for one in found for each in (one, *(one.children or ()))]


def assert_inert(text: str) -> None:
    """Nothing but what a report is made of: headings, tables, lists and one fold."""
    kinds = {each.type for each in tokens(text)}
    assert not kinds & {
        "link_open",
        "image",
        "html_inline",
        "code_inline",
        "em_open",
        "strong_open",
        "s_open",
    }
    told = [each.content for each in tokens(text) if each.type == "text"]
    assert not [each for each in told if re.search(r"(?<!\w)@\w|#\d", each)]


@pytest.mark.parametrize(
    "words",
    [
        ("report",),
        ("report", "--job", JOB, "--ref", BRANCH, "--unprotected", "--project-variables", "p.json"),
        ("report", "--job", JOB, "--ref", TOKEN, "--protected", "--project-variables", "p.json"),
        ("report", "--repo", f"https://me:{WORD}Z@r.example/{TOKEN}"),
    ],
    ids=["machine", "job", "secret ref", "repo"],
)
def test_no_secret_and_no_markup_of_others_is_in_it(clone: Path, words: tuple[str, ...]) -> None:
    ended = CliRunner().invoke(cli, words, env=ENV)
    assert ended.exit_code == 0
    plain = re.sub(r"\\(.)", r"\1", ended.output).replace("&#8203;", "")
    for secret in (WORD, TOKEN, PAIR[:-3], quote(TOKEN), base64.b64encode(TOKEN.encode()).decode()[:-3]):
        assert secret not in plain
        assert secret[:10] not in plain.replace("glpat-", "")
    assert_inert(ended.stdout)
    folds = [each.content for each in tokens(ended.stdout) if each.type == "html_block"]
    assert [each.strip() for each in folds] == ["<details><summary>JSON</summary>", "</details>"]
    (fence,) = [each.content for each in tokens(ended.stdout) if each.type == "fence"]
    assert set(json.loads(fence)) >= {"findings", "logins", "variables"}


@settings(max_examples=40, deadline=None)
@given(st.text(st.sampled_from("ab1@#!~$%^&;<>[]()*_`|\\/:x 64"), max_size=40))
def test_no_text_becomes_markup_and_every_text_is_read_as_it_was(text: str) -> None:
    cell = f"| a |\n|---|\n| {_inert(f'x{text}x')} |\n"
    assert_inert(cell)
    *_, last = [each for each in tokens(cell) if each.type == "inline"]
    read = "".join(each.content for each in last.children or () if each.type == "text")
    assert read.replace("\u200b", "").split() == f"x{text}x".split()


def test_several_findings_are_a_list_below_the_one_that_tells_them(clone: Path) -> None:
    told = CliRunner().invoke(cli, ("report", "--job", JOB, "--project-variables", "p.json"), env=ENV).stdout
    lines = told.splitlines()
    at = next(
        number for number, line in enumerate(lines) if line.startswith("- ▲ M and N are changed by YAML")
    )
    assert [line[:7] for line in lines[at + 1 : at + 3]] == ["    - M", "    - N"]
    heading = next(line for line in lines if line.startswith("## Findings: "))
    assert heading[-1].isalpha(), "a heading has no full stop"
