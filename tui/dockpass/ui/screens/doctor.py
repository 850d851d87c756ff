"""The doctor: what is wrong, why it matters, how to fix it. Nothing is sent before a key asks for it."""

from __future__ import annotations

from functools import partial

from textual.app import ComposeResult
from textual.containers import Container
from textual.events import Paste
from textual.widgets import OptionList

from dockpass.auth.command import Command
from dockpass.auth.facts import Facts, edits_in_words
from dockpass.doctor.symptoms import explaining
from dockpass.doctor.table import TABLE
from dockpass.doctor.trying import Tried, tried_fixes
from dockpass.doctor.visit import Visit
from dockpass.keymap import key_for
from dockpass.marks import GLYPH_EDITED
from dockpass.probe.model import Probe
from dockpass.session.checkup import ask_registry, checkup, facts_to_ask
from dockpass.session.session import Session
from dockpass.text import clean, plural
from dockpass.ui.actions import bindings, row_binding
from dockpass.ui.guide import Guide
from dockpass.ui.muter import Muter
from dockpass.ui.screens.base import PanelScreen
from dockpass.ui.screens.explaining import AskError
from dockpass.ui.views.commands import CommandState, Decided
from dockpass.ui.views.doctor import (
    Item,
    count_spans,
    detail_lines,
    end_rows,
    finding_row,
    first_to_try,
    fix_in_words,
    items_of,
)
from dockpass.ui.views.findings import explained, headed
from dockpass.ui.views.job import logins_line
from dockpass.ui.views.words import Line, Status, filter_words, nothing_matches, plain
from dockpass.ui.widgets.filter import Filter
from dockpass.ui.widgets.panel import Panel, Row, Rows
from dockpass.variables.inwords import protection_words

KEYS = ("ask", "try", "undo", "variables", "explain", "mute", "each")
_ASKS = "An error message can be pasted here: the checks that explain it then come first."


def _is_several(item: Item) -> bool:
    return item.found is not None and bool(item.found.members)


class FindingRows(Rows):
    """The findings."""

    BINDINGS = [row_binding("go there", "Go to what the selected finding is about.")]


