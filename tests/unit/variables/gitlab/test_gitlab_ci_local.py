"""gitlab-ci-local judges what it does as GitLab does; where it is known to differ, both answers are pinned.

Generated projects stay inside the first. A change of either side, theirs or ours, fails the second.
"""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
import yaml
from ciproject import MAIN, config_of
from gitlabcilocal import VARIABLES, LocalProject

from dockpass.variables.formats.catalogue import read
from dockpass.variables.gitlab.model import Definition, Level, Ref
from dockpass.variables.gitlab.predefined import Project, project_variables, ref_variables
from dockpass.variables.gitlab.resolve import JobView, Situation, view_job

NAMES = [f"V{number}" for number in range(8)]
WORDS = ("one", "two", "prod-eu", "a.b/c", "x y", "1", "true", "2.5", "registry.example:5000/app")
PLAIN = Project(path="grp/sub/app", host="gitlab.example.com", default_branch="main")


def resolved(files: dict[str, str], jobs: list[str]) -> dict[str, JobView]:
    """Resolve jobs as a push to the protected main, with gitlab-ci-local's file as the project's settings."""
    ref = Ref(name="main", protected=True)
    predefined = project_variables(PLAIN) | ref_variables(ref, "push")
    settings = read("gitlab-ci-local", files.get(VARIABLES, "")).entries
    situation = Situation(
        ref=ref,
        definitions=(
            Definition(key="CI_REGISTRY_USER", value="gitlab-ci-token", level=Level.PERSISTED),
            *(Definition(key=k, value=v, level=Level.PREDEFINED) for k, v in predefined.items()),
            *(each.definition(Level.PROJECT, VARIABLES) for each in settings),
        ),
        paths=lambda: tuple(files),
    )
    config = config_of(files)
    found = {name: config.job(name) for name in jobs}
    return {name: view_job(config, situation, job) for name, job in found.items() if job is not None}


