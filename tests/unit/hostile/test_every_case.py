"""Every case has a test by its number, and a row in docs/security.md."""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

from dockpass.cli.commands import cleanup

HERE = Path(__file__).parent
PAGE = HERE.parents[2] / "docs" / "security.md"
CASES = [f"A{number:02d}" for number in range(1, 56)]


def test_every_case_has_a_test() -> None:
    text = "\n".join(path.read_text(encoding="utf-8") for path in HERE.glob("test_*.py"))
    found = {f"A{number}" for number in re.findall(r"^(?:async )?def test_a(\d\d)_", text, re.MULTILINE)}
    assert sorted(found) == CASES


def test_every_case_has_one_row_that_says_what_is_done() -> None:
    rows = re.findall(r"^\| (A\d\d) \| (.+) \| (.+) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    assert Counter(case for case, _, _ in rows) == Counter(CASES)
    assert all(len(done) > 10 for _, _, done in rows)


def test_every_exception_is_told() -> None:
    text = PAGE.read_text(encoding="utf-8")
    options = {option for parameter in cleanup.params for option in parameter.opts}
    for option in ("--ca-file", "--insecure-registry", "--skip-tls-verify-registry", "--allow-realm"):
        assert option in options
        assert f"`{option} " in text
