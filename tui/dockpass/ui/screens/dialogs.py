"""Questions, each with its answers in sight at every size."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar, cast

from textual.actions import SkipAction
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Horizontal, Vertical
from textual.events import Key
from textual.screen import ModalScreen
from textual.widget import Widget
from textual.widgets import Button, Input, Static

from dockpass.marks import GLYPH_LOOK
from dockpass.runs.events import TagPlanned
from dockpass.secrets import Secret
from dockpass.ui.frames import OneFrame
from dockpass.ui.search import Search
from dockpass.ui.text import PlainText
from dockpass.ui.views.cleanup import plan_counts, plan_rows
from dockpass.ui.views.words import Line, filter_words, nothing_matches
from dockpass.ui.widgets.filter import Filter
from dockpass.ui.widgets.lines import Lines
from dockpass.ui.widgets.moving import Moving
from dockpass.ui.widgets.panel import Text, View
from dockpass.ui.widgets.search_line import search_in
from dockpass.ui.widgets.too_small import TooSmall
from dockpass.ui.widgets.value_input import ValueInput

Answer = TypeVar("Answer")


class Frame(PlainText, Vertical):
    """The frame of a dialog: `keys` tells on it what the keys do, `danger` makes it red."""

    def __init__(self, title: str, keys: str = "", *, danger: bool = False) -> None:
        super().__init__(classes="dialog -danger" if danger else "dialog")
        self.border_title = title
        self.border_subtitle = keys


class Dialog(ModalScreen[Answer], OneFrame[Answer]):
    """A screen with one `Frame` in the middle.

    The widget with the id `body` gives way, and scrolls, where there is no room for everything in the frame.
    """

    BINDINGS = [Binding("slash", "search", show=False)]

    def on_mount(self) -> None:
        """Fit in what is there."""
        self.call_after_refresh(self.fit)

    def on_resize(self) -> None:
        """Fit in what is there now."""
        self.call_after_refresh(self.fit)

    def action_leave(self) -> None:
        """Leave everything as it is."""
        self.dismiss(None)

    async def action_body(self, action: str) -> None:
        """Scroll the body, wherever the keys are."""
        await self.query_one("#body").run_action(action)

    def action_search(self) -> None:
        """Ask what to search for in the body."""
        if isinstance(self.focused, Input):
            raise SkipAction  # there it is a character like others
        body = self._body
        search_in(body, partial(self.query_one(Frame).mount, after=body))
        self.call_after_refresh(self.fit)

    @property
    def _body(self) -> Moving:
        return cast(Moving, self.query_one("#body"))

    def end_search(self) -> bool:
        """Leave a search in the body; tell whether there was one."""
        searching = self._body.searching
        if searching is None:
            return False
        searching.end()
        self.call_after_refresh(self.fit)
        return True

    def fit(self) -> None:
        """Give the body the rows that everything else leaves."""
        if not self.query(Frame):
            return  # it is not composed yet, or closed already
        frame, body = self.query_one(Frame), self.query_one("#body")
        room = frame.styles.max_height
        most = self.size.height if room is None else int(self.size.height * room.value / 100)
        edge = frame.gutter.height
        others = sum(_rows_of(child) for child in frame.children if child is not body and child.display)
        body.styles.max_height = max(most - edge - others, 1)


def _rows_of(widget: Widget) -> int:
    return widget.outer_size.height + widget.styles.margin.height


def body_bindings(keys: Mapping[str, str], *, priority: bool = False) -> list[Binding]:
    """Return the keys that scroll the body, each with what the body does."""
    return [Binding(key, f"body('{action}')", show=False, priority=priority) for key, action in keys.items()]


BODY_KEYS = [
    *body_bindings(
        {
            "down,j": "move(1)",
            "up,k": "move(-1)",
            "pagedown": "page_down",
            "pageup": "page_up",
            "home,g": "move_to(False)",
            "end,G": "move_to(True)",
            "ctrl+d": "move_half(1)",
            "ctrl+u": "move_half(-1)",
            "left,h": "move_aside(-1)",
            "right,l": "move_aside(1)",
            "z": "whole",
        }
    ),
]
"""The keys of a question whose buttons have the focus: those that move in its reasons."""


class Confirm(Dialog[bool]):
    """A question with its reasons.

    `key` says yes. Where this question follows another, it is not the other's key: a key that is pressed
    twice must not say yes twice.
    """

    BINDINGS = [
        Binding("n,escape,q", "answer(False)", "no"),
        *BODY_KEYS,
    ]
    AUTO_FOCUS = "#no"

    def __init__(self, title: str, view: View, *, yes: str, key: str = "y", danger: bool = False) -> None:
        super().__init__()
        self._title = title
        self._view = view
        self._yes = yes
        self._key = key
        self._danger = danger

    def compose(self) -> ComposeResult:
        """Title, reasons, two buttons."""
        yield TooSmall()
        with Frame(self._title, danger=self._danger):
            yield from self.compose_body()
            with Horizontal(classes="buttons"):
                yes = f"{self._key}  {self._yes}"
                yield Button(yes, id="yes", variant="error" if self._danger else "primary")
                yield Button("n  no", id="no")

    def compose_body(self) -> ComposeResult:
        """The reasons."""
        yield Text(self._view, id="body", classes="dialog-body")

    def on_key(self, event: Key) -> None:
        """Say yes by the key of this question."""
        if event.key == self._key:
            event.stop()
            self.say_yes()

    def say_yes(self) -> None:
        """Take the yes."""
        self.dismiss(True)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Answer by button."""
        if event.button.id == "yes":
            self.say_yes()
        else:
            self.dismiss(False)

    def action_answer(self, yes: bool) -> None:
        """Answer by key; a search is left first."""
        if yes or not self.end_search():
            self.dismiss(yes)


