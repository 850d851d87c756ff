"""A pattern that would keep the matcher busy for ever is told, and one that only looks like it is taken."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from dockpass.cleanup import slow
from dockpass.cleanup.options import CleanupOptions
from dockpass.cleanup.plan import Policy, TagInfo
from dockpass.cleanup.slow import check_speed
from dockpass.errors import UsageError
from dockpass.session.preview import Inventory

LONG = "a" * 60 + "-1"


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|aa)*b", "a*a*a*a*a*a*a*a*b"])
def test_what_never_ends_is_told(pattern: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slow, "SECONDS", 0.1)
    with pytest.raises(UsageError) as raised:
        check_speed(CleanupOptions(keep=("v1",), match=pattern), ["v1", LONG])
    assert raised.value.id == "pattern-slow"
    assert raised.value.message == f"{pattern} takes too long to compare with 2 tags."


def test_repetitions_that_are_quick_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slow, "SECONDS", 10.0)
    quick = (r"v\d+(\.\d+)*", r"(feature|fix)(-\w+)+", r"\d+(\.\d+){1,2}(-rc\d+)?")
    check_speed(CleanupOptions(keep=quick), ["v1.2.3", "feature-one-two", LONG])


def test_what_is_plainly_quick_starts_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slow.subprocess, "run", None)
    check_speed(CleanupOptions(match="feature-.*", keep=("v.*", "(main|stable)")), [LONG])


def test_a_preview_tells_it_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slow, "SECONDS", 0.1)
    found = Inventory((TagInfo(LONG, f"sha256:{1:064}"),), Policy(datetime(2026, 3, 1, tzinfo=UTC)))
    with pytest.raises(UsageError, match="takes too long to compare with 1 tag"):
        found.planned(CleanupOptions(match="(a+)+$"))


def test_what_cannot_be_tried_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(slow.sys, "executable", "/nowhere/python")
    with pytest.raises(UsageError, match=r"it cannot be tried: .*No such file"):
        check_speed(CleanupOptions(match="(x+)+"), [LONG])
