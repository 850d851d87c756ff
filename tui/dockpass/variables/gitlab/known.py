"""The predefined variables that GitLab and its runner give to jobs, and in which pipelines and jobs.

The names are those of https://docs.gitlab.com/ci/variables/predefined_variables/, as of `NEWEST`. Most values
depend on what only the server and the runner know: they are `Unknown`, which is not the same as missing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import NamedTuple

from dockpass.unknown import Unknown
from dockpass.variables.gitlab.model import Definition, Level, Ref, RefType, Value
from dockpass.variables.gitlab.versions import Version


class Context(StrEnum):
    """Where a variable is set, for the end of a sentence; empty for every job."""

    EVERY = ""
    BRANCH = "in branch pipelines"
    TAG = "in tag pipelines"
    MERGE_REQUEST = "in merge request pipelines"
    BRANCH_OR_MERGE_REQUEST = "in branch and merge request pipelines"
    SCHEDULE = "in scheduled pipelines"
    TRIGGER = "in pipelines started with a trigger token"
    CHAT = "in pipelines started from a chat"
    UPSTREAM = "in downstream pipelines"
    PULL_REQUEST = "in pipelines for external pull requests"
    ENVIRONMENT = "in jobs with an environment"
    MANUAL = "in manual jobs"
    PARALLEL = "in jobs with `parallel`"
    IMAGE = "in jobs with an image"
    DEBUG = "where debug logging is switched on"


_REF_TYPES: Mapping[Context, frozenset[RefType]] = {
    Context.BRANCH: frozenset({RefType.BRANCH}),
    Context.TAG: frozenset({RefType.TAG}),
    Context.MERGE_REQUEST: frozenset({RefType.MERGE_REQUEST}),
    Context.BRANCH_OR_MERGE_REQUEST: frozenset({RefType.BRANCH, RefType.MERGE_REQUEST}),
}
_SOURCES: Mapping[Context, frozenset[str]] = {
    Context.SCHEDULE: frozenset({"schedule"}),
    Context.TRIGGER: frozenset({"trigger"}),
    Context.CHAT: frozenset({"chat"}),
    Context.UPSTREAM: frozenset({"pipeline", "parent_pipeline"}),
    Context.PULL_REQUEST: frozenset({"external_pull_request_event"}),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """One predefined variable: where and since when it is set, and its value, which most often is `Unknown`.

    `until` is the version that removed it.
    """

    name: str
    context: Context
    level: Level
    value: Value
    since: Version | None = None
    until: Version | None = None

    def is_in(self, version: Version | None) -> bool:
        """Tell whether a version has it; None is the current one."""
        if version is None:
            return self.until is None
        return (self.since is None or version >= self.since) and (self.until is None or version < self.until)

    def is_set_in(self, ref: Ref, source: str) -> bool:
        """Tell whether pipelines of a ref and a source have it, as far as that alone decides it."""
        if self.context in _REF_TYPES:
            return ref.type in _REF_TYPES[self.context]
        if self.context in _SOURCES:
            return source in _SOURCES[self.context]
        return self.context is Context.EVERY

    @property
    def definition(self) -> Definition:
        """What a job gets of it, as long as nothing more is known."""
        return Definition(key=self.name, value=self.value, level=self.level, masked=self.name in _MASKED)


class _Group(NamedTuple):
    names: str
    value: Value
    level: Level = Level.PREDEFINED
    context: Context = Context.EVERY


def _set(why: str) -> Unknown:
    return Unknown(why, is_set=True)


def _open(condition: str) -> Unknown:
    return Unknown(condition, may_be_missing=True)


_COMMIT = "GitLab takes it from the commit"
_MERGE_REQUEST = "GitLab takes it from the merge request"
_PROJECT = "GitLab takes it from the project"
_SERVER = "GitLab takes it from its own settings"
_ENVIRONMENT = "GitLab takes it from the environment"
_PIPELINE = "each pipeline has its own"
_JOB = "each job has its own"
_RUNNER = "the runner sets it"

_GROUPS = (
    _Group("CI GITLAB_CI", "true"),
    _Group("CI_SERVER_NAME", "GitLab"),
    _Group("CI_TEMPLATE_REGISTRY_HOST", "registry.gitlab.com"),
    _Group(
        "CI_COMMIT_SHA CI_COMMIT_SHORT_SHA CI_COMMIT_BEFORE_SHA CI_COMMIT_TITLE CI_COMMIT_MESSAGE"
        " CI_COMMIT_MESSAGE_IS_TRUNCATED CI_COMMIT_TIMESTAMP CI_COMMIT_AUTHOR CI_COMMIT_REF_NAME"
        " CI_COMMIT_REF_SLUG CI_COMMIT_REF_PROTECTED",
        _set(_COMMIT),
    ),
    _Group("CI_COMMIT_DESCRIPTION CI_COMMIT_USER_LOGIN", Unknown(_COMMIT)),
    _Group("CI_COMMIT_BRANCH", _set(_COMMIT), context=Context.BRANCH),
    _Group(
        "CI_COMMIT_DEFAULT_BRANCH_BASE_SHA",
        _open("GitLab sets it where the branch is not the default branch"),
        context=Context.BRANCH,
    ),
    _Group(
        "CI_OPEN_MERGE_REQUESTS",
        _open("GitLab sets it if the branch has an open merge request"),
        context=Context.BRANCH_OR_MERGE_REQUEST,
    ),
    _Group("CI_COMMIT_TAG", _set("GitLab takes it from the tag"), context=Context.TAG),
    _Group("CI_COMMIT_TAG_MESSAGE", Unknown("GitLab takes it from the tag"), context=Context.TAG),
    _Group("CI_RELEASE_DESCRIPTION", _open("GitLab sets it if the tag has a release"), context=Context.TAG),
    _Group(
        "CI_MERGE_REQUEST_ID CI_MERGE_REQUEST_IID CI_MERGE_REQUEST_REF_PATH CI_MERGE_REQUEST_TITLE"
        " CI_MERGE_REQUEST_DRAFT CI_MERGE_REQUEST_EVENT_TYPE CI_MERGE_REQUEST_DIFF_ID"
        " CI_MERGE_REQUEST_DIFF_BASE_SHA CI_MERGE_REQUEST_DESCRIPTION_IS_TRUNCATED"
        " CI_MERGE_REQUEST_PROJECT_ID CI_MERGE_REQUEST_PROJECT_PATH CI_MERGE_REQUEST_PROJECT_URL"
        " CI_MERGE_REQUEST_SOURCE_BRANCH_NAME CI_MERGE_REQUEST_SOURCE_BRANCH_PROTECTED"
        " CI_MERGE_REQUEST_SOURCE_PROJECT_ID CI_MERGE_REQUEST_SOURCE_PROJECT_PATH"
        " CI_MERGE_REQUEST_SOURCE_PROJECT_URL CI_MERGE_REQUEST_TARGET_BRANCH_NAME"
        " CI_MERGE_REQUEST_TARGET_BRANCH_PROTECTED CI_MERGE_REQUEST_SQUASH_ON_MERGE",
        _set(_MERGE_REQUEST),
        context=Context.MERGE_REQUEST,
    ),
    _Group(
        "CI_MERGE_REQUEST_DESCRIPTION CI_MERGE_REQUEST_SOURCE_BRANCH_SHA CI_MERGE_REQUEST_TARGET_BRANCH_SHA",
        Unknown(_MERGE_REQUEST),
        context=Context.MERGE_REQUEST,
    ),
    _Group(
        "CI_MERGE_REQUEST_ASSIGNEES CI_MERGE_REQUEST_LABELS CI_MERGE_REQUEST_MILESTONE",
        _open("GitLab sets it if the merge request has any"),
        context=Context.MERGE_REQUEST,
    ),
    _Group(
        "CI_MERGE_REQUEST_APPROVED",
        _open("GitLab sets it if the merge request is approved"),
        context=Context.MERGE_REQUEST,
    ),
    _Group(
        "CI_EXTERNAL_PULL_REQUEST_IID CI_EXTERNAL_PULL_REQUEST_SOURCE_REPOSITORY"
        " CI_EXTERNAL_PULL_REQUEST_TARGET_REPOSITORY CI_EXTERNAL_PULL_REQUEST_SOURCE_BRANCH_NAME"
        " CI_EXTERNAL_PULL_REQUEST_SOURCE_BRANCH_SHA CI_EXTERNAL_PULL_REQUEST_TARGET_BRANCH_NAME"
        " CI_EXTERNAL_PULL_REQUEST_TARGET_BRANCH_SHA",
        _set("GitLab takes it from the pull request"),
        context=Context.PULL_REQUEST,
    ),
    _Group("CI_PIPELINE_SOURCE CI_PIPELINE_IID CI_PIPELINE_CREATED_AT", _set(_PIPELINE)),
    _Group("CI_PIPELINE_ID CI_PIPELINE_URL", _set(_PIPELINE), Level.PERSISTED),
    _Group("CI_PIPELINE_NAME", _open("GitLab takes it from workflow:name")),
    _Group("CI_CONFIG_REF_URI", _open("GitLab sets it where it knows the ref of the configuration")),
    _Group(
        "CI_PIPELINE_SCHEDULE_DESCRIPTION",
        _set("GitLab takes it from the schedule"),
        context=Context.SCHEDULE,
    ),
    _Group("CI_PIPELINE_TRIGGERED", "true", context=Context.TRIGGER),
    _Group("CI_TRIGGER_SHORT_TOKEN", _set("it begins the trigger token"), context=Context.TRIGGER),
    _Group("TRIGGER_PAYLOAD", _open("a webhook gives it"), context=Context.TRIGGER),
    _Group("CHAT_CHANNEL CHAT_USER_ID", _set("the chat gives it"), context=Context.CHAT),
    _Group("CHAT_INPUT", Unknown("the chat gives it"), context=Context.CHAT),
    _Group(
        "CI_UPSTREAM_JOB_ID CI_UPSTREAM_PIPELINE_ID CI_UPSTREAM_PROJECT_ID",
        _set("GitLab takes it from the upstream pipeline"),
        context=Context.UPSTREAM,
    ),
    _Group(
        "GITLAB_USER_ID GITLAB_USER_LOGIN GITLAB_USER_NAME GITLAB_USER_EMAIL",
        _set("GitLab takes it from the user who starts the pipeline"),
        Level.USER,
    ),
    _Group(
        "CI_PROJECT_ID CI_PROJECT_TITLE CI_PROJECT_NAME CI_PROJECT_PATH CI_PROJECT_PATH_SLUG CI_PROJECT_URL"
        " CI_PROJECT_NAMESPACE CI_PROJECT_NAMESPACE_ID CI_PROJECT_NAMESPACE_SLUG CI_PROJECT_ROOT_NAMESPACE"
        " CI_PROJECT_ROOT_NAMESPACE_SLUG CI_PROJECT_VISIBILITY CI_CONFIG_PATH CI_DEFAULT_BRANCH"
        " CI_DEFAULT_BRANCH_SLUG",
        _set(_PROJECT),
    ),
    _Group(
        "CI_PROJECT_DESCRIPTION CI_PROJECT_TOPICS CI_PROJECT_REPOSITORY_LANGUAGES"
        " CI_PROJECT_CLASSIFICATION_LABEL",
        Unknown(_PROJECT),
    ),
    _Group("CI_HAS_OPEN_REQUIREMENTS", _open("GitLab sets it if the project has open requirements")),
    _Group("CI_KUBERNETES_ACTIVE KUBECONFIG", _open("GitLab sets it if the project has a cluster")),
    _Group("CI_DEPLOY_FREEZE", _open("GitLab sets it in a deploy freeze")),
    _Group(
        "CI_DEPLOY_USER CI_DEPLOY_PASSWORD",
        _open("GitLab sets it if there is a deploy token named gitlab-deploy-token"),
        Level.PERSISTED,
    ),
    _Group(
        "CI_SERVER_HOST CI_SERVER_PORT CI_SERVER_PROTOCOL CI_SERVER_FQDN CI_SERVER_URL CI_SERVER_VERSION"
        " CI_SERVER_VERSION_MAJOR CI_SERVER_VERSION_MINOR CI_SERVER_VERSION_PATCH CI_SERVER_REVISION"
        " CI_SERVER_SHELL_SSH_HOST CI_SERVER_SHELL_SSH_PORT CI_API_V4_URL CI_API_GRAPHQL_URL",
        _set(_SERVER),
    ),
    _Group("GITLAB_FEATURES", Unknown(_SERVER)),
    _Group("CI_REGISTRY CI_REGISTRY_IMAGE", _open("GitLab sets it if there is a registry")),
    _Group(
        "CI_DEPENDENCY_PROXY_SERVER CI_DEPENDENCY_PROXY_GROUP_IMAGE_PREFIX"
        " CI_DEPENDENCY_PROXY_DIRECT_GROUP_IMAGE_PREFIX",
        _open("GitLab sets it if there is a dependency proxy"),
    ),
    _Group(
        "CI_DEPENDENCY_PROXY_USER CI_DEPENDENCY_PROXY_PASSWORD",
        _open("GitLab sets it if there is a dependency proxy"),
        Level.PERSISTED,
    ),
    _Group("CI_PAGES_DOMAIN CI_PAGES_URL", _open("GitLab sets it if there is a server for Pages")),
    _Group("CI_PAGES_HOSTNAME", _open("GitLab sets it if there is a server for Pages"), Level.PERSISTED),
    _Group("CI_GITLAB_FIPS_MODE", _open("GitLab sets it in FIPS mode")),
    _Group("CI_JOB_TOKEN CI_REGISTRY_PASSWORD", _set("the job's own token"), Level.PERSISTED),
    _Group("CI_REPOSITORY_URL", _set("holds the job's own token"), Level.PERSISTED),
    _Group("CI_REGISTRY_USER", "gitlab-ci-token", Level.PERSISTED),
    _Group("CI_JOB_JWT CI_JOB_JWT_V1 CI_JOB_JWT_V2", _set(_JOB), Level.PERSISTED),
    _Group(
        "CI_JOB_ID CI_JOB_URL CI_JOB_STARTED_AT CI_JOB_STARTED_AT_SLUG CI_JOB_RETRY_COUNT CI_JOB_TAGS"
        " CI_JOB_TIMEOUT CI_TRACEPARENT CI_TRACESTATE",
        _set(_JOB),
        Level.PERSISTED,
    ),
    _Group("CI_RUNNER_ID CI_RUNNER_SHORT_TOKEN CI_RUNNER_TAGS", _set(_RUNNER), Level.PERSISTED),
    _Group("CI_RUNNER_DESCRIPTION", Unknown(_RUNNER), Level.PERSISTED),
    _Group(
        "CI_JOB_NAME CI_JOB_NAME_SLUG CI_JOB_GROUP_NAME CI_JOB_STAGE CI_NODE_TOTAL", _set(_JOB), Level.JOB
    ),
    _Group("CI_NODE_INDEX", _set(_JOB), Level.JOB, Context.PARALLEL),
    _Group("CI_JOB_MANUAL", "true", Level.JOB, Context.MANUAL),
    _Group("CI_ENVIRONMENT_NAME CI_ENVIRONMENT_ACTION", _set(_ENVIRONMENT), Level.JOB, Context.ENVIRONMENT),
    _Group("CI_ENVIRONMENT_TIER", Unknown(_ENVIRONMENT), Level.JOB, Context.ENVIRONMENT),
    _Group(
        "CI_ENVIRONMENT_ID CI_ENVIRONMENT_SLUG", _set(_ENVIRONMENT), Level.ENVIRONMENT, Context.ENVIRONMENT
    ),
    _Group(
        "CI_ENVIRONMENT_URL",
        _open("GitLab sets it if the environment has a URL"),
        Level.ENVIRONMENT,
        Context.ENVIRONMENT,
    ),
    _Group("CI_SERVER", "yes", Level.RUNNER_OWN),
    _Group(
        "CI_BUILDS_DIR CI_PROJECT_DIR CI_CONCURRENT_ID CI_CONCURRENT_PROJECT_ID",
        _set(_RUNNER),
        Level.RUNNER_OWN,
    ),
    _Group("CI_JOB_IMAGE", _set(_RUNNER), Level.RUNNER_OWN, Context.IMAGE),
    _Group(
        "CI_SERVER_TLS_CA_FILE CI_SERVER_TLS_CERT_FILE CI_SERVER_TLS_KEY_FILE CI_BUILD_NETWORK_NAME",
        _open("the runner's configuration decides"),
        Level.RUNNER_OWN,
    ),
    _Group(
        "CI_DISPOSABLE_ENVIRONMENT CI_SHARED_ENVIRONMENT",
        _open("the runner's executor decides"),
        Level.RUNNER_LAST,
    ),
    _Group(
        "CI_JOB_STATUS CI_RUNNER_VERSION CI_RUNNER_REVISION CI_RUNNER_EXECUTABLE_ARCH",
        _set(_RUNNER),
        Level.RUNNER_LAST,
    ),
    _Group("CI_DEBUG_TRACE CI_DEBUG_SERVICES", _open("somebody sets it"), Level.PIPELINE, Context.DEBUG),
)

_MASKED = frozenset(
    {
        *("CI_JOB_TOKEN", "CI_REGISTRY_PASSWORD", "CI_REPOSITORY_URL", "CI_DEPLOY_PASSWORD"),
        *("CI_DEPENDENCY_PROXY_PASSWORD", "CI_JOB_JWT", "CI_JOB_JWT_V1", "CI_JOB_JWT_V2"),
    }
)
_SINCE = {
    "CI_PIPELINE_NAME": Version(16, 3),
    "CI_MERGE_REQUEST_SOURCE_BRANCH_PROTECTED": Version(16, 4),
    "CI_MERGE_REQUEST_SQUASH_ON_MERGE": Version(16, 4),
    "CI_MERGE_REQUEST_DESCRIPTION": Version(16, 7),
    "CI_MERGE_REQUEST_DESCRIPTION_IS_TRUNCATED": Version(16, 8),
    "CI_SERVER_FQDN": Version(16, 10),
    "CI_TRIGGER_SHORT_TOKEN": Version(17, 0),
    "CI_PIPELINE_SCHEDULE_DESCRIPTION": Version(17, 8),
    "CI_JOB_GROUP_NAME": Version(17, 10),
    "CI_MERGE_REQUEST_DRAFT": Version(17, 10),
    "CI_PROJECT_TOPICS": Version(18, 3),
    "CI_COMMIT_MESSAGE_IS_TRUNCATED": Version(18, 6),
    "CI_JOB_STARTED_AT_SLUG": Version(18, 7),
    "CI_UPSTREAM_JOB_ID": Version(18, 9),
    "CI_UPSTREAM_PIPELINE_ID": Version(18, 9),
    "CI_UPSTREAM_PROJECT_ID": Version(18, 9),
    "CI_COMMIT_USER_LOGIN": Version(18, 10),
    "CI_CONFIG_REF_URI": Version(19, 0),
    "CI_PROJECT_ROOT_NAMESPACE_SLUG": Version(19, 0),
    "CI_COMMIT_DEFAULT_BRANCH_BASE_SHA": Version(19, 1),
    "CI_JOB_RETRY_COUNT": Version(19, 3),
    "CI_JOB_TAGS": Version(19, 3),
}
_UNTIL = {
    "CI_JOB_JWT": Version(17, 0),
    "CI_JOB_JWT_V1": Version(17, 0),
    "CI_JOB_JWT_V2": Version(17, 0),
}


@lru_cache(1)
def known_variables() -> Mapping[str, Known]:
    """Return every predefined variable by its name."""
    return {
        name: Known(
            name=name,
            context=group.context,
            level=group.level,
            value=group.value,
            since=_SINCE.get(name),
            until=_UNTIL.get(name),
        )
        for group in _GROUPS
        for name in group.names.split()
    }


OF_PIPELINE = frozenset(
    name
    for group in _GROUPS
    if group.context in _REF_TYPES or group.context in _SOURCES
    for name in group.names.split()
)
"""The names that the ref or the source of a pipeline decides."""


@lru_cache(64)
def pipeline_definitions(ref: Ref, source: str, version: Version | None = None) -> Mapping[str, Definition]:
    """Return what every job of a pipeline gets, by name; what each job decides is not among it."""
    return {
        name: each.definition
        for name, each in known_variables().items()
        if each.level not in {Level.JOB, Level.ENVIRONMENT}
        and each.is_set_in(ref, source)
        and each.is_in(version)
    }
