"""Everything that scrolls is moved in by the keys of vi, searched, and shows its long lines whole."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from readerworld import World
from screens import press, shown
from textual.containers import ScrollableContainer
from textual.pilot import Pilot
from textual.scroll_view import ScrollView
from textual.widget import Widget
from textual.widgets import Input

from dockpass.actions import ACTIONS
from dockpass.runs import events as ev
from dockpass.ui.screens.base import PanelScreen
from dockpass.ui.screens.dialogs import Confirm, ConfirmDeletion, Reading
from dockpass.ui.screens.run import AT_ONCE, RunScreen
from dockpass.ui.search import Search
from dockpass.ui.views.words import plain
from dockpass.ui.widgets.lines import Lines
from dockpass.ui.widgets.moving import Moving
from dockpass.ui.widgets.panel import Panel, Text
from dockpass.ui.widgets.rows import Rows
from dockpass.ui.widgets.search_line import SearchLine
from scenes import FOREIGN, JOB, SANDBOX, SANDBOX_JOB, _with_images, session

KEYS = ("j", "k", "g", "G", "ctrl+d", "ctrl+u", "h", "l", "z", "n", "N")
LOG = tuple(
    ev.Log(n / 1000, ev.LogKind.ENGINE, f"line {n} of the Engine {'and so on ' * 30}") for n in range(120)
)
TAGS = tuple(
    ev.TagPlanned(0.1, f"feature-{n:03d}", "sha256:0", "", 1, "delete", f"{n} days old") for n in range(90)
)
WAYS = [
    (),
    *((action.keys,) for action in ACTIONS if action.opens and action.scope == "overview"),
    ("2", "enter"),
    ("2", "enter", "r"),
    ("4", "enter", "enter", "r"),
    ("question_mark",),
    ("tab", "e"),
    ("tab", "down", "r"),
    ("tab", "down", "r", "y"),
    ("exclamation_mark",),
    ("v", "b"),
    ("v", "J"),
    ("v", "i"),
    ("d", "less_than_sign"),
]
"""The keys that lead to every screen and to every kind of dialog."""


def scrolling(pilot: Pilot[int]) -> Iterator[Widget]:
    """Yield each widget of the screen that scrolls and can have the keys."""
    for each in pilot.app.screen.query("*"):
        is_list = isinstance(each, ScrollView | ScrollableContainer)
        if is_list and each.can_focus and not isinstance(each, Input):
            yield each


@pytest.mark.parametrize("way", WAYS, ids=str)
async def test_whatever_scrolls_has_every_key_and_a_search(way: tuple[str, ...]) -> None:
    made = session(JOB, script=(*LOG, *TAGS, ev.Asked(0.2, "Delete 90 tags?", "…")), world=World())
    async with shown(made) as pilot:
        await press(pilot, *way)
        if isinstance(pilot.app.screen, RunScreen):
            pilot.app.screen.pump()
            await pilot.pause()
        found = list(scrolling(pilot))
        for each in found:
            assert isinstance(each, Moving), each
            missing = set(KEYS) - set(each._bindings.key_to_bindings)
            assert not missing, (each, missing)
        assert found or pilot.app.screen.query(Input)
        for each in found:
            if not each.display or each.region.height == 0 or str(each.id).endswith("-notice"):
                continue
            pilot.app.screen.set_focus(each)
            await press(pilot, "slash")
            assert isinstance(pilot.app.focused, Input), each
            await press(pilot, "escape")


@pytest.mark.parametrize("place", sorted({action.opens for action in ACTIONS} - {""}))
@pytest.mark.parametrize("size", [(80, 24), (120, 36)])
async def test_a_digit_goes_to_each_panel(place: str, size: tuple[int, int]) -> None:
    opener = next(action.keys for action in ACTIONS if action.opens == place)
    async with shown(session(JOB, world=World()), size) as pilot:
        await press(pilot, opener)
        screen = pilot.app.screen
        assert isinstance(screen, PanelScreen)
        digits = [action.keys for action in ACTIONS if action.scope == place and action.panel]
        assert digits == [str(at + 1) for at in range(len(screen.PANELS))]
        for digit, panel in zip(digits, screen.PANELS, strict=True):
            await press(pilot, digit)
            if panel in screen.panels():
                assert screen.focused is screen.query_one(f"#{panel}")
                assert screen.focused.region.height > 0


async def test_digits_go_to_the_panels_of_the_overview_and_of_a_run() -> None:
    async with shown(session(JOB, script=LOG), (80, 24)) as pilot:
        for key, panel in (("6", "environment"), ("7", "why"), ("3", "commands")):
            await press(pilot, key)
            assert pilot.app.focused is not None
            assert pilot.app.focused.id == panel
        await press(pilot, "2", "enter", "r")
        for key, panel in (("2", "lifecycle"), ("4", "lifecycle"), ("1", "log"), ("tab", "lifecycle")):
            await press(pilot, key)
            assert pilot.app.focused is not None
            assert pilot.app.focused.id == panel


async def test_a_text_is_searched_and_every_match_is_gone_to() -> None:
    async with shown(session(JOB), (80, 24)) as pilot:
        why = pilot.app.screen.query_one("#why", Panel)
        await press(pilot, "tab", "tab")
        assert pilot.app.focused is why
        await press(pilot, "slash", *"NOT SET")
        line = pilot.app.screen.query_one(SearchLine)
        words = str(line.query_one("#search-place").render())  # type: ignore[attr-defined]
        total = len(why._matches)
        assert total > 1
        assert words == f"1 of {total} · esc ends"
        await press(pilot, "enter")
        assert pilot.app.focused is why
        seen = set()
        for _ in range(total):
            await press(pilot, "n")
            seen.add(why._at)
            row = why._row_of(why._at)
            assert 0 <= row - why.scroll_offset.y < why.size.height
        assert len(seen) == total
        await press(pilot, "N")
        assert why._at == total - 1
        await press(pilot, "escape")
        assert not why._matches
        assert not line.display
        assert pilot.app.screen.query_one("#commands", Rows) is not None


async def test_a_key_of_the_search_is_one_of_the_screen_where_nothing_is_searched() -> None:
    async with shown(session(SANDBOX_JOB, sandbox=SANDBOX)) as pilot:
        await press(pilot, "tab", "tab", "n")
        assert "step 2" in str(pilot.app.screen.query_one("#tour").border_title).casefold() or (
            "2 of" in str(pilot.app.screen.query_one("#tour").border_title)
        )


async def test_n_goes_through_what_a_filter_leaves() -> None:
    async with shown(session(JOB)) as pilot:
        rows = pilot.app.screen.query_one("#environment", Rows)
        await press(pilot, "slash", *"registry", "enter")
        first = rows.highlighted
        await press(pilot, "n")
        assert rows.highlighted != first
        await press(pilot, "N")
        assert rows.highlighted == first


async def test_long_log_lines_are_wrapped_and_read_sideways() -> None:
    async with shown(session(JOB, script=LOG), (80, 24)) as pilot:
        await press(pilot, "2", "enter", "r")
        screen = pilot.app.screen
        assert isinstance(screen, RunScreen)
        screen.pump()
        await pilot.pause()
        log = screen.query_one("#log", Lines)
        await press(pilot, "f", "g", "l", "l")
        assert log.scroll_offset.x == 16
        await press(pilot, "h", "h", "h")
        assert log.scroll_offset.x == 0
        await press(pilot, "z", "g")
        await pilot.pause()
        assert log.virtual_size.width <= log.size.width
        assert log.virtual_size.height > 3 * 120
        text = "".join(log.render_line(y).text.strip() + " " for y in range(log.virtual_size.height))
        assert "line 0 of the Engine and so on" in text
        whole = " ".join(plain([part for y in range(6) if (part := log._row(y)) is not None]))
        assert whole.count("and so on") >= 30 or log._starts[1] < 6
        await press(pilot, "G")
        assert log.scroll_offset.y == log.max_scroll_y
        await press(pilot, "z")
        await pilot.pause()
        assert log.virtual_size.height == 120


async def test_what_is_cut_in_a_list_is_shown_whole() -> None:
    name = "registry.myhost.com/" + "a-very-long-name/" * 8 + "end"
    async with shown(session({**JOB, "CI_REGISTRY_IMAGE": name}), (80, 24)) as pilot:
        rows = pilot.app.screen.query_one("#environment", Rows)
        await press(pilot, "tab")
        cut = _seen(rows)
        assert "name/end" not in cut
        await press(pilot, "z")
        await press(pilot, *["l"] * 30)
        assert "name/end" in _seen(rows)
        await press(pilot, *["h"] * 40)
        assert _seen(rows) == cut
        assert not rows.shows_whole


def _seen(rows: Rows) -> str:
    return "\n".join(rows.render_line(y).text for y in range(rows.size.height))


async def test_a_question_is_searched_and_the_search_is_left_before_it() -> None:
    async with shown(session(JOB, edits=(FOREIGN,)), (60, 16)) as pilot:
        await press(pilot, "2", "enter")
        question = pilot.app.screen
        assert isinstance(question, Confirm)
        await press(pilot, "slash", *"registry")
        body = question.query_one("#body", Text)
        assert body._matches
        await press(pilot, "enter", "escape")
        assert pilot.app.screen is question
        assert not body._matches
        await press(pilot, "escape")
        assert pilot.app.screen is not question


async def test_help_is_searched() -> None:
    async with shown(session(JOB), (80, 24)) as pilot:
        await press(pilot, "question_mark", "slash", *"token server", "enter")
        body = pilot.app.screen.query_one("#body", Text)
        assert isinstance(pilot.app.screen, Reading)
        assert body.scroll_offset.y > 0
        assert "token server" in body._text.render().plain  # type: ignore[union-attr]


async def test_a_deletion_shows_every_tag_however_many_there_are() -> None:
    many = tuple(ev.TagPlanned(0.1, f"t{n:06d}", "sha256:0", "", 1, "delete", "old") for n in range(21_000))
    async with shown(session(JOB), (80, 24)) as pilot:
        pilot.app.push_screen(ConfirmDeletion("Delete 21,000 tags?", many))
        await pilot.pause()
        await pilot.pause()
        body = pilot.app.screen.query_one("#body", Lines)
        assert body.virtual_size.height == 21_000
        assert "t000000" in body.render_line(0).text


async def test_text_is_selected_with_the_mouse_in_a_list_and_in_a_text() -> None:
    async with shown(_with_images()) as pilot:
        await press(pilot, "i")
        for panel, row in (("#images", 2), ("#image", 1)):
            await pilot.mouse_down(panel, offset=(2, row))
            await pilot.hover(panel, offset=(14, row))
            await pilot.mouse_up(panel, offset=(14, row))
            await pilot.pause()
            text = pilot.app.screen.get_selected_text()
            assert text, panel
            assert len(text) >= 10
        assert isinstance(pilot.app.screen, PanelScreen)


TEXTS = st.lists(st.text(alphabet="abAB \u00e4ß", max_size=12), max_size=60)


@given(TEXTS, st.lists(st.text(alphabet="abß", max_size=3), max_size=4), st.integers(1, 40))
def test_a_search_finds_what_a_plain_look_finds(lines: list[str], texts: list[str], most: int) -> None:
    search = Search(most=most)
    kept: list[str] = []
    for at, line in enumerate(lines):
        search.add([((line, "text"),)])
        kept = [*kept, line][-most:]
        if texts:
            text = texts[at % len(texts)].casefold()
            wanted = [each.rstrip() for each in kept if text in each.rstrip().casefold()] if text else kept
            found = plain(search.find(text))
            assert found == [each.rstrip() for each in wanted]
    assert len(search) == len(kept)


async def test_a_run_that_says_much_is_taken_in_parts_and_whole() -> None:
    many = tuple(ev.Log(n / 1000, ev.LogKind.ENGINE, f"line {n}") for n in range(AT_ONCE * 2 + 7))
    async with shown(session(JOB, script=many), (80, 24)) as pilot:
        await press(pilot, "2", "enter", "r")
        screen = pilot.app.screen
        assert isinstance(screen, RunScreen)
        for _ in range(5):
            await pilot.pause()
        log = screen.query_one("#log", Lines)
        assert plain(log.lines)[-1].endswith(f"line {AT_ONCE * 2 + 6}")
        assert len(log.lines) == AT_ONCE * 2 + 7
        await press(pilot, "slash", *"line 4000")
        assert [line.partition("  ")[2] for line in plain(log.lines)] == ["line 4000"]
