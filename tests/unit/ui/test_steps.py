"""The steps of a build on the run screen."""

from __future__ import annotations

from dockpass.runs.events import Phase, PhaseStarted, Step
from dockpass.runs.plan import Plan, PlannedPhase
from dockpass.ui.views.run import RunState, lifecycle_lines, step_lines
from dockpass.ui.views.words import plain

PLAN = Plan("x", (PlannedPhase(Phase.BUILD, "Build", "pulls nothing"),), None, None, ())


def step(at: float, number: int, state: str, seconds: float = 0.0) -> Step:
    return Step(at=at, id=str(number), name=f"[{number}/9] RUN make", state=state, seconds=seconds)


def told(*steps: Step) -> RunState:
    state = RunState()
    state.fold([PhaseStarted(0.0, Phase.BUILD), *steps])
    return state


def test_what_runs_is_shown_however_few_rows_there_are() -> None:
    ended = [
        each for number in range(1, 6) for each in (step(1, number, "running"), step(2, number, "done", 1))
    ]
    state = told(*ended, step(3, 6, "running"), step(4, 7, "running"))
    state.tick(5.0)
    assert [line.split("]")[0][-3:] for line in plain(step_lines(state, 80, 3))] == ["5/9", "6/9", "7/9"]
    assert [line.split("]")[0][-3:] for line in plain(step_lines(state, 80, 1))] == ["7/9"]
    assert plain(step_lines(state, 80, 2))[0].endswith("2.0 s")
    assert "5 of 7 steps so far" in plain(lifecycle_lines(PLAN, state, 5, 80))[0]


def test_the_end_of_a_step_is_a_line_of_the_log_and_its_beginning_is_none() -> None:
    state = told(step(1, 1, "running"), step(2, 1, "failed"), step(2, 2, "cached"), step(3, 3, "done", 0.5))
    assert [line.partition("  ")[2] for line in plain(state.log)] == [
        "#1 [1/9] RUN make   failed",
        "#2 [2/9] RUN make   cached",
        "#3 [3/9] RUN make   done, 500 ms",
    ]


def test_without_steps_there_is_nothing() -> None:
    assert step_lines(RunState(), 80, 5) == []
