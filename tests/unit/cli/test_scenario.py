"""`dockpass scenario` and `--scenario`: the same answer as the options give, and a test of it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result
from fulldisk import full_after

from dockpass.cli.main import cli
from dockpass.cli.world import this_process
from dockpass.errors import UsageError
from dockpass.session.desk import Desk, Looking
from dockpass.session.scenario_new import scenario_of_desk
from dockpass.session.scenarios import open_file, try_scenario
from dockpass.variables.clone import find_clone
from dockpass.variables.gitlab.model import Ref

YAML = """\
variables: {CI_REGISTRY: registry.example.com, CI_REGISTRY_IMAGE: registry.example.com/acme/shop}
publish:
  environment: production
  rules: [{if: $CI_COMMIT_TAG}, {if: '$CI_COMMIT_BRANCH == "main"'}]
  script: [docker push x]
test: {script: [make]}
"""
SETTINGS = [
    {
        "key": "WERF_IMAGES_CLEANUP_PASSWORD",
        "value": "gldt-Canary-4f7Kq2wE",
        "protected": True,
        "masked": True,
    }
]
START = """\
schema = 1
name = "publish on main"
job = "publish"
command = "push"
context = { ref = "main", protected = true }
[[source]]
kind = "gitlab-yaml"
path = "../.gitlab-ci.yml"
[[source]]
kind = "gitlab-api-json"
path = "../ci/settings.json"
"""


@pytest.fixture(autouse=True)
def clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clone on a feature branch with a directory of scenarios, and a shell elsewhere in it."""
    subprocess.run(["git", "init", "-q", "-b", "feature/x"], cwd=tmp_path, check=True)
    (tmp_path / ".gitlab-ci.yml").write_text(YAML)
    for name in ("scenarios", "ci", "elsewhere"):
        (tmp_path / name).mkdir()
    (tmp_path / "ci/settings.json").write_text(json.dumps(SETTINGS))
    monkeypatch.chdir(tmp_path / "elsewhere")
    monkeypatch.setenv("WERF_DOCKER_CONFIG", "/of/the/shell")
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(cli, [*arguments], standalone_mode=False)


def written(clone: Path, text: str, name: str = "s.toml") -> str:
    (clone / "scenarios" / name).write_text(text)
    return f"../scenarios/{name}"


