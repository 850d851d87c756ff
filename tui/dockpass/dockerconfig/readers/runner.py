"""GitLab Runner, for the image and the services of a job: variable, runner's home, the job's own login.

Of all sources together the key nearest to the image counts; for one key the earlier source.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path

from dockpass.auth.ci import GITLAB
from dockpass.configtext import ADVICE, Shape, shape_of
from dockpass.dockerconfig.readers.dockercli import VARIABLE, find_misspelled
from dockpass.dockerconfig.readers.files import FileKind, FileRead
from dockpass.dockerconfig.readers.goconfig import BrokenAuth, GoConfig, GoEntry, docker_config, with_auth
from dockpass.dockerconfig.readers.gojson import BrokenJson, TooDeep
from dockpass.dockerconfig.readers.hosts import runner_image, runner_path
from dockpass.dockerconfig.readers.model import Reader, Reading, SecretKind, Verdict
from dockpass.dockerconfig.readers.reasons import Reason
from dockpass.dockerconfig.readers.situation import (
    HUB,
    HelperLogin,
    HelperState,
    PayloadLogin,
    Situation,
    Target,
    go_login,
)
from dockpass.dockerconfig.readers.trail import Trail
from dockpass.secrets import Secret

JOB = "job payload"
_LOGS = " Newer runners log “Failed to resolve credentials from $DOCKER_AUTH_CONFIG”, older ones say nothing."
_MOST_ASKED = 50  # of what a store lists; the runner asks for all of it


@dataclass(frozen=True, slots=True)
class _Found:
    """An entry under its key, or a helper's answer with the section that names the helper."""

    key: str
    entry: GoEntry = field(default_factory=GoEntry)
    section: str = ""
    login: HelperLogin | None = None


@dataclass(slots=True)
class _Source:
    """Logins of one source by path; `open_store` is a store that was not asked and could have more."""

    name: str
    logins: dict[str, _Found] = field(default_factory=dict)
    open_store: str = ""

    def put(self, found: _Found) -> None:
        """Add a login; of two keys with one path the first stays."""
        if found.login is None or found.login.state is not HelperState.EMPTY:
            self.logins.setdefault(runner_path(found.key), found)


class _Unusable(Exception):
    """A source that the runner does not use; the message says why."""


class _Refused(Exception):
    """A helper's name with a path: the runner stops."""


def read_runner(target: Target, situation: Situation) -> Reading:
    """Return what GitLab Runner makes of it, with the given home as the one of the runner's user."""
    return _read(image_path(target), situation)


def read_runner_image(image: str, situation: Situation) -> Reading:
    """Return what GitLab Runner makes of an `image:` or a service of a job, as it is written there."""
    return _read(runner_image(image), situation)


def _read(name: str, situation: Situation) -> Reading:
    trail = Trail(Reader.RUNNER, name)
    sources: list[_Source] = []
    try:
        raw = situation.set(VARIABLE)
        content = _content(trail, situation, raw)
        if content:
            _add(trail, sources, situation, VARIABLE, content, name)
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


