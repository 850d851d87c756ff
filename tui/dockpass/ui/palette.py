"""The command palette: every action, command, screen, variable, theme and recent repository, by name."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar, cast

from rich.markup import escape
from textual.app import ComposeResult
from textual.command import CommandInput, CommandList, CommandPalette, DiscoveryHit, Hit, Hits, Provider
from textual.content import Content
from textual.css.query import NoMatches
from textual.fuzzy import Matcher
from textual.worker import Worker

from dockpass.actions import ACTIONS, PLACES, SCOPES, Action
from dockpass.auth.command import Command
from dockpass.keymap import key_name
from dockpass.session.edits import edit_of
from dockpass.text import clean, cut
from dockpass.ui.actions import action_string
from dockpass.ui.frames import OneFrame
from dockpass.ui.host import Host
from dockpass.ui.recent import recent
from dockpass.ui.screens.base import PanelScreen
from dockpass.ui.screens.overview import Overview
from dockpass.ui.screens.run import RunScreen
from dockpass.ui.views.help import action_help
from dockpass.ui.views.overview import option_name
from dockpass.ui.widgets.value_input import PlainInput
from dockpass.variables.catalogue import listed

_LONGEST = 100


@dataclass(frozen=True, slots=True)
class PaletteEntry:
    """What is found by `title`; `help` says what it does."""

    title: str
    help: str
    do: Callable[[], None]


class Everything(Provider):
    """Finds all that can be done."""

    async def discover(self) -> Hits:
        """List everything before anything is typed."""
        for found in self._entries():
            yield DiscoveryHit(Content(found.title), found.do, found.title, escape(found.help))

    async def search(self, query: str) -> Hits:
        """Find by a part of a name."""
        matcher = self.matcher(query)
        for found in self._entries():
            score = matcher.match(found.title)
            if score > 0:
                yield Hit(
                    score, _highlighted(matcher, found.title), found.do, found.title, escape(found.help)
                )

    def _entries(self) -> Iterator[PaletteEntry]:
        app = cast(Host, self.app)
        here = self.screen.PLACE if isinstance(self.screen, PanelScreen) else ""
        yield from _commands(app)
        yield from _actions(app, here)
        yield from _variables(app)
        yield from _scenarios(app)
        yield from _repositories(app)
        for name in sorted(app.usable_themes):
            yield PaletteEntry(
                f"theme {name}",
                "Switch to this theme and save it.",
                partial(_theme, app, name),
            )


def _highlighted(matcher: Matcher, title: str) -> Content:
    """Return a title with what was typed marked in it; names of files are in titles, and no markup."""
    content = Content(title)
    _, offsets = matcher.fuzzy_search.match(matcher.query, title)
    for offset in offsets:
        content = content.stylize(matcher.match_style, offset, offset + 1)
    return content


class PaletteInput(CommandInput, PlainInput):
    """The field of the palette. Textual styles it by its first base."""


class Palette(CommandPalette, OneFrame[Any]):
    """The palette, also where the terminal has no room for its list."""

    def compose(self) -> ComposeResult:
        """Textual's own, but for the field, which shows nothing that steers the terminal."""
        for widget in super().compose():
            if isinstance(widget, CommandInput):
                yield PaletteInput(placeholder=widget.placeholder, select_on_focus=False)
            else:
                yield widget

    def run_worker(self, work: Any, *arguments: Any, **options: Any) -> Worker[Any]:
        """Look for what is typed, unless the palette is closed before the search begins or while it lasts."""

        async def if_there() -> None:
            try:
                if self.query(CommandList):
                    await work()
            except NoMatches:
                if self.query(CommandList):
                    raise

        return super().run_worker(if_there, *arguments, **options)

    def _action_command_list(self, action: str) -> None:
        """Move in the list, once it has lines."""
        if self.query_one(CommandList).size.area:
            super()._action_command_list(action)


