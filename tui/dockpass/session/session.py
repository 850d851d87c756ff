"""What a person works on: the facts as found, the edits on top, and what follows from them."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from dockpass.auth.command import Command
from dockpass.auth.decide import decide, decide_to_run
from dockpass.auth.decision import Decision, Refusal, WarningId
from dockpass.auth.facts import Edit, EditKind, Facts, SourceKind
from dockpass.auth.rules import REGISTRY_IMAGE
from dockpass.auth.whynot import WhyNot, applied, why_not
from dockpass.buildfiles.find import BuildSources
from dockpass.dockerconfig.readers.situation import Situation
from dockpass.engines.base import EngineInfo
from dockpass.engines.detect import EngineState
from dockpass.engines.embedded.store import Store
from dockpass.errors import DockpassError
from dockpass.findings import Finding
from dockpass.paths import Paths
from dockpass.probe.plan import AccessPlan, AccessReport, plan_access, probe_access
from dockpass.programs.captured import start_captured
from dockpass.programs.find import find
from dockpass.programs.shown import ShownProgram
from dockpass.programs.task import Task
from dockpass.readonly import ReadOnly
from dockpass.runs.builder import Builders
from dockpass.runs.events import Ended, Status
from dockpass.runs.options import Chosen
from dockpass.runs.plan import Plan
from dockpass.runs.planning import make_plan
from dockpass.runs.request import BuildOptions, RunRequest, Typed
from dockpass.runs.run import Run, start_run
from dockpass.runs.services import Services
from dockpass.runs.sources import sources_of_build
from dockpass.secret_names import is_secret_name
from dockpass.secret_source import value_of
from dockpass.secrets import Secret
from dockpass.session.assemble import findings_of
from dockpass.session.desk import Desk, open_desk
from dockpass.session.readiness import what_stops
from dockpass.session.scenario_context import OpenScenario
from dockpass.session.used_config import find_in_used_config
from dockpass.settings import LoadedSettings, Mute
from dockpass.text import clean
from dockpass.unknown import Unknown
from dockpass.variables.clone import Clone
from dockpass.variables.gitlab.resolve import JobView
from dockpass.variables.gitlab.tree import YamlError
from dockpass.variables.inwords import protection_words
from dockpass.variables.jobscript import own_logins_in_words
from dockpass.variables.logins import facts_of
from dockpass.variables.place import Place, PlaceKind
from dockpass.variables.projectsettings import NO_SETTINGS, ProjectSettings

SECONDS_REVEALED = 10.0
SECONDS_TO_STOP = 5.0
LOOKS_PER_SECOND = 20
"""How often a screen takes what work in the background has found."""


def real_situation(environ: Mapping[str, str], home: Path) -> Situation:
    """Return what readers of docker's config see on this machine."""
    return Situation(environ, home, os.getuid())


_BACKGROUND = "dockpass-background"


def in_thread(work: Callable[[], None]) -> None:
    """Do work in a thread that holds no exit."""
    threading.Thread(target=work, name=_BACKGROUND, daemon=True).start()


def background_has_ended(seconds: float) -> bool:
    """Wait for the work that `in_thread` began; tell whether none goes on."""
    deadline = time.monotonic() + seconds
    at_work = [thread for thread in threading.enumerate() if thread.name == _BACKGROUND]
    for thread in at_work:
        thread.join(max(deadline - time.monotonic(), 0))
    return not any(thread.is_alive() for thread in at_work)


def no_clone() -> Clone | None:
    """Return that there is no clone."""
    return None


