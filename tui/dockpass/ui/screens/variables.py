"""Variables: every one as a job would get it. Nothing is sent, and nothing of the project is run."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from textual.app import ComposeResult
from textual.containers import Container
from textual.widgets import OptionList

from dockpass.keymap import key_for
from dockpass.marks import GLYPH_LOOK
from dockpass.session.desk import Imported, learn_imported
from dockpass.session.session import Session
from dockpass.text import clean, plural
from dockpass.ui.actions import bindings
from dockpass.ui.editor import Editor
from dockpass.ui.screens.importing import ImportDialog
from dockpass.ui.screens.jobscreen import JobScreen, WhyRows
from dockpass.ui.screens.values import Values
from dockpass.ui.views.variable import Around, detail_lines
from dockpass.ui.views.variables import (
    Listed,
    heading,
    listed_here,
    listed_variables,
    matching,
    uses_of,
    variable_row,
)
from dockpass.ui.views.ways import Ways, way_lines
from dockpass.ui.views.words import Line, filter_words, hanging, nothing_matches
from dockpass.ui.widgets.filter import Filter
from dockpass.ui.widgets.panel import Panel, Row, Rows
from dockpass.variables.bring import what_would_bring
from dockpass.variables.catalogue import Entry, entry_of
from dockpass.variables.clone import CI_FILE
from dockpass.variables.gitlab.model import Level
from dockpass.variables.inwords import source_words
from dockpass.variables.jobscript import own_logins_in_words

MOST_WAYS = 4

NO_PROJECT: Line = (
    (f"No {CI_FILE} here: these are the variables of this process.", "look"),
    (" Start dockpass in a clone, or import with i.", "text"),
)


class VariablesScreen(Values, JobScreen):
    """Which variables would a job get, from where, and why not the others?"""

    BINDINGS = [*bindings("variables"), *bindings("everywhere")]
    PLACE = "variables"
    PANELS = ("variables", "variable")
    AUTO_FOCUS = "#variables"

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self._listed: tuple[Listed, ...] = ()
        self._only_problems = False
        self._ways: dict[tuple[int, str], Ways] = {}
        self._looking_for: tuple[int, str] | None = None
        self.wanted = ""
        """The variable to select as soon as it is listed."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Show only the keys that work here and now."""
        if action in {"edit", "unset", "reveal", "copy_value"}:
            return self.selected is not None and self.error is None
        if action == "undo":
            return bool(self.session.edits)
        return super().check_action(action, parameters)

    def compose_panels(self) -> ComposeResult:
        """What is looked at, the list, and one variable in detail."""
        yield Panel("What the job is", id="context")
        with Container(id="variables-below"):
            yield WhyRows("Variables", id="variables")
            yield Panel("Why", id="variable")
        yield Panel("Variables", id="variables-notice")
        yield Filter("a part of a name, a value or a source", filters="#variables")

    @property
    def lens(self) -> Session:
        """The session as the job that is looked at would see it; every job, where that one is gone."""
        desk = self.desk
        if self.seen is not None and self.seen.loaded.config.job(desk.looking.job) is None:
            desk = replace(desk, looking=replace(desk.looking, job="", instance=0))
        return replace(self.session, as_job=desk.has_something, own_desk=desk)

    @property
    def selected(self) -> Listed | None:
        """The selected variable."""
        name = self.query_one("#variables", Rows).selected_id if self.is_mounted else None
        return next((each for each in self._listed if each.name == name), None)

    def failed(self, error: Exception) -> None:
        """Say why something was not found out."""
        self._looking_for = None
        super().failed(error)

    def show_seen(self) -> None:
        """List the variables of the job, or of this process."""
        session, uses = self.session, uses_of(self.now.values())
        self._ways = {}
        if self.seen is None:
            self._listed = listed_here(session.facts.variables, uses)
            return
        edited = {each.name for each in session.all_edits()}
        self._listed = listed_variables(
            self.seen, uses, edited, is_whole=self.desk.is_whole(self.seen.loaded)
        )

    def refresh_all(self) -> None:
        """Show everything anew."""
        self.set_class(self.error is not None or self.reading, "-notice")
        self.query_one("#variables-notice", Panel).show(self.notice_lines())
        self.show_context(self.query_one("#context", Panel), self._no_project)
        self._show_list()
        self._show_selected()
        super().refresh_all()

    @property
    def _no_project(self) -> Line:
        if (opened := self.session.scenario) is None:
            return NO_PROJECT
        return ((f"{opened.shown} has no job: these are its variables.", "look"),)

    def _show_list(self) -> None:
        rows, text = self.query_one("#variables", Rows), self.query_one(Filter).text
        wanted = [each for each in self._listed if each.remark or not self._only_problems]
        found = matching(wanted, text)

        def lines(width: int) -> list[Row]:
            shown: list[Row] = [(each.name, partial(variable_row, each, width)) for each in found]
            shown = shown or [(None, line) for line in self._nothing(text)]
            return [(None, heading(width)), *shown] if self.has_class("-tall") else shown

        rows.show(lines)
        if self.wanted in rows.ids:
            rows.highlighted = rows.ids.index(self.wanted)
            self.wanted = ""
        words = filter_words(text, len(found), len(wanted))
        rows.border_title = f"Variables {words}".rstrip()
        absent = sum(each.absent is not None and each.found is None for each in self._listed)
        there = sum(each.found is not None for each in self._listed)
        words = "shows all" if self._only_problems else "problems only"
        counts = [f"{there:,} set", f"{absent} absent" if absent else ""]
        counts.append(f"{key_for('problems', self.session.keys)} {words}")
        rows.border_subtitle = " · ".join(filter(None, counts))

    def _nothing(self, text: str) -> list[Line]:
        if text or self.reading:
            return nothing_matches(text)
        return (
            [(("nothing needs a look", "good"),)] if self._only_problems else [(("no variables", "label"),)]
        )

    def _show_selected(self) -> None:
        panel, each = self.query_one("#variable", Panel), self.selected
        panel.border_title = f"Why {clean(each.name, 255)}" if each else "Why"
        if each is None:
            panel.show(())
            return
        around = Around(
            ref=self.desk.looking.ref,
            of_job=self.seen is not None,
            looked=self._looked(),
            not_loaded=self._not_loaded(),
        )
        seen, ways = self.seen, self._ways_of(each)
        logins = seen.script.logins if seen is not None else ()
        own = own_logins_in_words([login for login in logins if each.name in login.names])

        def lines(width: int) -> list[Line]:
            found = way_lines(seen.view, ways, width) if seen is not None else []
            shown = detail_lines(each, around, width)
            shown = [*shown, (), *found] if found else shown
            return [*shown, (), *hanging(((f"{GLYPH_LOOK} ", "look"),), own, "text", width)] if own else shown

        panel.show(lines)

    def _ways_of(self, each: Listed) -> Ways:
        """Return what would bring a variable, as far as that was looked for; else look for it now."""
        seen = self.seen
        if seen is None or each.edited or not (each.remark or each.found is None):
            return ()
        key = (id(seen), each.name)
        if key not in self._ways and self._looking_for is None:
            self._looking_for = key
            looking = self.desk.looking
            instances = seen.loaded.job(looking.job).instances
            instance = dict(instances[looking.instance]) if looking.instance < len(instances) else None

            def look() -> Ways:
                found = what_would_bring(seen.loaded, looking.job, each.name, instance)
                return [(way.changes, way.view) for way in found][:MOST_WAYS]

            self.in_background(look, partial(self._take_ways, key))
        return self._ways.get(key, ())

    def _take_ways(self, key: tuple[int, str], ways: Ways) -> None:
        self._looking_for = None
        self._ways[key] = ways

    def _looked(self) -> tuple[tuple[str, str], ...]:
        """Return the sources that were looked at, with what is said where one does not name a variable."""
        if self.seen is None:
            return ()
        levels = {Level.INSTANCE, Level.GROUP, Level.PROJECT}
        definitions = self.seen.loaded.situation.definitions
        sources = dict.fromkeys(source_words(each) for each in definitions if each.level in levels)
        looked = [(source, "no such name") for source in sources]
        if files := len(self.seen.loaded.config.files if self.desk.clone is not None else ()):
            looked.append(("YAML", f"not set in {plural(files, 'file')}"))
        return tuple(looked)

    def _not_loaded(self) -> tuple[str, ...]:
        if self.seen is None:
            return ()
        missing = tuple(
            f"{each.place}: the included {each.kind} {each.text} is not loaded"
            for each in self.seen.loaded.config.not_loaded
        )
        return (*missing, *self.settings_warnings())

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Another variable."""
        if event.option_list.id == "variables":
            self._show_selected()
            self.refresh_bindings()

    @property
    def editor(self) -> Editor:
        """What changes the values of the job."""
        return Editor(self, self.lens, self.changed)

    @property
    def selected_entry(self) -> Entry | None:
        """The selected variable."""
        return None if self.selected is None else entry_of(self.selected.name)

    def action_import(self) -> None:
        """Import variables from a file or a paste."""
        services = self.session.services
        dialog = ImportDialog(services.cwd, self.session.found.known_values())
        self.app.push_screen(dialog, self._take_import)

    def _take_import(self, imported: Imported | None) -> None:
        if imported is not None:
            learn_imported(imported, self.session.services.redactor)
            self.desk.imported = (*self.desk.imported, imported)
            self.notify(f"{plural(len(imported.definitions), 'variable')} imported", timeout=4)
            self.changed()

    def action_problems(self) -> None:
        """Show only what needs a look, or all again."""
        self._only_problems = not self._only_problems
        self.refresh_all()

    def action_copy(self) -> None:
        """Copy the command line that says the same."""
        words = ("explain", self.selected.name) if self.selected else ("show",)
        self.copy_of_job(*words, options=self.desk.options())
