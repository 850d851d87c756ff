"""A run as lines: folded from its events, so that any reader shows the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from dockpass.colours import parts
from dockpass.marks import GLYPH_DONE, GLYPH_FAILED, GLYPH_NOT_REACHED, GLYPH_NOW
from dockpass.runs import events as ev
from dockpass.runs.events import Event, Phase, Status
from dockpass.runs.helm import values_yaml
from dockpass.runs.plan import Plan, PlannedPhase
from dockpass.runs.words import step_words
from dockpass.text import plural
from dockpass.ui.views.words import PAINTED, Line, cell, cells, shorten
from dockpass.units import duration, size

MOST_LOG_LINES = 20_000
FINISHED = frozenset({"pushed", "pulled", "exists", "mounted"})
"""The states of a layer with which nothing is left to do."""
LONGEST_SILENCE = 2.0
"""Seconds without news after which it is said what is waited for."""


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
    steps: dict[str, tuple[ev.Step, float]] = field(default_factory=dict)
    """The steps of a build in the order in which they began, each with the time when it did."""
    first_bytes: float | None = None
    now: float = 0.0
    news: float = 0.0
    wait: ev.Waiting | None = None
    count: ev.Count | None = None
    log: list[Line] = field(default_factory=list)
    plan: list[ev.TagPlanned] = field(default_factory=list)
    images: list[ev.ImageDescribed] = field(default_factory=list)
    removed: ev.ConfigRemoved | None = None
    ended: ev.Ended | None = None
    asked: ev.Asked | None = None

    def fold(self, events: Sequence[Event]) -> list[Line]:
        """Take events in; return the fresh log lines."""
        fresh: list[Line] = []
        for event in events:
            if event.at > self.now:
                self.now = event.at
            self.wait = None
            # Of these there may be a million.
            if type(event) is ev.Log:
                fresh.append(_logged(event))
            else:
                self.wait = event if isinstance(event, ev.Waiting) else None
                fresh += self._take(event)
        if events:
            self.news = self.now
        del fresh[:-MOST_LOG_LINES]
        self.log += fresh
        del self.log[:-MOST_LOG_LINES]
        return fresh

    def add(self, lines: list[Line]) -> list[Line]:
        """Add lines of the screen's own to the log; return them."""
        self.log += lines
        return lines

    def tick(self, at: float) -> None:
        """Let the clock go on to `at` seconds since the run began; it never goes back."""
        self.now = max(self.now, at)

    @property
    def running(self) -> Phase | None:
        """The step that is being done; the last one where there are several."""
        steps = [phase for phase, state in self.phases.items() if state.status is None]
        return steps[-1] if steps and self.ended is None else None

    def _take(self, event: Event) -> list[Line]:
        match event:
            case ev.TagPlanned():
                self.plan.append(event)
                words = f"{event.tag}: {event.action}, {event.reason}"
                return [_stamped(event.at, ((words, "label"),))]
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
            case ev.Step():
                self.steps[event.id] = (event, self.steps.get(event.id, (event, event.at))[1])
            case ev.Count():
                self.count = event
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
        case ev.Step() if event.state != "running":
            words = step_words(event)
            return [_stamped(event.at, ((words, "bad" if event.state == "failed" else "label"),))]
        case ev.Waiting():
            return [_stamped(event.at, ((event.text, "look"),))]
        case ev.Skipped():
            return [_stamped(event.at, ((event.in_words, "look"),))]
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


_LOG_ROLES = {ev.LogKind.NOTE: "label", ev.LogKind.WARNING: "look", ev.LogKind.ERROR: "bad"}


def _logged(event: ev.Log) -> Line:
    stamp, role = (f"{event.at:06.3f}  ", "absent"), _LOG_ROLES.get(event.kind, "text")
    if not event.colours:
        return (stamp, (event.text, role))
    return (
        stamp,
        *((part, PAINTED + look if look else role) for part, look in parts(event.text, event.colours)),
    )


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
    names = max(cells(name) for name, _ in pairs) + 2
    return [((cell(name, names), "label"), (value, "text")) for name, value in pairs]


def values_lines(images: Sequence[ev.ImageDescribed]) -> list[Line]:
    """Return the values for Helm, as they go into a file."""
    return [((line, "text"),) for line in values_yaml(images).splitlines()]


_REGISTRY = frozenset({Phase.LOGIN, Phase.LIST, Phase.INSPECT, Phase.DELETE})
_ENGINE = frozenset({Phase.TAG, Phase.BUILD, Phase.PUSH, Phase.PULL, Phase.UNTAG})


