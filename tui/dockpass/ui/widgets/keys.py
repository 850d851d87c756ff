"""The keys at the foot: as many as there is room for, whole."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from textual.content import Content
from textual.events import Leave, MouseDown, MouseMove
from textual.reactive import reactive
from textual.screen import Screen
from textual.widget import Widget

from dockpass.actions import ACTIONS, RUN
from dockpass.ui.actions import action_string
from dockpass.ui.views.words import cells

ALWAYS = frozenset({"help", "app.quit", "quit"})
"""Actions that lead to all others, and out."""

PADDING = 1
"""Cells before the first key, and behind the last."""
EDGE = "▏"
"""Stands before the key of the command palette, at the right end."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownKey:
    """A key with its words: `key` as Textual names it, `display` as a person reads it.

    One that is `forbidden` in read-only mode says so when it is pressed.
    """

    key: str
    display: str
    words: str
    action: str
    tooltip: str
    works: bool
    forbidden: bool = False

    @property
    def width(self) -> int:
        """The cells of the key, its words, and the blank between them."""
        return cells(self.display) + 1 + cells(self.words)


class Keys(Widget, can_focus=False):
    """The keys that work here and now, in one line; those that do not fit are behind `?`.

    One widget draws them all: Textual's own footer has one for each key, mounts them anew whenever the focus
    moves, and keeps those that it had.
    """

    ALLOW_SELECT = False
    DEFAULT_CSS = "Keys { dock: bottom; height: 1; text-wrap: nowrap; }"

    shown: reactive[tuple[tuple[int, ShownKey], ...]] = reactive(())
    """Each key that is shown, with the cell where it begins; the key of the palette is the last."""
    hovered: reactive[ShownKey | None] = reactive(None)

    def __init__(self, scopes: Sequence[str] = (), *, read_only: bool = False) -> None:
        """`scopes` are those of the screen's actions: keys stand in the order of the table."""
        super().__init__()
        self._places = _places(scopes)
        self._forbidden = _acting(scopes) if read_only else frozenset()
        self._due = False

    def on_mount(self) -> None:
        """Choose now, and whenever other keys may hold."""
        self.screen.bindings_updated_signal.subscribe(self, self._bindings_changed)
        self._choose_soon()

    def on_resize(self) -> None:
        """Choose anew where there is more room, or less."""
        self._choose_soon()

    def _bindings_changed(self, screen: Screen[object]) -> None:
        if screen is self.screen and self.app.app_focus:
            self._choose_soon()

    def _choose_soon(self) -> None:
        """Choose once, however often this is asked for by what is done meanwhile."""
        if not self._due:
            self._due = True
            self.call_later(self._choose)

    def _choose(self) -> None:
        self._due = False
        if self.is_attached:
            self.shown = tuple(self._placed())

    def _placed(self) -> Iterator[tuple[int, ShownKey]]:
        palette = self.app.COMMAND_PALETTE_BINDING
        by_action: dict[str, ShownKey] = {}
        docked: ShownKey | None = None
        for key, (_, binding, enabled, tooltip) in self.screen.active_bindings.items():
            display = self.app.get_key_display(binding)
            forbidden = (binding.action, binding.description) in self._forbidden
            found = ShownKey(
                key=binding.key,
                display=f"({display})" if forbidden else display,
                words=binding.description,
                action=binding.action,
                tooltip=tooltip or binding.description,
                works=enabled,
                forbidden=forbidden,
            )
            if key == palette:
                docked = found
            elif binding.show:
                by_action.setdefault(binding.action, found)
        # A key of a person's own keeps the place of its action.
        keys = sorted(by_action.values(), key=lambda each: self._places.get(each.action, len(ACTIONS)))
        edge = self.size.width - (docked.width + len(EDGE) + PADDING if docked else 0)
        fit = fitting([(each.width + 1, each.action in ALWAYS) for each in keys], edge - PADDING)
        at = PADDING
        for each, fits in zip(keys, fit, strict=True):
            if fits:
                yield at, each
                at += each.width + 1
        if docked:
            yield edge + len(EDGE), docked

    def render(self) -> Content:
        """Draw the keys."""
        parts: list[Content] = []
        end = 0
        for at, each in self.shown:
            before = " " * (at - end)
            if each.key == self.app.COMMAND_PALETTE_BINDING:
                parts += [Content(before[:-1]), Content.styled(EDGE, "$foreground 20%")]
            else:
                parts.append(Content(before))
            ground = "on $block-hover-background" if each is self.hovered else ""
            faded = "dim" if each.forbidden or not each.works else ""
            parts += [
                Content.styled(each.display, f"bold $role-accent {ground} {faded}"),
                Content.styled(f" {each.words}", f"$role-label {ground} {faded}"),
            ]
            end = at + each.width
        return Content("").join(parts)

    def key_at(self, cell: int) -> ShownKey | None:
        """Return the key that stands in a cell."""
        return next((each for at, each in self.shown if at <= cell < at + each.width), None)

    def on_mouse_move(self, event: MouseMove) -> None:
        """Say what the key below the mouse does."""
        self.hovered = self.key_at(event.x)
        self.tooltip = self.hovered.tooltip if self.hovered else None

    def on_leave(self, _: Leave) -> None:
        """No key is below the mouse."""
        self.hovered = None

    def on_mouse_down(self, event: MouseDown) -> None:
        """Press the key that is clicked."""
        found = self.key_at(event.x)
        if found is None:
            return
        if found.works:
            self.app.simulate_key(found.key)
        else:
            self.app.bell()


def _places(scopes: Sequence[str]) -> dict[str, int]:
    """Return the place of each action among the others, by what Textual runs; rows' own keys come first."""
    actions = [action for action in ACTIONS if action.scope in scopes]
    return {"select": -1} | {action_string(action): at for at, action in enumerate(actions)}


def _acting(scopes: Sequence[str]) -> frozenset[tuple[str, str]]:
    """Return the actions that do more than read, each as Textual runs it and with its title."""
    acting = [action for action in ACTIONS if action.scope in scopes and action.act is not None]
    rows = {("select", action.title) for action in acting if action.id == RUN.id}
    return frozenset({(action_string(action), action.title) for action in acting} | rows)


def fitting(keys: Sequence[tuple[int, bool]], room: int) -> list[bool]:
    """Tell of each key, given its width in cells and whether it always stands, whether it fits.

    Those at the end give way first.
    """
    left = room - sum(width for width, always in keys if always)
    shown = []
    full = False
    for width, always in keys:
        full = full or (not always and width > left)
        if not always and not full:
            left -= width
        shown.append(always or not full)
    return shown
