"""The predefined variables: which pipelines and jobs have them, since when, and what depends on them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from ciproject import config_of

from dockpass.unknown import Unknown
from dockpass.variables.gitlab.known import Context, known_variables
from dockpass.variables.gitlab.model import OF_GITLAB, Definition, Level, Ref, RefType
from dockpass.variables.gitlab.predefined import REF_NAMES, Project, predefined, predefined_of_ref
from dockpass.variables.gitlab.resolve import JobView, Situation, view_job
from dockpass.variables.gitlab.versions import Version
from dockpass.variables.jobscript import read_job
from dockpass.variables.names import may_be_provided, where_set
from dockpass.variables.undefined import undefined_in

SHOP = Project(path="web/shop", host="gitlab.example.com", default_branch="main")
MAIN = Ref()
FEATURE = Ref(name="feature/login", protected=False)
TAG = Ref(type=RefType.TAG, name="v1")
MERGE = Ref(type=RefType.MERGE_REQUEST, name="feature/login", protected=False)


def seen(
    yaml: str,
    *given: Definition,
    ref: Ref = MAIN,
    source: str = "push",
    version: Version | None = None,
    project: Project = SHOP,
) -> JobView:
    config = config_of({".gitlab-ci.yml": yaml})
    job = config.job("build")
    assert job is not None
    every = tuple(predefined(project, ref, source, version, given))
    return view_job(config, Situation(ref=ref, definitions=every, version=version), job)


def used(script: str, ref: Ref = MAIN, version: Version | None = None) -> dict[str, str]:
    """What a script uses and nothing defines, and where GitLab sets it."""
    config = config_of({".gitlab-ci.yml": f"build: {{script: ['{script}']}}\n"})
    job = config.job("build")
    assert job is not None
    situation = Situation(ref=ref, definitions=tuple(predefined(SHOP, ref, "push", version)), version=version)
    found = undefined_in(config, job, view_job(config, situation, job), read_job(job), version)
    return {each.name: each.elsewhere for each in found}


BUILD = "build: {script: [env]}\n"


@pytest.mark.parametrize(
    "value",
    [
        "app:$CI_COMMIT_SHORT_SHA",
        "${CI_PROJECT_DIR}/cache",
        "by $GITLAB_USER_LOGIN",
        "%CI_PIPELINE_IID%",
        "$CI_JOB_ID",
    ],
)
def test_what_is_computed_from_a_predefined_variable_is_unknown_and_never_empty(value: str) -> None:
    found = seen(f"variables: {{X: '{value}'}}\n{BUILD}").variables["X"].value
    assert isinstance(found, Unknown)
    assert found.is_set


@pytest.mark.parametrize(
    ("condition", "included"),
    [
        ("$CI_COMMIT_SHA", True),
        ("$CI_COMMIT_MESSAGE =~ /skip/", None),
        ("$CI_COMMIT_BRANCH && $CI_OPEN_MERGE_REQUESTS", None),
        ("$CI_OPEN_MERGE_REQUESTS == null", None),
        ("$CI_COMMIT_TAG", False),
        ("$CI_COMMIT_TAG == null", True),
        ("$CI_MERGE_REQUEST_IID", False),
        ("$CI_JOB_TOKEN", False),
        ("$CI_PROJECT_DIR", False),
        ("$CI_RUNNER_TAGS == null", True),
        ("$CI_DEBUG_TRACE", False),
        ("$GITLAB_USER_LOGIN == 'root'", None),
        ("$CI_PIPELINE_TRIGGERED", False),
    ],
)
def test_a_rule_that_asks_for_one_holds_only_where_that_is_certain(
    condition: str, included: bool | None
) -> None:
    found = seen(f'build: {{rules: [{{if: "{condition}"}}], script: [env]}}\n')
    assert found.included is included


def test_yaml_overrides_what_comes_before_it_and_no_more() -> None:
    names = ("GITLAB_USER_LOGIN", "CI_PROJECT_ID", "CI_JOB_TOKEN", "CI_SERVER", "CI_RUNNER_VERSION")
    written = ", ".join(f"{name}: mine" for name in names)
    found = seen(f"variables: {{{written}}}\n{BUILD}").variables
    assert {name for name in names if found[name].value == "mine"} == {
        "CI_PROJECT_ID",
        "CI_JOB_TOKEN",
        "CI_SERVER",
    }


def test_what_is_given_as_predefined_replaces_what_is_not_known_at_the_level_of_its_name() -> None:
    given = [
        Definition(key=key, value="given", level=Level.PREDEFINED)
        for key in ("CI_COMMIT_SHA", "GITLAB_USER_LOGIN", "CI_PROJECT_DIR", "MINE")
    ]
    found = seen(f"variables: {{GITLAB_USER_LOGIN: yaml, CI_PROJECT_DIR: yaml}}\n{BUILD}", *given).variables
    assert [found[each.key].value for each in given] == ["given", "given", "yaml", "given"]
    assert found["CI_COMMIT_SHA"].losers == ()


def test_the_keywords_of_a_job_decide_what_belongs_to_them() -> None:
    yaml = """\
