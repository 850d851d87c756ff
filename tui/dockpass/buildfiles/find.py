"""Find what a build pulls: the named file, else the Dockerfile, else the werf.yaml of the directory."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from os.path import normpath
from pathlib import Path
from typing import TYPE_CHECKING

from dockpass.auth.facts import BaseImage, UnknownImage
from dockpass.buildfiles.platforms import split_platforms
from dockpass.errors import UsageError
from dockpass.findings import Finding
from dockpass.references.imagenames import normalised
from dockpass.references.reference import parse_reference
from dockpass.text import clean
from dockpass.textfile import read_text_file

if TYPE_CHECKING:
    from dockpass.buildfiles.contexts import NamedContexts
    from dockpass.buildfiles.needs import Need
    from dockpass.buildfiles.werfconfig import WerfConfig, WerfImage

_CONFIG_NAMES = ("werf.yaml", "werf.yml")


@dataclass(frozen=True, slots=True)
class BuildSources:
    """What a build comes from and pulls.

    `base_images` is None where there is no build file; `unknown` are the images that it names and that
    are not known. `refusal` is why BuildKit refuses the file, `classic` what the classic builder pulls
    besides. `dockerfile` and `context` are None where there is nothing that an engine could build;
    `unsupported` then says why, if there was a file.
    """

    base_images: tuple[BaseImage, ...] | None = None
    findings: tuple[Finding, ...] = ()
    dockerfile: Path | None = None
    context: Path | None = None
    target: str | None = None
    args: Mapping[str, str] = field(default_factory=dict)
    image: str = ""
    unsupported: str = ""
    unknown: tuple[UnknownImage, ...] = ()
    refusal: Finding | None = None
    classic: tuple[BaseImage, ...] = ()
    platform: str = ""
    contexts: NamedContexts = field(default_factory=dict)
    needs: tuple[Need, ...] = ()


@dataclass(frozen=True, slots=True)
class _Build:
    """What the command line says of a build, and where from. An argument whose value is None is not known."""

    cwd: Path
    target: str | None
    args: Mapping[str, str | None]
    platform: str
    contexts: NamedContexts


def find_base_images(
    cwd: Path,
    *,
    file: str | None = None,
    config: str | None = None,
    context: str | None = None,
    image: str | None = None,
    target: str | None = None,
    args: Mapping[str, str] | None = None,
    platform: str | None = None,
    contexts: NamedContexts | None = None,
) -> BuildSources:
    """Return the sources of a build; raises `UsageError` for a file that cannot be read as one."""
    directory = cwd / (context or ".")
    given = _Build(cwd, target, dict(args or {}), platform or "", contexts or {})
    if file is not None:
        return _from_dockerfile(cwd / file, directory, given, "Check the path after --file.")
    if config is not None:
        return _from_werf(cwd / config, image, given, "Check the path after --config.")
    if _is_there(directory / "Dockerfile"):
        return _from_dockerfile(directory / "Dockerfile", directory, given, "Name one with --file.")
    for name in _CONFIG_NAMES:
        if _is_there(directory / name):
            return _from_werf(directory / name, image, given, "Name one with --config.")
    return BuildSources()


def named_base_images(references: Iterable[str]) -> tuple[BaseImage, ...]:
    """Return the images of `--from`; raises `UsageError` for one that is no reference."""
    for reference in references:
        try:
            parse_reference(reference)
        except UsageError as error:
            raise UsageError("from-invalid", f"--from: {error.message}", error.hint) from error
    return tuple(BaseImage(reference, "--from") for reference in references)


def refused(found: Finding) -> UsageError:
    """Return the error of a file that BuildKit refuses, with its line."""
    from dockpass.buildfiles.dockerfile import dockerfile_invalid, target_unknown

    if found.id == "target-unknown":
        return target_unknown(found.about, found.message)
    hint = "BuildKit rejects the build because of it; see the Dockerfile reference."
    return dockerfile_invalid(found.about, found.message, hint)


def _from_dockerfile(path: Path, context: Path, build: _Build, hint: str, image: str = "") -> BuildSources:
    from dockpass.buildfiles.dockerfile import read_dockerfile  # the reader is loaded where there is a file

    text = read_text_file(path, "build-file", hint)
    read = read_dockerfile(
        text,
        file=_told(path, build.cwd),
        target=build.target,
        args=build.args,
        platform=build.platform,
        contexts=build.contexts,
    )
    unknown = [name for name, value in build.args.items() if value is None]
    what = f"The value of {clean(unknown[0])} is not known: it is a template expression." if unknown else ""
    return BuildSources(
        read.base_images,
        read.findings,
        path,
        context,
        build.target,
        {name: value for name, value in build.args.items() if value is not None},
        image,
        unsupported=what,
        unknown=read.unknown,
        refusal=read.refusal,
        classic=read.classic,
        platform=",".join(split_platforms(build.platform)),
        contexts=build.contexts,
        needs=read.needs,
    )


def _told(path: Path, cwd: Path) -> str:
    """Return a file as an editor opens it from here: its path; the name of one that is elsewhere."""
    inside = Path(normpath(path))
    return clean(str(inside.relative_to(cwd)) if inside.is_relative_to(cwd) else path.name)


def _from_werf(path: Path, name: str | None, build: _Build, hint: str) -> BuildSources:
    from dockpass.buildfiles.werfconfig import read_werf_config  # YAML is loaded where there is some

    config = read_werf_config(read_text_file(path, "build-file", hint), file=_told(path, build.cwd))
    chosen = _chosen(config, name, path)
    bases: dict[str, BaseImage] = {}
    classic: dict[str, BaseImage] = {}
    findings = list(config.findings)
    unknown: list[UnknownImage] = list(config.unknown)
    refusal: Finding | None = None
    wanted: BuildSources | None = None
    for image in _with_inner(config, chosen):
        sources = _of_image(path, image, build)
        findings += sources.findings
        unknown += sources.unknown
        refusal = refusal or sources.refusal
        for base in sources.base_images or ():
            bases.setdefault(base.reference, base)
        for base in sources.classic:
            classic.setdefault(base.reference, base)
        if chosen == (image,):
            wanted = sources
    unsupported = _why_unsupported(path, config, chosen, wanted)
    built = BuildSources(unsupported=unsupported) if wanted is None or unsupported else wanted
    return replace(
        built,
        base_images=tuple(bases.values()),
        findings=tuple(findings),
        unknown=tuple(unknown),
        refusal=refusal,
        classic=tuple(base for name, base in classic.items() if name not in bases),
    )


def _of_image(path: Path, image: WerfImage, build: _Build) -> BuildSources:
    """Return what one image of a werf.yaml pulls."""
    where = f"{_told(path, build.cwd)}:{image.line}"
    keys = image.unknown & {"from", "dockerfile", "context"}
    if not build.target:
        keys |= image.unknown & {"target"}
    if keys:
        why = f"the {' and '.join(sorted(keys))} of {_shown(image)} is a template expression"
        found = UnknownImage(_shown(image), where, why)
        return BuildSources((), unsupported=f"{why[0].upper()}{why[1:]}.", unknown=(found,))
    if image.dockerfile:
        context = path.parent / (image.context or ".")
        hint = f"Check `dockerfile:` and `context:` of {_shown(image)} in {clean(path.name)}."
        own = _Build(
            build.cwd,
            build.target or image.target or None,
            {**dict(image.args), **build.args},
            build.platform,
            build.contexts,
        )
        return _from_dockerfile(context / image.dockerfile, context, own, hint, image.name)
    if not image.base or image.base == "scratch":
        return BuildSources(())
    if not normalised(image.base):
        message = f"from of {_shown(image)} is not a valid image: {image.base}"
        found = UnknownImage(image.base, where, "it is not a valid image", "reference-invalid")
        return BuildSources((), (Finding("image-invalid", where, message),), unknown=(found,))
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
