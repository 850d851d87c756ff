"""A scenario opened and resolved: the desk that it describes, and what its job comes to.

Nothing is sent, no command is run and nobody is asked, but for what a `Reach` allows.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from dockpass.auth.facts import Facts
from dockpass.scenario.model import Platform
from dockpass.scenario.opening import Opened, open_scenario
from dockpass.scenario.reading import read_scenario
from dockpass.scenario.references import Reach
from dockpass.secrets import Secret
from dockpass.session.desk import Desk, Imported, Looking, Seen, learn_imported
from dockpass.text import clean
from dockpass.variables.clone import Clone
from dockpass.variables.gitlab.model import Ref, RefType
from dockpass.variables.gitlab.tree import YamlError
from dockpass.variables.gitlab.versions import Version, version_of
from dockpass.variables.gitlabplace import ref_of_job
from dockpass.variables.logins import facts_of
from dockpass.variables.pipeline import MERGE_REQUEST, PUSH
from dockpass.variables.refusals import (
    configuration_missing,
    configuration_refused,
    job_missing,
    ref_unknown,
)

if TYPE_CHECKING:
    from dockpass.session.assemble import Process


@dataclass(frozen=True, slots=True)
class Tried:
    """A scenario and what its variables come to; `seen` is its job on its desk, where it has one."""

    opened: Opened
    facts: Facts
    desk: Desk | None = None
    seen: Seen | None = None


def open_file(name: str, process: Process, **reach: Any) -> Opened:
    """Read the scenario that is named, with the files it names; `reach` are further fields of `Reach`.

    Raises `UsageError`.
    """
    path = process.cwd / name
    scenario = read_scenario(path, name, process.environ)
    asked = Reach(environ=process.environ, home=process.home, directory=path.parent, **reach)
    return open_scenario(scenario, clean(name, 200), path.parent, asked, process.redactor)


def without_jobs(opened: Opened) -> bool:
    """Tell whether the scenario is about variables alone, and not about a job of GitLab's."""
    return opened.scenario.platform is not Platform.GITLAB


def desk_of(
    opened: Opened, process: Process, usual: Version | None = None, clone: Clone | None = None
) -> Desk:
    """Return a desk with everything that the scenario says, before its project; raises `UsageError`.

    `usual` is the version of GitLab where the scenario gives none. What was imported from GitLab on this
    machine is not on it: the answer is the same everywhere.
    """
    clone = clone or opened.find_clone(process.environ)
    if clone is None:
        raise configuration_missing(opened.file)
    context = opened.scenario.context
    imported = Imported(label=opened.file, definitions=(*opened.settings, *opened.own))
    learn_imported(imported, process.redactor)
    return Desk(
        clone=clone,
        looking=_looking(opened, clone, process),
        imported=(imported,),
        redactor=process.redactor,
        given_version=version_of(context.gitlab_version),
        usual_version=usual,
        unset=frozenset(context.unset),
        scenario=opened.file,
    )


def _looking(opened: Opened, clone: Clone, process: Process) -> Looking:
    context = opened.scenario.context
    ref = _ref(opened, clone, process)
    source = MERGE_REQUEST if ref.type is RefType.MERGE_REQUEST else PUSH
    return Looking(
        job=opened.scenario.job,
        ref=ref,
        source=context.pipeline_source or source,
        environment=context.environment,
    )


def _ref(opened: Opened, clone: Clone, process: Process) -> Ref:
    context = opened.scenario.context
    kind, name = context.ref_type, context.ref
    if name is None:
        here = clone.ref or ref_of_job(process.environ)
        if here is None:
            raise ref_unknown()
        kind, name = (here.type if kind is RefType.BRANCH else kind), here.name
    elif kind is not RefType.TAG:
        is_tag = name.startswith("refs/tags/") and kind is RefType.BRANCH
        kind = RefType.TAG if is_tag else kind
        name = name.removeprefix("refs/tags/").removeprefix("refs/heads/")
    protected = bool(context.protected) if kind is RefType.MERGE_REQUEST else context.protected
    return Ref(type=kind, name=name, protected=protected)


def try_scenario(
    opened: Opened, process: Process, usual: Version | None = None, clone: Clone | None = None
) -> Tried:
    """Resolve the job of a scenario, in its project where that is at hand; raises `UsageError`."""
    home, cwd = str(process.home), str(process.cwd)
    if without_jobs(opened):
        variables = opened.plain_variables()
        for each in variables.values():
            if isinstance(each.value, Secret):
                process.redactor.learn(each.value)
        return Tried(opened, Facts(variables, home=home, cwd=cwd, elsewhere=True))
    desk = desk_of(opened, process, usual, clone)
    try:
        seen = desk.seen()
    except YamlError as error:
        raise configuration_refused(error.message, error.place) from None
    job = desk.looking.job
    if job and seen.loaded.config.job(job) is None:
        raise job_missing(job, seen.loaded.config)
    if instance := seen.loaded.config.instance(job):
        desk.looking = replace(desk.looking, job=instance[0].name, instance=instance[1])
        seen = desk.seen()
    return Tried(opened, facts_of(seen.view, home, cwd), desk, seen)
