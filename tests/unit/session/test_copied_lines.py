"""What is copied of a job looks at the same job in the same pipeline: each line is parsed and run again."""

from __future__ import annotations

import json
import shlex
from dataclasses import replace
from pathlib import Path

import pytest
from jobclone import make_clone, run_vars

from dockpass.auth.facts import Edit, EditKind
from dockpass.runs.lines import variables_line
from dockpass.secrets import Redactor, Secret
from dockpass.session.desk import Desk, Imported, Looking
from dockpass.unknown import Unknown
from dockpass.variables.clone import find_clone
from dockpass.variables.gitlab.model import Level, Ref, RefType
from dockpass.variables.gitlab.versions import Version
from dockpass.variables.settingsfile import read_settings

YAML = """\
variables: {WHERE: $CI_COMMIT_REF_NAME}
publish:
  environment: production
  parallel: {matrix: [{P: [aws, "gcp, eu"]}]}
  variables: {KEPT: "1"}
  script: [env]
"""
SETTINGS = [
    {"key": "GUARDED", "value": "x", "protected": True},
    {"key": "SCOPED", "value": "s", "environment_scope": "staging"},
]
TOKEN = "gldt-Typed-4f7Kq2wE"


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    made = make_clone(tmp_path / "shop", YAML, settings=SETTINGS)
    monkeypatch.chdir(made)
    return made


def test_a_matrix_is_shown_by_its_instance(root: Path) -> None:
    desk = Desk(find_clone(root, {}), Looking(job="publish", instance=1), redactor=Redactor())
    assert desk.seen([]).view.title == "publish: [gcp, eu]"
    assert desk.seen([], Looking()).view.title == ""
    assert run_vars("show", "--job", "publish: [gcp, eu]").output.startswith("job publish: [gcp, eu] · ")
    assert run_vars("why", "publish").output.startswith("job publish: [aws] · ")


@pytest.mark.parametrize(
    "looking",
    [
        Looking(job="publish"),
        Looking(job="publish", instance=1),
        Looking(),
        Looking(job="publish", ref=Ref(type=RefType.TAG, name="v1", protected=True)),
        Looking(job="publish", ref=Ref(type=RefType.MERGE_REQUEST, name="a'b", protected=False), source="merge_request_event"),
        Looking(job="publish", environment=""),
        Looking(job="publish", environment="staging", source="schedule", ref=Ref(name="--all", protected=True)),
    ],
    ids=str,
)  # fmt: skip
def test_the_same_is_looked_at(root: Path, looking: Looking, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = tuple(read_settings(root / "settings.json", Level.PROJECT))
    imported = Imported(label="settings.json", definitions=settings, path=root / "settings.json")
    desk = Desk(find_clone(root, {}), looking, imported=(imported,), redactor=Redactor())
    edits = [
        Edit(EditKind.SET, "MINE", "a b"),
        Edit(EditKind.UNSET, "KEPT"),
        Edit(EditKind.SET, "T", Secret(TOKEN)),
    ]
    desk.redactor.learn(Secret(TOKEN))
    line = " ".join(variables_line(["vars", "show"], desk.options(), edits, {"T": TOKEN}, desk.redactor))
    assert TOKEN not in line
    words = shlex.split(line)
    assert words[:3] == ["dockpass", "vars", "show"]
    monkeypatch.setenv("T", TOKEN)
    found = json.loads(run_vars(*words[2:], "--json").stdout)
    view = desk.seen(edits).view
    values = {
        name: None if isinstance(each.value, Unknown) else each.value for name, each in view.variables.items()
    }
    shown = {each["name"]: each["value"] for each in found["variables"]}
    assert shown.keys() == values.keys()
    assert {name: values[name] for name in shown if name != "T"} == {
        name: shown[name] for name in shown if name != "T"
    }
    assert {each["name"] for each in found["absent"]} == view.absent.keys()


def test_a_secret_that_the_shell_does_not_have_stops_the_line(root: Path) -> None:
    desk = Desk(find_clone(root, {}), Looking(job="publish"), redactor=Redactor())
    edits = [Edit(EditKind.SET, "CI_JOB_TOKEN", Secret(TOKEN))]
    line = variables_line(["vars", "show"], desk.options(), edits, {}, desk.redactor)
    assert line[0] == 'CI_JOB_TOKEN="${CI_JOB_TOKEN:?}"'
    assert line[-2:] == ("--set", "CI_JOB_TOKEN")


def test_a_scenario_that_is_looked_at_as_it_is_says_it_all(root: Path) -> None:
    looking = Looking(job="publish", ref=Ref(name="main", protected=True))
    desk = Desk(
        find_clone(root, {}), looking, scenario="a b.toml", of_scenario=looking, given_version=Version(17, 1)
    )
    assert list(desk.options()) == [("--scenario", "a b.toml")]
    assert list(desk.options(with_job=False)) == [("--scenario", "a b.toml")]
    desk.looking = replace(looking, ref=Ref(name="other", protected=False))
    assert list(desk.options()) == [
        ("--scenario", "a b.toml"),
        ("--job", "publish"),
        ("--ref", "other"),
        ("--merge-request", False),
        ("--unprotected", True),
    ]


def test_an_import_has_an_option_where_a_file_of_settings_was_read_as_it_is(root: Path) -> None:
    file = root / "settings.json"
    settings = tuple(read_settings(file, Level.PROJECT))
    assert Imported(label="a", definitions=settings, path=file).option == "--project-variables"
    assert Imported(label="a paste", definitions=settings).option == ""
    assert Imported(label="a", definitions=settings, path=file, format="gitlab-json").option == ""
    of_pipeline = tuple(replace(each, level=Level.PIPELINE) for each in settings)
    assert Imported(label="a", definitions=of_pipeline, path=file).option == ""
