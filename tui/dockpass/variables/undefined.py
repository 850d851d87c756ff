"""Variables that a job uses and nothing defines: in its scripts, image, services and variables. Pure.

Rather one too few than one too many: what a shell, a runner, an image or a dotenv report may bring is not
among them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from dockpass.text import clean
from dockpass.variables.gitlab.config import Config, Job
from dockpass.variables.gitlab.expand import references
from dockpass.variables.gitlab.model import Place
from dockpass.variables.gitlab.resolve import JobView
from dockpass.variables.gitlab.tree import Tree, as_text
from dockpass.variables.gitlab.versions import Version
from dockpass.variables.jobscript import JobScript
from dockpass.variables.logins import is_secret
from dockpass.variables.names import may_be_provided, where_set

_NAMED = re.compile(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)\}?")
_USERS = ("script", "image", "services")


@dataclass(frozen=True, slots=True)
class Undefined:
    """A variable that a job uses and nothing defines: its name, where it is used, and by what.

    `elsewhere` says where GitLab sets it, as a sentence without its full stop; empty where it never does.
    """

    name: str
    place: Place
    user: str
    elsewhere: str = ""

    def in_words(self) -> str:
        """Return where it is used, such as `script .gitlab-ci.yml:12`."""
        by = self.user if self.user in _USERS else f"the value of {clean(self.user, 255)},"
        used = f"{by} {clean(str(self.place), 200)}".rstrip(", ")
        return f"{used}: {self.elsewhere}" if self.elsewhere else used


def undefined_title(*, is_whole: bool) -> str:
    """Return the heading of such variables; what is not loaded may define them."""
    return "used, defined nowhere" if is_whole else "used, defined nowhere that is loaded"


def undefined_in(
    config: Config, job: Job, view: JobView, script: JobScript, version: Version | None = None
) -> tuple[Undefined, ...]:
    """Return what a job uses and no source defines, each name with its first place; none for every job.

    `version` is GitLab's, None the current one.
    """
    if not job.name or _gets_reports(config, job):
        return ()
    known = {*view.variables, *view.absent, *_from_keywords(job)}
    in_shell = known | script.assigned
    found: dict[str, Undefined] = {}
    if not script.is_open:
        for name, place in script.uses.items():
            if name not in in_shell and not may_be_provided(name, version):
                found[name] = Undefined(name, place, "script")
    for each in _of_runner(job, view):
        if each.name not in known and not may_be_provided(each.name, version):
            found.setdefault(each.name, each)
    return tuple(
        replace(each, elsewhere=where_set(each.name, version))
        for each in sorted(found.values(), key=lambda each: each.name)
    )


def _from_keywords(job: Job) -> Iterator[str]:
    """Yield the variables that other keywords of a job make."""
    for keyword in ("id_tokens", "secrets"):
        found, _ = job.own_or_default(keyword)
        if isinstance(found, Tree):
            yield from found


def _of_runner(job: Job, view: JobView) -> Iterator[Undefined]:
    """Yield what the runner looks up: for the image, the services, and the variables themselves."""
    for keyword in ("image", "services"):
        found, place = job.own_or_default(keyword)
        for text in _texts(found):
            yield from (Undefined(name, place, keyword) for name in references(text))
    for key, resolved in view.variables.items():
        if is_secret(key, resolved):
            continue  # a part of its value is no name
        for step in resolved.steps:
            named = _NAMED.fullmatch(step.reference)
            if named and step.source.startswith("nothing"):
                yield Undefined(named[1], resolved.winner.place, key)


def _texts(found: Any) -> Iterator[str]:
    match found:
        case list():
            for each in found:
                yield from _texts(each)
        case Tree():
            for key in ("name", "entrypoint", "command", "variables"):
                value = found.get(key)
                yield from _texts(list(value.values()) if isinstance(value, Tree) else value)
        case _:
            yield as_text(found) or ""


def _gets_reports(config: Config, job: Job) -> bool:
    """Tell whether the job may get variables from the dotenv report of a needed or an earlier job."""
    others = (each for each in (config.jobs or {}).values() if each.name != job.name)
    reporting = {each.name for each in others if _reports(each)}
    for keyword in ("needs", "dependencies"):
        listed = job.tree.get(keyword)
        if isinstance(listed, list):
            named, elsewhere = _needed(listed)
            return elsewhere or bool(reporting & named)
    return bool(reporting)


def _needed(listed: Iterable[Any]) -> tuple[set[str], bool]:
    """Return the jobs whose artifacts a job gets, and whether it gets those of another pipeline too."""
    named: set[str] = set()
    elsewhere = False
    for each in listed:
        if isinstance(each, list):
            inner, others = _needed(each)
            named, elsewhere = named | inner, elsewhere or others
        elif not isinstance(each, Tree):
            named.add(as_text(each) or "")
        elif each.get("artifacts") is not False:
            named.add(as_text(each.get("job")) or "")
            elsewhere = elsewhere or bool({"project", "pipeline"} & each.keys())
    return named, elsewhere


def _reports(job: Job) -> bool:
    artifacts, _ = job.own_or_default("artifacts")
    reports = artifacts.get("reports") if isinstance(artifacts, Tree) else None
    return isinstance(reports, Tree) and bool(reports.get("dotenv"))
