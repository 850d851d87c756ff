"""How a person moves in a text, a list or a log: the keys of vi, a search, and a way to read long lines."""

from __future__ import annotations

from abc import abstractmethod
from typing import NamedTuple, Protocol

from textual.binding import Binding, BindingType
from textual.widget import Widget

ASIDE = 8
"""Cells that a step to the side goes."""
LEAST_WHOLE = 200
"""Characters for which a row is made, at least, where it is shown whole."""


class Place(NamedTuple):
    """Where a search is: which match is in sight, from 1, of how many; 0 of 0 where there is none."""

    number: int
    total: int


NOWHERE = Place(0, 0)


class Searching(Protocol):
    """A search line that is on the screen."""

    def step(self, step: int) -> None:
        """Go to the next match, or to the one before."""

    def end(self) -> None:
        """Leave the search."""


MOVES: list[BindingType] = [
    Binding("j", "move(1)", show=False),
    Binding("k", "move(-1)", show=False),
    Binding("g", "move_to(False)", show=False),
    Binding("G", "move_to(True)", show=False),
    Binding("ctrl+d", "move_half(1)", show=False),
    Binding("ctrl+u", "move_half(-1)", show=False),
    Binding("h,left", "move_aside(-1)", show=False),
    Binding("l,right", "move_aside(1)", show=False),
    Binding("z", "whole", show=False),
    Binding("n", "match(1)", "next match"),
    Binding("N", "match(-1)", show=False),
    Binding("escape", "end_search", "end search"),
]
"""The keys of vi, for whatever scrolls."""


class Moving(Widget):
    """Mixed into each widget that scrolls."""

    BINDINGS = MOVES

    is_filtered = False
    """Whether a filter of the screen leaves out a part of it: all that is left matches."""
    searching: Searching | None = None
    """The search line that is on the screen for it."""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Leave a key to the screen where it has nothing to do here."""
        if action == "match":
            return self.searching is not None or self.is_filtered
        if action == "end_search":
            return self.searching is not None
        return super().check_action(action, parameters)

    @property
    @abstractmethod
    def shows_whole(self) -> bool:
        """Whether long lines are shown in another way than at first: whole, or wrapped."""

    @abstractmethod
    def move(self, lines: int) -> None:
        """Go so many lines down, or up."""

    @abstractmethod
    def move_to(self, end: bool) -> None:
        """Go to the last line, or to the first."""

    @abstractmethod
    def show_whole(self, whole: bool) -> None:
        """Show long lines in the other way, or as at first."""

    @abstractmethod
    def find(self, text: str) -> Place:
        """Mark what holds a text and go to the first match from here on; an empty text ends it."""

    @abstractmethod
    def find_next(self, step: int) -> Place:
        """Go to the next match, or to the one before."""

    def action_move(self, lines: int) -> None:
        """Go down or up by lines."""
        self.move(lines)

    def action_move_to(self, end: bool) -> None:
        """Go to an end."""
        self.move_to(end)

    def action_move_half(self, step: int) -> None:
        """Go half of what is seen down or up."""
        self.move(step * max(self.scrollable_content_region.height // 2, 1))

    def action_move_aside(self, step: int) -> None:
        """Go along lines that are longer than there is room for."""
        self.move_aside(step * ASIDE)

    def move_aside(self, cells: int) -> None:
        """Go so many cells to the right, or to the left."""
        self.scroll_to(x=self.scroll_target_x + cells, animate=False)

    def action_whole(self) -> None:
        """Show long lines in the other way."""
        self.show_whole(not self.shows_whole)

    def action_match(self, step: int) -> None:
        """Go to another match; of what is filtered, each line is one."""
        if self.searching is not None:
            self.searching.step(step)
        else:
            self.move(step)

    def action_end_search(self) -> None:
        """Leave the search."""
        if self.searching is not None:
            self.searching.end()


def room_of(widget: Widget) -> int:
    """Return the cells for text: one is left blank before the scrollbar."""
    return widget.scrollable_content_region.width - 1
