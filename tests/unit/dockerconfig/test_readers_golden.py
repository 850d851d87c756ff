"""Each trap of the readers, as a row: a world, a reader, and what it does there."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest
from readerworld import AUTH_JSON, CONFIG, HOME, RUNTIME, RUNTIME_JSON, World, basic

from dockpass.dockerconfig.readers.cliversions import BEFORE, NEWEST, Version
from dockpass.dockerconfig.readers.dockercli import read_cli
from dockpass.dockerconfig.readers.files import FileKind
from dockpass.dockerconfig.readers.model import Reader, Reading, SecretKind, Verdict
from dockpass.dockerconfig.readers.reasons import Reason
from dockpass.dockerconfig.readers.situation import parse_target

OLD, NEW, SDK = Reader.CLI_BEFORE, Reader.CLI, Reader.SDK
PODMAN, SKOPEO, RUNNER = Reader.PODMAN, Reader.SKOPEO, Reader.RUNNER
CLIS = (OLD, NEW)
FAMILY = (PODMAN, SKOPEO)
EVERY = tuple(Reader)
HOST = "reg.example"
HUB = "https://index.docker.io/v1/"
FAILS, ANONYMOUS = Verdict.FAILS, Verdict.ANONYMOUS
UNDECIDED, CHANCE = Verdict.UNDECIDED, Verdict.CHANCE


@dataclass(frozen=True)
class Row:
    """`outcome` is a user's name, or a verdict; `reason` stands somewhere among the candidates."""

    name: str
    readers: tuple[Reader, ...]
    outcome: str | Verdict
    reason: Reason | None = None
    config: Any = None
    files: dict[str, Any] = field(default_factory=dict)
    env: dict[str, str] = field(default_factory=dict)
    helpers: dict[str, Any] = field(default_factory=dict)
    target: str = HOST
    ask: bool = True
    finding: str = ""

    @property
    def world(self) -> World:
        files = dict(self.files)
        if self.config is not None:
            files[CONFIG] = self.config
        return World(files, self.env, self.helpers, self.ask, directories=frozenset({RUNTIME}))


def keys(*pairs: tuple[str, str]) -> dict[str, Any]:
    return {"auths": {key: basic(user) for key, user in pairs}}


def variable(*pairs: tuple[str, str], **more: Any) -> dict[str, str]:
    return {"DOCKER_AUTH_CONFIG": json.dumps(keys(*pairs) | more)}


PLAIN = keys((HOST, "plain"))
STORE = {"credsStore": "s", **PLAIN}
OWN = {"credHelpers": {HOST: "h"}, "credsStore": "s", **PLAIN}
BROKEN = {"auth": "!!!"}
JOB = {"CI_REGISTRY": HOST, "CI_JOB_TOKEN": "t"}

