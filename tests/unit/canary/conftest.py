from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from planted import Planted, planted


@pytest.fixture
def machine(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> Iterator[Planted]:
    """A machine on which every input holds a secret."""
    with planted(tmp_path, monkeypatch, capfd) as made:
        yield made
