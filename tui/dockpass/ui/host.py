"""What the parts of the screen may ask of the app that they are in."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from textual.actions import ActionParseResult
from textual.app import App
from textual.dom import DOMNode

from dockpass.actions import ACTIONS, PLACES
from dockpass.readonly import Act
from dockpass.session.session import Session
from dockpass.ui.actions import action_string


class Host(App[int], inherit_bindings=False):
    """An app with a session."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session

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


def forbids(app: App[Any], act: Act) -> bool:
    """Tell whether an act may not be done in the session of an app, and say why then."""
    return cast(Host, app).forbidden(act)
