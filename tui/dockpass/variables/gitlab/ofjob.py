"""The predefined variables that a job's own keywords decide: its name, `parallel`, `environment`, `image`.

Follows `predefined_variables` of `lib/gitlab/ci/variables/builder.rb` and the runner's `GetAllVariables`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace

from dockpass.unknown import Unknown
from dockpass.variables.gitlab.config import Job
from dockpass.variables.gitlab.known import known_variables
from dockpass.variables.gitlab.model import Definition, Level, Place, Value
from dockpass.variables.gitlab.predefined import slug
from dockpass.variables.gitlab.tree import Tree, as_text
from dockpass.variables.gitlab.versions import Version

_IN_GROUP = re.compile(r"(?:[\s:]+(?:\[.*\]|\d+[\s:/\\]+\d+)){1,3}\s*$", re.DOTALL)
"""The end of a job's name that its group does not have, such as ` [aws, app]` or ` 1/3`."""
_OWN_SLUG = re.compile(r"[a-z](?:-?[a-z0-9])*")
_LONGEST_ENVIRONMENT = 24
MANUAL = "manual"
ID_TOKENS, SECRETS = "id_tokens", "secrets"
"""Keywords of a job that bring variables; the origin of their definitions."""


def instance_of(job: Job, instance: Mapping[str, str] | None) -> tuple[tuple[str, str], ...]:
    """Return the variables of the matrix instance that is looked at, the first one by default."""
    if instance:
        return tuple(instance.items())
    return job.instances[0] if job.instances else ()


def job_definitions(
    job: Job, instance: Mapping[str, str] | None, version: Version | None
) -> Iterator[Definition]:
    """Yield what the name, `stage`, `parallel`, `image` and `when` of a job decide."""
    values: dict[str, Value] = {}
    place = job.place
    if job.name:
        name, values["CI_NODE_TOTAL"], index = _numbered(job, instance)
        if index:
            values["CI_NODE_INDEX"] = index
        values["CI_JOB_NAME"] = name
        values["CI_JOB_NAME_SLUG"] = name if isinstance(name, Unknown) else slug(name)
        values["CI_JOB_GROUP_NAME"] = _IN_GROUP.sub("", job.name).strip()
        values["CI_JOB_STAGE"] = job.stage
    else:
        names = ("CI_JOB_NAME", "CI_JOB_NAME_SLUG", "CI_JOB_GROUP_NAME", "CI_JOB_STAGE", "CI_NODE_TOTAL")
        values |= {name: known_variables()[name].value for name in names}
    if job.image:
        values["CI_JOB_IMAGE"] = job.image
        place = job.own_or_default("image")[1]
    for name, value in values.items():
        each = known_variables()[name]
        if each.is_in(version):
            at = place if name == "CI_JOB_IMAGE" else Place()
            yield replace(each.definition, value=value, place=at)
    if job.when == MANUAL:
        yield known_variables()["CI_JOB_MANUAL"].definition


def secret_definitions(job: Job) -> Iterator[Definition]:
    """Yield what `id_tokens` and `secrets` of a job bring: GitLab's tokens, and what the runner fetches.

    A token is weaker than whatever else has its name; a secret is stronger, and a file unless it says
    otherwise.
    """
    found = job.own_or_default(ID_TOKENS)[0]
    tokens = found if isinstance(found, Tree) else Tree()
    for name in tokens:
        value = Unknown("GitLab makes one for each job", is_set=True)
        yield Definition(
            key=name,
            value=value,
            level=Level.PERSISTED,
            origin=ID_TOKENS,
            place=tokens.place(name),
            masked=True,
            raw=True,
        )
    found = job.tree.get(SECRETS)
    secrets = found if isinstance(found, Tree) else Tree()
    for name, about in secrets.items():
        yield Definition(
            key=name,
            value=Unknown("the runner fetches it", is_set=True),
            level=Level.RUNNER_LAST,
            origin=SECRETS,
            place=secrets.place(name),
            masked=True,
            raw=True,
            file=not (isinstance(about, Tree) and about.get("file") is False),
        )


def manual_definition(when: str) -> Iterator[Definition]:
    """Yield what the rules' `when` decides; it is empty where that is not known."""
    definition = known_variables()["CI_JOB_MANUAL"].definition
    if when == MANUAL:
        yield definition
    elif not when:
        yield replace(definition, value=Unknown("the rules may make the job manual", may_be_missing=True))


def environment_definitions(job: Job, environment: Value) -> Iterator[Definition]:
    """Yield what the environment of a job decides; nothing without one."""
    if environment == "":
        return
    found = job.tree.get("environment")
    tree = found if isinstance(found, Tree) else Tree()
    values: dict[str, Value | None] = {
        "CI_ENVIRONMENT_NAME": environment,
        "CI_ENVIRONMENT_ACTION": as_text(tree.get("action")) or "start",
        "CI_ENVIRONMENT_TIER": as_text(tree.get("deployment_tier")),
        "CI_ENVIRONMENT_ID": None,
        "CI_ENVIRONMENT_SLUG": _environment_slug(environment),
        "CI_ENVIRONMENT_URL": as_text(tree.get("url")),
    }
    for name, value in values.items():
        definition = known_variables()[name].definition
        place = tree.place("url") if name == "CI_ENVIRONMENT_URL" else Place()
        yield replace(definition, value=definition.value if value is None else value, place=place)


def _environment_slug(environment: Value) -> str | None:
    """Return the slug where it is the name itself; GitLab adds a suffix to every other one."""
    if isinstance(environment, str) and len(environment) <= _LONGEST_ENVIRONMENT:
        return environment if _OWN_SLUG.fullmatch(environment) else None
    return None


def instance_name(job: Job, instance: Mapping[str, str] | None) -> str:
    """Return the name of a matrix instance, of the first one where none is given; empty without a matrix."""
    return job.instance_name(_number(job, instance)) if job.instances else ""


def _number(job: Job, instance: Mapping[str, str] | None) -> int:
    wanted = dict(instance_of(job, instance))
    return next((number for number, each in enumerate(job.instances) if dict(each) == wanted), 0)


def _numbered(job: Job, instance: Mapping[str, str] | None) -> tuple[Value, Value, Value]:
    """Return the name, how many instances there are, and the number of this one; empty without `parallel`."""
    if job.instances:
        number = _number(job, instance)
        return job.instance_name(number), str(len(job.instances)), str(number + 1)
    total = job.tree.get("parallel")
    if isinstance(total, int) and not isinstance(total, bool) and total > 1:
        own = Unknown(f"each of the {total:,} instances has its own", is_set=True)
        return own, str(total), own
    return job.name, "1", ""
