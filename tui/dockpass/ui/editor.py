"""Changes a variable or an option, undoes the last change, and shows a secret."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

from dockpass.auth.command import Command
from dockpass.auth.decision import VALUE_UNKNOWN, Refusal
from dockpass.errors import UsageError
from dockpass.readonly import Act
from dockpass.runs.request import RunRequest
from dockpass.secret_source import FORMS, parse_source
from dockpass.secrets import Secret
from dockpass.session.clipboard import SECONDS_KEPT
from dockpass.session.edits import edit_of, removal_of
from dockpass.session.session import SECONDS_REVEALED, Session
from dockpass.text import clean
from dockpass.ui.host import forbids
from dockpass.ui.screens.base import PanelScreen
from dockpass.ui.screens.dialogs import Confirm, EditValue, Typed
from dockpass.ui.screens.revealed import Revealed
from dockpass.ui.views.commands import CommandState, command_lines
from dockpass.ui.views.overview import option_name, value_of
from dockpass.ui.views.words import Line
from dockpass.unknown import Unknown
from dockpass.variables.catalogue import Entry, entry, entry_of
from dockpass.variables.token_kind import looks_secret

_COPIED_SECRET = (
    "Every program on this desktop can read the clipboard, and a clipboard manager may keep it. With wl-copy,"
    f" xclip, xsel or pbcopy it is emptied after {SECONDS_KEPT:.0f} seconds; a terminal's clipboard is not."
)


class Editor:
    """Asks for values and keeps them in the session. `changed` is called after each change."""

    def __init__(self, screen: PanelScreen, session: Session, changed: Callable[[], None]) -> None:
        self._screen = screen
        self._session = session
        self._changed = changed

    def requested(self, command: Command, then: Callable[[], None] = lambda: None) -> RunRequest | None:
        """Return the run of a command; where a value is missing for it, ask for it, and go on with `then`.

        In read-only mode nobody is asked for a value that only a run needs.
        """
        request = self._session.request(command)
        if not isinstance(request, Refusal):
            return request
        if request.id == VALUE_UNKNOWN:
            if not forbids(self._screen.app, Act.RUN):
                self.ask(entry_of(request.about), then)
        elif (missing := entry(request.about)) is not None:
            self.edit(missing)
        else:
            self._screen.notify(f"{request.message} {request.hint}", severity="warning", timeout=8)
        return None

    def edit(self, entry: Entry) -> None:
        """Ask for another value of a variable or option."""
        value = value_of(entry, self._session.facts)
        dialog = EditValue(
            clean(option_name(entry), 100),
            entry.means,
            None if isinstance(value, Unknown) else value,
            secret=entry.secret,
            verbatim=True,
            preview=partial(self._preview, entry),
        )
        self._screen.app.push_screen(dialog, partial(self._take, entry))

    def _preview(self, entry: Entry, text: str | None, width: int) -> Sequence[Line]:
        """Return the table of commands as it would be; as it is, for None."""
        now = self._session
        would = now
        if text is not None:
            edit = edit_of(entry.name, text, option=entry.option)
            would = replace(now, edits=[*now.edits, edit])
        states = [CommandState(command, would.decide(command), now.decide(command)) for command in Command]
        return command_lines(states, width)

    def _take(self, entry: Entry, typed: Typed | None) -> None:
        if typed is None:
            return
        if typed.text is None:
            self.unset(entry)
        else:
            self._session.edit(edit_of(entry.name, typed.text, option=entry.option))
            self._changed()

    def ask(self, entry: Entry, then: Callable[[], None] = lambda: None) -> None:
        """Ask for a value that is not known here and that a run or a request needs, then go on."""
        dialog = EditValue(
            clean(option_name(entry), 100),
            f"The value of this variable is not known here. Type it, or {FORMS}. It stays in memory.",
            None,
            secret=entry.secret,
            preview=lambda text, width: self._preview(entry, None if _refers(text) else text, width),
            can_unset=False,
            verbatim=True,
            enter="uses it",
        )
        self._screen.app.push_screen(dialog, partial(self._take_answer, entry, then))

    def _take_answer(self, entry: Entry, then: Callable[[], None], typed: Typed | None) -> None:
        if typed is None or not typed.text:
            return
        try:
            value = self._session.typed_value(typed.text).reveal()
        except UsageError as error:
            self._screen.notify(f"{error.message} {error.hint}", severity="error", timeout=8)
            self.ask(entry, then)
            return
        self._session.edit(edit_of(entry.name, value, option=entry.option))
        self._changed()
        then()

    def unset(self, entry: Entry) -> None:
        """Unset a variable or drop an option."""
        if value_of(entry, self._session.facts) is None:
            self._screen.notify(f"{option_name(entry)} is not set", timeout=3)
        else:
            self._session.edit(removal_of(entry.name, option=entry.option))
        self._changed()

    def undo(self) -> None:
        """Undo the last edit."""
        undone = self._session.undo()
        self._screen.notify(f"undone: {undone.in_words()}" if undone else "nothing to undo", timeout=3)
        self._changed()

    def reveal(self, entry: Entry) -> None:
        """Show a secret for ten seconds, after a question."""
        if forbids(self._screen.app, Act.REVEAL):
            return
        value, name = value_of(entry, self._session.facts), option_name(entry)
        if not entry.secret:
            self._screen.notify("select a secret first", timeout=3)
        elif not isinstance(value, Secret) or not value:
            self._screen.notify(f"{name} has no value", timeout=3)
        elif not self._session.loaded.settings.reveal:
            self._screen.notify("secrets stay hidden: the settings file has reveal = false", timeout=5)
        else:
            lines: list[Line] = [(("Anyone who can see this screen can read it.", "text"),)]
            title = f"Show {name} for ten seconds?"
            dialog = Confirm(title, lines, yes="show", danger=True)
            self._screen.app.push_screen(dialog, partial(self._reveal, name, value))

    def copy_value(self, entry: Entry) -> None:
        """Copy a value; a secret after a question."""
        value, name = value_of(entry, self._session.facts), option_name(entry)
        if isinstance(value, Unknown) or not value:
            why = "its value is not known here" if isinstance(value, Unknown) else "it has no value"
            self._screen.notify(f"{name} was not copied: {why}", timeout=4)
            return
        if not self._is_secret(entry, value):
            self._screen.copy(str(value), name)
            return
        if forbids(self._screen.app, Act.REVEAL):
            return
        if not self._session.loaded.settings.reveal:
            self._screen.notify("secrets stay hidden: the settings file has reveal = false", timeout=5)
            return
        secret = value if isinstance(value, Secret) else Secret(str(value))
        lines: list[Line] = [((_COPIED_SECRET, "text"),)]
        dialog = Confirm(f"Copy {name}?", lines, yes="copy", danger=True)
        self._screen.app.push_screen(dialog, partial(self._copy_secret, name, secret))

    def _is_secret(self, entry: Entry, value: str | Secret) -> bool:
        """Tell whether a value is a secret, looks like one, or has one in it."""
        if entry.secret or isinstance(value, Secret):
            return True
        return looks_secret(value) or self._session.services.redactor(value) != value

    def _copy_secret(self, name: str, value: Secret, yes: bool | None) -> None:
        if yes:
            self._screen.copy(value.reveal(), name, secret=True)

    def _reveal(self, name: str, value: Secret, yes: bool | None) -> None:
        if yes:
            self._screen.app.push_screen(Revealed(name, value, SECONDS_REVEALED))


def _refers(text: str | None) -> bool:
    return text is not None and parse_source(text) is not None
