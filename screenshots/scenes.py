"""Scenes: what stands on the screen in the situations that matter. They are pictures and tests at once."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from readerworld import AUTH_JSON, CONFIG, World, basic

import buildscenes
import ciworlds
import probes
import programs
import scenarioworlds
import stores
from dockpass.auth.command import Command, Method
from dockpass.auth.facts import BaseImage, Edit, EditKind, Facts, Source, SourceKind
from dockpass.builders.survey import FindBuilders
from dockpass.buildfiles.find import BuildSources
from dockpass.cleanup.plan import Policy, TagInfo
from dockpass.dockerconfig.readers.situation import Situation
from dockpass.engines.base import EngineInfo, image_missing
from dockpass.engines.detect import EngineState
from dockpass.errors import ExitCode
from dockpass.paths import Paths
from dockpass.probe.model import Probe
from dockpass.readonly import find_read_only
from dockpass.runs import events as ev
from dockpass.runs.events import Phase, Status
from dockpass.runs.feed import Feed
from dockpass.runs.options import Chosen
from dockpass.runs.request import BuildOptions, RunRequest
from dockpass.runs.services import Services
from dockpass.secrets import Redactor, Secret
from dockpass.session.choosing import choose
from dockpass.session.session import Sandbox, Session
from dockpass.settings import LoadedSettings, Settings
from dockpass.unknown import Unknown
from dockpass.variables.clone import find_clone
from dockpass.variables.gather import variable
from dockpass.variables.gitlab.model import Definition, Ref
from dockpass.variables.place import detect_place

JOB = {
    "CI": "true",
    "GITLAB_CI": "true",
    "CI_JOB_ID": "4711",
    "CI_BUILDS_DIR": "/builds",
    "CI_REGISTRY": "registry.myhost.com",
    "CI_JOB_TOKEN": "glcbt-64_canary0123456789a",
    "CI_REGISTRY_IMAGE": "registry.myhost.com/web/backend",
    "CI_PROJECT_PATH": "web/backend",
    "CI_JOB_NAME": "build-image",
    "CI_COMMIT_REF_NAME": "main",
    "CI_COMMIT_REF_PROTECTED": "true",
    "CI_SERVER_HOST": "gitlab.myhost.com",
}
DOCKER = EngineInfo("Docker", "28.2.2", "unix:///var/run/docker.sock", "the default socket")
OLD_DOCKER = replace(DOCKER, version="20.10.24")
PUSHED = "registry.myhost.com/web/backend:main"
DIGEST = "sha256:68520e5a0defa6ca869650cff9bddf50de549e692586de4635bae6285029cd05"


@dataclass
class ScriptedRun:
    """A run whose events are given."""

    request: RunRequest
    feed: Feed
    answered: bool | None = None
    cancelled: bool = False

    def cancel(self) -> None:
        self.cancelled = True

    def answer(self, yes: bool) -> None:
        self.answered = yes

    def stop(self, timeout: float) -> bool:
        self.cancelled = True
        return True

    @property
    def ended(self) -> bool:
        return self.feed.ended


@dataclass(frozen=True)
class Scene:
    """A name, a size, keys to press, and the session that it starts from."""

    name: str
    session: Callable[[], Session]
    keys: tuple[str, ...] = ()
    width: int = 120
    height: int = 36
    theme: str = "dockpass-dark"


def _situation(world: World, environ: Mapping[str, str], home: Path) -> Situation:
    return replace(world.situation, environ=environ, home=home)


def session(
    values: Mapping[str, str | Unknown],
    *,
    edits: tuple[Edit, ...] = (),
    script: tuple[ev.Event, ...] = (),
    base: tuple[str, ...] | None = ("registry.myhost.com/web/base:3",),
    engine: EngineInfo | None = DOCKER,
    answers: Callable[[], Mapping[Method, Probe]] = probes.job_token,
    world: World | None = None,
    sandbox: Sandbox | None = None,
    read_only: bool = False,
) -> Session:
    """A session of these variables, in which a run plays the script."""
    source = Source(SourceKind.PROCESS)
    variables = {name: variable(name, value, source) for name, value in values.items()}
    images = None if base is None else tuple(BaseImage(name, "Dockerfile:1") for name in base)
    facts = Facts(variables, base_images=images, home="/home/dev", cwd="/srv/app")
    redactor = Redactor()
    for found in variables.values():
        if isinstance(found.value, Secret):
            redactor.learn(found.value)
    nowhere = Path("/proc/none")  # root cannot write there either
    services = Services(
        {},
        nowhere,
        nowhere,
        nowhere,
        redactor,
        read_only=find_read_only({}, asked=read_only, set_in=""),
        now=lambda: datetime(2026, 3, 1, tzinfo=UTC),
    )

    def start(request: RunRequest, _services: Services) -> ScriptedRun:
        feed = Feed(redactor)
        for event in script:
            feed.put(event)
        return ScriptedRun(request, feed)

    made = Session(
        facts,
        detect_place(facts, lambda _: True),
        services,
        LoadedSettings(Settings(), {}, (), nowhere),
        Paths(nowhere, nowhere, nowhere, nowhere),
        lambda: EngineState(engine),
        start=start,  # type: ignore[arg-type]
        probe=probes.answering(answers),
        situation=partial(_situation, world or World()),
        in_background=lambda work: work(),
        sandbox=sandbox,
        sources=partial(_sources, images),
        what_stops=lambda *_: None,
        clock=lambda: 0.0,
    )
    for edit in edits:
        made.edit(edit)
    return made


def _sources(images: tuple[BaseImage, ...] | None, cwd: Path, _build: BuildOptions) -> BuildSources:
    """What a build here comes from: a Dockerfile where its base images are given."""
    if images is None:
        return BuildSources()
    return BuildSources(base_images=images, dockerfile=cwd / "Dockerfile", context=cwd)


def _began() -> tuple[ev.Event, ...]:
    path = "/dev/shm/dockpass-4711-7f3a90c1d2e4"
    return (
        ev.PhaseStarted(0.001, Phase.CREATE_CONFIG),
        ev.ConfigCreated(0.003, path, "0700", "0600", True, "shared memory", ("registry.myhost.com",)),
        ev.PhaseEnded(0.003, Phase.CREATE_CONFIG, Status.DONE, f"{path}  0700, config.json 0600"),
        ev.Log(0.009, ev.LogKind.NOTE, "Docker 28.2.2 at unix:///var/run/docker.sock (the default socket)"),
        ev.PhaseStarted(0.010, Phase.LOGIN),
        ev.LoginStarted(0.010, "registry.myhost.com", "gitlab-ci-token", "engine"),
    )


def _pushing() -> tuple[ev.Event, ...]:
    return (
        *_began(),
        ev.LoginSucceeded(0.094, "registry.myhost.com", "gitlab-ci-token", "Login Succeeded"),
        ev.PhaseEnded(
            0.094, Phase.LOGIN, Status.DONE, "gitlab-ci-token at registry.myhost.com, by the engine"
        ),
        ev.PhaseStarted(0.095, Phase.TAG, "sha256:57f43aa4fb35"),
        ev.PhaseEnded(0.098, Phase.TAG, Status.DONE, PUSHED),
        ev.PhaseStarted(0.099, Phase.PUSH, PUSHED),
        ev.Log(0.102, ev.LogKind.ENGINE, "The push refers to repository [registry.myhost.com/web/backend]"),
        ev.Layer(0.104, "268fccccd4dc", "exists", 0, 0),
        ev.Layer(1.934, "9ad3185e2e02", "pushed", 8_400_000, 8_400_000),
        ev.Layer(2.311, "dfbc74011c3b", "pushed", 12_100_000, 12_100_000),
        ev.Layer(2.400, "5b1f0a77e1c9", "pushing", 40_700_000, 97_200_000),
        ev.Layer(2.401, "e7d92cdc71fe", "waiting", 0, 30_300_000),
        ev.Log(1.934, ev.LogKind.ENGINE, "9ad3185e2e02: pushed"),
        ev.Log(2.311, ev.LogKind.ENGINE, "dfbc74011c3b: pushed"),
        ev.Log(7.012, ev.LogKind.ENGINE, "5b1f0a77e1c9: pushing"),
    )


def _removed(at: float) -> tuple[ev.Event, ...]:
    path = "/dev/shm/dockpass-4711-7f3a90c1d2e4"
    words = "removed and verified"
    return (
        ev.PhaseStarted(at, Phase.REMOVE_CONFIG),
        ev.ConfigRemoved(at + 0.008, path, True, words),
        ev.PhaseEnded(at + 0.008, Phase.REMOVE_CONFIG, Status.DONE, words),
    )


def _pushed() -> tuple[ev.Event, ...]:
    done = (
        ev.Layer(12.1, "5b1f0a77e1c9", "pushed", 97_200_000, 97_200_000),
        ev.Layer(13.9, "e7d92cdc71fe", "pushed", 30_300_000, 30_300_000),
        ev.Log(14.0, ev.LogKind.ENGINE, f"main: digest: {DIGEST} size: 1364"),
        ev.PhaseEnded(14.0, Phase.PUSH, Status.DONE, DIGEST),
        ev.PhaseStarted(14.0, Phase.UNTAG),
        ev.PhaseEnded(14.01, Phase.UNTAG, Status.DONE, f"{PUSHED} removed"),
    )
    end = ev.Ended(14.03, Status.DONE, ExitCode.DONE, "", f"pushed {PUSHED}", "")
    return (*_pushing(), *done, *_removed(14.02), end)


def _refused() -> tuple[ev.Event, ...]:
    words = "unauthorized: HTTP Basic: Access denied"
    meaning = "The registry does not know this user with this password, or wants a login where none was sent."
    hint = "Check user and secret; `dockpass explain` shows where they come from."
    message = f"registry.myhost.com refused the login of gitlab-ci-token: {words}."
    return (
        *_began(),
        ev.LoginRefused(0.094, "registry.myhost.com", "gitlab-ci-token", words, meaning, hint),
        ev.PhaseEnded(0.095, Phase.LOGIN, Status.REFUSED, message),
        *_removed(0.096),
        ev.Ended(0.11, Status.REFUSED, ExitCode.LOGIN_REFUSED, "login-refused", message, hint),
    )


def _planned() -> tuple[ev.Event, ...]:
    rows = [("main", "keep", "among the newest 10"), ("v1.4.0", "keep", "kept by --keep v.*")]
    rows.append(("release-7", "keep", "protected by the registry's tag rules: ^release-.*"))
    rows += [(f"feature-{n:03d}", "keep", "among the newest 10") for n in range(9, 16)]
    rows += [(f"feature-{n:03d}", "delete", f"not among the newest 10, {98 - n} days old") for n in range(9)]
    planned = [
        ev.TagPlanned(0.4, tag, DIGEST, "2025-11-01T00:00:00", 1, action, why) for tag, action, why in rows
    ]
    return (
        *_began(),
        ev.LoginSucceeded(0.06, "registry.myhost.com", "gitlab-ci-token", "accepted (bearer)"),
        ev.PhaseEnded(0.06, Phase.LOGIN, Status.DONE, "gitlab-ci-token at registry.myhost.com, by dockpass"),
        ev.PhaseStarted(0.07, Phase.LIST, "registry.myhost.com/web/backend"),
        *planned,
        ev.PhaseEnded(0.4, Phase.LIST, Status.DONE, "19 tags: 9 to delete, 10 kept"),
        ev.PhaseStarted(0.4, Phase.CONFIRM),
        ev.Asked(0.4, "Delete 9 tags of registry.myhost.com/web/backend?", "feature-000, …"),
    )


def _job(**more: object) -> Callable[[], Session]:
    return lambda: session(JOB, **more)  # type: ignore[arg-type]


CLEANUP_TOKEN = Edit(EditKind.SET, "WERF_IMAGES_CLEANUP_PASSWORD", Secret("canary-cleanup"))
IGNORE = Edit(EditKind.SET, "WERF_IGNORE_CI_DOCKER_AUTOLOGIN", "1")
FOREIGN = Edit(EditKind.GIVE, "repo", "quay.io/web/backend")
RUN = ("2", "enter", "r")
ALICE = (
    Edit(EditKind.GIVE, "registry-username", "alice"),
    Edit(EditKind.GIVE, "registry-password", Secret("canary-alice")),
)
ASK = ("4", "a", "enter")

CONFIGS = {
    **JOB,
    "DOCKER_AUTH_CONFIG": json.dumps({"auths": {JOB["CI_REGISTRY"]: basic("ci-reader", "canary-1")}}),
}
STORED = World(
    {
        CONFIG: {
            "auths": {JOB["CI_REGISTRY"]: basic("alice", "canary-2"), "https://index.docker.io/v1/": {}},
            "credsStore": "pass",
        },
        AUTH_JSON: {
            "auths": {"registry.myhost.com/web": basic("web-team", "canary-3"), "quay.io": basic("bot")}
        },
    },
    helpers={
        "pass": {
            JOB["CI_REGISTRY"]: ("alice", "canary-2"),
            "https://index.docker.io/v1/": ("hub", "canary-4"),
        }
    },
    modes={AUTH_JSON: 0o644},
)
PLAIN = World({CONFIG: {"auths": {JOB["CI_REGISTRY"]: basic("alice", "canary-2")}}})


SANDBOX = Sandbox(
    "127.0.0.1:40287",
    "127.0.0.1:40287/workshop/shop",
    Secret("glpat-canary0123456789abcd"),
    "/tmp/dockpass-sandbox-job-k3v9x2qe/external",
)
SANDBOX_JOB = {
    **JOB,
    "CI_REGISTRY": SANDBOX.host,
    "CI_REGISTRY_IMAGE": SANDBOX.repository,
    "CI_PROJECT_PATH": "workshop/shop",
    "CI_JOB_NAME": "build",
    "CI_SERVER_HOST": "127.0.0.1",
    "CI_BUILDS_DIR": "/tmp/dockpass-sandbox-job-k3v9x2qe",
}
EMBEDDED = EngineInfo(
    "embedded", "0.1.0", "/tmp/dockpass-sandbox-job-k3v9x2qe/images", "the sandbox asks for it"
)


def _building(
    found: FindBuilders, script: tuple[ev.Event, ...] = (), engine: EngineInfo = DOCKER
) -> Callable[[], Session]:
    def made() -> Session:
        found_session = session(
            JOB, script=script, base=(buildscenes.BASE, buildscenes.RUNTIME), engine=engine
        )
        found_session.services = replace(found_session.services, cwd=Path("/srv/app"), find_builders=found)
        found_session.sources = buildscenes.sources
        return found_session

    return made


def _choosing(chosen: Chosen) -> Callable[[], Session]:
    """A build that buildx can do, with options that were chosen before."""

    def made() -> Session:
        found = _building(buildscenes.with_buildx)()
        choose(found, Command.BUILD, chosen)
        return found

    return made


def _previewing() -> Session:
    """A cleanup whose tags are read as soon as that is asked for."""
    made = session(JOB)
    now = datetime(2026, 3, 1, tzinfo=UTC)
    ages = {"main": 1, "v1.4.0": 300, "v1.4.1": 200, **{f"feature-{n:03d}": 20 + 4 * n for n in range(14)}}
    tags = [
        TagInfo(tag, f"sha256:{number:064x}", now - timedelta(days=days))
        for number, (tag, days) in enumerate(ages.items())
    ]

    def start(request: RunRequest, services: Services) -> ScriptedRun:
        feed = Feed(services.redactor)
        services.tags_read(tags, Policy(now))
        feed.put(ev.Ended(0.4, Status.DONE, ExitCode.DONE, "", "dry run", ""))
        return ScriptedRun(request, feed)

    made.start = start  # type: ignore[assignment]
    return made


def _stopped() -> Session:
    """A push where there is no image."""
    made = session(JOB)
    made.what_stops = lambda *_: image_missing(
        f"There is nothing to push: no local image {PUSHED}, and nothing was built by dockpass in /srv/app.",
        "Name the image with --image, or run `dockpass build` first.",
    )
    return made


def _in_sandbox() -> Session:
    base = (f"{SANDBOX.host}/workshop/base:3",)
    return session(SANDBOX_JOB, base=base, engine=EMBEDDED, sandbox=SANDBOX)


def _with_images(*, images: bool = True, **more: object) -> Session:
    home = stores.home_with(images=images)
    made = session(JOB, **more)  # type: ignore[arg-type]
    store = stores.store_in(home)
    made.found, made.open_store = replace(made.found, home=str(home)), lambda: store
    return made


def with_project(
    values: dict[str, str] | None = None,
    *,
    job: str = "",
    ref: Ref = ciworlds.FEATURE,
    settings: tuple[Definition, ...] = ciworlds.SETTINGS,
    files: dict[str, str] | None = None,
    edits: tuple[Edit, ...] = (),
) -> Session:
    """A session in a clone of a project with a pipeline."""
    made = session(values or {"PATH": "/usr/bin"}, engine=DOCKER)
    clone = ciworlds.clone(files, ref)
    redactor = made.services.redactor
    made.find_clone = lambda: clone
    made.desk = ciworlds.desk(clone, job=job, ref=ref, settings=settings, redactor=redactor)
    for edit in edits:
        made.edit(edit)
    return made


def _project(**more: object) -> Callable[[], Session]:
    return lambda: with_project(**more)  # type: ignore[arg-type]


def _reporting() -> Session:
    made = _as_job()
    made.services = replace(made.services, cwd=Path("/srv/app"))
    return made


def _as_job() -> Session:
    """The view of the job whose registry the project overrides."""
    made = with_project(job="publish")
    made.as_job = True
    return made


def _with_many_missing() -> Session:
    """The view of a job to which the same is true of many variables."""
    made = with_project(job="publish", settings=(*ciworlds.SETTINGS, *ciworlds.OF_PRODUCTION))
    made.as_job = True
    return made


def with_scenarios(root: Path | None = None) -> Session:
    """A session in a project on disk, which has scenarios."""
    root = root or scenarioworlds.project()
    made = session({"PATH": "/usr/bin"}, base=None)
    made.services = replace(made.services, cwd=root, environ={"PATH": os.environ["PATH"]})
    made.found = replace(made.found, cwd=str(root))
    made.find_clone = partial(find_clone, root, made.services.environ)
    return made


def _configs(world: World, values: dict[str, str] = CONFIGS) -> Callable[[], Session]:
    return lambda: session(values, world=world)


def _with_programs(**more: object) -> Callable[[], Session]:
    return lambda: programs.with_programs(session(JOB, **more))  # type: ignore[arg-type]


TAKEN = ("2", "exclamation_mark", "down", "enter")


SCENES: tuple[Scene, ...] = (
    Scene("overview", _job()),
    Scene("overview-light", _job(), theme="dockpass-light"),
    Scene("overview-80x24", _job(), width=80, height=24),
    Scene("overview-80x24-environment", _job(), ("tab",), width=80, height=24),
    Scene("overview-200x60", _job(), width=200, height=60),
    Scene("overview-edited", _job(edits=(CLEANUP_TOKEN, IGNORE))),
    Scene("overview-shell", lambda: session({"PATH": "/usr/bin"}, base=None, engine=None)),
    Scene("overview-foreign", _job(edits=(FOREIGN,))),
    Scene("read-only", _job(read_only=True)),
    Scene("read-only-light", _job(read_only=True), theme="dockpass-light"),
    Scene("read-only-80x24", _job(read_only=True), width=80, height=24),
    Scene("read-only-60x16", _job(read_only=True), width=60, height=16),
    Scene("read-only-plan", _job(read_only=True), ("2", "enter")),
    Scene("read-only-help", _job(read_only=True), ("question_mark",)),
    Scene("too-small", _job(), width=50, height=12),
    Scene("edit", _job(), ("tab", "e")),
    Scene("help", _job(), ("question_mark",)),
    Scene("plan", _job(), ("2", "enter")),
    Scene("plan-80x24", _job(), ("2", "enter"), width=80, height=24),
    Scene("plan-60x16", _job(), ("2", "enter"), width=60, height=16),
    Scene("plan-options", _choosing(buildscenes.CHOSEN), ("1", "enter", *["down"] * 4)),
    Scene("plan-options-light", _choosing(buildscenes.CHOSEN), ("1", "enter"), theme="dockpass-light"),
    Scene("plan-option-edited", _choosing(buildscenes.CHOSEN), ("1", "enter", *["down"] * 5, "enter")),
    Scene("plan-stopped", _stopped, ("2", "enter")),
    Scene("plan-stopped-80x24", _stopped, ("2", "enter"), width=80, height=24),
    Scene("plan-foreign", _job(edits=(FOREIGN,)), RUN),
    Scene("run", _job(script=_pushing()), RUN),
    Scene("run-light", _job(script=_pushing()), RUN, theme="dockpass-light"),
    Scene("run-80x24", _job(script=_pushing()), RUN, width=80, height=24),
    Scene("run-ended", _job(script=_pushed()), RUN),
    Scene("run-refused", _job(script=_refused()), RUN),
    Scene("program", _with_programs(), ("2", "exclamation_mark", *["down"] * 5)),
    Scene("program-80x24", _with_programs(), ("2", "exclamation_mark"), width=80, height=24),
    Scene("program-plan", _with_programs(edits=(CLEANUP_TOKEN,)), TAKEN),
    Scene("program-plan-light", _with_programs(), TAKEN, theme="dockpass-light"),
    Scene("program-plan-80x24", _with_programs(), TAKEN, width=80, height=24),
    Scene("program-also", _with_programs(), (*TAKEN, "a", *"quay.io nowhere.example")),
    Scene("program-ended", _with_programs(), (*TAKEN, "c")),
    Scene("program-ended-80x24", _with_programs(), (*TAKEN, "c"), width=80, height=24),
    Scene("build-plan", _building(buildscenes.with_buildx), ("1", "enter")),
    Scene("build-plan-refused", _building(buildscenes.without_buildx, engine=OLD_DOCKER), ("1", "enter")),
    Scene(
        "build-plan-refused-80x24",
        _building(buildscenes.without_buildx, engine=OLD_DOCKER),
        ("1", "enter"),
        width=80,
        height=24,
    ),
    Scene("build", _building(buildscenes.with_buildx, buildscenes.building()), ("1", "enter", "r")),
    Scene(
        "build-80x24",
        _building(buildscenes.with_buildx, buildscenes.building()),
        ("1", "enter", "r"),
        width=80,
        height=24,
    ),
    Scene("configs", _configs(STORED), ("c",)),
    Scene("configs-asked", _configs(STORED), ("c", "a", "down", "down", "down")),
    Scene("configs-80x24", _configs(STORED), ("c", "a"), width=80, height=24),
    Scene("configs-agree", _configs(PLAIN, {"CI_REGISTRY": JOB["CI_REGISTRY"]}), ("c",)),
    Scene("configs-light", _configs(STORED), ("c", "a"), theme="dockpass-light"),
    Scene("cleanup-rules", _job(), ("4", "enter")),
    Scene("cleanup-preview", _previewing, ("4", "enter", "ctrl+t")),
    Scene("cleanup-preview-80x24", _previewing, ("4", "enter", "ctrl+t"), width=80, height=24),
    Scene("access-before", _job(), ("4", "a")),
    Scene("access", _job(), ASK),
    Scene("access-80x24", _job(), ASK, width=80, height=24),
    Scene("access-80x24-evidence", _job(), (*ASK, "tab", "tab"), width=80, height=24),
    Scene("access-compare", _job(edits=(CLEANUP_TOKEN,), answers=probes.compared), ("2", "a", "c")),
    Scene("access-light", _job(), ASK, theme="dockpass-light"),
    Scene("access-refused", _job(edits=ALICE, answers=probes.wrong_password), ("2", "a", "enter")),
    Scene("access-opaque", _job(answers=probes.opaque_token), ASK),
    Scene("access-realm", _job(answers=probes.changed_realm), ASK),
    Scene("access-realm-80x24", _job(answers=probes.changed_realm), ASK, width=80, height=24),
    Scene("access-realm-trust", _job(answers=probes.changed_realm), (*ASK, "t")),
    Scene("tour", _in_sandbox),
    Scene("tour-light", _in_sandbox, theme="dockpass-light"),
    Scene("tour-80x24", _in_sandbox, width=80, height=24),
    Scene("tour-broken", _in_sandbox, ("n",)),
    Scene("tour-token", _in_sandbox, ("n",) * 5),
    Scene("tour-program", _in_sandbox, ("n",) * 3),
    Scene("tour-last-80x24", _in_sandbox, ("n",) * 8, width=80, height=24),
    Scene("sandbox", _in_sandbox, ("t",)),
    Scene("sandbox-80x24", _in_sandbox, ("t",), width=80, height=24),
    Scene("sandbox-plan", _in_sandbox, ("t", "1", "enter")),
    Scene("images", _with_images, ("i", "down")),
    Scene("images-light", _with_images, ("i",), theme="dockpass-light"),
    Scene("images-80x24", _with_images, ("i",), width=80, height=24),
    Scene("images-delete", _with_images, ("i", "down", "d")),
    Scene("images-prune", _with_images, ("i", "p")),
    Scene("images-empty", partial(_with_images, images=False), ("i",)),
    Scene("images-sandbox-80x24", lambda: _with_images(sandbox=SANDBOX), ("i",), width=80, height=24),
    Scene("variables", _project(job="publish"), ("v",)),
    Scene("variables-light", _project(job="publish"), ("v",), theme="dockpass-light"),
    Scene("variables-80x24", _project(job="publish"), ("v",), width=80, height=24),
    Scene("variables-60x16", _project(job="publish"), ("v",), width=60, height=16),
    Scene("variables-200x60", _project(job="publish"), ("v",), width=200, height=60),
    Scene("variables-protected", _project(job="publish"), ("v", "t")),
    Scene("variables-job", _project(), ("v", "J")),
    Scene("variables-here", _job(), ("v",)),
    Scene("rules", _project(job="publish"), ("w",)),
    Scene("rules-light", _project(job="publish"), ("w",), theme="dockpass-light"),
    Scene("rules-80x24", _project(job="publish"), ("w",), width=80, height=24),
    Scene("rules-60x16", _project(job="publish"), ("w",), width=60, height=16),
    Scene("rules-200x60", _project(job="publish"), ("w",), width=200, height=60),
    Scene("variables-import", _project(job="publish"), ("v", "i")),
    Scene("compare", _project(job="publish"), ("d",)),
    Scene("compare-light", _project(job="publish"), ("d",), theme="dockpass-light"),
    Scene("compare-80x24", _project(job="publish"), ("d",), width=80, height=24),
    Scene("compare-60x16", _project(job="publish"), ("d",), width=60, height=16),
    Scene("compare-200x60", _project(job="publish"), ("d",), width=200, height=60),
    Scene("overview-as-job", _project(), ("v", "J", "p", "u", "b", "l", "enter", "escape")),
    Scene("doctor", _as_job, ("H", *["down"] * 6)),
    Scene("doctor-light", _as_job, ("H",), theme="dockpass-light"),
    Scene("doctor-80x24", _as_job, ("H",), width=80, height=24),
    Scene("doctor-60x16", _as_job, ("H",), width=60, height=16),
    Scene("doctor-200x60", _as_job, ("H", *["down"] * 6), width=200, height=60),
    Scene("doctor-tried", _as_job, ("H", *["down"] * 6, "t")),
    Scene("doctor-grouped", _with_many_missing, ("H",)),
    Scene("doctor-grouped-80x24", _with_many_missing, ("H",), theme="dockpass-light", width=80, height=24),
    Scene("doctor-error", _as_job, ("H", "e", *"denied", "space", *"access", "space", *"forbidden", "enter")),
    Scene("doctor-error-asked", _as_job, ("H", "e", *"unauthorized")),
    Scene("doctor-nothing", lambda: session({"PATH": "/usr/bin"}, base=None), ("H",)),
    Scene("scenarios", with_scenarios, ("S",)),
    Scene("scenarios-light", with_scenarios, ("S",), theme="dockpass-light"),
    Scene("scenarios-80x24", with_scenarios, ("S",), width=80, height=24),
    Scene("scenarios-60x16", with_scenarios, ("S",), width=60, height=16),
    Scene("scenarios-200x60", with_scenarios, ("S",), width=200, height=60),
    Scene("scenarios-open", with_scenarios, ("S", "down", "down", "enter", "S")),
    Scene("scenarios-compare", with_scenarios, ("S", "down", "down", "space", "up", "up", "d")),
    Scene("scenarios-save", with_scenarios, ("S", "down", "down", "enter", "S", "s")),
    Scene("scenarios-none", _reporting, ("S",)),
    Scene("overview-scenario", with_scenarios, ("S", "down", "down", "enter")),
    Scene("report", _reporting, ("R",)),
    Scene("report-60x16", _reporting, ("R",), width=60, height=16),
    Scene("cleanup-plan", _job(script=_planned()), ("4", "enter", "enter", "r")),
)
