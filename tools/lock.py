"""Writes the locks of a run, of development and of the site: exact versions, and no index named.

The versions are those that a fresh environment gets; the runtime ones stand in the first file.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
HEADER = "# Made by `make lock`: exact versions of what {what} needs.\n"


def freeze(*arguments: str) -> set[str]:
    """Return `name==version` lines of a fresh environment with `arguments` installed."""
    with tempfile.TemporaryDirectory() as directory:
        subprocess.run([sys.executable, "-m", "venv", directory], check=True)
        pip = [f"{directory}/bin/python", "-m", "pip", "--disable-pip-version-check"]
        subprocess.run([*pip, "install", "--quiet", "--upgrade", "pip"], check=True)  # dependency groups
        subprocess.run([*pip, "install", "--quiet", *arguments], cwd=ROOT, check=True)
        listed = subprocess.run([*pip, "freeze", "--exclude", "dockpass"], capture_output=True, check=True)
    return {line for line in listed.stdout.decode().splitlines() if "==" in line}


def main() -> None:
    """Write both files."""
    runtime = freeze(".")
    everything = freeze("--group", "dev", ".")
    site = freeze("--group", "site")
    for name, what, lines in (
        ("requirements.lock", "a run", runtime),
        ("requirements-dev.lock", "development, beside a run,", everything - runtime),
        ("requirements-site.lock", "the documentation site", site),
    ):
        text = HEADER.format(what=what) + "\n".join(sorted(lines, key=str.lower)) + "\n"
        (ROOT / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
