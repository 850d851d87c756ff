"""Events of a run in words that both faces use. Pure."""

from __future__ import annotations

from dockpass.runs.events import Step
from dockpass.units import duration


def step_words(step: Step) -> str:
    """Return how a step of a build ended, and which it is: `#4 done, 1.2 s: [2/3] RUN make`."""
    spent = f", {duration(step.seconds)}" if step.state == "done" else ""
    return f"#{step.id} {step.state}{spent}: {step.name}"
