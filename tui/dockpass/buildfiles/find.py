"""Find what a build pulls: the named file, else the Dockerfile, else the werf.yaml of the directory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from dockpass.auth.facts import BaseImage
from dockpass.auth.reference import parse_reference
from dockpass.buildfiles.dockerfile import BuildFinding, is_reference, read_dockerfile
from dockpass.errors import UsageError
from dockpass.text import clean
from dockpass.textfile import read_text_file

if TYPE_CHECKING:
    from dockpass.buildfiles.werfconfig import WerfConfig, WerfImage

_CONFIG_NAMES = ("werf.yaml", "werf.yml")


@dataclass(frozen=True, slots=True)
class BuildSources:
    """What a build comes from and pulls.

    `base_images` is None where that is not known: there is no build file, or none of its images can be
    read. `dockerfile` and `context` are None where there is nothing that an engine could build;
    `unsupported` then says why, if there was a file.
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
    """Return the sources of a build; raises `UsageError` for a file that cannot be read as one."""
    directory = cwd / (context or ".")
    given = dict(args or {})
    if file is not None:
        return _from_dockerfile(cwd / file, directory, target, given, "Check the path after --file.")
    if config is not None:
        return _from_werf(cwd / config, image, target, given, "Check the path after --config.")
    if _is_there(directory / "Dockerfile"):
        return _from_dockerfile(directory / "Dockerfile", directory, target, given, "Name one with --file.")
    for name in _CONFIG_NAMES:
        if _is_there(directory / name):
            return _from_werf(directory / name, image, target, given, "Name one with --config.")
    return BuildSources()


def named_base_images(references: Iterable[str]) -> tuple[BaseImage, ...]:
    """Return the images of `--from`; raises `UsageError` for one that is no reference."""
    for reference in references:
        try:
            parse_reference(reference)
        except UsageError as error:
            raise UsageError("from-invalid", f"--from: {error.message}", error.hint) from error
    return tuple(BaseImage(reference, "--from") for reference in references)


def _from_dockerfile(
    path: Path, context: Path, target: str | None, args: Mapping[str, str | None], hint: str, image: str = ""
) -> BuildSources:
    text = read_text_file(path, "build-file", hint)
    read = read_dockerfile(text, file=path.name, target=target, args=args)
    unknown = [name for name, value in args.items() if value is None]
    return BuildSources(
        read.base_images if read.base_images or read.is_whole else None,
        read.findings,
        path,
        context,
        target,
        {name: value for name, value in args.items() if value is not None},
        image,
        unsupported=f"The value of {clean(unknown[0])} is not known: it is a template expression."
        if unknown
        else "",
        needs_buildkit=read.needs_buildkit,
    )


def _from_werf(
    path: Path, name: str | None, target: str | None, args: Mapping[str, str], hint: str
) -> BuildSources:
    from dockpass.buildfiles.werfconfig import read_werf_config  # YAML is loaded where there is some

    config = read_werf_config(read_text_file(path, "build-file", hint), file=path.name)
    chosen = _chosen(config, name, path)
    bases: dict[str, BaseImage] = {}
    findings = list(config.findings)
    is_whole = config.is_whole
    wanted: BuildSources | None = None
    for image in _with_inner(config, chosen):
        sources = _of_image(path, image, target, args)
        findings += sources.findings
        is_whole = is_whole and sources.base_images is not None
        for base in sources.base_images or ():
            bases.setdefault(base.reference, base)
        if chosen == (image,):
            wanted = sources
    base_images = tuple(bases.values()) if bases or is_whole else None
    unsupported = _why_unsupported(path, config, chosen, wanted)
    if wanted is None or unsupported:
        return BuildSources(base_images, tuple(findings), unsupported=unsupported)
    return BuildSources(
        base_images,
        tuple(findings),
        wanted.dockerfile,
        wanted.context,
        wanted.target,
        wanted.args,
        wanted.image,
        needs_buildkit=wanted.needs_buildkit,
    )


def _of_image(path: Path, image: WerfImage, target: str | None, args: Mapping[str, str]) -> BuildSources:
    """Return what one image of a werf.yaml pulls."""
    if image.unknown & {"from", "dockerfile", "context"} or (not target and "target" in image.unknown):
        what = " and ".join(sorted(image.unknown))
        return BuildSources(unsupported=f"The {what} of {_shown(image)} is a template expression.")
    if image.dockerfile:
        context = path.parent / (image.context or ".")
        hint = f"Check `dockerfile:` and `context:` of {_shown(image)} in {clean(path.name)}."
        given = {**dict(image.args), **args}
        wanted = target or image.target or None
        return _from_dockerfile(context / image.dockerfile, context, wanted, given, hint, image.name)
    if not image.base or image.base == "scratch":
        return BuildSources(())
    where = f"{clean(path.name)}:{image.line}"
    if not is_reference(image.base):
        message = f"from of {_shown(image)} is not a valid image: {image.base}"
        return BuildSources(findings=(BuildFinding("image-invalid", where, message),))
    return BuildSources((BaseImage(image.base, where),))


def _chosen(config: WerfConfig, name: str | None, path: Path) -> tuple[WerfImage, ...]:
    if not name:
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


def _with_inner(config: WerfConfig, chosen: tuple[WerfImage, ...]) -> tuple[WerfImage, ...]:
    """Add the images of the same file that the chosen ones are made from, each once."""
    by_name = {image.name: image for image in config.images if image.name}
    found: list[WerfImage] = []
    left = list(chosen)
    while left:
        image = left.pop(0)
        if image not in found:
            found.append(image)
            left += [by_name[name] for name in image.inner if name in by_name]
    return tuple(found)


def _why_unsupported(
    path: Path, config: WerfConfig, chosen: tuple[WerfImage, ...], wanted: BuildSources | None
) -> str:
    shown = clean(path.name)
    if not config.images:
        return f"{shown} has no image."
    if len(chosen) > 1:
        names = ", ".join(image.name or "(without a name)" for image in chosen)
        return f"{shown} has several images ({names}), and dockpass builds one: name it with --image."
    if wanted is not None and (wanted.dockerfile is not None or wanted.unsupported):
        return wanted.unsupported
    stages = " and ".join(chosen[0].stages) or "from"
    return (
        f"The image {chosen[0].name or '(without a name)'} of {shown} is described by {stages} stages,"
        " which only werf can build; dockpass builds images with `dockerfile:`."
    )


def _shown(image: WerfImage) -> str:
    return f"the image {image.name or '(without a name)'}"


def _is_there(path: Path) -> bool:
    """Tell whether there is such a file; reading one that may not be looked at will say so."""
    try:
        return path.exists()
    except OSError:
        return True
