"""Values that JSON can hold and that programs seldom expect, for properties about what servers send."""

from __future__ import annotations

from hypothesis import strategies as st

ODD_NUMBERS = (
    0,
    -1,
    1,
    60,
    10**9,
    2**31,
    2**63,
    10**18,
    10**40,
    int("9" * 400),
    -(10**400),
    1.5,
    -0.0,
    1e308,
)


def json_values() -> st.SearchStrategy[object]:
    """Return any JSON value, numbers beyond all bounds and odd texts among them."""
    odd = st.sampled_from([*ODD_NUMBERS, "", "-", "\x1b[2J", "\u202e", "NaN", "9" * 400, "sha256:", "<html>"])
    flat = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | odd
    return st.recursive(
        flat | st.text(max_size=20),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
        max_leaves=8,
    )
