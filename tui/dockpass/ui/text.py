"""From lines of spans to what Textual draws: always plain content, never markup."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.style import Style
from textual.widget import Widget

from dockpass.text import masked
from dockpass.ui.themes import style_of
from dockpass.ui.views.words import REVEALED, Line, without_painted_secret


def content(line: Line) -> Content:
    """Return one line as content; its text is never read as markup, and no secret is in it."""
    shown = (
        (text if role == REVEALED else masked(text), role) for text, role in without_painted_secret(line)
    )
    return Content.assemble(*(Content.styled(text, style_of(role)) for text, role in shown if text))


def contents(lines: Sequence[Line]) -> Content:
    """Return lines as one content."""
    return Content("\n").join(content(line) for line in lines)


def is_same(one: Content, other: Content) -> bool:
    """Tell whether two contents look alike; Textual's own comparison leaves the styles out.

    It is contents that are compared and not lines: what is a secret by now may have been shown before.
    """
    return one.plain == other.plain and one.spans == other.spans


def selected_in(widget: Widget, shown: Content, y: int) -> Content:
    """Return a line of a widget with the part marked that is selected with the mouse; `y` is its number."""
    selection = widget.text_selection
    span = selection.get_span(y) if selection is not None else None
    if span is None:
        return shown
    start, end = span
    style = Style.from_styles(widget.screen.get_component_styles("screen--selection"))
    return shown.stylize(style, start, None if end < 0 else end)


class PlainText:
    """Mixed into a widget: its titles are plain text too, and markup in them is never read."""

    def render_str(self, text_content: str | Content) -> Content:
        """Return a title as it stands."""
        return text_content if isinstance(text_content, Content) else Content(text_content)
