"""The regular expressions of rules: RE2's, which are never slow, tried with a matcher that may be."""

from __future__ import annotations

import pytest

from dockpass.variables.gitlab.patterns import read_pattern


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("/(a+)+$/", "a" * 40 + "b", None),
        ("/((a+))+$/", "a" * 40 + "b", None),
        ("/(a|a)*b/", "a" * 40, None),
        ("/(?:a?){60}a{60}/", "a" * 60, None),
        ("/" + "(a|b)?" * 20 + "c/", "ab" * 20, None),
        ("/" + "(.*)" * 10 + "x/", "a" * 40_000, None),
        ("/" + "a?" * 40 + "a" * 40 + "/", "a" * 40, None),
        ("/.*x/", "a" * 40_000, None),
        ("/.*x/", "a" * 400, False),
        ("/^feature\\/[a-z]+-\\d+-.*$/", "feature/abc-12-" + "x" * 100, True),
        ("/\\d+\\.\\d+\\.\\d+/", "release-1.22.333", True),
        ("/^(" + "|".join(f"b{number}" for number in range(100)) + ")$/", "b99", True),
        ("/^(feature|fix)\\/.+$/", "fix/" + "a" * 200, True),
        ("/(ab)+c?/", "xabab", True),
        ("/[*+]{2}/", "a**b", True),
        ("/[(?=]x/", "=x", True),
    ],
)
def test_a_pattern_is_tried_where_that_takes_no_time(pattern: str, text: str, found: bool | None) -> None:
    read = read_pattern(pattern)
    assert read is not None
    assert not read.error
    assert read.search(text) is found


@pytest.mark.parametrize("pattern", ["/a++/", "/(?=a)b/", "/(a)\\1/", "/a\\Z/", "/a(/", "/[b-a]/", "/a**/"])
def test_what_re2_refuses_is_an_error(pattern: str) -> None:
    read = read_pattern(pattern)
    assert read is not None
    assert read.error
