"""Our own themes can be read."""

from __future__ import annotations

import pytest
from textual.color import Color
from textual.theme import Theme

from dockpass.auth.rules import RULES
from dockpass.ui.themes import DARK, LIGHT, ROLE_STYLES, role_variables


def luminance(colour: Color) -> float:
    parts = [
        part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in colour.normalized
    ]
    return 0.2126 * parts[0] + 0.7152 * parts[1] + 0.0722 * parts[2]


def contrast(one: str, other: str) -> float:
    """The contrast ratio of WCAG 2."""
    light, dark = sorted((luminance(Color.parse(one)), luminance(Color.parse(other))), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("theme", [DARK, LIGHT], ids=lambda theme: theme.name)
def test_every_role_stands_out_from_the_ground(theme: Theme) -> None:
    roles = role_variables(dark=theme.dark)
    grounds = [str(theme.background), str(theme.panel), roles["role-cursor"]]
    quiet = {"role-absent": 3.0, "role-track": 0, "role-cursor": 0, "role-frame": 0}
    low = {
        (name, ground): round(contrast(colour, ground), 2)
        for name, colour in {**roles, "foreground": str(theme.foreground)}.items()
        for ground in grounds
        if contrast(colour, ground) < quiet.get(name, 4.5)
    }
    assert not low


def test_every_login_method_has_a_style() -> None:
    assert {rule.role for rule in RULES if rule.method} <= ROLE_STYLES.keys()


def test_every_role_has_a_colour() -> None:
    for style in ROLE_STYLES.values():
        for word in style.split():
            if word.startswith("$"):
                assert word[1:] in role_variables(dark=True)
                assert word[1:] in role_variables(dark=False)
