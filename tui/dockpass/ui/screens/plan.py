"""The plan of a run: its options, which can be changed here, each step, and what would stop it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal
from textual.widgets import Button, OptionList

from dockpass.runs.options import RunOption
from dockpass.ui.screens.dialogs import Confirm, EditValue, Frame, Typed
from dockpass.ui.views.plan import OptionRow, option_rows
from dockpass.ui.views.words import Line
from dockpass.ui.widgets.panel import Rows, Text, View
from dockpass.ui.widgets.too_small import TooSmall

KEYS = "enter changes · u unsets · y copies the command"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownPlan:
    """What a plan shows now: its options, the steps, and in a sentence why it cannot be run, if so.

    `waits` says what is still looked for, before it can be run; it is empty once everything is known.
    """

    title: str
    options: Sequence[OptionRow]
    view: View
    stop: str = ""
    waits: str = ""
    danger: bool = False


class OptionRows(Rows):
    """The options."""


class PlanDialog(Confirm):
    """Shows a plan and takes other options for it, as long as the person likes; `r` runs it.

    `planned` returns what the plan is now, `preview` what another text of an option would lead to, `change`
    takes the text. `copy` copies the command line. What still has to be found out is waited for.
    """

    BINDINGS = [
        Binding("e", "change", "change", show=False),
        Binding("u", "unset", "unset", show=False),
        Binding("y", "copy", "copy", show=False),
        Binding("tab", "switch", show=False),
    ]
    AUTO_FOCUS = "#options"

    def __init__(
        self,
        *,
        planned: Callable[[], ShownPlan],
        preview: Callable[[RunOption, str, int], Sequence[Line]],
        change: Callable[[RunOption, str], str],
        copy: Callable[[], None],
    ) -> None:
        self._planned = planned
        self._now = planned()
        super().__init__(self._now.title, self._now.view, yes="run", key="r")
        self._preview = preview
        self._change = change
        self._copy = copy
        self._is_wanted = False
        """Whether it runs as soon as everything is known."""

    def compose(self) -> ComposeResult:
        """The options, the plan, two buttons."""
        yield TooSmall()
        with Frame(self._now.title, KEYS):
            yield OptionRows("", id="options")
            yield Text(self._now.view, id="body", classes="dialog-body")
            with Horizontal(classes="buttons"):
                yield Button("r  run", id="yes", variant="primary")
                yield Button("n  no", id="no")

    def on_mount(self) -> None:
        """Show what the plan is."""
        self.show_again()
        super().on_mount()

    def show_again(self) -> None:
        """Show what the plan is now."""
        self._now = now = self._planned()
        frame = self.query_one(Frame)
        frame.border_title = now.title
        frame.set_class(now.danger, "-danger")
        frame.border_subtitle = KEYS if now.options else "y copies the command"
        rows = self.query_one("#options", OptionRows)
        rows.show(lambda width: option_rows(now.options, width))
        rows.display = bool(now.options)
        self.query_one("#body", Text).show(now.view)
        self.query_one("#yes", Button).display = not now.stop
        self.query_one("#no", Button).label = "n  close" if now.stop else "n  no"
        self.call_after_refresh(self.fit)
        if self._is_wanted and not now.waits:
            self._is_wanted = False
            self.say_yes()

    @property
    def stop(self) -> str:
        """Why the plan cannot be run as it is; empty where it can."""
        return self._now.stop

    def say_yes(self) -> None:
        """Run it, or say why it cannot be run, or not yet."""
        if self._now.waits:
            self._is_wanted = True
            self.app.notify(f"{self._now.waits} It runs as soon as that is known.", timeout=8)
        elif self.stop:
            self.app.notify(self.stop, severity="warning", timeout=8)
        else:
            super().say_yes()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Change the option that was chosen."""
        event.stop()
        self.action_change()

    @property
    def _selected(self) -> OptionRow | None:
        chosen = self.query_one("#options", OptionRows).selected_id
        return next((row for row in self._now.options if row.option.title == chosen), None)

    def action_change(self) -> None:
        """Ask for another value; what is only on or off changes at once."""
        row = self._selected
        if row is None:
            return
        self._is_wanted = False  # the person goes on with the plan
        option = row.option
        if option.flag:
            self._take(option, "" if row.text else "yes")
            return
        dialog = EditValue(
            option.title,
            option.means,
            row.text,
            preview=lambda text, width: self._preview(option, row.text if text is None else text, width),
        )
        self.app.push_screen(dialog, lambda typed: self._typed(option, typed))

    def action_unset(self) -> None:
        """Take the option away."""
        if (row := self._selected) is not None:
            self._take(row.option, "")

    def _typed(self, option: RunOption, typed: Typed | None) -> None:
        if typed is not None:
            self._take(option, typed.text or "")

    def _take(self, option: RunOption, text: str) -> None:
        self._is_wanted = False
        if problem := self._change(option, text):
            self.app.notify(problem, severity="error", timeout=8)
        self.show_again()

    def action_copy(self) -> None:
        """Copy the command line of this very run."""
        self._copy()

    def action_switch(self) -> None:
        """Go from the options to the plan, and back."""
        rows, body = self.query_one("#options", OptionRows), self.query_one("#body", Text)
        (body if self.focused is rows else rows if rows.display else body).focus()
