"""A variable that is there and whose value is not known: never taken for unset, never for an empty text."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from thorough import examples

from dockpass.auth.command import Command, Method
from dockpass.auth.decide import decide, decide_to_run
from dockpass.auth.decision import Decision, Refusal, WarningId
from dockpass.auth.facts import BaseImage, Edit, EditKind, Facts, Options, Source, SourceKind, Variable
from dockpass.auth.rules import READ_BY_RULES
from dockpass.auth.whynot import why_not
from dockpass.secrets import Secret
from dockpass.unknown import Unknown
from dockpass.variables.catalogue import CATALOGUE
from dockpass.variables.findings import find_findings

HOST, REPO = "registry.myhost.com", "registry.myhost.com/web/backend"
MASKED = Unknown("masked in the log", is_set=True)
PERHAPS = Unknown("a shell would compute it")


def facts(*, repo: str | None = REPO, base: tuple[str, ...] | None = None, **values: str | Unknown) -> Facts:
    variables = {
        name: Variable(
            name,
            Secret(value) if isinstance(value, str) and "TOKEN" in name else value,
            Source(SourceKind.ENV_FILE, "log:1"),
        )
        for name, value in values.items()
    }
    images = None if base is None else tuple(BaseImage(name) for name in base)
    return Facts(variables, Options(repo), images, "/home/dev", "/srv/app")


def decided(command: Command, given_facts: Facts) -> Decision:
    found = decide(command, given_facts)
    assert isinstance(found, Decision)
    return found


def test_a_masked_token_logs_in_and_is_asked_for_before_a_run() -> None:
    given_facts = facts(CI_REGISTRY=HOST, CI_JOB_TOKEN=MASKED)
    found = decided(Command.PUSH, given_facts)
    assert (found.method, found.username, found.login) == (Method.AUTOLOGIN, "gitlab-ci-token", (HOST,))
    assert found.unknown == ("CI_JOB_TOKEN",)
    assert found.secret == MASKED
    assert "with CI_JOB_TOKEN (value not known here)" in found.sentence
    refused = decide_to_run(Command.PUSH, given_facts)
    assert isinstance(refused, Refusal)
    assert (refused.id, refused.about) == ("value-unknown", "CI_JOB_TOKEN")
    assert "--set CI_JOB_TOKEN" in refused.hint
    edit = Edit(EditKind.SET, "CI_JOB_TOKEN", Secret("canary-0123456789"))
    assert isinstance(decide_to_run(Command.PUSH, given_facts.edited(edit)), Decision)


@pytest.mark.parametrize(
    ("command", "values", "method", "unknown"),
    [
        (Command.PUSH, {"WERF_DOCKER_CONFIG": MASKED}, Method.EXTERNAL, ("WERF_DOCKER_CONFIG",)),
        (Command.PUSH, {"DOCKER_CONFIG": MASKED}, Method.AMBIENT, ("DOCKER_CONFIG",)),
        (
            Command.CLEANUP,
            {"WERF_IMAGES_CLEANUP_PASSWORD": MASKED},
            Method.CLEANUP_TOKEN,
            ("WERF_IMAGES_CLEANUP_PASSWORD",),
        ),
        # what is not used need not be known
        (Command.PUSH, {"WERF_IMAGES_CLEANUP_PASSWORD": MASKED}, Method.AMBIENT, ()),
        (Command.PUSH, {"CI_JOB_TOKEN": MASKED}, Method.AMBIENT, ()),
        (Command.PUSH, {"CI_JOB_TOKEN": PERHAPS}, Method.AMBIENT, ()),
        (Command.PUSH, {"CI_REGISTRY_IMAGE": MASKED}, Method.AMBIENT, ()),
        (Command.PUSH, {"CI_REGISTRY": MASKED, "CI_JOB_TOKEN": "t"}, Method.AUTOLOGIN, ()),
        # any value of the switch switches off
        (
            Command.PUSH,
            {"CI_REGISTRY": HOST, "CI_JOB_TOKEN": MASKED, "WERF_IGNORE_CI_DOCKER_AUTOLOGIN": MASKED},
            Method.AMBIENT,
            (),
        ),
        # whether a value is empty decides, and is not known
        (Command.PUSH, {"CI_REGISTRY": HOST, "CI_JOB_TOKEN": PERHAPS}, Method.AMBIENT, ("CI_JOB_TOKEN",)),
        (
            Command.PUSH,
            {"CI_REGISTRY": PERHAPS, "CI_JOB_TOKEN": PERHAPS},
            Method.AMBIENT,
            ("CI_JOB_TOKEN", "CI_REGISTRY"),
        ),
        (Command.PUSH, {"WERF_DOCKER_CONFIG": PERHAPS}, Method.AMBIENT, ("WERF_DOCKER_CONFIG",)),
    ],
)
def test_what_has_to_be_known(
    command: Command, values: dict[str, str | Unknown], method: Method, unknown: tuple[str, ...]
) -> None:
    found = decided(command, facts(**values))
    assert (found.method, found.unknown) == (method, unknown)
    assert isinstance(decide_to_run(command, facts(**values)), Refusal if unknown else Decision)


def test_a_build_whose_registry_is_not_known_says_so() -> None:
    given_facts = facts(base=(f"{HOST}/base:1",), CI_REGISTRY=MASKED, CI_JOB_TOKEN="t")
    found = decided(Command.BUILD, given_facts)
    assert (found.method, found.unknown) == (Method.AMBIENT, ("CI_REGISTRY",))
    assert "whether a base image is in CI_REGISTRY is not known" in found.sentence
    nothing_pulled = facts(base=(), CI_REGISTRY=MASKED, CI_JOB_TOKEN="t")
    assert decided(Command.BUILD, nothing_pulled).unknown == ()


def test_a_repository_that_is_not_known_still_has_a_method() -> None:
    given_facts = facts(repo=None, CI_REGISTRY=HOST, CI_JOB_TOKEN="t", CI_REGISTRY_IMAGE=MASKED)
    found = decided(Command.PUSH, given_facts)
    assert (found.method, found.repo, found.login) == (Method.AUTOLOGIN, "", ())
    assert found.unknown == ("CI_REGISTRY_IMAGE",)
    assert found.warnings == ()
    assert "the registry of CI_REGISTRY_IMAGE" in found.sentence


def test_a_token_whose_registry_is_not_known_needs_the_persons_word() -> None:
    found = decided(Command.PUSH, facts(CI_REGISTRY=MASKED, CI_JOB_TOKEN="t"))
    assert found.warns(WarningId.FOREIGN_REGISTRY)
    assert "the value of CI_REGISTRY is not known here" in found.warnings[0].message


NAMES = sorted(
    READ_BY_RULES
    | {"CI_REGISTRY_IMAGE", "CI_REGISTRY_USER", "CI_REGISTRY_PASSWORD", "WERF_REPO"}
    | {entry.name for entry in CATALOGUE if not entry.option}
)
value = st.one_of(st.sampled_from([MASKED, PERHAPS]), st.sampled_from(["", HOST, REPO, "0", "t"]))


@given(
    st.sampled_from(Command),
    st.dictionaries(st.sampled_from(NAMES), value),
    st.sampled_from([None, REPO, "eu.gcr.io/p/app"]),
    st.sampled_from([None, (), ("alpine:3",), (f"{HOST}/base:1", "quay.io/a/b")]),
)
@settings(max_examples=examples(150))
def test_no_sentence_takes_an_unknown_value_for_none(
    command: Command, values: dict[str, str | Unknown], repo: str | None, base: tuple[str, ...] | None
) -> None:
    given_facts = facts(repo=repo, base=base, **values)
    found = decide(command, given_facts)
    texts = [finding.about + " " + finding.message for finding in find_findings(given_facts)]
    if isinstance(found, Refusal):
        texts += [found.message, found.hint]
    else:
        texts += [found.sentence, *(notice.message for notice in found.warnings)]
        texts += [step.because for step in found.trace]
        texts += [other.because for other in why_not(command, given_facts)]
        assert bool(found.unknown) == isinstance(decide_to_run(command, given_facts), Refusal)
        assert all(given_facts.unknown(name) for name in found.unknown)
    for name in values:
        if given_facts.unknown(name):
            claims = re.compile(rf"(?<![A-Z_]){name}(?![A-Z_])((?!, and )[^.;:])* (is|are) (not set|empty)")
            assert [text for text in texts if claims.search(text)] == []


@given(
    st.sampled_from(Command),
    st.dictionaries(st.sampled_from(sorted(READ_BY_RULES)), st.sampled_from([PERHAPS, HOST, "", "0"])),
    st.sampled_from([None, ("alpine:3",), (f"{HOST}/base:1",)]),
)
@settings(max_examples=examples(150))
def test_what_need_not_be_known_never_changes_the_method(
    command: Command, values: dict[str, str | Unknown], base: tuple[str, ...] | None
) -> None:
    """Whatever value turns out to be behind what is not named as unknown, the method stays."""
    given_facts = facts(base=base, **values)
    found = decided(command, given_facts)
    for name in values:
        if given_facts.unknown(name) and not found.unknown:
            for text in ("", HOST, "x"):
                known = {**given_facts.variables, name: replace(given_facts.variables[name], value=text)}
                assert decided(command, replace(given_facts, variables=known)).method is found.method


@pytest.mark.parametrize("command", [each for each in Command if each is not Command.BUILD])
@pytest.mark.parametrize(
    "known",
    [
        {"WERF_DOCKER_CONFIG": "/cfg"},
        {"WERF_DOCKER_CONFIG": "/cfg", "CI_REGISTRY": HOST, "CI_JOB_TOKEN": "t"},
        {"options": "u"},
        {"CI_REGISTRY": HOST, "CI_JOB_TOKEN": "t"},
        {"CI_REGISTRY": HOST, "CI_JOB_TOKEN": "t", "WERF_IMAGES_CLEANUP_PASSWORD": "t"},
    ],
)
def test_a_sentence_says_that_a_login_may_change_only_where_a_value_changes_it(
    command: Command, known: dict[str, str]
) -> None:
    values = dict(known)
    options = Options(None, "u", Secret("p")) if values.pop("options", None) else Options(None)

    def decided(repo: str | Unknown) -> Decision:
        found = decide(command, replace(facts(repo=None, **values, CI_REGISTRY_IMAGE=repo), options=options))
        assert isinstance(found, Decision)
        return found

    tried = [decided(repo) for repo in (REPO, "eu.gcr.io/project/app", "other.example/app")]
    changes = len({(each.method, each.username, each.config_dir) for each in tried}) > 1
    assert ("This may change" in decided(MASKED).sentence) is changes
