"""`dockpass build` beside a real engine, with a private base image in a registry that wants a login."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from buildkit import PLUGINS
from program import Program
from servers import JOB_TOKEN, PASSWORD, USER, Registry, registry

CANARY = "canary-build-secret-4711"
APPLETS = ("sh", "grep", "cat", "echo", "sleep", "ls", "rev", "true", "false")


@dataclass
class Bench:
    """`dockpass` beside one engine, and a registry that has `base`."""

    program: Program
    registry: Registry
    host: str

    @property
    def base(self) -> str:
        return f"{self.registry.host}/team/base:1"

    def build(self, dockerfile: str, *options: str, **more: str) -> subprocess.CompletedProcess[str]:
        """Build with the job token, in an environment that would lead elsewhere."""
        (self.program.work / "Dockerfile").write_text(dockerfile.format(base=self.base))
        job = {"CI_REGISTRY": self.registry.host, "CI_JOB_TOKEN": JOB_TOKEN}
        return self.program.run(
            "build", "--network", "host", *options, **{**job, "TOK": CANARY, **HOSTILE, **more}
        )

    def start(self, dockerfile: str, *options: str) -> subprocess.Popen[str]:
        """Begin a build as `build` does, in a process group of its own."""
        (self.program.work / "Dockerfile").write_text(dockerfile.format(base=self.base))
        job = {"CI_REGISTRY": self.registry.host, "CI_JOB_TOKEN": JOB_TOKEN, "TOK": CANARY}
        return subprocess.Popen(
            self.program.command("build", "--network", "host", *options),
            cwd=self.program.work,
            env=self.program.variables(**job),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def log_in_at_home(self, username: str, password: str) -> None:
        """Put a login for the registry into the person's own config."""
        encoded = base64.b64encode(f"{username}:{password}".encode()).decode()
        self.program.home_config.write_text(json.dumps({"auths": {self.registry.host: {"auth": encoded}}}))

    @property
    def plugin(self) -> Path:
        """Where buildx is."""
        return self.program.home_config.parent / "cli-plugins" / "docker-buildx"

    def docker(self, *arguments: str) -> str:
        """Call docker with the bench's engine."""
        command = ["docker", "-H", self.host, *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=60).stdout.strip()

    def forget(self) -> None:
        """Remove what the engine keeps of builds, so that the next one asks again."""
        self.docker("rmi", "--force", self.base)
        self.docker("builder", "prune", "--all", "--force")

    def check_clean(self, ended: subprocess.CompletedProcess[str]) -> None:
        """Nothing is left, and no secret was shown or written."""
        assert self.program.left == []
        said = ended.stdout + ended.stderr + self.program.written()
        assert not [secret for secret in (JOB_TOKEN, CANARY, PASSWORD) if secret in said]


def runs(*words: str) -> bool:
    """Tell whether a process with these words in its command line runs."""
    wanted = "\0".join(words).encode()
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):
            if wanted in path.read_bytes():
                return True
    return False


WITHOUT_LOGIN = {"CI_JOB_TOKEN": "", "CI_REGISTRY": ""}
HOSTILE = {
    "BUILDX_CONFIG": "/nonexistent/buildx",
    "BUILDX_BUILDER": "somebody-elses",
    "DOCKER_AUTH_CONFIG": '{"auths":{}}',
    "BUILDKIT_PROGRESS": "tty",
}


@contextmanager
def registry_with_base(top: Path, newer: Path, auth: str = "token") -> Iterator[Registry]:
    """A registry with a base image that has a shell."""
    with registry(auth) as started:
        program = Program(top, {"DOCKPASS_STORE": str(top / "images")})
        tree = program.work / "root" / "bin"
        tree.mkdir(parents=True)
        shutil.copy(newer / "usr/bin/busybox", tree / "busybox")
        for name in APPLETS:
            (tree / name).symlink_to("busybox")
        (program.work / "Dockerfile").write_text("FROM scratch\nCOPY root /\nENV PATH=/bin\n")
        login = ("--registry-username", USER, "--registry-password", PASSWORD)
        for words in (
            ("build", "--builder", "embedded", "--tag", "base"),
            ("push", "--engine", "embedded", "--repo", f"{started.host}/team/base", "--tag", "1", *login),
        ):
            made = program.run(*words)
            assert made.returncode == 0, made.stderr
        program.remove()
        yield started


@contextmanager
def benched(tmp_path: Path, host: str, newer: Path, registry: Registry) -> Iterator[Bench]:
    """`dockpass` beside the engine at `host`, with buildx in a home whose logins are wrong."""
    made = Program(tmp_path, {"DOCKER_HOST": host})
    bench = Bench(made, registry, host)
    bench.plugin.parent.mkdir(parents=True)
    bench.plugin.symlink_to(newer / PLUGINS / "docker-buildx")
    made.home_config.write_text(
        json.dumps({"auths": {registry.host: {"auth": "YTpi"}}, "credsStore": "broken"})
    )
    if registry.tokens is not None:
        registry.tokens.requests.clear()
        registry.tokens.askers.clear()
    bench.forget()
    yield bench
    made.remove()
