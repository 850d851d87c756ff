"""The same build by Docker and by the embedded engine, and what came of it, as Docker shows it."""

from __future__ import annotations

import hashlib
import io
import json
import tarfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import docker
from logins import ANONYMOUS
from notes import Notes

from dockpass.engines.base import BuildRequest
from dockpass.engines.docker import DockerEngine
from dockpass.engines.embedded.engine import EmbeddedEngine
from engine import Images

MANIFESTS = "application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.manifest.v1+json"
COMPARED = [
    "Env",
    "Cmd",
    "Entrypoint",
    "WorkingDir",
    "User",
    "ExposedPorts",
    "Volumes",
    "Labels",
    "StopSignal",
    "Healthcheck",
    "Shell",
    "OnBuild",
]

Files = Mapping[str, object]
"""Paths with their contents: text or bytes, a `Link`, a `Mode`, a `Same` (hard link), None (directory)."""


@dataclass(frozen=True)
class Link:
    """A symbolic link."""

    target: str


@dataclass(frozen=True)
class Same:
    """A hard link to another path."""

    path: str


@dataclass(frozen=True)
class Mode:
    """A file (or, without content, a directory) with rights of its own."""

    mode: int
    content: str | None = None


@dataclass(frozen=True)
class Case:
    """One build. `{base}` in the Dockerfile is the base image."""

    name: str
    dockerfile: str
    files: Files = field(default_factory=lambda: {"a": "A"})
    args: Mapping[str, str] = field(default_factory=dict)
    target: str | None = None
    buildkit: bool = False


def write_files(root: Path, files: Files) -> None:
    """Make the files of a context."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        match content:
            case None:
                path.mkdir(exist_ok=True)
            case Link(target):
                path.symlink_to(target)
            case Same(other):
                path.hardlink_to(root / other)
            case Mode(mode, text):
                path.mkdir(exist_ok=True) if text is None else path.write_text(text)
                path.chmod(mode)
            case bytes():
                path.write_bytes(content)
                path.chmod(0o644)
            case _:
                path.write_text(str(content))
                path.chmod(0o644)


def tar_of(
    files: Mapping[str, tuple[tarfile.TarInfo, bytes]] | list[tuple[str, dict[str, Any], bytes]],
) -> bytes:
    """Return an archive of entries: name, attributes of its header, content."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for name, attributes, content in files:
            info = tarfile.TarInfo(name)
            info.size = len(content)
            for key, value in attributes.items():
                setattr(info, key, value)
            archive.addfile(info, io.BytesIO(content))
    return buffer.getvalue()


def base_tar() -> bytes:
    """Return the files of a base image with what makes copying hard: links, owners, rights."""
    directory = {"type": tarfile.DIRTYPE, "mode": 0o755}
    link = {"type": tarfile.SYMTYPE, "mode": 0o777}
    return tar_of(
        [
            ("etc", directory, b""),
            ("etc/passwd", {"mode": 0o644}, b"root:x:0:0::/:/x\nmia:x:1001:1002::/:/x\n"),
            ("etc/group", {"mode": 0o644}, b"root:x:0:\nmia:x:1002:\nteam:x:2000:mia\n"),
            ("usr", directory, b""),
            ("usr/bin", directory, b""),
            ("usr/bin/tool", {"mode": 0o755}, b"tool"),
            ("usr/bin/same", {"type": tarfile.LNKTYPE, "linkname": "usr/bin/tool", "mode": 0o755}, b""),
            ("bin", link | {"linkname": "usr/bin"}, b""),
            ("up", link | {"linkname": "../../../usr"}, b""),
            ("tmp", directory | {"mode": 0o1777}, b""),
            ("srv", directory | {"mode": 0o750, "uid": 33, "gid": 34}, b""),
            ("srv/data", {"mode": 0o600, "uid": 33, "gid": 34}, b"data"),
            ("srv/link", link | {"linkname": "data"}, b""),
        ]
    )