def waits_for(plan: Plan, state: RunState) -> str:
    """Return what a silent run waits for: `log in: waiting for the registry, 6 s`."""
    running, silent = state.running, state.now - state.news
    if state.wait is not None and running is not None:
        left = max(state.wait.at + state.wait.seconds - state.now, 0)
        return f"{state.wait.host} asks to wait, {left:.0f} s more"
    if running is None or silent < LONGEST_SILENCE:
        return ""
    title = next((planned.title for planned in plan.phases if planned.phase is running), str(running)).lower()
    if running is Phase.CONFIRM:
        return "waiting for your answer"
    what = ""
    if running in _REGISTRY:
        what = "waiting for the registry"
    elif running in _ENGINE:
        what = "waiting for the engine"
    return ", ".join(part for part in (f"{title}: {what}" if what else title, f"{silent:.0f} s") if part)


_FRAMES = "▖▘▝▗"


def frame_of(number: int) -> str:
    """Return a frame of the sign of life."""
    return _FRAMES[number % len(_FRAMES)]


def clock_words(state: RunState) -> str:
    """Return the time since the run began, with a sign of life while it goes on."""
    if state.ended is not None:
        return duration(state.now)
    return f"{frame_of(int(state.now * 4))} {duration(state.now)}"


DECLINED = "not-confirmed"
"""How a run ends where the person said no."""


def status_words(state: RunState, waiting: str) -> tuple[str, str]:
    """Return how the run is, and the role of the words."""
    if state.ended is None:
        return waiting or "running", "look"
    if state.ended.id == DECLINED:
        return "declined", "label"
    return str(state.ended.status), "bad" if state.ended.exit_code else "good"


def lifecycle_lines(plan: Plan, state: RunState, rows: int, width: int) -> list[Line]:
    """Return one line for each planned phase, then those that came without a plan.

    Where there are more than `rows`, those around the one that is being done.
    """
    known = {planned.phase for planned in plan.phases}
    phases = [
        *plan.phases,
        *(PlannedPhase(phase, str(phase), "") for phase in state.phases if phase not in known),
    ]
    begun = [number for number, planned in enumerate(phases) if planned.phase in state.phases]
    first = max(min((begun[-1] if begun else 0) - 1, len(phases) - rows), 0)
    return [_phase_line(planned, state, width) for planned in phases[first : first + rows]]


TITLE, TIME = 19, 11


def _phase_line(planned: PlannedPhase, state: RunState, width: int) -> Line:
    found = state.phases.get(planned.phase)
    title = cell(planned.title, TITLE)
    room = max(width - 2 - TITLE - TIME, 10)
    if found is None or found.began is None:
        return (
            (f"{GLYPH_NOT_REACHED} ", "absent"),
            (title, "absent"),
            (shorten(planned.detail, room), "absent"),
        )
    spent = f"{duration((state.now if found.ended is None else found.ended) - found.began):>{TIME}}"
    detail = cell(shorten(_detail(planned, found, state), room), room)
    if found.status is None:
        return ((f"{GLYPH_NOW} ", "accent"), (title, "accent"), (detail, "text"), (spent, "label"))
    status = Status.SKIPPED if _is_declined(planned.phase, state) else found.status
    role = {Status.DONE: "good", Status.SKIPPED: "label"}.get(status, "bad")
    return ((f"{status.mark} ", role), (title, "text"), (detail, "label"), (spent, "absent"))


def _is_declined(phase: Phase, state: RunState) -> bool:
    return phase is Phase.CONFIRM and state.ended is not None and state.ended.id == DECLINED


def _detail(planned: PlannedPhase, found: PhaseState, state: RunState) -> str:
    if _is_declined(planned.phase, state):
        return "declined"
    if found.status is None and state.count is not None:
        return f"{state.count.done:,} of {state.count.total:,} {state.count.what}"
    if found.status is None and planned.phase in {Phase.PUSH, Phase.PULL} and state.layers:
        done = sum(layer.state in FINISHED for layer in state.layers.values())
        return f"{done} of {len(state.layers)} layers"
    if found.status is None and planned.phase is Phase.BUILD and state.steps:
        ended = sum(step.state != "running" for step, _ in state.steps.values())
        return f"{ended} of {plural(len(state.steps), 'step')} so far"
    return found.detail or planned.detail


def outcome_lines(state: RunState) -> list[Line]:
    """Return the end of a run in words, and what became of its config."""
    if state.ended is None:
        return []
    done = state.ended.status is Status.DONE
    mark, role = (GLYPH_DONE, "good") if done else (GLYPH_FAILED, "bad")
    message = state.ended.message
    if state.ended.id == DECLINED:
        mark, role, message = GLYPH_NOT_REACHED, "text", "declined, nothing deleted"
    lines: list[Line] = [((f"{mark} {message}", role),)]
    lines += [((words, "text"),) for words in state.ended.hint.splitlines()]
    if state.removed is not None:
        gone = state.removed.gone
        words = f"config {state.removed.detail}" if gone else state.removed.detail
        lines.append(((f"{GLYPH_DONE if gone else GLYPH_FAILED} {words}", "good" if gone else "bad"),))
    elif not done:
        lines.append((("nothing was created", "label"),))
    return lines