def _content(trail: Trail, situation: Situation, raw: str) -> bytes:
    """Return the config in the variable; of one of type File, which is a path, what the file holds."""
    if not raw or shape_of(raw) is not Shape.PATH:
        return raw.encode("utf-8", "surrogateescape")
    file = situation.files.read(Path(raw))
    if file.kind is FileKind.FILE and Path(raw).is_absolute():
        return file.raw
    trail.add(VARIABLE, Reason.NOT_LOOKED_AT, f"it is a path, and {raw} cannot be read here")
    trail.find(
        "variable-file-not-here",
        f"{VARIABLE} {ADVICE[Shape.PATH].is_}: GitLab Runner reads that file, which cannot be read here",
        "Run this in the job, or look at the variable in GitLab.",
    )
    trail.decide(Verdict.UNDECIDED)
    return b""


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
            "runner-source-unused",
            f"{name}: {error}; the runner uses nothing of it",
            f"Correct it there.{_LOGS if name == VARIABLE else ''}",
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
    found = {key: _Found(key, entry) for key, entry in config.entries.items()}
    for helper in (config.creds_store, *config.cred_helpers.values()):
        if "/" in helper:
            raise _Refused(f"the helper {helper}")
    if "" in config.cred_helpers.values():
        raise _Refused("a helper of an empty name")
    if config.creds_store:
        _ask_store(situation, source, config.creds_store, found)
    for key, helper in config.cred_helpers.items():
        login = go_login(situation, helper, key)
        if login.state is HelperState.FAILED:
            raise _Unusable(f"the helper {helper} for {key} failed: {login.evidence}")
        found[key] = _with_helper(found.get(key), key, f"credHelpers {helper}", login)
        near = runner_path(key) in _chain(wanted)
        if login.state is HelperState.EMPTY and near:
            trail.helper(f"credHelpers {helper} of {name}", key, login)
        if login.state is HelperState.NOT_ASKED and not near:
            trail.find(
                "runner-asks-all",
                f"the runner asks every helper of {name}; if one fails, it uses nothing of {name}",
                "Keep only what the job needs.",
            )
    for key in sorted(found):
        source.put(found[key])
    return source


def _with_helper(before: _Found | None, key: str, section: str, login: HelperLogin) -> _Found:
    """Let a helper's answer take the place of an entry, but for a registry token, which stays."""
    if before is not None and before.entry.registry_token and login.state is HelperState.FOUND:
        return _Found(key, GoEntry(username=login.user, registry_token=before.entry.registry_token))
    return _Found(key, GoEntry(), section, login)


def _ask_store(situation: Situation, source: _Source, store: str, found: dict[str, _Found]) -> None:
    """Take what the store lists into what was found, where it may be asked."""
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
    for key in list(listed)[:_MOST_ASKED]:
        login = go_login(situation, store, key)
        if login.state is HelperState.FAILED:
            raise _Unusable(f"credsStore {store}: {login.evidence}")
        found[key] = _with_helper(found.get(key), key, f"credsStore {store}", login)


def _job_source(situation: Situation) -> _Source | None:
    """The logins that come with the job."""
    payload = _payload(situation) if situation.payload is None else situation.payload
    source = _Source(JOB)
    for login in payload:
        if login.type == "registry":
            source.put(_Found(login.url, GoEntry(username=login.username, password=login.password)))
    return source if source.logins else None


def _payload(situation: Situation) -> tuple[PayloadLogin, ...]:
    """The job's own login. In a job the same token is in the environment."""
    registry, token = situation.set(GITLAB.registry), situation.set(GITLAB.token)
    return (PayloadLogin(registry, GITLAB.user, Secret(token)),) if registry and token else ()


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
    found = source.logins.get(path)
    if found is None:
        return
    if found.login is not None:
        trail.helper(f"{found.section} of {source.name}", found.key, found.login)
        undecided = found.login.state is HelperState.NOT_ASKED
        trail.decide(Verdict.UNDECIDED if undecided else Verdict.ANONYMOUS)
        return
    seen = f"it stands for {path}"
    if trail.decided:
        less = path != name and any(
            path != runner_path(each.key) for each in trail.candidates if each.accepted
        )
        reason = Reason.LESS_SPECIFIC if less else Reason.OUTRANKED
        trail.entry(source.name, found.key, found.entry, reason, seen)
        return
    trail.take(source.name, found.key, found.entry, _reason(source, found.key, path, name), seen)


def _reason(source: _Source, key: str, path: str, name: str) -> Reason:
    if source.name == JOB:
        return Reason.JOB_LOGIN
    if "://" in key:
        return Reason.HOST_OF_KEY
    return Reason.EXACT_KEY if path == name else Reason.PATH_KEY
