"""Which builder a build uses, and why. Pure: `survey.py` tells what there is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dockpass.builders.abilities import BY_SESSION, OF_BUILDAH, OF_ENGINE, missing
from dockpass.builders.base import BuilderInfo
from dockpass.builders.names import AUTO, BuilderName
from dockpass.buildfiles.needs import Feature, Need
from dockpass.engines.base import EMBEDDED
from dockpass.errors import UsageError
from dockpass.text import clean


@dataclass(frozen=True, slots=True)
class BuilderChoice:
    """The builder that is taken. `because` says why, and what was passed over for it."""

    builder: BuilderInfo
    because: str

    @property
    def in_words(self) -> str:
        """The builder with where it works and the reason: `docker buildx 0.13.1 with Docker 26.1.5 (…)`."""
        return f"{self.builder.title}{f' {self.builder.where}' if self.builder.where else ''}: {self.because}"


def choose(found: Sequence[BuilderInfo], needs: Sequence[Need], engine: str, asked: str) -> BuilderChoice:
    """Return the builder for a build.

    `found` are all builders in the order of preference, `engine` the name of the engine that the run uses.
    Those that put the image among that engine's come first, then those with images of their own; the latter
    only beside Docker or Podman, for nobody asked for a second store of images otherwise. The embedded engine
    builds for itself alone, unless it is `asked` for. Raises `UsageError` where none can build it.
    """
    if asked != AUTO:
        return _asked(found, needs, engine, asked)
    own = [info for info in found if info.stores_for == engine]
    others = [info for info in found if not info.stores_for and engine != EMBEDDED]
    passed: list[str] = []
    for info in (*own, *others):
        if info.unusable:
            passed.append(info.unusable)
            continue
        if lack := _lack(info, needs):
            passed.append(lack)
            continue
        elsewhere = "" if info in own else "; its images are not the engine's"
        return BuilderChoice(info, f"{_why(info, needs, passed)}{elsewhere}")
    raise _refused(found, needs, [info for info in (*own, *others) if not info.unusable], passed)


def _asked(found: Sequence[BuilderInfo], needs: Sequence[Need], engine: str, asked: str) -> BuilderChoice:
    info = next((each for each in found if each.name == asked), None)
    if info is None and asked not in set(BuilderName):
        known = ", ".join((AUTO, *BuilderName))
        message = f"There is no builder {clean(asked, 40)!r}."
        raise UsageError("builder-unknown", message, f"Use one of {known}.")
    unusable = info.unusable if info else f"it builds in a Docker Engine, and the engine here is {engine}"
    if info is None or unusable:
        raise UsageError(
            "builder-missing",
            f"--builder {asked} cannot be used: {unusable}.",
            _ways_out(found, needs) or "Leave --builder out to take another one.",
        )
    if missing(needs, info):
        raise _refused(found, needs, [info], [])
    return BuilderChoice(info, "you asked for it")


def _why(info: BuilderInfo, needs: Sequence[Need], passed: Sequence[str]) -> str:
    if passed:
        return "; ".join(passed)
    beyond = next((need for need in needs if need.feature is not Feature.RUN), None)
    if info.name in {BuilderName.BUILDX, BuilderName.BUILDKIT} and beyond is not None:
        return f"{beyond.in_words}, which needs BuildKit"
    return "the first one here that can build it"


def _refused(
    found: Sequence[BuilderInfo], needs: Sequence[Need], tried: Sequence[BuilderInfo], passed: Sequence[str]
) -> UsageError:
    """Return the error that names each line and feature that is lacking, and who could build it."""
    if not tried:
        return UsageError(
            "no-builder",
            f"There is no builder here: {'; '.join(passed) or 'no engine answers'}.",
            "Install docker's buildx plugin, Podman or Buildah.",
        )
    last = tried[0]
    lacks = missing(needs, last)
    ways_out = _ways_out(found, needs, leave_out=last)
    command = next((need for need in lacks if need.feature is Feature.RUN), None)
    if last.name is BuilderName.EMBEDDED and command is not None:
        from dockpass.engines.embedded.script import WAYS_OUT, needs_engine

        return needs_engine(command.where, "RUN", hint=ways_out or WAYS_OUT)
    told = [need.in_words for need in lacks[:3]]
    words = ", ".join((*told, "…")) if len(lacks) > len(told) else _joined(told, "and")
    unusable = [_capital(info.unusable) for info in found if info.unusable]
    lacking = [_capital(lack) for info in tried[1:] if (lack := _lack(info, needs))]
    others = "".join(f" {each}." for each in (*lacking, *unusable))
    return UsageError(
        "needs-buildkit",
        f"{words}, which {_in_engine(last)} cannot do.{others}",
        ways_out or _who_could(lacks),
    )


def _in_engine(info: BuilderInfo) -> str:
    """Name a builder, and the engine with it where the engine's release tells what it can do."""
    by_engine = info.name in {BuilderName.BUILDX, BuilderName.BUILDKIT}
    return f"{info.title} {info.where}".rstrip() if by_engine else info.title


def _lack(info: BuilderInfo, needs: Sequence[Need]) -> str:
    """Say what a builder lacks first; empty for one that can build it."""
    lacks = missing(needs, info)
    return f"{info.title} lacks {lacks[0].feature} ({lacks[0].where})" if lacks else ""


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def _ways_out(
    found: Iterable[BuilderInfo], needs: Sequence[Need], leave_out: BuilderInfo | None = None
) -> str:
    able = [
        info.name
        for info in found
        if info is not leave_out and not info.unusable and not missing(needs, info)
    ]
    names = _joined([f"--builder {name}" for name in able], "or")
    return f"{names} can build it." if able else ""


def _who_could(lacks: Sequence[Need]) -> str:
    """Say who could build it elsewhere, by the tables of abilities."""
    parts = []
    with_buildx = "" if all(need.feature in BY_SESSION for need in lacks) else " with buildx"
    tables = ((f"Docker{{}}{with_buildx}", OF_ENGINE), ("Podman or Buildah with buildah{}", OF_BUILDAH))
    for title, table in tables:
        since = [table.get(need.feature) for need in lacks]
        if None not in since:
            first = max(each for each in since if each is not None)
            parts.append(title.format(f" {'.'.join(map(str, first))} or later" if first > (0,) else ""))
    named = ", or ".join(parts) or "A newer frontend, named in a `# syntax=` line,"
    return f"{named}{',' if len(parts) > 1 else ''} can build it."


def _joined(parts: Sequence[str], word: str) -> str:
    return f" {word} ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else "".join(parts)
