"""The everyday check against what BuildKit did: every row of the case file, with no engine."""

from __future__ import annotations

import pytest
from buildcases import DOCKERFILES, Case, our_answer


@pytest.mark.parametrize("case", DOCKERFILES, ids=lambda case: case.id)
def test_a_build_pulls_what_buildkit_pulls(case: Case) -> None:
    assert our_answer(case) in case.allowed
