"""What `docker run --env-file` makes of a file is settled by docker's own command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from clientprograms import found
from envfilejudge import read_by_docker

CASES = [
    json.loads(line) for line in (Path(__file__).parents[1] / "cases/envfiles.jsonl").read_text().splitlines()
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_docker_reads_the_file_as_the_case_says(case: dict[str, Any]) -> None:
    assert read_by_docker(found("docker"), case["file"], case["environ"]) == case["docker"]
