"""Real servers for tests. Where a program is missing the tests are skipped, but never in CI."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack
from functools import partial
from pathlib import Path

import pytest
from builderbench import Bench, benched, registry_with_base
from buildkit import unpacked
from clientprograms import Containers, Home, Run, StartSandbox, demanded, make_layout
from servers import Registry, engine, registry

from dockpass.sandbox.server import SandboxServer
from engine import Images

StartRegistry = Callable[..., Registry]


@pytest.fixture
def start() -> Iterator[Callable[[AbstractContextManager[object]], object]]:
    """Start servers that end with the test."""
    with ExitStack() as stack:
        yield lambda server: _entered(stack, server)


def _entered(stack: ExitStack, server: AbstractContextManager[object]) -> object:
    with demanded():
        return stack.enter_context(server)


@pytest.fixture(scope="session")
def docker_host() -> Iterator[str]:
    """The address of a Docker Engine of the tests' own."""
    with ExitStack() as stack:
        yield str(_entered(stack, engine()))


@pytest.fixture(scope="session")
def newer(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a newer Docker with buildx, and a static busybox, are unpacked. Its tests are one group: `buildkit`."""
    with demanded():
        return unpacked(tmp_path_factory.mktemp("newer"))


@pytest.fixture(scope="session")
def newer_host(newer: Path) -> Iterator[str]:
    """The address of a newer Docker Engine of the tests' own."""
    with ExitStack() as stack:
        yield str(_entered(stack, engine(newer)))


@pytest.fixture(scope="session")
def registry_with_tokens(tmp_path_factory: pytest.TempPathFactory, newer: Path) -> Iterator[Registry]:
    """A registry with tokens, with a base image that has a shell. Its tests are in the group `buildkit` too."""
    with demanded(), registry_with_base(tmp_path_factory.mktemp("base"), newer) as started:
        yield started


@pytest.fixture
def new(tmp_path: Path, newer_host: str, newer: Path, registry_with_tokens: Registry) -> Iterator[Bench]:
    """Builds beside the newer engine."""
    with benched(tmp_path, newer_host, newer, registry_with_tokens) as bench:
        yield bench


@pytest.fixture
def old(tmp_path: Path, docker_host: str, newer: Path, registry_with_tokens: Registry) -> Iterator[Bench]:
    """Builds beside the machine's own, older engine."""
    with benched(tmp_path, docker_host, newer, registry_with_tokens) as bench:
        yield bench


@pytest.fixture(scope="session")
def containerd_host(newer: Path) -> Iterator[str]:
    """The address of the newer Docker Engine with containerd's store of images."""
    with ExitStack() as stack:
        yield str(_entered(stack, engine(newer, with_containerd=True)))


@pytest.fixture
def containerd(
    tmp_path: Path, containerd_host: str, newer: Path, registry_with_tokens: Registry
) -> Iterator[Bench]:
    """Builds beside the newer engine with containerd's store."""
    with benched(tmp_path, containerd_host, newer, registry_with_tokens) as bench:
        yield bench


@pytest.fixture
def start_registry(start: Callable[[AbstractContextManager[object]], Registry]) -> StartRegistry:
    """Start a docker-registry: `start_registry("token", delete=False)`."""
    return lambda auth="none", *, delete=True: start(registry(auth, delete=delete))


@pytest.fixture
def start_sandbox() -> Iterator[StartSandbox]:
    """Start sandboxes that end with the test."""
    with ExitStack() as stack:
        yield lambda *given, **named: stack.enter_context(SandboxServer(*given, **named))


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Run a client in a home of the test's own: `run("skopeo", "inspect", ..., fails=True)`."""
    return Home(tmp_path).run


@pytest.fixture
def docker(run: Run, docker_host: str) -> Run:
    """Run docker with the tests' own engine."""
    return lambda *arguments, **named: run("docker", "-H", docker_host, *arguments, **named)


@pytest.fixture
def images(docker_host: str) -> Iterator[Images]:
    """Images in the tests' own engine, which are removed with the test."""
    made = Images(docker_host)
    yield made
    made.remove()


@pytest.fixture
def layout(tmp_path: Path) -> Path:
    """A small OCI layout."""
    return make_layout(tmp_path / "layout")


@pytest.fixture
def containers(tmp_path: Path, run: Run) -> Containers:
    """Run podman or buildah with settings and images of the test's own: `containers("podman", HOST)`."""
    root, settings = tmp_path / "containers", tmp_path / ".config" / "containers"
    for directory in (root, settings):
        directory.mkdir(parents=True)
    (root / "storage.conf").write_text(
        f'[storage]\ndriver = "vfs"\ngraphroot = "{root}/graph"\nrunroot = "{root}/run"\n'
    )
    (settings / "policy.json").write_text('{"default": [{"type": "insecureAcceptAnything"}]}')
    environ = {"CONTAINERS_STORAGE_CONF": str(root / "storage.conf"), "STORAGE_DRIVER": "vfs"}

    def client(name: str, host: str) -> Run:
        # `manifest inspect` has no --tls-verify, and learns here that the registry speaks plain http.
        (settings / "registries.conf").write_text(f'[[registry]]\nlocation = "{host}"\ninsecure = true\n')
        return partial(run, name, environ=environ)

    return client