ROWS = (
    # 2.1: the docker command line
    Row("plain entry", EVERY, "plain", Reason.EXACT_KEY, PLAIN),
    Row("nothing anywhere", EVERY, ANONYMOUS),
    Row("the Hub's key", EVERY, "hub", None, keys((HUB, "hub")), target="docker.io"),
    Row("index.docker.io is the Hub", EVERY, "hub", None, keys((HUB, "hub")), target="index.docker.io"),
    Row("docker.io as a key is not docker's", CLIS, ANONYMOUS, Reason.OTHER_KEY, keys(("docker.io", "x")),
        target="docker.io"),
    Row("docker.io as a key is read by the others", (SDK, *FAMILY, RUNNER), "x", None, keys(("docker.io", "x")),
        target="docker.io/library/alpine"),
    Row("a key with scheme and path", EVERY, "x", Reason.HOST_OF_KEY,
        keys((f"https://{HOST}/v1/", "x"))),
    Row("another port", EVERY, ANONYMOUS, None, keys((f"{HOST}:5000", "x"))),
    Row("the default port counts", (*CLIS, SDK, *FAMILY), ANONYMOUS, None, keys((f"{HOST}:443", "x"))),
    Row("the default port is told", CLIS, ANONYMOUS, Reason.OTHER_KEY, keys((f"{HOST}:443", "x"))),
    Row("case counts", (*CLIS, SDK, *FAMILY), ANONYMOUS, None, keys(("Reg.Example", "x"))),
    Row("case does not count for the runner", (RUNNER,), "x", None, keys(("Reg.Example", "x"))),
    Row("a namespaced key counts for the host", (*CLIS, SDK), "x", Reason.HOST_OF_KEY, keys((f"{HOST}/a/b", "x"))),
    Row("two namespaced keys are chance", CLIS, CHANCE, Reason.ONE_BY_CHANCE,
        keys((f"{HOST}/a", "x"), (f"{HOST}/b", "y")), finding="one-by-chance"),
    Row("two namespaced keys of one login are none", CLIS, "x", Reason.ONE_BY_CHANCE,
        keys((f"{HOST}/a", "x"), (f"{HOST}/b", "x"))),
    Row("two namespaced keys: the SDK takes the first", (SDK,), "x", Reason.OUTRANKED,
        keys((f"{HOST}/a", "x"), (f"{HOST}/b", "y"))),
    Row("the exact key first", (*CLIS, SDK), "plain", Reason.OUTRANKED,
        keys((f"https://{HOST}/v2/", "x"), (HOST, "plain"))),
    Row("its own helper is final", CLIS, ANONYMOUS, Reason.HELPER_EMPTY, OWN, helpers={"h": {}, "s": {HOST: ("s", "s")}}),
    Row("its own helper before the store", CLIS, "own", Reason.HELPER_INSTEAD, OWN,
        helpers={"h": {HOST: ("own", "s")}, "s": {}}),
    Row("with a store plain entries are not read", CLIS, ANONYMOUS, Reason.HELPER_INSTEAD, STORE, helpers={"s": {}}),
    Row("the store's login", (*CLIS, SDK, RUNNER), "stored", Reason.HELPER_ANSWERED, STORE,
        helpers={"s": {HOST: ("stored", "s")}}),
    Row("a helper for another host", CLIS, "plain", None, {"credHelpers": {"other.example": "h"}, **PLAIN}),
    Row("a helper of an empty name is none", CLIS, "plain", None, OWN | {"credHelpers": {HOST: ""}}),
    Row("helper keys are exact", (*CLIS, *FAMILY), "plain", None,
        {"credHelpers": {f"https://{HOST}": "h"}, **PLAIN}),
    Row("not asked is undecided", (*CLIS, SDK, RUNNER), UNDECIDED, Reason.HELPER_NOT_ASKED, STORE,
        helpers={"s": {HOST: ("stored", "s")}}, ask=False),
    Row("its own helper not asked", EVERY, UNDECIDED, Reason.HELPER_NOT_ASKED, {"credHelpers": {HOST: "h"}, **PLAIN},
        helpers={"h": {}}, ask=False),
    Row("a missing helper needs no asking", (NEW, SDK), FAILS, Reason.HELPER_FAILED, STORE, ask=False),
    Row("a missing helper was no matter", (OLD,), "plain", Reason.PLAIN_AFTER_FAILURE, STORE, ask=False),
    Row("a failing helper", (NEW, SDK), FAILS, Reason.HELPER_FAILED, STORE, helpers={"s": (1, b"locked")}),
    Row("not found in other words is a failure", (NEW,), FAILS, Reason.HELPER_FAILED, STORE,
        helpers={"s": (1, b"nothing found")}),
    Row("an empty config and the system's store", CLIS, "kept", Reason.HELPER_ANSWERED, {"auths": {}},
        helpers={"secretservice": {HOST: ("kept", "s")}}),
    Row("a missing file and the system's store", CLIS, UNDECIDED, Reason.NO_FILE, ask=False,
        helpers={"secretservice": {}}),
    Row("any entry keeps the system's store out", CLIS, ANONYMOUS, Reason.NO_ENTRY, keys(("a.invalid", "x")),
        helpers={"secretservice": {HOST: ("kept", "s")}}),
    Row("credStore is nobody's", (*CLIS, SDK), "plain", None, {"credStore": "s", **PLAIN},
        finding="section-misspelled"),
    Row("names of sections in any case", (*CLIS, *FAMILY, RUNNER), "plain", None, {"AUTHS": PLAIN["auths"]}),
    Row("names of sections in any case but for the SDK", (SDK,), ANONYMOUS, None, {"AUTHS": PLAIN["auths"]}),
    Row("a broken file is an empty one", (*CLIS, SDK), ANONYMOUS, Reason.BROKEN_FILE, "{", finding="file-broken"),
    Row("a byte order mark breaks the file", (*CLIS, SDK), ANONYMOUS, Reason.BROKEN_FILE,
        b"\xef\xbb\xbf" + json.dumps(PLAIN).encode()),
    Row("what follows the first value", (*CLIS, RUNNER), "plain", None, json.dumps(PLAIN) + "trailing"),
    Row("what follows the first value breaks it", FAMILY, FAILS, Reason.BROKEN_FILE, json.dumps(PLAIN) + "trailing"),
    Row("a wrong type anywhere and nothing is decoded", CLIS, ANONYMOUS, Reason.NOT_DECODED,
        {"features": {"buildkit": True}, **PLAIN}, finding="file-wrong-type"),
    Row("a wrong type and the runner uses nothing", (RUNNER,), ANONYMOUS, Reason.BROKEN_FILE,
        {"features": {"buildkit": True}, **PLAIN}),
    Row("DOCKER_CONFIG in place of home", (*CLIS, SDK, PODMAN), "there", None, PLAIN,
        {"/d/config.json": keys((HOST, "there"))}, {"DOCKER_CONFIG": "/d"}),
    Row("an empty DOCKER_CONFIG leaks nothing to docker", CLIS, ANONYMOUS, Reason.NO_FILE, PLAIN,
        env={"DOCKER_CONFIG": "/d"}),
    Row("an empty DOCKER_CONFIG leaks the home to the SDK", (SDK,), "plain", Reason.NO_FILE, PLAIN,
        env={"DOCKER_CONFIG": "/d"}, finding="sdk-reads-home"),
    # 2.2: the entries
    Row("auth beats the fields", CLIS, "a", None,
        {"auths": {HOST: basic("a") | {"username": "f", "password": "p"}}}),
    Row("fields without auth", (*CLIS, RUNNER), "f", None, {"auths": {HOST: {"username": "f", "password": "p"}}}),
    Row("the SDK reads no fields", (SDK,), ANONYMOUS, Reason.FIELDS_NOT_READ,
        {"auths": {HOST: {"username": "f", "password": "p"}}}),
    Row("podman reads no fields", FAMILY, ANONYMOUS, Reason.EMPTY_ENTRY,
        {"auths": {HOST: {"username": "f", "password": "p"}}}),
    Row("a colon in the password", EVERY, "u", None, {"auths": {HOST: basic("u", "a:b")}}),
    Row("NULs are trimmed", EVERY, "u", None, {"auths": {HOST: basic("u", "p\0")}}),
    Row("a broken entry", CLIS, ANONYMOUS, Reason.BROKEN_ENTRY, {"auths": {HOST: BROKEN}}, finding="entry-broken"),
    Row("a broken entry stops the SDK", (SDK,), FAILS, Reason.BROKEN_FILE, {"auths": {HOST: BROKEN}}),
    Row("a broken entry stops podman", FAMILY, FAILS, Reason.BROKEN_ENTRY, {"auths": {HOST: BROKEN}}),
    Row("a broken neighbour makes it chance", CLIS, CHANCE, Reason.DECODED_BY_CHANCE,
        {"auths": {"other.example": BROKEN, HOST: basic("plain")}}),
    Row("a broken neighbour stops the SDK", (SDK,), FAILS, None,
        {"auths": {"other.example": BROKEN, HOST: basic("plain")}}, finding="sdk-stops"),
    Row("a broken neighbour is no matter to podman", FAMILY, "plain", None,
        {"auths": {"other.example": BROKEN, HOST: basic("plain")}}),
    Row("a broken neighbour and the runner uses nothing", (RUNNER,), ANONYMOUS, Reason.BROKEN_FILE,
        {"auths": {"other.example": BROKEN, HOST: basic("plain")}}),
    Row("no user is broken", CLIS, ANONYMOUS, Reason.BROKEN_ENTRY, {"auths": {HOST: basic("")}}),
    Row("no user is none to the others", (SDK, *FAMILY), "", None, {"auths": {HOST: basic("")}}),
    Row("a helper's marker", (*CLIS, SDK, RUNNER), ANONYMOUS, Reason.EMPTY_ENTRY, {"auths": {HOST: {}}}),
    # 2.3: the variable means two things
    Row("the variable wins", (NEW, RUNNER), "var", Reason.EXACT_KEY, PLAIN, env=variable((HOST, "var"))),
    Row("the variable is not known", (OLD, SDK, *FAMILY), "plain", Reason.VARIABLE_NOT_READ, PLAIN,
        env=variable((HOST, "var"))),
    Row("the variable beats a helper", (NEW,), "var", Reason.OUTRANKED, OWN, env=variable((HOST, "var")),
        helpers={"h": {HOST: ("own", "s")}}),
    Row("the variable beats a helper, which is not asked", (NEW,), "var", Reason.OUTRANKED, OWN,
        env=variable((HOST, "var")), ask=False),
    Row("another key in the variable goes on", (NEW,), "plain", Reason.NO_ENTRY, PLAIN,
        env=variable(("other.example", "var"))),
    Row("a scheme in the variable never matches docker", (NEW,), "plain", Reason.OTHER_KEY, PLAIN,
        env=variable((f"https://{HOST}", "var")), finding="variable-near-key"),
    Row("a scheme in the variable matches the runner", (RUNNER,), "var", Reason.HOST_OF_KEY, PLAIN,
        env=variable((f"https://{HOST}", "var"))),
    Row("a helper in the variable: docker refuses it", (NEW,), "plain", Reason.VARIABLE_REFUSED, PLAIN,
        env=variable((HOST, "var"), credHelpers={}), finding="variable-refused"),
    Row("a helper in the variable: the runner takes it", (RUNNER,), "own", Reason.HELPER_ANSWERED, PLAIN,
        env=variable(credHelpers={HOST: "h"}), helpers={"h": {HOST: ("own", "s")}}),
    Row("fields in the variable: docker refuses it", (NEW,), "plain", Reason.VARIABLE_REFUSED, PLAIN,
        env={"DOCKER_AUTH_CONFIG": json.dumps({"auths": {HOST: {"username": "u", "password": "p"}}})}),
    Row("one entry without auth refuses all", (NEW,), "plain", Reason.VARIABLE_REFUSED, PLAIN,
        env={"DOCKER_AUTH_CONFIG": json.dumps({"auths": {HOST: basic("var"), "b.example": {}}})}),
    Row("a variable that is no JSON", (NEW, RUNNER), "plain", Reason.VARIABLE_REFUSED, PLAIN,
        env={"DOCKER_AUTH_CONFIG": "{"}),
    Row("an empty variable is not set", (NEW, RUNNER), "plain", None, PLAIN, env={"DOCKER_AUTH_CONFIG": ""}),
    Row("the runner's order", (RUNNER,), "plain", Reason.OUTRANKED, PLAIN, env=JOB),
    Row("the job's own login is the last", (RUNNER,), "gitlab-ci-token", Reason.JOB_LOGIN, env=JOB),
    Row("the nearest key of all sources", (RUNNER,), "near", Reason.LESS_SPECIFIC, keys((f"{HOST}/a", "near")),
        env=variable((HOST, "var")), target=f"{HOST}/a/b:1"),
    Row("a path with another case does not match", (RUNNER,), ANONYMOUS, None, keys((f"{HOST}/A", "near")),
        target=f"{HOST}/a/b"),
    Row("a tag in a key is cut", (RUNNER,), "tagged", None, keys((f"{HOST}/a:1", "tagged")), target=f"{HOST}/a:2"),
    Row("the runner reads no DOCKER_CONFIG", (RUNNER,), "plain", Reason.VARIABLE_NOT_READ, PLAIN,
        {"/d/config.json": keys((HOST, "there"))}, {"DOCKER_CONFIG": "/d"}, finding="runner-home"),
    Row("a helper's path stops the runner", (RUNNER,), FAILS, Reason.HELPER_NAME,
        {"credHelpers": {"other.example": "../evil"}, **PLAIN}),
    Row("a missing helper spoils the source", (RUNNER,), ANONYMOUS, Reason.BROKEN_FILE,
        {"credHelpers": {"other.example": "gone"}, **PLAIN}),
    Row("a helper without a login hides the entry", (RUNNER,), ANONYMOUS, Reason.HELPER_EMPTY,
        {"credHelpers": {HOST: "h"}, **PLAIN}, helpers={"h": {}}),
    # 2.4: podman, buildah, skopeo
    Row("REGISTRY_AUTH_FILE only", FAMILY, ANONYMOUS, Reason.FILE_NOT_READ, PLAIN, {"/a.json": {"auths": {}}},
        {"REGISTRY_AUTH_FILE": "/a.json"}),
    Row("the runtime's file first", FAMILY, "run", Reason.OUTRANKED, PLAIN,
        {RUNTIME_JSON: keys((HOST, "run")), AUTH_JSON: keys((HOST, "conf"))}, {"XDG_RUNTIME_DIR": RUNTIME}),
    Row("without a runtime directory /run/containers", FAMILY, "uid", None, PLAIN,
        {"/run/containers/1000/auth.json": keys((HOST, "uid"))}),
    Row("a runtime directory that is not there", FAMILY, "conf", None, PLAIN,
        {AUTH_JSON: keys((HOST, "conf"))}, {"XDG_RUNTIME_DIR": "/gone"}, finding="runtime-dir-missing"),
    Row("the config directory before docker's", FAMILY, "conf", Reason.OUTRANKED, PLAIN,
        {AUTH_JSON: keys((HOST, "conf"))}),
    Row("the oldest file last", FAMILY, "old", Reason.HOST_OF_KEY, None,
        {f"{HOME}/.dockercfg": {f"https://{HOST}/v1/": basic("old")}}),
    Row("with DOCKER_CONFIG podman reads it only", (PODMAN,), "there", Reason.FILE_NOT_READ, None,
        {"/d/config.json": keys((HOST, "there")), AUTH_JSON: keys((HOST, "conf"))}, {"DOCKER_CONFIG": "/d"},
        finding="podman-docker-config"),
    Row("with DOCKER_CONFIG skopeo reads its others first", (SKOPEO,), "conf", Reason.OUTRANKED, None,
        {"/d/config.json": keys((HOST, "there")), AUTH_JSON: keys((HOST, "conf"))}, {"DOCKER_CONFIG": "/d"}),
    Row("the nearest path", FAMILY, "near", Reason.LESS_SPECIFIC,
        keys((HOST, "host"), (f"{HOST}/a", "far"), (f"{HOST}/a/b", "near")), target=f"{HOST}/a/b/c"),
    Row("a path of another repository", FAMILY, ANONYMOUS, Reason.OTHER_KEY, keys((f"{HOST}/a", "x")),
        target=f"{HOST}/b"),
    Row("a key with a path and no scheme is no host", FAMILY, ANONYMOUS, Reason.OTHER_KEY, keys((f"{HOST}/a", "x"))),
    Row("no credsStore", FAMILY, "plain", Reason.STORE_NOT_READ, STORE, helpers={"s": {HOST: ("stored", "s")}}),
    Row("its own helper is final in its file", FAMILY, ANONYMOUS, Reason.HELPER_INSTEAD,
        {"credHelpers": {HOST: "h"}, **PLAIN}, helpers={"h": {}}),
    Row("and then the next file is read", FAMILY, "plain", Reason.HELPER_EMPTY, PLAIN,
        {AUTH_JSON: {"credHelpers": {HOST: "h"}}}, helpers={"h": {}}),
    Row("a missing helper stops podman", FAMILY, FAILS, Reason.HELPER_FAILED, {"credHelpers": {HOST: "h"}, **PLAIN}),
    Row("an empty file stops podman", FAMILY, FAILS, Reason.BROKEN_FILE, ""),
    Row("an empty file is an empty config", (*CLIS, RUNNER), ANONYMOUS, None, ""),
    Row("a broken file before docker's stops podman", FAMILY, FAILS, Reason.BROKEN_FILE, PLAIN, {AUTH_JSON: "{"}),
    Row("a directory stops podman", FAMILY, FAILS, Reason.UNREADABLE_FILE, PLAIN, {AUTH_JSON: FileKind.DIRECTORY}),
    Row("an entry without login and the next file", FAMILY, "plain", Reason.EMPTY_ENTRY, PLAIN,
        {AUTH_JSON: {"auths": {HOST: {}}}}),
    Row("all names of the Hub", FAMILY, "hub", Reason.HOST_OF_KEY, keys(("registry-1.docker.io", "hub")),
        target="docker.io/library/alpine"),
    # 2.6: the docker SDK
    Row("the SDK goes on to the plain entry", (SDK,), "plain", Reason.HELPER_EMPTY, STORE, helpers={"s": {}}),
    Row("an unrelated missing helper stops only builds", (SDK,), "plain", None,
        {"credHelpers": {"other.example": "gone"}, **PLAIN}, finding="sdk-build-stops"),
    Row("lenient base64", (SDK,), "user", None, {"auths": {HOST: {"auth": "dXNl*cjpw"}}}),
    Row("strict base64", CLIS, ANONYMOUS, Reason.BROKEN_ENTRY, {"auths": {HOST: {"auth": "dXNl*cjpw"}}}),
    Row("an empty auth stops the SDK", (SDK,), FAILS, None, {"auths": {HOST: {"auth": ""}}}),
    Row("an auth that is not ASCII stops the SDK", (SDK,), FAILS, None, {"auths": {HOST: {"auth": "dXNlcjpwé"}}}),
    Row("an entry that is no object stops the SDK", (SDK,), FAILS, None, {"auths": {HOST: 5}}),
    Row("a file without sections is a list of registries", (SDK,), "x", None, {HOST: basic("x")},
        finding="sdk-sections-as-registries"),
    Row("proxies become a registry", (SDK,), ANONYMOUS, None, {"proxies": {}}, finding="sdk-sections-as-registries"),
    Row("the SDK's oldest form is for the Hub", (SDK,), "user", None, None,
        {f"{HOME}/.dockercfg": "auth = dXNlcjpw\nemail = a@b"}, target="docker.io"),
    Row("the SDK's build sends all", (SDK,), "plain", None, keys((HOST, "plain"), ("b.example", "x")),
        finding="sdk-build-sends-all"),
    Row("upper case is no host to the SDK", (SDK,), "hub", None, keys(("REG", "x"), (HUB, "hub")), target="REG/app",
        finding="sdk-no-host"),
    Row("upper case is a host to docker", CLIS, "x", None, keys(("REG", "x"), (HUB, "hub")), target="REG/app"),
    # what dockpass does not read
    Row("a pipe in place of the file", EVERY, UNDECIDED, Reason.NOT_LOOKED_AT,
        FileKind.SPECIAL, finding="file-not-looked-at"),
    Row("a file that is too large", EVERY, UNDECIDED, Reason.NOT_LOOKED_AT, FileKind.TOO_LARGE),
    Row("a file that is nested too deeply", CLIS, UNDECIDED, Reason.NOT_LOOKED_AT, '{"a":' * 20_000),
)  # fmt: skip