class Maker:
    """Makes a project: a variable refers only to those with a smaller number, so nothing goes round."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def value(self, name: str) -> str:
        below = NAMES[: NAMES.index(name)]
        parts = [self.random.choice(WORDS)]
        for _ in range(self.random.randint(0, 2)):
            other = self.random.choice([*below, "NOWHERE"])
            parts.append(self.random.choice([f"${other}", f"${{{other}}}", "$$", f"-${other}-"]))
            parts.append(self.random.choice(["-", "/", ".", ":"]))
        return "".join(parts)

    def variables(self, most: int = 4) -> dict[str, Any]:
        names = self.random.sample(NAMES, self.random.randint(0, most))
        return {name: self._definition(name) for name in sorted(names)}

    def _definition(self, name: str) -> Any:
        value = self.value(name)
        return {"value": value, "expand": False} if self.random.random() < 0.1 else value

    def rule(self) -> dict[str, Any]:
        name = self.random.choice(NAMES)
        word = self.random.choice([each for each in WORDS if "/" not in each])
        condition = self.random.choice(
            [
                f'${name} == "{word}"',
                f'${name} != "{word}"',
                f"${name} == null",
                f"${name} =~ /^{word[:2]}/",
                '$CI_COMMIT_BRANCH == "main"',
                "$CI_COMMIT_TAG",
                f"$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH && ${name} != null",
                f'$CI_COMMIT_TAG != null || ${name} == "{word}"',
            ]
        )
        made: dict[str, Any] = {"if": condition}
        if self.random.random() < 0.5:
            made["variables"] = {key: self.value(key) for key in self.random.sample(NAMES, 2)}
        if self.random.random() < 0.2:
            made["when"] = "never"
        return made

    def job(self, name: str) -> dict[str, Any]:
        made: dict[str, Any] = {"script": [f"env -0 > {name}.out"]}
        if self.random.random() < 0.8:
            made["variables"] = self.variables()
        if self.random.random() < 0.4:
            made["extends"] = self.random.choice([".base", ".other", [".base", ".other"]])
        if self.random.random() < 0.25:
            made["inherit"] = {"variables": self.random.choice([False, self.random.sample(NAMES, 3)])}
        if self.random.random() < 0.5:
            made["rules"] = [self.rule() for _ in range(self.random.randint(1, 3))]
        return made

    def files(self, jobs: list[str]) -> dict[str, str]:
        main = {
            "include": [{"local": "ci/base.yml"}],
            "variables": self.variables(6),
            "workflow": {"rules": [{"if": "$CI_COMMIT_BRANCH", "variables": {"V1": self.value("V1")}}]},
            ".other": {"variables": self.variables()},
            **{name: self.job(name) for name in jobs},
        }
        base = {"variables": self.variables(3), ".base": {"variables": self.variables()}}
        settings = {name: self.value(name) for name in self.random.sample(NAMES, 2)}
        return {
            MAIN: yaml.safe_dump(main, sort_keys=False),
            "ci/base.yml": yaml.safe_dump(base, sort_keys=False),
            VARIABLES: yaml.safe_dump(settings),
        }


@pytest.mark.parametrize("seed", range(5))
def test_generated_projects(seed: int, tmp_path: Path) -> None:
    jobs = [f"job{number}" for number in range(6)]
    files = Maker(seed).files(jobs)
    theirs = LocalProject(tmp_path, files)
    listed = theirs.listed()
    views = resolved(files, jobs)
    included = [name for name in jobs if listed[name] != "never"]
    assert {name for name in jobs if views[name].included} == set(included), files[MAIN]
    said = theirs.run(*included) if included else ""
    for name in included:
        seen = theirs.seen(name)
        assert seen is not None, said
        ours = {key: found.value for key, found in views[name].variables.items() if key in NAMES}
        assert ours == {key: value for key, value in seen.items() if key in NAMES}, (name, files)


KNOWN = """\
variables:
  A: value
  EMPTY: ""
  PERCENT: x%A%y
  DIGIT: p$1w
  SIGN: a$!b
  DEFAULT: ${A:-x}
  BRACES: a${}b
  OPEN: a${b
  OCTAL: 012345
  IMAGE: base
  P: $P-x
plain:
  variables: {IMAGE: $IMAGE-ci}
  script: [env -0 > plain.out]
scoped:
  environment: production
  script: [env -0 > scoped.out]
empty-left:
  rules: [{if: '$EMPTY && "x"'}]
  script: [env -0 > empty-left.out]
"""
KNOWN_SETTINGS = """\
P: project
S: {values: {"production*": pattern, production: exact}}
"""
DIFFERENCES = [
    ("plain", "PERCENT", "x%A%y", "xvaluey"),
    ("plain", "DIGIT", "p$1w", "pw"),
    ("plain", "SIGN", "a$!b", "ab"),
    ("plain", "DEFAULT", "${A:-x}", ""),
    ("plain", "BRACES", "a${}b", "ab"),
    ("plain", "OPEN", "a${b", "ab"),
    ("plain", "OCTAL", "12345", "5349"),
    ("plain", "IMAGE", "-ci", "$IMAGE-ci-ci"),
    ("plain", "P", "project", "project-x"),
    ("plain", "GITLAB_CI", "false", "true"),
    ("plain", "CI_REGISTRY_USER", None, "gitlab-ci-token"),
    ("scoped", "S", "pattern", "exact"),
]
"""Job, variable, what gitlab-ci-local gives, and what GitLab with its runner gives."""


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> tuple[LocalProject, dict[str, JobView]]:
    files = {MAIN: KNOWN, VARIABLES: KNOWN_SETTINGS}
    project = LocalProject(tmp_path_factory.mktemp("known"), files)
    project.run("plain", "scoped")
    return project, resolved(files, ["plain", "scoped", "empty-left"])


@pytest.mark.parametrize(
    ("job", "name", "theirs", "ours"), DIFFERENCES, ids=[each[1] for each in DIFFERENCES]
)
def test_known_differences(
    known: tuple[LocalProject, dict[str, JobView]], job: str, name: str, theirs: str | None, ours: str
) -> None:
    project, views = known
    seen = project.seen(job)
    assert seen is not None
    assert seen.get(name) == theirs, "gitlab-ci-local does otherwise now"
    assert views[job].variables[name].value == ours


def test_an_empty_variable_on_the_left_of_and(
    known: tuple[LocalProject, dict[str, JobView]],
) -> None:
    project, views = known
    assert project.listed()["empty-left"] == "never"
    assert views["empty-left"].included is True
