"""The predefined variables that a project and a ref give (GitLab's `app/models/project.rb`).

What is not known of the project is `Unknown`, as long as every job has it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace

from dockpass.unknown import Unknown
from dockpass.variables.gitlab.known import OF_PIPELINE, known_variables, pipeline_definitions
from dockpass.variables.gitlab.model import OF_GITLAB, Definition, Level, Ref, RefType, Value
from dockpass.variables.gitlab.versions import Version

LONGEST_SLUG = 63


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """What is known of a project and its server; None where it is not.

    `registry` is `host[:port]`. `registry_enabled` is false where the project's container registry is off,
    `dependency_proxy` where the instance has none.
    """

    path: str | None = None
    host: str | None = None
    port: str = "443"
    protocol: str = "https"
    default_branch: str | None = None
    registry: str | None = None
    registry_enabled: bool | None = None
    dependency_proxy: bool = True


def slug(text: str) -> str:
    """Return the slug of a ref or a path: lower case, `-` for all but letters and digits, 63 characters."""
    return re.sub(r"[^a-z0-9]", "-", text.lower())[:LONGEST_SLUG].strip("-")


def project_variables(project: Project) -> dict[str, Value]:
    """Return the project's predefined variables by name."""
    path = project.path
    values: dict[str, Value] = {"CI": "true", "GITLAB_CI": "true"}
    host = _or_unknown(project.host, "the GitLab server")
    values["CI_SERVER_HOST"] = host
    values["CI_SERVER_PORT"] = (
        project.port if project.host else Unknown("the GitLab server is not known here", is_set=True)
    )
    values["CI_SERVER_PROTOCOL"] = project.protocol
    values["CI_PROJECT_PATH"] = _or_unknown(path, "the project's path")
    values["CI_DEFAULT_BRANCH"] = _or_unknown(project.default_branch, "the default branch")
    if project.default_branch:
        values["CI_DEFAULT_BRANCH_SLUG"] = slug(project.default_branch)
    if path:
        namespace, root = path.rpartition("/")[0], path.partition("/")[0]
        values |= {
            "CI_PROJECT_NAME": path.rpartition("/")[2],
            "CI_PROJECT_NAMESPACE": namespace,
            "CI_PROJECT_NAMESPACE_SLUG": slug(namespace),
            "CI_PROJECT_ROOT_NAMESPACE": root,
            "CI_PROJECT_ROOT_NAMESPACE_SLUG": slug(root),
            "CI_PROJECT_PATH_SLUG": slug(path),
        }
    values |= _server(project)
    values |= _registry(project)
    return values


def _or_unknown(value: str | None, what: str) -> Value:
    return value if value is not None else Unknown(f"{what} is not known here", is_set=True)


def _server(project: Project) -> dict[str, Value]:
    if not project.host:
        return {}
    usual = {"https": "443", "http": "80"}.get(project.protocol)
    fqdn = project.host if project.port == usual else f"{project.host}:{project.port}"
    values: dict[str, Value] = {
        "CI_SERVER_FQDN": fqdn,
        "CI_SERVER_URL": f"{project.protocol}://{fqdn}",
        "CI_API_V4_URL": f"{project.protocol}://{fqdn}/api/v4",
        "CI_API_GRAPHQL_URL": f"{project.protocol}://{fqdn}/api/graphql",
    }
    if project.path:
        values["CI_PROJECT_URL"] = f"{project.protocol}://{fqdn}/{project.path}"
    return values | (_dependency_proxy(project) if project.dependency_proxy else {})


def _dependency_proxy(project: Project) -> dict[str, Value]:
    """Its address always carries the port, also the usual one."""
    server = f"{project.host}:{project.port}"
    values: dict[str, Value] = {"CI_DEPENDENCY_PROXY_SERVER": server}
    groups = (project.path or "").rpartition("/")[0].lower()
    if groups:
        prefix = "CI_DEPENDENCY_PROXY_{}GROUP_IMAGE_PREFIX"
        values[prefix.format("")] = f"{server}/{groups.partition('/')[0]}/dependency_proxy/containers"
        values[prefix.format("DIRECT_")] = f"{server}/{groups}/dependency_proxy/containers"
    return values


