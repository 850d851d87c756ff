"""Events of a run in words that both faces use. Pure."""

from __future__ import annotations

from dockpass.runs.events import Step
from dockpass.units import duration


def step_words(step: Step) -> str:
    """Return a step of a build with how it ended: `#4 [2/3] RUN make   done, 1.2 s`."""
    spent = f", {duration(step.seconds)}" if step.state == "done" else ""
    return f"#{step.id} {step.name}   {step.state}{spent}"