def nothing_kept() -> ProjectSettings:
    """Return that nothing was imported before."""
    return NO_SETTINGS


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

    `store` holds the embedded engine's images; `typed` is what was typed beside the facts.
    """

    found: Facts
    place: Place
    services: Services
    loaded: LoadedSettings
    paths: Paths
    detect: Callable[[], EngineState]
    start: Callable[[RunRequest, Services], Run] = start_run
    probe: Callable[..., Awaitable[AccessReport]] = probe_access
    find_program: Callable[[str, Mapping[str, str]], str] = find
    start_program: Callable[[Task, Services], ShownProgram] = start_captured
    store: Store = field(default_factory=lambda: Store(Path("/nonexistent")))
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
    desk: Desk = field(default_factory=Desk)
    builders: Builders | None = None
    """Who can build here, once that was looked for."""
    sources: Callable[[Path, BuildOptions], BuildSources] = sources_of_build
    chosen: dict[Command, Chosen] = field(default_factory=dict)
    """What was chosen for the runs of each command, beside the facts."""
    what_stops: Callable[[RunRequest, Services], DockpassError | None] = what_stops
    as_job: bool = False
    """Whether the logins are those that the chosen job would get, and not those of this process."""
    scenario: OpenScenario | None = None
    """The scenario that the session is in."""
    why_not_as_job: str = ""
    """Why the job's logins, which were wanted, cannot be shown; clean, and empty where nothing is wrong."""

    def as_of_now(self) -> Session:
        """Return the session as it is at this moment, for work beside the screen."""
        return replace(self, edits=[*self.edits], desk=replace(self.desk))

    @property
    def shown_place(self) -> Place:
        """Where we are, or whose view is shown: `as publish on feature/login`."""
        if not self.as_job:
            return self.place
        looking = self.desk.looking
        label = f"as {clean(looking.job, 100) or 'every job'} on {clean(looking.ref.name, 100)}"
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
        return bool(self.desk.looking.job) or (
            self.scenario is not None and self.scenario.looking is not None
        )

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
    def keys(self) -> Mapping[str, str]:
        """The person's own keys, by the ids of actions."""
        return self.loaded.settings.keys

    @property
    def facts(self) -> Facts:
        """The facts with every edit made: those of this process, or those that the chosen job would get."""
        return self._facts(self.edits)

    def _facts(self, edits: Sequence[Edit]) -> Facts:
        if self.as_job:
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
        return own_logins_in_words(self.desk.seen(self.all_edits()).script.logins)

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
        options = tuple(each for each in edits if each.kind in {EditKind.GIVE, EditKind.DROP})
        here = applied(self.found, options)
        return replace(here, variables=facts_of(view, here.home, here.cwd).variables, elsewhere=True)

    def open_desk(self) -> Desk:
        """Return the desk with the clone as it is now. Asks git, and takes a moment."""
        redactor = self.services.redactor
        if self.scenario is not None:  # what was imported here is left out, as everywhere
            return open_desk(
                self.scenario.find_clone(self.services.environ), NO_SETTINGS, redactor, self.desk
            )
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

    def request(self, command: Command) -> RunRequest | Refusal:
        """Return the run that a person would start now."""
        decided = decide_to_run(command, self.facts)
        if isinstance(decided, Refusal):
            return decided
        request = RunRequest(command, self.facts, decided, typed=self.typed_now())
        return self.chosen.get(command, Chosen()).on(request)

    def typed_now(self) -> Typed:
        """Return what was typed, with the edits that facts do not show."""
        facts = self.facts
        taken = {*self.typed.unsets, *(self.found.variables.keys() - facts.variables.keys())}
        froms = (image.reference for image in facts.base_images or () if image.origin == "--from")
        return replace(self.typed, unsets=tuple(sorted(taken - facts.variables.keys())), froms=tuple(froms))

    def unknown_repository(self, command: Command) -> str:
        """Return the variable that names the repository, where its value is not known; else nothing."""
        decided = decide(command, self.facts)
        if isinstance(decided, Refusal) or not command.needs_repo or decided.repo:
            return ""
        return REGISTRY_IMAGE if REGISTRY_IMAGE in decided.unknown else ""

    def plan(self, request: RunRequest) -> Plan:
        """Return the plan of a run."""
        return make_plan(request, self.services, self.builders, self.sources)

    def find_builders(self, engine: EngineInfo) -> None:
        """Look in the background for the builders beside an engine; until then, no plan tells them."""
        services = self.services

        def find() -> None:
            found = services.find_builders(engine, services.run_environ(self.found), services.home)
            self.builders = Builders(engine=engine.name, found=found)

        self.in_background(find)

    def access(self, command: Command) -> AccessPlan:
        """Return what can be asked about a command's registry; raises `UsageError`. Nothing is sent."""
        return plan_access(command, self.facts)

    def run(self, request: RunRequest) -> Run:
        """Start a run that was confirmed on the screen; what it asks itself, it still asks."""
        foreign = request.decision.warns(WarningId.FOREIGN_REGISTRY)  # the yes was to this question
        return self.start(replace(request, confirmed=False, foreign_allowed=foreign), self.services)

    def note_end_of_program(self, shown: ShownProgram) -> None:
        """Remember how a program ended."""
        events = shown.feed.since(0).events
        if events and isinstance(events[-1], Ended):
            self.programs.append(events[-1].status)

    def note_end(self, run: Run) -> None:
        """Remember how a run ended."""
        events = run.feed.since(0).events
        if events and isinstance(events[-1], Ended):
            self.ended.append((run.request.command, events[-1].status))


def edit_of(name: str, text: str, *, option: bool) -> Edit:
    """Return the edit that sets a variable or gives an option; secrets become secrets at once."""
    secret = name == "registry-password" if option else is_secret_name(name)
    value = Secret(text) if secret else text
    return Edit(EditKind.GIVE if option else EditKind.SET, name, value)


def removal_of(name: str, *, option: bool) -> Edit:
    """Return the edit that unsets a variable or drops an option."""
    return Edit(EditKind.DROP if option else EditKind.UNSET, name)
