"""A clone of a project: its files, its ref, and what its remote says of the GitLab project.

Files are read from the work tree, bounded, and only inside of it: a link that leads out is refused.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from urllib.parse import urlsplit

from dockpass.errors import UsageError
from dockpass.git import ask_git, ask_git_at_once
from dockpass.text import clean
from dockpass.textfile import read_text_file
from dockpass.variables.gitlab.model import Place, Ref, RefType, YamlError
from dockpass.variables.gitlab.predefined import Project

CI_FILE = ".gitlab-ci.yml"
MERGED = "GitLab's merged YAML"
MOST_REFS = 1000
REMOTE = ("remote", "get-url", "origin")
"""What git is asked for the address of the remote `origin`."""

_SCP_FORM = re.compile(r"(?:[^@/]+@)?(?P<host>\[[^\]]+\]|[^:/]+):(?P<path>.+)")


@dataclass(frozen=True)
class Clone:
    """The work tree at `root`; `ref` is None where no branch or tag is checked out.

    `remote` is the address of the remote `origin`, empty where there is none, and `project` what it says.
    `merged` is the configuration with all its includes, as GitLab merges it, where that is looked at instead
    of the file of the project's own, `own_file`.
    """

    root: Path
    environ: Mapping[str, str] = field(repr=False)
    ref: Ref | None
    project: Project
    remote: str = field(default="", repr=False)
    merged: str | None = None
    own_file: str = CI_FILE

    @property
    def ci_file(self) -> str:
        """The name of the configuration."""
        return self.own_file if self.merged is None else MERGED

    def read(self, path: str) -> str | None:
        """Return the text of a file; None where there is none. Raises `YamlError` where it cannot be read."""
        if self.merged is not None:
            return self.merged if path == MERGED else None
        full = self.root / path
        try:
            if not full.resolve().is_relative_to(self.root.resolve()):
                raise YamlError(f"{clean(path, 200)}: leads out of the repository", Place(path))
            if not full.is_file():
                return None
            return read_text_file(full, "ci-file", "")
        except UsageError as error:
            raise YamlError(error.message.rstrip("."), Place(path)) from error
        except OSError as error:
            raise YamlError(f"{clean(path, 200)}: {error.strerror}", Place(path)) from error

    @cached_property
    def _listed(self) -> tuple[str, ...] | None:
        listed = ask_git(
            self.root, self.environ, "ls-files", "-z", "--cached", "--others", "--exclude-standard"
        )
        return tuple(sorted(set(filter(None, listed.split("\0"))))) or None

    def refs(self) -> tuple[Ref, ...]:
        """Return the branches and tags that git knows here, the latest first; bounded."""
        listed = ask_git(
            self.root,
            self.environ,
            "for-each-ref",
            "--sort=-creatordate",
            f"--count={MOST_REFS}",
            "--format=%(refname)",
            "refs/heads",
            "refs/remotes/origin",
            "refs/tags",
        )
        return tuple(dict.fromkeys(filter(None, map(_known_ref, listed.splitlines()))))

    def paths(self) -> tuple[str, ...] | None:
        """Return the paths that git knows or would add, sorted; None where git does not tell."""
        return self._listed


def find_clone(cwd: Path, environ: Mapping[str, str], named: Path | None = None) -> Clone | None:
    """Return the clone around a directory, if its root holds a CI file; without git, `cwd` itself.

    `named` is a CI file of another name or place in it; None where it is not found or leads out.
    """
    top = ask_git(cwd, environ, "rev-parse", "--show-toplevel")
    root = Path(top) if top else cwd
    own_file = CI_FILE
    if named is not None:
        whole = named.parent.resolve() / named.name
        if not whole.is_relative_to(root.resolve()):
            return None
        own_file = str(whole.relative_to(root.resolve()))
    if not (root / own_file).is_file():
        return None
    if not top:
        return Clone(root, environ, None, project_of(""), own_file=own_file)
    remote, default, branch = ask_git_at_once(
        root,
        environ,
        REMOTE,
        ("symbolic-ref", "--short", "-q", "refs/remotes/origin/HEAD"),
        ("symbolic-ref", "--short", "-q", "HEAD"),
    )
    project = project_of(remote, default.partition("/")[2] or None)
    return Clone(root, environ, _ref(root, environ, branch), project, remote, own_file=own_file)


def _ref(root: Path, environ: Mapping[str, str], branch: str) -> Ref | None:
    if branch:
        return Ref(name=branch, protected=None)
    tag = ask_git(root, environ, "describe", "--tags", "--exact-match", "HEAD")
    return Ref(type=RefType.TAG, name=tag, protected=None) if tag else None


def _known_ref(refname: str) -> Ref | None:
    _, kind, name = (*refname.split("/", 2), "", "")[:3]
    if kind == "tags":
        return Ref(type=RefType.TAG, name=name, protected=None)
    name = name.removeprefix("origin/") if kind == "remotes" else name
    return None if name in {"", "HEAD"} else Ref(name=name, protected=None)


def project_of(remote: str, default_branch: str | None = None) -> Project:
    """Return the project that a remote's address names: `git@HOST:group/app.git` or a URL."""
    host, port, path = "", "443", ""
    if "://" in remote:
        try:
            parts = urlsplit(remote)
            host, path = parts.hostname or "", parts.path
            if parts.scheme in {"http", "https"} and parts.port:
                port = str(parts.port)
        except ValueError:
            host = ""
    elif scp := _SCP_FORM.fullmatch(remote):
        host, path = scp["host"], scp["path"]
    path = clean(path.strip("/").removesuffix(".git"), 255)
    return Project(
        path=path if host and path else None,
        host=clean(host, 255) or None,
        port=port,
        default_branch=default_branch,
    )
