"""Environment scopes and names of protected refs: `*` stands for any text, all else for itself."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockpass.variables.gitlab.scope import matches, matches_text


@given(st.text("a*b", max_size=8), st.text("ab\n", max_size=10))
def test_a_pattern_matches_what_a_regular_expression_would(pattern: str, text: str) -> None:
    expected = re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), text, re.DOTALL)
    assert matches_text(pattern, text) is bool(expected)


@pytest.mark.parametrize("pattern", ["*a" * 500 + "b", "*" * 1000 + "b", "a*" * 500 + "b"])
def test_no_pattern_takes_long(pattern: str) -> None:
    assert not matches(pattern, "a" * 1000)
    assert matches(pattern, "a" * 1000 + "b")
