"""Rules: which jobs are in the pipeline, and why. Nothing is sent."""

from __future__ import annotations

from functools import partial

from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.widgets import OptionList

from dockpass.keymap import key_for
from dockpass.session.session import Session
from dockpass.ui.actions import bindings
from dockpass.ui.screens.jobscreen import CONTEXT, JobScreen, WhyRows
from dockpass.ui.views.rules import job_row, job_states, pipeline_lines, title_of, trace_lines
from dockpass.ui.views.ways import Ways, way_lines
from dockpass.ui.views.words import Line, filter_words, nothing_matches
from dockpass.ui.widgets.filter import Filter
from dockpass.ui.widgets.panel import Panel, Row, Rows
from dockpass.variables.bring_job import what_would_include
from dockpass.variables.gitlab.resolve import JobView
from dockpass.variables.pipeline import Loaded

AT_A_TIME = 10
"""Jobs that are judged in one go, so that the list fills while it is looked at."""

NO_PROJECT: Line = (
    ("No .gitlab-ci.yml here. Start dockpass in a clone of a project to see its jobs.", "look"),
)


class RulesScreen(JobScreen):
    """Why is a job in the pipeline, or not?"""

    BINDINGS = [*bindings("rules"), *bindings("everywhere")]
    PLACE = "rules"
    PANELS = ("jobs", "trace", "pipeline")
    AUTO_FOCUS = "#jobs"
    LAST_HIDDEN_IF = "-narrow"

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._views: dict[str, JobView] = {}
        self._ways: dict[str, Ways] = {}
        self._round = 0

    def compose_panels(self) -> ComposeResult:
        """The jobs beside the pipeline, and the rules of one job."""
        with Horizontal(id="rules-above"):
            yield WhyRows("Jobs on this ref", id="jobs")
            yield Panel("What the pipeline is", id="pipeline")
        yield Panel("Why", id="trace")
        yield Panel("Rules", id="rules-notice")
        yield Filter("a part of a job or a stage", filters="#jobs")

    @property
    def selected(self) -> str:
        """The name of the selected job; empty where there is none."""
        return (self.query_one("#jobs", Rows).selected_id or "") if self.is_mounted else ""

    def show_seen(self) -> None:
        """Judge every job anew, some at a time, beside the screen."""
        self._views, self._ways = {}, {}
        self._round += 1
        if self.seen is not None:
            names = list(self.seen.loaded.config.jobs or {})
            wanted = self.desk.looking.job
            names.sort(key=lambda name: name != wanted)
            self._judge(self.seen.loaded, names)

    def _judge(self, loaded: Loaded, names: list[str]) -> None:
        now, later = names[:AT_A_TIME], names[AT_A_TIME:]

        def take(judged: tuple[int, dict[str, JobView]]) -> None:
            at, views = judged
            if at == self._round:
                self._views |= views
                if later:
                    self._judge(loaded, later)
                else:
                    self._look_for_ways()

        at = self._round
        self.in_background(lambda: (at, {name: loaded.view(name) for name in now}), take)

    def _look_for_ways(self) -> None:
        """Look for what would bring the selected job, once."""
        name, seen, at = self.selected, self.seen, self._round
        view = self._views.get(name)
        if seen is None or view is None or view.included is True or name in self._ways:
            return
        loaded, refs = seen.loaded, self.desk.refs()
        self._ways[name] = ()

        def look() -> tuple[int, Ways]:
            found = what_would_include(loaded, name, refs=refs)
            return at, [(way.changes, way.view) for way in found]

        def take(found: tuple[int, Ways]) -> None:
            if found[0] == self._round:
                self._ways[name] = found[1]

        self.in_background(look, take)

    def refresh_all(self) -> None:
        """Show everything anew."""
        none = self.error is not None or self.reading or self.seen is None or self.desk.clone is None
        self.set_class(none, "-notice")
        notice = self.query_one("#rules-notice", Panel)
        notice.show(self.notice_lines() if self.error is not None or self.reading else [NO_PROJECT])
        self._show_jobs()
        self._show_selected()
        super().refresh_all()

    def _show_jobs(self) -> None:
        if self.seen is None:
            return
        rows, text = self.query_one("#jobs", Rows), self.query_one(Filter).text
        states = job_states(self.seen.loaded.config, self._views)
        found = [each for each in states if text in f"{each.name}\n{each.stage}".casefold()]

        def lines(width: int) -> list[Row]:
            shown: list[Row] = [(each.name, partial(job_row, each, width)) for each in found]
            return shown or [(None, line) for line in nothing_matches(text)]

        chosen = self.selected
        rows.show(lines)
        names = [each.name for each in found]
        if not chosen and self.desk.looking.job in names:
            rows.highlighted = names.index(self.desk.looking.job)
        rows.border_title = f"Jobs on this ref {filter_words(text, len(found), len(states))}".rstrip()
        there = sum(view.included is True for view in self._views.values())
        rows.border_subtitle = f"{there} of {len(states)} in the pipeline"

    def _show_selected(self) -> None:
        trace, pipeline = self.query_one("#trace", Panel), self.query_one("#pipeline", Panel)
        view = self._views.get(self.selected)
        if self.seen is None or view is None:
            trace.show(())
            return
        loaded = self.seen.loaded
        keys = {name: key_for(name, self.session.keys) for name in CONTEXT}
        pipeline.show(partial(pipeline_lines, loaded, view, keys))
        trace.border_title = title_of(view)
        trace.border_subtitle = "values are compared before they are expanded" if view.rules else ""
        ways = self._ways.get(self.selected, ())

        def lines(width: int) -> list[Line]:
            shown = trace_lines(loaded, view, width)
            found = way_lines(view, ways, width)
            return [*shown, (), *found] if found else shown

        trace.show(lines)

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Another job."""
        if event.option_list.id == "jobs":
            self._show_selected()
            self._look_for_ways()

    def action_open(self, place: str) -> None:
        """Open the variables of the selected job."""
        if self.selected:
            self.session.look_as_job(True)
            self.desk.choose(self.selected)
        super().action_open(place)

    def action_copy(self) -> None:
        """Copy the command line that says the same."""
        self.copy_of_job("why", self.selected, options=self.desk.options(with_job=False))
