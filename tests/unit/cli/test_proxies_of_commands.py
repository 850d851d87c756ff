"""The commands behind a proxy: it is asked, it is told of, and `--no-proxy` leaves it out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from forwardproxy import ForwardProxy
from hostile import Authority
from logins import Given
from notes import Notes
from tlsproxy import TlsProxy
from transfers import Place

from dockpass.cli.main import cli
from dockpass.sandbox.flavours import Flavour
from dockpass.sandbox.server import SandboxServer

LOGIN = "bob:proxy-canary"
NAME = "registry.example"
REPO = f"{NAME}/web/app"


@dataclass
class Behind:
    """A registry that only the proxy knows the way to."""

    server: SandboxServer
    proxy: ForwardProxy
    authority: Authority
    environ: dict[str, str]

    def run(self, *arguments: str, **more: str) -> Result:
        """Run a command with the registry's login, in this process."""
        owner = self.server.accounts.personal
        return CliRunner().invoke(
            cli,
            [
                *arguments,
                f"--registry-username={owner.username}",
                f"--registry-password={owner.secret.reveal()}",
                f"--ca-file={self.authority.file}",
            ],
            env=self.environ | more,
            prog_name="dockpass",
        )

    def tunnels(self) -> set[str]:
        """Return where the proxy led to since the last question."""
        found = {asked.target for asked in self.proxy.asked}
        self.proxy.asked.clear()
        return found


@pytest.fixture
def behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Behind]:
    monkeypatch.chdir(tmp_path)
    for name in (
        "HTTP_PROXY",
        "http_proxy",
        "HTTPS_PROXY",
        "https_proxy",
        "NO_PROXY",
        "no_proxy",
        "CI_REGISTRY",
    ):
        monkeypatch.delenv(name, raising=False)
    authority = Authority(tmp_path)
    with ExitStack() as stack:
        server = stack.enter_context(SandboxServer(None, Flavour.DISTRIBUTION))
        place = Place(tmp_path / "place")
        place.image(f"{server.host}/web/app:1", 100)
        place.image(f"{REPO}:2", 100)
        place.engine().push(f"{server.host}/web/app:1", Given(server.accounts.personal.credential), Notes())
        secured = stack.enter_context(TlsProxy(server.host, authority.context(NAME)))
        proxy = stack.enter_context(ForwardProxy({f"{NAME}:443": secured.host}, LOGIN))
        environ = {
            "HOME": str(tmp_path),
            "DOCKPASS_STATE": str(tmp_path / "state"),
            "DOCKPASS_STORE": str(place.store.root),
            "https_proxy": f"http://{LOGIN}@{proxy.host}",
            "HTTPS_PROXY": "",
        }
        yield Behind(server, proxy, authority, environ)


COMMANDS = [
    ("probe", "pull", "--repo", REPO),
    ("deploy", "--repo", REPO, "--tag", "1"),
    ("cleanup", "--repo", REPO, "--match", "x", "--dry-run"),
    ("push", "--repo", REPO, "--tag", "2", "--image", f"{REPO}:2", "--engine", "embedded"),
    ("pull", "--repo", REPO, "--tag", "1", "--engine", "embedded"),
]


@pytest.mark.parametrize("arguments", COMMANDS, ids=lambda words: words[0])
def test_every_command_asks_the_proxy_and_says_so(behind: Behind, arguments: tuple[str, ...]) -> None:
    ended = behind.run(*arguments)
    assert ended.exit_code == 0, ended.output
    assert behind.tunnels() == {f"{NAME}:443"}
    assert f"through the proxy http://••••@{behind.proxy.host} (https_proxy)" in ended.output
    assert "proxy-canary" not in ended.output


@pytest.mark.parametrize("arguments", COMMANDS, ids=lambda words: words[0])
def test_no_proxy_asks_none(behind: Behind, arguments: tuple[str, ...]) -> None:
    ended = behind.run(*arguments, "--no-proxy")
    assert ended.exit_code != 0
    assert behind.tunnels() == set()
    assert "through the proxy" not in ended.output


def test_a_build_pulls_its_base_by_the_proxy(behind: Behind, tmp_path: Path) -> None:
    (tmp_path / "Dockerfile").write_text(f"FROM {REPO}:1\nLABEL x=y\n")
    ended = behind.run("build", "--engine", "embedded")
    assert ended.exit_code == 0, ended.output
    assert behind.tunnels() == {f"{NAME}:443"}


def test_the_object_of_a_probe_tells_of_the_proxy(behind: Behind) -> None:
    ended = behind.run("probe", "pull", "--repo", REPO, "--json")
    (probe,) = json.loads(ended.stdout)["probes"]
    assert probe["way"] == f"through the proxy http://••••@{behind.proxy.host} (https_proxy)"
    assert "proxy-canary" not in ended.output


def test_what_is_no_address_is_told(behind: Behind) -> None:
    ended = behind.run("deploy", "--repo", REPO, "--tag", "1", https_proxy="http://%zz@canary-host")
    assert ended.exit_code != 0
    assert "https_proxy is not a proxy address: no proxy is used for https" in ended.output
    assert "canary-host" not in ended.output


@pytest.mark.parametrize("command", ["build", "push", "pull", "cleanup", "deploy", "probe", "try", ""])
def test_the_option_is_on_every_command_that_asks_a_registry(command: str) -> None:
    found = CliRunner().invoke(cli, [*filter(None, [command]), "--help"])
    assert "--no-proxy" in found.output
