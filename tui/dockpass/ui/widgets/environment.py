"""The panel of variables and options: what is set, what the selected command reads, what looks wrong."""

from __future__ import annotations

from collections.abc import Sequence

from dockpass.auth.command import Command
from dockpass.auth.facts import Facts
from dockpass.findings import Finding
from dockpass.session.session import Session
from dockpass.text import plural
from dockpass.ui.actions import row_binding
from dockpass.ui.views.overview import environment_rows, matching, read_by
from dockpass.ui.views.words import filter_words, nothing_matches, shorten
from dockpass.ui.widgets.panel import Row, Rows
from dockpass.variables.catalogue import Entry, entry, listed


class EnvironmentRows(Rows):
    """The variables and options."""

    BINDINGS = [row_binding("edit", "Edit the selected variable or option.")]

    def show_facts(self, session: Session, command: Command, text: str, findings: Sequence[Finding]) -> None:
        """Show the facts that a text leaves, marked by what `command` reads and what was found about them."""
        facts = session.facts
        everything = listed(facts)
        entries = matching(everything, facts, text)
        reads = read_by(session.decide(command))
        edited = {edit.name for edit in session.edits}

        def rows(width: int) -> list[Row]:
            if not entries:
                return [(None, line) for line in nothing_matches(text)]
            found = environment_rows(entries, facts, findings, reads, edited, width)
            return [(row.entry.name if row.entry else None, row.line) for row in found]

        self.show(rows)
        filtered = filter_words(text, len(entries), len(everything))
        self.border_title = f"Environment {filtered}" if filtered else "Environment"
        known = sum(_is_there(found.name, facts) for found in entries)
        self.border_subtitle = f"{known} set · {plural(len(facts.variables), 'variable')}"

    @property
    def selected_entry(self) -> Entry | None:
        """The selected variable or option."""
        return entry(self.selected_id) if self.selected_id else None

    def tell_selected(self, findings: Sequence[Finding]) -> None:
        """Say below the rows what the selected one means, or what was found about it."""
        found = self.selected_entry
        finding = next((each for each in findings if found and each.about == found.name), None)
        words = finding.in_words if finding else found.means if found else ""
        self.border_subtitle = shorten(words, max(self.size.width - 4, 20))


def _is_there(name: str, facts: Facts) -> bool:
    unknown = facts.unknown(name)
    return name in facts.variables and not (unknown is not None and unknown.may_be_missing)
