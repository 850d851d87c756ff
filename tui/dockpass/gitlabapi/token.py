"""The person's own token for GitLab's API: a reference to it, `GITLAB_TOKEN`, or the login of glab.

What is no token for this API is refused before anything is sent: a job's token can read no variables, and
another service's token is none of GitLab's business.
"""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from dockpass.auth.ci import GITLAB
from dockpass.dockerconfig.helpers import find_program, helper_environ, run_bounded
from dockpass.errors import UsageError
from dockpass.secret_source import parse_source, path_of
from dockpass.secrets import Secret
from dockpass.text import clean
from dockpass.textfile import read_bytes_of
from dockpass.variables.gitlabplace import GitlabPlace
from dockpass.variables.token_kind import token_kind

VARIABLE = "GITLAB_TOKEN"
FORMS = "env:NAME, file:PATH, cmd:COMMAND or prompt"
LONGEST = 4096

_OF_JOBS = (GITLAB.token, GITLAB.registry_password)
_MAC = "Library/Application Support"
_NEEDED = (
    "Use a personal, project or group access token with the scope read_api; the project's variables need the"
    " role Maintainer."
)
_LARGEST_CONFIG = 1 << 20

Prompt = Callable[[], str]
"""Asks the person for the token, without showing it."""


@dataclass(frozen=True, slots=True)
class Token:
    """A token and what gave it, in clean words."""

    secret: Secret
    origin: str


def find_token(
    reference: str | None,
    place: GitlabPlace,
    environ: Mapping[str, str],
    home: Path,
    cwd: Path,
    prompt: Prompt | None = None,
) -> Token:
    """Return the token for a server; raises `UsageError` where there is none, or none that can be used.

    `prompt` is None where nobody can be asked.
    """
    if reference is not None:
        found = _referenced(reference, environ, home, cwd, prompt)
    elif environ.get(VARIABLE):
        found = Token(Secret(environ[VARIABLE].strip()), VARIABLE)
    else:
        found = _of_glab(place, environ, home)
    _require_usable(found, environ)
    return found


def _referenced(
    reference: str, environ: Mapping[str, str], home: Path, cwd: Path, prompt: Prompt | None
) -> Token:
    if reference == "prompt":
        if prompt is None:
            raise UsageError(
                "gitlab-token-prompt",
                "Cannot prompt for the token: this is not a terminal.",
                f"Give {FORMS}.",
            )
        return Token(Secret(prompt().strip()), "what you typed")
    source = parse_source(reference, ("env", "file", "cmd"))
    if source is None:
        # What was typed may be the token itself, so none of it is shown.
        raise UsageError(
            "gitlab-token-reference",
            "--token-from says where the token is; it is not the token itself.",
            f"Write {FORMS}.",
        )
    kind, rest = source
    if kind == "env":
        if not environ.get(rest):
            raise _no_token(f"The variable {clean(rest, 80)} is not set.", "Set it, or name another.")
        return Token(Secret(environ[rest].strip()), f"the variable {clean(rest, 80)}")
    if kind == "file":
        return _of_file(rest, home, cwd)
    return _of_command(rest, environ)


def _of_file(name: str, home: Path, cwd: Path) -> Token:
    path = path_of(name, home, cwd)
    shown = clean(str(path), 200)
    raw = read_bytes_of(path, "token-file", "Name a file that holds the token alone.", LONGEST)
    return Token(Secret(_decoded(raw, shown)), f"the file {shown}")


def _of_command(line: str, environ: Mapping[str, str]) -> Token:
    try:
        words = shlex.split(line)
    except ValueError:
        words = []
    program = None
    if words:
        program = Path(words[0]) if words[0].startswith("/") else find_program(words[0], environ)
    if program is None:
        raise UsageError(
            "gitlab-token-command",
            "The command of --token-from was not run: its program was not found in PATH.",
            "Write for example --token-from 'cmd:pass show gitlab'. No shell reads it.",
        )
    answer = run_bounded([str(program), *words[1:]], b"", helper_environ(program.name, environ))
    problem = answer.problem or (f"it ended with status {answer.status}" if answer.status else "")
    if problem:
        raise UsageError(
            "gitlab-token-command",
            f"{clean(program.name, 80)} gave no token: {problem}.",
            "Try the command by itself; what it prints is not shown here.",
        )
    return Token(
        Secret(_decoded(answer.out, clean(program.name, 80))), f"the command {clean(program.name, 80)}"
    )


