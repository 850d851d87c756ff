"""What a person chooses for a run on the screen, and what follows from it for the facts."""

from __future__ import annotations

from dataclasses import replace

from dockpass.auth.command import Command
from dockpass.errors import UsageError
from dockpass.findings import Finding
from dockpass.runs.options import Chosen, is_secret_argument
from dockpass.runs.request import BuildOptions
from dockpass.secrets import Secret
from dockpass.session.pulled import Pulled, pulled_by
from dockpass.session.session import Session


def choose(session: Session, command: Command, chosen: Chosen) -> None:
    """Choose what the next run of a command does; secrets in it are masked from now on.

    A build may come from another file then, and pull other images.
    """
    for name, value in chosen.build.args.items():
        if is_secret_argument(name, value):
            session.services.redactor.learn(Secret(value))
    before = session.chosen.get(command, Chosen())
    session.chosen[command] = chosen
    if command is Command.BUILD and chosen.build != before.build and not session.typed.froms:
        old, new = (_pulled(session, each.build) for each in (before, chosen))
        session.found = replace(session.found, base_images=new.images, unknown_images=new.unknown)
        kept = [note for note in session.notes if note not in old.findings]
        session.notes = (*kept, *new.findings)


def _pulled(session: Session, build: BuildOptions) -> Pulled:
    """Return what a build pulls; nothing is known of one whose file cannot be read."""
    try:
        return pulled_by(session.sources(session.services.cwd, build))
    except UsageError as error:
        return Pulled(findings=(Finding(error.id, "build", error.message),))
