"""The reference that a tag makes of a repository."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockpass.errors import UsageError
from dockpass.references.reference import Repository, is_tag, parse_reference
from dockpass.runs.references import with_tag

REPOSITORY = Repository("registry.example.com", "web/backend")


@pytest.mark.parametrize(
    ("tag", "why"),
    [
        ("a b", "may hold only letters"),
        ("", "is empty"),
        ("-x", "begins with “-”"),
        (".x", "begins with “.”"),
        ("x@y", "may hold only letters"),
        ("x/y", "may hold only letters"),
        ("x" * 129, "has 129 characters"),
    ],
)
def test_a_wrong_tag_is_told_as_a_tag(tag: str, why: str) -> None:
    with pytest.raises(UsageError) as caught:
        with_tag(REPOSITORY, tag)
    assert caught.value.id == "tag-invalid"
    assert why in caught.value.message
    assert "tag" in caught.value.hint


@given(st.text(max_size=8) | st.from_regex(r"[A-Za-z0-9_.:@/-]{0,12}", fullmatch=True))
def test_a_tag_is_taken_whole_or_refused(tag: str) -> None:
    try:
        found = with_tag(REPOSITORY, tag)
    except UsageError:
        assert not is_tag(tag)
    else:
        assert found.tag == tag
        assert found == parse_reference(f"{REPOSITORY}:{tag}")
