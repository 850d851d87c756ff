"""What a person works on: the facts as found, the edits on top, and what follows from them."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING

from dockpass.auth.command import Command
from dockpass.auth.decide import decide, decide_to_run
from dockpass.auth.decision import Decision, Refusal, WarningId
from dockpass.auth.facts import Edit, EditKind, Facts, SourceKind
from dockpass.auth.rules import REGISTRY_IMAGE
from dockpass.auth.whynot import WhyNot, applied, why_not
from dockpass.errors import DockpassError
from dockpass.findings import Finding
from dockpass.paths import Paths
from dockpass.readonly import ReadOnly
from dockpass.runs.request import BuildOptions, RunRequest, Typed
from dockpass.runs.services import Services
from dockpass.secret_source import value_of
from dockpass.secrets import Secret
from dockpass.session.assemble import findings_of
from dockpass.session.buildersearch import BuilderSearch
from dockpass.session.clipboard import Clipboard
from dockpass.session.edits import told_as_edited, unset_by
from dockpass.session.later import (
    find_program,
    new_desk,
    nothing_kept,
    probe_access,
    real_situation,
    sources_of_build,
    start_program,
    start_run,
    store_in,
    what_stops,
)
from dockpass.session.threads import in_thread
from dockpass.session.used_config import find_in_used_config
from dockpass.settings import LoadedSettings, Mute
from dockpass.text import clean
from dockpass.unknown import Unknown
from dockpass.variables.place import Place, PlaceKind

# The first table needs none of these: each is loaded by what it is for.
if TYPE_CHECKING:
    from dockpass.buildfiles.find import BuildSources
    from dockpass.dockerconfig.readers.situation import Situation
    from dockpass.engines.detect import EngineState
    from dockpass.engines.embedded.store import Store
    from dockpass.probe.plan import AccessPlan, AccessReport
    from dockpass.programs.shown import ShownProgram
    from dockpass.programs.task import Task
    from dockpass.runs.events import Status
    from dockpass.runs.options import Chosen
    from dockpass.runs.plan import Plan
    from dockpass.runs.run import Run
    from dockpass.session.desk import Desk
    from dockpass.session.scenario_context import OpenScenario
    from dockpass.variables.clone import Clone
    from dockpass.variables.gitlab.resolve import JobView
    from dockpass.variables.projectsettings import ProjectSettings

SECONDS_REVEALED = 10.0
SECONDS_TO_STOP = 5.0
LOOKS_PER_SECOND = 20
"""How often a screen takes what work in the background has found."""


def no_clone() -> Clone | None:
    """Return that there is no clone."""
    return None


@dataclass(frozen=True, slots=True)
class Sandbox:
    """What a session in a sandbox knows of it."""

    host: str
    repository: str
    cleanup_token: Secret
    external_config: str


@dataclass
class Session:
    """One person's session. `found` are the facts before any edit, `ended` and `programs` how its runs and
    its programs ended.

    `open_store` gives the embedded engine's images; `typed` is what was typed beside the facts.
    """

    found: Facts
    place: Place
    services: Services
    loaded: LoadedSettings
    paths: Paths
    detect: Callable[[], EngineState]
    start: Callable[[RunRequest, Services], Run] = start_run
    probe: Callable[..., Awaitable[AccessReport]] = probe_access
    find_program: Callable[[str, Mapping[str, str]], str] = find_program
    start_program: Callable[[Task, Services], ShownProgram] = start_program
    open_store: Callable[[], Store] = store_in
    notes: tuple[Finding, ...] = ()
    edits: list[Edit] = field(default_factory=list)
    sandbox: Sandbox | None = None
    ended: list[tuple[Command, Status]] = field(default_factory=list)
    programs: list[Status] = field(default_factory=list)
    situation: Callable[[Mapping[str, str], Path], Situation] = real_situation
    in_background: Callable[[Callable[[], None]], None] = in_thread
    clock: Callable[[], float] = time.monotonic
    typed: Typed = field(default_factory=Typed)
    find_clone: Callable[[], Clone | None] = field(default=no_clone, repr=False)
    find_kept: Callable[[], ProjectSettings] = field(default=nothing_kept, repr=False)
    make_desk: Callable[[], Desk] = new_desk
    own_desk: Desk | None = None
    """The desk, once somebody has come to it; `desk` has it in any case."""
    search: BuilderSearch = field(default_factory=BuilderSearch)
    """Who can build here, and whether that is known yet."""
    sources: Callable[[Path, BuildOptions], BuildSources] = sources_of_build
    reading: Run | None = None
    """The dry run that reads the tags for a preview, the last one."""
    chosen: dict[Command, Chosen] = field(default_factory=dict)
    """What was chosen for the runs of each command, beside the facts."""
    what_stops: Callable[[RunRequest, Services], DockpassError | None] = what_stops
    clipboard: Clipboard = field(default_factory=Clipboard)
    as_job: bool = False
    """Whether the logins are those that the chosen job would get, and not those of this process."""
    scenario: OpenScenario | None = None
    """The scenario that the session is in."""
    why_not_as_job: str = ""
    """Why the job's logins, which were wanted, cannot be shown; clean, and empty where nothing is wrong."""

    def as_of_now(self) -> Session:
        """Return the session as it is at this moment, for work beside the screen."""
        own = None if self.own_desk is None else replace(self.own_desk)
        return replace(self, edits=[*self.edits], own_desk=own)

    @property
    def desk(self) -> Desk:
        """The job and the pipeline that are looked at. A screen begins without one."""
        if self.own_desk is None:
            self.own_desk = self.make_desk()
        return self.own_desk

    @desk.setter
    def desk(self, desk: Desk) -> None:
        self.own_desk = desk

    @property
    def shown_place(self) -> Place:
        """Where we are, or whose view is shown: `as publish on feature/login`."""
        if not self.as_job:
            return self.place
        from dockpass.variables.inwords import protection_words

        looking = self.desk.looking
        label = f"as {clean(self._job_title(), 100) or 'every job'} on {clean(looking.ref.name, 100)}"
        return Place(
            PlaceKind.GITLAB, label, project=protection_words(looking.ref), ref=self.scenario_in_words
        )

    @property
    def scenario_in_words(self) -> str:
        """The file of the scenario, and whether something else is looked at by now; clean."""
        if self.scenario is None:
            return ""
        return f"{self.scenario.shown}{'' if self.desk.looking == self.scenario.looking else ', changed'}"

    @property
    def muted(self) -> tuple[Mute, ...]:
        """The findings that count for nothing: by the settings, and by the scenario."""
        return (*self.loaded.settings.muted, *(self.scenario.muted if self.scenario is not None else ()))

    @property
    def has_job(self) -> bool:
        """Whether there is a job whose logins can be shown: a chosen one, or the scenario's, or every job."""
        chosen = self.own_desk is not None and self.own_desk.looking.job
        return bool(chosen) or (self.scenario is not None and self.scenario.looking is not None)

    @property
    def own(self) -> Facts:
        """The facts of this process, also while a scenario without jobs is open."""
        return self.scenario.before.found if self.scenario is not None else self.found

    @property
    def read_only(self) -> ReadOnly:
        """Whether anything may be done at all."""
        return self.services.read_only

    @property
    def badges(self) -> tuple[str, ...]:
        """What every screen says of the session: that it is a sandbox, that it only reads."""
        sandbox = ("sandbox",) if self.sandbox is not None else ()
        return (*sandbox, "read-only") if self.read_only else sandbox

    @property
    def store(self) -> Store:
        """The store of the embedded engine's images."""
        return self.open_store()

    @property
    def keys(self) -> Mapping[str, str]:
        """The person's own keys, by the ids of actions."""
        return self.loaded.settings.keys

    @property
    def facts(self) -> Facts:
        """The facts with every edit made: those of this process, or those that the chosen job would get."""
        return self._facts(self.edits)

    def _facts(self, edits: Sequence[Edit]) -> Facts:
        if self.as_job:
            from dockpass.variables.gitlab.model import YamlError

            try:
                seen = self.desk.seen(self.all_edits(edits))
            except YamlError as error:
                where = f"{clean(str(error.place), 200)}: " if error.place.line else ""
                self._fall_back(f"GitLab would refuse the configuration: {where}{error.message.rstrip('.')}.")
            else:
                job = self.desk.looking.job
                if not job or seen.loaded.config.job(job) is not None:
                    return self.facts_of_job(seen.view, edits)
                self._fall_back(f"The configuration has no job {clean(job, 100)}.")
        return applied(self.found, tuple(edits))

    def own_logins(self) -> str:
        """Say that the chosen job logs in itself, where its logins are shown; else nothing."""
        if not self.as_job or not self.desk.looking.job:
            return ""
        from dockpass.variables.jobscript import own_logins_in_words

        return own_logins_in_words(self.desk.seen(self.all_edits()).script.logins)

    def _job_title(self) -> str:
        """Return the chosen job as GitLab lists it: of a matrix its instance."""
        from dockpass.variables.gitlab.model import YamlError

        try:
            return self.desk.seen(self.all_edits()).view.title or self.desk.looking.job
        except YamlError:
            return self.desk.looking.job

    def _fall_back(self, why: str) -> None:
        """Show this process's logins in place of the job's, and keep the reason for the screens."""
        self.as_job, self.why_not_as_job = False, why

    def look_as_job(self, wanted: bool) -> None:
        """Show the logins of the chosen job from now on, or those of this process."""
        self.as_job, self.why_not_as_job = wanted, ""

    def show_as_job(self, wanted: bool) -> None:
        """Show the logins of the chosen job, as far as there is one, or those of this process.

        The files are read anew: a person comes back to a job after a change of them.
        """
        self.look_as_job(wanted and self.has_job)
        if self.as_job:
            self.desk.forget()

    def facts_of_job(self, view: JobView, edits: Sequence[Edit] = ()) -> Facts:
        """Return what a program in a job would see; options and build files are those of this process."""
        from dockpass.variables.logins import facts_of

        options = tuple(each for each in edits if each.kind in {EditKind.GIVE, EditKind.DROP})
        here = applied(self.found, options)
        variables = facts_of(view, here.home, here.cwd).variables
        return replace(here, variables=told_as_edited(variables, self.all_edits(edits)), elsewhere=True)

    def open_desk(self) -> Desk:
        """Return the desk with the clone as it is now. Asks git, and takes a moment."""
        from dockpass.session.desk import open_desk

        redactor = self.services.redactor
        if self.scenario is not None:  # what was imported here is left out, as everywhere
            clone = self.scenario.find_clone(self.services.environ)
            return open_desk(clone, nothing_kept(), redactor, self.desk)
        return open_desk(self.find_clone(), self.find_kept(), redactor, self.desk)

    def all_edits(self, edits: Sequence[Edit] | None = None) -> list[Edit]:
        """Return what lies on top of everything: what `--set` gave, then the edits."""
        given = [
            Edit(EditKind.SET, name, found.value)
            for name, found in self.found.variables.items()
            if found.source.kind is SourceKind.SET and not isinstance(found.value, Unknown)
        ]
        return [*given, *(self.edits if edits is None else edits)]

    @property
    def findings(self) -> tuple[Finding, ...]:
        """What is odd about the present facts."""
        return findings_of(self.facts, self.notes)

    def config_findings(self, decided: Decision | Refusal) -> tuple[Finding, ...]:
        """Return what is wrong in the docker config that a command uses; it is read anew."""
        return find_in_used_config(decided) if isinstance(decided, Decision) else ()

    def reader_situation(self) -> Situation:
        """What readers of docker's config see, with the edits; no helper may be asked."""
        return self.situation(self.facts.known_values(), Path(self.facts.home))

    def decide(self, command: Command) -> Decision | Refusal:
        """Decide with the edits."""
        return decide(command, self.facts)

    def decide_before(self, command: Command) -> Decision | Refusal:
        """Decide without the edits."""
        return decide(command, self._facts(()))

    def instead(self, command: Command) -> tuple[WhyNot, ...]:
        """Return what would have to change for the other methods."""
        return why_not(command, self.facts)

    def edit(self, edit: Edit) -> None:
        """Add an edit; a secret in it is masked everywhere from now on."""
        if isinstance(edit.value, Secret):
            self.services.redactor.learn(edit.value, self.facts.options.registry_username)
        self.edits.append(edit)

    def typed_value(self, text: str) -> Secret:
        """Return a value that was typed, or the one that a reference names; raises `UsageError`."""
        services = self.services
        return value_of(text, services.environ, services.home, services.cwd)

    def undo(self) -> Edit | None:
        """Take the last edit back."""
        return self.edits.pop() if self.edits else None

    def request(self, command: Command, *, with_values: bool = True) -> RunRequest | Refusal:
        """Return the run that a person would start now.

        Without `with_values` also one that cannot be run yet, because a value that it needs is not known.
        """
        facts = self.facts
        decided = (decide_to_run if with_values else decide)(command, replace(facts, elsewhere=False))
        if isinstance(decided, Refusal):
            return decided
        request = RunRequest(command, facts, decided, typed=self.typed_now())
        chosen = self.chosen.get(command)
        return chosen.on(request) if chosen is not None else request

    def typed_now(self) -> Typed:
        """Return what was typed, with the edits that facts do not show."""
        facts = self.facts
        froms = tuple(image.reference for image in facts.base_images or () if image.origin == "--from")
        alone = self.scenario if self.scenario is not None and self.scenario.looking is None else None
        if self.as_job or alone is not None:
            job = tuple(self.desk.options()) if alone is None else (("--scenario", alone.name),)
            return Typed(unsets=unset_by(self.all_edits()), froms=froms, engine=self.typed.engine, job=job)
        taken = {*self.typed.unsets, *(self.found.variables.keys() - facts.variables.keys())}
        return replace(self.typed, unsets=tuple(sorted(taken - facts.variables.keys())), froms=froms)

    def unknown_repository(self, command: Command) -> str:
        """Return the variable that names the repository, where its value is not known; else nothing."""
        decided = decide(command, self.facts)
        if isinstance(decided, Refusal) or not command.needs_repo or decided.repo:
            return ""
        return REGISTRY_IMAGE if REGISTRY_IMAGE in decided.unknown else ""

    def plan(self, request: RunRequest) -> Plan:
        """Return the plan of a run."""
        from dockpass.runs.planning import make_plan

        search = self.search
        return make_plan(request, self.services, search.builders, self.sources, is_looking=not search.is_over)

    def access(self, command: Command) -> AccessPlan:
        """Return what can be asked about a command's registry; raises `UsageError`. Nothing is sent."""
        from dockpass.probe.plan import plan_access

        return plan_access(command, self.facts)

    def run(self, request: RunRequest) -> Run:
        """Start a run that was confirmed on the screen; what it asks itself, it still asks."""
        foreign = request.decision.warns(WarningId.FOREIGN_REGISTRY)  # the yes was to this question
        return self.start(replace(request, confirmed=False, foreign_allowed=foreign), self.services)

    def note_end_of_program(self, shown: ShownProgram) -> None:
        """Remember how a program ended."""
        from dockpass.runs.events import Ended

        events = shown.feed.since(0).events
        if events and isinstance(events[-1], Ended):
            self.programs.append(events[-1].status)

    def note_end(self, run: Run) -> None:
        """Remember how a run ended."""
        from dockpass.runs.events import Ended

        events = run.feed.since(0).events
        if events and isinstance(events[-1], Ended):
            self.ended.append((run.request.command, events[-1].status))