build:
  image: docker:$V
  variables: {V: "27"}
  environment: {name: review/app, action: stop, deployment_tier: testing, url: "https://$CI_COMMIT_REF_SLUG.example.com"}
  when: manual
  script: [env]
"""
    found = {name: each.value for name, each in seen(yaml, ref=FEATURE).variables.items()}
    assert found["CI_JOB_IMAGE"] == "docker:27"
    assert found["CI_JOB_MANUAL"] == "true"
    assert (found["CI_ENVIRONMENT_ACTION"], found["CI_ENVIRONMENT_TIER"]) == ("stop", "testing")
    assert found["CI_ENVIRONMENT_URL"] == "https://feature-login.example.com"
    assert isinstance(found["CI_ENVIRONMENT_SLUG"], Unknown)  # it gets a suffix
    plain = seen(BUILD).variables
    assert not plain.keys() & {"CI_JOB_IMAGE", "CI_JOB_MANUAL", "CI_NODE_INDEX", "CI_ENVIRONMENT_NAME"}
    assert (plain["CI_NODE_TOTAL"].value, plain["CI_JOB_GROUP_NAME"].value) == ("1", "build")
    named = seen("build: {environment: production, script: [env]}\n").variables
    assert (named["CI_ENVIRONMENT_SLUG"].value, named["CI_ENVIRONMENT_ACTION"].value) == (
        "production",
        "start",
    )
    assert named["CI_ENVIRONMENT_URL"].value == replace(
        Unknown("GitLab sets it if the environment has a URL"), may_be_missing=True
    )


@pytest.mark.parametrize(
    ("parallel", "name", "total", "group"),
    [
        ("{matrix: [{P: [aws, gcp]}]}", "build: [aws]", "2", "build"),
        ("3", None, "3", "build"),
        ("1", "build", "1", "build"),
    ],
)
def test_parallel_jobs_are_numbered(parallel: str, name: str | None, total: str, group: str) -> None:
    found = seen(f"build: {{parallel: {parallel}, script: [env]}}\n").variables
    value = found["CI_JOB_NAME"].value
    assert value == name or (name is None and isinstance(value, Unknown))
    assert (found["CI_NODE_TOTAL"].value, found["CI_JOB_GROUP_NAME"].value) == (total, group)


def test_rules_make_a_job_manual() -> None:
    yaml = "build: {{rules: [{{if: {}, when: manual}}, {{when: always}}], script: [env]}}\n"
    assert seen(yaml.format("$CI")).variables["CI_JOB_MANUAL"].value == "true"
    assert "CI_JOB_MANUAL" not in seen(yaml.format("$NO")).variables
    open_one = seen(yaml.format("$CI_OPEN_MERGE_REQUESTS")).variables["CI_JOB_MANUAL"].value
    assert isinstance(open_one, Unknown)
    assert open_one.may_be_missing


@pytest.mark.parametrize(
    ("name", "before", "since"),
    [
        ("CI_JOB_GROUP_NAME", "17.9", "17.10"),
        ("CI_UPSTREAM_JOB_ID", "18.8", "18.9"),
        ("CI_JOB_TAGS", "19.2", "19.3"),
    ],
)
def test_a_name_is_there_since_its_version(name: str, before: str, since: str) -> None:
    versions = [Version(*map(int, each.split("."))) for each in (before, since)]
    assert [name in seen(BUILD, source="pipeline", version=each).variables for each in (*versions, None)] == [
        False,
        True,
        True,
    ]
    assert where_set(name, versions[0]) == f"GitLab sets it since {since}"


def test_a_name_that_was_removed_is_there_before_that() -> None:
    assert "CI_JOB_JWT" in seen(BUILD, version=Version(16, 11)).variables
    assert seen(BUILD, version=Version(16, 11)).variables["CI_JOB_JWT"].winner.masked
    for version in (Version(17, 0), None):
        assert "CI_JOB_JWT" not in seen(BUILD, version=version).variables
        assert where_set("CI_JOB_JWT", version) == "GitLab sets it before 17.0 only"


def test_a_script_that_uses_one_of_another_pipeline_or_none_at_all_is_told() -> None:
    script = "echo $CI_COMMIT_TAG $CI_MERGE_REQUEST_IID $CI_REGISTRY_PASWORD $GITLAB_TOKEN $CI_COMMIT_SHA $CI_ENVIRONMENT_NAME"
    assert used(script) == {
        "CI_COMMIT_TAG": "GitLab sets it in tag pipelines only",
        "CI_MERGE_REQUEST_IID": "GitLab sets it in merge request pipelines only",
        "CI_REGISTRY_PASWORD": "",
        "GITLAB_TOKEN": "",
        "CI_ENVIRONMENT_NAME": "GitLab sets it in jobs with an environment only",
    }
    assert used(script, TAG).keys() == used(script).keys() - {"CI_COMMIT_TAG"}
    assert used(script, MERGE).keys() == used(script).keys() - {"CI_MERGE_REQUEST_IID"}
    newer = used(script, version=Version(19, 9))
    assert "CI_REGISTRY_PASWORD" not in newer  # it may have been added since
    assert "CI_COMMIT_TAG" in newer
    assert used('echo ${CI_COMMIT_TAG:-none}; test -n "$CI_MERGE_REQUEST_IID"'.replace("'", "")) == {}


def test_only_what_another_program_sets_may_be_provided() -> None:
    assert not any(may_be_provided(name) for name in ("CI_X", "GITLAB_X", "CHAT_X", "TRIGGER_X", "MINE"))
    assert all(may_be_provided(name) for name in ("HOME", "FF_X", "GITLAB_ENV", "HARBOR_HOST"))


@pytest.mark.parametrize(
    ("ref", "source"),
    [(MAIN, "push"), (TAG, "web"), (MERGE, "merge_request_event"), (FEATURE, "schedule"), (MAIN, "trigger")],
)
def test_another_ref_changes_just_the_names_that_depend_on_it(ref: Ref, source: str) -> None:
    def values(ref: Ref, source: str) -> dict[str, Definition]:
        return {each.key: each for each in predefined(SHOP, ref, source)}

    before = {key: each for key, each in values(FEATURE, "push").items() if key not in REF_NAMES}
    assert before | {each.key: each for each in predefined_of_ref(ref, source)} == values(ref, source)


def test_every_name_is_listed_once_with_what_a_job_gets_of_it() -> None:
    for name, each in known_variables().items():
        assert each.name == name
        assert each.level in OF_GITLAB or each.context is Context.DEBUG
        assert where_set(name).startswith("GitLab sets it ")
        if isinstance(each.value, Unknown):
            assert each.value.why


def test_a_project_without_a_registry_or_a_dependency_proxy_has_none_of_their_variables() -> None:
    off = replace(SHOP, registry_enabled=False, dependency_proxy=False)
    names = seen(BUILD, project=off).variables.keys()
    assert not [name for name in names if name.startswith(("CI_REGISTRY_IMAGE", "CI_DEPENDENCY_PROXY_"))]
