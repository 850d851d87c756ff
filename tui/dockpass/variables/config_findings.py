"""What looks wrong about the variables that name a docker config or hold one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from dockpass.auth.facts import Facts
from dockpass.configtext import Shape, problems_in, shape_of
from dockpass.findings import Finding, Severity
from dockpass.text import clean
from dockpass.variables.here import Here, Lies

DIRECTORIES = ("WERF_DOCKER_CONFIG", "DOCKER_CONFIG")
AUTH_CONFIG = "DOCKER_AUTH_CONFIG"
_FILE_NAMES = ("config.json", ".dockercfg", "auth.json")
_NO_LOGINS = "docker continues without any login"


def find_in_directories(facts: Facts, here: Here | None) -> Iterator[Finding]:
    """Yield what is wrong with `DOCKER_CONFIG` and `WERF_DOCKER_CONFIG`, one finding for each."""
    for name in DIRECTORIES:
        if value := facts.text(name):
            yield from _about_directory(name, value, facts.cwd, here)


def _about_directory(name: str, value: str, cwd: str, here: Here | None) -> Iterator[Finding]:
    path = str(Path(cwd, value))
    lies = here.look(path) if here else None
    if value.startswith("~"):
        hint = "Use $HOME instead of ~, or the full path."
        yield Finding("tilde", name, "starts with ~, which only a shell expands", hint=hint)
    elif re.search(r"\$\w|\$\{|%\w+%", value):
        yield Finding(
            "not-expanded",
            name,
            "contains an unexpanded variable reference",
            hint="Use the full path.",
            severity=Severity.ERROR,
        )
    elif shape_of(value) in {Shape.CONFIG, Shape.BASE64, Shape.SINGLE_QUOTES, Shape.NO_AUTHS}:
        yield Finding(
            "holds-a-config",
            name,
            "contains a config; it must name the directory of a config.json",
            hint="Save it as config.json in a directory of its own, and name that directory.",
            severity=Severity.ERROR,
        )
    elif lies is Lies.FILE or (lies is not Lies.DIRECTORY and Path(value).name in _FILE_NAMES):
        directory = clean(str(Path(value).parent), 200)
        inside = "" if Path(value).name == "config.json" else ", and rename the file to config.json"
        yield Finding(
            "names-a-file",
            name,
            "names a file; docker expects the directory that contains config.json",
            hint=f"Use its directory: {directory}{inside}.",
            severity=Severity.ERROR,
        )
    elif lies is not None:
        yield from _about_place(name, value, path, lies, here)


def _about_place(name: str, value: str, path: str, lies: Lies, here: Here | None) -> Iterator[Finding]:
    shown = clean(path, 200)
    match lies:
        case Lies.NOTHING:
            hint = "Correct the path; `docker login` creates the directory."
            yield Finding("not-there", name, f"names {shown}, which does not exist: {_NO_LOGINS}", hint=hint)
        case Lies.UNREADABLE:
            hint = "Grant yourself read access, or use another config."
            yield Finding(
                "unreadable",
                name,
                f"names {shown}, which you cannot read",
                hint=hint,
                severity=Severity.ERROR,
            )
        case _ if here and here.look(str(Path(path, "config.json"))) is Lies.NOTHING:
            yield Finding(
                "no-config-json",
                name,
                f"names {shown}, which has no config.json: {_NO_LOGINS}",
                hint="`docker login` creates one.",
                severity=Severity.NOTE,
            )
        case _ if not Path(value).is_absolute():
            yield Finding(
                "relative-path",
                name,
                f"is relative: {shown} here, another directory for a program started elsewhere",
                hint="Use the full path.",
                severity=Severity.NOTE,
            )


def find_in_auth_config(facts: Facts) -> Iterator[Finding]:
    """Yield what is wrong with `DOCKER_AUTH_CONFIG`, or that docker's command line prefers it."""
    text = facts.text(AUTH_CONFIG)
    if not text:
        return
    whole = True
    for problem in problems_in(text):
        whole = whole and bool(problem.key)
        more = "" if problem.key else _EFFECTS.get(problem.id, ", so docker and GitLab Runner ignore it")
        yield Finding(
            problem.id if problem.key else f"auth-config-{problem.id}",
            AUTH_CONFIG,
            f"{problem.in_words}{more}",
            hint=problem.do,
            severity=Severity.ERROR,
        )
    if whole:
        yield Finding(
            "auth-config",
            AUTH_CONFIG,
            "takes precedence over every login in docker 28.3 and later; a run leaves it out",
            severity=Severity.NOTE,
        )


_EFFECTS: dict[str, str] = {
    Shape.PATH: ": GitLab Runner reads that file, docker does not",
    Shape.BASE64: ", which neither docker nor GitLab Runner decodes",
}
