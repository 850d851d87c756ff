"""GitLab Runner, for the image and the services of a job: variable, runner's home, the job's own login.

Of all sources together the key nearest to the image counts; for one key the earlier source.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from dockpass.dockerconfig.readers.dockercli import VARIABLE, find_misspelled
from dockpass.dockerconfig.readers.files import FileKind, FileRead
from dockpass.dockerconfig.readers.goconfig import BrokenAuth, GoConfig, GoEntry, docker_config, with_auth
from dockpass.dockerconfig.readers.gojson import BrokenJson, TooDeep
from dockpass.dockerconfig.readers.hosts import runner_path
from dockpass.dockerconfig.readers.model import Reader, Reading, Reason, SecretKind, Verdict
from dockpass.dockerconfig.readers.situation import (
    HUB,
    HelperLogin,
    HelperState,
    Situation,
    Target,
    go_login,
)
from dockpass.dockerconfig.readers.trail import Trail
from dockpass.secrets import Secret

_JOB = "job payload"


@dataclass(slots=True)
class _Source:
    """Logins of one source by path; `open` names a helper that was not asked and could have more."""

    name: str
    logins: dict[str, tuple[str, GoEntry]] = field(default_factory=dict)
    helpers: dict[str, tuple[str, HelperLogin]] = field(default_factory=dict)
    open_store: str = ""

    def put(self, key: str, entry: GoEntry) -> None:
        """Add a login; of two keys with one path the first stays."""
        self.logins.setdefault(runner_path(key), (key, entry))


class _Unusable(Exception):
    """A source that the runner does not use; the message says why."""


class _Refused(Exception):
    """A helper's name with a path: the runner stops."""


def read_runner(target: Target, situation: Situation) -> Reading:
    """Return what GitLab Runner makes of it, with the given home as the one of the runner's user."""
    name = image_path(target)
    trail = Trail(Reader.RUNNER, name)
    sources: list[_Source] = []
    try:
        raw = situation.set(VARIABLE)
        if raw:
            _add(trail, sources, situation, VARIABLE, raw.encode("utf-8", "surrogateescape"), name)
        file = _home_file(trail, situation)
        if file is not None:
            _add(trail, sources, situation, file.shown, file.raw, name)
    except _Refused as error:
        trail.add(str(error), Reason.HELPER_NAME, kind=SecretKind.HELPER)
        trail.decide(Verdict.FAILS)
    job = _job_source(situation)
    if job is not None:
        sources.append(job)
    _choose(trail, sources, name)
    return trail.done()


def image_path(target: Target) -> str:
    """Return the path that is looked for; it is without tag, its host in lower case."""
    host = target.host.lower()
    host = HUB if host == "index.docker.io" else host
    return f"{host}/{target.path}" if target.path else host


def _home_file(trail: Trail, situation: Situation) -> FileRead | None:
    places = (situation.home / ".docker" / "config.json", situation.home / ".dockercfg")
    if situation.set("DOCKER_CONFIG"):
        trail.add("DOCKER_CONFIG", Reason.VARIABLE_NOT_READ, "the runner looks into its user's home only")
    for path in places:
        file = situation.files.read(path)
        if file.kind is FileKind.FILE:
            trail.find(
                "runner-home",
                f"GitLab Runner reads the home of its own user; here that is taken to be {situation.home}",
                "Look at the home of the user that runs it, on its machine.",
            )
            return file
        trail.no_file(file)
        if file.kind is FileKind.DIRECTORY:
            return None
    return None


def _add(
    trail: Trail, sources: list[_Source], situation: Situation, name: str, raw: bytes, wanted: str
) -> None:
    try:
        config = _whole_config(trail, name, raw)
        source = _source(trail, situation, name, config, wanted)
    except TooDeep as error:
        trail.add(name, Reason.NOT_LOOKED_AT, str(error))
        trail.decide(Verdict.UNDECIDED)
        return
    except (BrokenJson, BrokenAuth, _Unusable) as error:
        refused = Reason.VARIABLE_REFUSED if name == VARIABLE else Reason.BROKEN_FILE
        trail.add(name, refused, str(error))
        trail.find(
            "runner-source-unused", f"{name}: {error}; the runner uses nothing of it", "Correct it there."
        )
        return
    sources.append(source)


def _whole_config(trail: Trail, name: str, raw: bytes) -> GoConfig:
    config = docker_config(raw)
    find_misspelled(trail, name, config.unknown)
    if config.faults:
        raise _Unusable(f"{config.faults[0]} has a wrong type")
    entries = {}
    for key, entry in config.entries.items():
        try:
            entries[key] = with_auth(entry)
        except BrokenAuth as error:
            raise _Unusable(f"the entry {key}: {error}") from None
    return GoConfig(entries, config.creds_store, config.cred_helpers)


