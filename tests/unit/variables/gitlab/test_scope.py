"""Environment scopes and names of protected refs: `*` stands for any text, all else for itself."""

from __future__ import annotations

import re

import pytest
from ciproject import view
from hypothesis import given
from hypothesis import strategies as st

from dockpass.unknown import Unknown
from dockpass.variables.gitlab.model import Reason
from dockpass.variables.gitlab.scope import matches, matches_text


@given(st.text("a*b", max_size=8), st.text("ab\n", max_size=10))
def test_a_pattern_matches_what_a_regular_expression_would(pattern: str, text: str) -> None:
    expected = re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), text, re.DOTALL)
    assert matches_text(pattern, text) is bool(expected)


@pytest.mark.parametrize("pattern", ["*a" * 500 + "b", "*" * 1000 + "b", "a*" * 500 + "b"])
def test_no_pattern_takes_long(pattern: str) -> None:
    assert not matches(pattern, "a" * 1000)
    assert matches(pattern, "a" * 1000 + "b")


def test_in_an_environment_that_is_not_known_scoped_variables_are_in_doubt() -> None:
    settings = [
        {"key": "SUFFIX", "value": None, "hidden": True},
        {"key": "ONLY_SCOPED", "value": "one", "environment_scope": "review/gold"},
        {"key": "BOTH", "value": "two", "environment_scope": "review/*"},
        {"key": "BOTH", "value": "three"},
        {"key": "EVERYWHERE", "value": "four"},
    ]
    row = {
        "files": {".gitlab-ci.yml": "a: {script: x, environment: review/$SUFFIX}\n"},
        "context": {"project_variables": settings},
        "job": "a",
    }
    found = view(row).variables
    values = [found[name].value for name in ("ONLY_SCOPED", "BOTH", "EVERYWHERE")]
    assert values == [
        Unknown(Reason.SCOPE_UNKNOWN, may_be_missing=True),
        Unknown(Reason.SCOPE_UNKNOWN, is_set=True),
        "four",
    ]
