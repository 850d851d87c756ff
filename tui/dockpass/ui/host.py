"""What the parts of the screen may ask of the app that they are in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from textual.actions import ActionParseResult
from textual.app import App
from textual.dom import DOMNode
from textual.timer import Timer

from dockpass.actions import ACTIONS, PLACES
from dockpass.readonly import Act
from dockpass.session.clipboard import SECONDS_KEPT, Copied, TakenBack
from dockpass.session.session import Session
from dockpass.ui.actions import action_string


class Host(App[int], inherit_bindings=False):
    """An app with a session."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self._taking_back: Timer | None = None

    async def run_action(
        self,
        action: str | ActionParseResult,
        default_namespace: DOMNode | None = None,
        namespaces: Mapping[str, DOMNode] | None = None,
    ) -> bool:
        """Run an action, unless it may not be done in read-only mode: every key and click comes here."""
        if self.session.read_only:
            name = action if isinstance(action, str) else action[1]
            act = self._act_of(name)
            if act is not None and self.screen.check_action(name, ()) is not False and self.forbidden(act):
                return True
        return await super().run_action(action, default_namespace, namespaces)

    def _act_of(self, name: str) -> Act | None:
        """Return what an action of the present screen does beyond reading, where it asks nothing itself."""
        scopes = PLACES.get(getattr(self.screen, "PLACE", ""), ())
        found = (each for each in ACTIONS if each.scope in scopes and action_string(each) == name)
        return next((each.act for each in found if not each.asks_first), None)

    def forbidden(self, act: Act) -> bool:
        """Tell whether an act may not be done in this session, and say why then."""
        refusal = self.session.read_only.forbids(act)
        if refusal is None:
            return False
        self.notify(f"{refusal.message} {refusal.hint}", severity="warning", timeout=8)
        return True

    def copy_to_clipboard(self, text: str) -> None:
        """Copy with a program of the desktop where there is one, else ask the terminal to do it."""
        self._copy(text, secret=False)

    def _copy(self, text: str, *, secret: bool) -> Copied:
        session = self.session
        copied = session.clipboard.copy(text, session.services.environ, secret=secret)
        if not copied.by:
            super().copy_to_clipboard(text)
        return copied

    def copy_text(self, text: str, words: str, *, secret: bool) -> None:
        """Copy a text and say in which way; a secret is taken back after a while, where that can be done."""
        copied = self._copy(text, secret=secret)
        told = copied.in_words(words)
        if secret and copied.by:
            told += f"; the clipboard is emptied after {SECONDS_KEPT:.0f} seconds"
            if self._taking_back is not None:
                self._taking_back.stop()
            self._taking_back = self.set_timer(SECONDS_KEPT, self.take_back)
        self.notify(told, timeout=6)

    def take_back(self) -> None:
        """Empty the clipboard if it holds the secret that was copied last."""
        taken = self.session.clipboard.take_back(self.session.services.environ)
        if taken is TakenBack.EMPTIED:
            self.notify("the clipboard was emptied", timeout=4)
        elif taken is TakenBack.FAILED:
            words = "The clipboard could not be emptied: the secret may still be in it. Copy something else."
            self.notify(words, severity="warning", timeout=8)

    def end_by_signal(self, number: int) -> None:
        """End as a signal asks for it."""
        self.exit(return_code=128 + number)

    @property
    def usable_themes(self) -> list[str]:
        """The names of the themes that can be read here.

        Without colours Textual turns the terminal's own ones, which it does not know, into black on black.
        """
        colourless = "NO_COLOR" in self.session.services.environ
        return [name for name in self.available_themes if not (colourless and name.startswith("ansi"))]


def copy_text(app: App[Any], text: str, words: str, *, secret: bool) -> None:
    """Copy a text in an app, and say in which way."""
    cast(Host, app).copy_text(text, words, secret=secret)


def forbids(app: App[Any], act: Act) -> bool:
    """Tell whether an act may not be done in the session of an app, and say why then."""
    return cast(Host, app).forbidden(act)
