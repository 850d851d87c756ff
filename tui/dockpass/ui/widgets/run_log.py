"""The log of a run."""

from __future__ import annotations

from collections.abc import Sequence

from textual.reactive import reactive

from dockpass.ui.views.run import MOST_LOG_LINES
from dockpass.ui.views.words import Line
from dockpass.ui.widgets.lines import Lines


class RunLog(Lines):
    """Lines of a run; it follows its end until it is paused."""

    following = reactive(True)

    def __init__(self, *, id: str) -> None:  # noqa: A002 - Textual's name
        super().__init__("Log", id=id, most=MOST_LOG_LINES)

    def write(self, lines: Sequence[Line]) -> None:
        """Append lines, and follow the end."""
        super().write(lines)
        if lines:
            self._follow()

    def on_resize(self) -> None:
        """Keep the end in sight."""
        super().on_resize()
        self._follow()

    def _follow(self) -> None:
        if self.following:
            self.call_after_refresh(self.scroll_end, animate=False, x_axis=False)

    def watch_following(self, following: bool) -> None:
        """Say whether the end is followed."""
        self.border_subtitle = "following" if following else "paused"
