"""What would bring a variable or a job: it brings it, it is the least, and it says what to do."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import pytest
from ciproject import MAIN, config_of
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from thorough import examples

from dockpass.unknown import Unknown
from dockpass.variables.bring import what_would_bring
from dockpass.variables.bring_job import what_would_include
from dockpass.variables.changes import after
from dockpass.variables.clone import Clone
from dockpass.variables.gitlab.model import MERGE_REQUEST, Definition, Level, Ref, RefType
from dockpass.variables.gitlab.predefined import Project, project_variables, ref_variables
from dockpass.variables.gitlab.resolve import Situation
from dockpass.variables.pipeline import Loaded, Pipeline, load_pipeline

FEATURE = Ref(name="feature/x", protected=False)
PLAIN = "build: {script: [env]}\n"
PROTECTED = Definition(key="TOKEN", value="gldt-1", level=Level.PROJECT, protected=True)


def project(
    yaml: str = PLAIN,
    *own: Definition,
    ref: Ref = FEATURE,
    environment: str | None = None,
    files: tuple[str, ...] = (),
) -> Loaded:
    predefined = {
        **project_variables(Project(path="acme/app", host="gitlab.example.com", default_branch="main")),
        **ref_variables(ref, "push"),
    }
    of_gitlab = (
        Definition(key=key, value=value, level=Level.PREDEFINED) for key, value in predefined.items()
    )
    situation = Situation(
        ref=ref, definitions=(*of_gitlab, *own), environment=environment, paths=lambda: tuple(files)
    )
    return Loaded(config_of({MAIN: yaml}), situation)


def offered(loaded: Loaded, key: str = "TOKEN", job: str = "build") -> list[str]:
    return [
        " and ".join(change.in_words() for change in way.changes)
        for way in what_would_bring(loaded, job, key)
    ]


def test_a_protected_variable() -> None:
    assert offered(project(PLAIN, PROTECTED)) == [
        "protect the branch feature/x",
        "take off the flag Protected in the project's settings",
    ]


def test_a_protected_variable_where_the_protection_is_not_known() -> None:
    found = offered(project(PLAIN, PROTECTED, ref=Ref(name="main", protected=None)))
    assert found[0] == "protect the branch main"


def test_a_merge_request_needs_the_setting_too() -> None:
    merge_request = Ref(type=RefType.MERGE_REQUEST, name="feature/x", protected=False)
    assert "allow merge request pipelines" in offered(project(PLAIN, PROTECTED, ref=merge_request))[0]


@pytest.mark.parametrize(
    ("scope", "first"),
    [
        ("staging", "run the job in the environment staging"),
        ("review/*", "run the job in the environment review/example"),
    ],
)
def test_another_environment(scope: str, first: str) -> None:
    wanted = Definition(key="TOKEN", value="v", level=Level.PROJECT, scope=scope)
    found = offered(project(PLAIN, wanted))
    assert found == [first, f"set its environment scope to * in the project's settings, scope {scope}"]


def test_what_is_protected_and_scoped_needs_both() -> None:
    wanted = Definition(key="TOKEN", value="v", level=Level.PROJECT, scope="staging", protected=True)
    found = offered(project(PLAIN, wanted))
    assert found[0] == "protect the branch feature/x and run the job in the environment staging"
    assert len(found) == 4


def test_a_value_cut_at_a_dollar_sign() -> None:
    cut = Definition(key="TOKEN", value="pa$sword", level=Level.PROJECT)
    assert offered(project(PLAIN, cut)) == [
        "switch off “Expand variable reference” in the project's settings",
        "write $$ for each $ in the project's settings",
    ]
    assert not offered(
        project(PLAIN, Definition(key="TOKEN", value="$CI_PROJECT_PATH/x", level=Level.PROJECT))
    )


def test_a_cut_value_of_the_yaml() -> None:
    found = offered(project("build:\n  variables:\n    TOKEN: pa$sword\n  script: [env]\n"))
    assert found[0] == "set expand: false in the job's variables (.gitlab-ci.yml:3)"


def test_what_the_job_does_not_inherit() -> None:
    yaml = "variables: {TOKEN: v, OTHER: w}\nbuild: {inherit: {variables: [OTHER]}, script: [env]}\n"
    loaded = project(yaml)
    assert offered(loaded) == ["let the job inherit it: inherit:variables: [TOKEN]"]
    view = what_would_bring(loaded, "build", "TOKEN")[0].view
    assert view.variables["OTHER"].value == "w", "what it inherits already stays"


def test_a_project_variable_hides_one_of_the_yaml() -> None:
    yaml = "build:\n  variables:\n    TOKEN: v\n  script: [env]\n"
    found = offered(project(yaml, Definition(key="TOKEN", value="w", level=Level.PROJECT)))
    assert found[0] == "remove TOKEN from the project's settings"
    assert any("by hand" in each and "if the project lets you" in each for each in found)
    assert any("rename TOKEN to TOKEN_JOB" in each for each in found)


def test_a_group_below_another() -> None:
    outer = Definition(key="TOKEN", value="v", level=Level.GROUP, origin="acme")
    inner = Definition(key="TOKEN", value="w", level=Level.GROUP, origin="acme/team")
    assert "remove TOKEN from the settings of the group acme/team" in offered(project(PLAIN, outer, inner))


def test_a_name_with_a_typing_error() -> None:
    found = offered(project(PLAIN, Definition(key="TOKNE", value="v", level=Level.PROJECT)))
    assert found == [
        "rename TOKNE to TOKEN in the project's settings",
        "define TOKEN in the project's settings",
    ]


def test_what_only_a_rule_sets() -> None:
    yaml = (
        "build:\n  script: [env]\n  rules:\n"
        "    - {if: $CI_COMMIT_TAG, variables: {TOKEN: v}}\n    - when: always\n"
    )
    assert offered(project(yaml))[0] == "run it for the tag v1.0.0"


def test_an_unset_variable() -> None:
    loaded = project(PLAIN, Definition(key="TOKEN", value="v", level=Level.PROJECT))
    unset = loaded.within(Situation(definitions=loaded.situation.definitions, unset=frozenset({"TOKEN"})))
    assert offered(unset) == ["leave out --unset TOKEN"]


def test_nothing_for_a_variable_that_is_there() -> None:
    assert not offered(project(PLAIN, Definition(key="TOKEN", value="v", level=Level.PROJECT)))
    assert not offered(project(PLAIN, Definition(key="TOKEN", value=Unknown("hidden"), level=Level.PROJECT)))


NAMES = ("A", "B")
DEFINITIONS = st.lists(
    st.builds(
        Definition,
        key=st.sampled_from(NAMES),
        value=st.sampled_from(["v", "w", "x$A", "p$word", "$B", ""]),
        level=st.sampled_from(
            [Level.INSTANCE, Level.GROUP, Level.PROJECT, Level.PIPELINE, Level.DOTENV, Level.PERSISTED]
        ),
        origin=st.sampled_from(["", "acme"]),
        protected=st.booleans(),
        raw=st.booleans(),
        file=st.booleans(),
        scope=st.sampled_from(["*", "production", "prod*", "staging"]),
    ),
    max_size=4,
    unique=True,
)
YAMLS = st.sampled_from(
    [
        PLAIN,
        "variables: {A: d, B: $A}\nbuild: {environment: production, variables: {A: j}, script: [env]}\n",
        "variables: {A: d}\nbuild: {inherit: {variables: false}, script: [env]}\n",
        "build: {script: [env], rules: [{if: $B, variables: {A: r}}, {when: always}]}\n",
    ]
)


@settings(max_examples=examples(40))
@given(YAMLS, DEFINITIONS, st.sampled_from([True, False, None]), st.sampled_from(NAMES))
def test_what_is_offered_brings_it(
    yaml: str, own: list[Definition], protected: bool | None, key: str
) -> None:
    loaded = project(yaml, *own, ref=Ref(name="feature/x", protected=protected))
    for way in what_would_bring(loaded, "build", key):
        view = after(loaded, "build", way.changes).view("build")
        wanted = way.definition
        for change in way.changes:
            wanted = None if wanted is None else change.applied_to(wanted)
        if wanted is None:
            assert key in view.variables
            continue
        found = view.variables[wanted.key]
        assert (found.winner.level, found.winner.origin) == (wanted.level, wanted.origin)
        assert not (isinstance(found.value, Unknown) and found.value.may_be_missing)
        before = loaded.view("build").variables.get(key)
        if before is not None and way.definition == before.winner:
            assert (found.value if found.content is None else found.content) == way.definition.value


@settings(max_examples=examples(40))
@given(YAMLS, DEFINITIONS, st.sampled_from([True, False]), st.sampled_from(NAMES))
def test_no_part_of_what_is_offered_would_do(
    yaml: str, own: list[Definition], protected: bool, key: str
) -> None:
    loaded = project(yaml, *own, ref=Ref(name="feature/x", protected=protected))
    ways = what_would_bring(loaded, "build", key)
    assume(any(len(way.changes) > 1 for way in ways))
    for way in ways:
        for count in range(1, len(way.changes)):
            for part in combinations(way.changes, count):
                wanted = way.definition
                for change in part:
                    wanted = None if wanted is None else change.applied_to(wanted)
                found = (
                    None
                    if wanted is None
                    else after(loaded, "build", part).view("build").variables.get(wanted.key)
                )
                assert found is None or found.winner != wanted


def included(loaded: Loaded, refs: tuple[Ref, ...] = ()) -> list[str]:
    return [
        " and ".join(change.in_words() for change in way.changes)
        for way in what_would_include(loaded, "build", refs=refs)
    ]


def rules(*conditions: str, workflow: str = "") -> str:
    listed = "".join(f"    - {condition}\n" for condition in conditions)
    return f"{workflow}build:\n  script: [env]\n  rules:\n{listed}"


@pytest.mark.parametrize(
    ("yaml", "first"),
    [
        (rules("if: $CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH"), "run it for the branch main"),
        (rules("if: $CI_COMMIT_BRANCH == 'release'"), "run it for the branch release"),
        (rules(r"if: $CI_COMMIT_BRANCH =~ /^release\/.*/"), "run it for the branch release/1"),
        (rules("if: $CI_COMMIT_TAG"), "run it for the tag v1.0.0"),
        (rules(r"if: $CI_COMMIT_TAG =~ /^prod-\d+$/"), "run it for the tag prod-1"),
        (
            rules('if: $CI_PIPELINE_SOURCE == "merge_request_event"'),
            "run it for a merge request from feature/x",
        ),
        (rules("if: $CI_MERGE_REQUEST_IID"), "run it for a merge request from feature/x"),
        (
            rules('if: $CI_PIPELINE_SOURCE == "schedule"'),
            "start the pipeline by schedule (CI_PIPELINE_SOURCE)",
        ),
        (rules('if: $CI_PIPELINE_SOURCE != "push"'), "start the pipeline by web (CI_PIPELINE_SOURCE)"),
        (
            rules('if: $DEPLOY == "yes"'),
            "start the pipeline by hand with DEPLOY = yes, if the project lets you set variables there",
        ),
        (
            rules("if: $DEPLOY"),
            "start the pipeline by hand with DEPLOY = 1, if the project lets you set variables there",
        ),
        (rules('if: $CI_COMMIT_REF_PROTECTED == "true"'), "protect the branch feature/x"),
        (rules("changes: [docs/**/*]"), "change docs/a.md"),
        (rules("exists: [Dockerfile]"), "add the file Dockerfile"),
        (
            rules(
                "if: $CI_COMMIT_TAG", workflow="workflow:\n  rules:\n    - if: $CI_PIPELINE_SOURCE == 'web'\n"
            ),
            "run it for the tag v1.0.0 and start the pipeline by web (CI_PIPELINE_SOURCE)",
        ),
        ("build: {script: [env], only: [tags]}\n", "run it for the tag v1.0.0"),
        ("build: {script: [env], only: [release]}\n", "run it for the branch release"),
        ("build: {script: [env], only: [/^rel-.*$/]}\n", "run it for the branch rel-1"),
        (
            "build: {script: [env], only: [merge_requests]}\n",
            "run it for a merge request from feature/x",
        ),
        (
            "build: {script: [env], only: [schedules]}\n",
            "start the pipeline by schedule (CI_PIPELINE_SOURCE)",
        ),
        ("build: {script: [env], except: [branches]}\n", "run it for the tag v1.0.0"),
        (
            "build: {script: [env], only: {variables: [$DEPLOY]}}\n",
            "start the pipeline by hand with DEPLOY = 1, if the project lets you set variables there",
        ),
        ("build: {script: [env], only: {changes: [docs/**/*]}}\n", "run it for the tag v1.0.0"),
    ],
)
def test_what_would_bring_a_job(yaml: str, first: str) -> None:
    found = included(project(yaml, files=("docs/a.md", "main.py")))
    assert found
    assert found[0] == first


def test_refs_that_there_are_come_into_question() -> None:
    yaml = rules("if: $CI_COMMIT_BRANCH =~ /-(stable|lts)$/ && $CI_COMMIT_REF_NAME != 'x-stable'")
    found = included(project(yaml), (Ref(name="17-2-stable", protected=None),))
    assert "run it for the branch 17-2-stable" in found


def test_a_job_without_rules_is_brought_by_the_branch_of_its_merge_request() -> None:
    ref = Ref(type=RefType.MERGE_REQUEST, name="feature/x", protected=False)
    found = included(
        project(
            PLAIN, Definition(key="CI_PIPELINE_SOURCE", value=MERGE_REQUEST, level=Level.PREDEFINED), ref=ref
        )
    )
    assert "run it for the branch feature/x" in found


def test_a_job_that_nothing_brings() -> None:
    assert not included(project(rules("{if: $CI_COMMIT_BRANCH, when: never}", "{when: never}")))
    assert not included(project()), "it is there"


@settings(max_examples=examples(40))
@given(
    st.lists(
        st.sampled_from(
            [
                "if: $CI_COMMIT_TAG",
                "{if: $CI_COMMIT_BRANCH == 'main', when: never}",
                "if: $CI_COMMIT_BRANCH =~ /^rel/",
                "if: $X == 'a' && $Y",
                "{if: $X, when: never}",
                "{if: $CI_PIPELINE_SOURCE == 'web', changes: [a/*]}",
                "exists: [go.mod]",
            ]
        ),
        min_size=1,
        max_size=3,
    )
)
def test_what_is_offered_brings_the_job(conditions: list[str]) -> None:
    loaded = project(rules(*conditions), files=("a/b",))
    for way in what_would_include(loaded, "build"):
        assert after(loaded, "build", way.changes).view("build").included is True


def test_an_include_with_rules_is_read_anew_for_the_pipeline_that_is_tried(tmp_path: Path) -> None:
    (tmp_path / MAIN).write_text(
        "include:\n  - {local: tag.yml, rules: [{if: $CI_COMMIT_TAG}]}\n"
        + rules("if: $CI_COMMIT_TAG && $DEPLOY == 'yes'")
    )
    (tmp_path / "tag.yml").write_text("variables: {DEPLOY: 'yes'}\n")
    ref = Ref(name="feature/x", protected=False)
    loaded = load_pipeline(Clone(tmp_path, {}, ref, Project()), Pipeline(ref=ref))
    assert included(loaded)[0] == "run it for the tag v1.0.0"
