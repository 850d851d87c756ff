"""The steps of a build on the run screen."""

from __future__ import annotations

from dockpass.runs.events import Layer, Phase, PhaseStarted, Step
from dockpass.runs.plan import Plan, PlannedPhase
from dockpass.ui.views.progress import progress_lines, progress_title, step_lines
from dockpass.ui.views.run import RunState, lifecycle_lines
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
        "#1 failed: [1/9] RUN make",
        "#2 cached: [2/9] RUN make",
        "#3 done, 500 ms: [3/9] RUN make",
    ]


def test_layers_that_move_stand_below_the_steps_and_leave_room_for_them() -> None:
    state = told(step(1, 1, "cached"), *(step(1, number, "running") for number in range(2, 6)))
    layers = [Layer(1.0, f"{number:012}", "pulling", 5, 10) for number in range(4)]
    state.fold([*layers, Layer(1.0, "finished", "pulled", 10, 10)])
    assert progress_title(state) == "Steps  5 · 1 cached"
    shown = plain(progress_lines(state, 80, 5))
    assert [line.split()[0] for line in shown] == ["▶", "▶", "▶", "000000000000", "000000000001"]
    assert all("pulling" in line and "50%" in line for line in shown[3:])
    assert len(progress_lines(state, 80, 2)) == 2
    assert not [line for line in plain(progress_lines(state, 80, 20)) if "finished" in line]


def test_without_steps_there_is_nothing() -> None:
    assert step_lines(RunState(), 80, 5) == []
