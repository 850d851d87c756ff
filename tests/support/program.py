"""Runs the program itself, in an environment of the test's own."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

from guard import guarded
from warmed import warmed

import dockpass


@dataclass
class Program:
    """`dockpass` with its own home, state and current directory."""

    directory: Path
    environ: dict[str, str] = field(default_factory=dict)
    meddling: str = ""
    """Code that the program's process runs first, to make a moment that tests cannot wait for."""

    def __post_init__(self) -> None:
        for name in ("home", "work"):
            (self.directory / name).mkdir(mode=0o700, exist_ok=True)
        # Only a directory in memory is taken as the runtime directory.
        shared = Path("/dev/shm")
        self.runtime = Path(tempfile.mkdtemp(prefix="test-", dir=shared if shared.is_dir() else None))

    def remove(self) -> None:
        """Remove the runtime directory, which is not the test's own temporary one."""
        shutil.rmtree(self.runtime, ignore_errors=True)

    @property
    def work(self) -> Path:
        """The current directory of the program."""
        return self.directory / "work"

    @property
    def home_config(self) -> Path:
        """The person's own docker config."""
        return self.directory / "home" / ".docker" / "config.json"

    def variables(self, **more: str) -> dict[str, str]:
        """The whole environment of a call."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.directory / "home"),
            "XDG_RUNTIME_DIR": str(self.runtime),
            "DOCKPASS_STATE": str(self.directory / "state"),
            "PYTHONPATH": str(Path(dockpass.__file__).parents[1]),  # the very code that the tests import
            **self.environ,
            **more,
        }

    def command(self, *arguments: str) -> list[str]:
        """The command line of a call."""
        if self.meddling:
            started = f"{self.meddling}\nfrom dockpass.__main__ import main\nmain()"
            # -P, because an installed dockpass does not look for modules in the current directory either.
            return [sys.executable, "-P", "-c", started, *arguments]
        return [sys.executable, "-m", "dockpass", *arguments]

    def run(self, *arguments: str, stdin: str = "", **more: str) -> subprocess.CompletedProcess[str]:
        """Call the program and wait for its end."""
        if not self.meddling and sys.platform == "linux":
            return warmed().run(
                arguments, cwd=self.work, environ=self.variables(**more), stdin=stdin, timeout=90
            )
        return subprocess.run(
            self.command(*arguments),
            cwd=self.work,
            env=self.variables(**more),
            input=stdin,
            capture_output=True,
            text=True,
            timeout=90,
        )

    @property
    def left(self) -> list[Path]:
        """Temporary configs that are still there."""
        return sorted(self.runtime.glob("dockpass-*"))

    @property
    def processes(self) -> list[str]:
        """Ids of living processes whose environment leads to the program's directory."""
        mark = f"={self.directory}/".encode()
        living = []
        for path in Path("/proc").glob("[0-9]*/environ"):
            try:
                if mark in path.read_bytes():
                    living.append(path.parent.name)
            except OSError:
                continue
        return living

    def written(self) -> str:
        """Everything that was written to files, but for the person's own config."""
        files = [path for path in self.directory.rglob("*") if path.is_file() and path != self.home_config]
        return "\n".join(path.read_text(encoding="utf-8", errors="replace") for path in files)


class StartedSandbox:
    """`dockpass sandbox` in a process of its own, which ends with the test."""

    def __init__(self, program: Program, *arguments: str) -> None:
        self.child = subprocess.Popen(
            guarded(program.command("sandbox", *arguments)),
            cwd=program.work,
            env=program.variables(),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.child.stderr
        assert self.child.stdout
        self.said: list[str] = []
        for line in self.child.stderr:
            self.said.append(line)
            if "Ctrl-C stops it" in line:
                break
        self.out = self.child.stdout.read()  # stdout ends before the sandbox does

    def __enter__(self) -> StartedSandbox:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        for pipe in (self.child.stdin, self.child.stdout, self.child.stderr):
            if pipe:
                pipe.close()

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Stop it by a signal, if it runs still; return its exit status."""
        self.child.send_signal(number)
        return self.child.wait(30)
