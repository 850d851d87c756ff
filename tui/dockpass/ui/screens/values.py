"""What a screen of variables does with the selected one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from dockpass.variables.catalogue import Entry

if TYPE_CHECKING:
    from dockpass.ui.editor import Editor


class _Screen(Protocol):
    """A screen that has an editor and a selected variable or option."""

    @property
    def editor(self) -> Editor: ...

    @property
    def selected_entry(self) -> Entry | None: ...


class Values:
    """Mixed into a screen that has an editor and a selected variable or option."""

    def action_edit(self: _Screen) -> None:
        """Edit the selected variable or option."""
        if (selected := self.selected_entry) is not None:
            self.editor.edit(selected)

    def action_unset(self: _Screen) -> None:
        """Unset the selected variable or option."""
        if (selected := self.selected_entry) is not None:
            self.editor.unset(selected)

    def action_undo(self: _Screen) -> None:
        """Undo the last edit."""
        self.editor.undo()

    def action_reveal(self: _Screen) -> None:
        """Show the selected secret for ten seconds."""
        if (selected := self.selected_entry) is not None:
            self.editor.reveal(selected)

    def action_copy_value(self: _Screen) -> None:
        """Copy the selected value."""
        if (selected := self.selected_entry) is not None:
            self.editor.copy_value(selected)
