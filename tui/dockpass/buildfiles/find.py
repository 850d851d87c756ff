"""Find what a build pulls: the named file, else the Dockerfile, else the werf.yaml of the directory."""

from __future__ import annotations

import stat
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from dockpass.auth.facts import BaseImage
from dockpass.buildfiles.dockerfile import BuildFinding, read_dockerfile
from dockpass.buildfiles.werfconfig import WerfConfig, WerfImage, is_known, read_werf_config
from dockpass.errors import UsageError
from dockpass.text import clean

LARGEST_FILE = 1 << 20


@dataclass(frozen=True, slots=True)
class BuildSources:
    """What a build comes from and pulls.

    `base_images` is None where no build file was found. `dockerfile` and `context` are None where
    there is nothing that an engine could build; `unsupported` then says why, if there was a file.
    """

    base_images: tuple[BaseImage, ...] | None = None
    findings: tuple[BuildFinding, ...] = ()
    dockerfile: Path | None = None
    context: Path | None = None
    target: str | None = None
    args: Mapping[str, str] = field(default_factory=dict)
    image: str = ""
    unsupported: str = ""
    needs_buildkit: str = ""


def find_base_images(
    cwd: Path,
    *,
    file: str | None = None,
    config: str | None = None,
    context: str | None = None,
    image: str | None = None,
    target: str | None = None,
    args: Mapping[str, str] | None = None,
) -> BuildSources:
    """Return the sources of a build; raises `UsageError` for a named file that cannot be read."""
    directory = cwd / (context or ".")
    if file is not None:
        return _from_dockerfile(cwd / file, directory, target, args or {})
    if config is not None:
        return _from_werf(cwd / config, image, target, args or {})
    if (directory / "Dockerfile").exists():
        return _from_dockerfile(directory / "Dockerfile", directory, target, args or {})
    for name in ("werf.yaml", "werf.yml"):
        if (directory / name).exists():
            return _from_werf(directory / name, image, target, args or {})
    return BuildSources()


def _from_dockerfile(
    path: Path, context: Path, target: str | None, args: Mapping[str, str], image: str = ""
) -> BuildSources:
    read = read_dockerfile(_text(path, "--file"), file=path.name, target=target, args=args)
    return BuildSources(
        read.base_images,
        read.findings,
        path,
        context,
        target,
        dict(args),
        image,
        needs_buildkit=read.needs_buildkit,
    )


def _from_werf(path: Path, image: str | None, target: str | None, args: Mapping[str, str]) -> BuildSources:
    config = read_werf_config(_text(path, "--config"), file=path.name)
    chosen = _chosen(config, image, path)
    bases: dict[str, BaseImage] = {}
    findings = list(config.findings)
    buildable: BuildSources | None = None
    for found in chosen:
        if found.dockerfile and is_known(found.dockerfile):
            buildable = _werf_dockerfile(path.parent, found, target, args)
            findings += buildable.findings
            pulled = buildable.base_images or ()
        else:
            known = bool(found.base) and is_known(found.base)
            pulled = (BaseImage(found.base, f"{path.name}: {found.name or 'image'}"),) if known else ()
        for base in pulled:
            bases.setdefault(base.reference, base)
    if len(chosen) == 1 and buildable is not None:
        return BuildSources(
            tuple(bases.values()),
            tuple(findings),
            buildable.dockerfile,
            buildable.context,
            buildable.target,
            buildable.args,
            chosen[0].name,
            needs_buildkit=buildable.needs_buildkit,
        )
    return BuildSources(
        tuple(bases.values()), tuple(findings), unsupported=_why_unsupported(path, config, chosen)
    )


def _werf_dockerfile(
    directory: Path, image: WerfImage, target: str | None, args: Mapping[str, str]
) -> BuildSources:
    context = directory / (image.context or ".")
    wanted = target or image.target or None
    return _from_dockerfile(
        context / image.dockerfile, context, wanted, {**dict(image.args), **args}, image.name
    )


def _chosen(config: WerfConfig, name: str | None, path: Path) -> tuple[WerfImage, ...]:
    if name is None:
        return config.images
    chosen = tuple(image for image in config.images if image.name == name)
    if not chosen:
        names = ", ".join(image.name for image in config.images if image.name) or "none with a name"
        raise UsageError(
            "image-unknown",
            f"{clean(str(path))} has no image {clean(name)}.",
            f"Its images are: {names}.",
        )
    return chosen


def _why_unsupported(path: Path, config: WerfConfig, chosen: tuple[WerfImage, ...]) -> str:
    shown = clean(path.name)
    if not config.images:
        return f"{shown} has no image."
    if len(chosen) > 1:
        names = ", ".join(image.name or "(without a name)" for image in chosen)
        return f"{shown} has several images ({names}), and dockpass builds one: name it with --image."
    stages = " and ".join(chosen[0].stages) or "from"
    return (
        f"The image {chosen[0].name or '(without a name)'} of {shown} is described by {stages} stages,"
        " which only werf can build; dockpass builds images with `dockerfile:`."
    )


def _text(path: Path, option: str) -> str:
    shown = clean(str(path))
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise UsageError("build-file-kind", f"{shown} is not a file.", f"Check {option}.")
        if status.st_size > LARGEST_FILE:
            raise UsageError("build-file-large", f"{shown} is larger than 1 MiB.", f"Check {option}.")
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        why = clean(error.strerror or str(error))
        raise UsageError(
            "build-file-unreadable", f"{shown} cannot be read: {why}.", f"Check {option}."
        ) from error
    except UnicodeDecodeError as error:
        raise UsageError(
            "build-file-binary", f"{shown} is not text: {error.reason}.", f"Check {option}."
        ) from error
