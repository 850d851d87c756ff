"""What is written in a format, its own reader gives back; the shells and node agree."""

from __future__ import annotations

import json

import pytest
from formatjudges import node_dotenv, run_shell
from hypothesis import given, settings
from hypothesis import strategies as st
from thorough import examples

from dockpass.unknown import Unknown
from dockpass.variables.formats.catalogue import read
from dockpass.variables.formats.writing import WRITERS, Written, write
from dockpass.variables.gitlab.model import Definition, Level

VALUES = st.one_of(
    st.text(st.sampled_from("ab \t\n\r'\"`\\$#=%!{}[]()é:-,/@\0\u2028\ud800\udcff"), max_size=12),
    st.sampled_from(
        ["", "plain", "1", "yes", "~", "null", "pa$$w", "${A:-b}", "$(x)", "012345", "a\nb=c", "[MASKED]"]
    ),
)


@pytest.mark.parametrize("name", WRITERS)
@settings(max_examples=examples(60))
@given(values=st.lists(VALUES, max_size=4))
def test_what_is_written_is_read_back(name: str, values: list[str]) -> None:
    given_ = {f"NAME_{number}": value for number, value in enumerate(values)}
    export = write(name, [Written(name=key, value=value) for key, value in given_.items()])
    left_out = {each.name for each in export.left_out}
    reading = read(name, export.text)
    assert {entry.key: entry.value for entry in reading.entries} == {
        key: value for key, value in given_.items() if key not in left_out
    }
    assert export.count == len(given_) - len(left_out)
    assert export.text.encode("utf-8", "surrogateescape").decode("utf-8", "surrogateescape") == export.text


@pytest.mark.parametrize("name", WRITERS)
def test_plain_values_are_never_left_out(name: str) -> None:
    plain = {"A": "1", "B": "registry.example.com/a", "C": "word"}
    assert not write(name, [Written(name=key, value=value) for key, value in plain.items()]).left_out


@pytest.mark.parametrize("name", WRITERS)
def test_a_secret_is_masked_and_an_unknown_value_is_left_out(name: str) -> None:
    export = write(
        name,
        [
            Written(name="TOKEN", value=None),
            Written(name="HIDDEN", value=Unknown("hidden")),
            Written(name="A", value="1"),
        ],
    )
    assert export.masked == ("TOKEN",)
    assert [each.name for each in export.left_out] == ["HIDDEN"]
    values = read(name, export.text).values()
    assert values.get("A") == "1"
    assert not isinstance(values.get("TOKEN"), str)
    if WRITERS[name].comment:
        assert "TOKEN" in export.text
        assert "[MASKED]" in export.text


def test_flags_and_scope_of_gitlab() -> None:
    definition = Definition(
        key="A", value="v", level=Level.PROJECT, protected=True, masked=True, raw=True, scope="prod*"
    )
    (row,) = json.loads(write("gitlab-json", [Written(name="A", value="v", definition=definition)]).text)
    assert row["protected"]
    assert row["masked"]
    assert row["raw"]
    assert row["environment_scope"] == "prod*"
    assert not row["hidden"]


NASTY = {"A": 'it\'s $HOME `x` "q" \\n', "B": "two\nlines", "C": "#no comment", "D": " blanks "}


@pytest.mark.parametrize("shell", ["bash", "dash", "busybox"])
def test_shells_read_what_is_written_for_them(shell: str) -> None:
    text = write("shell", [Written(name=key, value=value) for key, value in NASTY.items()]).text
    for key, value in NASTY.items():
        assert run_shell(shell, f'{text}printf %s "${key}"', {}) == value


def test_nodes_dotenv_reads_what_is_written_for_it() -> None:
    export = write("node-dotenv", [Written(name=key, value=value) for key, value in NASTY.items()])
    left_out = {each.name for each in export.left_out}
    assert node_dotenv().parse(export.text) == {key: v for key, v in NASTY.items() if key not in left_out}