def _registry(project: Project) -> dict[str, Value]:
    values: dict[str, Value] = {}
    if project.registry:
        values["CI_REGISTRY"] = project.registry
        if project.registry_enabled is not False and project.path:
            values["CI_REGISTRY_IMAGE"] = f"{project.registry}/{project.path.lower()}"
        return values
    if project.registry_enabled is not False:
        why = "the registry's address is not known here"
        values["CI_REGISTRY"] = Unknown(why, is_set=True)
        values["CI_REGISTRY_IMAGE"] = Unknown(why, is_set=True)
    return values


def ref_variables(ref: Ref, pipeline_source: str) -> dict[str, Value]:
    """Return the variables of the pipeline's ref by name."""
    protected: Value = Unknown("whether the ref is protected is not known here", is_set=True)
    if ref.protected is not None:
        protected = "true" if ref.protected else "false"
    values: dict[str, Value] = {
        "CI_PIPELINE_SOURCE": pipeline_source,
        "CI_COMMIT_REF_NAME": ref.name,
        "CI_COMMIT_REF_SLUG": slug(ref.name),
        "CI_COMMIT_REF_PROTECTED": protected,
    }
    match ref.type:
        case RefType.BRANCH:
            values["CI_COMMIT_BRANCH"] = ref.name
        case RefType.TAG:
            values["CI_COMMIT_TAG"] = ref.name
        case RefType.MERGE_REQUEST:
            values["CI_MERGE_REQUEST_SOURCE_BRANCH_NAME"] = ref.name
    return values


REF_NAMES = OF_PIPELINE | frozenset(ref_variables(Ref(), ""))
"""Every name that is another one, or missing, for another ref or source."""


def predefined(
    project: Project,
    ref: Ref,
    source: str,
    version: Version | None = None,
    given: Iterable[Definition] = (),
) -> Iterator[Definition]:
    """Yield what GitLab and its runner set for every job of a pipeline, then what is `given`.

    Of a name that is given as a predefined one, nothing else is yielded, and it gets the name's own level:
    YAML overrides some of them, and some it does not.
    """
    names = known_variables()
    given = tuple(
        replace(each, level=names[each.key].level)
        if each.level is Level.PREDEFINED and each.key in names
        else each
        for each in given
    )
    ours = {
        **pipeline_definitions(ref, source, version),
        **_predefined(project_variables(project)),
        **_predefined(ref_variables(ref, source)),
    }
    left_out = {each.key for each in given if each.level in OF_GITLAB} | _off(project)
    yield from (each for key, each in ours.items() if key not in left_out)
    yield from given


def predefined_of_ref(ref: Ref, source: str, version: Version | None = None) -> Iterator[Definition]:
    """Yield what the ref and the source of a pipeline decide: `REF_NAMES`, as far as they are set there."""
    ours = {**pipeline_definitions(ref, source, version), **_predefined(ref_variables(ref, source))}
    yield from (each for key, each in ours.items() if key in REF_NAMES)


def _predefined(values: Mapping[str, Value]) -> dict[str, Definition]:
    return {key: Definition(key=key, value=value, level=Level.PREDEFINED) for key, value in values.items()}


def _off(project: Project) -> frozenset[str]:
    """Return the names that are missing because the project or the instance has no such thing."""
    off: set[str] = set()
    if project.registry_enabled is False:
        off |= {"CI_REGISTRY_IMAGE"} | (set() if project.registry else {"CI_REGISTRY"})
    if not project.dependency_proxy:
        off |= {name for name in known_variables() if name.startswith("CI_DEPENDENCY_PROXY_")}
    return frozenset(off)
