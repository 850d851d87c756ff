"""dockpass's own themes, and the colours of roles in every theme."""

from __future__ import annotations

from collections.abc import Sequence

from textual.color import BLACK, WHITE, Color
from textual.theme import Theme

from dockpass.ui.views.words import PAINTED

ROLE_STYLES = {
    "text": "",
    "strong": "bold",
    "brand": "bold $role-accent",
    "badge": "bold reverse $role-look",
    "heading": "bold $role-label",
    "label": "$role-label",
    "absent": "$role-absent",
    "track": "$role-track",
    "accent": "bold $role-accent",
    "good": "$role-good",
    "look": "$role-look",
    "bad": "$role-bad",
    "revealed": "$role-bad",
    "method-autologin": "$role-autologin",
    "method-cleanup-token": "$role-cleanup-token",
    "method-options": "$role-options",
    "method-external": "$role-external",
    "method-ambient": "$role-label",
}
"""The style of each role; the words and glyphs carry the meaning too, so none is lost without colour."""

_HUES = {
    "red": "$role-bad",
    "green": "$role-good",
    "yellow": "$role-look",
    "blue": "$role-options",
    "magenta": "$role-autologin",
    "cyan": "$role-external",
    "grey": "$role-label",
}
"""What stands for each hue of a program's output: every theme has made sure that it can be read."""

DARK_ROLES = {
    "role-accent": "#5ccfe6",
    "role-label": "#93a1b5",
    "role-absent": "#6c7a8f",
    "role-track": "#2b3545",
    "role-good": "#87d96c",
    "role-look": "#ffcc66",
    "role-bad": "#ff8c7a",
    "role-autologin": "#c9a6ff",
    "role-cleanup-token": "#ffb454",
    "role-options": "#73b8ff",
    "role-external": "#5fd7b5",
    "role-cursor": "#1e2d45",
    "role-frame": "#323e50",
}
LIGHT_ROLES = {
    "role-accent": "#00687d",
    "role-label": "#4d5a6b",
    "role-absent": "#748194",
    "role-track": "#ccd4de",
    "role-good": "#2f6f1d",
    "role-look": "#8a5300",
    "role-bad": "#b3261e",
    "role-autologin": "#6a3fc0",
    "role-cleanup-token": "#8f4b00",
    "role-options": "#0b5cad",
    "role-external": "#006b54",
    "role-cursor": "#dbe6f5",
    "role-frame": "#b9c3d0",
}

ANSI_DARK_ROLES = {
    "role-accent": "ansi_bright_cyan",
    "role-label": "ansi_white",
    "role-absent": "ansi_white",
    "role-track": "ansi_bright_black",
    "role-good": "ansi_bright_green",
    "role-look": "ansi_bright_yellow",
    "role-bad": "ansi_bright_red",
    "role-autologin": "ansi_bright_magenta",
    "role-cleanup-token": "ansi_yellow",
    "role-options": "ansi_bright_blue",
    "role-external": "ansi_cyan",
    "role-cursor": "ansi_bright_black",
    "role-frame": "ansi_bright_black",
}
ANSI_LIGHT_ROLES = {
    "role-accent": "ansi_blue",
    "role-label": "ansi_default",
    "role-absent": "ansi_bright_black",
    "role-track": "ansi_white",
    "role-good": "ansi_green",
    "role-look": "ansi_magenta",
    "role-bad": "ansi_red",
    "role-autologin": "ansi_magenta",
    "role-cleanup-token": "ansi_red",
    "role-options": "ansi_blue",
    "role-external": "ansi_green",
    "role-cursor": "ansi_white",
    "role-frame": "ansi_bright_black",
}
"""The terminal's own colours, whatever they are there."""

DARK = Theme(
    name="dockpass-dark",
    dark=True,
    primary="#5ccfe6",
    secondary="#c9a6ff",
    accent="#5ccfe6",
    success="#87d96c",
    warning="#ffcc66",
    error="#ff8c7a",
    foreground="#d9e1ec",
    background="#0f141c",
    surface="#0f141c",
    panel="#151c27",
    variables={"footer-background": "#151c27", "footer-key-foreground": "#5ccfe6"},
)
LIGHT = Theme(
    name="dockpass-light",
    dark=False,
    primary="#00687d",
    secondary="#6a3fc0",
    accent="#00687d",
    success="#2f6f1d",
    warning="#8a5300",
    error="#b3261e",
    foreground="#1c2530",
    background="#f7f9fb",
    surface="#f7f9fb",
    panel="#e8edf3",
    variables={"footer-background": "#e8edf3", "footer-key-foreground": "#00687d"},
)
THEMES = (DARK, LIGHT)


def style_of(role: str) -> str:
    """Return the style of a role, or of what a program painted."""
    if role.startswith(PAINTED):
        return " ".join(_HUES.get(word, word) for word in role.removeprefix(PAINTED).split())
    return ROLE_STYLES[role]


STEPS = 20
LEAST_CONTRAST = 4.5
LEAST_OF_ABSENT = 3.0
"""What WCAG 2 asks of text, and of what need not be read."""
_NOT_TEXT = frozenset({"role-track", "role-cursor", "role-frame"})


def role_variables(theme: Theme) -> dict[str, str]:
    """Return the colours of the roles in a theme: each stands out from the theme's own grounds."""
    if theme.ansi:
        return dict(ANSI_DARK_ROLES if theme.dark else ANSI_LIGHT_ROLES)
    roles = dict(DARK_ROLES if theme.dark else LIGHT_ROLES)
    if theme in THEMES:
        return roles  # made for these
    made = theme.to_color_system().generate()
    ground, panel, text = (Color.parse(made[name]) for name in ("background", "panel", "foreground"))
    cursor = ground.blend(Color.parse(roles["role-accent"]), 0.15)
    roles |= {
        "role-cursor": cursor.hex6,
        "role-frame": ground.blend(text, 0.3).hex6,
        "role-track": ground.blend(text, 0.15).hex6,
    }
    for name in roles.keys() - _NOT_TEXT:
        least = LEAST_OF_ABSENT if name == "role-absent" else LEAST_CONTRAST
        roles[name] = standing_out(Color.parse(roles[name]), (ground, panel, cursor), least).hex6
    return roles


def standing_out(colour: Color, grounds: Sequence[Color], least: float) -> Color:
    """Return a colour, or one nearer to black or white that has the contrast on every ground."""
    strongest = max((WHITE, BLACK), key=lambda end: min(contrast(end, ground) for ground in grounds))
    for step in range(STEPS + 1):
        found = colour.blend(strongest, step / STEPS)
        if min(contrast(found, ground) for ground in grounds) >= least:
            break
    return found


def contrast(one: Color, other: Color) -> float:
    """Return the contrast ratio of WCAG 2, from 1 to 21."""
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def _luminance(colour: Color) -> float:
    red, green, blue = (
        part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in colour.normalized
    )
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue
