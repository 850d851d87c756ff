"""How far a run is: the steps of a build, and layers with their bars."""

from __future__ import annotations

from dockpass.marks import GLYPH_DONE, GLYPH_FAILED, GLYPH_NOT_REACHED, GLYPH_NOW
from dockpass.runs import events as ev
from dockpass.ui.views.run import FINISHED, RunState
from dockpass.ui.views.words import Line, Span, cell, cells
from dockpass.units import duration, size

_STEP_MARKS = {
    "running": (GLYPH_NOW, "accent"),
    "done": (GLYPH_DONE, "good"),
    "cached": (GLYPH_DONE, "label"),
    "cancelled": (GLYPH_NOT_REACHED, "label"),
}
_STEP_NUMBER, _STEP_END = 4, 11
LEAST_STEPS_WITH_LAYERS = 3


def progress_title(state: RunState) -> str:
    """Return what the rows are: steps with how many were cached, or layers."""
    if not state.steps:
        return "Layers"
    cached = sum(step.state == "cached" for step, _ in state.steps.values())
    return f"Steps  {len(state.steps):,}{f' · {cached:,} cached' if cached else ''}"


def progress_lines(state: RunState, width: int, rows: int) -> list[Line]:
    """Return the steps of a build, and below them the layers that move; without steps, all layers."""
    if not state.steps:
        return layer_lines(state, width, rows)
    moving = [layer for layer in state.layers.values() if layer.state not in FINISHED]
    room = max(min(len(moving), rows - LEAST_STEPS_WITH_LAYERS), 0) if state.ended is None else 0
    layers = [(("  ", "text"), *_layer_line(layer, width - 2)) for layer in moving[:room]]
    return [*step_lines(state, width, rows - len(layers)), *layers]


def step_lines(state: RunState, width: int, rows: int) -> list[Line]:
    """Return the steps of a build; where there are too many, those that run and the last that ended."""
    steps = list(state.steps.values())
    running = [each for each in steps if each[0].state == "running"]
    ended = [each for each in steps if each[0].state != "running"]
    kept = ended[max(len(ended) - max(rows - len(running), 0), 0) :] if rows > len(running) else []
    return [_step_line(step, began, state.now, width) for step, began in (*kept, *running[-rows:])]


def _step_line(step: ev.Step, began: float, now: float, width: int) -> Line:
    mark, role = _STEP_MARKS.get(step.state, (GLYPH_FAILED, "bad"))
    end = duration(max(now - began, 0.0)) if step.state == "running" else step.state
    if step.state == "done":
        end = duration(step.seconds)
    number = cell(f"#{step.id} ", _STEP_NUMBER)
    room = max(width - 2 - cells(number) - _STEP_END, 10)
    name = cell(step.name, room)
    return (
        (f"{mark} ", role),
        (number, "label"),
        (name, "text" if role != "label" else "label"),
        (f"{end:>{_STEP_END}}", "label"),
    )


_ROLES = {"pushed": "good", "pulled": "good", "exists": "label", "mounted": "label", "retrying": "look"}


def layer_lines(state: RunState, width: int, rows: int) -> list[Line]:
    """Return bars of the layers, those at work first where there are too many, and the total."""
    if not state.layers:
        return []
    layers = list(state.layers.values())
    room = max(rows - (2 if rows > MOST_LOW_ROWS else 1), 1)
    if len(layers) > room:
        layers = sorted(layers, key=lambda layer: layer.state in FINISHED)[:room]
    lines = [_layer_line(layer, width) for layer in layers]
    done = sum(layer.current for layer in state.layers.values())
    total = sum(layer.total for layer in state.layers.values())
    speed = (
        done / max(state.now - (state.first_bytes or 0.0), 0.001) if state.first_bytes is not None else 0.0
    )
    left = f"{duration((total - done) / speed)} left" if speed and total > done else ""
    words = f"{size(speed)}/s" if speed else ""
    if rows > MOST_LOW_ROWS:
        lines.append(())
    lines.append(_bar_line(("total", "strong"), words, _bar(done, total, _bar_width(width), "accent"), left))
    return lines


MOST_LOW_ROWS = 3
ID, STATE, PERCENT, AMOUNT = 14, 12, 5, 22


def _bar_width(width: int) -> int:
    return max(width - ID - STATE - PERCENT - AMOUNT, 8)


def _bar_line(name: Span, state: str, bar: Line, amount: str) -> Line:
    text, role = name
    return ((cell(text, ID), role), (cell(state, STATE), "label"), *bar, (f"{amount:>{AMOUNT}}", "label"))


def _layer_line(layer: ev.Layer, width: int) -> Line:
    finished = layer.state in FINISHED
    role = _ROLES.get(layer.state, "accent")
    filled = layer.total or 1
    of = size(layer.total) if finished and layer.total else ""
    if layer.state == "waiting" and layer.total:
        of = size(layer.total)
    elif not finished and layer.total:
        of = f"{size(layer.current)} of {size(layer.total)}"
    current = filled if finished else layer.current
    bar = _bar(current, filled if finished else layer.total, _bar_width(width), role)
    return _bar_line((layer.id, "text"), layer.state, bar, of)


def _bar(current: int, total: int, width: int, role: str) -> Line:
    """Return a bar and its percentage, which says 100 only where all is there."""
    share = min(current / total, 1) if total else 0
    filled = round(width * share)
    percent = f"{int(share * 100)}%" if total else ""
    return (("━" * filled, role), ("━" * (width - filled), "track"), (f"{percent:>{PERCENT}}", "label"))
