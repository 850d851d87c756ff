"""Every theme can be read, with colours and without."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from rich.color import ColorType
from rich.style import Style
from screens import press, shown
from textual.color import Color
from textual.pilot import Pilot
from textual.theme import BUILTIN_THEMES, Theme

from dockpass.auth.rules import RULES
from dockpass.colours import HUES
from dockpass.ui.themes import DARK, LIGHT, ROLE_STYLES, THEMES, contrast, role_variables, style_of
from dockpass.ui.views.words import PAINTED
from scenes import JOB, session

EVERY = {**BUILTIN_THEMES, **{theme.name: theme for theme in THEMES}}
COLOURED = [theme for theme in EVERY.values() if not theme.ansi]
OWN_COLOURS = [theme for theme in EVERY.values() if theme.ansi]
QUIET = {"role-absent": 3.0, "role-track": 1.15, "role-cursor": 1.1, "role-frame": 1.3}


@pytest.mark.parametrize("theme", COLOURED, ids=lambda theme: theme.name)
def test_every_role_stands_out_from_the_ground(theme: Theme) -> None:
    roles = role_variables(theme)
    made = theme.to_color_system().generate()
    grounds = [made["background"], made["panel"], roles["role-cursor"]]
    low = {
        (name, ground): round(contrast(Color.parse(colour), Color.parse(ground)), 2)
        for name, colour in roles.items()
        for ground in (grounds[:1] if name in {"role-track", "role-cursor", "role-frame"} else grounds)
        if contrast(Color.parse(colour), Color.parse(ground)) < QUIET.get(name, 4.5)
    }
    assert not low


@pytest.mark.parametrize("theme", OWN_COLOURS, ids=lambda theme: theme.name)
async def test_a_theme_of_the_terminal_has_only_its_colours(theme: Theme) -> None:
    assert all(colour.startswith("ansi_") for colour in role_variables(theme).values())
    made = session(JOB)
    made.loaded = replace(made.loaded, settings=replace(made.loaded.settings, theme=theme.name))
    async with shown(made) as pilot:
        for keys in ((), ("question_mark",), ("escape", "2", "enter")):
            await press(pilot, *keys)
            assert colours_of(pilot) <= {ColorType.DEFAULT, ColorType.STANDARD}


@pytest.mark.parametrize("name", sorted(EVERY))
async def test_without_colour_every_theme_can_be_read(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Only greys are drawn, and every text stands out from what is below it."""
    monkeypatch.setenv("NO_COLOR", "1")
    made = session(JOB)
    made.services = replace(made.services, environ={"NO_COLOR": "1"})
    made.loaded = replace(made.loaded, settings=replace(made.loaded.settings, theme=name))
    async with shown(made) as pilot:
        for text, style in drawn(pilot):
            if style.color is None or style.bgcolor is None:
                continue
            colour, ground = (Color.from_rich_color(each) for each in (style.color, style.bgcolor))
            assert colour.r == colour.g == colour.b
            assert ground.r == ground.g == ground.b
            if style.reverse:
                colour, ground = ground, colour
            if re.search(r"\w", text) and not style.dim:
                assert contrast(colour, ground) >= 2.5, (text, colour, ground)


def drawn(pilot: Pilot[int]) -> Iterator[tuple[str, Style]]:
    """Each text that the terminal gets, with its style."""
    for strip in pilot.app.screen._compositor.render_strips():
        for segment in strip:
            if segment.text.strip() and segment.style is not None:
                yield segment.text, segment.style


def colours_of(pilot: Pilot[int]) -> set[ColorType]:
    return {
        colour.type
        for _, style in drawn(pilot)
        for colour in (style.color, style.bgcolor)
        if colour is not None
    }


def test_every_login_method_has_a_style() -> None:
    assert {rule.role for rule in RULES if rule.method} <= ROLE_STYLES.keys()


def test_every_role_has_a_colour() -> None:
    painted = [style_of(f"{PAINTED}bold {hue}") for hue in HUES]
    for style in (*ROLE_STYLES.values(), *painted):
        for word in style.split():
            if word.startswith("$"):
                assert word[1:] in role_variables(DARK)
                assert word[1:] in role_variables(LIGHT)
