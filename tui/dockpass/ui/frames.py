"""One frame for each key: all that follows from it is done and laid out first, and then drawn once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from time import monotonic
from typing import Any, TypeVar

from textual.await_complete import AwaitComplete
from textual.events import InputEvent
from textual.geometry import Size
from textual.message import Message
from textual.message_pump import MessagePump
from textual.reactive import Reactive
from textual.screen import UPDATE_PERIOD, Screen
from textual.timer import Timer
from textual.widget import Widget
from textual.widgets import Input, OptionList

MOST_SECONDS = 0.04
"""So long may a frame wait for what is still to be done: a log that never rests is drawn nevertheless."""
MOST_LAYOUTS = 4
"""A text that is laid out anew may need a scrollbar, and that again other lines."""

_OF_A_PERSON = (InputEvent, OptionList.OptionMessage, Input.Changed, Input.Submitted)
"""What a person does, or a widget for them."""

Result = TypeVar("Result")


class OneFrame(Screen[Result]):
    """The base of each screen, the last one where it has others: Textual styles by the first.

    Textual draws as soon as one widget has changed. What that leads to, such as another row's reasons or the
    keys at the foot, comes with the next frame 16 ms later, and what follows from new sizes with a third one.
    Here what waits for a layout (`call_after_refresh`) has it before the frame, and `after_frame` is for the
    rest.
    """

    focused: Reactive[Widget | None] = Reactive(None, repaint=False)
    """What has the keys. Textual's own would draw the whole screen anew, where two frames change."""

    _frames: Timer | None = None
    _draws = _lays_out = False

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._behind: list[Callable[[], object]] = []
        """What is done behind the next frame."""

    @property
    def may_draw(self) -> bool:
        """Whether there is something to draw yet."""
        return True

    @property
    def is_there(self) -> bool:
        """Whether it has its widgets: it was composed, and is not being closed."""
        return self.is_mounted and not self._pruning and bool(self.children)

    async def _invoke_and_clear_callbacks(self) -> None:
        """Do what waits for a layout, but for what a widget or screen asked for that was closed since."""
        self._callbacks = [each for each in self._callbacks if not _is_closing(each[1])]
        if self._pruning or not self.children:
            self._callbacks.clear()
        await super()._invoke_and_clear_callbacks()

    def call_after_refresh(self, callback: Callable[..., object], *args: Any, **kwargs: Any) -> bool:
        """Do something once the layout is made; left undone where this screen is closed by then.

        Textual leaves what a closing screen asked for with the one below.
        """

        def if_there() -> object:
            return callback(*args, **kwargs) if self.children and not self._pruning else None

        return super().call_after_refresh(if_there)

    async def _dispatch_message(self, message: Message) -> None:
        """Take a message, but for keys and answers of widgets that come while this screen is closed."""
        if not (self._pruning and isinstance(message, _OF_A_PERSON)):
            await super()._dispatch_message(message)

    def _screen_resized(self, size: Size) -> None:
        """Lay this screen out for a size that it does not have yet.

        Each screen that is resized asks it of all that are below dialogs too: of the twelve layouts of three
        screens only three are needed.
        """
        if self._size != size:
            super()._screen_resized(size)

    def dismiss(self, result: Result | None = None) -> AwaitComplete:
        """Close this screen; a second key that would close it too has come too late.

        Textual would close the screen below.
        """
        return super().dismiss(result) if self.app.screen is self else AwaitComplete.nothing()  # type: ignore[no-untyped-call]

    def after_frame(self, work: Callable[[], object]) -> None:
        """Do something that the next frame need not wait for."""
        self._behind.append(work)
        self._update_timer.resume()

    @property
    def _update_timer(self) -> Timer:
        """What draws: Textual starts it when a widget has changed, and frames are as far apart as its own."""
        if self._frames is None:
            self._frames = self.set_interval(UPDATE_PERIOD, self._draw_settled, name="frames", pause=True)
        return self._frames

    async def _draw_settled(self) -> None:
        """Draw, once nothing is left to be done that would change the frame."""
        deadline = monotonic() + MOST_SECONDS
        await self._settle(deadline)
        for _ in range(MOST_LAYOUTS):
            below = [each for each in self.app._background_screens if isinstance(each, OneFrame)]
            due = [each._lay_out() for each in (*below, self)]
            if not any(due) and not self._callbacks:
                break
            await self._invoke_and_clear_callbacks()
            await self._settle(deadline)
        for each in below:
            each._on_timer_update()
        self._on_timer_update()
        if self.may_draw:
            behind, self._behind = self._behind, []
            for work in behind:
                self.call_next(work)

    def _lay_out(self) -> bool:
        """Make the layout if another one is due; tell whether it was. What it changes is drawn later."""
        due = self._layout_required or self._scroll_required
        if not due or not self.is_current or self.app._batch_count:
            return False
        self._lays_out = True
        try:
            self._refresh_layout(scroll=self._scroll_required)
        finally:
            self._lays_out = False
        self._layout_required = self._scroll_required = False
        self._dirty_widgets.clear()
        return True

    def _on_timer_update(self) -> None:
        """Draw what has changed."""
        self._draws = True
        try:
            super()._on_timer_update()
            if self._compositor._dirty_regions:
                self._compositor_refresh()
        finally:
            self._draws = False

    def _compositor_refresh(self) -> None:
        """Draw in a frame. What is laid out beside one, such as another size, is drawn with the next one."""
        if self._draws and self.may_draw:
            super()._compositor_refresh()
            if self is not self.app.screen:
                self._repaint_required = False  # it is drawn already, by the screen above it
        elif not self._draws and not self._lays_out:
            self._repaint_required = True
            self.check_idle()

    async def _settle(self, deadline: float) -> None:
        """Let all widgets take the messages that wait for them, and those that these lead to."""
        while self._is_busy and monotonic() < deadline:
            await asyncio.sleep(0)

    @property
    def _is_busy(self) -> bool:
        widgets = self.app._registry  # scrollbars are nobody's children, and are found only here
        return self.app.message_queue_size > 0 or any(widget.message_queue_size for widget in widgets)


def _is_closing(pump: MessagePump) -> bool:
    return pump._closing or pump._closed or (isinstance(pump, Widget) and pump._pruning)
