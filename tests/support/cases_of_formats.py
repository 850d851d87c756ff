"""How a row about a format is run: the text is read, and every field of what the row expects is compared."""

from __future__ import annotations

from typing import Any

from dockpass.unknown import Unknown
from dockpass.variables.formats.act import read_act_secrets, read_act_secrets_yaml
from dockpass.variables.formats.catalogue import FORMATS, read
from dockpass.variables.formats.github import in_scope
from dockpass.variables.formats.reading import MASKED, PARTLY_MASKED, Entry, Reading
from dockpass.variables.formats.yaml_files import gcl_chosen

DIALECTS = {
    "docker_env_file": "docker",
    "gitlab_dotenv": "gitlab-report",
    "compose": "compose",
    "python_dotenv": "python-dotenv",
    "node_dotenv": "node-dotenv",
    "godotenv": "godotenv",
    "bash": "shell",
}
DUMPS = {
    "bash_export": "shell",
    "dash_export": "shell",
    "sh_export": "shell",
    "posix_export": "shell",
    "busybox_export": "shell",
    "export": "shell",
    "declare": "shell",
    "env": "env",
    "printenv": "env",
    "env0": "env0",
    "job_log": "job-log",
    "xtrace": "xtrace",
    "glab_json": "gitlab-json",
    "gitlab_api": "gitlab-json",
    "gitlab_json": "gitlab-json",
    "api_json": "gitlab-json",
    "glab_env": "glab",
    "glab_export": "glab",
    **{name: name for name in FORMATS},
}


def run_dotenv_dialect(row: dict[str, Any]) -> None:
    for tool, wanted in row["expected"].items():
        reading = read(DIALECTS[tool], row["input"]["text"], row["input"].get("env", {}))
        compare_dialect(reading, tool, wanted, row["input"]["text"])


def compare_dialect(reading: Reading, tool: str, wanted: str | None, text: str) -> None:
    values = list(reading.values().values())
    names = [name.inherits for name in reading.names]
    if wanted is None:
        assert (values, names) == ([], [False])
    elif wanted == "absent":
        assert (values, names) == ([], [])
        assert not any(problem.refuses for problem in reading.problems)
    elif wanted == "inherits value from the caller":
        assert (values, names) == ([], [True])
    elif wanted.startswith("error"):
        said = " ".join(problem.message.lower() for problem in reading.problems)
        for word in wanted.lower().removeprefix("error").strip(": ").split():
            assert word in said
        assert reading.problems
        assert values == [] or any(problem.refuses for problem in reading.problems)
    elif values and isinstance(values[0], Unknown):
        assert tool == "bash"
        assert {"$", "`"} & set(text)
        assert wanted != text.strip().partition("=")[2]
    else:
        assert (values, names) == ([wanted], [])


def run_dump(row: dict[str, Any]) -> None:
    reading = read(DUMPS[row["input"]["format"]], row["input"]["text"])
    wanted = row["expected"]
    assert wanted.keys() <= {"variables", "unset", "masked", "partially_masked", "ambiguous", "problems"}
    if isinstance(wanted["variables"], list):
        for entry, fields in zip(reading.entries, wanted["variables"], strict=True):
            assert {name: field(entry, name) for name in fields} == fields
        return
    values = reading.values()
    assert {k: v for k, v in values.items() if isinstance(v, str)} == wanted["variables"]
    assert [k for k, v in values.items() if v is MASKED] == wanted.get("masked", [])
    assert [k for k, v in values.items() if v is PARTLY_MASKED] == wanted.get("partially_masked", [])
    assert [name.key for name in reading.names] == wanted.get("unset", [])
    told = " ".join(problem.message for problem in reading.problems)
    assert bool(told) == bool(wanted.get("ambiguous") or wanted.get("problems"))


def field(entry: Entry, name: str) -> Any:
    if name == "value":
        return entry.value if isinstance(entry.value, str) else None
    if name == "variable_type":
        return "file" if entry.file else "env_var"
    return getattr(entry, {"environment_scope": "scope"}.get(name, name))


def run_gitlab_ci_local_file(row: dict[str, Any]) -> None:
    given = row["input"]
    home = not given["path"].endswith(".gitlab-ci-local-variables.yml")
    reading = read("gitlab-ci-local-home" if home else "gitlab-ci-local", given["text"])
    if "environment" in given or "remote" in given:
        chosen = gcl_chosen(reading, given.get("environment"), given.get("remote", ""))
        assert {key: entry.value for key, entry in chosen.items()} == row["expected"]
        return
    found: dict[str, Any] = {}
    for entry in reading.entries:
        kind = "file" if entry.file else "variable"
        found.setdefault(entry.key, {"type": kind, "values": {}})["values"][entry.scope] = entry.value
    assert found == row["expected"]


def run_act_files(row: dict[str, Any]) -> None:
    given = dict(row["input"])
    argv, environ = given.pop("argv", []), given.pop("env", {})
    secrets = [argv[at + 1] for at, each in enumerate(argv) if each in {"-s", "--secret"}]
    variables = [argv[at + 1] for at, each in enumerate(argv) if each == "--var"]
    plain: dict[str, Any] = {}
    reading = Reading()
    for name, text in given.items():
        if name == ".vars":
            plain |= read("godotenv", text).values()
        else:
            reader = read_act_secrets_yaml if name.endswith((".yml", ".yaml")) else read_act_secrets
            reading = reader(text, environ)
    values, asked = of_command_line(secrets, environ)
    of_vars, asked_vars = of_command_line(variables, environ)
    found = {"secrets": {**reading.values(), **values}, "vars": plain | of_vars, "asked": asked + asked_vars}
    assert {name: found[name] for name in row["expected"]} == row["expected"]


def of_command_line(given: list[str], environ: dict[str, str]) -> tuple[dict[str, str], list[str]]:
    """What act takes from `-s` and `--var`, and what it asks for: dockpass reads act's files only."""
    values: dict[str, str] = {}
    for name, equals, value in (each.partition("=") for each in given):
        values[name.upper()] = value if equals else environ.get(name.upper(), "")
    asked = [name.upper() for name in given if "=" not in name and not values[name.upper()]]
    return {name: value for name, value in values.items() if name not in asked}, asked


def run_github_env_file(row: dict[str, Any]) -> None:
    assert read("github-env", row["input"]["text"]).values() == row["expected"]


def run_github_scope(row: dict[str, Any]) -> None:
    given = row["input"]
    environment = given.get("environment", {}) if given.get("job_environment") else {}
    assert in_scope(given.get("org", {}), given.get("repo", {}), environment) == row["expected"]


KINDS = {
    "dotenv_dialect": run_dotenv_dialect,
    "dump": run_dump,
    "gitlab_ci_local_file": run_gitlab_ci_local_file,
    "act_files": run_act_files,
    "github_env_file": run_github_env_file,
    "github_scope": run_github_scope,
}
FREE_KEYS = frozenset({"gitlab_ci_local_file", "github_env_file", "github_scope"})
"""Kinds whose `expected` has names of variables as its keys: another name is another variable."""