def explained(command: str, *more: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(run("explain", command, "--json", *more).stdout)
    return found


OPTIONS = ("--job", "publish", "--ref", "main", "--protected", "--project-variables", "../ci/settings.json")


@pytest.mark.parametrize("command", ["build", "push", "pull", "cleanup", "deploy"])
def test_a_scenario_gives_the_same_decision_as_the_options(clone: Path, command: str) -> None:
    one, other = explained(command, *OPTIONS), explained(command, "--scenario", written(clone, START))
    assert one == other
    assert one["method"] == ("cleanup-token" if command == "cleanup" else one["method"])


@pytest.mark.parametrize(
    "words",
    [
        ("show", "--json"),
        ("explain", "WERF_IMAGES_CLEANUP_PASSWORD", "--json"),
        ("lint", "--json"),
        ("export", "--format", "docker", "--json"),
    ],
)
def test_a_scenario_gives_the_same_variables_as_the_options(clone: Path, words: tuple[str, ...]) -> None:
    one, other = run("vars", *words, *OPTIONS), run("vars", *words, "--scenario", written(clone, START))
    assert json.loads(one.stdout) == json.loads(other.stdout)


def test_why_and_diff_take_a_scenario(clone: Path) -> None:
    file = written(clone, START)
    assert "publish is in the pipeline" in run("vars", "why", "publish", "--scenario", file).stdout
    found = run("vars", "diff", "protected", "unprotected", "--scenario", file).stdout
    assert "WERF_IMAGES_CLEANUP_PASSWORD" in found


def test_the_config_takes_a_scenario(clone: Path) -> None:
    auth = json.dumps({"auths": {"registry.example.com": {"auth": "Ym90OkNhbmFyeTlTZWNyZXQ="}}})
    (clone / "scenarios/auth").write_text(auth)
    text = START + '[[variable]]\nkey = "DOCKER_AUTH_CONFIG"\nsecret = { file = "auth" }\n'
    found = json.loads(
        run("config", "registry.example.com", "--json", "--scenario", written(clone, text)).stdout
    )
    readings = {each["reader"]: each["verdict"] for each in found["registries"][0]["readings"]}
    assert readings["docker-cli"] == "login"


def test_options_stand_on_top_of_a_scenario(clone: Path) -> None:
    text = START + '[[variable]]\nkey = "CI_REGISTRY"\nvalue = "other.example.com"\n'
    file = written(clone, text)
    assert explained("push", "--scenario", file, "--set", "WERF_DOCKER_CONFIG=/x")["method"] == "external"
    assert explained("push", "--scenario", file, "--unset", "CI_REGISTRY")["method"] == "ambient"
    found = explained("cleanup", "--scenario", file, "--unprotected")
    assert found["method"] == "autologin"
    shown = json.loads(run("vars", "show", "--json", "--scenario", file, "--ref", "feature/x").stdout)
    assert shown["ref"] == {"type": "branch", "name": "feature/x", "protected": None}, "known of main only"


def test_what_is_unset_is_gone_unless_it_is_set_again(clone: Path) -> None:
    text = START.replace("protected = true", 'protected = true, unset = ["CI_REGISTRY"]')
    file = written(clone, text)
    assert explained("push", "--scenario", file)["method"] == "ambient"
    assert (
        explained("push", "--scenario", file, "--set", "CI_REGISTRY=registry.example.com")["method"]
        == "autologin"
    )


def test_a_reference_that_gives_nothing_is_one_clear_problem(
    clone: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = START + '[[variable]]\nkey = "CI_JOB_TOKEN"\nlevel = "persisted"\nsecret = { env = "MINE" }\n'
    file = written(clone, text)
    found = explained("push", "--scenario", file)
    assert (found["method"], found["unknown"]) == ("autologin", ["CI_JOB_TOKEN"])
    assert [each["message"] for each in found["findings"] if "MINE" in each["message"]] == [
        "CI_JOB_TOKEN (s.toml:12) is set, but its value is not known here: the variable MINE is not set."
    ]
    monkeypatch.setenv("MINE", "glcbt-Canary-77aa")
    found = explained("push", "--scenario", file)
    assert (found["method"], found["unknown"]) == ("autologin", [])
    assert "Canary" not in json.dumps(found)


def test_a_run_reads_what_a_check_leaves_alone(clone: Path) -> None:
    ran = clone / "ran"
    program = clone / "program"
    program.write_text(
        f"#!{sys.executable}\nopen({str(ran)!r}, 'a').write('x')\nprint('glcbt-Canary-77aa')\n"
    )
    program.chmod(0o755)
    text = START + f'[[variable]]\nkey = "CI_JOB_TOKEN"\nsecret = {{ command = ["{program}"] }}\n'
    file = written(clone, text + '[expect]\nmethod = "autologin"\n')
    assert run("scenario", "check", file).return_value is None
    assert run("explain", "push", "--scenario", file).exit_code == 0
    assert not ran.exists()
    ended = run("scenario", "show", "--read-secrets", file)
    assert ran.read_text() == "x"
    assert "Canary" not in ended.output
    ended = run("push", "--scenario", file, "--engine", "embedded", "--image", "nowhere")
    assert ran.read_text() == "xx"
    assert "not known here" not in f"{ended.output} {ended.exception}"


def test_other_platforms_have_variables_and_no_jobs(clone: Path) -> None:
    (clone / "scenarios/.env").write_text("CI_REGISTRY=registry.example.com\nGONE=1\n")
    text = """\
schema = 1
platform = "generic"
context = { unset = ["GONE"] }
[[source]]
kind = "env-file"
path = ".env"
[[variable]]
key = "CI_JOB_TOKEN"
secret = { env = "NONE_OF_THESE" }
[[variable]]
key = "CI_REGISTRY_IMAGE"
value = "registry.example.com/a/b"
[expect]
variables = ["CI_REGISTRY", "CI_JOB_TOKEN"]
variables_absent = ["GONE", "WERF_DOCKER_CONFIG"]
[expect.push]
method = "autologin"
registry = "registry.example.com"
"""
    file = written(clone, text)
    assert run("scenario", "check", file).exit_code == 0
    assert explained("push", "--scenario", file)["method"] == "autologin"
    with pytest.raises(Exception, match="no GitLab job"):
        CliRunner().invoke(
            cli, ["vars", "show", "--scenario", file], standalone_mode=False, catch_exceptions=False
        )


CHECKED = """
[expect]
method = "autologin"
username = "bob"
registry = "registry.example.com"
jobs = ["publish", "tset"]
jobs_absent = ["test"]
variables = ["CI_REGISTRY", "NOPE"]
variables_absent = ["WERF_IMAGES_CLEANUP_PASSWORD"]
findings = []
[expect.cleanup]
method = "cleanup-token"
username = "werf-cleanup"
"""


def test_each_expectation_is_told_with_what_was_found(clone: Path) -> None:
    file = written(clone, START + CHECKED)
    ended = run("scenario", "check", file, "--json")
    assert ended.exit_code == 1
    found = {each["about"]: each for each in json.loads(ended.stdout)["scenarios"][0]["expectations"]}
    assert {about for about, each in found.items() if each["passed"]} == {
        *("push method", "push registry", "cleanup method", "cleanup username"),
        *("job publish", "variable CI_REGISTRY"),
    }
    told = found["push username"]
    assert (told["expected"], told["found"], told["line"]) == ("bob", "gitlab-ci-token", 15)
    assert told["why"].startswith("push logs in to registry.example.com as gitlab-ci-token")
    assert (found["job tset"]["found"], found["job tset"]["why"]) == ("no such job", "did you mean test?")
    assert found["job test"]["found"] == "in the pipeline"
    assert found["variable WERF_IMAGES_CLEANUP_PASSWORD"]["why"] == "project settings.json:1"
    assert "predefined-overridden" in found["findings"]["found"]


def test_people_and_programs_get_the_same_results(clone: Path) -> None:
    file = written(clone, START + CHECKED)
    ended = run("scenario", "check", file, "--junit", "j.xml", "--code-quality", "q.json")
    assert ended.exit_code == 1
    assert "  ✗ push username: expected bob, found gitlab-ci-token\n      push logs in" in ended.stdout
    assert "6 of 12 expectations in 1 scenario not met." in ended.stdout
    suite = ElementTree.parse("j.xml").getroot()[0]
    assert (suite.get("tests"), suite.get("failures"), suite.get("errors")) == ("12", "6", "0")
    assert len(suite.findall("testcase/failure")) == 6
    issues = json.loads(Path("q.json").read_text())
    assert len({each["fingerprint"] for each in issues}) == 6
    assert {each["location"]["path"] for each in issues} == {file}
    assert issues[0]["location"]["lines"] == {"begin": 15}


@pytest.mark.parametrize("option", ["--junit", "--code-quality"])
def test_results_that_cannot_be_written_whole_leave_no_part_of_themselves(clone: Path, option: str) -> None:
    file = written(clone, START + CHECKED)
    with full_after(100):
        ended = run("scenario", "check", file, option, "results")
    assert isinstance(ended.exception, UsageError)
    assert ended.exception.id == "scenario-report"
    assert not Path("results").exists()


def test_show_says_of_each_variable_of_one_name_whether_it_is_known(clone: Path) -> None:
    text = (
        START
        + '[[variable]]\nkey = "A"\nsecret = { env = "NOT_SET" }\n[[variable]]\nkey = "A"\nvalue = "b"\n'
    )
    shown = run("scenario", "show", written(clone, text)).stdout
    assert "from the variable NOT_SET, not known here" in shown


def test_that_a_login_has_no_error_can_be_expected(clone: Path) -> None:
    ended = run("scenario", "check", written(clone, START + '[expect]\nerror = ""\n'))
    assert ended.exit_code == 0
    assert "push error: no error" in ended.stdout
    text = START.replace('publish"', 'test"') + '[[variable]]\nkey = "CI_REGISTRY_IMAGE"\nvalue = ""\n'
    ended = run("scenario", "check", written(clone, text + '[expect]\nerror = ""\n'))
    assert "push error: expected none, found repo-required" in ended.stdout


def test_one_file_that_is_none_does_not_stop_the_others(clone: Path) -> None:
    good = written(clone, START + '[expect]\nmethod = "autologin"\n')
    bad = written(clone, "schema = 1\nnmae = 1\n", "bad.toml")
    ended = run("scenario", "check", bad, "../scenarios/none.toml", good, "--junit", "j.xml")
    assert ended.exit_code == 2
    assert "../scenarios/bad.toml:2: nmae is not a known key; did you mean name? " in ended.stdout
    assert "push method: autologin" in ended.stdout
    assert [suite.get("errors") for suite in ElementTree.parse("j.xml").getroot()] == ["1", "1", "0"]


@pytest.mark.parametrize("path", ["bad", "missing"])
@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("env-file", "such as the answer of GitLab's variables API"),
        ("gitlab-api-json", "Save the answer of GitLab's variables API"),
        ("job-log", "Check the path of the file and the kind"),
        ("shell-export", "Check the path of the file and the kind"),
        ("env0", "Check the path of the file and the kind"),
        ("godotenv", "Check the path of the file and the kind"),
    ],
)
def test_what_to_do_about_a_source_goes_with_its_kind(clone: Path, kind: str, told: str, path: str) -> None:
    (clone / "scenarios/bad").write_text("- a\n")
    text = START + f'[[source]]\nkind = "{kind}"\npath = "{path}"\n[expect]\njobs = ["publish"]\n'
    ended = run("scenario", "check", written(clone, text))
    assert ended.exit_code == 2
    assert told in ended.stdout
    assert ("GitLab" in ended.stdout) == ("GitLab" in told)