def _source(trail: Trail, situation: Situation, name: str, config: GoConfig, wanted: str) -> _Source:
    source = _Source(name)
    entries = dict(config.entries)
    if config.creds_store:
        _refuse_paths(config.creds_store)
        _ask_store(situation, source, config.creds_store, entries, wanted)
    for helper in config.cred_helpers.values():
        _refuse_paths(helper)
    for key, helper in config.cred_helpers.items():
        if not situation.installed(f"docker-credential-{helper}"):
            raise _Unusable(f"docker-credential-{helper}, for {key}, is not there")
        entries.pop(key, None)
        if runner_path(key) in _chain(wanted):
            source.helpers[runner_path(key)] = (f"credHelpers {helper}", go_login(situation, helper, key))
        else:
            trail.find(
                "runner-asks-all",
                f"the runner asks every helper of {name}; one that fails makes it use nothing of {name}",
                "Keep only what the job needs.",
            )
    for path, (helper, login) in source.helpers.items():
        if login.state is HelperState.FAILED:
            raise _Unusable(f"{helper} for {path} failed: {login.evidence}")
    for key in sorted(entries):
        source.put(key, entries[key])
    return source


def _refuse_paths(helper: str) -> None:
    if "/" in helper or not helper:
        raise _Refused(f"helper {helper}")


def _ask_store(
    situation: Situation, source: _Source, store: str, entries: dict[str, GoEntry], wanted: str
) -> None:
    """Take what the store lists for this image into the entries, where it may be asked."""
    answer = situation.ask_helper(store, "list", "unused")
    if answer is None:
        source.open_store = f"credsStore {store}"
        return
    if answer.problem or answer.status:
        raise _Unusable(answer.problem or f"credsStore {store} cannot list its logins")
    try:
        listed = json.loads(answer.out)
    except (ValueError, RecursionError):
        listed = None
    if not isinstance(listed, dict):
        raise _Unusable(f"credsStore {store} did not answer with a list")
    for key in listed:
        if runner_path(key) not in _chain(wanted):
            continue
        login = go_login(situation, store, key)
        if login.state is HelperState.FAILED:
            raise _Unusable(f"credsStore {store}: {login.evidence}")
        entries.pop(key, None)
        source.helpers[runner_path(key)] = (f"credsStore {store}", login)


def _job_source(situation: Situation) -> _Source | None:
    """The job's own login. In a job the same token is in the environment."""
    registry, token = situation.set("CI_REGISTRY"), situation.set("CI_JOB_TOKEN")
    if not registry or not token:
        return None
    source = _Source(_JOB)
    source.put(registry, GoEntry(username="gitlab-ci-token", password=Secret(token)))
    return source


def _chain(name: str) -> list[str]:
    parts = name.split("/")
    return ["/".join(parts[:count]) for count in range(len(parts), 0, -1)]


def _choose(trail: Trail, sources: list[_Source], name: str) -> None:
    for source in sources:
        if source.open_store:
            trail.add(
                f"{source.open_store} of {source.name}", Reason.HELPER_NOT_ASKED, kind=SecretKind.HELPER
            )
            trail.decide(Verdict.UNDECIDED)
    for path in _chain(name):
        for source in sources:
            _at_path(trail, source, path, name)
    if not trail.candidates:
        trail.add(VARIABLE, Reason.NO_ENTRY, "not set")


def _at_path(trail: Trail, source: _Source, path: str, name: str) -> None:
    asked = source.helpers.get(path)
    if asked is not None:
        section, login = asked
        trail.helper(f"{section} of {source.name}", path, login)
        if login.state is HelperState.NOT_ASKED:
            trail.decide(Verdict.UNDECIDED)
    found = source.logins.get(path)
    if found is None:
        return
    key, entry = found
    reason = Reason.EXACT_KEY if path == name else Reason.PATH_KEY
    if source.name == _JOB:
        reason = Reason.JOB_LOGIN
    elif "://" in key:
        reason = Reason.HOST_OF_KEY
    if trail.decided:
        beaten = [each for each in trail.candidates if each.accepted]
        nearer = bool(beaten) and beaten[0].key != path and len(path) < len(name)
        later = Reason.LESS_SPECIFIC if nearer else Reason.OUTRANKED
        trail.entry(source.name, key, entry, later, f"it stands for {path}")
        return
    trail.take(source.name, key, entry, reason, f"it stands for {path}")
