"""A command line that is typed on the screen has the words that a shell would give it, and says what it is not."""

from __future__ import annotations

import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockpass.programs.typed import typed_line

PRINTED = st.text(st.characters(blacklist_categories=("C", "Z")), min_size=1)


@given(st.lists(PRINTED, min_size=1))
def test_every_word_comes_back_from_its_quoted_form_without_a_note(words: list[str]) -> None:
    found = typed_line(shlex.join(words))
    assert found.words == tuple(words)
    assert not found.problem
    assert not found.note


@given(st.text())
def test_any_text_gives_words_or_a_problem_or_nothing(text: str) -> None:
    found = typed_line(text)
    assert bool(found.words) + bool(found.problem) == bool(text.strip() or found.problem)


@pytest.mark.parametrize(
    ("line", "meant"),
    [
        ("docker images | less", "|"),
        ("make push && echo done", "&&"),
        ("skopeo copy docker://$CI_REGISTRY_IMAGE dir:x", "$CI_REGISTRY_IMAGE"),
        ('skopeo copy "docker://$CI_REGISTRY_IMAGE" dir:x', "$CI_REGISTRY_IMAGE"),
        ("echo `date`", "`"),
        ("ls ~/charts", "~"),
        ("helm push *.tgz oci://r.example/charts", "*"),
        ("cat 2>/dev/null", ">"),
    ],
)
def test_what_only_a_shell_acts_on_is_named(line: str, meant: str) -> None:
    assert f"so {meant} is passed on as it is" in typed_line(line).note


@pytest.mark.parametrize(
    "line",
    [
        "sh -c 'docker images | less; echo $HOME ~ *'",
        r"echo \$HOME \| \*",
        'printf "a|b;c"',
        "docker push r.example/a/b:1.0~rc",
        "it='quoted $X'",
    ],
)
def test_what_is_quoted_is_for_the_program(line: str) -> None:
    assert not typed_line(line).note


@pytest.mark.parametrize("line", ["echo 'open", 'echo "open', "echo \\", "''", "a\x1bb", "a\nb"])
def test_a_line_without_words_says_why(line: str) -> None:
    found = typed_line(line)
    assert found.problem
    assert not found.words
