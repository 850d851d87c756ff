"""Platforms as builds name them: `os/architecture/variant`, in the words of the Go toolchain."""

from __future__ import annotations

import platform as machine
import re
from dataclasses import dataclass

_SYSTEMS = frozenset(
    {"aix", "android", "darwin", "dragonfly", "freebsd", "hurd", "illumos", "ios", "js", "linux", "nacl"}
    | {"netbsd", "openbsd", "plan9", "solaris", "windows", "zos"}
)
_ARCHITECTURES = frozenset(
    {"386", "amd64", "amd64p32", "arm", "armbe", "arm64", "arm64be", "ppc64", "ppc64le", "loong64", "mips"}
    | {"mipsle", "mips64", "mips64le", "mips64p32", "mips64p32le", "ppc", "riscv", "riscv64", "s390", "s390x"}
    | {"sparc", "sparc64", "wasm"}
)
_ALIASES = {
    "i386": ("386", ""),
    "x86_64": ("amd64", ""),
    "x86-64": ("amd64", ""),
    "aarch64": ("arm64", ""),
    "armhf": ("arm", "v7"),
    "armel": ("arm", "v6"),
}
_MACHINES = {"i686": "386", "armv7l": "armhf", "armv6l": "armel"}
_PART = re.compile(r"[A-Za-z0-9_.-]+", re.ASCII)


@dataclass(frozen=True, slots=True)
class BuildPlatform:
    """One platform."""

    os: str
    architecture: str
    variant: str = ""

    def __str__(self) -> str:
        return "/".join(filter(None, (self.os, self.architecture, self.variant)))


def this_machine() -> BuildPlatform:
    """Return the platform of the containers that an engine on this machine would run."""
    name = machine.machine().lower()
    return parse_platform(f"linux/{_MACHINES.get(name, name) or 'amd64'}") or BuildPlatform("linux", "amd64")


def parse_platform(text: str, default: BuildPlatform | None = None) -> BuildPlatform | None:
    """Return the platform that docker reads from a text, or None; `default` completes an OS alone."""
    parts = text.split("/")
    if len(parts) > 3 or not all(_PART.fullmatch(part) for part in parts):
        return None
    if len(parts) == 1:
        system = _system(parts[0])
        if system in _SYSTEMS:
            here = default or this_machine()
            return BuildPlatform(system, here.architecture, here.variant)
        architecture, variant = _architecture(parts[0], "")
        return BuildPlatform("linux", architecture, variant) if architecture in _ARCHITECTURES else None
    return BuildPlatform(_system(parts[0]), *_architecture(parts[1], parts[2] if len(parts) == 3 else ""))


def split_platforms(text: str) -> tuple[str, ...]:
    """Return the platforms of `--platform`, which takes several with commas between; each once."""
    return tuple(dict.fromkeys(each.strip() for each in text.split(","))) if text else ()


def arguments_of(build: BuildPlatform, target: BuildPlatform) -> dict[str, str]:
    """Return the arguments to which BuildKit itself gives values."""
    found = {}
    for side, each in (("BUILD", build), ("TARGET", target)):
        values = {"PLATFORM": str(each), "OS": each.os, "ARCH": each.architecture, "VARIANT": each.variant}
        found.update({f"{side}{part}": value for part, value in values.items()})
    return found


def _system(text: str) -> str:
    lowered = text.lower()
    return "darwin" if lowered == "macos" else lowered


def _architecture(text: str, variant: str) -> tuple[str, str]:
    name, variant = text.lower(), variant.lower()
    if name in _ALIASES:
        name, own = _ALIASES[name]
        variant = own or variant
    if (name == "amd64" and variant == "v1") or (name == "arm64" and variant in {"8", "v8"}):
        variant = ""
    elif name == "arm":
        variant = {"": "v7", "5": "v5", "6": "v6", "7": "v7", "8": "v8"}.get(variant, variant)
    return name, variant