@pytest.mark.parametrize(
    ("version", "said"),
    [
        ("28.3.0", "▲ DOCKER_AUTH_CONFIG wins over the config of docker 28.3.0"),
        ("27.5", "· DOCKER_AUTH_CONFIG is not read by docker 27.5"),
        ("28.2.9", "· DOCKER_AUTH_CONFIG is not read by docker 28.2.9"),
        (None, None),
    ],
)
def test_the_version_of_docker_tells_who_reads_the_variable(
    clone: Path, version: str | None, said: str | None
) -> None:
    (clone / "scenarios/auth").write_text('{"auths": {}}')
    docker = f', docker_cli = "{version}"' if version else ""
    text = START.replace("protected = true", f"protected = true{docker}")
    text += '[[variable]]\nkey = "DOCKER_AUTH_CONFIG"\nsecret = { file = "auth" }\n'
    told = run("scenario", "show", written(clone, text)).stderr
    assert (said in told) if said else ("DOCKER_AUTH_CONFIG" not in told)


def test_a_check_says_what_it_could_not_read(clone: Path) -> None:
    text = (
        START
        + '[[variable]]\nkey = "MY_TOKEN"\nsecret = { file = "none" }\n[expect]\nvariables = ["MY_TOKEN"]\n'
    )
    ended = run("scenario", "check", written(clone, text))
    assert ended.exit_code == 0
    assert "▲ MY_TOKEN (s.toml:12) is set, but its value is not known here: " in ended.stdout
    newer = START.replace("schema = 1", "schema = 2") + '[expect]\nmethod = "autologin"\nmood = "good"\n'
    ended = run("scenario", "check", written(clone, newer))
    assert "has schema 2, which is newer than 1: what this dockpass does not know is left out" in ended.stdout


