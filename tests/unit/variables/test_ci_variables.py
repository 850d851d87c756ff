"""Any row of any kind in `tests/cases/ci_variables*.jsonl` holds, and every field of what it expects is compared.

The kinds are taken out of the file, so rows may come and go; a kind that nothing here knows fails.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import cases_of_formats
import cases_of_jobs
import cases_of_logins
import pytest

CASES = Path(__file__).parents[2] / "cases"
ROWS = [
    json.loads(line)
    for name in ("ci_variables.jsonl", "ci_variables_more.jsonl")
    for line in (CASES / name).read_text(encoding="utf-8").splitlines()
    if line.strip()
]
KINDS: Mapping[str, Callable[[dict[str, Any]], None]] = {
    **cases_of_jobs.KINDS,
    **cases_of_formats.KINDS,
    **cases_of_logins.KINDS,
}


@pytest.mark.parametrize("row", ROWS, ids=[f"{row['kind']}-{row['id']}" for row in ROWS])
def test_a_row(row: dict[str, Any]) -> None:
    assert row["kind"] in KINDS, "no test knows this kind"
    KINDS[row["kind"]](row)


def test_an_unknown_field_of_what_is_expected_fails() -> None:
    for row in ROWS:
        if isinstance(row["expected"], dict) and row["kind"] not in cases_of_formats.FREE_KEYS:
            odd = {**row, "expected": {**row["expected"], "nobody knows this": 1}}
            with pytest.raises((AssertionError, KeyError)):
                KINDS[row["kind"]](odd)


def test_a_changed_value_fails() -> None:
    for row in ROWS:
        if isinstance(row["expected"], dict) and row["expected"].keys() == {"absent"}:
            continue  # another name is absent too
        with pytest.raises((AssertionError, KeyError)):
            KINDS[row["kind"]]({**row, "expected": _other(row)})


def _other(row: dict[str, Any]) -> Any:
    """Return what is expected with every value another one."""
    if row["kind"] == "token_kind":  # compared by the nearest words, so some more words change nothing
        return {"kind": "private key", "registry_login": "only at docker.io"}
    return _changed(row["expected"]) if row["expected"] is not None else {"username": "zz"}


def _changed(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _changed(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_changed(each) for each in value]
    if isinstance(value, bool):
        return not value
    return f"error {value} zz" if isinstance(value, str) else "zz"
