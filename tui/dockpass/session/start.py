"""The session that a screen starts with."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from dockpass.engines.choice import EngineChoice, detect_chosen, opener
from dockpass.paths import Paths
from dockpass.readonly import ReadOnly
from dockpass.runs.request import Typed
from dockpass.runs.services import Services, ordinary_policy
from dockpass.secrets import Redactor
from dockpass.session.assemble import Assembled
from dockpass.session.later import find_clone, find_kept, new_desk, nothing_kept, store_in
from dockpass.session.session import Sandbox, Session
from dockpass.settings import load_settings
from dockpass.variables.place import detect_place

if TYPE_CHECKING:
    from dockpass.builders.survey import Found
    from dockpass.engines.base import EngineInfo
    from dockpass.session.desk import Imported, Looking
    from dockpass.session.scenarios import Tried
    from dockpass.variables.gitlab.versions import Version


def find_all_builders(engine: EngineInfo, environ: Mapping[str, str], home: Path) -> Sequence[Found]:
    """Return every builder beside an engine; what finds them is loaded when it is needed."""
    from dockpass.builders.survey import all_builders

    return all_builders(engine, environ, home)


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedJob:
    """The job and the pipeline that a screen begins with, with the settings of files, each with its name.

    `version` is GitLab's where it was given; `no_snapshot` leaves out what was imported from GitLab. The
    scenario that was asked for is below all that, with the name that was typed.
    """

    looking: Looking
    imported: tuple[Imported, ...] = ()
    version: Version | None = None
    no_snapshot: bool = False
    scenario: Tried | None = None
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """What a screen starts from.

    `no_proxy` leaves the proxies of the environment unused; `typed` is what was typed beside the facts. The
    overview begins with the logins of the job that is `asked` for.
    """

    environ: Mapping[str, str] = field(repr=False)
    assembled: Assembled
    paths: Paths
    redactor: Redactor
    engine: EngineChoice
    sandbox: Sandbox | None = None
    no_proxy: bool = False
    typed: Typed = field(default_factory=Typed)
    asked: AskedJob | None = None
    read_only: ReadOnly = field(default_factory=ReadOnly)


def make_session(start: Start) -> Session:
    """Return the session of a start."""
    facts, engine = start.assembled.facts, start.engine
    home, cwd = Path(facts.home), Path(facts.cwd)
    policy = ordinary_policy(home, start.environ, start.redactor, no_proxy=start.no_proxy)
    services = Services(
        start.environ,
        home,
        cwd,
        start.paths.state,
        start.redactor,
        policy=policy,
        open_engine=opener(engine, policy),
        find_builders=find_all_builders,
        read_only=start.read_only,
    )
    loaded = load_settings(start.paths.settings)
    kept = partial(find_kept, cwd, start.environ, start.paths.state)
    session = Session(
        facts,
        detect_place(facts, os.path.isdir),
        services,
        loaded,
        start.paths,
        lambda: detect_chosen(engine, start.environ, home),
        open_store=partial(store_in, engine.store),
        notes=start.assembled.notes,
        sandbox=start.sandbox,
        typed=start.typed,
        make_desk=partial(new_desk, loaded.settings.gitlab_version),
        find_clone=partial(find_clone, cwd, start.environ),
        find_kept=nothing_kept if start.asked and start.asked.no_snapshot else kept,
    )
    if start.asked is not None:
        _look_as(session, start.asked)
    return session


def _look_as(session: Session, asked: AskedJob) -> None:
    """Begin with the job and the pipeline that are asked for, on top of the scenario."""
    from dockpass.session.desk import learn_imported
    from dockpass.session.scenario_entering import enter_scenario
    from dockpass.session.scenario_files import remember

    for imported in asked.imported:
        learn_imported(imported, session.services.redactor)
    if asked.scenario is not None:
        path = (session.services.cwd / asked.name).absolute()
        enter_scenario(session, asked.scenario, path, asked.name)
        remember(session, path)
        if asked.scenario.desk is None:
            return
    session.desk.imported = (*session.desk.imported, *asked.imported)
    session.desk.given_version = asked.version or session.desk.given_version
    session.desk = session.open_desk()
    session.desk.looking = asked.looking
    session.look_as_job(session.has_job)
