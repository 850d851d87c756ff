"""A scenario that is written is the one that is read, and has no secret in it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dockpass.auth.command import Command, Method
from dockpass.errors import UsageError
from dockpass.scenario.model import (
    FLAGS,
    FORMAT_OF_KIND,
    LEVELS,
    Context,
    Expectation,
    Given,
    Kind,
    Reference,
    ReferenceKind,
    Scenario,
    Source,
)
from dockpass.scenario.reading import read_scenario
from dockpass.scenario.schema import check
from dockpass.scenario.writing import scenario_text
from dockpass.secrets import Redactor, Secret
from dockpass.settings import Mute
from dockpass.tomllines import lines_of
from dockpass.variables.gitlab.model import Level, RefType
from dockpass.variables.token_kind import looks_secret

TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12).filter(
    lambda text: not looks_secret(text)
)
KEY = st.text("ABC_019", min_size=1, max_size=6)
NAME = st.text("ABC_", min_size=1, max_size=6)
REFERENCES = st.one_of(
    st.builds(lambda name: Reference(ReferenceKind.ENV, (name,)), NAME),
    st.builds(lambda path: Reference(ReferenceKind.FILE, (path,)), TEXT),
    st.builds(
        lambda words: Reference(ReferenceKind.COMMAND, tuple(words)), st.lists(TEXT, min_size=1, max_size=3)
    ),
    st.builds(lambda one, two: Reference(ReferenceKind.KEYRING, (one, two)), TEXT, TEXT),
    st.just(Reference(ReferenceKind.PROMPT)),
    st.builds(lambda *words: Reference(ReferenceKind.GITLAB, words), TEXT, TEXT, TEXT),
)
GIVEN = st.builds(
    Given,
    key=KEY,
    value=st.one_of(TEXT, st.just(""), REFERENCES),
    level=st.sampled_from([level for level in LEVELS.values() if level is not Level.GROUP]),
    flags=st.frozensets(st.sampled_from(FLAGS)),
    scope=st.one_of(st.just("*"), TEXT),
)
LOGINS = st.lists(st.sampled_from(Command), unique=True).flatmap(
    lambda commands: st.tuples(
        *(
            st.builds(
                Expectation, kind=st.just(Kind.METHOD), wanted=st.sampled_from(Method), command=st.just(each)
            )
            for each in commands
        )
    )
)
CONTEXT = st.builds(
    Context,
    ref_type=st.sampled_from(RefType),
    ref=TEXT,
    protected=st.sampled_from([None, True, False]),
    pipeline_source=st.one_of(st.none(), TEXT),
    environment=st.one_of(st.none(), st.just(""), TEXT),
    docker_cli=st.sampled_from(["", "28.3.0", "27.1"]),
    gitlab_version=st.sampled_from(["", "17.11", "18.1.2"]),
    unset=st.lists(NAME, max_size=2).map(tuple),
)
SCENARIOS = st.builds(
    Scenario,
    name=TEXT,
    command=st.one_of(st.none(), st.sampled_from(Command)),
    job=st.one_of(st.just(""), TEXT),
    context=CONTEXT,
    sources=st.lists(
        st.builds(
            Source,
            kind=st.sampled_from([*FORMAT_OF_KIND]),
            path=TEXT,
            level=st.sampled_from([None, Level.PROJECT, Level.GROUP]),
        ),
        max_size=2,
    ).map(tuple),
    variables=st.lists(GIVEN, max_size=3).map(tuple),
    expected=LOGINS,
    muted=st.lists(
        st.builds(Mute, check=TEXT, because=TEXT.filter(str.strip), about=st.one_of(st.just("*"), TEXT)),
        max_size=2,
    ).map(tuple),
)


def read_back(text: str) -> Scenario:
    import tomllib

    checked = check(tomllib.loads(text), lines_of(text))
    assert checked.wrong == ()
    return checked.scenario


def without_lines(scenario: Scenario) -> Scenario:
    expected = sorted((replace(each, line=0) for each in scenario.expected), key=repr)
    return replace(
        scenario,
        sources=tuple(replace(each, line=0) for each in scenario.sources),
        variables=tuple(replace(each, line=0) for each in scenario.variables),
        expected=tuple(expected),
    )


@given(SCENARIOS, st.text(max_size=20))
def test_what_is_written_is_read_back(scenario: Scenario, about: str) -> None:
    text = scenario_text(scenario, lambda text: text, about.encode("utf-8", "replace").decode())
    assert without_lines(read_back(text)) == without_lines(scenario)


def test_no_secret_is_written_whatever_field_holds_it() -> None:
    secret = "hunter2-hunter2-9x"
    redact = Redactor([Secret(secret)])
    token = Given(key="API_TOKEN", value=secret)
    masked = Given(key="PLAIN", value=Secret(secret))
    found = read_back(scenario_text(Scenario(variables=(token, masked)), redact, f"about {secret}"))
    assert [each.value for each in found.variables] == [
        Reference(ReferenceKind.ENV, ("API_TOKEN",)),
        Reference(ReferenceKind.ENV, ("PLAIN",)),
    ]
    assert secret not in scenario_text(Scenario(), redact, f"about {secret}")
    for scenario in (
        Scenario(name=f"x {secret}"),
        Scenario(muted=(Mute("DP-SEC-010", secret),)),
        Scenario(job=secret),
        Scenario(context=Context(ref=secret)),
        Scenario(context=Context(environment=secret)),
        Scenario(context=Context(unset=(secret,))),
        Scenario(sources=(Source(kind="act", path=f"a/{secret}"),)),
        Scenario(variables=(Given(key="A", value=secret),)),
        Scenario(variables=(Given(key="A", value="1", scope=secret),)),
        Scenario(variables=(Given(key="A", value=Reference(ReferenceKind.COMMAND, ("x", secret))),)),
        Scenario(expected=(Expectation(kind=Kind.JOB, wanted=secret),)),
        Scenario(
            expected=(Expectation(kind=Kind.USERNAME, wanted="glpat-abcdefghijklmnop", command=Command.PUSH),)
        ),
    ):
        with pytest.raises(UsageError) as caught:
            scenario_text(scenario, redact)
        assert caught.value.id == "scenario-secret"
        assert secret not in caught.value.message


def test_a_newer_form_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "s.toml"
    path.write_text("schema = 9\njob = 'a'\n")
    with pytest.raises(UsageError) as caught:
        scenario_text(read_scenario(path, "s.toml", {}), str)
    assert caught.value.id == "scenario-newer"
