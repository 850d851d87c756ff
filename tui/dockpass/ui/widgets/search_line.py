"""A line to search in the panel that has the keys: what holds the text is marked, and nothing is left out."""

from __future__ import annotations

from collections.abc import Callable

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal
from textual.widget import Widget
from textual.widgets import Input, Static

from dockpass.ui.widgets.moving import Moving, Place
from dockpass.ui.widgets.value_input import PlainInput


class SearchText(PlainInput):
    """What is searched for. Enter keeps the search and gives the keys back, escape ends it."""

    BINDINGS = [
        Binding("escape", "leave", "end search", show=False),
        Binding("down", "step(1)", show=False),
        Binding("up", "step(-1)", show=False),
    ]

    def action_leave(self) -> None:
        """Leave the search."""
        self._line.end()

    def action_step(self, step: int) -> None:
        """Go to another match."""
        self._line.step(step)

    @property
    def _line(self) -> SearchLine:
        return self.query_ancestor(SearchLine)


class SearchLine(Horizontal):
    """The text and where the search is. It stays until the search is ended, and serves the next one too."""

    def __init__(self, target: Moving) -> None:
        super().__init__(id="search-line")
        self._target = target
        self._before: Widget | None = None
        """What had the keys before."""

    def compose(self) -> ComposeResult:
        """The text, and where the search is."""
        yield SearchText(placeholder="search", id="search-text", select_on_focus=False)
        yield Static(id="search-place", markup=False)

    def on_mount(self) -> None:
        """Take the keys."""
        self.open(self._target)

    def open(self, target: Moving) -> None:
        """Ask what to search for; another search is ended."""
        if not self.query(SearchText):  # a second key came before it was composed: it opens when it is
            self._target = target
            return
        if target is not self._target:
            self._forget()
        self._target = target
        target.searching = self
        self._before = self.screen.focused
        self.display = True
        self.query_one(SearchText).focus()

    def on_input_changed(self, event: Input.Changed) -> None:
        """Search while it is typed."""
        event.stop()
        self._show(self._target.find(event.value))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Keep the search, and go to what is searched."""
        event.stop()
        if event.value:
            self._give_keys_back()
        else:
            self.end()

    def step(self, step: int) -> None:
        """Go to the next match, or to the one before."""
        self._show(self._target.find_next(step))

    def end(self) -> None:
        """End the search."""
        self._forget()
        self._give_keys_back()
        self.display = False
        self.screen.refresh_bindings()

    def _forget(self) -> None:
        self._target.searching = None
        self._target.find("")
        with self.prevent(Input.Changed):
            self.query_one(SearchText).value = ""
        self.query_one("#search-place", Static).update("")

    def _give_keys_back(self) -> None:
        if self.has_focus_within:
            self.screen.set_focus(self._before)

    def _show(self, place: Place) -> None:
        text = self.query_one(SearchText).value
        words = f"{place.number:,} of {place.total:,}" if place.total else "no match"
        self.query_one("#search-place", Static).update(f"{words} · esc ends" if text else "esc ends")


def search_in(target: Moving, mount: Callable[[SearchLine], object]) -> None:
    """Ask what to search for in a widget; `mount` puts the line for it in its place, once on each screen."""
    found = next(iter(target.screen.query(SearchLine)), None)
    if found is not None:
        found.open(target)
    else:
        mount(SearchLine(target))
