"""Docker's command line as the judge of env files: it reads them itself, and an engine of the test's own listens."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from fakeengine import Answer, FakeEngine


def read_by_docker(docker: str, text: str, environ: Mapping[str, str]) -> dict[str, str] | None:
    """Return the variables that `docker create --env-file` takes from a file; None where it refuses the file."""
    server = FakeEngine()
    try:
        version = {"Api-Version": "1.41"}
        server.on("GET /_ping", Answer(body="OK", headers=version))
        server.on("POST /containers/create", Answer(201, {"Id": "made", "Warnings": []}, headers=version))
        with TemporaryDirectory() as home:
            file = Path(home) / "job.env"
            file.write_text(text, encoding="utf-8", newline="")
            own = {"HOME": home, "PATH": os.environ["PATH"], "DOCKER_HOST": server.url}
            subprocess.run(
                [docker, "create", "--env-file", str(file), "image"],
                env={**environ, **own},
                capture_output=True,
                timeout=20,
            )
        created = [asked for asked in server.asked if asked.path.endswith("/containers/create")]
    finally:
        server.stop()
    if not created:
        return None
    listed = json.loads(created[-1].body)["Env"] or []
    return {name: value for name, _, value in (each.partition("=") for each in listed)}