class Judge:
    """Builds by both, and asks Docker what each result is."""

    def __init__(
        self, images: Images, by_docker: DockerEngine, embedded: EmbeddedEngine, registry: str, base: str
    ) -> None:
        self.images = images
        self.by_docker = by_docker
        self.embedded = embedded
        self.registry = registry
        self.base = base

    def request(self, case: Case, root: Path) -> BuildRequest:
        """Write the case's files and return its build."""
        write_files(root, case.files)
        (root / "Dockerfile").write_text(case.dockerfile.replace("{base}", self.base))
        return BuildRequest(root, root / "Dockerfile", (), case.target, dict(case.args))

    def docker_builds(self, case: Case, root: Path) -> str:
        """Build by Docker; return a reference to the result."""
        name = f"{self.registry}/docker/{case.name}:1"
        request = self.request(case, root)
        built = (
            self._buildkit(request, name)
            if case.buildkit
            else self.by_docker.build(request, ANONYMOUS, Notes())
        )
        self.images.docker("tag", built, name)
        self.images.made.append(name)
        self.by_docker.push(name, ANONYMOUS, Notes())
        return name

    def we_build(self, case: Case, root: Path) -> str:
        """Build by the embedded engine, push, and let Docker pull it; return a reference to the result."""
        name = f"{self.registry}/ours/{case.name}:1"
        self.embedded.tag(self.embedded.build(self.request(case, root), ANONYMOUS, Notes()), name)
        self.embedded.push(name, ANONYMOUS, Notes())
        self.by_docker.pull(name, ANONYMOUS, Notes())
        self.images.made.append(name)
        return name

    def files(self, name: str) -> dict[str, tuple[object, ...]]:
        """Return what a container of the image would see: type, rights, owner, link and content by path."""
        client = docker.APIClient(base_url=self.images.docker_host, timeout=60)
        container = client.create_container(name, ["none"])
        try:
            raw = b"".join(client.export(container))
        finally:
            client.remove_container(container)
            client.close()
        found: dict[str, tuple[object, ...]] = {}
        with tarfile.open(fileobj=io.BytesIO(raw)) as archive:
            for member in archive:
                kind = tarfile.REGTYPE if member.islnk() else member.type
                content = archive.extractfile(member) if member.isreg() or member.islnk() else None
                digest = hashlib.sha256(content.read()).hexdigest()[:12] if content else ""
                link = member.linkname if member.issym() else ""
                path = "/" + member.name.strip("/")
                found[path] = (kind, oct(member.mode), member.uid, member.gid, link, digest)
        return found

    def config(self, name: str) -> dict[str, Any]:
        """Return what matters of the image's config, as the registry has it, and its history."""
        host, _, rest = name.partition("/")
        path, _, tag = rest.partition(":")
        manifest = self._get(host, f"{path}/manifests/{tag}")
        config = self._get(host, f"{path}/blobs/{manifest['config']['digest']}")
        inner = {key: value for key, value in config["config"].items() if key in COMPARED and value}
        inner["author"] = config.get("author") or ""
        inner["history"] = [bool(each.get("empty_layer")) for each in config["history"]]
        inner["platform"] = (config["os"], config["architecture"])
        inner["layers"] = len(manifest["layers"])
        return inner

    def _get(self, host: str, path: str) -> dict[str, Any]:
        with urlopen(
            Request(f"http://{host}/v2/{path}", headers={"Accept": MANIFESTS}), timeout=20
        ) as answer:
            found: dict[str, Any] = json.load(answer)
            return found

    def _buildkit(self, request: BuildRequest, name: str) -> str:
        """Build with BuildKit, through the engine's interface; base images have to be there already."""
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w", format=tarfile.GNU_FORMAT) as archive:
            archive.add(request.context, ".", filter=_by_root)
        client = docker.APIClient(base_url=self.images.docker_host, timeout=60)
        try:
            response = client._post(
                client._url("/build"),
                params={"version": "2", "t": name, "buildargs": json.dumps(dict(request.build_args))},
                data=buffer.getvalue(),
                headers={"Content-Type": "application/tar"},
            )
            response.raise_for_status()
            failed = [line for line in response.text.splitlines() if '"errorDetail"' in line]
            assert not failed, failed[0][:500]
        finally:
            client.close()
        return name


def _by_root(info: tarfile.TarInfo) -> tarfile.TarInfo:
    info.uid = info.gid = 0
    return info
