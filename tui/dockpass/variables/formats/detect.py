"""Which format a text is probably in, and why: by the name of its file and by what stands in it."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from itertools import islice

from dockpass.variables.formats.docker import taken_by_docker
from dockpass.variables.formats.gitlab_json import first_row
from dockpass.variables.formats.job_log import SECTION, STAMP
from dockpass.variables.formats.shellword import is_shell_line
from dockpass.variables.formats.xtrace import TRACED

_LOOKED_AT = 1 << 20
_ASSIGNS = re.compile(r"[A-Za-z_][\w.-]*[ \t]*=", re.ASCII)
_HEREDOC = re.compile(r"^[A-Za-z_]\w*<<(\S+)\r?$(?s:.*?)^\1\r?$", re.MULTILINE | re.ASCII)
_RECORD = re.compile(r"[A-Za-z_][^=\0]*=")
_TOP_VARIABLES = re.compile(r"^(?:variables|\S[^:\n]*):[ \t]*$", re.MULTILINE)
_GLAB = re.compile(r"^Exporting variables from ", re.MULTILINE)
_ANSI = re.compile(r"\x1b\[0?K|\x1b\[0;m|\x1b\[[0-9;]*m")


@dataclass(frozen=True, slots=True)
class Proposal:
    """The name of a format, and the reason in words that follow “because”."""

    format: str
    because: str


def propose(text: str, name: str = "", beside: Collection[str] = ()) -> Proposal:
    """Propose a format for a text; `name` is its file's path, `beside` what else lies in that directory."""
    start = text[:_LOOKED_AT]
    return (
        _by_exact_content(start)
        or _by_name(name, start, beside)
        or _by_lines(start)
        or Proposal("docker", "each line is one that docker takes")
    )


def _by_exact_content(text: str) -> Proposal | None:
    if "\0" in text and _RECORD.match(text):
        return Proposal("env0", "NUL characters end its variables")
    row = first_row(text) if text.lstrip("\ufeff \t\r\n")[:1] in {"[", "{"} or _GLAB.match(text) else None
    if row is not None and "key" in row:
        return Proposal("gitlab-json", "it is JSON with the variables of GitLab's API")
    if row is not None and "name" in row:
        return Proposal("gh-json", "it is JSON as gh prints it")
    if STAMP.search(text):
        return Proposal("job-log", "its lines begin with a runner's timestamps")
    if SECTION.search(text):
        return Proposal("job-log", "it has the section marks of a job log")
    if _GLAB.match(text):
        return Proposal("glab", "it begins with the headline of glab")
    if _ANSI.search(text) and re.search(r"(?m)^(?:\x1b\[[0-9;]*[mK])*(?:\$ |\++ )", text):
        return Proposal("job-log", "it has colours and commands as a job log has")
    if TRACED.search(text):
        return Proposal("xtrace", "its lines begin with + as those of `set -x`")
    if "<<" in text and _HEREDOC.search(text):
        return Proposal("github-env", "it has a value between NAME<<EOF and EOF")
    return None


def _by_name(path: str, text: str, beside: Collection[str]) -> Proposal | None:
    name = path.replace("\\", "/").rpartition("/")[2]
    because = f"the file is named {name}"
    if name == ".gitlab-ci-local-variables.yml":
        return Proposal("gitlab-ci-local", because)
    if path.replace("\\", "/").endswith(".gitlab-ci-local/variables.yml"):
        return Proposal("gitlab-ci-local-home", because)
    if name == ".secrets":
        return Proposal("act-secrets", because)
    if name in {".vars", ".input"}:
        return Proposal("godotenv", because)
    if name.endswith((".yml", ".yaml")):
        if _TOP_VARIABLES.search(text):
            return Proposal("gitlab-yaml", f"{because} and it has sections")
        return Proposal("flat-yaml", f"{because} and it is a flat map")
    if name == ".envrc":
        return Proposal("shell", because)
    if name.startswith(".env"):
        return _by_neighbours(beside)
    return None


def _by_neighbours(beside: Collection[str]) -> Proposal | None:
    if {"compose.yaml", "compose.yml", "docker-compose.yml", "docker-compose.yaml"} & set(beside):
        return Proposal("compose", "a Compose file lies beside it")
    if "package.json" in beside:
        return Proposal("node-dotenv", "package.json lies beside it")
    if {"pyproject.toml", "requirements.txt", "manage.py"} & set(beside):
        return Proposal("python-dotenv", "a Python project lies beside it")
    if "go.mod" in beside:
        return Proposal("godotenv", "go.mod lies beside it")
    return None


def _by_lines(text: str) -> Proposal | None:
    lines = [line.removesuffix("\r") for line in islice(text.split("\n"), 100_000)]
    if all(map(taken_by_docker, lines)):
        return None
    if re.match(r"\s*variables:[ \t]*(?:#.*)?$", text, re.MULTILINE):
        return Proposal("gitlab-yaml", "it has `variables:`")
    first = next((line for line in lines if line.strip() and not line.lstrip().startswith("#")), "")
    if is_shell_line(first.lstrip()) or (_ASSIGNS.match(first) and any(map(is_shell_line, lines))):
        return Proposal("shell", "it has lines with export or declare")
    return Proposal("env", "docker refuses its lines, and `env` prints such")
