"""Which GitLab project a clone belongs to, and at which address its server is asked.

The project is the one that a person names, else the git remote's, else that of the job whose variables are
set here. Nothing is sent to find out.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from dockpass.errors import UsageError
from dockpass.git import ask_git
from dockpass.references.address import host_name, is_loopback
from dockpass.references.reference import is_host
from dockpass.text import clean
from dockpass.variables.clone import REMOTE, project_of
from dockpass.variables.gitlab.model import Ref, RefType

SERVER = "CI_SERVER_URL"
PROJECT = "CI_PROJECT_PATH"

_NAME = r"[A-Za-z0-9_.][A-Za-z0-9_.-]*"
_PATH = re.compile(rf"{_NAME}(?:/{_NAME})+", re.ASCII)
_NUMBER = re.compile(r"[1-9][0-9]{0,15}", re.ASCII)
_FOLDER = re.compile(rf"(?:/{_NAME})*", re.ASCII)
_NAME_IT = "Name it: --project https://gitlab.example.com/GROUP/PROJECT."


@dataclass(frozen=True, slots=True)
class GitlabPlace:
    """A project on a server; `project` is `group/app` or a number.

    `url` is `scheme://host[:port][/folder]`, in lower case but for the folder: https, or http with this
    machine itself. `because` says what named it.
    """

    url: str
    project: str
    because: str

    @property
    def host(self) -> str:
        """`host[:port]`."""
        return urlsplit(self.url).netloc

    @property
    def api(self) -> str:
        """Where the requests of version 4 of the API begin."""
        return f"{self.url}/api/v4"

    @property
    def graphql(self) -> str:
        """Where queries go."""
        return f"{self.url}/api/graphql"

    @property
    def is_by_number(self) -> bool:
        """Whether the project is named by its number, which says nothing of its path."""
        return self.project.isdecimal()

    @property
    def key(self) -> str:
        """What names this project among all: GitLab does not tell capitals from small letters in paths."""
        return f"{self.url} {self.project.lower()}"


def origin_of(cwd: Path, environ: Mapping[str, str]) -> str:
    """Return the address of the git remote `origin`; empty where there is none."""
    return ask_git(cwd, environ, *REMOTE)


def ref_of_job(environ: Mapping[str, str]) -> Ref | None:
    """Return the ref that the variables of a job name, for a work tree with no branch checked out."""
    if environ.get("CI_COMMIT_TAG"):
        return Ref(type=RefType.TAG, name=environ["CI_COMMIT_TAG"], protected=None)
    branch = environ.get("CI_COMMIT_BRANCH")
    return Ref(name=branch, protected=None) if branch else None


def find_place(asked: str | None, remote: str, environ: Mapping[str, str]) -> GitlabPlace:
    """Return the project to ask for; raises `UsageError` where there is none, or its address is unusable.

    `asked` is a path, a number or an address; `remote` is the address of a git remote, or empty.
    """
    asked = (asked or "").strip()
    if "://" in asked:
        url, path = _split(asked, environ)
        return GitlabPlace(url, _require_path(path), "--project names it")
    server = _server_of_remote(remote, environ)
    if asked:
        url = server or _of_environment(environ)
        if not url:
            raise UsageError(
                "gitlab-server-unknown",
                f"Which GitLab server has the project {clean(asked, 200)} is not known here.",
                "Give its whole address: --project https://gitlab.example.com/GROUP/PROJECT.",
            )
        because = "the git remote origin" if server else SERVER
        return GitlabPlace(url, _require_path(asked), f"--project names it, on the server of {because}")
    if server and (found := project_of(remote).path):
        folder = urlsplit(server).path.strip("/")
        project = found.removeprefix(f"{folder}/") if folder else found
        return GitlabPlace(server, _require_path(project), "the git remote origin names it")
    if environ.get(SERVER) and environ.get(PROJECT):
        return GitlabPlace(
            _of_environment(environ), _require_path(environ[PROJECT]), f"{SERVER} and {PROJECT} name it"
        )
    raise UsageError(
        "gitlab-project-unknown", "No git remote here names a project on a GitLab server.", _NAME_IT
    )


def known_place(asked: str | None, remote: str, environ: Mapping[str, str]) -> GitlabPlace | None:
    """Return the same, or None where nothing names a project; raises for one that a person named wrongly."""
    try:
        return find_place(asked, remote, environ)
    except UsageError:
        if asked:
            raise
        return None


def _server_of_remote(remote: str, environ: Mapping[str, str]) -> str:
    """Return the server of a remote; `CI_SERVER_URL` tells more of it where it is of the same host."""
    host = (project_of(remote).host or "").lower()
    if not host:
        return ""
    named = environ.get(SERVER, "")
    if named and host_name(named) == host:
        return _of_environment(environ)
    if re.match(r"https?://", remote):
        parts = urlsplit(remote)
        return _checked(parts.scheme, parts.netloc.rpartition("@")[2])
    return _checked("https", host)


def _of_environment(environ: Mapping[str, str]) -> str:
    named = environ.get(SERVER, "")
    if not named:
        return ""
    try:
        parts = urlsplit(named.strip())
    except ValueError:
        parts = urlsplit("")
    folder = parts.path.rstrip("/")
    if parts.scheme not in {"https", "http"} or not _FOLDER.fullmatch(folder) or ".." in folder:
        raise _no_server(f"{SERVER} is not the address of a GitLab server: {clean(named, 200)}")
    return _checked(parts.scheme, parts.netloc.rpartition("@")[2]) + folder


def _split(address: str, environ: Mapping[str, str]) -> tuple[str, str]:
    """Split the address of a project; only `CI_SERVER_URL` can tell that a server lies in a folder."""
    try:
        parts = urlsplit(address)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in {"https", "http"}:
        raise _no_project(f"--project: {clean(address, 200)} is not the address of a project", _NAME_IT)
    url = _checked(parts.scheme, parts.netloc.rpartition("@")[2])
    path = parts.path.partition("/-/")[0].strip("/").removesuffix(".git")
    own = _of_environment(environ)
    folder = own.removeprefix(url).strip("/") if own.startswith(f"{url}/") else ""
    if folder and path.startswith(f"{folder}/"):
        return own, path.removeprefix(f"{folder}/")
    return url, path


def _checked(scheme: str, host: str) -> str:
    host = host.lower()
    if not is_host(host):
        raise _no_server(f"“{clean(host, 200)}” is not a host name")
    if scheme == "http" and not is_loopback(host):
        raise UsageError(
            "gitlab-plain-http",
            f"{clean(host)} would be asked by plain http, and a token is sent over https only.",
            f"If it speaks https: --project https://{clean(host.partition(':')[0])}/GROUP/PROJECT.",
        )
    usual = ":443" if scheme == "https" else ":80"
    return f"{scheme}://{host.removesuffix(usual)}"


def _require_path(path: str) -> str:
    if _NUMBER.fullmatch(path) or (
        len(path) <= 1024 and _PATH.fullmatch(path) and not set(path.split("/")) & {".", ".."}
    ):
        return path
    why = f"{clean(path, 200) or 'An empty text'} is not the path of a project"
    raise _no_project(why, "A path has a group and a name: GROUP/PROJECT.")


def _no_server(why: str) -> UsageError:
    return UsageError("gitlab-server-invalid", f"{why}.", _NAME_IT)


def _no_project(why: str, hint: str) -> UsageError:
    return UsageError("gitlab-project-invalid", f"{why}.", hint)
