"""Makes the pictures of every scene (SVG and PNG); `--check` fails where one is stale, as a test does."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "tests" / "support")]
os.environ["TEXTUAL_ANIMATIONS"] = "none"
os.environ["COLORTERM"] = "truecolor"
for name in ("NO_COLOR", "TEXTUAL_THEME"):
    os.environ.pop(name, None)

from textual.pilot import Pilot
from textual.widgets import Input

from dockpass.ui.app import DockpassApp
from scenes import SCENES, Scene

_FONT_FACE = re.compile(r"@font-face \{.*?\}\s*", re.DOTALL)
_UNIQUE = re.compile(r"terminal-\d+")


async def picture(scene: Scene) -> str:
    """Return the scene as SVG, without anything that differs from run to run."""
    session = scene.session()
    app = DockpassApp(session)
    app.theme = scene.theme
    size = (scene.width, scene.height)
    async with app.run_test(size=size, notifications=True, tooltips=True) as pilot:
        await pilot.pause()
        await app.workers.wait_for_complete()
        await pilot.pause()
        app.clear_notifications()
        for key in scene.keys:
            await pilot.press(key)
            await pilot.pause()
            await _pump(app, pilot)
        for field in app.screen.query(Input):
            field.cursor_blink = False  # a cursor that blinks is there by chance
        await pilot.pause()
        await pilot.pause()
        svg = app.export_screenshot(title="dockpass")
    svg = _FONT_FACE.sub("", svg).replace("Fira Code", "DejaVu Sans Mono")
    return "\n".join(line.rstrip() for line in _UNIQUE.sub("terminal", svg).splitlines()) + "\n"


async def _pump(app: DockpassApp, pilot: Pilot[int]) -> None:
    """Have every screen take what came meanwhile, as it does many times a second."""
    for screen in app.screen_stack:
        pump = getattr(screen, "pump", None)
        if pump is not None:
            pump()
    await pilot.pause()


def write_png(svg: str, path: Path) -> None:
    """Draw the SVG with the machine's own mono font."""
    import resvg_py

    drawn = resvg_py.svg_to_bytes(
        svg_string=svg, font_family="DejaVu Sans Mono", monospace_family="DejaVu Sans Mono"
    )
    path.write_bytes(bytes(drawn))


def main() -> int:
    """Make or check the pictures; return the exit status."""
    check = "--check" in sys.argv[1:]
    wanted = set(sys.argv[1:]) - {"--check"}
    stale = []
    for scene in SCENES:
        if wanted and scene.name not in wanted:
            continue
        svg = asyncio.run(picture(scene))
        path = HERE / f"{scene.name}.svg"
        if check:
            if not path.exists() or path.read_text(encoding="utf-8") != svg:
                stale.append(scene.name)
            continue
        path.write_text(svg, encoding="utf-8")
        write_png(svg, path.with_suffix(".png"))
    if stale:
        print(f"stale pictures: {', '.join(stale)}; run `make screenshots`", file=sys.stderr)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
