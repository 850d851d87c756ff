from collections.abc import Iterator
from pathlib import Path

import pytest
from program import Program


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    """The program in a home of the test's own, where no engine answers."""
    made = Program(tmp_path, {"DOCKER_HOST": f"unix://{tmp_path}/none.sock"})
    yield made
    made.remove()