class ConfirmDeletion(Confirm):
    """May these tags go? The list has the keys; `/` searches in it."""

    BINDINGS = [Binding("slash", "filter", show=False, priority=True)]
    AUTO_FOCUS = "#body"

    def __init__(self, title: str, tags: Sequence[TagPlanned]) -> None:
        super().__init__(title, (), yes="delete", key="d", danger=True)
        self._tags = tags
        self._search = Search(plan_rows(tags))
        self._found: Sequence[Line] = ()
        self._shown_for: str | None = None

    def compose_body(self) -> ComposeResult:
        """The list, and a line to search in it."""
        yield Lines("", id="body", framed=False)
        yield Filter("a part of a tag or a reason", filters="#body")

    def on_mount(self) -> None:
        """Show the list."""
        self._show()

    def fit(self) -> None:
        """Fit in the list; its columns depend on the width."""
        super().fit()
        self.call_after_refresh(self._show)

    def on_filter_applied(self, _: Filter.Applied) -> None:
        """Show what holds the text."""
        self._show()

    def action_filter(self) -> None:
        """Search in the list."""
        self.query_one(Filter).open()
        self.fit()
        self.after_frame(self._search.prepare)

    def action_answer(self, yes: bool) -> None:
        """Answer by key; a search is left first."""
        if yes or not self.query_one(Filter).clear_filter():
            self.dismiss(yes)

    def _show(self) -> None:
        body, text = self.query_one("#body", Lines), self.query_one(Filter).text
        if text != self._shown_for:
            self._shown_for = text
            self._found = self._search.find(text)
            body.replace(self._found or nothing_matches(text))
        keys = "← → / j k g G" if body.allow_horizontal_scroll else "/ j k g G"
        words = filter_words(text, len(self._found), len(self._search)) or keys
        self.query_one(Frame).border_subtitle = f"{plan_counts(self._tags)} · {words}"


@dataclass(frozen=True, slots=True)
class Typed:
    """What was typed; None where the value is to be unset."""

    text: str | None


Preview = Callable[[str | None, int], Sequence[Line]]
"""Makes what follows from a text in a width; from the value as it is, for None."""


class EditValue(Dialog[Typed | None]):
    """Asks for a value and shows, while it is typed, what would follow.

    It ends with None where nothing changes. A secret is never shown: its field is empty, and as long as
    nothing is typed the secret stays.
    """

    BINDINGS = [
        Binding("escape", "leave", "cancel"),
        Binding("ctrl+n", "unset", "unset", priority=True),
    ]
    AUTO_FOCUS = "#value"

    def __init__(
        self,
        name: str,
        means: str,
        value: str | Secret | None,
        *,
        preview: Preview,
        secret: bool = False,
        can_unset: bool = True,
        takes_unchanged: bool = False,
        verbatim: bool = False,
        enter: str = "saves",
    ) -> None:
        """`enter` says what that key does; `verbatim` that spaces around the text are part of the value."""
        super().__init__()
        self._title = name
        self._enter = enter
        self._means = means
        self._secret = secret
        self._characters = len(value or "")
        self._value = "" if value is None or secret or isinstance(value, Secret) else value
        self._preview = preview
        self._can_unset = can_unset
        self._takes_unchanged = takes_unchanged
        self._verbatim = verbatim

    def compose(self) -> ComposeResult:
        """What the value means, the input, and what follows."""
        unset = " · ctrl+n unsets" if self._can_unset else ""
        kept = f"{self._characters} characters, unchanged"
        hint = kept if self._secret and self._characters else "not set"
        yield TooSmall()
        with Frame(self._title, f"enter {self._enter}{unset} · esc cancels"):
            yield Static(self._means, markup=False, classes="means")
            yield ValueInput(
                self._value, placeholder=hint, password=self._secret, id="value", select_on_focus=True
            )
            yield Static(id="odd", markup=False)
            yield Text(id="body")

    def on_mount(self) -> None:
        """Show what follows from the value as it is."""
        self._follow(self._value)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Show what follows from what is typed."""
        self._follow(event.value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Take the value, if there is another one."""
        changed = self._takes_unchanged or event.value != self._value
        self.dismiss(Typed(event.value) if changed else None)

    def action_unset(self) -> None:
        """Unset the value."""
        if self._can_unset:
            self.dismiss(Typed(None))

    def follow_again(self) -> None:
        """Show anew what follows from what is typed."""
        self._follow(self.query_one("#value", Input).value)

    def _follow(self, text: str) -> None:
        odd = (
            f"{GLYPH_LOOK} leading or trailing whitespace is part of the value"
            if self._verbatim and text != text.strip()
            else ""
        )
        line = self.query_one("#odd", Static)
        line.update(odd)
        line.display = bool(odd)
        typed = None if text == self._value else text
        self.query_one("#body", Text).show(lambda width: self._preview(typed, width))
        self.call_after_refresh(self.fit)


class Reading(Dialog[None]):
    """Something to read; nothing is asked."""

    BINDINGS = [Binding("escape,q,enter", "leave", "close")]
    AUTO_FOCUS = "#body"

    def __init__(self, title: str, view: View, keys: str = "esc closes") -> None:
        super().__init__()
        self._title = title
        self._view = view
        self._keys = keys

    def compose(self) -> ComposeResult:
        """The lines."""
        yield TooSmall()
        with Frame(self._title, self._keys):
            yield Text(self._view, id="body", classes="dialog-body")


class Help(Reading):
    """Every key."""

    BINDINGS = [Binding("question_mark", "leave", show=False)]

    def __init__(self, view: View) -> None:
        super().__init__("Keys", view)