@pytest.mark.parametrize("text", ["", "[expect]\n", "[expect]\njobs = []\n", "[expect.push]\n"])
def test_a_scenario_that_expects_nothing_is_no_test(clone: Path, text: str) -> None:
    ended = run("scenario", "check", written(clone, START + text))
    assert ended.exit_code == 2
    assert "expects nothing" in ended.stdout


@pytest.mark.parametrize(
    ("yaml", "said"),
    [
        (YAML.replace("publish:", "release:"), "has no job 'publish'"),
        ("publish: [", ".gitlab-ci.yml"),
        (YAML + "publish2: {variables: [], script: [x]}\n", "GitLab would refuse the configuration"),
    ],
)
def test_a_project_that_changed_is_a_failure_and_no_usage_error(clone: Path, yaml: str, said: str) -> None:
    (clone / ".gitlab-ci.yml").write_text(yaml)
    ended = run("scenario", "check", written(clone, START + '[expect]\nmethod = "autologin"\n'))
    assert (ended.exit_code, said in ended.stdout) == (1, True), ended.stdout


def test_workflow_rules_that_want_no_pipeline_can_be_expected(clone: Path) -> None:
    (clone / ".gitlab-ci.yml").write_text("workflow: {rules: [{if: $CI_COMMIT_TAG}]}\n" + YAML)
    ended = run("scenario", "check", written(clone, START + '[expect]\njobs_absent = ["publish"]\n'))
    assert ended.exit_code == 0


