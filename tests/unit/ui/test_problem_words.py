"""What is wrong in the settings, as notices on the screen."""

from __future__ import annotations

import pytest

from dockpass.ui.views.overview import problem_words

PROBLEMS = [f"config.toml:{line}: keys: there is no action x{line}" for line in range(1, 9)]


@pytest.mark.parametrize("count", [0, 1, 2])
def test_few_problems_are_told_whole(count: int) -> None:
    assert problem_words(PROBLEMS[:count]) == PROBLEMS[:count]


@pytest.mark.parametrize("count", [3, 8])
def test_many_problems_do_not_cover_the_screen(count: int) -> None:
    first, rest = problem_words(PROBLEMS[:count])
    assert first == PROBLEMS[0]
    assert rest == f"{count - 1} more problems in the settings: `dockpass settings` lists them."
