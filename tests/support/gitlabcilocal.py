"""gitlab-ci-local as a judge: a project in a directory of its own, and what a job of it gets to see."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from formatjudges import NODE_MODULES
from needed import missing

VERSION = "4.73.0"
"""The newest that runs on node 20; the known differences are those of this version."""

VARIABLES = ".gitlab-ci-local-variables.yml"
_GIT = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null"}
_GIT |= {f"GIT_{who}_{what}": "x" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}


def program() -> list[str]:
    """Return the command; a missing part fails in CI and skips elsewhere, with the reason."""
    package = NODE_MODULES / "gitlab-ci-local/package.json"
    for needed in ("node", "rsync", "git"):
        if shutil.which(needed) is None:
            missing(f"{needed} is not installed")
    if not package.exists():
        missing("gitlab-ci-local is not installed")
    found = json.loads(package.read_text(encoding="utf-8"))["version"]
    if found != VERSION:
        missing(f"gitlab-ci-local is {found}, and has to be {VERSION}")
    return ["node", str(NODE_MODULES / ".bin/gitlab-ci-local")]


class LocalProject:
    """A project of gitlab-ci-local; each of its jobs prints its environment by `env -0 > NAME.out`."""

    def __init__(self, directory: Path, files: Mapping[str, str]) -> None:
        self.root = directory / "app"
        self.home = directory / "home"
        self.command = program()
        self.home.mkdir(parents=True)
        for name, text in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        (self.root / ".gitignore").write_text("*.out\n.gitlab-ci-local/\n")
        for words in (
            "init -q -b main .",
            "remote add origin git@gitlab.example.com:grp/sub/app.git",
            "add -A",
            "commit -qm x",
            "update-ref refs/remotes/origin/main HEAD",
            "symbolic-ref refs/remotes/origin/HEAD refs/remotes/origin/main",
        ):
            subprocess.run(["git", *words.split()], cwd=self.root, env=self._environ(), check=True)

    def run(self, *jobs: str) -> str:
        """Run jobs, and return what it says, without schema checks, which take most of its time."""
        ended = subprocess.run(
            [
                *self.command,
                *jobs,
                *("--home", str(self.home), "--no-json-schema-validation", "--shell-isolation=false"),
                *("--quiet", "--no-artifacts-to-source"),
            ],
            cwd=self.root,
            env=self._environ(),
            capture_output=True,
            text=True,
            timeout=60,
        )
        return ended.stdout + ended.stderr

    def listed(self) -> dict[str, str]:
        """Return each job's `when`; `never` means that the rules leave it out."""
        ended = subprocess.run(
            [*self.command, "--list-json", "--home", str(self.home), "--no-json-schema-validation"],
            cwd=self.root,
            env=self._environ(),
            capture_output=True,
            text=True,
            timeout=60,
        )
        return {each["name"]: each["when"] for each in json.loads(ended.stdout)}

    def seen(self, job: str) -> dict[str, str] | None:
        """Return the environment that a job printed; None where it did not run."""
        path = self.root / f"{job}.out"
        if not path.exists():
            return None
        records = path.read_bytes().decode("utf-8", "surrogateescape").split("\0")
        return dict(record.partition("=")[::2] for record in records if "=" in record)

    def _environ(self) -> dict[str, str]:
        return {"PATH": os.environ["PATH"], "HOME": str(self.home), **_GIT}
