"""The dialects are what the tools themselves read: python-dotenv, node's dotenv, and three shells."""

from __future__ import annotations

import io

import pytest
from dotenv import dotenv_values
from formatjudges import node_dotenv, run_shell
from hypothesis import given, settings
from hypothesis import strategies as st
from thorough import examples

from dockpass.variables.formats.catalogue import read

PIECES = st.sampled_from(
    ["K", "A_B", "=", " = ", ":", ": ", " ", "\t", "\n", "\n", "\r\n", "#", " #", "'", '"', "`", "\\", "\\n"]
) | st.sampled_from(
    ["\\'", "$K", "${K}", "${NO:-d}", "${", "}", "export ", "v", "x y", "é", "\\\\", '\\"', "K=", "L=1\n", "="]
)  # fmt: skip
FILES = st.lists(PIECES, max_size=14).map("".join)
TEXTS = st.text(
    st.characters(max_codepoint=0x2FF, blacklist_characters="\0", blacklist_categories=["Cs"]), max_size=20
)
VALUES = st.dictionaries(st.from_regex(r"\A[A-Z][A-Z0-9_]{0,5}\Z"), TEXTS, max_size=4)
SHELLS = pytest.mark.parametrize("shell", ["bash", "dash", "busybox"])
_OF_THE_SHELL = {
    "PATH",
    "PWD",
    "OLDPWD",
    "SHLVL",
    "_",
    "IFS",
    "PS4",
    "PS1",
    "PS2",
    "UID",
    "EUID",
    "PPID",
    "OPTIND",
}


@settings(max_examples=examples(120))
@given(text=FILES)
def test_pythons_dialect(text: str) -> None:
    wanted = dotenv_values(stream=io.StringIO(text, newline=""))
    reading = read("python-dotenv", text)
    found: dict[str, object] = {}
    for each in sorted([*reading.entries, *reading.names], key=lambda each: each.line):
        found[each.key] = getattr(each, "value", None)
    assert found == dict(wanted)


@settings(max_examples=examples(120))
@given(text=FILES)
def test_nodes_dialect(text: str) -> None:
    assert read("node-dotenv", text).values() == node_dotenv().parse(text)


def own(values: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in values.items() if name not in _OF_THE_SHELL}


@SHELLS
@settings(max_examples=examples(15))
@given(values=VALUES)
def test_what_a_shell_exports_is_read_back(shell: str, values: dict[str, str]) -> None:
    values = own(values)
    found = read("shell", run_shell(shell, "export -p", values)).values()
    assert {name: found[name] for name in values} == values


@pytest.mark.parametrize("shell", ["bash"])
@settings(max_examples=examples(15))
@given(values=VALUES)
def test_what_declare_prints_is_read_back(shell: str, values: dict[str, str]) -> None:
    values = own(values)
    found = read("shell", run_shell(shell, "declare -x", values)).values()
    assert {name: found[name] for name in values} == values


@settings(max_examples=examples(15))
@given(values=VALUES)
def test_what_env_prints_is_read_back(values: dict[str, str]) -> None:
    values = own(values)
    exact = read("env0", run_shell("bash", "/usr/bin/env -0", values))
    assert {name: exact.values()[name] for name in values} == values
    one_line = {name: value for name, value in values.items() if "\n" not in value}
    plain = read("env", run_shell("bash", "/usr/bin/env", one_line))
    assert {name: plain.values()[name] for name in one_line} == one_line


@SHELLS
@settings(max_examples=examples(15))
@given(values=VALUES)
def test_what_a_trace_shows_is_read_back(shell: str, values: dict[str, str]) -> None:
    values = own(values)
    script = "set -x\n" + "".join(f'export X_{name}="${name}"\n' for name in values)
    if shell != "bash":
        values = {name: value for name, value in values.items() if plain_in_a_trace(value)}
    found = read("xtrace", run_shell(shell, script, {"LC_ALL": "C.UTF-8", **values})).values()
    assert {name: found[f"X_{name}"] for name in values} == values


def plain_in_a_trace(value: str) -> bool:
    """Tell whether dash's trace, which quotes no blank behind a name, shows a value without doubt."""
    return value.isascii() and value.isalnum()


@SHELLS
def test_a_literal_shell_file_means_what_the_shell_makes_of_it(shell: str) -> None:
    text = "A=1\nexport B='x y' C=\"q \\\" \\$z\"\n# no\nD=a\\ b\nE='it'\\''s'\n"
    found = read("shell", text)
    printed = run_shell(shell, f"set -a\n{text}export -p", {})
    judged = read("shell", printed).values()
    assert {name: judged[name] for name in "ABCDE"} == found.values()
    assert not found.problems
