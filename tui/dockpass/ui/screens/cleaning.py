"""The dialog that asks for the rules of a cleanup, and shows what they would delete."""

from __future__ import annotations

from collections.abc import Callable

from textual.binding import Binding
from textual.timer import Timer

from dockpass.cleanup.options import CleanupOptions
from dockpass.cleanup.rules import check_patterns, parse_rules
from dockpass.errors import UsageError
from dockpass.session.preview import Inventory, Reading
from dockpass.session.session import LOOKS_PER_SECOND
from dockpass.ui.screens.dialogs import Confirm, EditValue, Frame, body_bindings
from dockpass.ui.views.cleanup import plan_counts, plan_rows
from dockpass.ui.views.help import RULES_MEAN, rules_preview
from dockpass.ui.views.run import frame_of
from dockpass.ui.views.words import Line

READS = "ctrl+t reads the tags"
_MOST_ROWS = 500


class AskRules(EditValue):
    """Asks for rules. `read` begins to read the tags; `foreign` is the question before that, if any."""

    BINDINGS = [
        Binding("ctrl+t", "read", "read the tags", priority=True),
        *body_bindings(
            {"down": "move(1)", "up": "move(-1)", "pagedown": "page_down", "pageup": "page_up"}, priority=True
        ),
    ]

    def __init__(self, rules: str, read: Callable[[], Reading], foreign: str | None) -> None:
        super().__init__(
            "Which tags may be deleted?",
            RULES_MEAN,
            rules,
            preview=lambda text, _: self.lines(rules if text is None else text),
            can_unset=False,
            takes_unchanged=True,
            enter=f"shows the plan · {READS}",
        )
        self._read = read
        self._foreign = foreign
        self._reading: Reading | None = None
        self._looks: Timer | None = None
        self._ticks = 0

    def lines(self, text: str) -> list[Line]:
        """Return what the rules mean, and what they would delete, as far as the tags are known."""
        lines, reading = rules_preview(text), self._reading
        if reading is None:
            return lines
        if reading.failed:
            return [*lines, (), ((f"The tags could not be read: {reading.failed}", "bad"),)]
        if reading.found is None:
            words = f"{frame_of(self._ticks)} reading the tags"
            more = f": {reading.progress}" if reading.progress else ""
            return [*lines, (), ((f"{words}{more}", "look"),)]
        try:
            rules = parse_rules(text)
            check_patterns(rules)
        except UsageError:
            return lines
        try:
            planned = reading.found.planned(rules)
        except UsageError as error:
            return [*lines, (), ((f"{error.message} {error.hint}", "bad"),)]
        rows = plan_rows(planned)
        left = len(rows) - _MOST_ROWS
        more_rows: list[Line] = [((f"and {left:,} more", "label"),)] if left > 0 else []
        counts: Line = ((plan_counts(planned), "strong"), (_if_single(reading.found, rules), "look"))
        return [*lines, (), counts, *rows[:_MOST_ROWS], *more_rows]

    def action_read(self) -> None:
        """Read the tags with the login of the cleanup; a foreign registry is asked about first."""
        if self._reading is not None and not self._reading.ended:
            return
        if self._foreign is None:
            self._begin(True)
            return
        lines: list[Line] = [((self._foreign, "bad"),)]
        title = "Send the token to a foreign registry?"
        self.app.push_screen(Confirm(title, lines, yes="send it", key="s", danger=True), self._begin)

    def _begin(self, yes: bool | None) -> None:
        if yes:
            self._reading = self._read()
            self._looks = self.set_interval(1 / LOOKS_PER_SECOND, self.pump)
            self.pump()

    def pump(self) -> None:
        """Show what came from the registry."""
        reading = self._reading
        if reading is None or self._looks is None:
            return
        self._ticks += 1
        over = reading.ended
        reading.look()
        if over:
            self._looks.stop()
            self._looks = None
        self.follow_again()
        if reading.found is not None:
            self.query_one(Frame).border_subtitle = f"enter shows the plan · {READS} again · esc cancels"

    def on_unmount(self) -> None:
        """Stop reading: nobody looks at it any more."""
        if self._reading is not None:
            self._reading.run.cancel()


def _if_single(found: Inventory, rules: CleanupOptions) -> str:
    """Return what the run may delete beyond the preview, which asks the registry less."""
    more = found.more_by_single_tags(rules)
    return f", {more:,} of them only if the registry cannot delete single tags" if more else ""
