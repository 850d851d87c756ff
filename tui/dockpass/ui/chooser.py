"""The question before the first screen: the sandbox, or what is here."""

from __future__ import annotations

from collections.abc import Sequence

from textual.app import App, ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.driver import Driver
from textual.widgets import OptionList, Static

from dockpass.ui.driver import TerminalDriver
from dockpass.ui.text import content
from dockpass.ui.themes import THEMES, role_variables
from dockpass.ui.views.words import Line
from dockpass.ui.widgets.keys import Keys
from dockpass.ui.widgets.panel import Rows

SANDBOX, HERE = "sandbox", "here"


class Chooser(App[str]):
    """Asks one question and ends."""

    CSS_PATH = "styles/base.tcss"
    CSS = "Screen { align: center middle; } #places, #places:focus { height: auto; border: none; }"
    ENABLE_COMMAND_PALETTE = False
    BINDINGS = [
        Binding("s", "take('sandbox')", "sandbox"),
        Binding("h", "take('here')", "here"),
        Binding("q,escape", "quit", "quit", key_display="q"),
    ]

    def __init__(self, found: Sequence[str], theme: str = "dockpass-dark") -> None:
        super().__init__()
        self._found = found
        for known in THEMES:
            self.register_theme(known)
        self.theme = theme

    def get_driver_class(self) -> type[Driver]:
        """Ask on the terminal, whichever stream that is."""
        return TerminalDriver

    def get_theme_variable_defaults(self) -> dict[str, str]:
        """Give every theme the colours of the roles."""
        return role_variables(self.current_theme)

    def compose(self) -> ComposeResult:
        """A question and two answers."""
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = "Sandbox or this environment?"
            words = f"Found here: {' and '.join(self._found)}."
            yield Static(content(((words, "text"),)), markup=False, classes="means")
            yield Rows("", id="places")
        yield Keys()

    def on_mount(self) -> None:
        """Let enter take the harmless one."""
        places = self.query_one("#places", Rows)
        places.show([(SANDBOX, _SANDBOX_LINE), (HERE, _HERE_LINE)])
        places.focus()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Take the selected place."""
        self.exit(event.option.id)

    def on_terminal_closed(self) -> None:
        """Quit: nobody can answer any more."""
        self.exit()

    def action_take(self, place: str) -> None:
        """Take a place by its letter."""
        self.exit(place)


_SANDBOX_LINE: Line = (
    ("s  sandbox            ", "accent"),
    ("a local registry and a tour; nothing of yours is read or changed", "text"),
)
_HERE_LINE: Line = (
    ("h  this environment   ", "accent"),
    ("your variables, your engine, your registries", "text"),
)


def choose_place(found: Sequence[str]) -> str | None:
    """Ask; return `sandbox`, `here`, or None if the person quits."""
    return Chooser(found).run()
