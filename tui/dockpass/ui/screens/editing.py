"""How the overview changes a variable or an option, takes that back, and shows a secret."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from textual.screen import Screen

from dockpass.auth.command import Command
from dockpass.secrets import Secret
from dockpass.ui.screens.dialogs import Confirm, EditValue, Revealed, Typed
from dockpass.ui.session import SECONDS_REVEALED, Session, edit_of, removal_of
from dockpass.ui.views.commands import CommandState, command_lines
from dockpass.ui.views.overview import option_name, value_of
from dockpass.ui.views.words import Line
from dockpass.variables.catalogue import Entry


class Editing(Screen[None]):
    """Mixed into the overview."""

    session: Session

    @property
    def selected_entry(self) -> Entry | None:
        """The selected variable or option; the overview knows which."""
        raise NotImplementedError

    def refresh_after_edit(self) -> None:
        """Show everything anew; the overview knows how."""
        raise NotImplementedError

    def action_edit(self) -> None:
        """Edit the selected variable or option."""
        found = self.selected_entry
        if found is not None:
            self.edit(found)

    def edit(self, found: Entry) -> None:
        """Ask for another value of a variable or option."""
        dialog = EditValue(
            option_name(found),
            found.means,
            value_of(found, self.session.facts),
            secret=found.secret,
            preview=partial(self._preview, found),
        )
        self.app.push_screen(dialog, partial(self._take_edit, found))

    def _preview(self, found: Entry, text: str | None, width: int) -> Sequence[Line]:
        """Return the table of commands as it would be; as it is, for None."""
        now = self.session
        would = now
        if text is not None:
            edit = edit_of(found.name, text, option=found.option)
            would = replace(now, edits=[*now.edits, edit])
        states = [CommandState(command, would.decide(command), now.decide(command)) for command in Command]
        return command_lines(states, width)

    def _take_edit(self, found: Entry, typed: Typed | None) -> None:
        if typed is None:
            return
        if typed.text is None:
            self._unset(found)
        else:
            self.session.edit(edit_of(found.name, typed.text, option=found.option))
        self.refresh_after_edit()

    def _unset(self, found: Entry) -> None:
        if value_of(found, self.session.facts) is None:
            self.notify(f"{option_name(found)} is not set", timeout=3)
        else:
            self.session.edit(removal_of(found.name, option=found.option))

    def action_unset(self) -> None:
        """Unset the selected variable or option."""
        found = self.selected_entry
        if found is not None:
            self._unset(found)
            self.refresh_after_edit()

    def action_undo(self) -> None:
        """Take the last edit back."""
        undone = self.session.undo()
        self.notify(f"taken back: {undone.in_words()}" if undone else "nothing to take back", timeout=3)
        self.refresh_after_edit()

    def action_reveal(self) -> None:
        """Show one secret for ten seconds."""
        found = self.selected_entry
        value = value_of(found, self.session.facts) if found else None
        if found is None or not found.secret:
            self.notify("select a secret first", timeout=3)
        elif not isinstance(value, Secret) or not value:
            self.notify(f"{option_name(found)} has no value", timeout=3)
        elif not self.session.loaded.settings.reveal:
            self.notify("the setting reveal = false keeps secrets hidden", timeout=5)
        else:
            lines: list[Line] = [(("Whoever sees this screen can read it then.", "text"),)]
            title = f"Show {option_name(found)} for ten seconds?"
            dialog = Confirm(title, lines, yes="show", danger=True)
            self.app.push_screen(dialog, partial(self._reveal, option_name(found), value))

    def _reveal(self, name: str, value: Secret, yes: bool | None) -> None:
        if yes:
            self.app.push_screen(Revealed(name, value, SECONDS_REVEALED))
