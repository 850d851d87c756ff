"""A project and programs for pictures: what a person has who builds an image and a chart."""

from __future__ import annotations

import atexit
import json
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from dockpass.errors import NotFound
from dockpass.programs.events import (
    ConfigChanged,
    ConfigRead,
    Ended,
    LeftRunning,
    ProgramEnded,
    ProgramStarted,
)
from dockpass.programs.shown import ShownProgram
from dockpass.programs.task import Outliving, Task
from dockpass.runs.events import ConfigCreated, ConfigRemoved, Log, LogKind
from dockpass.runs.services import Services
from dockpass.session.session import Session

PROGRAMS = frozenset({"docker", "docker-buildx", "docker-compose", "helm", "skopeo", "sh", "sudo"})
FILES = ("Dockerfile", "compose.yaml", "Chart.yaml", "backend-1.4.2.tgz")
HISTORY = (
    "docker buildx build --push -t registry.myhost.com/web/backend:main .\nskopeo login registry.myhost.com\n"
)
OWN = {
    "quay.io": {"auth": "bWU6Y2FuYXJ5LW93bi0wMTIzNA=="},
    "ghcr.io": {"auth": "bWU6Y2FuYXJ5LW93bi01Njc4OQ=="},
}
DIRECTORY = "/run/user/1000/dockpass-4711-0123456789ab"
KEY = "registry.myhost.com"
BUILD = (
    "#1 [internal] load build definition from Dockerfile",
    "#2 [auth] web/base:pull token for registry.myhost.com",
    "#3 [internal] load metadata for registry.myhost.com/web/base:3",
    "#4 [1/2] FROM registry.myhost.com/web/base:3@sha256:68520e5a0def",
    "#5 [2/2] COPY app /srv/app",
    "#6 exporting to image",
    "#6 pushing layers 1.2s done",
    "#6 pushing manifest for registry.myhost.com/web/backend:main@sha256:68520e5a0def 0.2s done",
)


def with_programs(made: Session) -> Session:
    """Let a session work in the project, with a docker config of the person's own."""
    root = Path(tempfile.mkdtemp(prefix="pictures-"))
    atexit.register(shutil.rmtree, root, ignore_errors=True)
    for path in ("work", "state", ".docker/cli-plugins", ".docker/buildx/instances"):
        (root / path).mkdir(parents=True)
    for name in FILES:
        (root / "work" / name).write_text("")
    (root / "state" / "programs").write_text(HISTORY)
    (root / ".docker" / "config.json").write_text(
        json.dumps({"auths": OWN, "proxies": {}, "HttpHeaders": {}})
    )
    made.services = replace(
        made.services,
        home=root,
        cwd=root / "work",
        state=root / "state",
        environ={"DOCKER_AUTH_CONFIG": "{}"},
    )
    made.find_program = _found
    made.start_program = _built
    return made


def _found(name: str, _environ: Mapping[str, str]) -> str:
    if name not in PROGRAMS:
        raise NotFound("program-not-found", f"There is no {name} in PATH.", "")
    return f"/usr/bin/{name}"


def _built(task: Task, services: Services) -> ShownProgram:
    """Tell of a build that pushed, while somebody logged in elsewhere and a process stayed."""
    shown = ShownProgram(task, services)
    where = "XDG_RUNTIME_DIR"
    shown.told(ConfigCreated(0.018, DIRECTORY, "0700", "0600", True, where, (KEY,)))
    shown.told(ProgramStarted(0.02, task.argv, 4712))
    for number, line in enumerate(BUILD):
        shown.feed.put(Log(0.4 + number * 0.9, LogKind.PROGRAM, line))
    shown.told(ProgramEnded(7.4, 0, 0, 7.4))
    shown.told(ConfigRead(7.41, 2))
    shown.told(ConfigChanged(7.41, ("quay.io",), (), ()))
    shown.told(LeftRunning(7.42, ((4733, "buildx"),), Outliving.LEAVE))
    shown.told(ConfigRemoved(7.43, DIRECTORY, True, "removed and verified"))
    shown.told(Ended(7.43, 0))
    return shown
