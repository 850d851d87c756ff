"""The rows of the images."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from dockpass.engines.embedded.upkeep import StoredImage
from dockpass.ui.views.images import heading_row, image_row

NOW = datetime(2026, 11, 27, tzinfo=UTC)
REPOSITORY = "registry.myhost.com/group/subgroup/backend"


def row_of(name: str, width: int) -> str:
    image = StoredImage(
        name=name,
        digest="sha256:" + "1" * 64,
        image_id="sha256:" + "2" * 64,
        platform="linux/amd64",
        size=1000,
        created="2026-11-26T00:00:00Z",
    )
    return "".join(part for part, _ in image_row(image, NOW, width))


@pytest.mark.parametrize("width", [56, 76, 116])
def test_two_tags_of_a_long_name_are_told_apart(width: int) -> None:
    rows = [row_of(f"{REPOSITORY}:{tag}", width) for tag in ("1.0", "1.1")]
    assert rows[0] != rows[1]
    assert ":1.0  " in rows[0]
    assert {len(row) for row in rows} == {len(heading_row(width)[0][0])}


def test_a_name_that_has_room_stands_whole() -> None:
    assert row_of("app:1", 56).startswith("app:1 ")
