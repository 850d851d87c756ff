"""Makes the pages that come from the code: keys and settings. `--check` fails where one is stale."""

from __future__ import annotations

import sys
from dataclasses import fields
from pathlib import Path

from dockpass.keymap import keys_page
from dockpass.settings import Settings

DOCS = Path(__file__).resolve().parents[1] / "docs"


def settings_page() -> str:
    """Return docs/settings.md."""
    lines = [
        "# Settings",
        "",
        "A TOML file; `dockpass paths` says where it is, `dockpass settings` what holds and why. It need not",
        "exist. `DOCKPASS_CONFIG` names another file. What is wrong in it is said, with what may be meant,",
        "and the default is used meanwhile: a setting, theme, action or key that there is not, or one key",
        "for two actions. Choosing a theme on the screen changes that line and keeps the rest of the file,",
        "comments included.",
        "",
        "| setting | default | what it is |",
        "|---|---|---|",
    ]
    defaults = Settings()
    for found in fields(Settings):
        value = getattr(defaults, found.name)
        shown = str(value).lower() if isinstance(value, bool) else repr(value).replace("'", '"')
        lines.append(f"| `{found.name}` | `{shown}` | {found.metadata['help']} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Make or check the pages; return the exit status."""
    stale = []
    for name, text in (("keys.md", keys_page()), ("settings.md", settings_page())):
        path = DOCS / name
        if "--check" not in sys.argv:
            path.write_text(text, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            stale.append(name)
    if stale:
        print(f"stale pages: {', '.join(stale)}; run `make docs`", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
