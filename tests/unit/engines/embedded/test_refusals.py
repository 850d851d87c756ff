"""Commands that a build would have to run."""

from __future__ import annotations

import pytest
from logins import ANONYMOUS
from notes import Notes
from transfers import Place

from dockpass.errors import UsageError
from dockpass.sandbox.server import SandboxServer


def test_run_is_refused_before_anything_is_asked(sandbox: SandboxServer, place: Place) -> None:
    request = place.context(f"FROM {sandbox.host}/web/base:1\n\n  RUN make it\n")
    with pytest.raises(UsageError, match=r"Dockerfile:3:3: .*Nothing was pulled") as caught:
        place.engine().build(request, ANONYMOUS, Notes())
    assert "--engine docker" in caught.value.hint
    assert sandbox.requests == []


def test_run_as_a_trigger_does_not_claim_that_nothing_was_pulled(place: Place) -> None:
    engine = place.engine()
    engine.tag(
        engine.build(place.context("FROM scratch\nONBUILD RUN make it\n"), ANONYMOUS, Notes()),
        "base.example/a:1",
    )
    with pytest.raises(UsageError, match=r"Dockerfile:1:1") as caught:
        place.engine().build(place.context("FROM base.example/a:1\n"), ANONYMOUS, Notes())
    assert "Nothing was pulled" not in caught.value.message
