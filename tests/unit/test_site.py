"""Pages of docs as the site gets them."""

from __future__ import annotations

from pathlib import Path
from runpy import run_path

import pytest

moved = run_path(str(Path(__file__).parents[2] / "tools" / "site.py"))["moved"]


@pytest.mark.parametrize(
    ("text", "depth", "shown"),
    [
        ("[a](../CHANGELOG.md)", 0, "[a](CHANGELOG.md)"),
        ("[a](../../README.md)", 1, "[a](../README.md)"),
        ("[a](docs/keys.md)", 0, "[a](keys.md)"),
        ("| `--add-host` | a `b c` |\n", 0, "| `--add-host`{.whole} | a `b c` |\n"),
        ("|`A_B`|`x-y`, `z`|", 0, "|`A_B`{.whole}|`x-y`{.whole}, `z`{.whole}|"),
        ("text with `--add-host`, `a-b`\n", 0, "text with `--add-host`{.whole}, `a-b`\n"),
        ("```\n`--add-host`\n```\n    `--add-host`\n", 0, "```\n`--add-host`\n```\n    `--add-host`\n"),
        (f"| `{'x-' * 30}` |", 0, f"| `{'x-' * 30}` |"),
    ],
)
def test_links_are_moved_and_words_in_tables_stay_whole(text: str, depth: int, shown: str) -> None:
    assert moved(text, depth) == shown