def test_the_configuration_around_a_scenario_is_found_without_a_source(clone: Path) -> None:
    text = 'schema = 1\njob = "publish"\ncontext = { ref = "main" }\n[expect.push]\nmethod = "autologin"\n'
    assert run("scenario", "check", written(clone, text)).exit_code == 0
    other = text + '[[source]]\nkind = "gitlab-yaml"\npath = "nowhere.yml"\n'
    ended = run("scenario", "check", written(clone, other))
    assert (ended.exit_code, "was not found" in ended.stdout) == (2, True)


def test_a_configuration_of_another_name_is_read(clone: Path) -> None:
    (clone / "ci/pipeline.yml").write_text("deploy-it: {script: [x]}\n")
    text = 'schema = 1\ncontext = { ref = "main" }\n[[source]]\nkind = "gitlab-yaml"\npath = "../ci/pipeline.yml"\n'
    ended = run("scenario", "check", written(clone, text + '[expect]\njobs = ["deploy-it"]\n'))
    assert ended.exit_code == 0, ended.stdout


def test_nothing_heavy_is_loaded_for_a_check(clone: Path) -> None:
    file = written(clone, START + '[expect]\nmethod = "autologin"\n')
    code = (
        "import sys; sys.argv = ['dockpass', 'scenario', 'check', sys.argv[1]]\n"
        "from dockpass.cli.main import run\n"
        "try: run()\n"
        "except SystemExit as end: print(end.code, {'textual', 'docker', 'aiohttp', 'rich'} & set(sys.modules))\n"
    )
    ended = subprocess.run([sys.executable, "-c", code, file], capture_output=True, text=True)
    assert ended.stdout.endswith("0 set()\n"), ended


MATRIX = """\
build:
  parallel: {matrix: [{CLOUD: [aws, gcp], PART: [app, web]}]}
  environment: $CLOUD
  script: [docker push x]
"""


def test_an_instance_of_a_matrix_is_named_as_gitlab_names_it(clone: Path) -> None:
    (clone / ".gitlab-ci.yml").write_text(MATRIX)
    stored = [{**SETTINGS[0], "protected": False, "environment_scope": "gcp"}]
    (clone / "ci/settings.json").write_text(json.dumps(stored))
    for job, expected in (("build: [gcp, web]", 0), ("build: [aws, web]", 1), ("build", 1)):
        text = START.replace('job = "publish"', f"job = {json.dumps(job)}")
        text += '[expect]\nvariables = ["WERF_IMAGES_CLEANUP_PASSWORD"]\n'
        assert run("scenario", "check", written(clone, text)).exit_code == expected, job
        shown = json.loads(run("vars", "show", "--job", job, "--json").stdout)
        assert json.dumps(job if ":" in job else "build: [aws, app]") in json.dumps(shown)
    assert "no job" in str(run("vars", "show", "--job", "build: [azure, web]").exception)


def test_the_instance_that_is_looked_at_is_saved(clone: Path) -> None:
    (clone / ".gitlab-ci.yml").write_text(MATRIX)
    world = this_process()
    found = find_clone(clone, world.environ)
    assert found is not None
    looking = Looking(job="build", instance=3, ref=Ref(name="main", protected=True))
    desk = Desk(clone=found, looking=looking, redactor=world.redactor)
    file = written(clone, scenario_of_desk(desk, desk.seen(), (), None, clone / "scenarios", world))
    assert 'job = "build: [gcp, web]"' in (clone / "scenarios/s.toml").read_text()
    assert run("scenario", "check", file).exit_code == 0
    tried = try_scenario(open_file(file, world), world)
    assert tried.desk is not None
    assert (tried.desk.looking.job, tried.desk.looking.instance) == ("build", 3)