FAULTS = (
    ({"experimental": True}, (28, 5), (29, 0)),
    ({"auths": PLAIN["auths"] | {"b.example": {"email": 5}}}, (28, 5), (29, 0)),
)
"""A config, a version to which it has a fault of type, and one that does not know the field."""

VERSIONS: tuple[tuple[Version, Row], ...] = (
    *((version, row) for version in (BEFORE, NEWEST) for row in (
        Row("a scheme in capitals", CLIS, "x", Reason.HOST_OF_KEY, keys((f"HTTPS://{HOST}/", "x"))),
        Row("a login in a URL", CLIS, "x", Reason.HOST_OF_KEY, keys((f"https://u:p@{HOST}/", "x"))),
        Row("no user is broken", CLIS, ANONYMOUS, Reason.BROKEN_ENTRY, {"auths": {HOST: basic("")}}),
        Row("allProxy has a type", CLIS, ANONYMOUS, Reason.NOT_DECODED,
            PLAIN | {"proxies": {"default": {"allProxy": 5}}}, finding="file-wrong-type"),
        Row("features have one too", CLIS, ANONYMOUS, Reason.NOT_DECODED, PLAIN | {"features": {"buildkit": True}},
            finding="file-wrong-type"),
        Row("a section of old is nobody's matter", CLIS, "plain", Reason.EXACT_KEY,
            PLAIN | {"kubernetes": "all", "stackOrchestrator": 5}))),
    ((28, 2), Row("a fault in a URL", CLIS, ANONYMOUS, Reason.NO_ENTRY, keys((f"https://{HOST}/%zz", "x")))),
    *((version, Row(f"{next(iter(fault))}, wrong", CLIS, ANONYMOUS, Reason.NOT_DECODED, PLAIN | fault,
        finding="file-wrong-type")) for fault, version, _ in FAULTS),
    *((version, Row(f"{next(iter(fault))}, not known", CLIS, "plain", Reason.EXACT_KEY, PLAIN | fault))
        for fault, _, version in FAULTS),
)  # fmt: skip


