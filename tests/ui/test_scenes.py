"""Every scene looks as its picture does."""

from __future__ import annotations

from pathlib import Path

import pytest

from make import picture
from scenes import SCENES, Scene

PICTURES = Path(__file__).parents[2] / "screenshots"


@pytest.mark.parametrize("scene", SCENES, ids=[scene.name for scene in SCENES])
async def test_scene(scene: Scene) -> None:
    """You should see what screenshots/NAME.png shows."""
    assert await picture(scene) == (PICTURES / f"{scene.name}.svg").read_text(encoding="utf-8")


def test_every_picture_is_of_a_scene_and_drawn_both_ways() -> None:
    names = sorted(scene.name for scene in SCENES)
    assert [sorted(path.stem for path in PICTURES.glob(f"*.{kind}")) for kind in ("svg", "png")] == [
        names
    ] * 2


def test_no_secret_is_in_any_picture() -> None:
    found = [path.name for path in PICTURES.glob("*.svg") if "canary" in path.read_text(encoding="utf-8")]
    assert not found
