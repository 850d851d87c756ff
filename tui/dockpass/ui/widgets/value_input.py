"""The field in which a value is typed."""

from __future__ import annotations

from textual.widgets import Input


class ValueInput(Input):
    """The field of a value. What is typed for a secret is not copied: nobody was asked about that."""

    def action_copy(self) -> None:
        """Copy what is selected."""
        if not self._is_kept():
            super().action_copy()

    def action_cut(self) -> None:
        """Cut what is selected."""
        if not self._is_kept():
            super().action_cut()

    def _is_kept(self) -> bool:
        if self.password:
            self.app.notify("What is typed for a secret is not copied.", timeout=4)
        return self.password
