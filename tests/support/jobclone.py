"""A clone of a GitLab project on disk, and `dockpass vars` run in it."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from dockpass.cli.main import cli

CANARY = "gldt-Canary-4f7Kq2wE"


def make_clone(
    root: Path,
    yaml: str,
    *,
    branch: str = "feature/login",
    origin: str = "git@gitlab.example.com:acme/shop.git",
    settings: Sequence[dict[str, Any]] = (),
) -> Path:
    """Make a clone whose branch has no commit yet; `settings` are the project's, as the API lists them."""
    root.mkdir(exist_ok=True)
    for arguments in (("init", "-q", "-b", branch), ("remote", "add", "origin", origin)):
        subprocess.run(["git", *arguments], cwd=root, check=True)
    (root / ".gitlab-ci.yml").write_text(yaml)
    if settings:
        (root / "settings.json").write_text(json.dumps(settings))
    return root


def run_vars(*arguments: str, answer: str = "") -> Result:
    return CliRunner().invoke(cli, ["vars", *arguments], input=answer, standalone_mode=False)
