"""What tests need of the machine: where it is missing they are skipped, and in CI they fail."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path
from typing import NoReturn

import pytest


def missing(reason: str) -> NoReturn:
    """Skip the test for a reason; with CI=true it fails, because CI has to have everything."""
    if os.environ.get("CI", "").lower() in {"true", "1"}:
        pytest.fail(f"CI has to have it: {reason}")
    pytest.skip(reason)


def reads_everything() -> bool:
    """Tell whether file modes do not bind this process, as root's rights do."""
    with tempfile.NamedTemporaryFile() as file:
        Path(file.name).chmod(0)
        return os.access(file.name, os.R_OK)


def root(reason: str) -> None:
    """Go on as root only."""
    if os.getuid() != 0:
        missing(reason)
