"""The plan of a program, before anything is created for it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from dockpass.dockerconfig.carried import carried_from, original_directory
from dockpass.programs.environment import ProgramEnvironment
from dockpass.programs.lines import plan, warnings
from dockpass.programs.run import environment_of
from dockpass.programs.task import Task
from dockpass.runs.services import Services

CONFIG = Path("CONFIG")
"""Stands for the config's directory in a plan, before there is one."""


@dataclass(frozen=True, slots=True)
class Planned:
    """`rows` are titles and what holds, `warnings` what may lead the program to another login."""

    rows: list[tuple[str, str]]
    warnings: tuple[str, ...]
    environment: ProgramEnvironment


def planned(task: Task, services: Services) -> Planned:
    """Return the plan of a program. Reads the person's docker config, and no login in it."""
    environ = services.environ
    carried = carried_from(original_directory(environ, services.home), environ)
    environment = environment_of(task, services, CONFIG, carried)
    return Planned(plan(task, environment, carried), tuple(warnings(task, environ)), environment)