class DoctorScreen(PanelScreen):
    """What is wrong, and what would mend it?"""

    BINDINGS = [*bindings("doctor"), *bindings("everywhere")]
    PLACE = "doctor"
    PANELS = ("findings", "finding")
    AUTO_FOCUS = "#findings"

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.visit: Visit | None = None
        self._guide = Guide(self, session, self.examine)
        self._items: list[Item] = []
        self._unfolded: set[str] = set()
        """The keys of findings whose single ones are shown too."""
        self._tried: dict[str, tuple[Tried, ...]] = {}
        self._trying = ""
        self._symptom = ""
        self._probe: Probe | None = None
        self._probed: Facts | None = None
        """The facts that the registry was asked with: its answer says nothing about others."""
        self._asking = False
        self._before: dict[Command, Decided] | None = None
        """The logins before the fix that is tried; None where none is."""
        self._round = 0

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:  # noqa: ARG002
        """Show only the keys that work here and now."""
        item = self.selected
        if action == "try":
            return item is not None and first_to_try(self._tried.get(item.key, ())) is not None
        if action == "mute":
            return item is not None and item.found is not None
        if action == "each":
            return item is not None and (bool(item.within) or _is_several(item))
        if action == "undo":
            return bool(self.session.edits)
        if action == "ask":
            return self.visit is not None and not self._asking
        if action == "whose":
            return self.session.has_job
        return True

    def compose_panels(self) -> ComposeResult:
        """The findings, one of them in detail, and what a tried fix changes."""
        with Container(id="doctor-below"):
            yield FindingRows("Findings", id="findings")
            yield Panel("Finding", id="finding")
        yield Panel("Tried", id="doctor-tried")
        yield Filter("a part of a finding, a check or a place", filters="#findings")

    def on_mount(self) -> None:
        """Examine, beside the screen."""
        self.refresh_all()
        self.examine()

    def on_screen_resume(self) -> None:
        """Come back from another screen, where something may have changed."""
        if self.is_mounted and self.visit is not None:
            self.examine()

    def examine(self) -> None:
        """Run every check anew, beside the screen."""
        self._round += 1
        now = self.session.as_of_now()
        self.in_background(partial(checkup, now, self.answered), partial(self._take, self._round, now))

    def answered(self, facts: Facts) -> Probe | None:
        """Return what the registry answered, if it was asked with these facts."""
        return self._probe if facts == self._probed else None

    def _take(self, round_: int, now: Session, visit: Visit) -> None:
        if round_ != self._round:
            return  # something has changed since
        if self.visit is None and self.session.desk.clone is None:
            self.session.desk = now.desk
        self.visit, self._guide.clone = visit, now.desk.clone
        self._tried = {}
        self._trying = ""
        rows = self.query_one("#findings", Rows)
        key, at = rows.selected_id, rows.highlighted
        self._items = items_of(visit, self._unfolded)
        self._show_findings()
        if key is not None and at is not None and key not in rows.ids and self._items:
            rows.highlighted = min(at, rows.ids.index(self._items[-1].key))  # what follows takes its place

    @property
    def selected(self) -> Item | None:
        """The selected finding or check."""
        key = self.query_one("#findings", Rows).selected_id if self.is_mounted else None
        return next((each for _, each in self._shown() if each.key == key), None)

    # What is shown

    def status(self) -> Status:
        """Return whose findings these are, and how many of each level."""
        if self.visit is None:
            return self.titled(self._whose()), (("examining", "look"),)
        counted = count_spans(self.visit.found)
        asking: Line = (("asking the registry", "look"), ("   ", "text")) if self._asking else ()
        edits = len(self.session.edits)
        edited: Line = ((f"{GLYPH_EDITED} {plural(edits, 'edit')}", "look"), ("   ", "text")) if edits else ()
        return self.titled(self._whose()), (*asking, *edited, *counted)

    def _whose(self) -> str:
        session = self.session
        if not session.as_job:
            return clean(session.place.label, 100)
        looking = session.desk.looking
        job = clean(looking.job, 100) or "every job"
        return f"{job} on {clean(looking.ref.name, 100)} {protection_words(looking.ref)}"

    def refresh_all(self) -> None:
        """Show everything anew."""
        self._show_findings()
        self._show_selected()
        self._show_tried()
        super().refresh_all()

    def _shown(self) -> list[tuple[str, Item]]:
        """Return what the list shows, in its order, each under its heading."""
        if not self._symptom or self.visit is None:
            return [("", item) for item in self._items]
        said = self.session.services.redactor(self._symptom.strip())
        return explained(self._items, self.visit, self._symptom, said)

    def _show_findings(self) -> None:
        rows, text, visit = self.query_one("#findings", Rows), self.query_one(Filter).text, self.visit
        shown = self._shown()
        home = self.session.found.home
        keys = {name: key_for(name, self.session.keys) for name in KEYS}
        if self._guide.clone is None:
            keys["variables"] = ""  # there is no job to choose

        def matches(item: Item) -> bool:
            words = plain([finding_row(item, 400, home)])[0]
            return text in f"{item.check.id} {words}".casefold()

        found = [(head, each) for head, each in shown if not text or matches(each)]

        def lines(width: int) -> list[Row]:
            if visit is None:
                return [(None, (("examining the variables, the files and docker's config", "label"),))]
            listed = list(headed(found, width, home))
            if text and not found:
                return [(None, line) for line in nothing_matches(text)]
            end = [] if text else end_rows(visit, keys)
            gap: list[Row] = [(None, ())] if listed and end else []
            return [*listed, *gap, *((None, line) for line in end)]

        rows.show(lines)
        words = filter_words(text, len(found), len(shown))
        rows.border_title = f"Findings {words}".rstrip()
        rows.border_subtitle = f"{keys['explain']} explains an error message"

    def _show_selected(self) -> None:
        panel, item = self.query_one("#finding", Panel), self.selected
        if item is None:
            panel.border_title, panel.border_subtitle = "Finding", ""
            panel.show([((_ASKS, "label"),)])
            return
        panel.border_title = item.check.title.rstrip(".")
        panel.border_subtitle = f"{key_for('copy', self.session.keys)} copies the fix"
        tried, keys = self._tried_of(item), {name: key_for(name, self.session.keys) for name in KEYS}
        panel.show(partial(detail_lines, item, tried, keys, self.session.found.home))

    def _tried_of(self, item: Item) -> tuple[Tried, ...] | None:
        """Return the fixes as far as they were tried; else try them now, beside the screen."""
        if item.found is None or item.mute is not None:
            return ()
        if item.key not in self._tried and not self._trying:
            self._trying, round_ = item.key, self._round

            def take(tried: tuple[Tried, ...]) -> None:
                if round_ == self._round:
                    self._tried[item.key] = tried
                    self._trying = ""

            self.in_background(partial(tried_fixes, item.found, TABLE), take)
        return self._tried.get(item.key)

    def failed(self, error: Exception) -> None:
        """Say why something was not found out."""
        self._trying = ""
        self._asking = False
        super().failed(error)

    def _show_tried(self) -> None:
        panel, before, session = self.query_one("#doctor-tried", Panel), self._before, self.session
        panel.display = before is not None and bool(session.edits)
        if before is None or not session.edits:
            return
        undo = key_for("undo", session.keys)
        panel.border_title = f"Tried: {edits_in_words(session.edits)}"
        panel.border_subtitle = f"{undo} undoes"
        states = [CommandState(each, session.decide(each), before[each]) for each in Command]
        panel.show(lambda width: [logins_line(states, width, changed=True)])

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Another finding."""
        if event.option_list.id == "findings":
            self._show_selected()
            self.refresh_bindings()

    # What a person does

    def action_try(self) -> None:
        """Make the first fix as edits, on top of everything; no file changes."""
        item = self.selected
        tried = first_to_try(self._tried.get(item.key, ())) if item is not None else None
        if tried is None:
            self.notify("No fix of this finding can be tried here.", timeout=4)
            return
        if self._before is None:
            self._before = {command: self.session.decide(command) for command in Command}
        for edit in tried.edits:
            self.session.edit(edit)
        self.examine()

    def action_each(self) -> None:
        """Show each of several findings below the one that tells them, or that one alone again."""
        item = self.selected
        if item is None or self.visit is None or not (item.within or _is_several(item)):
            return
        key = item.within or item.key
        self._unfolded ^= {key}
        self._items = items_of(self.visit, self._unfolded)
        rows = self.query_one("#findings", Rows)
        self._show_findings()
        rows.highlighted = rows.ids.index(key)
        self.refresh_bindings()

    def action_undo(self) -> None:
        """Undo the last edit."""
        undone = self.session.undo()
        self.notify(f"undone: {undone.in_words()}" if undone else "nothing to undo", timeout=3)
        if not self.session.edits:
            self._before = None
        self.examine()

    def action_copy(self) -> None:
        """Copy the fix of the selected finding."""
        item = self.selected
        if item is not None:
            tried = self._tried.get(item.key)
            self.copy(tried[0].in_words if tried else fix_in_words(item))

    def action_whose(self) -> None:
        """Examine the chosen job, or this process."""
        self.session.show_as_job(not self.session.as_job)
        self._before = None
        self.examine()

    def action_explain(self) -> None:
        """Ask for an error message."""
        self.app.push_screen(AskError(), self._take_symptom)

    def on_paste(self, event: Paste) -> None:
        """An error message was pasted into the list."""
        event.stop()
        self._take_symptom(event.text)

    def _take_symptom(self, text: str | None) -> None:
        if text is None:
            return
        if text.strip() and not explaining(text, TABLE):
            self.notify("No check knows this error message.", timeout=6)
            return
        self._symptom = text if text.strip() else ""
        self.refresh_all()
        items = self._shown()
        if self._symptom and items:
            rows = self.query_one("#findings", Rows)
            rows.highlighted = rows.ids.index(items[0][1].key)
            rows.scroll_home(animate=False)

    def action_back(self) -> None:
        """Clear a filter, then the error message, else go back."""
        if self.query_one(Filter).clear_filter():
            return
        if self._symptom:
            self._symptom = ""
            self.refresh_all()
            return
        self.dismiss(None)

    def action_ask(self) -> None:
        """Ask the registry what the login of a push may do."""
        if self.visit is None or self._asking:
            return
        self._asking = True
        facts = self._probed = facts_to_ask(self.visit)
        self.refresh_all()
        self.in_task(ask_registry(self.session, facts), self._take_probe)

    def _take_probe(self, probe: Probe | None) -> None:
        self._asking = False
        if probe is None:
            self.notify("There is no login for push to ask the registry with.", timeout=6)
            return
        self._probe = probe
        self.examine()

    def action_mute(self) -> None:
        """Mute the selected finding, with a reason; or let it count again."""
        if (item := self.selected) is not None:
            Muter(self, self.session, self.examine).toggle(item)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Go to what the selected finding is about."""
        if event.option_list.id != "findings":
            return
        if (item := self.selected) is not None and _is_several(item):
            self.action_each()
        else:
            self._guide.go(item)

    def action_open(self, place: str) -> None:
        """Open another screen; the variables with the one that the finding is about."""
        item = self.selected
        if place == "variables":
            self._guide.open_variables(item.found.finding.about if item is not None and item.found else "")
        else:
            super().action_open(place)
