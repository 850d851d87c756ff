"""Env files are read as docker reads them, or it is told at the line; what docker refuses is read as a dump."""

from __future__ import annotations

import json
import shlex
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dockpass.auth.facts import Facts, Variable
from dockpass.errors import UsageError
from dockpass.secrets import Secret
from dockpass.text import clean
from dockpass.variables.envfile import read_env_file
from dockpass.variables.findings import find_findings

CASES = [
    json.loads(line) for line in (Path(__file__).parents[2] / "cases/envfiles.jsonl").read_text().splitlines()
]
SPACES = {"\t", "\n", "\v", "\f", "\r", " ", "\x85", "\xa0"}


def read(text: str, folder: Path, environ: dict[str, str] | None = None) -> dict[str, Variable]:
    path = folder / "job.env"
    path.write_text(text, encoding="utf-8", newline="")
    return read_env_file(path, environ or {})


def plain(variables: dict[str, Variable]) -> dict[str, str]:
    values = {name: found.value for name, found in variables.items()}
    return {name: v.reveal() if isinstance(v, Secret) else v for name, v in values.items()}


def told(variables: dict[str, Variable]) -> set[tuple[str, str]]:
    return {(each.id, each.about) for each in find_findings(Facts(variables))}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_a_file_is_read_as_docker_reads_it_or_it_is_told(case: dict[str, Any], tmp_path: Path) -> None:
    wanted = case["docker"]
    if wanted is not None and not all(map(str.isprintable, wanted)):
        with pytest.raises(UsageError, match=", line "):
            read(case["file"], tmp_path, case["environ"])
        return
    try:
        variables = read(case["file"], tmp_path, case["environ"])
    except UsageError:
        assert wanted is None
        return
    values = plain(variables)
    if wanted is None:
        assert told(variables)
        return
    about = {name for _, name in told(variables)}
    assert values.keys() <= wanted.keys()
    assert {name for name in wanted if values.get(name) != wanted[name]} <= about


DOCKERS = st.lists(
    st.tuples(
        st.from_regex(r"\A[A-Z_.\-][A-Z0-9_.\-é]{0,8}\Z"),
        st.text(st.characters(blacklist_characters="\n\r\0", blacklist_categories=["Cs"]), max_size=30),
    ),
    max_size=6,
)


@given(pairs=DOCKERS)
@example(pairs=[("K", "'"), ("L", "'")])
@example(pairs=[("K", "'a"), ("L", "")])
def test_whatever_stands_behind_the_first_equals_sign_is_the_value(
    pairs: list[tuple[str, str]], tmp_path_factory: pytest.TempPathFactory
) -> None:
    text = "".join(f"{name}={value}\n" for name, value in pairs)
    variables = read(text, tmp_path_factory.getbasetemp())
    joined = {name for found_id, name in told(variables) if found_id == "env-file-several-lines"}
    if not joined:
        assert plain(variables) == dict(pairs)


@pytest.mark.parametrize(
    ("text", "values", "finding"),
    [
        ("K='a b'\n", {"K": "'a b'"}, ("env-file-quotes", "K")),
        (
            'WERF_IMAGES_CLEANUP_PASSWORD="abcdefgh"\n',
            {"WERF_IMAGES_CLEANUP_PASSWORD": '"abcdefgh"'},
            ("env-file-quotes", "WERF_IMAGES_CLEANUP_PASSWORD"),
        ),
        ('K="open\nL=1\n', {"K": '"open', "L": "1"}, ("env-file-open-quote", "K")),
        ("PASS=tok123 #45678\n", {"PASS": "tok123 #45678"}, ("env-file-hash", "PASS")),
        ("K = v \n", {"K": "v"}, ("env-file-blanks", "K")),
        ('K="first\nsecond"\nL=1\n', {"K": "first\nsecond", "L": "1"}, ("env-file-several-lines", "K")),
        ('K="a \\"b\\"\nc"\n', {"K": 'a "b"\nc'}, ("env-file-several-lines", "K")),
        (
            "M=Title\n\nMore words\n# heading\nend of it\n\nL=1\n",
            {"M": "Title\n\nMore words\n# heading\nend of it", "L": "1"},
            ("env-file-continued", "M"),
        ),
        (
            "KEY=-----BEGIN X-----\nMIIab\ncd==\n-----END X-----\nL=1\n",
            {"KEY": "-----BEGIN X-----\nMIIab\ncd==\n-----END X-----", "L": "1"},
            ("env-file-continued", "KEY"),
        ),
    ],
)
def test_what_could_be_expected_otherwise_is_told_with_its_line(
    text: str, values: dict[str, str], finding: tuple[str, str], tmp_path: Path
) -> None:
    variables = read(text, tmp_path)
    assert plain(variables) == values
    assert told(variables) == {finding}
    (message,) = [each.message for each in find_findings(Facts(variables))]
    assert f"({tmp_path}/job.env:" in message


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("export A=1\nexport B='x y'\nexport C\n", {"A": "1", "B": "x y"}),
        ('declare -x A="1"\ndeclare -x B="a \\"q\\" \\$x \\\\ \\`"\n', {"A": "1", "B": 'a "q" $x \\ `'}),
        ('declare -rx A="1"\ntypeset -x B=\'2\'\ndeclare -- C="3"\n', {"A": "1", "B": "2", "C": "3"}),
        ("export M='Title\n\nMore = words\n'\nexport L='1'\n", {"M": "Title\n\nMore = words\n", "L": "1"}),
        ("export M='Title\r\nMore'\r\nexport L='1'\r\n", {"M": "Title\nMore", "L": "1"}),
        ("export A='it'\"'\"'s'\nexport B='it'\\''s'\n", {"A": "it's", "B": "it's"}),
        ("export A=$'a\\tb\\nc\\x41\\u00e9\\101\\''\n", {"A": "a\tb\ncAéA'"}),
        ("export A=1 B='2' # both\nexport C=3; export D=4;\n", {"A": "1", "B": "2", "C": "3", "D": "4"}),
    ],
)
def test_what_a_shell_prints_is_read_as_a_shell_reads_it(
    text: str, values: dict[str, str], tmp_path: Path
) -> None:
    variables = read(text, tmp_path)
    assert plain(variables) == values
    assert told(variables) == {("env-file-shell", f"{tmp_path}/job.env")}


