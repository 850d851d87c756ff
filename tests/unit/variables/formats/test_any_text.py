"""No text makes a reader fail, and none takes long; what a reader says is clean and holds no value."""

from __future__ import annotations

import time

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from thorough import examples

from dockpass.text import clean
from dockpass.unknown import Unknown
from dockpass.variables.formats.catalogue import FORMATS, read
from dockpass.variables.formats.detect import propose
from dockpass.variables.formats.reading import MASKED, MOST_PROBLEMS, PARTLY_MASKED, decode
from dockpass.variables.gitlab.model import Level

PIECES = st.sampled_from(
    [
        *[
            "A",
            "K_1",
            "=",
            "\n",
            "\r",
            "\0",
            "\ufeff",
            " ",
            "#",
            "'",
            '"',
            "`",
            "$",
            "${",
            "}",
            "\\",
            "(",
            ")",
            ";",
        ],
        *[
            "export ",
            "declare -x ",
            "++ ",
            "+ ",
            "[MASKED]",
            "<<EOF\n",
            "EOF\n",
            "\x1b[0K",
            "section_start:1:x\r",
        ],
        *[
            "2026-05-22T12:43:46.962646Z 01O ",
            "2026-05-22T12:43:46.962646Z 01O+",
            "$ env\n",
            "$'",
            "\\x",
            "\\400",
        ],
        *[
            "[",
            "]",
            "{",
            '{"key":"A","value":null}',
            '"name":',
            ":",
            ": ",
            "- ",
            "&a ",
            "*a",
            "variables:\n",
            "  ",
        ],
        *[
            "values:",
            "type: file",
            "global:\n",
            "\udcff",
            "\ud800",
            "---\n",
            "!x ",
            "|\n",
            "\u2028",
            "é",
            "1_0",
            "\x85",
        ],
    ]
)
ANY = st.lists(PIECES, max_size=40).map("".join) | st.text(max_size=60)
NAMES = pytest.mark.parametrize("name", FORMATS)


@NAMES
@settings(max_examples=examples(25))
@given(text=ANY)
@example(text="")
@example(text="a: &a [x]\nb: &b [*a,*a]\n")
def test_any_text_is_read(name: str, text: str) -> None:
    reading = read(name, text, {"A": "outside"})
    for entry in reading.entries:
        assert entry.key
        assert isinstance(entry.value, str | Unknown)
        assert 1 <= entry.line <= text.count("\n") + text.count("\r") + 1
        assert entry.definition(Level.PROJECT, "f").place.line == entry.line
    for problem in reading.problems:
        assert clean(problem.message) == problem.message
        assert problem.line <= text.count("\n") + text.count("\r") + 1


@settings(max_examples=examples(80))
@given(
    text=ANY,
    name=st.sampled_from(["", ".env", ".secrets", "x/.gitlab-ci.yml", ".gitlab-ci-local/variables.yml"]),
)
def test_some_format_is_proposed_for_any_text(text: str, name: str) -> None:
    found = propose(text, name, ("package.json",))
    assert found.format in FORMATS
    assert found.because


NO_NAMES = (
    "DEPLOY_TOKEN: c2VjcmV0cGFzcw==",
    "DEPLOY_TOKEN c2VjcmV0cGFzcw==",
    "- docker login -u bob -p c2VjcmV0cGFzcw== registry.example.com",
    '[{"key": "TOKEN", "value": "c2VjcmV0cGFzcw=="}]]',
    "export DEPLOY_TOKEN: c2VjcmV0cGFzcw==",
    "$ TOKEN:c2VjcmV0cGFzcw==",
    "DEPLOY_TOKEN;c2VjcmV0cGFzcw==",
)


@NAMES
@pytest.mark.parametrize("line", NO_NAMES)
def test_a_line_that_assigns_nothing_is_told_without_what_may_be_a_value(name: str, line: str) -> None:
    reading = read(name, f"A=1\n{line}\nB=2\n", {})
    told = " ".join(f"{problem.message} {problem.hint}" for problem in reading.problems)
    assert "c2VjcmV0cGFzcw" not in told


def test_a_key_that_is_none_is_told_as_far_as_it_is_a_name() -> None:
    (problem,) = read("docker", "export A=1\n").problems
    assert "“export A”" in problem.message
    (problem,) = read("docker", "TOKEN: c2VjcmV0==\n").problems
    assert "“TOKEN…”" in problem.message


@given(raw=st.binary(max_size=80))
def test_any_bytes_become_text(raw: bytes) -> None:
    text, _ = decode(raw)
    assert isinstance(text, str)


LARGE = {
    "line ends": "\n" * 300_000,
    "blanks": "K=" + " " * 300_000 + "x",
    "quotes": "K='" * 60_000,
    "double quotes": 'K="\\' * 60_000,
    "dollars": "K=" + "${" * 60_000,
    "names": "K\n" * 60_000,
    "brackets": "[" * 300_000,
    "exports": "export K='\n" * 30_000,
    "traces": "+ export K='\n" * 30_000,
    "heredocs": "K<<EOF\n" * 20_000,
    "objects": '{"key":' * 30_000,
    "aliases": "a: &a [x,x]\n" + "".join(f"k{n}: &k{n} [*k{n - 1},*k{n - 1},*k{n - 1}]\n" if n else "k0: &k0 [*a,*a]\n" for n in range(40)),
}  # fmt: skip


