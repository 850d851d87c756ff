"""A run as lines: folded from its events, so that any reader shows the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from dockpass.runs import events as ev
from dockpass.runs.events import Event, Phase, Status
from dockpass.runs.plan import Plan, PlannedPhase
from dockpass.text import cut
from dockpass.ui.views.words import (
    GLYPH_DONE,
    GLYPH_FAILED,
    GLYPH_NOT_REACHED,
    GLYPH_NOW,
    Line,
    Span,
    cell,
    seconds,
    size,
)

MOST_LOG_LINES = 20_000
BAR = 44


@dataclass
class PhaseState:
    """How far a phase is."""

    began: float | None = None
    ended: float | None = None
    status: Status | None = None
    detail: str = ""


@dataclass
class RunState:
    """What the events so far amount to. `fold` is the only place that changes it."""

    phases: dict[Phase, PhaseState] = field(default_factory=dict)
    layers: dict[str, ev.Layer] = field(default_factory=dict)
    first_bytes: float | None = None
    now: float = 0.0
    count: ev.Count | None = None
    log: list[Line] = field(default_factory=list)
    plan: list[ev.TagPlanned] = field(default_factory=list)
    images: list[ev.ImageDescribed] = field(default_factory=list)
    removed: ev.ConfigRemoved | None = None
    ended: ev.Ended | None = None
    asked: ev.Asked | None = None

    def fold(self, events: Sequence[Event], lost: int) -> list[Line]:
        """Take events in; return the fresh log lines."""
        fresh: list[Line] = []
        if lost:
            fresh.append(((f"{lost:,} lines came too fast and are not shown", "look"),))
        for event in events:
            self.now = max(self.now, event.at)
            fresh += self._take(event)
        self.log += fresh
        del self.log[:-MOST_LOG_LINES]
        return fresh

    def _take(self, event: Event) -> list[Line]:
        match event:
            case ev.PhaseStarted():
                self.phases[event.phase] = PhaseState(event.at, detail=event.detail)
                self.count = None
            case ev.PhaseEnded():
                state = self.phases.setdefault(event.phase, PhaseState(event.at))
                state.ended, state.status = event.at, event.status
                state.detail = event.detail or state.detail
            case ev.Layer():
                self.layers[event.id] = event
                if self.first_bytes is None and event.current:
                    self.first_bytes = event.at
            case ev.Count():
                self.count = event
            case ev.TagPlanned():
                self.plan.append(event)
            case ev.ImageDescribed():
                self.images.append(event)
                return [_stamped(event.at, line) for line in image_lines(event)]
            case ev.Asked():
                self.asked = event
            case ev.ConfigRemoved():
                self.removed = event
            case ev.Ended():
                self.ended = event
        return _log_lines(event)


def _log_lines(event: Event) -> list[Line]:
    match event:
        case ev.Log():
            role = {ev.LogKind.NOTE: "label", ev.LogKind.WARNING: "look", ev.LogKind.ERROR: "bad"}
            return [_stamped(event.at, ((event.text, role.get(event.kind, "text")),))]
        case ev.Waiting():
            return [_stamped(event.at, ((event.text, "look"),))]
        case ev.ConfigCreated():
            hosts = ", ".join(event.hosts) or "no registry"
            words = f"{event.path} ({event.directory_mode}/{event.file_mode}, {event.where}) for {hosts}"
            return [_stamped(event.at, ((words, "label"),))]
        case ev.LoginSucceeded():
            return [_stamped(event.at, ((f"{event.host}: {event.words}", "good"),))]
        case ev.LoginRefused():
            return [_stamped(event.at, ((f"{event.host}: {event.words}", "bad"),))]
        case ev.LoginSkipped():
            return [_stamped(event.at, ((event.because, "label"),))]
    return []


def _stamped(at: float, line: Line) -> Line:
    return ((f"{at:06.3f}  ", "absent"), *line)


def image_lines(image: ev.ImageDescribed) -> list[Line]:
    """Return what a deployment needs of one image."""
    pairs = (
        ("image", image.reference),
        ("digest", image.digest),
        ("image id", image.image_id or "none"),
        ("created", image.created or "not known"),
        ("platforms", ", ".join(image.platforms)),
        ("size", size(image.size)),
        *((f"label {name}", value) for name, value in image.labels),
    )
    return [((cell(name, 14), "label"), (value, "text")) for name, value in pairs]


def lifecycle_lines(plan: Plan, state: RunState, width: int) -> list[Line]:
    """Return one line for each planned phase, then those that came without a plan."""
    known = {planned.phase for planned in plan.phases}
    phases = [
        *plan.phases,
        *(PlannedPhase(phase, str(phase), "") for phase in state.phases if phase not in known),
    ]
    return [_phase_line(planned, state, width) for planned in phases]


def _phase_line(planned: PlannedPhase, state: RunState, width: int) -> Line:
    found = state.phases.get(planned.phase)
    title = cell(planned.title, 19)
    if found is None or found.began is None:
        return (
            (f"{GLYPH_NOT_REACHED} ", "absent"),
            (title, "absent"),
            (cut(planned.detail, width - 32), "absent"),
        )
    spent = seconds((state.now if found.ended is None else found.ended) - found.began)
    detail = cell(_detail(planned, found, state), max(width - 32, 10))
    if found.status is None:
        return ((f"{GLYPH_NOW} ", "accent"), (title, "accent"), (detail, "text"), (f"{spent:>11}", "label"))
    mark: Span = (f"{GLYPH_FAILED} ", "bad")
    if found.status is Status.DONE:
        mark = (f"{GLYPH_DONE} ", "good")
    elif found.status is Status.SKIPPED:
        mark = (f"{GLYPH_NOT_REACHED} ", "label")
    return (mark, (title, "text"), (detail, "label"), (f"{spent:>11}", "absent"))


def _detail(planned: PlannedPhase, found: PhaseState, state: RunState) -> str:
    if found.status is None and state.count is not None:
        return f"{state.count.done:,} of {state.count.total:,} {state.count.what}"
    if found.status is None and planned.phase in {Phase.PUSH, Phase.PULL} and state.layers:
        done = sum(layer.state in _FINISHED for layer in state.layers.values())
        return f"{done} of {len(state.layers)} layers"
    return found.detail or planned.detail


_FINISHED = frozenset({"pushed", "pulled", "exists", "mounted"})
_ROLES = {"pushed": "good", "pulled": "good", "exists": "label", "mounted": "label", "retrying": "look"}


def layer_lines(state: RunState, width: int, rows: int) -> list[Line]:
    """Return bars of the layers, those at work first where there are too many, and the total."""
    if not state.layers:
        return []
    layers = list(state.layers.values())
    if len(layers) > rows - 2:
        layers = sorted(layers, key=lambda layer: layer.state in _FINISHED)[: max(rows - 2, 1)]
    bar = min(BAR, max(width - 46, 8))
    lines = [_layer_line(layer, bar, width) for layer in layers]
    done = sum(layer.current for layer in state.layers.values())
    total = sum(layer.total for layer in state.layers.values())
    speed = (
        done / max(state.now - (state.first_bytes or 0.0), 0.001) if state.first_bytes is not None else 0.0
    )
    left = f"{seconds((total - done) / speed)} left" if speed and total > done else ""
    words = f"{size(speed)}/s" if speed else ""
    lines += [
        (),
        (
            (cell("total", 14), "strong"),
            (cell(words, 12), "label"),
            *_bar(done, total, bar, "accent"),
            (f"{left:>{max(width - bar - 26, 20)}}", "text"),
        ),
    ]
    return lines


def _layer_line(layer: ev.Layer, bar: int, width: int) -> Line:
    finished = layer.state in _FINISHED
    role = _ROLES.get(layer.state, "accent")
    filled = layer.total or 1
    of = size(layer.total) if finished and layer.total else ""
    if layer.state == "waiting" and layer.total:
        of = size(layer.total)
    elif not finished and layer.total:
        of = f"{size(layer.current)} of {size(layer.total)}"
    current = filled if finished else layer.current
    return (
        (cell(layer.id, 14), "text"),
        (cell(layer.state, 12), "label"),
        *_bar(current, filled if finished else layer.total, bar, role),
        (f"{of:>{max(width - bar - 26, 20)}}", "label"),
    )


def _bar(current: int, total: int, width: int, role: str) -> Line:
    filled = round(width * min(current / total, 1)) if total else 0
    return (("━" * filled, role), ("━" * (width - filled), "track"))


def outcome_lines(state: RunState) -> list[Line]:
    """Return the end of a run in words, and what became of its config."""
    if state.ended is None:
        return []
    done = state.ended.status is Status.DONE
    mark, role = (GLYPH_DONE, "good") if done else (GLYPH_FAILED, "bad")
    lines: list[Line] = [((f"{mark} {state.ended.message}", role),)]
    if state.ended.hint:
        lines.append(((state.ended.hint, "text"),))
    if state.removed is not None:
        gone = state.removed.gone
        words = f"config {state.removed.detail}" if gone else state.removed.detail
        lines.append(((f"{GLYPH_DONE if gone else GLYPH_FAILED} {words}", "good" if gone else "bad"),))
    elif not done:
        lines.append((("nothing was created", "label"),))
    return lines


def plan_rows(rows: Sequence[ev.TagPlanned], width: int) -> list[Line]:
    """Return the plan of a cleanup: what goes first."""
    ordered = sorted(rows, key=lambda row: row.action != "delete")
    lines: list[Line] = []
    for row in ordered:
        goes = row.action == "delete"
        mark: Span = (f"{GLYPH_FAILED} delete  ", "bad") if goes else (f"{GLYPH_DONE} keep    ", "good")
        room = max(width - 40, 12)
        lines.append(
            (mark, (cell(row.tag, 26), "text" if goes else "label"), (cut(row.reason, room), "label"))
        )
    return lines
