"""dockpass's own themes, and the colours of roles in every theme."""

from __future__ import annotations

from textual.theme import Theme

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


def role_variables(*, dark: bool) -> dict[str, str]:
    """Return the colours of the roles for a dark or a light theme."""
    return dict(DARK_ROLES if dark else LIGHT_ROLES)