@NAMES
@pytest.mark.parametrize("what", LARGE)
def test_a_large_bad_text_takes_no_time(name: str, what: str) -> None:
    started = time.process_time()
    reading = read(name, LARGE[what])
    assert time.process_time() - started < 2
    assert len(reading.problems) <= MOST_PROBLEMS + 2


def test_a_log_of_5_mb_is_read_within_a_second() -> None:
    stamp = "2026-05-22T12:43:46.962646Z 01O "
    line = stamp + "\x1b[32;1msome output of a build step that says nothing\x1b[0;m\n"
    exports = "".join(f'{stamp}export NAME_{n}="a value of {n}"\n' for n in range(500))
    text = exports + line * (5_000_000 // len(line))
    started = time.process_time()
    reading = read("job-log", text)
    assert time.process_time() - started < 1
    assert len(reading.values()) == 500
    assert propose(text).format == "job-log"


def test_a_log_joins_what_the_runner_cut_and_counts_lines_as_given() -> None:
    stamp = "2026-05-22T12:43:46.962646Z 01O"
    text = (
        f'{stamp} export A="on\n{stamp}+e"\n{stamp} export T="[MASKED]"\n{stamp} export M="a\n{stamp} b"\n'
        f"{stamp} $ env\n{stamp} B=x[MASKED]y\n{stamp} ++ export 'C=1 2'\n"
    )
    reading = read("job-log", text)
    assert reading.values() == {
        "A": "one", "T": MASKED, "M": "a\nb", "B": PARTLY_MASKED, "C": "1 2",
    }  # fmt: skip
    assert [entry.line for entry in reading.entries] == [1, 3, 4, 7, 8]


def test_a_value_of_several_lines_in_env_is_told_at_its_line_and_the_rest_is_read() -> None:
    reading = read("env", "A=1\nKEY=-----BEGIN\nabc\n-----END\nZ=2\n")
    assert reading.values() == {"A": "1", "KEY": "-----BEGIN\nabc\n-----END", "Z": "2"}
    (problem,) = reading.problems
    assert problem.line == 3
    assert "ambiguous" in problem.message


def test_pages_of_the_api_follow_one_another_and_a_cut_one_keeps_its_whole_rows() -> None:
    reading = read("gitlab-json", '[{"key":"A","value":"1"}]\n[{"key":"B","value":"2"},\n{"key":"C","va')
    assert reading.values() == {"A": "1", "B": "2"}
    assert len(reading.problems) == 1


@pytest.mark.parametrize(
    ("text", "name", "wanted"),
    [
        ("A=1\nB='x'\n", "job.env", "docker"),
        ("A=1\0B=2\0", "", "env0"),
        ('[{"key":"A","value":"1"}]', "", "gitlab-json"),
        ('Exporting variables from the g/p project:\n[{"key":"A","value":"1"}]', "", "gitlab-json"),
        ("Exporting variables from the g/p project:\nA=1\n", "", "glab"),
        ('[{"name":"A","updatedAt":""}]', "", "gh-json"),
        ("++ export A=1\n++ A=1\n", "", "xtrace"),
        ("A=1\nJ<<EOF\nx\nEOF\n", "", "github-env"),
        ("A=1\n", ".secrets", "act-secrets"),
        ("A: 1\n", ".gitlab-ci-local-variables.yml", "gitlab-ci-local"),
        ("global:\n  A: 1\n", "/home/me/.gitlab-ci-local/variables.yml", "gitlab-ci-local-home"),
        ("variables:\n  A: 1\n", ".gitlab-ci.yml", "gitlab-yaml"),
        ("declare -x A=\"1\"\n", "", "shell"),
        ("export A='1'\n", "", "shell"),
        ("A=1\nPEM=-----BEGIN X-----\nMII ab\n", "", "env"),
    ],
)  # fmt: skip
def test_a_format_is_proposed_by_content_or_name(text: str, name: str, wanted: str) -> None:
    assert propose(text, name).format == wanted


def test_what_lies_beside_an_env_file_tells_its_dialect() -> None:
    assert propose("A='1'\n", ".env", ["compose.yaml"]).format == "compose"
    assert propose("A='1'\n", ".env", ["package.json"]).format == "node-dotenv"
    assert propose("A='1'\n", ".env").format == "docker"


@pytest.mark.parametrize(
    "stamp",
    ["2026-05-22T12:43:46.962646Z 01O ", "2026-05-22T12:43:46.962646Z ", "2026-05-22T12:43:46Z 00E ", ""],
)
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_a_log_is_read_with_its_stamps_and_without(stamp: str, end: str) -> None:
    lines = ["\x1b[32;1m$ export\x1b[0;m", "export A='1'", 'declare -x B="two', 'lines"', "export T=[MASKED]"]
    found = read("job-log", "".join(f"{stamp}{line}{end}" for line in lines))
    assert {name: value for name, value in found.values().items() if name != "T"} == {
        "A": "1",
        "B": "two\nlines",
    }
    assert isinstance(found.values()["T"], Unknown)
    assert not found.problems
