"""Every format by its name, with its reader and one sentence on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from importlib import import_module
from pathlib import Path
from typing import TypeAlias

from dockpass.errors import UsageError
from dockpass.text import clean
from dockpass.textfile import read_bytes_of
from dockpass.variables.formats.reading import MOST_VARIABLES, Problem, Reading, TooManyVariables, decode

MOST_CHARACTERS = 16 << 20
"""A longer text is read up to here, and that is told."""

REPLACED = "\ufffd"

Reader: TypeAlias = Callable[[str, Mapping[str, str]], Reading]


@dataclass(frozen=True, slots=True)
class Format:
    """A format: its name on the command line, what it is, and its reader as `module.function`.

    A reader is loaded when it is used: each brings the expressions of its dialect.
    """

    name: str
    means: str
    reader: str


FORMATS: Mapping[str, Format] = {
    each.name: each
    for each in (
        Format("docker", "docker's `--env-file`: what follows `=` is the value", "docker.read_docker"),
        Format("compose", "Compose's `.env` and `env_file`", "compose.read_compose"),
        Format("python-dotenv", "`.env` as python-dotenv reads it", "python_dotenv.read_python_dotenv"),
        Format("node-dotenv", "`.env` as node's dotenv reads it", "node_dotenv.read_node_dotenv"),
        Format("godotenv", "`.env` as godotenv reads it", "godotenv.read_godotenv"),
        Format(
            "shell",
            "literal assignments of a shell, `export -p`, `declare -x`; nothing is run",
            "shell.read_shell",
        ),
        Format("env", "the output of `env` or `printenv`", "env_output.read_env"),
        Format("env0", "the output of `env -0`", "env_output.read_env0"),
        Format("xtrace", "the output of `set -x` or CI_DEBUG_TRACE", "xtrace.read_xtrace"),
        Format("job-log", "a job's log", "job_log.read_job_log"),
        Format(
            "gitlab-report",
            "a dotenv report of GitLab's (`artifacts:reports:dotenv`)",
            "gitlab_report.read_gitlab_report",
        ),
        Format(
            "gitlab-json",
            "variables of a project, group or instance as GitLab's API or `glab variable export` gives them",
            "gitlab_json.read_gitlab_json",
        ),
        Format("glab", "`glab variable export -F env` or `-F export`", "env_output.read_glab"),
        Format("gitlab-yaml", "the `variables:` of a YAML file", "yaml_files.read_yaml_variables"),
        Format("gitlab-ci-local", "gitlab-ci-local's file of a project", "yaml_files.read_gcl_project"),
        Format(
            "gitlab-ci-local-home",
            "gitlab-ci-local's `variables.yml` of the home",
            "yaml_files.read_gcl_home",
        ),
        Format("act-secrets", "act's `.secrets`", "act.read_act_secrets"),
        Format("act-secrets-yaml", "act's secrets in a YAML file", "act.read_act_secrets_yaml"),
        Format("flat-yaml", "a flat YAML map, such as act's variables", "yaml_files.read_flat_yaml"),
        Format("github-env", "a file that GITHUB_ENV names", "github.read_github_env"),
        Format(
            "gh-json",
            "`gh secret list --json` and `gh variable list --json`",
            "gitlab_json.read_gh_json",
        ),
    )
}


def read_variables_file(path: Path, shown: str, hint: str) -> str:
    """Return the text of a file with variables; raises `UsageError`, with `shown` as the file's name."""
    raw = read_bytes_of(path, "variables-file", hint, MOST_CHARACTERS)
    if len(raw) > MOST_CHARACTERS:
        raise UsageError("variables-file-large", f"{shown} is larger than 16 MiB.", hint)
    return decode(raw)[0]


def known_format(name: str) -> str:
    """Return the name of a format; raises `UsageError` for one that there is not."""
    if name not in FORMATS:
        raise UsageError(
            "env-format",
            f"--env-format {clean(name, 80)}: there is no such format.",
            f"Give one of: {', '.join(FORMATS)}.",
        )
    return name


def no_variables(shown: str, format_: str, hint: str) -> UsageError:
    """Return the error for a text in which no variable was found."""
    return UsageError("no-variables", f"{shown} has no variables, read as {format_}.", hint)


def read(name: str, text: str, environ: Mapping[str, str] | None = None) -> Reading:
    """Read a text in a format; `environ` is where references and names alone take values from.

    Never raises for a text. Raises `KeyError` for an unknown name.
    """
    told: list[Problem] = []
    if len(text) > MOST_CHARACTERS:
        text = text[:MOST_CHARACTERS]
        told.append(Problem(0, "The text is longer than 16 million characters; the rest was not read."))
    if "\0" in text and name != "env0":
        line = text.count("\n", 0, text.index("\0")) + 1
        told.append(Problem(line, "The line holds a NUL character, which is no part of a text."))
        text = text.replace("\0", "")
    if REPLACED in text:
        line = text.count("\n", 0, text.index(REPLACED)) + 1
        told.append(
            Problem(line, "The line holds �, which stands for bytes that were no UTF-8 and are lost.")
        )
    try:
        reading = _reader(FORMATS[name])(text, environ or {})
    except TooManyVariables as many:
        reading = many.found.reading()
        words = f"There are more than {MOST_VARIABLES:,} variables; the rest was not read."
        told.append(Problem(many.line, words))
    return _within(replace(reading, problems=(*told, *reading.problems)), text)


def _reader(format_: Format) -> Reader:
    module, _, function = format_.reader.partition(".")
    reader: Reader = getattr(import_module(f"dockpass.variables.formats.{module}"), function)
    return reader


def _within(reading: Reading, text: str) -> Reading:
    """Let no line lie behind the last: YAML counts more ends of lines than an editor does."""
    last = text.count("\n") + text.count("\r") + 1
    return Reading(
        tuple(each if each.line <= last else replace(each, line=last) for each in reading.entries),
        tuple(each if each.line <= last else replace(each, line=last) for each in reading.names),
        tuple(each if each.line <= last else replace(each, line=last) for each in reading.problems),
    )
