"""Compare: two refs, this shell, files and logs beside each other. Secrets are compared, and never shown."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from textual.app import ComposeResult
from textual.widgets import OptionList

from dockpass.auth.command import Command
from dockpass.auth.decide import decide
from dockpass.auth.facts import Facts, Source, SourceKind
from dockpass.errors import UsageError
from dockpass.keymap import key_for
from dockpass.marks import GLYPH_LOOK
from dockpass.session.scenario_files import ScenarioFile, scenarios_of
from dockpass.session.session import Session
from dockpass.session.sides import Chosen, Sided, side_of
from dockpass.text import clean
from dockpass.ui.actions import bindings
from dockpass.ui.screens.jobscreen import JobScreen, WhyRows
from dockpass.ui.screens.pick import Pick
from dockpass.ui.views.choices import Answer, job_of, ref_id, ref_of, titled_jobs
from dockpass.ui.views.compare import (
    difference_row,
    listed,
    logins_lines,
    matching,
    summary,
    verdict,
    why_lines,
)
from dockpass.ui.views.words import Line, Status, filter_words, nothing_matches
from dockpass.ui.widgets.filter import Filter
from dockpass.ui.widgets.panel import Panel, Row, Rows
from dockpass.variables.compare import Comparison, Difference, compare
from dockpass.variables.gitlab.model import Ref
from dockpass.variables.gitlab.tree import YamlError
from dockpass.variables.inwords import protection_words, ref_words
from dockpass.variables.variable import variable

SHELL = "shell"
FILE = "file:"
JOB = "job:"
SCENARIO = "scenario:"


class CompareScreen(JobScreen):
    """What differs between two sides, and does it change a login?"""

    BINDINGS = [*bindings("compare"), *bindings("everywhere")]
    PLACE = "compare"
    PANELS = ("differences", "difference", "compare-logins")
    AUTO_FOCUS = "#differences"
    LAST_HIDDEN_IF = "-low"

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._chosen: tuple[Chosen, Chosen] | None = None
        self._wanted: tuple[Chosen, Chosen] | None = None
        """The sides that were asked for last; they are chosen once they were read."""
        self._problem = ""
        """Why the sides that were asked for last are not shown; clean."""
        self._sides: tuple[Sided, Sided] | None = None
        self._found: Comparison | None = None
        self._every_run = False
        self._scenario: Chosen | None = None
        """The scenario that is compared with what is looked at, at first."""
        self._scenarios: tuple[ScenarioFile, ...] = ()

    @classmethod
    def with_scenario(cls, session: Session, right: str, left: str = "") -> CompareScreen:
        """Return the screen with a scenario on the right of another one, or of what is looked at."""
        made = cls(session)
        made._scenario = Chosen(scenario=right)
        if left:
            made._wanted = (Chosen(scenario=left), made._scenario)
        return made

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Show only the keys that work here and now."""
        if action in {"swap", "left", "right"}:
            return (self._chosen or self._wanted) is not None
        if action == "every_run":
            return self._found is not None and bool(self._found.every_run)
        return super().check_action(action, parameters)

    def compose_panels(self) -> ComposeResult:
        """The logins, the differences, and one of them."""
        yield Panel("What it means for the logins", id="compare-logins")
        yield WhyRows("Differences", id="differences")
        yield Panel("Why", id="difference")
        yield Panel("Compare", id="compare-notice")
        yield Filter("a part of a name", filters="#differences")

    def show_seen(self) -> None:
        """Compare what was chosen; at first the default branch with what is looked at."""
        self._compare(self._wanted or self._first())

    def _first(self) -> tuple[Chosen, Chosen]:
        desk = self.desk
        if not desk.has_something:
            return Chosen(), self._scenario or Chosen()
        now = Chosen(ref=desk.looking.ref)
        if self._scenario is not None:
            return now, self._scenario
        default = (desk.clone.project.default_branch if desk.clone is not None else None) or "main"
        if desk.looking.ref.name == default:
            return Chosen(), now
        return Chosen(ref=Ref(name=default, protected=desk.protected(Ref(name=default)))), now

    def _compare(self, wanted: tuple[Chosen, Chosen]) -> None:
        """Compare beside the screen: a log may be large. What cannot be read leaves everything as it is."""
        self._wanted = wanted
        left, right = wanted
        session, edits = self.session, self.session.all_edits()
        environ = session.own.known_values()
        read = partial(
            side_of,
            desk=self.desk,
            edits=edits,
            environ=environ,
            process=session.services,
        )

        def work() -> tuple[Sided, Sided, Comparison] | str:
            self._scenarios = scenarios_of(session)
            try:
                one, two = read(left), read(right)
            except UsageError as error:
                return f"{error.message} {error.hint}"
            except YamlError as error:
                where = f"{clean(str(error.place), 200)}: " if error.place.line else ""
                return f"{where}{error.message}"
            return one, two, compare(one.side, two.side)

        self.in_background(work, partial(self._take_sides, wanted))

    def _take_sides(
        self, wanted: tuple[Chosen, Chosen], result: tuple[Sided, Sided, Comparison] | str
    ) -> None:
        if wanted != self._wanted:
            return  # something else was asked for meanwhile
        self._problem = result if isinstance(result, str) else ""
        if not isinstance(result, str):
            one, two, self._found = result
            self._chosen, self._sides = wanted, (one, two)

    def status(self) -> Status:
        """Return the two sides, and the verdict."""
        right: Line = verdict(self._found) if self._found is not None else ()
        left = self.titled(" with ".join(self._titles()) if self._chosen is not None else "")
        return left, right

    def _titles(self) -> tuple[str, str]:
        if self._chosen is None:
            return "", ""
        one, two = self._chosen
        titles = one.title, two.title
        if one.job is not None or two.job is not None:
            return self._with_job(one).title, self._with_job(two).title
        if titles[0] == titles[1] and one.ref is not None and two.ref is not None:
            return f"{titles[0]} {protection_words(one.ref)}", f"{titles[1]} {protection_words(two.ref)}"
        return titles

    def _with_job(self, chosen: Chosen) -> Chosen:
        """Return a side with its job named."""
        looking = self.desk.looking
        named = chosen.ref is None or chosen.job is not None
        return chosen if named else replace(chosen, job=(looking.job, looking.instance))

    def refresh_all(self) -> None:
        """Show everything anew."""
        self.set_class(self._found is None or self.error is not None, "-notice")
        nothing = self._problem_lines() if self.error is None else []
        self.query_one("#compare-notice", Panel).show(nothing or self.notice_lines())
        self._show_logins()
        self._show_differences()
        self._show_selected()
        super().refresh_all()

    def _problem_lines(self) -> list[Line]:
        """Return why the sides that were asked for are not compared; empty where they are."""
        if not self._problem:
            return []
        still = f"Still compared: {' with '.join(self._titles())}." if self._chosen is not None else ""
        return [((f"{GLYPH_LOOK} {self._problem}", "bad"),), ((still, "label"),)]

    def _show_logins(self) -> None:
        if self._sides is None:
            return
        left, right = (
            {command: decide(command, self._facts(each)) for command in Command} for each in self._sides
        )
        doubtful = self._found.open_logins if self._found is not None else ()
        open_ = {command for each in doubtful for command in each.logins}
        view = partial(logins_lines, left, right, self._titles(), open_=open_)
        problem = self._problem_lines()
        self.query_one("#compare-logins", Panel).show(lambda width: [*problem, *view(width)])

    def _facts(self, sided: Sided) -> Facts:
        found, source = self.session.found, Source(SourceKind.JOB)
        variables = {
            name: variable(name, seen.value, source, secret=seen.secret)
            for name, seen in sided.side.variables.items()
        }
        elsewhere = sided.view is not None or bool(sided.chosen.scenario)
        return replace(found, variables=variables, elsewhere=elsewhere)

    def _listed(self) -> list[Difference]:
        return listed(self._found, every_run=self._every_run) if self._found is not None else []

    def _show_differences(self) -> None:
        rows, text = self.query_one("#differences", Rows), self.query_one(Filter).text
        everything = self._listed()
        found = matching(everything, text)

        def lines(width: int) -> list[Row]:
            shown: list[Row] = [(each.name, partial(difference_row, each, width)) for each in found]
            return shown or [
                (None, line) for line in nothing_matches(text) or [(("nothing differs", "good"),)]
            ]

        rows.show(lines)
        rows.border_title = f"Differences {filter_words(text, len(found), len(everything))}".rstrip()
        keys = [key_for("every_run", self.session.keys)]
        rows.border_subtitle = summary(self._found, keys) if self._found is not None else ""

    def _show_selected(self) -> None:
        panel, name = self.query_one("#difference", Panel), self.query_one("#differences", Rows).selected_id
        found = next((each for each in self._listed() if each.name == name), None)
        verb = "may differ" if found is not None and found.is_open else "differs"
        panel.border_title = f"Why {clean(name, 255)} {verb}" if found is not None and name else "Why"
        if found is None or self._sides is None:
            panel.show(())
            return
        views = (self._sides[0].view, self._sides[1].view)
        panel.show(partial(why_lines, found, self._titles(), views))

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Another difference."""
        if event.option_list.id == "differences":
            self._show_selected()

    def action_swap(self) -> None:
        """Swap the sides."""
        if (now := self._chosen or self._wanted) is not None:
            self._compare((now[1], now[0]))

    def action_left(self) -> None:
        """Choose the left side."""
        self._ask_for_side(0)

    def action_right(self) -> None:
        """Choose the right side."""
        self._ask_for_side(1)

    def _ask_for_side(self, at: int) -> None:
        def taken(answer: str | None) -> None:
            now = self._chosen or self._wanted
            if answer is not None and now is not None:
                sides = list(now)
                sides[at] = self._side_of(answer)
                self._compare((sides[0], sides[1]))

        title = f"What stands on the {'left' if at == 0 else 'right'}?"
        words = (
            "This job on another ref, another job, a scenario, this shell, or a file in any format: type its"
            " path."
        )
        self.app.push_screen(Pick(title, words, self._answers), taken)

    def _answers(self, text: str) -> list[Answer]:
        answers: list[Answer] = [
            (SHELL, (("this shell", "text"), ("  the variables of this process", "label")))
        ]
        if self.desk.has_something:
            refs = {ref_id(each): each for each in (self.desk.looking.ref, *self.desk.known_refs)}
            for each in refs.values():
                words = protection_words(self._known(each))
                answers.append((ref_id(each), ((ref_words(each), "text"), (f"  {words}", "label"))))
        if self.seen is not None:
            ref = ref_words(self.desk.looking.ref)
            answers += [
                (answer, ((f"job {title}", "text"), (f"  on {ref}", "label")))
                for answer, title, _ in titled_jobs(self.seen.loaded.config)
            ]
        answers += [
            (f"{SCENARIO}{each.name}", ((f"scenario {each.shown}", "text"),)) for each in self._scenarios
        ]
        found = [each for each in answers if text.casefold() in each[1][0][0].casefold()]
        if text:
            found.append((f"{FILE}{text}", ((f"the file {clean(text, 200)}", "text"),)))
        return found

    def _known(self, ref: Ref) -> Ref:
        now = self.desk.looking.ref
        if (now.type, now.name) == (ref.type, ref.name):
            return now
        return Ref(type=ref.type, name=ref.name, protected=self.desk.protected(ref))

    def _side_of(self, answer: str) -> Chosen:
        if answer == SHELL:
            return Chosen()
        if answer.startswith(SCENARIO):
            return Chosen(scenario=answer.removeprefix(SCENARIO))
        if answer.startswith(FILE):
            return Chosen(path=answer.removeprefix(FILE))
        if answer.startswith(JOB):
            return Chosen(ref=self.desk.looking.ref, job=job_of(answer))
        return Chosen(ref=self._known(ref_of(answer)))

    def action_every_run(self) -> None:
        """Show what differs in every run, or hide it."""
        self._every_run = not self._every_run
        self.refresh_all()

    def action_copy(self) -> None:
        """Copy the command line that compares the same."""
        if self._chosen is not None:
            one, two = self._chosen
            self.copy_of_job("diff", one.argument, two.argument, options=self.desk.options(with_ref=False))