def test_what_a_shell_would_replace_is_told_and_never_run(tmp_path: Path) -> None:
    variables = read(
        "export A=$(id)\nexport B=\"$HOME/x\"\nexport C='$HOME'\n",
        tmp_path,
    )
    assert plain(variables) == {"A": "$(id)", "B": "$HOME/x", "C": "$HOME"}
    assert {("env-file-computed", "A"), ("env-file-computed", "B")} <= told(variables)
    assert ("env-file-computed", "C") not in told(variables)


@pytest.mark.parametrize("shell", ["bash", "sh"])
def test_what_a_real_shell_prints_is_read_back(shell: str, tmp_path: Path) -> None:
    values = {
        "CI_COMMIT_MESSAGE": "Fix \"it\"\n\n# not a comment\nA=1 $HOME `x` \\ 'q' !\tend",
        "CI_JOB_TOKEN": "glcbt-64_abc",
        "EMPTY": "",
    }
    ended = subprocess.run([f"/bin/{shell}", "-c", "export -p"], env=values, capture_output=True, check=True)
    found = plain(read(ended.stdout.decode(), tmp_path))
    assert {name: found[name] for name in values} == values


def test_what_env_prints_is_read_back(tmp_path: Path) -> None:
    values = {"A_FIRST": "1", "CI_COMMIT_MESSAGE": "Fix\n\nMore words here: and more\n  * item", "Z": "x"}
    ended = subprocess.run(["/usr/bin/env"], env=values, capture_output=True, check=True)
    assert plain(read(ended.stdout.decode(), tmp_path)) == values


@given(values=st.dictionaries(st.from_regex(r"\A[A-Z_]{1,6}\Z"), st.text(st.characters(max_codepoint=0x2FF, blacklist_characters="\0\r", blacklist_categories=["Cs"]), max_size=20), max_size=4))  # fmt: skip
def test_single_quotes_hold_everything(
    values: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    text = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in values.items())
    assert plain(read(text, tmp_path_factory.getbasetemp())) == values


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        ("not a file of variables\n", 1, "is not NAME=value"),
        ("A=1\n\n\n=x\n", 4, "no name before ="),
        ("A=1\nB\x1b[31m=2\n", 2, "“B” is not a variable's name"),
        ("export A='open\nB=1\n", 1, "a quote in it is not closed"),
        ("export A=1\nexport B=x y=(1 2)\n", 2, "a list or a command"),
        ("export A=1 && make\n", 1, "not NAME=value"),
        ("export A=1; make\n", 1, "something other"),
        ("variables:\n  A: x\n", 1, "is not NAME=value"),
    ],
)
def test_a_bad_line_is_named(text: str, line: int, why: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        read(text, tmp_path)
    assert caught.value.id == "env-file-line"
    assert f", line {line}: " in caught.value.message
    assert why in caught.value.message
    assert clean(caught.value.message) == caught.value.message


def test_a_secret_on_a_line_that_was_taken_for_a_part_of_another_value_stays_one(tmp_path: Path) -> None:
    found = read("CI_PROJECT_PATH=web/app\nMY TOKEN=canary-123\n", tmp_path)
    assert isinstance(found["CI_PROJECT_PATH"].value, Secret)
    assert isinstance(read("A=1\nmy words = none\n", tmp_path)["A"].value, str)


def test_a_name_alone_takes_the_value_of_the_process(tmp_path: Path) -> None:
    assert plain(read("K\nL\n", tmp_path, {"K": "from outside"})) == {"K": "from outside"}


def test_a_large_dump_is_read_in_no_time(tmp_path: Path) -> None:
    lines = "".join(f"export V{number}='some value of it'\nA{number}=\"open\n" for number in range(14_000))
    assert len(read(lines, tmp_path)) == 28_000
