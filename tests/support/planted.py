"""A machine on which every input of the program holds a secret of its own, and the program run in this process."""

from __future__ import annotations

import contextlib
import io
import json
import logging
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from canaries import Aviary

from dockpass.cli.main import run
from dockpass.secret_names import is_secret_name
from dockpass.variables.catalogue import CATALOGUE, LISTED_WHEN_SET

HELPER = """#!/bin/sh
read -r key
printf '%s\\n' "$0 $*" >> "{log}"
env >> "{log}"
{body}
"""


@dataclass(frozen=True)
class Ended:
    """What a command left: its exit status and both outputs, those of its children too."""

    status: int
    out: str
    err: str

    @property
    def all(self) -> str:
        return f"{self.out}\n{self.err}"


@dataclass
class Planted:
    """`aviary` knows every secret; `at` is a registry on loopback that the logins are for."""

    root: Path
    monkeypatch: pytest.MonkeyPatch
    capture: pytest.CaptureFixture[str]
    at: str = "127.0.0.1:1"
    aviary: Aviary = field(default_factory=Aviary)
    environ: dict[str, str] = field(default_factory=dict)
    children: list[tuple[Sequence[str], Mapping[str, str]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        for name in ("home/.docker", "work", "bin", "state"):
            (self.root / name).mkdir(parents=True, mode=0o700)
        shared = Path("/dev/shm")
        self.runtime = Path(tempfile.mkdtemp(prefix="canary-", dir=shared if shared.is_dir() else None))
        self._plant_variables()
        self._plant_docker_config()
        self._plant_files()
        self._plant_scenarios()
        self._before = self._files()
        self._watch_children()

    @property
    def work(self) -> Path:
        return self.root / "work"

    @property
    def helper_log(self) -> Path:
        return self.root / "helpers.log"

    def _plant_variables(self) -> None:
        secret = {found.name for found in (*CATALOGUE, *LISTED_WHEN_SET) if found.secret and not found.option}
        others = {"MY_APP_TOKEN", "AWS_SECRET_ACCESS_KEY", "DATABASE_URL", "NPM_AUTH", "SIGNING_KEY"}
        self.environ = {name: self.aviary(f"variable {name}").value for name in sorted(secret | others)}
        assert all(map(is_secret_name, self.environ))
        proxy = self.aviary("the proxy's password").in_address
        clone = self.aviary("CI_REPOSITORY_URL")
        self.environ |= {
            "PATH": f"{self.root / 'bin'}{os.pathsep}{os.environ['PATH']}",
            "HOME": str(self.root / "home"),
            "XDG_RUNTIME_DIR": str(self.runtime),
            "DOCKPASS_STATE": str(self.root / "state"),
            "CI_REPOSITORY_URL": f"https://gitlab-ci-token:{clone.in_address}@gitlab.example/web/app.git",
            "HTTPS_PROXY": f"http://someone:{proxy}@127.0.0.1:9",
            "HTTP_PROXY": f"http://someone:{proxy}@127.0.0.1:9",
            "CI_REGISTRY": self.at,
            "CI_REGISTRY_IMAGE": f"{self.at}/web/app",
            "CI_COMMIT_REF_NAME": "main",
            "DOCKER_AUTH_CONFIG": json.dumps(
                {"auths": {"variable.example": {"auth": self.aviary("DOCKER_AUTH_CONFIG").auth()}}}
            ),
        }

    def _plant_docker_config(self) -> None:
        key = self.aviary("the userinfo of a key").in_address
        proxy = self.aviary("a proxy in config.json").in_address
        self.docker_config = {
            "auths": {
                "auth.example": {"auth": self.aviary("auth").auth()},
                "bare.example": {"auth": self.aviary("auth without user").auth("")},
                "broken.example": {"auth": f"{self.aviary('auth that is no Base64').value}!"},
                "pair.example": {"username": "robot", "password": self.aviary("password").value},
                "identity.example": {"identitytoken": self.aviary("identitytoken").value},
                "token.example": {"registrytoken": self.aviary("registrytoken").value},
                f"https://robot:{key}@key.example/v1/": {"auth": self.aviary("auth of a key").auth()},
                f"robot:{key}@bare.key.example": {},
            },
            "credHelpers": {"helper.example": "canary", "failing.example": "failing"},
            "HttpHeaders": {"X-Meta-Token": self.aviary("HttpHeaders").value},
            "proxies": {"default": {"httpProxy": f"http://someone:{proxy}@proxy.example:3128"}},
        }
        self.write_docker_config()
        answer = json.dumps({"Username": "robot", "Secret": self.aviary("a helper's answer").value})
        loud = self.aviary("what a working helper says on stderr").value
        failing = json.dumps({"Username": "robot", "Secret": self.aviary("a failing helper's answer").value})
        self._helper("canary", f"cat <<'END'\n{answer}\nEND\ncat >&2 <<'END'\n{loud}\nEND")
        self._helper("failing", f"echo warning: low entropy; cat <<'END'\n{failing}\nEND\nexit 1")

    def write_docker_config(self) -> None:
        """Write the config as `docker_config` is now."""
        path = self.root / "home/.docker/config.json"
        path.write_text(json.dumps(self.docker_config))
        path.chmod(0o600)
        self._before = {**getattr(self, "_before", {}), path: path.read_text()}

    def _helper(self, name: str, body: str) -> None:
        program = self.root / "bin" / f"docker-credential-{name}"
        program.write_text(HELPER.format(log=self.helper_log, body=body))
        program.chmod(0o700)

    def _plant_files(self) -> None:
        argument, inside = self.aviary("ARG of a Dockerfile"), self.aviary("ENV of a Dockerfile", plain=True)
        url, user = self.aviary("an address in a Dockerfile"), self.aviary("userinfo in FROM", plain=True)
        buildable = (
            f'ARG NPM_TOKEN="{argument.value.replace(chr(34), "")}"\nFROM {self.at}/web/base:3\n'
            f"ENV API_TOKEN={inside.value}\n"
        )
        (self.work / "Dockerfile").write_text(
            f"{buildable}ADD https://robot:{url.in_address}@files.example/x /x\n"
        )
        (self.work / "Dockerfile.base").write_text(buildable)  # also by the embedded builder
        (self.work / "Dockerfile.user").write_text(f"FROM robot:{user.value}@{self.at}/web/base:3\n")
        (self.work / "werf.yaml").write_text(
            "project: app\nconfigVersion: 1\n---\nimage: app\ndockerfile: Dockerfile\nargs:\n"
            f"  NPM_TOKEN: {json.dumps(self.aviary('an argument in werf.yaml').value)}\n"
        )
        remote = self.aviary("the userinfo of a git remote")
        subprocess.run(["git", "init", "-q", "-b", "main", str(self.work)], check=True)
        subprocess.run(
            [
                "git",
                "remote",
                "add",
                "origin",
                f"https://robot:{remote.in_address}@gitlab.example/web/app.git",
            ],
            cwd=self.work,
            check=True,
        )
        value, scripted = (
            self.aviary("a variable in .gitlab-ci.yml"),
            self.aviary("an address in .gitlab-ci.yml"),
        )
        (self.work / ".gitlab-ci.yml").write_text(
            f"variables:\n  DEPLOY_TOKEN: {json.dumps(value.value)}\n"
            f"  MIRROR: https://robot:{scripted.in_address}@mirror.example/\n"
            "publish:\n  variables: {COPY: $DEPLOY_TOKEN, BOTH: $DEPLOY_TOKEN-$MIRROR}\n"
            "  rules:\n    - if: $DEPLOY_TOKEN =~ /^x/\n    - if: $MIRROR\n  script: [docker push $COPY]\n"
        )
        masked = self.aviary("a masked variable of the project").value
        (self.work / "settings.json").write_text(
            json.dumps([{"key": "PLAIN_NAME", "value": masked, "masked": True}])
        )

    def _plant_scenarios(self) -> None:
        (self.work / "token").write_text(self.aviary("a file that a scenario names").value)
        printed = self.aviary("a command that a scenario names").value
        program = self.root / "bin" / "print-token"
        program.write_text(f"#!/bin/sh\ncat <<'END'\n{printed}\nEND\necho {printed} >&2\n")
        program.chmod(0o700)
        references = {
            "BY_ENV": '{ env = "MY_APP_TOKEN" }',
            "BY_FILE": '{ file = "token" }',
            "BY_COMMAND": '{ command = ["print-token"] }',
            "BY_KEYRING": '{ keyring = ["a", "b"] }',
            "BY_PROMPT": "{ prompt = true }",
            "BY_GITLAB": '{ gitlab = "web/app", key = "A" }',
        }
        variables = "".join(
            f'[[variable]]\nkey = "{key}"\nsecret = {secret}\n' for key, secret in references.items()
        )
        start = (
            'schema = 1\ncommand = "push"\njob = "publish"\ncontext = { ref = "main", protected = true }\n'
        )
        source = '[[source]]\nkind = "gitlab-api-json"\npath = "settings.json"\n'
        expect = (
            '[expect]\nmethod = "ambient"\nusername = "nobody"\nfindings = []\nvariables_absent = ["COPY"]\n'
        )
        (self.work / "scenario.toml").write_text(f"{start}{source}{variables}{expect}")
        texts = [json.dumps(self.aviary(f"a value in a scenario {n}", plain=True).value) for n in range(6)]
        (self.work / "bad.toml").write_text(
            f"schema = 1\nplatform = {texts[0]}\n[context]\nref_type = {texts[1]}\n[[variable]]\n"
            f'key = "API_TOKEN"\nvalue = {texts[2]}\n[[variable]]\nkey = "A"\nsecret = {texts[3]}\n'
        )
        (self.work / "worse.toml").write_text(f"schema = 1\nname = {texts[4]} {texts[4]}\n")
        (self.work / "plain.toml").write_text(
            f'schema = 1\n[[variable]]\nkey = "API_TOKEN"\nvalue = {texts[5]}\nallow_plain = true\n'
        )

    def _watch_children(self) -> None:
        planted, begin = self, subprocess.Popen.__init__

        def watched(self: Any, args: Any, *more: Any, **options: Any) -> None:
            environ = options.get("env")
            planted.children.append((list(args), dict(os.environ if environ is None else environ)))
            begin(self, args, *more, **options)

        self.monkeypatch.setattr(subprocess.Popen, "__init__", watched)

    def run(self, *words: str, stdin: bytes = b"", **more: str) -> Ended:
        """Run the program to its end."""
        with self.monkeypatch.context() as patch:
            for name in list(os.environ):
                patch.delenv(name)
            for name, value in {**self.environ, **more}.items():
                patch.setenv(name, value)
            patch.chdir(self.work)
            patch.setattr(sys, "argv", ["dockpass", *words])
            patch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
            self.capture.readouterr()
            try:
                run()
            except SystemExit as error:
                status = int(error.code or 0)
            out, err = self.capture.readouterr()
            return Ended(status, out, err)

    def leaks(self, text: str, *but: str) -> list[str]:
        """Return what `text` shows, without the inputs that begin with one of `but`."""
        return [found for found in self.aviary.find(text) if not found.startswith(but or ("\0",))]

    def leaks_elsewhere(self) -> list[str]:
        """Return what shows in files that were written, and in what children were given."""
        found = [
            f"{path}: {leak}"
            for path, content in self._files().items()
            if self._before.get(path) != content and path != self.helper_log
            for leak in self.aviary.find(content)
        ]
        for arguments, environ in self.children:
            if arguments[1:2] == ["--norc"]:
                continue  # click asks bash for its version, before it writes the completions
            found += [
                f"an argument of {arguments[0]}: {leak}" for leak in self.aviary.find("\n".join(arguments))
            ]
            found += [
                f"the environment of {arguments[0]}: {name}: {leak}"
                for name, value in environ.items()
                for leak in self.aviary.find(value)
                if name not in {"HTTPS_PROXY", "HTTP_PROXY"}  # a helper reaches its cloud by them
            ]
        found += [f"left behind: {path}" for path in self.runtime.glob("*")]
        return found

    def _files(self) -> dict[Path, str]:
        return {
            path: path.read_bytes().decode("utf-8", "replace")
            for path in self.root.rglob("*")
            if path.is_file() and ".git" not in path.parts
        }


@contextlib.contextmanager
def planted(
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
    capture: pytest.CaptureFixture[str],
    at: str = "127.0.0.1:1",
    aviary: Aviary | None = None,
) -> Iterator[Planted]:
    """Yield a planted machine; its runtime directory goes at the end."""
    made = Planted(root, monkeypatch, capture, at, aviary or Aviary())
    try:
        yield made
    finally:
        for handler in logging.getLogger("dockpass").handlers:
            handler.close()
        subprocess.run(["rm", "-rf", str(made.runtime)], check=True)
