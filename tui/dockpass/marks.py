"""The marks that stand in front of a line, on the command line and on the screen."""

from __future__ import annotations

from collections.abc import Mapping

from dockpass.findings import Severity

GLYPH_METHOD = "●"
GLYPH_NOW = "▶"
GLYPH_DONE = "✓"
GLYPH_FAILED = "✗"
GLYPH_NOT_REACHED = "·"
GLYPH_LOOK = "▲"
GLYPH_EDITED = "~"

OF_SEVERITY: Mapping[Severity, str] = {
    Severity.ERROR: GLYPH_FAILED,
    Severity.WARNING: GLYPH_LOOK,
    Severity.NOTE: GLYPH_NOT_REACHED,
}
OF_ANSWER: Mapping[bool | None, str] = {True: GLYPH_DONE, False: GLYPH_FAILED, None: GLYPH_LOOK}
"""Yes, no, and not known."""