def _decoded(raw: bytes, source: str) -> str:
    try:
        return raw.decode("ascii").strip()
    except UnicodeDecodeError:
        raise _unusable(source, "is not plain text") from None


def _of_glab(place: GitlabPlace, environ: Mapping[str, str], home: Path) -> Token:
    for path in _configs_of_glab(environ, home):
        if secret := _token_in(path, place):
            return Token(Secret(secret), f"glab's login in {clean(str(path), 200)}")
    raise _no_token(
        f"There is no token for {clean(place.host, 200)}: {VARIABLE} is not set, and glab's configuration"
        " has no login for it.",
        f"Set {VARIABLE}, or name another place with --token-from: {FORMS}. Where glab keeps its token in the"
        " keyring, --token-from 'cmd:glab config get token --host HOST' reads it.",
    )


def _configs_of_glab(environ: Mapping[str, str], home: Path) -> list[Path]:
    if environ.get("GLAB_CONFIG_DIR"):
        return [Path(environ["GLAB_CONFIG_DIR"]) / "config.yml"]
    moved = environ.get("XDG_CONFIG_HOME", "")
    places = [Path(moved) if moved.startswith("/") else home / ".config"]
    if sys.platform == "darwin":
        places.append(home / _MAC)
    return [place / "glab-cli" / "config.yml" for place in places]


def _token_in(path: Path, place: GitlabPlace) -> str:
    """Return the token that glab keeps for exactly this host; glab may write it with the tag `!!null`."""
    try:
        raw = read_bytes_of(path, "glab-config", "", _LARGEST_CONFIG)
        if len(raw) > _LARGEST_CONFIG:
            return ""
        root = yaml.compose(raw.decode("utf-8"), Loader=yaml.SafeLoader)
    except (UsageError, ValueError, yaml.YAMLError, RecursionError):
        return ""
    for host, settings in _entries(_child(root, "hosts")):
        own = {host.lower(), _scalar(_child(settings, "api_host")).lower()}
        token = _scalar(_child(settings, "token"))
        if place.host in own and token:
            return token
    return ""


def _entries(node: yaml.Node | None) -> list[tuple[str, yaml.Node]]:
    if not isinstance(node, yaml.MappingNode):
        return []
    return [(str(key.value), value) for key, value in node.value if isinstance(key, yaml.ScalarNode)]


def _child(node: yaml.Node | None, name: str) -> yaml.Node | None:
    return next((value for key, value in _entries(node) if key == name), None)


def _scalar(node: yaml.Node | None) -> str:
    return str(node.value).strip() if isinstance(node, yaml.ScalarNode) else ""


def _no_token(why: str, hint: str) -> UsageError:
    return UsageError("gitlab-token-missing", why, hint)


def _unusable(source: str, why: str) -> UsageError:
    return UsageError("gitlab-token-unusable", f"What {source} holds is not a token: it {why}.", _NEEDED)


def _require_usable(token: Token, environ: Mapping[str, str]) -> None:
    value = token.secret.reveal()
    if not value or len(value) > LONGEST or not value.isascii() or not value.isprintable() or " " in value:
        raise _unusable(token.origin, "is empty, too long, or has invalid characters")
    origin = f"{token.origin[:1].upper()}{token.origin[1:]}"
    if value.startswith("glcbt-") or any(value == environ.get(name) for name in _OF_JOBS):
        raise UsageError(
            "gitlab-job-token",
            f"{origin} holds a job token. GitLab's API shows no variables to job tokens, so it was not sent.",
            _NEEDED,
        )
    kind = token_kind(token.secret)
    if kind and not value.startswith(("glpat-", "eyJ")):
        raise UsageError(
            "gitlab-token-kind",
            f"{origin} holds a {kind}, which cannot read GitLab's API. It was not sent.",
            _NEEDED,
        )
