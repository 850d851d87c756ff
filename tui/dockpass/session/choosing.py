"""What a person chooses for a run on the screen, and what follows from it for the facts.

What a build pulls follows from its file, and from who builds it: the classic builder pulls more than others.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dockpass.auth.command import Command
from dockpass.errors import UsageError
from dockpass.findings import Finding
from dockpass.runs.options import Chosen, is_secret_argument
from dockpass.runs.request import BuildOptions
from dockpass.secrets import Secret
from dockpass.session.buildersearch import Survey
from dockpass.session.pulled import Pulled, pulled_by
from dockpass.session.session import Session

if TYPE_CHECKING:
    from dockpass.buildfiles.find import BuildSources


def choose(session: Session, command: Command, chosen: Chosen) -> None:
    """Choose what the next run of a command does; secrets in it are masked from now on.

    A build may come from another file then, and pull other images.
    """
    for name, value in chosen.build.args.items():
        if is_secret_argument(name, value):
            session.services.redactor.learn(Secret(value))
    before = session.chosen.get(command, Chosen())
    session.chosen[command] = chosen
    if command is Command.BUILD and chosen.build != before.build:
        old, new = (_pulled(session, each.build) for each in (before, chosen))
        _replace_pulled(session, old, new)


def end_search(session: Session, survey: Survey | None = None) -> None:
    """Take who can build here, and tell the plan that waits for it; without a survey there is no engine."""
    build = session.chosen.get(Command.BUILD, Chosen()).build
    before = _pulled(session, build)
    session.search.builders, session.search.is_over = survey.builders if survey else None, True
    _replace_pulled(session, before, _pulled(session, build))
    session.search.heard()


def _replace_pulled(session: Session, old: Pulled, new: Pulled) -> None:
    if old == new or session.typed.froms:
        return
    session.found = replace(session.found, base_images=new.images, unknown_images=new.unknown)
    kept = [note for note in session.notes if note not in old.findings]
    session.notes = (*kept, *new.findings)


def _pulled(session: Session, build: BuildOptions) -> Pulled:
    """Return what a build pulls; nothing is known of one whose file cannot be read."""
    try:
        sources = session.sources(session.services.cwd, build)
        return pulled_by(sources, classic=_is_classic(session, sources, build))
    except UsageError as error:
        return Pulled(findings=(Finding(error.id, "build", error.message),))


def _is_classic(session: Session, sources: BuildSources, build: BuildOptions) -> bool:
    if session.search.builders is None:
        return False
    from dockpass.runs.builder import builds_classic

    return builds_classic(session.search.builders, sources, build)