def _commands(app: Host) -> Iterator[PaletteEntry]:
    for command in Command:
        for title, words, do in (
            (f"run {command}", f"Show the plan of {command}, then run it.", Overview.start),
            (
                f"access of {command}",
                f"Ask the registry what the login of {command} may do.",
                Overview.open_access,
            ),
            (f"why {command}", f"Show which login {command} uses, and why.", Overview.select_command),
        ):
            yield PaletteEntry(title, words, partial(_on_overview, app, do, command))


def _actions(app: Host, here: str) -> Iterator[PaletteEntry]:
    """Yield the actions of this place as they are, then those of other places, with the place."""
    own, read_only = app.session.keys, bool(app.session.read_only)
    scopes = PLACES.get(here, ("everywhere",))
    for action in (each for each in ACTIONS if each.scope in scopes):
        words = f"{action_help(action, read_only=read_only)}  {key_name(action, own)}"
        yield PaletteEntry(action.title, words, partial(_do, app, action))
    for action in (each for each in ACTIONS if each.scope not in scopes):
        place = SCOPES[action.scope]
        words = f"{action_help(action, read_only=read_only)}  {key_name(action, own)} there"
        yield PaletteEntry(f"{place}: {action.title}", words, partial(_do_there, app, action))


def _variables(app: Host) -> Iterator[PaletteEntry]:
    for entry in listed(app.session.facts):
        title = f"edit {option_name(entry)}"
        yield PaletteEntry(title, entry.means, partial(_on_overview, app, Overview.edit, entry))


def _scenarios(app: Host) -> Iterator[PaletteEntry]:
    """Yield the scenarios that were opened or saved recently."""
    from dockpass.session.scenario_files import Recent, name_of  # few look for one at the start

    services = app.session.services
    for path in Recent(services.state).paths():
        name = clean(name_of(path, services.cwd), 200)
        words = "Open this scenario: its job, its pipeline and its variables."
        yield PaletteEntry(f"scenario {name}", words, partial(_on_overview, app, _open_scenario, path))


def _open_scenario(overview: Overview, path: Path) -> None:
    from dockpass.ui.scenario_opener import open_scenario  # it loads what reads one

    open_scenario(overview, overview.session, path)


def _repositories(app: Host) -> Iterator[PaletteEntry]:
    """Yield the repositories of earlier runs, the youngest first."""
    for name in recent(app.session.services.state):
        shown = cut(app.session.services.redactor(name), _LONGEST)
        yield PaletteEntry(
            f"repository {shown}",
            "Look at this repository: an edit of the option repo, which can be undone.",
            partial(_on_overview, app, _take_repository, name),
        )


def _do(app: Host, action: Action) -> None:
    """Do an action of the present screen, if it can be done now."""
    screen = app.screen
    if screen.check_action(action.id, ()) is False:
        app.notify(f"{action.title} is not available here right now.", timeout=4)
    else:
        app.call_later(app.run_action, action_string(action), screen)


def _do_there(app: Host, action: Action) -> None:
    """Go where the action works: it is done there by its key, for it may have to be chosen what with."""
    if any(opener.opens == action.scope for opener in ACTIONS):
        _on_overview(app, _open, action.scope)
    elif action.scope in {"overview", "sandbox"}:
        _on_overview(app, _stay, None)
    else:
        app.notify(f"{action.title} works only on the screen of a run.", timeout=4)


def _open(overview: Overview, place: str) -> None:
    overview.call_later(overview.action_open, place)


def _take_repository(overview: Overview, name: str) -> None:
    overview.session.edit(edit_of("repo", name, option=True))
    overview.refresh_all()


def _stay(_overview: Overview, _: None) -> None:
    """Do nothing but be there."""


What = TypeVar("What")


def _on_overview(app: Host, do: Callable[[Overview, What], None], what: What) -> None:
    """Do something on the overview; a run that goes on is not left for it."""
    while not isinstance(app.screen, Overview):
        screen = app.screen
        goes_on = isinstance(screen, RunScreen) and not screen.run_.ended
        if len(app.screen_stack) <= 1 or goes_on or screen.is_modal:
            app.notify("Go back to the overview first.", timeout=4)
            return
        screen.dismiss(None)
    do(app.screen, what)


def _theme(app: Host, name: str) -> None:
    app.theme = name
