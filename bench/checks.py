"""Figures of `scenario check` and `doctor` in a large project, as whole processes."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from variables import large_project

_GOAL = "goal 300"
_SCENARIO = """\
schema = 1
name = "a job of a large project"
platform = "gitlab"
command = "push"
job = "job-3-4"

[context]
ref_type = "branch"
ref = "main"
protected = true

[[source]]
kind = "gitlab-yaml"
path = ".gitlab-ci.yml"

[[source]]
kind = "gitlab-api-json"
path = "project.json"
level = "project"

[expect]
method = "autologin"
"""
_FINDINGS = "findings = []\n"
"""What makes a scenario run every check."""


def measure_checks(dockpass: str, median: Callable[[Callable[[], float]], float]) -> Iterator[str]:
    """Yield the figures; `median` runs a measurement several times and returns milliseconds."""
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory, "large")
        large_project(root)
        (root / "logins.toml").write_text(_SCENARIO)
        (root / "findings.toml").write_text(_SCENARIO.replace("[expect]\n", f"[expect]\n{_FINDINGS}"))
        environ = {**os.environ}
        environ.pop("PYTHONDONTWRITEBYTECODE", None)  # each start would compile what is not compiled
        commands = {
            "scenario check": ("scenario", "check", "logins.toml"),
            "  with findings": ("scenario", "check", "findings.toml"),
            "doctor --job": ("doctor", "--job", "job-3-4", "--project-variables", "project.json"),
        }
        for name, words in commands.items():

            def whole(words: tuple[str, ...] = words) -> float:
                began = time.perf_counter()
                ended = subprocess.run(
                    [dockpass, *words], cwd=root, env=environ, capture_output=True, text=True, timeout=60
                )
                if ended.returncode > 1:  # 1 says that something was found
                    raise RuntimeError(ended.stderr)
                return time.perf_counter() - began

            yield f"{name:27}{median(whole):8.1f} ms   {_GOAL}"