def outcome(reading: Reading) -> str | Verdict:
    return reading.winner.user if reading.winner is not None else reading.verdict


@pytest.mark.parametrize(
    ("row", "reader"),
    [(row, reader) for row in ROWS for reader in row.readers],
    ids=[f"{row.name}-{reader}" for row in ROWS for reader in row.readers],
)
def test_what_a_reader_does(row: Row, reader: Reader) -> None:
    check(row, row.world.read(reader, row.target))


@pytest.mark.parametrize(
    ("version", "row"),
    VERSIONS,
    ids=[f"{row.name}-{major}.{minor}" for (major, minor), row in VERSIONS],
)
def test_what_a_version_of_docker_does(version: Version, row: Row) -> None:
    check(row, read_cli(parse_target(row.target), row.world.situation, version))


def check(row: Row, reading: Reading) -> None:
    assert outcome(reading) == row.outcome, reading
    if row.reason is not None:
        assert row.reason in {found.reason for found in reading.candidates}, reading.candidates
    if row.finding:
        assert row.finding in {found.id for found in reading.findings}, reading.findings


@pytest.mark.parametrize("row", ROWS, ids=[row.name for row in ROWS])
def test_what_holds_everywhere(row: Row) -> None:
    """The winner is the only accepted candidate, each has words, and nothing is asked unasked."""
    world = row.world
    world.ask = False
    for reading in world.read_all(row.target):
        accepted = [found for found in reading.candidates if found.accepted]
        assert (reading.winner is not None) == (reading.verdict is Verdict.LOGIN)
        if reading.winner is not None:
            assert accepted == [reading.winner]
            assert reading.winner.secret_kind not in {SecretKind.NONE, SecretKind.HELPER}
        elif reading.verdict is not Verdict.CHANCE:
            assert accepted == []
        assert all(found.because for found in reading.candidates)
    assert world.asked == []
