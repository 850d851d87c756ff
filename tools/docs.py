"""Makes what comes from the code: the man page, the schema, the rules; keys, settings, errors and checks.

`--check` fails if one is stale.
"""

from __future__ import annotations

import sys
from dataclasses import fields
from pathlib import Path
from typing import assert_never

from check_pages import check_pages
from error_sites import error_ids
from man_page import man_page

from dockpass.auth.login import ConfigEntries, GivenLogin, TokenLogin
from dockpass.auth.rules import CI_RULES, RULES, Rule
from dockpass.error_ids import errors_page
from dockpass.keymap import keys_page
from dockpass.settings import Settings
from dockpass.settings_schema import schema_text

DOCS = Path(__file__).resolve().parents[1] / "docs"


def settings_page() -> str:
    """Return docs/settings.md."""
    lines = [
        "# Settings",
        "",
        "A TOML file; `dockpass paths` shows where it is, `dockpass settings` the values in effect and where",
        "each comes from. The file is optional, and `DOCKPASS_CONFIG` names another one. An error in it (an",
        "unknown setting, theme, action or key, or one key for two actions) is reported with its line and",
        "what you may have meant, and the default is used instead. Choosing a theme on the screen changes",
        "only that line; your comments stay.",
        "",
        "`read_only` and `reveal` err on the safe side. If the name is misspelt, the value is neither `true`",
        "nor `false`, or the file is not valid TOML, the mode is on, and secrets stay hidden, until the line",
        "is corrected. A misspelt `read_only = false` or `reveal = true` changes nothing.",
        "[Security](security.md#read-only-mode) says what the mode does, and what else switches it on.",
        "",
        '    theme = "dockpass-light"',
        '    engine = "embedded"',
        "",
        "    [keys]",
        '    run = "ctrl+r"',
        "",
        "| setting | default | what it is |",
        "|---|---|---|",
    ]
    defaults = Settings()
    for found in fields(Settings):
        value = getattr(defaults, found.name)
        shown = "[]" if value == () else repr(value).replace("'", '"')
        shown = str(value).lower() if isinstance(value, bool) else shown
        lines.append(f"| `{found.name}` | `{shown}` | {found.metadata['help']} |")
    lines += [
        "",
        "## In an editor",
        "",
        "[A JSON Schema](settings.schema.json) describes the file. An editor with a TOML language server",
        "completes and checks settings, themes, actions and keys with it. Write the schema beside the file,",
        "and name it in the file's first line:",
        "",
        "    dockpass settings --schema > dockpass.schema.json",
        "",
        "```toml",
        "#:schema ./dockpass.schema.json",
        "```",
    ]
    return "\n".join(lines) + "\n"


RULES_BEGIN = "<!-- The table of rules is made from the code by tools/docs.py. -->"
RULES_END = "<!-- End of the table. -->"


def rules_table() -> list[str]:
    """Return the table of docs/login-methods.md: one row for each rule, in order."""
    off = " and ".join(str(number) for number, row in enumerate(RULES, 1) if row.id in CI_RULES)
    lines = ["| # | rule | holds if | login |", "|---|---|---|---|"]
    for number, row in enumerate(RULES, 1):
        lines.append(f"| {number} | {row.title} | {row.holds_when} | {_login(row, off)} |")
    return lines


def _login(row: Rule, off: str) -> str:
    match row.login:
        case TokenLogin(user, variable, _):
            return f"`{user}` with `{variable}`"
        case GivenLogin():
            return "that user name and password"
        case ConfigEntries(variable, below_home):
            default = f", or `~/{below_home}` if it is not set" if below_home else ""
            return f"none: the entries of the config in `{variable}`{default}"
        case None:
            return f"turns rules {off} off"
        case other:
            assert_never(other)


def login_methods_page() -> str:
    """Return docs/login-methods.md with its table made anew; everything else in it stays."""
    text = (DOCS / "login-methods.md").read_text(encoding="utf-8")
    before, _, rest = text.partition(RULES_BEGIN)
    _, end, after = rest.partition(RULES_END)
    if not end:
        raise SystemExit("docs/login-methods.md has lost the marks around its table")
    return "\n".join([before + RULES_BEGIN, "", *rules_table(), "", RULES_END + after])


def main() -> int:
    """Make or check the pages; return the exit status."""
    stale = []
    for name, text in (
        ("keys.md", keys_page()),
        ("settings.md", settings_page()),
        ("login-methods.md", login_methods_page()),
        ("errors.md", errors_page(error_ids())),
        ("settings.schema.json", schema_text()),
        ("dockpass.1", man_page()),
        *check_pages().items(),
    ):
        path = DOCS / name
        if "--check" not in sys.argv:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            stale.append(name)
    if stale:
        print(f"stale pages: {', '.join(stale)}; run `make docs`", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
