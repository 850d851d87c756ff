"""What holds for every environment."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st
from thorough import examples

from dockpass.auth.command import Command
from dockpass.auth.decide import decide
from dockpass.auth.decision import Decision, Outcome, Refusal, RuleId
from dockpass.auth.facts import BaseImage, Facts, Options, Source, SourceKind, Variable
from dockpass.auth.rules import READ_BY_RULES, RULES
from dockpass.auth.whynot import applied, why_not
from dockpass.secrets import Secret

HOSTS = [
    "registry.myhost.com",
    "registry.myhost.com:5000",
    "eu.gcr.io",
    "quay.io",
    "docker.io",
    "REG.io",
]

host = st.sampled_from(HOSTS)
word = st.one_of(st.sampled_from(["", " ", "0", "1", "./.docker"]), host, st.text(max_size=12))
repo = st.one_of(st.none(), st.text(max_size=20), host.map(lambda name: f"{name}/web/backend"))
image = st.one_of(
    st.sampled_from(["alpine:3", "me/app"]), host.map(lambda name: f"{name}/base:1"), st.text(max_size=9)
)
secret = st.one_of(st.none(), st.sampled_from(["", "a-password"])).map(
    lambda value: None if value is None else Secret(value)
)


@st.composite
def facts(draw: st.DrawFn) -> Facts:
    names = sorted(READ_BY_RULES | {"CI_REGISTRY_IMAGE", "WERF_CLEANUP_REGISTRY_PASSWORD"})
    values = draw(st.dictionaries(st.sampled_from(names), word))
    images = draw(st.one_of(st.none(), st.lists(image, max_size=3)))
    return Facts(
        {name: Variable(name, value, Source(SourceKind.PROCESS)) for name, value in values.items()},
        Options(draw(repo), draw(st.one_of(st.none(), word)), draw(secret)),
        None if images is None else tuple(BaseImage(name) for name in images),
        "/home/dev",
        "/srv/app",
    )


@given(st.sampled_from(Command), facts())
def test_every_environment_is_decided(command: Command, given_facts: Facts) -> None:
    decided = decide(command, given_facts)
    if isinstance(decided, Refusal):
        assert command.needs_repo
        assert decided.id in {"repo-required", "repo-invalid"}
        return
    outcomes = [step.outcome for step in decided.trace]
    assert [step.rule for step in decided.trace] == list(RuleId) == [rule.id for rule in RULES]
    assert outcomes.count(Outcome.CHOSEN) == 1
    assert bool(decided.login) == (decided.username is not None) == (decided.config_dir is None)
    assert (decided.secret is not None) == (decided.secret_from is not None) == decided.method.logs_in
    assert set(outcomes[outcomes.index(Outcome.CHOSEN) + 1 :]) <= {Outcome.NOT_REACHED}


CANARY = "canary-0123456789"


@given(st.sampled_from(Command), facts())
def test_no_secret_is_in_any_text(command: Command, given_facts: Facts) -> None:
    secret = Variable("CI_JOB_TOKEN", Secret(CANARY), Source(SourceKind.PROCESS))
    cleanup = Variable("WERF_IMAGES_CLEANUP_PASSWORD", Secret(CANARY), Source(SourceKind.PROCESS))
    options = replace(given_facts.options, registry_password=Secret(CANARY))
    variables = {**given_facts.variables, secret.name: secret, cleanup.name: cleanup}
    full = replace(given_facts, variables=variables, options=options)
    assert CANARY not in repr(decide(command, full))
    assert CANARY not in repr(why_not(command, full))
    for found in why_not(command, full):
        assert CANARY not in " ".join(edit.in_words() for edit in found.changes)


@given(st.sampled_from(Command), facts())
@settings(max_examples=examples(60))
def test_the_edits_of_a_why_not_lead_to_its_method(command: Command, given_facts: Facts) -> None:
    before = decide(command, given_facts)
    for found in why_not(command, given_facts):
        assert isinstance(before, Decision)
        assert found.method is not before.method
        if found.possible:
            after = decide(command, applied(given_facts, found.changes))
            assert isinstance(after, Decision)
            assert after.method is found.method
        else:
            assert found.because.startswith("not available: ")
