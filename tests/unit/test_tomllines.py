"""The line of every key of a TOML text, for any text that the standard library takes."""

from __future__ import annotations

import tomllib
from typing import Any

import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from dockpass.tomllines import line_at, lines_of

TEXT = '''\
a = 1 # [not.a.header]
"b.c" = """
[d]
x = 1""" # """
[d.'e f']
g = { h = [1, # x
  2], i = "}" }
[[j]]
k.l = 1979-05-27T07:32:00Z
[[j]]
[j.m]
n = \'\'\'
]\'\'\'
o = """a""""
p = 1
'''


def test_each_kind_of_key_has_its_line() -> None:
    tomllib.loads(TEXT)
    found = lines_of(TEXT)
    assert found["a",] == 1
    assert found["b.c",] == 2
    assert "x" not in {path[0] for path in found}
    assert found["d", "e f"] == 5
    assert found["d", "e f", "g", "h", 1] == 7
    assert found["d", "e f", "g", "i"] == 7
    assert found["j", 0, "k", "l"] == 9
    assert found["j", 1] == 10
    assert found["j", 1, "m", "n"] == 12
    assert found["j", 1, "m", "p"] == 15
    assert line_at(found, ("j", 1, "nothing", "here")) == 10
    assert line_at(found, ("nothing",)) == 0


VALUES = st.recursive(
    st.one_of(st.text(max_size=20), st.integers(), st.booleans(), st.dates(), st.datetimes()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=15,
)


def paths_of(found: Any, path: tuple[str | int, ...] = ()) -> set[tuple[str | int, ...]]:
    pairs = list(
        found.items() if isinstance(found, dict) else enumerate(found) if isinstance(found, list) else ()
    )
    return {(*path, key) for key, _ in pairs}.union(*(paths_of(each, (*path, key)) for key, each in pairs))


@given(st.dictionaries(st.text(max_size=5), VALUES, max_size=5), st.booleans())
def test_every_key_of_any_document_is_found(document: dict[str, Any], several: bool) -> None:
    text = tomli_w.dumps(document, multiline_strings=several)
    found = lines_of(text)
    assert set(found) == paths_of(tomllib.loads(text))
    last = text.count("\n") + 1
    assert all(1 <= line <= last for line in found.values())
